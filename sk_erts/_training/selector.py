"""Which records are trained now: scores, a decision, and what is written of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts._network.normalisation import has_statistics
from sk_erts._training.scorer import Scorer
from sk_erts._training.steps import Steps
from sk_erts.selection import Ledger, Policy, Schedule, Scores, Status, takes_gradient
from sk_erts.selection._ledger import CANDIDATES, is_hard

__all__ = ["Selector"]

# More than this share of the easy records of a probe, hard again, is drift.
MAX_FORGOTTEN = 1 / 3

# Of an epoch of selection, before there was one: the share of the records trained.
EXPECTED_SHARE = 0.25

# With no more than this share of candidates there is nothing left to learn from.
MAX_CANDIDATES_WHEN_LEARNED = 0.01


class Selector:
    """Choose, epoch by epoch, and keep count.

    Parameters
    ----------
    policy : Policy
        The whole policy.
    schedule : Schedule
        Says what of it rules in which epoch.
    ledger : Ledger
        Keeps the scores and the story.
    scorer : Scorer
        Measures what the ledger does not know.
    rng : Generator
        For policies that draw at random, and for probes.
    hears_steps : bool
        Whether training steps tell of the records as they are.
    reuse_scores : bool
        Whether what they tell counts in the epoch after.
    probe_records : int
        Records, drawn at random, that are looked at after steps on selected ones.
    budget : float, optional
        Gradients after which nobody is chosen any more, in sizes of the training set.

    Attributes
    ----------
    epoch : int
        The epoch that is running, counted from 0 in the schedule.
    n_trained : list of int
        Records whose gradient was taken, by epoch.
    """

    def __init__(
        self,
        policy: Policy,
        schedule: Schedule,
        ledger: Ledger,
        scorer: Scorer,
        rng: np.random.Generator,
        *,
        hears_steps: bool,
        reuse_scores: bool,
        probe_records: int,
        budget: float | None = None,
    ) -> None:
        self.policy = policy
        self.schedule = schedule
        self.ledger = ledger
        self.scorer = scorer
        self.rng = rng
        self.reuse_scores = reuse_scores
        self.probe_records = probe_records
        self.budget = budget
        self.judge = scorer.judging.judge
        self.steps = Steps(
            scorer, ledger, hears=hears_steps, wants_maps=self._will_judge_maps
        )
        self.epoch = -1
        self.n_trained: list[int] = []
        self._strata = scorer.task.strata(scorer.training_set.codes)
        self._is_stale = False  # since the last probe: steps on selected records
        self._has_stepped = False  # ... steps on any
        self._progress = 0.0
        # Records that may still be chosen.
        self._n_left = None if budget is None else max(1, round(budget * self._n))
        self._share = 1.0 if policy.phase == "full data" else EXPECTED_SHARE

    @property
    def ruling(self) -> Policy:
        """What of the policy rules in the epoch that is running."""
        return self.schedule.policy(self.epoch, self.policy)

    @property
    def effective_epochs(self) -> float:
        """Records whose gradient was taken, in sizes of the training set."""
        return sum(self.n_trained) / self._n

    @property
    def scoring_passes(self) -> float:
        """Records that were only looked at, in sizes of the training set."""
        return self.scorer.n_scored / self._n

    @property
    def is_over(self) -> bool:
        """Whether the schedule or the budget has come to an end."""
        end = self.schedule.max_epochs
        return self._n_left == 0 or (end is not None and self.epoch + 1 >= end)

    @property
    def progress(self) -> float:
        """Share of the gradients that have been spent, of all there will be.

        Epochs of selection that are to come are taken to spend what the last one did.
        """
        spent = self.effective_epochs
        end = self.schedule.max_epochs
        if end is None:
            return 0.0
        to_come = range(self.epoch + 1, end)
        n_selecting = sum(map(self._selects_in, to_come))
        now = self._share if self._selects_in(self.epoch) else 1.0
        rest = max(0.0, now - self.n_trained[-1] / self._n)
        total = spent + rest + n_selecting * self._share + len(to_come) - n_selecting
        total = min(total, self.budget or total)
        if total > 0:  # nobody may have been chosen yet, and nobody be expected
            self._progress = max(self._progress, min(1.0, spent / total))
        return self._progress

    def open_epoch(self) -> None:
        """Open a page in the ledger."""
        if self.n_trained and self._selects_in(self.epoch):
            self._share = self.n_trained[-1] / self._n
        self.epoch += 1
        self.n_trained.append(0)
        judged = "focus" in self.ruling.reads
        self.ledger.open_epoch(
            self.epoch,
            self.schedule.phase(self.epoch, self.policy),
            self.judge.shown_as if judged else "",
        )

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
        self._write_down_steps()
        if self._n_left == 0:
            return index[:0]
        policy = self.ruling
        scores = Scores(
            self._strata[index],
            self.schedule.selection_epoch(self.epoch),
            **{
                name: partial(self._measured, name, index, policy.reads)
                for name in policy.reads
            },
        )
        status = policy.select(scores, self.rng)
        self._spend(status)
        self.ledger.judge(index, status, policy.reads)
        self._is_stale |= not is_hard(status).all()
        kept: IntArray = index[takes_gradient(status)]
        return kept

    def spare(self, n: int) -> IntArray:
        """Return easy records that may be trained too, if the policy rehearses.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        index : int ndarray of shape (n_found,)
            At most `n` positions in the training set, drawn at random.
        """
        status = self.ledger.status(np.arange(self.ledger.n_records))
        easy = np.flatnonzero((status == Status.EASY) & self.ruling.rehearses)
        index: IntArray = self.rng.permutation(easy)[:n]
        status = np.full(len(index), Status.REHEARSED)
        self._spend(status)
        index, status = index[takes_gradient(status)], status[takes_gradient(status)]
        self.ledger.judge(index, status)
        return index

    def loss_weights(self, index: IntArray) -> FloatArray:
        """Return what records weigh in the loss, for what they were called."""
        return self.ruling.loss_weights(self.ledger.status(index))

    def softening(self, index: IntArray) -> tuple[FloatArray, FloatArray] | None:
        """Return how labels are softened, if some of these records are doubted.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.

        Returns
        -------
        doubt : float32 ndarray of shape (n,)
            How far each label is moved, in [0, 1].
        proba : float32 ndarray of shape (n, n_classes)
            Where to: what all looks at the record said.
        """
        doubted = self.ledger.status(index) == Status.SOFTENED
        if not doubted.any():
            return None
        doubt = np.zeros(len(index), dtype=np.float32)
        scores = self.ledger.scores("focus", index[doubted])
        doubt[doubted] = self.judge.doubt(scores)
        return doubt, np.nan_to_num(self.ledger.mean_proba(index))

    def count_step(self, logits: torch.Tensor) -> None:
        """Count the records of a step, and keep what it said of them."""
        self.n_trained[-1] += self.steps.end(logits)
        self._has_stepped = True

    def close_epoch(self) -> dict[str, float]:
        """Look back at an epoch.

        Returns
        -------
        figures : dict of str to float
            What goes into the history of the net.
        """
        self._write_down_steps()
        self.probe()
        self._leave_room_for_revision()
        return {
            "candidates": self._n_candidates() / self._n,
            "kept": self.n_trained[-1] / self._n,
            "EE": self.effective_epochs,
            "scoring_passes": self.scoring_passes,
        }

    def end_when_learned(self) -> None:
        """Begin the revision if hardly a candidate is left."""
        few = MAX_CANDIDATES_WHEN_LEARNED * self.ledger.n_records
        if self.schedule.in_selection(self.epoch) and self._n_candidates() <= few:
            self.schedule = self.schedule.ending_after(self.epoch)

    def renew(self) -> None:
        """Estimate statistics of normalisation layers anew, if steps were taken."""
        if self._has_stepped and has_statistics(self.scorer.network.module):
            self._is_stale = True
        self.probe()

    def probe(self) -> None:
        """See what selected steps did to the others, and undo it where one can."""
        n_probed = min(self.probe_records, self.ledger.n_records)
        if not self._is_stale or n_probed < 2:
            return
        index = self.rng.permutation(self.ledger.n_records)[:n_probed]
        known = index[~self.ledger.due("confidence", index, self.epoch)]
        was_easy = self._is_easy(known)
        found = self.scorer.probe(index)
        self._is_stale = self._has_stepped = False
        self.ledger.note(index, found, until=self.epoch + 1)
        forgotten = was_easy & ~self._is_easy(known)
        if forgotten.sum() > MAX_FORGOTTEN * was_easy.sum():
            self.ledger.shorten_gaps()

    def state(self) -> dict[str, Any]:
        """Return where the selection is, between two epochs.

        Returns
        -------
        state : dict
            Of numbers.
        """
        return {
            "epoch": self.epoch,
            "end": self.schedule.max_epochs,
            "revision_epochs": self.schedule.revision_epochs,
            "n_trained": list(self.n_trained),
            "n_scored": self.scorer.n_scored,
            "precision": self.scorer.precision.chosen,
            "is_stale": self._is_stale,
            "has_stepped": self._has_stepped,
            "progress": self._progress,
            "share": self._share,
            "n_left": self._n_left,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was called.

        Parameters
        ----------
        state : dict
            As `state` returned it.
        """
        self.epoch = state["epoch"]
        self.schedule = replace(
            self.schedule,
            max_epochs=state["end"],
            revision_epochs=state["revision_epochs"],
        )
        self.n_trained = list(state["n_trained"])
        self.scorer.n_scored = state["n_scored"]
        self.scorer.precision.chosen = state["precision"]
        self._is_stale = state["is_stale"]
        self._has_stepped = state["has_stepped"]
        self._progress = state["progress"]
        self._share = state["share"]
        self._n_left = state["n_left"]

    @property
    def _n(self) -> int:
        return self.ledger.n_records

    def _spend(self, status: IntArray) -> None:
        """Take what is to be trained off the budget; who is over is left out."""
        if self._n_left is None:
            return
        paid = np.flatnonzero(takes_gradient(status))
        status[paid[self._n_left :]] = Status.NOT_LOOKED_AT
        self._n_left = max(0, self._n_left - len(paid))

    def _leave_room_for_revision(self) -> None:
        """Begin the revision while the budget has enough left for it."""
        rest = self.schedule.revision_epochs
        if self._n_left is None or not rest or not self._selects_in(self.epoch):
            return
        if self._n_left < self.n_trained[-1] + rest * self._n:
            n_epochs = -(-self._n_left // self._n)
            self.schedule = self.schedule.ending_after(self.epoch, n_epochs)

    def _measured(
        self, name: str, index: IntArray, reads: frozenset[str], which: IntArray
    ) -> FloatArray:
        """Look scores up, and measure those that are due."""
        records = index[which]
        if name == "focus" and not self.judge.reads_maps:
            for needed in self.judge.reads:
                self._measured(needed, index, reads, which)
            found = self.scorer.judging.of_memory(records)
            self.ledger.record(name, records, found, until=self.epoch, is_look=False)
            return found
        due = records[self.ledger.due(name, records, self.epoch)]
        if len(due):
            # In closed form the one is free where the other is measured.
            wanted = {name} | (reads if self.scorer.maps_are_free else set())
            found_now = self.scorer.score(due, frozenset(wanted))
            self.ledger.note(due, found_now, until=self.epoch)
        return self.ledger.scores(name, records)

    def _selects_in(self, epoch: int) -> bool:
        return self.schedule.in_selection(epoch)

    def _is_easy(self, index: IntArray) -> BoolArray:
        """Return which records the data dropout calls easy, by their latest scores."""
        policy = self.ruling.without_focus()
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

    def _will_judge_maps(self) -> bool:
        """Return whether the maps of this epoch's steps are read later on."""
        if "focus" in self.policy.reads and self.judge.averaged:
            return True
        to_come = self.schedule.policy(self.epoch + 1, self.policy)
        return self.reuse_scores and "focus" in to_come.reads

    def _write_down_steps(self) -> None:
        self.steps.write_down(self.epoch + 1 if self.reuse_scores else self.epoch)

    def _n_candidates(self) -> int:
        counts = self.ledger.counts()
        return sum(counts[status] for status in CANDIDATES)
