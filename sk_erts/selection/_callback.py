"""Glue between skorch's loop and the selection: score, decide, sample, write down."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback

from sk_erts._typing import IntArray
from sk_erts.selection._ledger import Ledger, Status
from sk_erts.selection._normalisation import renew_statistics
from sk_erts.selection._policy import Policy, Scores
from sk_erts.selection._sampler import SelectionSampler
from sk_erts.selection._schedule import Schedule
from sk_erts.selection._scorer import Scorer

__all__ = ["SelectionCallback"]

# Large enough for means and variances, whatever the batches of the training.
STATISTICS_BATCH_SIZE = 64


class SelectionCallback(Callback):
    """Renew the selection whenever the sampler asks for it.

    Parameters
    ----------
    schedule : Schedule
        Says which policy rules in which epoch.
    policy : Policy
        The whole policy.
    ledger : Ledger
        Keeps the scores and the story.
    scorer : Scorer
        Measures what the ledger does not know.
    sampler : SelectionSampler
        Asks for choices and yields batches of them.
    rng : Generator
        For policies that draw at random.
    reuse_scores : bool
        Judge a record that was trained in the epoch before by the scores of that
        step, instead of by a new look.
    norm_records : int
        Records from which normalisation statistics are estimated anew after an epoch
        of selection.
    first_epoch : int
        Epochs that the network has been trained for before, from the schedule's view.
    """

    def __init__(
        self,
        schedule: Schedule,
        policy: Policy,
        ledger: Ledger,
        scorer: Scorer,
        sampler: SelectionSampler,
        rng: np.random.Generator,
        reuse_scores: bool,
        norm_records: int,
        first_epoch: int,
    ) -> None:
        self.schedule = schedule
        self.policy = policy
        self.ledger = ledger
        self.scorer = scorer
        self.sampler = sampler
        self.rng = rng
        self.reuse_scores = reuse_scores
        self.norm_records = norm_records
        self.first_epoch = first_epoch
        self.epoch = first_epoch - 1
        self.n_trained: list[int] = []
        self._strata = scorer.task.strata(scorer.training_set.codes)
        self._n_renewing = 0
        self._statistics_are_stale = False
        self._batch: Any = None
        self._hook: Any = None

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Listen to the feature maps, if the closed form can use them."""
        if self.scorer.cam.linear is not None and "focus" in self.policy.reads:
            self._hook = net.module_.head.register_forward_pre_hook(self._focus_of_step)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave no hook and no statistics of selected records behind."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        self._renew_statistics()

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open a page in the ledger and give the sampler its chooser."""
        self.epoch += 1
        self.n_trained.append(0)
        self.ledger.open_epoch()
        self.sampler.choose = self.choose

    def choose(self, index: IntArray) -> IntArray:
        """Return which of some records are trained now.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.

        Returns
        -------
        kept : int ndarray of shape (n_kept,)
            Some of them, in their order.
        """
        policy = self.schedule.policy(self.epoch, self.policy)
        due = index[self.ledger.due(index, self.epoch, policy.reads)]
        if len(due) and policy.reads:
            for name, values in self.scorer.score(due, policy.reads).items():
                self.ledger.record(name, due, values, until=self.epoch)
        scores = Scores(
            y=self._strata[index],
            epoch=self.schedule.selection_epoch(self.epoch),
            **{name: self.ledger.scores(name, index) for name in policy.reads},
        )
        status = policy.select(scores, self.rng)
        self.ledger.judge(index, status, policy.reads)
        self._statistics_are_stale |= bool((status != Status.TRAINED).any())
        kept: IntArray = index[status == Status.TRAINED]
        return kept

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Remember which records the network is about to see."""
        self._batch = batch if training else None
        if not training:
            self._renew_statistics()

    def on_batch_end(
        self,
        net: Any,
        batch: Any = None,
        training: bool = False,
        y_pred: Any = None,
        **kwargs: Any,
    ) -> None:
        """Keep the confidences of a training step."""
        self._batch = None
        if not training:
            return
        inputs, codes = batch
        index = inputs["index"].numpy()
        self.n_trained[-1] += len(index)
        confidence = self.scorer.task.confidence(
            y_pred.detach().float(), codes.to(y_pred.device)
        )
        self._keep_step_score("confidence", index, confidence.cpu().numpy())

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Write the epoch's counts to skorch's history."""
        self._renew_statistics()
        counts = self.ledger.counts()
        n_records = self.ledger.n_records
        candidates = counts[Status.TRAINED] + counts[Status.UNRELIABLE]
        net.history.record("candidates", candidates / n_records)
        net.history.record("kept", counts[Status.TRAINED] / n_records)
        net.history.record("EE", self.effective_epochs)
        net.history.record("scoring_passes", self.scoring_passes)

    @property
    def effective_epochs(self) -> float:
        """Records whose gradient was taken, in sizes of the training set."""
        return sum(self.n_trained) / self.ledger.n_records

    @property
    def scoring_passes(self) -> float:
        """Records that were only looked at, in sizes of the training set."""
        return (self.scorer.n_scored + self._n_renewing) / self.ledger.n_records

    def _renew_statistics(self) -> None:
        """Undo, before other records are looked at, what selected steps did to them."""
        n_renewing = min(self.norm_records, self.ledger.n_records)
        if not self._statistics_are_stale or n_renewing < 2:
            return
        index = self.rng.permutation(self.ledger.n_records)[:n_renewing]
        n_batches = max(1, n_renewing // STATISTICS_BATCH_SIZE)
        renewed = renew_statistics(
            self.scorer.module,
            self.scorer.training_set,
            np.array_split(index, n_batches),
        )
        self._n_renewing += n_renewing * renewed
        self._statistics_are_stale = False

    def _focus_of_step(self, head: Any, inputs: tuple[torch.Tensor]) -> None:
        """Score the maps of a training step on their way to the head."""
        if self._batch is None or not self.reuse_scores:
            return
        if "focus" not in self.schedule.policy(self.epoch + 1, self.policy).reads:
            return
        with torch.no_grad():
            z = inputs[0].detach()  # (n, channels, times)
            codes = self._batch[1].to(z.device)
            maps = self.scorer.cam.maps_from_features(
                z, self.scorer.task.direction(codes)
            )
        index = self._batch[0]["index"].numpy()
        self._keep_step_score("focus", index, self.scorer.focus(maps))

    def _keep_step_score(self, name: str, index: IntArray, values: Any) -> None:
        until = self.epoch + 1 if self.reuse_scores else self.epoch
        self.ledger.record(name, index, values, until=until)
