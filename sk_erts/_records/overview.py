"""Figures of records that tell what is hardly an electrocardiogram in mV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray

__all__ = ["FEWEST_STEPS", "Overview", "flattened_order", "is_flat", "look_over"]

# Of fewer time steps no figure says anything: they are no electrocardiogram.
FEWEST_STEPS = 32
# Records whose amplitude is measured, spread over all.
N_MEASURED = 256
# Time steps that tell most records from flat ones.
N_STEPS_FIRST = 8
# What is left of relations between leads, relative to the leads, when they hold.
MOST_LEFT = 0.05


@dataclass(frozen=True)
class Overview:
    """What was found when records were looked over.

    Attributes
    ----------
    amplitude : float
        Median over records of their standard deviation over time, in the unit of the
        records; NaN if none is long enough and not flat.
    largest : float
        Largest absolute value of the records measured; NaN likewise.
    flat : int ndarray of shape (n_flat,)
        Rows of the records of which each lead keeps one value.
    n_samples : int
        Number of records looked at.
    """

    amplitude: float
    largest: float
    flat: IntArray
    n_samples: int


def look_over(
    pieces: Iterable[tuple[IntArray, Iterable[Array]]], n_samples: int
) -> Overview:
    """Look over records in pieces.

    Parameters
    ----------
    pieces : iterable of pairs of int ndarray and arrays of shape (n, n_leads, n_times)
        Rows and their records; of different lengths, a list of (n_leads, n_times).
    n_samples : int
        Number of rows in all.

    Returns
    -------
    overview : Overview
        Of all of them.
    """
    step = -(-n_samples // N_MEASURED)
    n_seen, flat, amplitudes, largest = 0, [], [], []
    for rows, X in pieces:
        measured = np.flatnonzero((n_seen + np.arange(len(rows))) % step == 0)
        n_seen += len(rows)
        still = is_flat(X)
        flat.append(rows[still])
        parts = X if isinstance(X, np.ndarray) else list(X)
        for i in measured[~still[measured]]:
            if parts[i].shape[-1] >= FEWEST_STEPS:
                amplitudes.append(_amplitude(parts[i]))
                largest.append(float(np.abs(parts[i]).max()))
    return Overview(
        float(np.median(amplitudes)) if amplitudes else np.nan,
        max(largest, default=np.nan),
        np.sort(np.concatenate(flat)),
        n_seen,
    )


def is_flat(X: Iterable[Array]) -> BoolArray:
    """Return which records keep one value in each lead.

    Parameters
    ----------
    X : ndarray of shape (n, n_leads, n_times) or list of (n_leads, n_times)
        Records. Those with fewer than `FEWEST_STEPS` time steps are not judged.

    Returns
    -------
    flat : bool ndarray of shape (n,)
        True for flat ones.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._records.overview import is_flat
    >>> X = np.ones((2, 1, 50))
    >>> X[1, 0, 20] = 2
    >>> is_flat(X).tolist()
    [True, False]
    """
    if not isinstance(X, np.ndarray):
        return np.array([is_flat(x[np.newaxis])[0] for x in X], dtype=bool)
    if X.shape[2] < FEWEST_STEPS:
        return np.zeros(len(X), dtype=bool)
    few = X[:, :, :: X.shape[2] // N_STEPS_FIRST]
    flat: BoolArray = (few == few[:, :, :1]).all(axis=(1, 2))
    for i in np.flatnonzero(flat):
        flat[i] = (X[i] == X[i, :, :1]).all()
    return flat


def flattened_order(X: FloatArray) -> str | None:
    """Return how twelve leads stand in what is said to be one, if they do.

    Of the twelve standard leads in their order, the third is the second less the
    first, and the fourth minus the mean of both: no single lead keeps that by chance.

    Parameters
    ----------
    X : ndarray of shape (n, n_times)
        Records of one lead.

    Returns
    -------
    order : {"leads first", "times first"} or None
        Which of the two the reshaped records had as their first axis.

    Examples
    --------
    >>> from sk_erts._records.overview import flattened_order
    >>> from sk_erts.datasets import make_ecg
    >>> X, _ = make_ecg(4, random_state=0)
    >>> flattened_order(X.reshape(4, -1)), flattened_order(X[:, 0])
    ('leads first', None)
    """
    n, n_times = X.shape
    if n_times % 12 or n_times < 12 * FEWEST_STEPS:
        return None
    orders = {
        "leads first": X.reshape(n, 12, -1),
        "times first": X.reshape(n, -1, 12).transpose(0, 2, 1),
    }
    for order, leads in orders.items():
        four = leads[:, :4].astype(np.float64)  # (n, 4, times)
        four = four - four.mean(axis=2, keepdims=True)
        one, two, three, right = np.moveaxis(four, 1, 0)
        left = np.stack([three - two + one, right + (one + two) / 2], axis=1)
        size = np.sqrt((four**2).mean(axis=(1, 2)))
        moves = size > 0
        ratio = np.sqrt((left**2).mean(axis=(1, 2)))[moves] / size[moves]
        if moves.any() and np.median(ratio) < MOST_LEFT:
            return order
    return None


def _amplitude(x: Array) -> float:
    """Return the standard deviation over time of a record (n_leads, n_times)."""
    return float(np.sqrt(x.var(axis=1, dtype=np.float64).mean()))
