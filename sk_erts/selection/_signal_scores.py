"""The quality of the signals of many records, read in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.selection._suspicion import signal_suspicion

if TYPE_CHECKING:
    from sk_erts._records.records import Records

__all__ = ["SignalScores", "score_signals"]

# What is usual shows in this many records; the others need not be in memory with them.
N_FITTED = 2048
N_AT_ONCE = 256


@dataclass(frozen=True)
class SignalScores:
    """What an estimator of quality says of records.

    Attributes
    ----------
    estimator : estimator
        A fitted copy.
    scores : ndarray of shape (n_records,), dtype float64
        One finite number for each record; higher is better.
    """

    estimator: Any
    scores: FloatArray

    @property
    def suspicion(self) -> FloatArray:
        """How far each signal is worse than is usual, in [0, 1]."""
        return signal_suspicion(self.scores)

    def suspicion_of(self, records: Records, name: str) -> FloatArray:
        """Return how far the signals of other records are worse than is usual here."""
        rows = np.arange(len(records))
        found = score_signals(self.estimator, records, rows, name, fitted=True)
        return signal_suspicion(found.scores, self.scores)


def score_signals(
    estimator: Any, records: Records, rows: IntArray, name: str, *, fitted: bool = False
) -> SignalScores:
    """Fit an estimator of quality on records, and let it score them.

    Parameters
    ----------
    estimator : estimator
        Has ``fit(X)`` and ``score_samples(X)``; it is copied.
    records : Records
        Where the signals are. They are read in pieces.
    rows : int ndarray of shape (n_records,)
        Which of them. It is fitted on at most 2,048, evenly spaced.
    name : str
        What the scores are, for errors.
    fitted : bool, default=False
        Whether it is fitted already, on others.

    Returns
    -------
    scores : SignalScores
        In the order of `rows`.

    Raises
    ------
    ValueError
        If it has no such methods, or does not return a finite score for each record.
    """
    methods = hasattr(estimator, "fit") and hasattr(estimator, "score_samples")
    if not methods or isinstance(estimator, type):
        raise ValueError(
            f"{name} must be measured by an object with fit and score_samples, such as "
            f"sk_erts.quality.SignalQuality. Got {estimator!r} instead."
        )
    if not fitted:
        spaced = np.linspace(0, len(rows) - 1, min(N_FITTED, len(rows))).astype(int)
        estimator = clone(estimator, safe=False)
        estimator.fit(records.arrays(rows[spaced]))
    parts = []
    for start in range(0, len(rows), N_AT_ONCE):
        piece = rows[start : start + N_AT_ONCE]
        found = np.asarray(estimator.score_samples(records.arrays(piece)))
        if found.shape != piece.shape or not np.isfinite(found).all():
            raise ValueError(
                f"{name} must be one finite score for each of {len(piece)} records. "
                f"Got the shape {found.shape} with {(~np.isfinite(found)).sum()} "
                f"values that are not finite from {estimator!r} instead."
            )
        parts.append(found.astype(np.float64))
    return SignalScores(estimator, np.concatenate(parts))
