"""The gradient at random points between baselines and the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baselines, check_at_least_one
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Goal, Method, import_captum

__all__ = ["GradientShap", "gradient_shap"]


class GradientShap(Method):
    """Gradient SHAP: integrated gradients, averaged over baselines by chance.

    Every record gets the same draws, whatever else is in its batch.

    Parameters
    ----------
    module : Module
        The network.
    baselines : array-like of shape (n_baselines, n_leads, n_times), optional
        Records to compare with; zero by default.
    n_draws : int, default=32
        Points that are averaged.
    noise : float, default=0
        Standard deviation of white noise that is added to the record at each point.
    random_state : int, default=0
        Determines the draws.
    """

    def __init__(
        self,
        module: nn.Module,
        baselines: Any = None,
        n_draws: int = 32,
        noise: float = 0.0,
        random_state: int = 0,
    ) -> None:
        super().__init__(module)
        check_at_least_one("n_draws", n_draws, "gradient_shap")
        self.baselines = baselines
        self.n_draws = int(n_draws)
        self.noise = float(noise)
        self.random_state = random_state

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("gradient_shap")
        shap = attr.GradientShap(Goal(self.module))
        weights = self._weights(batch, direction)
        maps = [
            self._alone(shap, batch.x[i : i + 1], weights[i : i + 1])
            for i in range(len(batch.x))
        ]
        return torch.cat(maps)

    def _alone(self, shap: Any, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return the map of one record."""
        baselines = as_baselines(self.baselines, x)
        with drawn_from(self.random_state):
            maps: torch.Tensor = shap.attribute(
                x.clone().requires_grad_(),
                baselines=baselines,
                n_samples=self.n_draws,
                stdevs=self.noise,
                additional_forward_args=weights,
            )
        return maps.detach()


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Seed the global generators that captum draws from, and give them back.

    Parameters
    ----------
    seed : int
        Where to begin. torch's generators are restored by `Method`.

    Yields
    ------
    None
    """
    state = np.random.get_state()  # noqa: NPY002 - captum's generator, not ours
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def gradient_shap(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    baselines: Any = None,
    n_draws: int = 32,
    noise: float = 0.0,
    random_state: int = 0,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return integrated gradients averaged over baselines drawn by chance.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    baselines : array-like of shape (n_baselines, n_leads, n_times), optional
        Records to compare with, say of healthy people; the zero record by default.
    n_draws : int, default=32
        Points between a baseline and the record that are averaged.
    noise : float, default=0
        Standard deviation of white noise that is added to the record at each point, in
        its unit.
    random_state : int, default=0
        Determines the draws, which are the same for every record.
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
        In units of the logit; at least 0 unless `signed`.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    :math:`A_{lt} = \mathrm E_{b, \alpha} [(x_{lt} - b_{lt}) \,
    \partial y_c(b + \alpha (x - b)) / \partial x_{lt}]`. Computed by captum.

    References
    ----------
    .. [1] S. M. Lundberg, S.-I. Lee, "A unified approach to interpreting model
       predictions", NeurIPS 2017, arXiv:1705.07874.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import gradient_shap
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> gradient_shap(network, X, n_draws=4).shape
    (5, 2, 160)
    """
    return explain_array(
        GradientShap(module, baselines, n_draws, noise, random_state),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
