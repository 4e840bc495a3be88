"""Curves of all thresholds, as few points as a small chart can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from sk_erts._lib.typing import BoolArray, FloatArray
from sk_erts.report._performance import Decisions

__all__ = ["Curve", "pr_curves", "roc_curves"]

# Of the side of a chart.
FINEST = 1 / 400


@dataclass(frozen=True)
class Curve:
    """What a class could have at any threshold, and what it has at its own.

    Attributes
    ----------
    name : str
        Of the class.
    points : ndarray of shape (n_points, 2)
        From 0 to 1, from left to right.
    mark : tuple of (float, float) or None
        The operating point; None if it is not defined.
    chance : float or None
        Height of a curve by chance, where that is level.
    """

    name: str
    points: FloatArray
    mark: tuple[float, float] | None
    chance: float | None = None


def roc_curves(
    classes: tuple[str, ...], decisions: Decisions, found: FloatArray
) -> list[Curve]:
    """Return sensitivity over 1 - specificity, of each class that has such a curve.

    Parameters
    ----------
    classes : tuple of str
        Names of the classes.
    decisions : Decisions
        On the records.
    found : ndarray of shape (n_measures, n_classes + 1)
        As `measure` returns it, for the operating points.

    Returns
    -------
    curves : list of Curve
        None of a class that no record has, or that all have.
    """
    curves = []
    for k, name in enumerate(classes):
        true, score = decisions.true[:, k], decisions.proba[:, k]
        if 0 < true.sum() < len(true):
            x, y, _ = roc_curve(true, score)
            mark = (1 - float(found[1, k]), float(found[0, k]))
            curves.append(Curve(name, _thinned(x, y), mark))
    return curves


def pr_curves(
    classes: tuple[str, ...], decisions: Decisions, found: FloatArray
) -> list[Curve]:
    """Return positive predictive value over sensitivity, of the same classes.

    Parameters
    ----------
    classes : tuple of str
        Names of the classes.
    decisions : Decisions
        On the records.
    found : ndarray of shape (n_measures, n_classes + 1)
        As `measure` returns it.

    Returns
    -------
    curves : list of Curve
        None of a class that no record has, or that all have.
    """
    curves = []
    for k, name in enumerate(classes):
        true: BoolArray = decisions.true[:, k]
        if 0 < true.sum() < len(true):
            y, x, _ = precision_recall_curve(true, decisions.proba[:, k])
            ppv = float(found[2, k])
            mark = (float(found[0, k]), ppv) if np.isfinite(ppv) else None
            points = _thinned(x[::-1], y[::-1])
            curves.append(Curve(name, points, mark, float(true.mean())))
    return curves


def _thinned(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return points on a grid, each once."""
    points = np.round(np.stack([x, y], axis=1) / FINEST) * FINEST
    new = np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]
    thinned: FloatArray = points[new]
    return thinned
