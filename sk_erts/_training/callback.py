"""Glue between skorch's loop and the selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from skorch.callbacks import Callback

from sk_erts._training.net import n_in_all
from sk_erts._training.selector import Selector

__all__ = ["AfterEpoch", "SelectionCallback", "StopWhenOver"]


class SelectionCallback(Callback):
    """Tell a selector what happens in skorch's loop, and the history what it found.

    Parameters
    ----------
    selector : Selector
        Chooses, counts and writes down.
    """

    def __init__(self, selector: Selector) -> None:
        self.selector = selector

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Listen to the steps."""
        self.selector.steps.listen(net.network)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave no hook behind."""
        self.selector.steps.stop()

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open a page."""
        self.selector.open_epoch()

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Say which records the network is about to see, and weigh them."""
        if not training:
            self.selector.steps.begin(None)
            self.selector.renew()
            return
        inputs = batch[0]
        index = inputs["index"].numpy()
        self.selector.steps.begin(index, n_in_all(*batch))
        weights = torch.from_numpy(self.selector.loss_weights(index))
        shape = (-1, *[1] * (inputs["weight"].ndim - 1))  # a label may have its own
        inputs["weight"] *= weights.reshape(shape)
        softening = self.selector.softening(index)
        if softening is not None:
            inputs["doubt"], inputs["proba"] = map(torch.from_numpy, softening)

    def on_batch_end(
        self, net: Any, y_pred: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Say that a step is over."""
        if training:
            self.selector.count_step(y_pred)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Write the epoch's figures to skorch's history."""
        for name, figure in self.selector.close_epoch().items():
            net.history.record(name, figure)


class StopWhenOver(Callback):
    """Stop when there is nothing left to learn, as skorch's ``EarlyStopping`` does.

    Parameters
    ----------
    selector : Selector
        Knows the schedule, which may be cut short, and what has been spent.
    also_when_learned : bool
        Whether hardly a candidate left is an end too.
    """

    def __init__(self, selector: Selector, *, also_when_learned: bool) -> None:
        self.selector = selector
        self.also_when_learned = also_when_learned

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Cut the schedule short, or raise what ends the loop between two epochs."""
        if self.also_when_learned:
            self.selector.end_when_learned()
        if self.selector.is_over:
            raise KeyboardInterrupt


class AfterEpoch(Callback):
    """Do something after each epoch with another to follow.

    Parameters
    ----------
    do : callable
        Called without arguments, when all others have been.
    """

    def __init__(self, do: Callable[[], None]) -> None:
        self.do = do

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Do it."""
        self.do()
