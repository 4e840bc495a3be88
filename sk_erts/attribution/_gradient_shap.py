"""The gradient at random points between baselines and the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baselines, check_at_least_one
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction

__all__ = ["GradientShap", "gradient_shap"]


class GradientShap(CaptumMethod):
    r"""Return integrated gradients averaged over baselines drawn by chance.

    Parameters
    ----------
    baselines : array-like of shape (n_baselines, n_leads, n_times), optional
        Records to compare with, say of healthy people; the zero record by default.
    n_draws : int, default=32
        Points between a baseline and the record that are averaged.
    noise : float, default=0
        Standard deviation of white noise that is added to the record at each point, in
        its unit.
    random_state : int, default=0
        Determines the draws, which are the same for every record.

    Notes
    -----
    :math:`A_{lt} = \mathrm E_{b, \alpha} [(x_{lt} - b_{lt}) \,
    \partial y_c(b + \alpha (x - b)) / \partial x_{lt}]`. Computed by captum.

    References
    ----------
    .. [1] S. M. Lundberg, S.-I. Lee, "A unified approach to interpreting model
       predictions", NeurIPS 2017, arXiv:1705.07874.
    """

    name = "gradient_shap"

    def __init__(
        self,
        module: nn.Module,
        baselines: Any = None,
        n_draws: int = 32,
        noise: float = 0.0,
        random_state: int = 0,
    ) -> None:
        super().__init__(module)
        check_at_least_one("n_draws", n_draws, self.name)
        self.baselines = baselines
        self.n_draws = int(n_draws)
        self.noise = float(noise)
        self.random_state = random_state

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        shap = self._captum("GradientShap")
        weights = self._weights(batch, direction)
        maps = [
            self._alone(shap, batch.x[i : i + 1], weights[i : i + 1])
            for i in range(len(batch.x))
        ]
        return torch.cat(maps)

    def _alone(self, shap: Any, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return the map of one record."""
        baselines = as_baselines(self.baselines, x, self.name)
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


gradient_shap = as_function(GradientShap)
