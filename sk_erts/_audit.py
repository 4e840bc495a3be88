"""The table of suspicious records, from what the estimator knows of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from sk_erts._typing import Array, BoolArray, FloatArray, IntArray
from sk_erts.selection._suspicion import (
    is_ambiguous,
    label_suspicion,
    signal_suspicion,
)

__all__ = ["audit_table", "quality_scores"]


def audit_table(
    classes: Array,
    codes: IntArray,
    proba: FloatArray,
    story: FloatArray | None,
    quality: FloatArray | None,
) -> Any:
    """Rank records by how suspicious they are.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.
    codes : int ndarray of shape (n_samples,)
        Class index of each record's label.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by the trained network.
    story : ndarray of shape (n_epochs, n_samples) or None
        Confidence by epoch, NaN where it is not known.
    quality : ndarray of shape (n_samples,) or None
        Quality of the signals; higher is better.

    Returns
    -------
    table : pandas.DataFrame
        The most suspicious record first; see ``ERTSClassifier.audit``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._audit import audit_table
    >>> proba = np.array([[0.9, 0.1], [0.9, 0.1]])
    >>> table = audit_table(
    ...     np.array(["AFIB", "NORM"]), np.array([0, 1]), proba, None, None
    ... )
    >>> table[["record", "label", "predicted", "reason"]].values.tolist()
    [[1, 'NORM', 'AFIB', 'label'], [0, 'AFIB', 'AFIB', 'label']]
    """
    import pandas as pd

    label = label_suspicion(codes, proba, story)
    signal = np.zeros(len(codes)) if quality is None else signal_suspicion(quality)
    story = np.full((0, len(codes)), np.nan) if story is None else story
    in_story = (~np.isnan(story)).any(axis=0)
    suspicion = np.maximum(label, signal)
    table = pd.DataFrame(
        {
            "record": np.arange(len(codes)),
            "label": classes[codes],
            "predicted": classes[proba.argmax(axis=1)],
            "confidence": 1 - label,
            "suspicion": suspicion,
            "reason": _reasons(label, signal, is_ambiguous(proba)),
            "source": np.where(in_story, "training", "network"),
        }
    )
    order = np.argsort(-suspicion, kind="stable")
    return table.iloc[order].reset_index(drop=True)


def quality_scores(signal_quality: Any, X: Any, n_samples: int) -> FloatArray | None:
    """Return the quality of each record's signal.

    Parameters
    ----------
    signal_quality : array-like of shape (n_samples,), estimator or None
        The scores, or what has ``fit(X)`` and ``score_samples(X)``; an estimator is
        copied.
    X : array-like
        The records.
    n_samples : int
        How many there are.

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
    >>> from sk_erts._audit import quality_scores
    >>> quality_scores([0.5, 1], X=None, n_samples=2)
    array([0.5, 1. ])
    """
    if signal_quality is None:
        return None
    if hasattr(signal_quality, "score_samples"):
        signal_quality = clone(signal_quality, safe=False).fit(X).score_samples(X)
    try:
        scores = np.asarray(signal_quality, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            "The 'signal_quality' of audit must be an array of numbers, or an object "
            f"with fit and score_samples. Got {type(signal_quality).__name__} instead."
        ) from None
    n_bad = int((~np.isfinite(scores)).sum())
    if scores.shape != (n_samples,) or n_bad:
        raise ValueError(
            "The 'signal_quality' of audit must be, or return, one finite score for "
            f"each of the {n_samples} records. Got the shape {scores.shape} with "
            f"{n_bad} values that are not finite instead."
        )
    return scores


def _reasons(label: FloatArray, signal: FloatArray, ambiguous: BoolArray) -> Array:
    """Return in a word why each record is suspicious."""
    return np.select([signal > label, ambiguous], ["signal", "ambiguous"], "label")
