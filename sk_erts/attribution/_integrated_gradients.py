"""The gradient, integrated from a baseline to the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baseline, check_at_least_one
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction

__all__ = ["IntegratedGradients", "integrated_gradients"]


class IntegratedGradients(CaptumMethod):
    r"""Return how the difference to a baseline is shared out among the samples.

    Parameters
    ----------
    baseline
        Record that stands for no evidence; 0 is the isoelectric line of a record
        without offset.
    n_steps : int, default=128
        Points on the path from the baseline to the record. More make the sum of a map
        come closer to what it explains.
    return_convergence_delta : bool, default=False
        Whether to return also how far it is from that.

    Returns
    -------
    maps
        In units of the logit; at least 0 unless `signed`. A signed map sums to the
        difference between the logits of record and baseline.
    delta : ndarray of shape (n_samples,), dtype float64
        The sum of the signed map less that difference, in units of the logit; if
        `return_convergence_delta`.

    Notes
    -----
    :math:`A_{lt} = (x_{lt} - b_{lt}) \int_0^1 \partial y_c(b + \alpha (x - b)) /
    \partial x_{lt} \, d\alpha`, by Gauss-Legendre quadrature. Computed by captum.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks",
       ICML 2017, arXiv:1703.01365.
    """

    name = "integrated_gradients"

    def __init__(
        self, module: nn.Module, baseline: Any = 0.0, n_steps: int = 128
    ) -> None:
        super().__init__(module)
        check_at_least_one("n_steps", n_steps, self.name)
        self.baseline = baseline
        self.n_steps = int(n_steps)
        self.deltas: list[torch.Tensor] = []
        self._batch_size = 1

    def n_at_once(self, batch_size: int) -> int:
        """Return how many records leave room for several points of each path."""
        self._batch_size = batch_size
        return max(1, batch_size // 8)

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        maps, delta = self._captum("IntegratedGradients").attribute(
            batch.x.clone().requires_grad_(),
            as_baseline(self.baseline, batch.x, self.name),
            additional_forward_args=self._weights(batch, direction),
            n_steps=self.n_steps,
            internal_batch_size=max(self._batch_size, len(batch.x)),
            return_convergence_delta=True,
        )
        self.deltas.append(delta.detach())
        result: torch.Tensor = maps
        return result


def with_delta(
    method: IntegratedGradients,
    maps: FloatArray,
    return_convergence_delta: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    """Return maps, and what their sums are off by if it is asked for.

    Parameters
    ----------
    method : IntegratedGradients
        Has explained all records.
    maps : ndarray of shape (n_samples, n_leads, n_times)
        Their maps.
    return_convergence_delta : bool, default=False
        Whether to return it.

    Returns
    -------
    result : ndarray, or tuple of two
        The maps, or maps and errors (n_samples,).
    """
    if not return_convergence_delta:
        return maps
    return maps, torch.cat(method.deltas).double().cpu().numpy()


integrated_gradients: Callable[..., FloatArray | tuple[FloatArray, FloatArray]]
integrated_gradients = as_function(IntegratedGradients, with_delta)
