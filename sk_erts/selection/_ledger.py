"""What is known of every training record: its scores, and what became of it."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any

import numpy as np

from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray

__all__ = [
    "CANDIDATES",
    "Ledger",
    "SelectionHistory",
    "Status",
    "is_doubted",
    "is_hard",
    "takes_gradient",
]

SCORES = ("confidence", "focus")

# Longer gaps do not fit in what an epoch is stored in.
MAX_GAP = 2**14

# A packed page has one byte per record: its status, and which scores are new.
STATUS_BITS = 0b1111
FLAGS = {"confidence": 4, "focus": 5}


class Status(IntEnum):
    """What became of a record in an epoch.

    A `TRAINED` record was hard and is trained; a `REHEARSED` one was easy and is
    trained all the same. A `SOFTENED` one was hard and unreliable, and is trained with
    a label that follows what all looks at it said.

    Examples
    --------
    >>> from sk_erts.selection import Status
    >>> Status.UNRELIABLE.label
    'unreliable'
    """

    NOT_LOOKED_AT = 0
    TRAINED = 1
    EASY = 2
    UNRELIABLE = 3
    DROPPED = 4
    REHEARSED = 5
    SOFTENED = 6

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.lower().replace("_", " ")


#: Of those a data dropout left: trained, or doubted.
CANDIDATES = (Status.TRAINED, Status.SOFTENED, Status.UNRELIABLE)


def takes_gradient(status: IntArray) -> BoolArray:
    """Return which statuses mean that the gradient of the record is taken.

    Parameters
    ----------
    status : int ndarray
        Values of `Status`.

    Returns
    -------
    takes_gradient : bool ndarray of the same shape
        True for `Status.TRAINED`, `Status.REHEARSED` and `Status.SOFTENED`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Status, takes_gradient
    >>> takes_gradient(np.array([Status.EASY, Status.REHEARSED])).tolist()
    [False, True]
    """
    result: BoolArray = is_hard(status) | (status == Status.REHEARSED)
    return result


def is_hard(status: IntArray) -> BoolArray:
    """Return which statuses mean that a record is trained since it was hard.

    Parameters
    ----------
    status : int ndarray
        Values of `Status`.

    Returns
    -------
    is_hard : bool ndarray of the same shape
        True for `Status.TRAINED` and `Status.SOFTENED`.
    """
    result: BoolArray = (status == Status.TRAINED) | (status == Status.SOFTENED)
    return result


def is_doubted(status: IntArray) -> BoolArray:
    """Return which statuses mean that a record was hard and not relied on.

    Parameters
    ----------
    status : int ndarray
        Values of `Status`.

    Returns
    -------
    is_doubted : bool ndarray of the same shape
        True for `Status.UNRELIABLE` and `Status.SOFTENED`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Status, is_doubted
    >>> is_doubted(np.array([Status.TRAINED, Status.SOFTENED])).tolist()
    [False, True]
    """
    result: BoolArray = (status == Status.UNRELIABLE) | (status == Status.SOFTENED)
    return result


class Ledger:
    """One row per training record: its latest scores, and its story by epoch.

    A score is stored with the epoch up to which it counts; a record whose score has
    run out is due for a new look. One that is looked at and not trained is looked at
    again after growing gaps, as in spaced repetition.

    Parameters
    ----------
    n_records : int
        Size of the training set.
    gaps : sequence of int, default=(1,)
        Epochs from the first look that finds a record not worth training to the next,
        from that to the third, and so on; the last number goes on. ``(1,)`` is a look
        in every epoch.
    n_classes : int, default=0
        Number of the network's outputs, whose probabilities are summed up; 0 keeps
        none.
    averaged : collection of str, default=()
        Scores that count as the mean over all looks, instead of the latest.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Ledger, Status
    >>> ledger = Ledger(3, gaps=(2, 4, 8))
    >>> everyone = np.arange(3)
    >>> ledger.open_epoch(0)
    >>> ledger.record("confidence", everyone, np.array([0.9, 0.1, 0.8]), until=0)
    >>> ledger.judge(everyone, np.array([Status.EASY, Status.TRAINED, Status.EASY]))
    >>> ledger.due("confidence", everyone, epoch=1).tolist()
    [False, True, False]
    >>> ledger.due("confidence", everyone, epoch=2).tolist()
    [True, True, True]
    """

    def __init__(
        self,
        n_records: int,
        gaps: Sequence[int] = (1,),
        n_classes: int = 0,
        averaged: Collection[str] = (),
    ) -> None:
        self.n_records = n_records
        self.gaps = np.minimum(gaps, MAX_GAP).astype(np.int16)
        self.epoch = -1
        self._scores = {
            name: np.full(n_records, np.nan, dtype=np.float32) for name in SCORES
        }
        self._until = {name: np.full(n_records, -1, dtype=np.int16) for name in SCORES}
        # Since it was judged: looked at; given a score, by a look or not.
        self._is_new = np.zeros(n_records, dtype=bool)
        self._has_score = np.zeros(n_records, dtype=bool)
        self._n_looks = np.zeros(n_records, dtype=np.uint8)  # in a row that skipped it
        self._status = np.zeros(n_records, dtype=np.int8)
        # Over all looks, whatever they were for: what is carried on to a new training.
        self._sums: dict[str, Array] = {
            "proba": np.zeros((n_records, n_classes), dtype=np.float32)
        }
        self._sums |= {name: np.zeros(n_records, dtype=np.float32) for name in averaged}
        self._n_summed = {
            name: np.zeros(n_records, dtype=np.int32) for name in self._sums
        }
        self._page = {
            name: np.full(n_records, np.nan, dtype=np.float16) for name in SCORES
        }
        self._reads: frozenset[str] = frozenset()
        self._heading = (-1, "", "")
        self._story: list[_Page] = []

    def open_epoch(self, epoch: int, phase: str = "", judged_by: str = "") -> None:
        """Begin a page on which no record has been looked at.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        phase : str, default=""
            What the epoch is called.
        judged_by : str, default=""
            What its focus is, if there is any.
        """
        self._story += self._open_page()
        self.epoch = epoch
        self._heading = (epoch, phase, judged_by)
        self._status[:] = Status.NOT_LOOKED_AT
        self._reads = frozenset()
        for page in self._page.values():
            page[:] = np.nan

    def record(
        self,
        name: str,
        index: IntArray,
        values: FloatArray,
        *,
        until: int,
        is_look: bool = True,
    ) -> None:
        """Store new scores.

        Parameters
        ----------
        name : {"confidence", "focus"}
            Which score.
        index : int ndarray of shape (n,)
            Positions of the records.
        values : ndarray of shape (n,)
            Their scores.
        until : int
            Last epoch in which they may be used.
        is_look : bool, default=True
            Whether the network has looked at them; not if the scores follow from what
            was known.
        """
        if name in self._sums:
            values = self._mean_with(name, index, values)
        self._scores[name][index] = values
        self._until[name][index] = until
        self._has_score[index] = True
        self._is_new[index] |= is_look
        if name not in self._reads:  # else the page tells what was judged by
            page = self._page[name]
            page[index] = np.where(np.isnan(page[index]), values, page[index])

    def note(self, index: IntArray, found: dict[str, FloatArray], until: int) -> None:
        """Store what a look at some records said.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records, each once.
        found : dict of str to ndarray
            Probabilities of all classes, ``"proba"`` (n, n_classes), and scores (n,).
        until : int
            Last epoch in which the scores may be used.
        """
        self.add_probabilities(index, found["proba"])
        for name in found.keys() - {"proba"}:
            self.record(name, index, found[name], until=until)

    def add_probabilities(self, index: IntArray, proba: FloatArray) -> None:
        """Add what a look at some records said, whatever it was for.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records, each once.
        proba : ndarray of shape (n, n_classes)
            Probabilities of all classes.
        """
        self._sums["proba"][index] += proba
        self._n_summed["proba"][index] += 1

    def memory(self) -> dict[str, Array]:
        """Return what all looks said, which a new training can begin with.

        Returns
        -------
        memory : dict of str to ndarray
            Sums over the looks, and their numbers, by score.
        """
        sums = {f"sum of {name}": values.copy() for name, values in self._sums.items()}
        return sums | {
            f"number of {name}": n.copy() for name, n in self._n_summed.items()
        }

    def remember(self, memory: dict[str, Array]) -> None:
        """Take over what all looks said in an earlier training on the same records.

        Parameters
        ----------
        memory : dict of str to ndarray
            As `memory` returned it; sums that are not kept here are left aside.
        """
        for name in self._sums.keys() & {key.removeprefix("sum of ") for key in memory}:
            self._sums[name][:] = memory[f"sum of {name}"]
            self._n_summed[name][:] = memory[f"number of {name}"]

    def state(self) -> dict[str, Any]:
        """Return all that is known, to go on from later.

        Returns
        -------
        state : dict
            Copies of arrays, bytes, numbers and texts.
        """
        story = [vars(page) for page in self._story]
        return copy.deepcopy(vars(self) | {"_story": story})

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was called.

        Parameters
        ----------
        state : dict
            Of a ledger over as many records.
        """
        story = [_Page.of(page) for page in copy.deepcopy(state["_story"])]
        vars(self).update(copy.deepcopy(state) | {"_story": story})

    def mean_proba(self, index: IntArray) -> FloatArray:
        """Return the mean of the probabilities over all looks at some records.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records.

        Returns
        -------
        proba : ndarray of shape (n, n_classes), dtype float32
            NaN where nobody has looked yet.
        """
        n_looks = self._n_summed["proba"][index].astype(np.float32)
        n_looks[n_looks == 0] = np.nan
        proba: FloatArray = self._sums["proba"][index] / n_looks[:, np.newaxis]
        return proba

    def due(self, name: str, index: IntArray, epoch: int) -> BoolArray:
        """Return which records need a new look before they can be judged.

        Parameters
        ----------
        name : {"confidence", "focus"}
            The score that is wanted.
        index : int ndarray of shape (n,)
            Positions of the records.
        epoch : int
            The epoch that is running, from 0.

        Returns
        -------
        due : bool ndarray of shape (n,)
            True where it is missing or has run out.
        """
        due: BoolArray = self._until[name][index] < epoch
        return due

    def scores(self, name: str, index: IntArray) -> FloatArray:
        """Return the latest scores of some records.

        Parameters
        ----------
        name : {"confidence", "focus"}
            Which score.
        index : int ndarray of shape (n,)
            Positions of the records.

        Returns
        -------
        scores : ndarray of shape (n,), dtype float32
            NaN where there is none yet.
        """
        return self._scores[name][index]

    def status(self, index: IntArray) -> IntArray:
        """Return what has become of some records in the epoch that is running.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records.

        Returns
        -------
        status : int8 ndarray of shape (n,)
            Values of `Status`.
        """
        return self._status[index]

    def judge(
        self, index: IntArray, status: IntArray, reads: frozenset[str] = frozenset()
    ) -> None:
        """Write down what becomes of records in the epoch that is running, and why.

        The gap to the next look grows for a record that was looked at and is skipped,
        and begins anew for one that is trained.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records.
        status : int ndarray of shape (n,)
            Values of `Status`.
        reads : frozenset of str, optional
            The scores they were judged by.
        """
        self._status[index] = status
        is_new = self._is_new[index]
        for name in reads:
            told = index[self._has_score[index] & _was_judged_by(name, status)]
            self._page[name][told] = self._scores[name][told]
        self._reads |= reads
        self._n_looks[index[is_hard(status)]] = 0
        skipped = index[is_new & ~is_hard(status)]
        n_looks = np.minimum(self._n_looks[skipped] + 1, len(self.gaps))
        self._n_looks[skipped] = n_looks
        next_look = self.epoch + self.gaps[n_looks - 1]
        for until in self._until.values():
            lasts = until[skipped] >= self.epoch
            until[skipped[lasts]] = next_look[lasts] - 1
        self._is_new[index] = False
        self._has_score[index] = False

    def shorten_gaps(self) -> None:
        """Bring the next look at each record forward, by one place in `gaps`."""
        before = np.concatenate([[1], self.gaps])  # by looks in a row
        earlier = np.diff(before, prepend=1).astype(np.int16)
        # Taken from a table, and not computed for each: of hundred millions of
        # records, every array of 64 bits takes nearly a gigabyte.
        by_record = earlier[self._n_looks]
        for until in self._until.values():
            until -= by_record
        self._n_looks -= self._n_looks > 0

    def counts(self) -> dict[Status, int]:
        """Return how many records have each status in the epoch that is running.

        Returns
        -------
        counts : dict of Status to int
            Every status is a key.
        """
        return {
            status: int(np.count_nonzero(self._status == status)) for status in Status
        }

    @property
    def nbytes(self) -> int:
        """Memory in use, in bytes."""
        arrays: list[Array] = [
            *self._scores.values(),
            *self._until.values(),
            *self._page.values(),
            self._is_new,
            self._has_score,
            self._n_looks,
            self._status,
            *self._sums.values(),
            *self._n_summed.values(),
        ]
        return sum(array.nbytes for array in arrays) + sum(
            page.nbytes for page in self._story
        )

    def history(self, rows: IntArray, n_samples: int) -> SelectionHistory:
        """Return the whole story, for all records that ``fit`` was given.

        Parameters
        ----------
        rows : int ndarray of shape (n_records,)
            Where the records of the training set stand in ``X``.
        n_samples : int
            Number of records in ``X``.

        Returns
        -------
        history : SelectionHistory
            Records outside the training set were not looked at.
        """
        pages = [*self._story, *self._open_page()]
        status = np.zeros((len(pages), n_samples), dtype=np.int8)
        scores = np.full((2, len(pages), n_samples), np.nan, dtype=np.float32)
        latest = np.full((2, self.n_records), np.nan, dtype=np.float32)
        for epoch, page in enumerate(pages):
            status[epoch, rows] = page.status()
            for k, name in enumerate(SCORES):
                known, values = page.scores(name)
                latest[k, known] = values
                if name in page.reads:
                    known = np.flatnonzero(_was_judged_by(name, page.status()))
                scores[k, epoch, rows[known]] = latest[k, known]
        n_classes = self._sums["proba"].shape[1]
        mean_proba = np.full((n_samples, n_classes), np.nan, np.float32)
        mean_proba[rows] = self.mean_proba(np.arange(self.n_records))
        headings = [page.heading for page in pages]
        return SelectionHistory(
            status,
            scores[0],
            scores[1],
            mean_proba,
            phases=tuple(phase for _, phase, _ in headings),
            judged_by=tuple(judged_by for _, _, judged_by in headings),
            first_epoch=1 + min((epoch for epoch, _, _ in headings), default=0),
        )

    def _open_page(self) -> list[_Page]:
        """Return the page of the epoch that is running, if there is one."""
        if self.epoch < 0:
            return []
        return [_Page(self._status, self._page, self._reads, self._heading)]

    def _mean_with(self, name: str, index: IntArray, values: FloatArray) -> FloatArray:
        """Return the means of a score over all looks, these included."""
        self._sums[name][index] += values
        self._n_summed[name][index] += 1
        mean: FloatArray = self._sums[name][index] / self._n_summed[name][index]
        return mean


