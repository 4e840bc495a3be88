"""How good decisions and probabilities are, class by class, of many samples at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray

__all__ = ["MEASURES", "Decisions", "measure", "share"]

MEASURES = ("sensitivity", "specificity", "ppv", "auroc", "average_precision")


@dataclass(frozen=True)
class Decisions:
    """What was true of records, what was decided, and with which probabilities.

    Attributes
    ----------
    true, decided : bool ndarray of shape (n_samples, n_classes)
        Which class each record has, or which labels, and which it was given.
    proba : ndarray of shape (n_samples, n_classes), dtype float64
        Probabilities.
    several : bool
        Whether a record may have several labels, or none.
    """

    true: BoolArray
    decided: BoolArray
    proba: FloatArray
    several: bool

    def __len__(self) -> int:
        return len(self.true)

    def of(self, rows: IntArray) -> Decisions:
        """Return those on some records."""
        return Decisions(
            self.true[rows], self.decided[rows], self.proba[rows], self.several
        )

    def right(self) -> BoolArray:
        """Return whether all that was decided of a record is right, (n_samples,)."""
        right: BoolArray = (self.true == self.decided).all(axis=1)
        return right

    def confidence(self) -> FloatArray:
        """Return the probability (n_samples,) of what was true.

        Of several labels it is the mean over them, of presence or absence.
        """
        if self.several:
            mean: FloatArray = np.where(self.true, self.proba, 1 - self.proba).mean(1)
            return mean
        own: FloatArray = (self.proba * self.true).sum(axis=1)
        return own


def measure(decisions: Decisions, weights: FloatArray | None = None) -> FloatArray:
    r"""Return all measures of each class, and their means over the classes.

    Each class is set against all others.

    Parameters
    ----------
    decisions : Decisions
        On the records.
    weights : ndarray of shape (n_draws, n_samples), optional
        How often each record is in each sample; by default once, in a single one.

    Returns
    -------
    found : ndarray of shape (n_draws, n_measures, n_classes + 1), dtype float64
        In the order of `MEASURES`; in the last column the mean over the classes of
        which there is a value. NaN where there is none: of a class that no record
        has, or that all have, or that was decided for none.

    Notes
    -----
    The area under the ROC curve is
    :math:`\sum_k p_k (N_{>k} + n_k / 2) / (P N)` over the tied scores, from the highest
    on, with :math:`p_k` and :math:`n_k` the weights of those with and without the
    class, and :math:`N_{>k}` of those without it that come later. The average
    precision is :math:`\sum_k p_k P_k / (P (P_k + N_k))`, with :math:`P_k` and
    :math:`N_k` summed up to :math:`k`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.report._performance import Decisions, measure
    >>> true = np.array([[1, 0], [0, 1], [0, 1]], dtype=bool)
    >>> proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> found = measure(Decisions(true, proba > 0.5, proba, False))[0]
    >>> found.round(2).tolist()[:2]  # sensitivity and specificity
    [[1.0, 0.5, 0.75], [0.5, 1.0, 0.75]]
    """
    n_classes = decisions.true.shape[1]
    w = np.ones((1, len(decisions))) if weights is None else weights
    true, decided = (a.astype(float) for a in (decisions.true, decisions.decided))
    n_true, n_decided, n_both = w @ true, w @ decided, w @ (true * decided)
    n_false = w.sum(axis=1, keepdims=True) - n_true  # (draws, classes)
    found = np.empty((len(w), len(MEASURES), n_classes + 1))
    found[:, 0, :-1] = share(n_both, n_true)
    found[:, 1, :-1] = share(n_false - n_decided + n_both, n_false)
    found[:, 2, :-1] = share(n_both, n_decided)
    for k in range(n_classes):
        found[:, 3:, k] = _ranked(decisions.proba[:, k], decisions.true[:, k], w)
    known = np.isfinite(found[..., :-1])
    sums = np.where(known, found[..., :-1], 0).sum(axis=-1)
    found[..., -1] = share(sums, known.sum(axis=-1))
    return found


def share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return shares; NaN of nothing.

    Parameters
    ----------
    part, whole : ndarray
        Of shapes that go together.

    Returns
    -------
    share : ndarray
        Their quotient.
    """
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _ranked(score: FloatArray, positive: BoolArray, w: FloatArray) -> FloatArray:
    """Return area under the ROC curve and average precision, (n_draws, 2)."""
    order = np.argsort(-score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)
    w = w[:, order]
    all_tied = np.add.reduceat(w, first, axis=1)  # (draws, ties)
    pos = np.add.reduceat(w * positive[order], first, axis=1)
    neg = all_tied - pos
    n_pos, n_neg = pos.sum(axis=1), neg.sum(axis=1)
    up_to, pos_up_to = all_tied.cumsum(axis=1), pos.cumsum(axis=1)
    later = n_neg[:, np.newaxis] - (up_to - pos_up_to)
    pairs = (pos * (later + neg / 2)).sum(axis=1)
    # Before the first record of a sample there is nothing, and nothing positive.
    precision = pos_up_to / np.maximum(up_to, 1e-12)
    area = share(pairs, n_pos * n_neg)
    return np.stack([area, share((pos * precision).sum(axis=1), n_pos)], axis=1)
