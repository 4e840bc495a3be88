"""Checks of what the functions on beats are given."""

from __future__ import annotations

from collections.abc import Sized
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from sk_erts._lib.typing import Array, IntArray

__all__ = [
    "as_numbers",
    "as_peaks",
    "check_number",
    "check_same_length",
    "is_one_record",
    "refuse",
]


def refuse(function: str, name: str, wanted: str, value: Any) -> NoReturn:
    """Raise for a parameter that is not what it must be.

    Parameters
    ----------
    function : str
        Whose parameter it is.
    name : str
        Of the parameter.
    wanted : str
        What it must be, and what to do if that is not plain.
    value : object
        What it is.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(
        f"The {name!r} parameter of {function} must be {wanted}. Got {value!r} instead."
    )


def check_number(function: str, name: str, value: Any, low: float) -> float:
    """Return a parameter that must be a finite number of at least another.

    Parameters
    ----------
    function, name : str
        Whose parameter it is, and what it is called.
    value : object
        The parameter.
    low : float
        Least value.

    Returns
    -------
    value : float
        The parameter.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not low <= float(value) < np.inf:
        refuse(function, name, f"a number of at least {low:g}", value)
    return float(value)


def as_numbers(function: str, name: str, values: Any, n_dims: tuple[int, ...]) -> Array:
    """Return what must be an array of finite numbers.

    Parameters
    ----------
    function : str
        Whose parameter it is.
    name : str
        What it is called, such as ``"record 3 of 'X'"``.
    values : array-like
        The numbers.
    n_dims : tuple of int
        How many dimensions it may have.

    Returns
    -------
    values : ndarray
        In the dtype they came in.

    Raises
    ------
    ValueError
        If they have another number of dimensions, no element along one of them, or
        are not finite real numbers.
    """
    array = np.asarray(values)
    if array.ndim not in n_dims or 0 in array.shape:
        count = " or ".join(map(str, n_dims))
        raise ValueError(
            f"{name} of {function} must have {count} dimensions, none of them empty. "
            f"Got the shape {array.shape} instead."
        )
    if array.dtype.kind not in "iufb":
        raise ValueError(
            f"{name} of {function} must hold real numbers. Got the dtype "
            f"{array.dtype} instead."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} of {function} contains NaN or infinity. Repair it, or leave it "
            "out."
        )
    return array


def is_one_record(peaks: Any) -> bool:
    """Return whether positions of R peaks are those of one record.

    Parameters
    ----------
    peaks : array-like of int, or sequence of such
        Positions of one record, or of each of many.

    Returns
    -------
    is_one : bool
        True for a flat array or list of numbers, an empty one too.
    """
    if isinstance(peaks, np.ndarray) and peaks.dtype != object:
        return peaks.ndim == 1
    return all(np.ndim(own) == 0 for own in peaks)


def as_peaks(function: str, peaks: Any, n_times: int) -> IntArray:
    """Return the positions of the R peaks of one record, checked.

    Parameters
    ----------
    function : str
        Whose parameter `peaks` it is.
    peaks : array-like of shape (n_beats,)
        Time steps.
    n_times : int
        Time steps of the record.

    Returns
    -------
    peaks : int64 ndarray of shape (n_beats,)
        The same.

    Raises
    ------
    ValueError
        If they are not rising integers within the record.
    """
    array = np.asarray(peaks)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    fine = array.ndim == 1 and array.dtype.kind in "iu"
    if fine:
        rising = bool((np.diff(array.astype(np.int64)) > 0).all())
        fine = rising and array[0] >= 0 and array[-1] < n_times
    if not fine:
        wanted = f"rising int positions below the record's {n_times} time steps"
        refuse(function, "peaks", wanted, peaks)
    return array.astype(np.int64)


def check_same_length(
    function: str, name: str, values: Sized, other: str, others: Sized
) -> None:
    """Raise if two parameters do not speak of equally many records.

    Parameters
    ----------
    function : str
        Whose parameters they are.
    name, other : str
        What they are called.
    values, others : sized
        The parameters.

    Raises
    ------
    ValueError
        If their lengths differ.
    """
    if len(values) != len(others):
        raise ValueError(
            f"The {name!r} parameter of {function} must have one entry for each of the "
            f"{len(others)} of {other!r}. Got {len(values)} instead."
        )
