"""What is known of every training record: its scores, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from sk_erts._typing import BoolArray, FloatArray, IntArray

__all__ = ["Ledger", "SelectionHistory", "Status"]


class Status(IntEnum):
    """What became of a record in an epoch.

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

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.lower().replace("_", " ")


class Ledger:
    """One row per training record: its latest scores, and its story by epoch.

    A score is stored with the epoch up to which it counts; a record whose scores
    have run out is due for a new look.

    Parameters
    ----------
    n_records : int
        Size of the training set.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Ledger
    >>> ledger = Ledger(3)
    >>> ledger.record("confidence", np.array([0, 2]), np.array([0.9, 0.1]), until=1)
    >>> ledger.due(np.arange(3), epoch=1, reads={"confidence"}).tolist()
    [False, True, False]
    >>> ledger.due(np.arange(3), epoch=2, reads={"confidence"}).tolist()
    [True, True, True]
    """

    def __init__(self, n_records: int) -> None:
        self.n_records = n_records
        self._scores = {
            name: np.full(n_records, np.nan, dtype=np.float32)
            for name in ("confidence", "focus")
        }
        self._until = {
            name: np.full(n_records, -1, dtype=np.int32) for name in self._scores
        }
        self._story: dict[str, list[Any]] = {
            "status": [],
            "confidence": [],
            "focus": [],
        }

    def open_epoch(self) -> None:
        """Begin a page on which no record has been looked at."""
        self._story["status"].append(np.zeros(self.n_records, dtype=np.int8))
        for name in self._scores:
            self._story[name].append(np.full(self.n_records, np.nan, dtype=np.float32))

    def record(
        self, name: str, index: IntArray, values: FloatArray, *, until: int
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
        """
        self._scores[name][index] = values
        self._until[name][index] = until
        if self._story[name]:
            page = self._story[name][-1]
            page[index] = np.where(np.isnan(page[index]), values, page[index])

    def due(
        self, index: IntArray, epoch: int, reads: set[str] | frozenset[str]
    ) -> BoolArray:
        """Return which records need a new look before they can be judged.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records.
        epoch : int
            The epoch that is running, from 0.
        reads : set of str
            Scores that are wanted.

        Returns
        -------
        due : bool ndarray of shape (n,)
            True where one of them is missing or has run out.
        """
        missing = np.zeros(len(index), dtype=bool)
        for name in reads:
            missing |= self._until[name][index] < epoch
        return missing

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

    def judge(
        self, index: IntArray, status: IntArray, reads: frozenset[str] = frozenset()
    ) -> None:
        """Write down what becomes of records in the epoch that is running, and why.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions of the records.
        status : int ndarray of shape (n,)
            Values of `Status`.
        reads : frozenset of str, optional
            The scores they were judged by.
        """
        self._story["status"][-1][index] = status
        for name in reads:
            self._story[name][-1][index] = self._scores[name][index]

    def counts(self) -> dict[Status, int]:
        """Return how many records have each status in the epoch that is running.

        Returns
        -------
        counts : dict of Status to int
            Every status is a key.
        """
        found = np.bincount(self._story["status"][-1], minlength=len(Status))
        return {status: int(found[status]) for status in Status}

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
        n_epochs = len(self._story["status"])
        status = np.zeros((n_epochs, n_samples), dtype=np.int8)
        scores = np.full((2, n_epochs, n_samples), np.nan, dtype=np.float32)
        for epoch in range(n_epochs):
            status[epoch, rows] = self._story["status"][epoch]
            for k, name in enumerate(self._scores):
                scores[k, epoch, rows] = self._story[name][epoch]
        return SelectionHistory(status, scores[0], scores[1])


@dataclass(frozen=True)
class SelectionHistory:
    """What became of each record of ``X`` in each epoch, and why.

    Parameters
    ----------
    status : int8 ndarray of shape (n_epochs, n_samples)
        Values of `Status`. Records set aside for validation, or with weight zero,
        are never looked at.
    confidence : float32 ndarray of shape (n_epochs, n_samples)
        Probability of the true class by which the record was judged; in epochs on all
        data that of its training step. NaN where it was not measured.
    focus : float32 ndarray of shape (n_epochs, n_samples)
        Focus score of the map of the true class, likewise.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=3, warmup_epochs=1)
    >>> history = clf.fit(X, y).selection_
    >>> history.status.shape
    (3, 40)
    >>> history.to_frame().columns.to_list()
    ['epoch', 'record', 'status', 'confidence', 'focus']
    """

    status: IntArray
    confidence: FloatArray
    focus: FloatArray

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
