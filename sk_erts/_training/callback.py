"""Glue between skorch's loop and the selection: score, decide, sample, write down."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts._training.judges import Judge
from sk_erts._training.scorer import Scorer
from sk_erts.selection._ledger import Ledger, Status, takes_gradient
from sk_erts.selection._policy import Measure, Policy, Scores
from sk_erts.selection._sampler import SelectionSampler
from sk_erts.selection._schedule import Schedule

__all__ = ["SelectionCallback", "StopWhenOver"]

# More than this share of the easy records of a probe, hard again, is drift.
MAX_FORGOTTEN = 1 / 3

# With no more than this share of candidates there is nothing left to learn from.
MAX_CANDIDATES_WHEN_LEARNED = 0.01


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
    hears_steps : bool
        Whether steps tell of the records as they are; not if these are changed on
        their way.
    probe_records : int
        Records, drawn at random, that are looked at after steps on selected ones.
    stop_when_learned : bool
        Begin the revision when hardly a candidate is left.
    first_epoch : int
        Epochs that the network has been trained for before, from the schedule's view.
    judge : Judge, optional
        Gives the focus, where it is not that of a map.
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
        hears_steps: bool,
        probe_records: int,
        stop_when_learned: bool,
        first_epoch: int,
        judge: Judge | None = None,
    ) -> None:
        self.schedule = schedule
        self.policy = policy
        self.ledger = ledger
        self.scorer = scorer
        self.sampler = sampler
        self.rng = rng
        self.reuse_scores = reuse_scores
        self.hears_steps = hears_steps
        self.probe_records = probe_records
        self.stop_when_learned = stop_when_learned
        self.judge = judge
        self.epoch = first_epoch - 1
        self.n_trained: list[int] = []
        self._strata = scorer.task.strata(scorer.training_set.codes)
        self._is_stale = False
        self._step_scores: list[tuple[str, IntArray, tuple[Any, ...]]] = []
        self._batch: Any = None
        self._hook: Any = None

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Listen to the feature maps, if the closed form can use them."""
        in_closed_form = self.scorer.cam.linear is not None
        wanted = self.judge is None and "focus" in self.policy.reads
        if self.hears_steps and in_closed_form and wanted:
            self._hook = net.module_.head.register_forward_pre_hook(self._focus_of_step)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave no hook and no statistics of selected records behind."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        self._probe()

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open a page in the ledger and give the sampler its chooser."""
        self.epoch += 1
        self.n_trained.append(0)
        self.ledger.open_epoch(self.epoch)
        self.sampler.choose = self.choose
        self.sampler.fill_up = self.fill_up

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
        self._keep_step_scores()
        scores = Scores(
            self._strata[index],
            self.schedule.selection_epoch(self.epoch),
            **{name: self._measure(name, index, policy) for name in policy.reads},
        )
        status = policy.select(scores, self.rng)
        self.ledger.judge(index, status, policy.reads)
        self._is_stale |= bool((status != Status.TRAINED).any())
        kept: IntArray = index[takes_gradient(status)]
        return kept

    def fill_up(self, n_free: int) -> IntArray:
        """Return records to fill the last batch of the epoch with, if there are any.

        Its size would be a new one in each epoch, and a processor prepares its
        convolutions anew for every size.

        Parameters
        ----------
        n_free : int
            Places in the batch.

        Returns
        -------
        index : int ndarray of shape (n,)
            At most `n_free` positions in the training set, drawn at random.
        """
        policy = self.schedule.policy(self.epoch, self.policy)
        everyone = np.arange(self.ledger.n_records)
        spare = np.flatnonzero(policy.fills_up(self.ledger.status(everyone)))
        index: IntArray = self.rng.permutation(spare)[:n_free]
        self.ledger.judge(index, np.full(len(index), Status.REHEARSED))
        return index

    def _measure(self, name: str, index: IntArray, policy: Policy) -> Measure:
        """Return a function that looks scores up, and measures those that ran out."""

        def of_network(which: IntArray) -> FloatArray:
            records = index[which]
            due = records[self.ledger.due(name, records, self.epoch)]
            if len(due):
                # In closed form the one is free where the other is measured.
                wanted = {name}
                if self.judge is None and self.scorer.cam.linear:
                    wanted |= policy.reads
                found = self.scorer.score(due, frozenset(wanted))
                self._write_down(due, found, until=self.epoch)
            return self.ledger.scores(name, records)

        def of_judge(judge: Judge, which: IntArray) -> FloatArray:
            records = index[which]
            for needed in judge.reads:
                self._measure(needed, index, policy)(which)
            found = judge(records)
            self.ledger.record(name, records, found, until=self.epoch, is_look=False)
            return found

        if name == "focus" and self.judge is not None:
            return partial(of_judge, self.judge)
        return of_network

    def _write_down(
        self, index: IntArray, found: dict[str, FloatArray], until: int
    ) -> None:
        """Put into the ledger what a look said."""
        self.ledger.add_probabilities(index, found["proba"])
        for name in found.keys() - {"proba"}:
            self.ledger.record(name, index, found[name], until=until)

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Remember which records the network is about to see, and weigh them."""
        if not training:
            self._batch = None
            self._probe()
            return
        self._batch = batch
        inputs = batch[0]
        policy = self.schedule.policy(self.epoch, self.policy)
        weights = policy.loss_weights(self.ledger.status(inputs["index"].numpy()))
        shape = (-1, *[1] * (inputs["weight"].ndim - 1))  # a label may have its own
        inputs["weight"] *= torch.from_numpy(weights).reshape(shape)

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
        index = batch[0]["index"].numpy()
        self.n_trained[-1] += len(index)
        self._step_scores.append(("confidence", index, (y_pred.detach(), index)))

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Write the epoch's counts to skorch's history, and stop if it was the last."""
        self._keep_step_scores()
        self._probe()
        counts = self.ledger.counts()
        n_records = self.ledger.n_records
        candidates = counts[Status.TRAINED] + counts[Status.UNRELIABLE]
        net.history.record("candidates", candidates / n_records)
        net.history.record("kept", self.n_trained[-1] / n_records)
        net.history.record("EE", self.effective_epochs)
        net.history.record("scoring_passes", self.scoring_passes)
        if (
            self.stop_when_learned
            and self.schedule.in_selection(self.epoch)
            and candidates <= MAX_CANDIDATES_WHEN_LEARNED * n_records
        ):
            self.schedule = self.schedule.ending_after(self.epoch)

    @property
    def is_over(self) -> bool:
        """Whether the schedule has come to an end before the training has."""
        end = self.schedule.max_epochs
        return end is not None and self.epoch + 1 >= end

    @property
    def effective_epochs(self) -> float:
        """Records whose gradient was taken, in sizes of the training set."""
        return sum(self.n_trained) / self.ledger.n_records

    @property
    def scoring_passes(self) -> float:
        """Records that were only looked at, in sizes of the training set."""
        return self.scorer.n_scored / self.ledger.n_records

    def _probe(self) -> None:
        """See what selected steps did to the others, and undo it where one can."""
        n_probed = min(self.probe_records, self.ledger.n_records)
        if not self._is_stale or n_probed < 2:
            return
        index = self.rng.permutation(self.ledger.n_records)[:n_probed]
        known = index[~self.ledger.due("confidence", index, self.epoch)]
        was_easy = self._is_easy(known)
        found = self.scorer.probe(index)
        self._is_stale = False
        self._write_down(index, found, until=self.epoch + 1)
        forgotten = was_easy & ~self._is_easy(known)
        if forgotten.sum() > MAX_FORGOTTEN * was_easy.sum():
            self.ledger.shorten_gaps()

    def _is_easy(self, index: IntArray) -> BoolArray:
        """Return which records the data dropout calls easy, by their latest scores."""
        policy = self.schedule.policy(self.epoch, self.policy).without_focus()
        if policy.reads != {"confidence"}:
            return np.zeros(len(index), dtype=bool)
        scores = Scores(
            self._strata[index],
            self.schedule.selection_epoch(self.epoch),
            confidence=self.ledger.scores("confidence", index),
        )
        status = policy.select(scores, np.random.default_rng(0))
        easy: BoolArray = (status == Status.EASY) | (status == Status.REHEARSED)
        return easy

    def _focus_of_step(self, head: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        """Score the maps of a training step on their way to the head."""
        if self._batch is None or not self.reuse_scores:
            return
        if "focus" not in self.schedule.policy(self.epoch + 1, self.policy).reads:
            return
        with torch.no_grad():
            z = inputs[0].detach()  # (n, channels, times)
            steps = inputs[1] if len(inputs) > 1 else None
            codes = self._batch[1].to(z.device)
            maps = self.scorer.cam.maps_from_features(
                z, self.scorer.task.direction(codes), steps
            )
        index = self._batch[0]["index"].numpy()
        self._step_scores.append(("focus", index, (maps, steps)))

    def _keep_step_scores(self) -> None:
        """Write down what steps told; not after each, since that waits for the GPU."""
        until = self.epoch + 1 if self.reuse_scores else self.epoch
        # Confidences first: where they are not finite, maps need not be judged.
        for name, index, found in sorted(self._step_scores, key=itemgetter(0)):
            if name == "confidence":
                believed = self.scorer.believed(*found)
                if not self.hears_steps:  # of a changed record no score may be used
                    del believed["confidence"]
                self._write_down(index, believed, until)
            else:
                self.ledger.record(name, index, self.scorer.focus(*found), until=until)
        self._step_scores.clear()


class StopWhenOver(Callback):
    """Stop, as skorch's ``EarlyStopping`` does, where a schedule has been cut short.

    Parameters
    ----------
    selection : SelectionCallback
        Knows the schedule.
    """

    def __init__(self, selection: SelectionCallback) -> None:
        self.selection = selection

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Raise what ends the loop between two epochs."""
        if self.selection.is_over:
            raise KeyboardInterrupt
