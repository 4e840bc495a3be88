"""Differences to a baseline, passed back through the network by rules."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._baseline import as_baseline
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._completeness import tolerated
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction
from sk_erts.exceptions import IncompleteAttributionWarning

__all__ = ["DeepLift", "deeplift"]

# What may be called any number of times: it passes on what it gets.
LINEAR = (nn.Identity, nn.Flatten, nn.modules.dropout._DropoutNd)


class DeepLift(CaptumMethod):
    r"""Return differences to a baseline, passed back from layer to layer.

    Returns
    -------
    maps
        In units of the logit; at least 0 unless `signed`. A signed map sums to the
        difference between the logits of record and baseline, or an
        `IncompleteAttributionWarning` says that it does not.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, a target is no class of the network, or the
        network calls one activation or pooling module more than once.

    Warns
    -----
    IncompleteAttributionWarning
        If the sum of a map is off by more than 1 % of what it explains.

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
            try:
                maps, delta = algorithm.attribute(
                    batch.x.clone().requires_grad_(),
                    as_baseline(self.baseline, batch.x, self.name),
                    additional_forward_args=self._weights(batch, direction),
                    return_convergence_delta=True,
                )
            except RuntimeError as error:
                self._check_called_once(batch, error)
                raise
        self._tell_incomplete(maps.detach(), delta.detach())
        result: torch.Tensor = maps
        return result

    def _check_called_once(self, batch: Signals, error: RuntimeError) -> None:
        """Raise if a module is called more than once, which captum has no place for."""
        calls: Counter[str] = Counter()

        def count(name: str) -> Any:
            return lambda *_: calls.update([name])

        hooks = [
            part.register_forward_hook(count(name))
            for name, part in self.module.named_modules()
            if next(part.parameters(), None) is None and not isinstance(part, LINEAR)
        ]
        try:
            with torch.no_grad():
                self.network.logits(Signals(batch.x[:1]))
        finally:
            for hook in hooks:
                hook.remove()
        reused = [name for name, n_calls in calls.items() if n_calls > 1]
        if reused:
            raise ValueError(
                "deeplift needs a module of its own for each activation and pooling. "
                f"Got {', '.join(map(repr, reused))} of {type(self.module).__name__}, "
                "called more than once in a forward pass, instead: give each place a "
                "module of its own, or use integrated_gradients."
            ) from error

    def _tell_incomplete(self, maps: torch.Tensor, delta: torch.Tensor) -> None:
        """Warn if maps do not sum to the difference that they should explain."""
        allowed = tolerated(maps.sum(dim=(1, 2)) - delta, maps.abs().sum(dim=(1, 2)))
        n_off = int((delta.abs() > allowed).sum())
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
