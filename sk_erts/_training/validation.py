"""Validation during training: a score, the best network so far."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from sklearn.metrics import f1_score
from skorch.callbacks import Callback

from sk_erts._lib.typing import Array
from sk_erts._records.task import Task

__all__ = ["ValidationCallback"]


class ValidationCallback(Callback):
    """Write macro-F1 to the history as ``valid_f1`` and remember the best network.

    Parameters
    ----------
    task : Task
        Turns logits into labels.

    Attributes
    ----------
    best_epoch_ : int
        Epoch of the best score, counted from 1; 0 before the first.
    best_state_ : dict
        The network's state then.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.best_epoch_ = 0
        self.best_state_: dict[str, Any] = {}
        self._best = (-np.inf, -np.inf)
        self._epochs = 0
        self._loss = 0.0
        self._seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def on_batch_end(
        self,
        net: Any,
        batch: Any = None,
        training: bool = False,
        y_pred: Any = None,
        loss: Any = None,
        **kwargs: Any,
    ) -> None:
        """Collect what the network says of the validation records."""
        if not training:
            self._seen.append((batch[1], y_pred.detach().cpu()))
            self._loss += float(loss) * len(y_pred)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Score the epoch; among equal scores the lower loss is better."""
        codes = torch.cat([true for true, _ in self._seen])
        logits = torch.cat([said for _, said in self._seen])
        loss, self._loss, self._seen = self._loss, 0.0, []
        truth = self.task.decode(_as_proba(codes, self.task.n_classes))
        said = self.task.decode(self.task.probability(logits).numpy())
        score = f1_score(truth, said, average="macro", zero_division=0.0)
        net.history.record("valid_f1", float(score))
        self._epochs += 1
        rank = (float(score), -loss)
        if rank > self._best:
            self._best = rank
            self.best_epoch_ = self._epochs
            self.best_state_ = copy.deepcopy(net.module_.state_dict())


def _as_proba(codes: torch.Tensor, n_classes: int) -> Array:
    """Return encoded labels as certain probabilities (n, n_classes)."""
    if codes.ndim == 1:
        one_hot: Array = np.eye(n_classes)[codes.numpy()]
        return one_hot
    proba: Array = codes.numpy()
    return proba
