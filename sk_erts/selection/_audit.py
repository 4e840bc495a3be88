"""The table of suspicious records, from what the estimator knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.typing import Array, BoolArray, FloatArray
from sk_erts.selection._focus_measures import support
from sk_erts.selection._signal_scores import score_signals
from sk_erts.selection._suspicion import (
    is_ambiguous,
    label_suspicion,
    signal_suspicion,
)

if TYPE_CHECKING:
    from sk_erts._records.records import Records
    from sk_erts._records.task import Task

__all__ = ["audit_table", "quality_scores", "where_contradicted"]


def audit_table(
    task: Task,
    codes: Array,
    proba: FloatArray,
    mean_proba: FloatArray | None,
    quality: FloatArray | None,
    more: Mapping[str, Array] | None = None,
) -> Any:
    """Rank records by how suspicious they are.

    Parameters
    ----------
    task : Task
        Meaning of the labels.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Class index of each record's label, or an indicator matrix.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by the trained network.
    mean_proba : ndarray of shape (n_samples, n_classes) or None
        Their means over the training; NaN of records without a look.
    quality : ndarray of shape (n_samples,) or None
        Quality of the signals; higher is better.
    more : mapping of str to ndarray of shape (n_samples,), optional
        Further columns.

    Returns
    -------
    table : pandas.DataFrame
        The most suspicious record first; see ``ERTSClassifier.audit``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._records.task import make_task
    >>> from sk_erts.selection._audit import audit_table
    >>> proba = np.array([[0.9, 0.1], [0.9, 0.1]])
    >>> task = make_task(["AFIB", "NORM"])
    >>> table = audit_table(task, np.array([0, 1]), proba, None, None)
    >>> table[["record", "label", "predicted", "reason"]].values.tolist()
    [[1, 'NORM', 'AFIB', 'label'], [0, 'AFIB', 'AFIB', 'label']]
    """
    import pandas as pd

    story = np.full_like(proba, np.nan) if mean_proba is None else mean_proba
    has_story = np.isfinite(story.sum(axis=1))
    believed = np.where(has_story[:, np.newaxis], story, proba)
    label = label_suspicion(codes, believed)
    signal = np.zeros(len(codes)) if quality is None else signal_suspicion(quality)
    doubts = task.doubts(codes, believed, proba)
    suspicion = np.maximum(label, signal)
    table = pd.DataFrame(
        {
            "record": np.arange(len(codes)),
            "label": doubts.label,
            "predicted": doubts.predicted,
            "confidence": doubts.confidence,
            "suspicion": suspicion,
            "reason": _reasons(label, signal, is_ambiguous(doubts.proba)),
            "source": np.where(has_story, "training", "network"),
            **(more or {}),
        }
    )
    order = np.argsort(-suspicion, kind="stable")
    return table.iloc[order].reset_index(drop=True)


def where_contradicted(maps: Any) -> dict[str, Array]:
    """Return how far records support their labels, and where they contradict them.

    Parameters
    ----------
    maps : sequence of n_samples ndarrays of shape (n_times,)
        Evidence for the label against its strongest rival.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_samples,)
        ``"support"`` and ``"contradicted_at"``; see ``ERTSClassifier.audit``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection._audit import where_contradicted
    >>> found = where_contradicted(np.array([[1.0, -3.0, 0.5, -0.5], [1, 1, 1, 1]]))
    >>> {name: values.tolist() for name, values in found.items()}
    {'support': [0.5, 1.0], 'contradicted_at': [1, -1]}
    """
    worst = [int(own.argmin()) for own in maps]
    at = [k if own[k] < 0 else -1 for own, k in zip(maps, worst, strict=True)]
    return {
        "support": np.array([float(support(own[np.newaxis])[0]) for own in maps]),
        "contradicted_at": np.array(at, dtype=int),
    }


def quality_scores(signal_quality: Any, records: Records) -> FloatArray | None:
    """Return the quality of each record's signal.

    Parameters
    ----------
    signal_quality : array-like of shape (n_samples,), estimator or None
        The scores, or what has ``fit(X)`` and ``score_samples(X)``; an estimator is
        copied.
    records : Records
        The records.

    Returns
    -------
    scores : ndarray of shape (n_samples,), or None
        Higher is better.

    Raises
    ------
    ValueError
        If there is not one finite score for each record.

    Examples
    --------
    >>> from sk_erts.selection._audit import quality_scores
    >>> quality_scores([0.5, 1], records=[None] * 2)
    array([0.5, 1. ])
    """
    name = "The 'signal_quality' of audit"
    n_samples = len(records)
    if signal_quality is None:
        return None
    if hasattr(signal_quality, "score_samples"):
        rows = np.arange(n_samples)
        return score_signals(signal_quality, records, rows, name).scores
    try:
        scores = np.asarray(signal_quality, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be an array of numbers, or an object with fit and "
            f"score_samples. Got {type(signal_quality).__name__} instead."
        ) from None
    n_bad = int((~np.isfinite(scores)).sum())
    if scores.shape != (n_samples,) or n_bad:
        raise ValueError(
            f"{name} must be, or return, one finite score for each of the {n_samples} "
            f"records. Got the shape {scores.shape} with {n_bad} values that are not "
            "finite instead."
        )
    return scores


def _reasons(label: FloatArray, signal: FloatArray, ambiguous: BoolArray) -> Array:
    """Return in a word why each record is suspicious."""
    return np.select([signal > label, ambiguous], ["signal", "ambiguous"], "label")
