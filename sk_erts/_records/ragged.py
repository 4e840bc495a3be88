"""Records whose lengths differ: how they are recognised, checked, padded and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sk_erts._lib.typing import Array, FloatArray, IntArray

__all__ = [
    "as_float32",
    "as_list",
    "by_length",
    "fits_float32",
    "is_ragged",
    "pad",
    "padded_length",
    "stack_if_equal",
]


def is_ragged(X: Any) -> bool:
    """Return whether records come one by one, as they do when their lengths differ.

    Parameters
    ----------
    X : array-like
        Records.

    Returns
    -------
    is_ragged : bool
        True for an object array of arrays, and for a list of arrays whose shapes
        differ.
    """
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and _are_arrays(X)
    return (
        isinstance(X, list | tuple)
        and _are_arrays(X)
        and len({record.shape for record in X}) > 1
    )


def as_list(X: Any, name: str) -> list[FloatArray]:
    """Return records of different lengths as checked arrays.

    Parameters
    ----------
    X : list or object ndarray of n_samples arrays of shape (n_leads, n_times) or \
            (n_times,)
        Records; one dimension is one lead.
    name : str
        Whose `X` it is, for errors.

    Returns
    -------
    records : list of ndarray of shape (n_leads, n_times)
        In float32, or float64 if they came so.

    Raises
    ------
    ValueError
        If a record is not two-dimensional, has another number of leads, no time step,
        or values that are not finite.
    """
    records: list[FloatArray] = []
    for i, record in enumerate(X):
        if not np.issubdtype(record.dtype, np.number) or np.iscomplexobj(record):
            raise ValueError(
                f"Record {i} of X of {name} must hold real numbers. Got the dtype "
                f"{record.dtype} instead."
            )
        kept = record if record.dtype == np.float64 else as_float32(record)
        array = np.atleast_2d(kept)
        n_leads = len(records[0]) if records else len(array)
        if array.ndim != 2 or 0 in array.shape or len(array) != n_leads:
            on_side = array.ndim == 2 and records and len(records[0].T) == len(array.T)
            raise ValueError(
                f"Record {i} of X of {name} must have the shape (n_leads, n_times), "
                f"with the leads of the others and at least one time step. Got "
                f"{record.shape} instead."
                + (" Pass [x.T for x in X] if it is on its side." if on_side else "")
            )
        if not (np.isfinite(array).all() and fits_float32(array)):
            raise ValueError(
                f"Record {i} of X of {name} contains NaN or infinity. Repair it, or "
                "leave it out."
            )
        records.append(array)
    return records


def as_float32(X: Any) -> FloatArray:
    """Return records in float32; what is too large for it becomes infinite.

    Parameters
    ----------
    X : array-like
        Records of any shape.

    Returns
    -------
    X : ndarray of the same shape, dtype float32
        The same array, if it is one of this dtype.

    Raises
    ------
    TypeError
        If it holds what is no number, such as dates.
    ValueError
        If it holds complex numbers, of which numpy would drop the imaginary parts.
    """
    X = np.asarray(X)
    if np.iscomplexobj(X):
        raise ValueError("Complex data not supported: X must hold records in mV.")
    with np.errstate(over="ignore"):  # told with the record's number, where it is
        try:
            return np.asarray(X, dtype=np.float32)
        except TypeError as error:
            raise TypeError(f"X must hold numbers, records in mV: {error}.") from error


def fits_float32(X: Array) -> bool:
    """Return whether finite numbers stay finite in float32.

    Parameters
    ----------
    X : ndarray
        Of numbers.

    Returns
    -------
    fits : bool
        False if the largest or smallest becomes infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._records.ragged import fits_float32
    >>> fits_float32(np.array([3.4e38])), fits_float32(np.array([-3.5e38]))
    (True, False)
    """
    if X.dtype.kind != "f" or X.itemsize <= 4 or X.size == 0:
        return True
    return bool(np.isfinite(as_float32([X.min(), X.max()])).all())


def stack_if_equal(arrays: Sequence[Array]) -> Array:
    """Return arrays as one, or as an array of arrays if their shapes differ.

    Parameters
    ----------
    arrays : sequence of ndarray
        One for each record.

    Returns
    -------
    together : ndarray of shape (n, ...) or (n,)
        With dtype object if the shapes differ.
    """
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    together = np.empty(len(arrays), dtype=object)
    together[:] = arrays
    return together


def padded_length(n_times: int) -> int:
    """Return the length to which a batch is padded whose longest record has `n_times`.

    A processor prepares its convolutions anew for every new length, so that there
    should be few of them: eight between a length and its double.

    Parameters
    ----------
    n_times : int
        Time steps of the longest record.

    Returns
    -------
    n_padded : int
        At most an eighth more.

    Examples
    --------
    >>> [padded_length(n) for n in (7, 1000, 9000, 9001, 18286)]
    [7, 1024, 9216, 9216, 18432]
    """
    step: int = max(1, 2 ** (n_times.bit_length() - 4))
    return -(-n_times // step) * step


def pad(records: Sequence[FloatArray]) -> FloatArray:
    """Return records in one array, with zeros behind the shorter ones.

    Parameters
    ----------
    records : sequence of ndarray of shape (n_leads, n_times)
        Lengths may differ.

    Returns
    -------
    X : ndarray of shape (n, n_leads, n_padded), dtype float32
        See `padded_length`.
    """
    n_padded = padded_length(max(record.shape[1] for record in records))
    X = np.zeros((len(records), len(records[0]), n_padded), dtype=np.float32)
    for x, record in zip(X, records, strict=True):
        x[:, : record.shape[1]] = record
    return X


def by_length(
    function: Callable[[Array, IntArray], Array], arrays: Array, lengths: IntArray
) -> Array:
    """Apply a function of equally long rows to rows of different lengths.

    Parameters
    ----------
    function : callable
        Maps rows (m, length) and their positions (m,) to (m, ...).
    arrays : ndarray of shape (n, n_padded) or object ndarray of shape (n,)
        Rows, padded or not.
    lengths : int ndarray of shape (n,)
        How much of each row counts.

    Returns
    -------
    results : ndarray of shape (n, ...)
        In the order of the rows.
    """
    parts = []
    groups = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
    for group in groups:
        rows = np.stack([arrays[i][: lengths[i]] for i in group])
        parts.append(np.asarray(function(rows, group)))
    order = np.argsort(np.concatenate(groups), kind="stable")
    return np.concatenate(parts)[order]


def _are_arrays(X: Sequence[Any] | Array) -> bool:
    return all(isinstance(record, np.ndarray) and record.ndim > 0 for record in X)
