"""Differences to a baseline, passed back through the network by rules."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baseline
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Goal, Method, import_captum
from sk_erts.exceptions import IncompleteAttributionWarning

__all__ = ["DeepLift", "deeplift"]

# More than this share of a map's mass must not be missing from its sum.
INCOMPLETE = 0.01


class DeepLift(Method):
    """DeepLIFT: the difference to a baseline, layer by layer.

    Parameters
    ----------
    module : Module
        The network; its activations must be modules that are called once.
    baseline : float or array-like broadcastable to (n_leads, n_times), default=0
        What the record is compared with.
    """

    def __init__(self, module: nn.Module, baseline: Any = 0.0) -> None:
        super().__init__(module)
        self.baseline = baseline

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("deeplift")
        with warnings.catch_warnings():
            # That it sets hooks, which it removes again.
            warnings.filterwarnings("ignore", "Setting forward, backward hooks")
            maps, delta = attr.DeepLift(Goal(self.module)).attribute(
                batch.x.clone().requires_grad_(),
                as_baseline(self.baseline, batch.x, "deeplift"),
                additional_forward_args=self._weights(batch, direction),
                return_convergence_delta=True,
            )
        self._tell_incomplete(maps.detach(), delta.detach())
        result: torch.Tensor = maps
        return result

    def _tell_incomplete(self, maps: torch.Tensor, delta: torch.Tensor) -> None:
        """Warn if maps do not sum to the difference that they should explain."""
        mass = maps.abs().sum(dim=(1, 2))
        n_off = int((delta.abs() > INCOMPLETE * mass).sum())
        if n_off:
            warnings.warn(
                f"DeepLIFT does not explain the whole logit of {n_off} of {len(maps)} "
                f"records: {type(self.module).__name__} holds layers that it has no "
                "rule for, such as recurrent ones, or activations that are functions "
                "or called twice. Use integrated_gradients instead.",
                IncompleteAttributionWarning,
                stacklevel=2,
            )


def deeplift(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    baseline: Any = 0.0,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return differences to a baseline, passed back from layer to layer.

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
        Record that stands for no evidence.
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
        difference between the logits of record and baseline, or an
        `IncompleteAttributionWarning` says that it does not.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    The multiplier of an activation is :math:`\Delta y / \Delta x`, its change over that
    of its input (the rescale rule). Computed by captum, which has rules for modules of
    activations and max pooling, not for functions nor for recurrent layers.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Kundaje, "Learning important features through
       propagating activation differences", ICML 2017, arXiv:1704.02685.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import deeplift
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> deeplift(network, X).shape
    (5, 2, 160)
    """
    return explain_array(
        DeepLift(module, baseline),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
