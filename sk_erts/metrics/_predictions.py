"""Labels and probabilities that several measures are given, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sk_erts._lib.checks import as_array, as_numbers, refuse
from sk_erts._lib.typing import Array, BoolArray, FloatArray

__all__ = ["Predictions", "check_predictions"]


@dataclass(frozen=True)
class Predictions:
    """What was true of records, and what was said of them.

    Attributes
    ----------
    true : bool ndarray of shape (n_samples, n_classes)
        Which class each record has, or which labels.
    proba : ndarray of shape (n_samples, n_classes), dtype float64
        What each was given.
    several : bool
        Whether a record may have several labels, or none.
    """

    true: BoolArray
    proba: FloatArray
    several: bool

    def wrong(self) -> FloatArray:
        """Return 1 for each record whose class is not the most probable; (n_samples,).

        Of several labels it is the share that one half decides wrongly.
        """
        if self.several:
            share: FloatArray = np.mean((self.proba > 0.5) != self.true, axis=1)
            return share
        rows = np.arange(len(self.true))
        right = self.true[rows, self.proba.argmax(axis=1)]
        return np.where(right, 0.0, 1.0)

    def doubt(self) -> FloatArray:
        """Return the probability (n_samples,) that the decision is wrong."""
        if self.several:
            least: FloatArray = np.minimum(self.proba, 1 - self.proba).mean(axis=1)
            return least
        rest: FloatArray = 1.0 - self.proba.max(axis=1)
        return rest

    def events(self) -> tuple[FloatArray, BoolArray]:
        """Return probabilities and whether they came true, (n_samples, n_events).

        One class per record: that of the most probable class. Several labels: all.
        """
        if self.several:
            return self.proba, self.true
        top = self.proba.argmax(axis=1)[:, np.newaxis]
        return (
            np.take_along_axis(self.proba, top, axis=1),
            np.take_along_axis(self.true, top, axis=1),
        )


def check_predictions(owner: str, y: Any, proba: Any, labels: Any) -> Predictions:
    """Return labels and probabilities that fit together.

    Parameters
    ----------
    owner : str
        The function that they were given to.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Classes, or zeros and ones.
    proba : array-like of shape (n_samples, n_classes)
        Probabilities, from 0 to 1.
    labels : array-like of shape (n_classes,) or None
        The classes of the columns; None for those of `y`, sorted.

    Returns
    -------
    predictions : Predictions
        Both.

    Raises
    ------
    ValueError
        If they do not fit, or are not what they must be.
    """
    p = as_numbers(owner, "proba", proba, "(n_samples, n_classes)").astype(np.float64)
    if (p < 0).any() or (p > 1).any():
        got = f"values from {p.min():g} to {p.max():g}"
        refuse(owner, "proba", "hold probabilities from 0 to 1", got)
    given = as_array(owner, "y", y, "be an array of labels")
    n_samples, n_classes = p.shape
    if given.shape == p.shape:
        if not np.isin(given, (0, 1)).all():
            wanted = "be one class per record, or hold zeros and ones alone"
            refuse(owner, "y", wanted, "other values")
        return Predictions(given.astype(bool), p, several=True)
    if given.shape != (n_samples,):
        wanted = f"have the shape {(n_samples,)}, or that of 'proba', {p.shape}"
        refuse(owner, "y", wanted, f"shape {given.shape}")
    classes: Array = np.unique(given) if labels is None else np.asarray(labels)
    if classes.shape != (n_classes,):
        wanted = f"be the class of each of the {n_classes} columns of 'proba'"
        got = f"{len(classes)}" + (" in 'y'" if labels is None else "")
        refuse(owner, "labels", wanted, got, "Give clf.classes_.")
    true = given[:, np.newaxis] == classes
    if not true.any(axis=1).all():
        unknown = given[~true.any(axis=1)][0]
        refuse(owner, "y", f"hold classes of {classes.tolist()!r}", repr(unknown))
    return Predictions(true, p, several=False)
