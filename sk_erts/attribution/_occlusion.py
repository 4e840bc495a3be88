"""What is missed when a stretch of a lead is covered."""

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

__all__ = ["Occlusion", "occlusion"]


class Occlusion(Method):
    """Occlusion: how far the logit falls when a window of a lead is covered.

    Parameters
    ----------
    module : Module
        The network.
    window : int, optional
        Time steps that are covered together; a twentieth of the record by default.
    stride : int, optional
        Steps from one window to the next; by default windows do not overlap.
    by_lead : bool, default=True
        Whether to cover one lead at a time; else all at once.
    baseline : float or array-like broadcastable to (n_leads, n_times), default=0
        What covers them.
    """

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
                check_at_least_one(name, value, "occlusion")
        self.window = window
        self.stride = stride
        self.by_lead = by_lead
        self.baseline = baseline
        self._batch_size = 1

    def n_at_once(self, batch_size: int) -> int:
        """Return how many records leave room for several windows of each."""
        self._batch_size = batch_size
        return max(1, batch_size // 8)

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("occlusion")
        _, n_leads, n_times = batch.x.shape
        window = min(self.window or max(1, n_times // 20), n_times)
        stride = min(self.stride or window, window)
        n_covered = 1 if self.by_lead else n_leads
        maps: torch.Tensor = attr.Occlusion(Goal(self.module)).attribute(
            batch.x,
            sliding_window_shapes=(n_covered, window),
            strides=(n_covered, stride),
            baselines=as_baseline(self.baseline, batch.x, "occlusion"),
            additional_forward_args=self._weights(batch, direction),
            perturbations_per_eval=max(1, self._batch_size // len(batch.x)),
        )
        return maps.float()


def occlusion(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    by_lead: bool = True,
    baseline: Any = 0.0,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return how far the logit falls when a window of a lead is covered.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    window : int, optional
        Time steps that are covered together; a twentieth of the record by default.
    stride : int, optional
        Steps from one window to the next; by default windows do not overlap. Where
        they do, a sample gets the mean of its windows.
    by_lead : bool, default=True
        Whether to cover one lead at a time. Else all leads are covered at once, and
        have the same map: so many times cheaper.
    baseline : float or array-like broadcastable to (n_leads, n_times), default=0
        What covers them.
    signed : bool, default=False
        Keep negative values, where covering raises the logit.
    batch_size : int, default=256
        Records that go through the network at once; it bounds the memory and does not
        change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_leads, n_times), dtype float32
        In units of the logit; at least 0 unless `signed`. Constant within a window.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    :math:`A_w = y_c(x) - y_c(x \text{ without } w)`: it asks the network and needs no
    gradient, at the price of a forward pass for each window of each lead. Computed by
    captum.

    References
    ----------
    .. [1] M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional
       networks", ECCV 2014, arXiv:1311.2901.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import occlusion
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> occlusion(network, X).shape
    (5, 2, 160)
    """
    return explain_array(
        Occlusion(module, window, stride, by_lead, baseline),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
