"""Validation during training: a score, the best network so far."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from sklearn.metrics import f1_score
from skorch.callbacks import Callback

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
    best_rank_ : tuple of float
        Its score and, the less the better, its loss.
    n_epochs_ : int
        Epochs scored so far.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.best_epoch_ = 0
        self.best_state_: dict[str, Any] = {}
        self.best_rank_ = (-np.inf, -np.inf)
        self.n_epochs_ = 0
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
        truth = self.task.labels(codes.numpy())
        said = self.task.decode(self.task.probability(logits).numpy())
        score = f1_score(truth, said, average="macro", zero_division=0.0)
        net.history.record("valid_f1", float(score))
        self.n_epochs_ += 1
        rank = (float(score), -loss)
        if rank > self.best_rank_:
            self.best_rank_ = rank
            self.best_epoch_ = self.n_epochs_
            self.best_state_ = copy.deepcopy(net.module_.state_dict())
