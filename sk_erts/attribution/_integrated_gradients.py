"""The gradient, integrated from a baseline to the record."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baseline, check_at_least_one
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Goal, Method, import_captum

__all__ = ["IntegratedGradients", "integrated_gradients"]


class IntegratedGradients(Method):
    """Integrated gradients: all of the logit, shared out among the samples.

    Parameters
    ----------
    module : Module
        The network.
    baseline : float or array-like broadcastable to (n_leads, n_times), default=0
        Where the path to the record begins.
    n_steps : int, default=128
        Points on the path.
    """

    def __init__(
        self, module: nn.Module, baseline: Any = 0.0, n_steps: int = 128
    ) -> None:
        super().__init__(module)
        check_at_least_one("n_steps", n_steps, "integrated_gradients")
        self.baseline = baseline
        self.n_steps = int(n_steps)
        self.deltas: list[torch.Tensor] = []
        self._batch_size = 1

    def n_at_once(self, batch_size: int) -> int:
        """Return how many records leave room for several points of each path."""
        self._batch_size = batch_size
        return max(1, batch_size // 8)

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("integrated_gradients")
        maps, delta = attr.IntegratedGradients(Goal(self.module)).attribute(
            batch.x.clone().requires_grad_(),
            as_baseline(self.baseline, batch.x, "integrated_gradients"),
            additional_forward_args=self._weights(batch, direction),
            n_steps=self.n_steps,
            internal_batch_size=max(self._batch_size, len(batch.x)),
            return_convergence_delta=True,
        )
        self.deltas.append(delta.detach())
        result: torch.Tensor = maps
        return result


def integrated_gradients(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    baseline: Any = 0.0,
    n_steps: int = 128,
    return_convergence_delta: bool = False,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    r"""Return how the difference to a baseline is shared out among the samples.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    baseline : float or array-like broadcastable to (n_leads, n_times), default=0
        Record that stands for no evidence; 0 is the isoelectric line of a record
        without offset.
    n_steps : int, default=128
        Points on the path from the baseline to the record. More make the sum of a map
        come closer to what it explains.
    return_convergence_delta : bool, default=False
        Whether to return also how far it is from that.
    signed : bool, default=False
        Keep evidence against the class, as negative values.
    batch_size : int, default=256
        Records that go through the network at once; it bounds the memory and does not
        change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_leads, n_times), dtype float32
        In units of the logit; at least 0 unless `signed`. A signed map sums to the
        difference between the logits of record and baseline.
    delta : ndarray of shape (n_samples,), dtype float64
        The sum of the signed map less that difference, in units of the logit; if
        `return_convergence_delta`.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    :math:`A_{lt} = (x_{lt} - b_{lt}) \int_0^1 \partial y_c(b + \alpha (x - b)) /
    \partial x_{lt} \, d\alpha`, by Gauss-Legendre quadrature. Computed by captum.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks",
       ICML 2017, arXiv:1703.01365.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import integrated_gradients
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> integrated_gradients(network, X).shape
    (5, 2, 160)
    """
    method = IntegratedGradients(module, baseline, n_steps)
    maps = explain_array(
        method,
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
    if not return_convergence_delta:
        return maps
    return maps, torch.cat(method.deltas).double().cpu().numpy()
