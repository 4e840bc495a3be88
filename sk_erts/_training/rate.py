"""The learning rate, by gradients spent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from skorch.callbacks import Callback

from sk_erts._training.selector import Selector

__all__ = ["LR_SCHEDULES", "RateCallback"]

# One-cycle: the share of the gradients for which the rate rises, and where it begins.
RISING = 0.3
FIRST = 1 / 25


def constant(progress: float) -> float:
    """Return 1."""
    return 1.0


def cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float) -> float:
    """Rise from 1/25 to 1, and fall to 0, each along half a cosine."""
    if progress < RISING:
        return FIRST + (1 - FIRST) * (1 - cosine(progress / RISING))
    return cosine((progress - RISING) / (1 - RISING))


#: Factor of the learning rate, by the share of the gradients that have been spent.
LR_SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "cosine": cosine,
    "one-cycle": one_cycle,
}


class RateCallback(Callback):
    """Set the learning rate before each step.

    Parameters
    ----------
    schedule : str
        A key of `LR_SCHEDULES`.
    selector : Selector
        Knows how many gradients have been spent, and how many are to come.
    n_held : int
        Steps for which a cosine waits: a network that has made few steps has to learn
        first.

    Attributes
    ----------
    base_ : list of float
        The learning rates of the optimiser's groups, before any step.
    n_steps_ : int
        Steps taken so far.
    held_until_ : float
        Share of the gradients spent while it waited.
    """

    def __init__(self, schedule: str, selector: Selector, n_held: int) -> None:
        self.schedule = schedule
        self.selector = selector
        self.n_held = n_held if schedule == "cosine" else 0

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Note where the rates begin."""
        self.base_ = [group["lr"] for group in net.optimizer_.param_groups]
        self.n_steps_ = 0
        self.held_until_ = 0.0

    def on_batch_begin(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Set the rates of the step that is about to be taken."""
        if not training:
            return
        progress = self.selector.progress
        if self.n_steps_ < self.n_held:
            self.held_until_ = progress
        rest = max(1 - self.held_until_, 1e-9)
        factor = LR_SCHEDULES[self.schedule]((progress - self.held_until_) / rest)
        for group, base in zip(net.optimizer_.param_groups, self.base_, strict=True):
            group["lr"] = base * factor
        self.n_steps_ += 1
