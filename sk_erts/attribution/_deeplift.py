"""Differences to a baseline, passed back through the network by rules."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baseline
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction
from sk_erts.exceptions import IncompleteAttributionWarning

__all__ = ["DeepLift", "deeplift"]

# More than this share of a map's mass must not be missing from its sum.
INCOMPLETE = 0.01


class DeepLift(CaptumMethod):
    r"""Return differences to a baseline, passed back from layer to layer.

    Returns
    -------
    maps
        In units of the logit; at least 0 unless `signed`. A signed map sums to the
        difference between the logits of record and baseline, or an
        `IncompleteAttributionWarning` says that it does not.

    Notes
    -----
    The multiplier of an activation is :math:`\Delta y / \Delta x`, its change over that
    of its input (the rescale rule). Computed by captum, which has rules for modules of
    activations and max pooling, not for functions nor for recurrent layers.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Kundaje, "Learning important features through
       propagating activation differences", ICML 2017, arXiv:1704.02685.
    """

    name = "deeplift"

    def __init__(self, module: nn.Module, baseline: Any = 0.0) -> None:
        super().__init__(module)
        self.baseline = baseline

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        algorithm = self._captum("DeepLift")
        with warnings.catch_warnings():
            # That it sets hooks, which it removes again.
            warnings.filterwarnings("ignore", "Setting forward, backward hooks")
            maps, delta = algorithm.attribute(
                batch.x.clone().requires_grad_(),
                as_baseline(self.baseline, batch.x, self.name),
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


deeplift = as_function(DeepLift)