def _ranges(phases: Sequence[str], first: int) -> list[str]:
    """Return the phases with the epochs they take, such as "warm-up 1-4"."""
    ranges = []
    for phase, run in groupby(phases):
        last = first + len(list(run)) - 1
        ranges.append(f"{phase} {first}" + f"-{last}" * (last > first))
        first = last + 1
    return ranges


def _was_judged_by(name: str, status: IntArray) -> BoolArray:
    """Return who was judged by a score; nobody asks for the focus of the easy."""
    is_easy: BoolArray = (status == Status.EASY) | (status == Status.REHEARSED)
    unseen: BoolArray = status == Status.NOT_LOOKED_AT
    return ~unseen & ~is_easy if name == "focus" else ~unseen


class _Page:
    """An epoch of the story, packed: few records have new scores in one epoch."""

    def __init__(
        self,
        status: IntArray,
        scores: dict[str, FloatArray],
        reads: frozenset[str],
        heading: tuple[int, str, str],
    ) -> None:
        self.reads = reads
        self.heading = heading
        code = status.astype(np.uint8)
        self._values = {}
        for name in SCORES:
            known = ~np.isnan(scores[name])
            code |= known.astype(np.uint8) << FLAGS[name]
            self._values[name] = scores[name][known]
        self._code = zlib.compress(code.tobytes(), level=1)

    @classmethod
    def of(cls, state: dict[str, Any]) -> _Page:
        """Return a page that was taken apart by `vars`."""
        page = cls.__new__(cls)
        vars(page).update(state)
        return page

    @property
    def nbytes(self) -> int:
        """Memory in use, in bytes."""
        return len(self._code) + sum(v.nbytes for v in self._values.values())

    def status(self) -> IntArray:
        """Return the status of each record."""
        return (self._unpack() & STATUS_BITS).astype(np.int8)

    def scores(self, name: str) -> tuple[IntArray, FloatArray]:
        """Return who was measured in this epoch, and the scores."""
        return np.flatnonzero(self._unpack() >> FLAGS[name] & 1), self._values[name]

    def _unpack(self) -> IntArray:
        return np.frombuffer(zlib.decompress(self._code), dtype=np.uint8)


