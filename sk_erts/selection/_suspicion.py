"""How suspicious a record is, and why: pure functions of what a training left."""

from __future__ import annotations

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._rounding import is_level, resolution

__all__ = ["is_ambiguous", "label_suspicion", "signal_suspicion"]

# Two classes are nearly as probable if one has at least this share of the other's.
AMBIGUOUS_RATIO = 0.5


def label_suspicion(codes: IntArray, proba: FloatArray) -> FloatArray:
    r"""Return how far probabilities contradict the labels.

    A network learns what records have in common before it learns wrong labels by
    heart. Averaged over a training, its probabilities contradict a wrong label, even
    if the last ones do not: give ``selection_.mean_proba``.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Class index of each label, or an indicator matrix of several labels.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities of the classes, or of the labels.

    Returns
    -------
    suspicion : ndarray of shape (n_samples,), dtype float64
        In [0, 1]: 0 where the label is certain, above one half where another class is
        more probable. Of several labels, that of the most suspicious one.

    Raises
    ------
    ValueError
        If the shapes do not fit, a code is no column of `proba`, or probabilities
        are not between 0 and 1.

    See Also
    --------
    Reliability : The same as a measure to train by.

    Notes
    -----
    :math:`s = (1 - m) / 2` with the margin :math:`m = p_y - \max_{c \ne y} p_c`; of
    several labels, :math:`s = 1 - \min_j p_j` with :math:`p_j` the probability of the
    true state of label :math:`j`. Near to it is the area under the margin [1]_, the
    mean over a training of the margins of the logits.

    References
    ----------
    .. [1] G. Pleiss et al., "Identifying mislabeled data using the area under the
       margin ranking", NeurIPS 2020, arXiv:2001.10528.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import label_suspicion
    >>> proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5]])
    >>> label_suspicion(np.array([0, 1, 1]), proba).round(2).tolist()
    [0.1, 0.9, 0.5]
    """
    codes = np.asarray(codes)
    proba = _probabilities(proba)
    n_classes = proba.shape[1]
    if codes.ndim == 2:
        if codes.shape != proba.shape or not np.isin(codes, (0, 1)).all():
            raise ValueError(
                "The 'codes' of label_suspicion must be zeros and ones of the shape of "
                f"'proba', {proba.shape}. Got the shape {codes.shape} and the values "
                f"{np.unique(codes)[:5].tolist()!r} instead."
            )
        return _unit(1 - np.where(codes > 0, proba, 1 - proba).min(axis=1, initial=1))
    if codes.shape != proba.shape[:1]:
        raise ValueError(
            "The 'codes' of label_suspicion must be one class index for each of the "
            f"{len(proba)} rows of 'proba'. Got the shape {codes.shape} instead."
        )
    if len(codes) and not (codes.min() >= 0 and codes.max() < n_classes):
        raise ValueError(
            f"The 'codes' of label_suspicion must be columns of 'proba', in [0, "
            f"{n_classes}). Got {codes.min()} to {codes.max()} instead."
        )
    rows = np.arange(len(codes))
    others = proba.copy()
    others[rows, codes] = 0
    margin = proba[rows, codes] - others.max(axis=1, initial=0)
    return _unit((1 - margin) / 2)


def signal_suspicion(
    scores: FloatArray, reference: FloatArray | None = None
) -> FloatArray:
    r"""Return how far the quality of signals lies below that of the others.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Quality on any scale; higher is better.
    reference : ndarray of shape (n_others,), optional
        Quality of the records to compare with, say those of the training; by default
        `scores` themselves.

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
    scores = _finite(scores, "scores")
    reference = scores if reference is None else _finite(reference, "reference")
    if len(reference) == 0:
        return np.zeros(len(scores))
    if is_level(reference):
        # Standard deviations of rounding would make the worst of it a bad signal.
        return np.where(scores < reference.min() - resolution(reference), 1.0, 0.0)
    # First to [0, 1]: squares of tiny or huge scores would leave the range of floats.
    with np.errstate(over="ignore"):  # infinitely far from the reference is right
        scores = (scores - reference.min()) / np.ptp(reference)
    reference = (reference - reference.min()) / np.ptp(reference)
    below = ((reference.mean() - scores) / reference.std()).clip(0, 1e100)
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
    proba = _probabilities(proba)
    if proba.shape[1] < 2:
        return np.zeros(len(proba), dtype=bool)
    second, first = np.sort(proba, axis=1)[:, -2:].T
    result: BoolArray = second >= AMBIGUOUS_RATIO * first
    return result


def _finite(values: FloatArray, name: str) -> FloatArray:
    """Return finite numbers in one dimension."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(
            f"The '{name}' of signal_suspicion must be one finite number for each "
            f"record. Got the shape {values.shape} with "
            f"{(~np.isfinite(values)).sum()} values that are not finite instead."
        )
    return values


def _probabilities(proba: FloatArray) -> FloatArray:
    """Return a matrix of numbers in [0, 1], in double precision."""
    proba = np.asarray(proba, dtype=np.float64)
    if proba.ndim != 2 or ((proba < 0) | (proba > 1)).any():
        raise ValueError(
            "'proba' must be a matrix of probabilities, between 0 and 1. Got the "
            f"shape {proba.shape} and values from {np.nanmin(proba, initial=0)} to "
            f"{np.nanmax(proba, initial=0)} instead."
        )
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
