"""Which records to look at, and why."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray
from sk_erts.report._performance import Decisions
from sk_erts.report._subject import Subject
from sk_erts.selection import label_suspicion

__all__ = ["KINDS", "audit", "choose"]

KINDS = ("best", "worst", "suspicious")


def audit(subject: Subject, signal_quality: Any = None) -> Any:
    """Return how suspicious each record is, in the order of the records.

    Parameters
    ----------
    subject : Subject
        Of the report.
    signal_quality : array-like of shape (n_samples,) or estimator, optional
        As ``ERTSClassifier.audit`` takes it.

    Returns
    -------
    table : pandas.DataFrame
        With the columns suspicion, reason and source; see ``ERTSClassifier.audit``.
        Of a classifier that has no such method, labels alone are judged.
    """
    import pandas as pd

    if hasattr(subject.clf, "audit"):
        table = subject.clf.audit(subject.X, subject.y, signal_quality=signal_quality)
        return table.set_index("record").sort_index()
    decisions = subject.decisions
    codes = decisions.true.astype(int)
    codes = codes if decisions.several else codes.argmax(axis=1)
    suspicion = label_suspicion(codes, decisions.proba)
    return pd.DataFrame(
        {"suspicion": suspicion, "reason": "label", "source": "network"}
    )


def choose(
    decisions: Decisions, suspicion: FloatArray, n_records: int
) -> list[tuple[int, str]]:
    """Choose the best, the worst and the most suspicious records, each of them once.

    The best are rightly decided with the highest probability, the worst wrongly with
    the lowest probability of what is true, each class in its turn; the suspicious have
    the highest suspicion, whatever their class.

    Parameters
    ----------
    decisions : Decisions
        On all records.
    suspicion : ndarray of shape (n_samples,)
        Of all records.
    n_records : int
        How many at most.

    Returns
    -------
    chosen : list of (row, kind)
        By kind, in the order of `KINDS`; a third of each, or more where there are
        fewer of another.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.report._gallery import choose
    >>> from sk_erts.report._performance import Decisions
    >>> proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2]])
    >>> true = np.array([[1, 0], [1, 0], [0, 1]], dtype=bool)
    >>> decisions = Decisions(true, proba > 0.5, proba, False)
    >>> choose(decisions, np.array([0.1, 0.4, 0.8]), 3)
    [(0, 'best'), (2, 'worst'), (1, 'suspicious')]
    """
    right, confidence = decisions.right(), decisions.confidence()
    classes = np.unique(decisions.true, axis=0, return_inverse=True)[1].ravel()
    queues = {
        "best": _in_turn(-confidence, right, classes),
        "worst": _in_turn(confidence, ~right, classes),
        "suspicious": np.argsort(-suspicion, kind="stable").tolist(),
    }
    kind_of: dict[int, str] = {}
    while len(kind_of) < n_records and any(queues.values()):
        for kind, queue in queues.items():
            while queue and queue[0] in kind_of:
                queue.pop(0)
            if queue and len(kind_of) < n_records:
                kind_of[queue.pop(0)] = kind
    return sorted(kind_of.items(), key=lambda pair: KINDS.index(pair[1]))


def _in_turn(keys: FloatArray, among: BoolArray, classes: IntArray) -> list[int]:
    """Return rows by rising key: the first of each class, then each second, and on."""
    rows: Array = np.flatnonzero(among)
    rows = rows[np.argsort(keys[rows], kind="stable")]
    place = np.zeros(len(rows), dtype=int)
    for own in np.unique(classes[rows]):
        is_own = classes[rows] == own
        place[is_own] = np.arange(is_own.sum())
    ordered: list[int] = rows[np.argsort(place, kind="stable")].tolist()
    return ordered
