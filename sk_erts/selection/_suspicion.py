"""How suspicious a record is, and why: pure functions of what a training left."""

from __future__ import annotations

import numpy as np

from sk_erts._typing import BoolArray, FloatArray, IntArray

__all__ = ["is_ambiguous", "label_suspicion", "signal_suspicion"]

# Two classes are nearly as probable if one has at least this share of the other's.
AMBIGUOUS_RATIO = 0.5


def label_suspicion(
    codes: IntArray, proba: FloatArray, confidence: FloatArray | None = None
) -> FloatArray:
    r"""Return how little a network believed in the labels while it learned.

    A network learns what records have in common before it learns wrong labels by
    heart: over all epochs they have a low confidence, even if the last one is high.

    Parameters
    ----------
    codes : int ndarray of shape (n_samples,)
        Class index of each label.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by the trained network.
    confidence : ndarray of shape (n_epochs, n_samples), optional
        Probability of the label in each epoch, as `SelectionHistory` has it; NaN
        where it is not known.

    Returns
    -------
    suspicion : ndarray of shape (n_samples,), dtype float64
        Between 0 and 1. Of records without a known confidence, the probability of all
        other classes by the trained network.

    Raises
    ------
    ValueError
        If the shapes do not fit, a code is no column of `proba`, or probabilities
        are not between 0 and 1.

    Notes
    -----
    :math:`s = 1 - \frac1{|E|} \sum_{t \in E} p_t(y)`, with :math:`E` the epochs in
    which the confidence is known. The mean is what dataset cartography [1]_ calls
    confidence; the area under the margin [2]_ is its like for logits.

    References
    ----------
    .. [1] S. Swayamdipta et al., "Dataset cartography", EMNLP 2020,
       arXiv:2009.10795.
    .. [2] G. Pleiss et al., "Identifying mislabeled data using the area under the
       margin ranking", NeurIPS 2020, arXiv:2001.10528.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import label_suspicion
    >>> proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    >>> story = np.array([[0.8, 0.1, np.nan], [1.0, 0.3, np.nan]])
    >>> label_suspicion(np.array([0, 0, 1]), proba, story).round(2).tolist()
    [0.1, 0.8, 0.9]
    """
    codes, proba = np.asarray(codes), _known_probabilities(proba)
    if codes.shape != proba.shape[:1]:
        raise ValueError(
            "The 'codes' of label_suspicion must be one class index for each of the "
            f"{len(proba)} rows of 'proba'. Got the shape {codes.shape} instead."
        )
    n_classes = proba.shape[1]
    if len(codes) and not (codes.min() >= 0 and codes.max() < n_classes):
        raise ValueError(
            f"The 'codes' of label_suspicion must be columns of 'proba', in [0, "
            f"{n_classes}). Got {codes.min()} to {codes.max()} instead."
        )
    latest = proba[np.arange(len(codes)), codes].astype(np.float64)
    if confidence is None:
        return _unit(1 - latest)
    story = _probabilities(confidence, "confidence").astype(np.float64)
    if story.shape[1:] != codes.shape:
        raise ValueError(
            "The 'confidence' of label_suspicion must have the shape (n_epochs, "
            f"{len(codes)}), a column for each record. Got {story.shape} instead."
        )
    known = ~np.isnan(story)
    n_known = known.sum(axis=0)
    mean = np.where(known, story, 0).sum(axis=0) / np.maximum(n_known, 1)
    return _unit(1 - np.where(n_known > 0, mean, latest))


def signal_suspicion(scores: FloatArray) -> FloatArray:
    r"""Return how far the quality of signals lies below that of the others.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Quality on any scale; higher is better.

    Returns
    -------
    suspicion : ndarray of shape (n_samples,), dtype float64
        Between 0, for those that are no worse than the mean, and 1. No more than a
        share ``1 - suspicion`` of the records can be as bad, whatever the
        distribution. The scale and origin of the scores do not matter.

    Raises
    ------
    ValueError
        If the scores are not one finite number for each record.

    Notes
    -----
    :math:`s = z^2 / (1 + z^2)` with :math:`z` the distance below the mean in standard
    deviations. The bound is Cantelli's inequality.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import signal_suspicion
    >>> signal_suspicion(np.array([1.0, 1.0, 1.0, 1.0, 0.0])).round(2).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.8]
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError(
            "The 'scores' of signal_suspicion must be one finite number for each "
            f"record. Got the shape {scores.shape} with "
            f"{(~np.isfinite(scores)).sum()} values that are not finite instead."
        )
    if len(scores) == 0 or np.ptp(scores) == 0:
        return np.zeros(len(scores))
    # First to [0, 1]: squares of tiny or huge scores would leave the range of floats.
    scores = (scores - scores.min()) / np.ptp(scores)
    below = np.maximum(scores.mean() - scores, 0) / scores.std()
    suspicion: FloatArray = below**2 / (1 + below**2)
    return suspicion


def is_ambiguous(proba: FloatArray) -> BoolArray:
    """Return which records have a second class nearly as probable as the first.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by the trained network.

    Returns
    -------
    is_ambiguous : bool ndarray of shape (n_samples,)
        True where the second has at least half of the probability of the first.

    Raises
    ------
    ValueError
        If `proba` has another number of dimensions, or values outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import is_ambiguous
    >>> is_ambiguous(np.array([[0.5, 0.4, 0.1], [0.7, 0.2, 0.1]])).tolist()
    [True, False]
    """
    proba = _known_probabilities(proba)
    if proba.shape[1] < 2:
        return np.zeros(len(proba), dtype=bool)
    second, first = np.sort(proba, axis=1)[:, -2:].T
    result: BoolArray = second >= AMBIGUOUS_RATIO * first
    return result


def _probabilities(values: FloatArray, name: str) -> FloatArray:
    """Return a matrix of numbers in [0, 1], among which NaN is for no number."""
    values = np.asarray(values)
    if values.ndim != 2 or ((values < 0) | (values > 1)).any():
        raise ValueError(
            f"'{name}' must be a matrix of probabilities, between 0 and 1. Got the "
            f"shape {values.shape} and values from {np.nanmin(values, initial=0)} to "
            f"{np.nanmax(values, initial=0)} instead."
        )
    return values


def _known_probabilities(proba: FloatArray) -> FloatArray:
    """Return a matrix of numbers in [0, 1] without NaN."""
    proba = _probabilities(proba, "proba")
    if np.isnan(proba).any():
        raise ValueError(
            f"'proba' must hold a number for each class of each record. Got NaN in row "
            f"{np.isnan(proba).any(axis=1).argmax()} instead."
        )
    return proba


def _unit(values: FloatArray) -> FloatArray:
    """Return values in [0, 1] where rounding has led out of it."""
    clipped: FloatArray = values.clip(0, 1)
    return clipped
