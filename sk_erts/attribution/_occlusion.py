"""What is missed when a stretch of a lead is covered."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baseline, check_at_least_one
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction

__all__ = ["Occlusion", "occlusion"]


class Occlusion(CaptumMethod):
    r"""Return how far the logit falls when a window of a lead is covered.

    Parameters
    ----------
    window : int, optional
        Time steps that are covered together; a twentieth of the record by default.
    stride : int, optional
        Steps from one window to the next; by default windows do not overlap. Where
        they do, a sample gets the mean of its windows.
    by_lead : bool, default=True
        Whether to cover one lead at a time. Else all leads are covered at once, and
        have the same map: so many times cheaper.
    baseline
        What covers them.
    signed
        Keep negative values, where covering raises the logit.

    Returns
    -------
    maps
        In units of the logit; at least 0 unless `signed`. Constant within a window.

    Notes
    -----
    :math:`A_w = y_c(x) - y_c(x \text{ without } w)`: it asks the network and needs no
    gradient, at the price of a forward pass for each window of each lead. Computed by
    captum.

    References
    ----------
    .. [1] M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional
       networks", ECCV 2014, arXiv:1311.2901.
    """

    name = "occlusion"

    def __init__(
        self,
        module: nn.Module,
        window: int | None = None,
        stride: int | None = None,
        by_lead: bool = True,
        baseline: Any = 0.0,
    ) -> None:
        super().__init__(module)
        for name, value in (("window", window), ("stride", stride)):
            if value is not None:
                check_at_least_one(name, value, self.name)
        self.window = window
        self.stride = stride
        self.by_lead = by_lead
        self.baseline = baseline
        self._batch_size = 1

    def n_at_once(self, batch_size: int) -> int:
        """Return how many records leave room for several windows of each."""
        self._batch_size = batch_size
        return max(1, batch_size // 8)

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        _, n_leads, n_times = batch.x.shape
        window = min(self.window or max(1, n_times // 20), n_times)
        stride = min(self.stride or window, window)
        n_covered = 1 if self.by_lead else n_leads
        maps: torch.Tensor = self._captum("Occlusion").attribute(
            batch.x,
            sliding_window_shapes=(n_covered, window),
            strides=(n_covered, stride),
            baselines=as_baseline(self.baseline, batch.x, self.name),
            additional_forward_args=self._weights(batch, direction),
            perturbations_per_eval=max(1, self._batch_size // len(batch.x)),
        )
        return maps.float()


occlusion = as_function(Occlusion)