@dataclass(frozen=True)
class SelectionHistory:
    """What became of each record of ``X`` in each epoch, and why.

    Parameters
    ----------
    status : int8 ndarray of shape (n_epochs, n_samples)
        Values of `Status`. Records set aside for validation, or with weight zero,
        are never looked at.
    confidence : float32 ndarray of shape (n_epochs, n_samples)
        Probability of the true class by which the record was judged, to three digits:
        the latest one, which may be some epochs old; in epochs on all data that of
        its training step. NaN where it was not measured.
    focus : float32 ndarray of shape (n_epochs, n_samples)
        Focus score of the map of the true class, or what else it was judged by in its
        place, likewise; NaN for the easy, whose focus is not asked for.
    mean_proba : float32 ndarray of shape (n_samples, n_classes), optional
        Probabilities of the classes, or labels, averaged over all looks at the record:
        training steps, scoring passes and probes. NaN without a look.
    phases : sequence of str of length n_epochs, default=()
        What each epoch was: ``"full data"``, ``"warm-up"``, ``"data dropout"``,
        ``"reliability filter"``, ``"selection"`` by a policy of another kind, or
        ``"revision"``.
    judged_by : sequence of str of length n_epochs, default=()
        What the focus of each epoch is; empty where nobody was judged by one.
    first_epoch : int, default=1
        Number of the first epoch, counted from 1 where the schedule began.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=3, warmup_epochs=1)
    >>> clf = clf.set_params(looks__first_step=0)
    >>> history = clf.fit(X, y).selection_
    >>> history.status.shape
    (3, 40)
    >>> history.to_frame().columns.to_list()
    ['epoch', 'record', 'status', 'confidence', 'focus']
    >>> history.phases
    ('warm-up', 'reliability filter', 'reliability filter')
    >>> SelectionHistory(history.status[:1], history.confidence[:1], history.focus[:1])
    SelectionHistory(1 epoch, 40 records, 100 % kept)
    """

    status: IntArray
    confidence: FloatArray
    focus: FloatArray
    mean_proba: FloatArray | None = None
    phases: Sequence[str] = ()
    judged_by: Sequence[str] = ()
    first_epoch: int = 1

    def __repr__(self) -> str:
        """Return one line: epochs, records, the share kept of those looked at, phases.

        The share is that of all epochs together.
        """
        n_epochs, n_samples = self.status.shape
        n_looked_at = int((self.status != Status.NOT_LOOKED_AT).sum())
        kept = int(takes_gradient(self.status).sum()) / max(n_looked_at, 1)
        parts = [
            f"{n_epochs} epoch{'s' * (n_epochs != 1)}",
            f"{n_samples} record{'s' * (n_samples != 1)}",
            f"{kept:.0%} kept".replace("%", " %"),
            *_ranges(self.phases, self.first_epoch),
        ]
        return f"{type(self).__name__}({', '.join(parts)})"

    def share(self, status: Status) -> FloatArray:
        """Return the share of the records looked at that had a status, by epoch.

        Parameters
        ----------
        status : Status
            Which one.

        Returns
        -------
        share : ndarray of shape (n_epochs,)
            Between 0 and 1.
        """
        looked_at = (self.status != Status.NOT_LOOKED_AT).sum(axis=1)
        share: FloatArray = (self.status == status).sum(axis=1) / np.maximum(
            looked_at, 1
        )
        return share

    def to_frame(self) -> Any:
        """Return the story as a pandas data frame, a row per record and epoch.

        Returns
        -------
        frame : DataFrame
            With the columns epoch (from 1), record (row of ``X``), status, confidence
            and focus.
        """
        import pandas as pd

        n_epochs, n_samples = self.status.shape
        labels = [status.label for status in Status]
        return pd.DataFrame(
            {
                "epoch": np.repeat(np.arange(1, n_epochs + 1), n_samples),
                "record": np.tile(np.arange(n_samples), n_epochs),
                "status": pd.Categorical.from_codes(self.status.ravel(), labels),
                "confidence": self.confidence.ravel(),
                "focus": self.focus.ravel(),
            }
        )
