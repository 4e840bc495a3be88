"""Checks of what the measures are given."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NoReturn

import numpy as np

from sk_erts._lib.names import nearest
from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray

__all__ = [
    "as_numbers",
    "check_choice",
    "check_count",
    "check_evidence",
    "check_maps",
    "check_maps_of",
    "check_pair",
    "check_real",
    "check_records",
    "check_target",
    "refuse",
]


def refuse(owner: str, name: str, wanted: str, got: Any, advice: str = "") -> NoReturn:
    """Raise for an argument that is not what it must be.

    Parameters
    ----------
    owner : str
        The function that it was given to.
    name : str
        Of the parameter.
    wanted : str
        What it must be.
    got : object
        What it is, as a sentence would say it.
    advice : str, default=""
        A sentence on what to do.

    Raises
    ------
    ValueError
        Always.
    """
    message = f"The {name!r} parameter of {owner} must {wanted}. Got {got} instead."
    raise ValueError(f"{message} {advice}".rstrip())


def as_numbers(owner: str, name: str, value: Any, verb: str = "be") -> Array:
    """Return an argument as an array of finite real numbers.

    Parameters
    ----------
    owner, name : str
        The function and its parameter.
    value : array-like
        The argument, or what it returned.
    verb : str, default="be"
        "return" if a function returned it.

    Returns
    -------
    array : ndarray, dtype floating
        Floats as they are, anything else as float64.

    Raises
    ------
    ValueError
        If it holds something else than finite numbers.
    """
    wanted = f"{verb} an array of finite numbers"
    array = _as_array(owner, name, value, wanted)
    if array.dtype.kind not in "biuf":
        refuse(owner, name, wanted, f"{type(value).__name__} of dtype {array.dtype}")
    if not np.isfinite(array).all():
        n_bad = int(np.sum(~np.isfinite(array)))
        refuse(owner, name, wanted, f"{n_bad} NaN or infinite values")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_records(owner: str, X: Any) -> FloatArray:
    """Return records as an array of three dimensions.

    Parameters
    ----------
    owner : str
        The function that they were given to.
    X : array-like of shape (n_samples, n_leads, n_times)
        Records.

    Returns
    -------
    X : ndarray of shape (n_samples, n_leads, n_times), dtype floating
        The records.

    Raises
    ------
    ValueError
        If they are none.
    """
    records: FloatArray = as_numbers(owner, "X", X)
    if records.ndim != 3 or 0 in records.shape:
        refuse(
            owner,
            "X",
            "be an array of shape (n_samples, n_leads, n_times), none of them 0",
            f"shape {records.shape}",
        )
    return records


def check_maps(owner: str, name: str, maps: Any, verb: str = "be") -> FloatArray:
    """Return maps over time, or over leads and time.

    Parameters
    ----------
    owner, name : str
        The function and its parameter.
    maps : array-like of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps.
    verb : str, default="be"
        "return" if a function returned them.

    Returns
    -------
    maps : ndarray of the same shape, dtype float64
        The maps.

    Raises
    ------
    ValueError
        If they are none.
    """
    array = as_numbers(owner, name, maps, verb).astype(np.float64, copy=False)
    if array.ndim not in (2, 3) or 0 in array.shape:
        refuse(
            owner,
            name,
            f"{verb} an array of shape (n_samples, n_times) or (n_samples, n_leads, "
            "n_times), none of them 0",
            f"shape {array.shape}",
        )
    return array


def check_maps_of(owner: str, maps: Any, X: FloatArray) -> FloatArray:
    """Return maps that fit records, with an axis for leads.

    Parameters
    ----------
    owner : str
        The function that they were given to.
    maps : array-like of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records.

    Returns
    -------
    maps : ndarray of shape (n_samples, 1 or n_leads, n_times), dtype float64
        The maps.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    array = check_maps(owner, "maps", maps)
    n_samples, n_leads, n_times = X.shape
    if array.shape not in [(n_samples, n_times), X.shape]:
        refuse(
            owner,
            "maps",
            f"fit the records: shape {(n_samples, n_times)} or "
            f"{(n_samples, n_leads, n_times)}",
            f"shape {array.shape}",
            "Interpolate maps that have fewer time steps than their records.",
        )
    return array.reshape(n_samples, -1, n_times)  # (n, 1 or leads, times)


def check_pair(
    owner: str, names: tuple[str, str], maps: Any, others: Any
) -> tuple[FloatArray, FloatArray]:
    """Return two sets of maps of the same shape.

    Parameters
    ----------
    owner : str
        The function that they were given to.
    names : tuple of two str
        Its parameters.
    maps, others : array-like of shape (n_samples, [n_leads,] n_times)
        Maps.

    Returns
    -------
    maps, others : ndarray of shape (n_samples, [n_leads,] n_times), dtype float64
        The maps.

    Raises
    ------
    ValueError
        If they do not have the same shape.
    """
    first = check_maps(owner, names[0], maps)
    second = check_maps(owner, names[1], others)
    if first.shape != second.shape:
        refuse(
            owner,
            names[1],
            f"have the shape of {names[0]!r}, {first.shape}",
            f"shape {second.shape}",
        )
    return first, second


def check_evidence(owner: str, evidence: Any, maps: FloatArray) -> BoolArray:
    """Return where the evidence is, for each value of the maps.

    Parameters
    ----------
    owner : str
        The function that it was given to.
    evidence : bool array of the shape of `maps`, or (n_samples, n_times)
        Where it is.
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps.

    Returns
    -------
    evidence : bool ndarray of the shape of `maps`
        The same in every lead if it had no leads.

    Raises
    ------
    ValueError
        If it is not bool, or does not fit.
    """
    wanted = "be a bool array"
    array = _as_array(owner, "evidence", evidence, wanted)
    if array.dtype != np.bool_:
        refuse(
            owner,
            "evidence",
            wanted,
            f"{type(evidence).__name__} of dtype {array.dtype}",
        )
    over_time = (maps.shape[0], maps.shape[-1])
    if array.shape not in [maps.shape, over_time]:
        shapes = " or ".join(dict.fromkeys(map(str, [maps.shape, over_time])))
        refuse(
            owner,
            "evidence",
            f"fit the maps: shape {shapes}",
            f"shape {array.shape}",
        )
    if array.ndim < maps.ndim:
        array = array[:, np.newaxis]  # (n, 1, times)
    return np.broadcast_to(array, maps.shape)


def check_target(owner: str, target: Any, n_samples: int) -> IntArray | None:
    """Return the explained column of each record.

    Parameters
    ----------
    owner : str
        The function that it was given to.
    target : int, or int array of shape (n_samples,), or None
        Columns of the scores.
    n_samples : int
        Number of records.

    Returns
    -------
    target : int ndarray of shape (n_samples,) or None
        One for each record; None if it was None.

    Raises
    ------
    ValueError
        If it is anything else, or below 0.
    """
    if target is None:
        return None
    wanted = (
        f"be a column of the scores, from 0, or one for each of {n_samples} records"
    )
    columns = _as_array(owner, "target", target, wanted)
    if columns.dtype.kind not in "iu" or columns.shape not in [(), (n_samples,)]:
        got = f"{target!r}, of shape {columns.shape} and dtype {columns.dtype}"
        refuse(owner, "target", wanted, got)
    if (columns < 0).any():
        refuse(owner, "target", wanted, str(columns.min()))
    return np.broadcast_to(columns, n_samples).astype(np.intp)


def check_choice(owner: str, name: str, value: Any, valid: Iterable[str]) -> str:
    """Return a name that must be one of several.

    Parameters
    ----------
    owner, name : str
        The function and its parameter.
    value : str
        What was given.
    valid : iterable of str
        What could have been given.

    Returns
    -------
    value : str
        The name.

    Raises
    ------
    ValueError
        If it is none of them; the nearest one is named.
    """
    options = list(valid)
    if not isinstance(value, str) or value not in options:
        wanted = f"be one of {', '.join(map(repr, options))}"
        advice = nearest(value, options) if isinstance(value, str) else ""
        # A list of all names is there already.
        hint = advice if advice.startswith("Did") else ""
        refuse(owner, name, wanted, repr(value), hint)
    return value


def check_count(
    owner: str, name: str, value: Any, low: int = 1, high: int | None = None
) -> int:
    """Return an argument that must be a whole number in a range.

    Parameters
    ----------
    owner, name : str
        The function and its parameter.
    value : int
        The argument.
    low : int, default=1
        The least.
    high : int, optional
        The most.

    Returns
    -------
    value : int
        The number.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    is_count = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_count or value < low or (high is not None and value > high):
        above = "" if high is None else f" and at most {high}"
        refuse(owner, name, f"be an int, at least {low}{above}", repr(value))
    return int(value)


def check_real(
    owner: str, name: str, value: Any, low: float, high: float = np.inf
) -> float:
    """Return an argument that must be a number above one and up to another.

    Parameters
    ----------
    owner, name : str
        The function and its parameter.
    value : float
        The argument.
    low : float
        Excluded.
    high : float, default=inf
        Included, unless infinite.

    Returns
    -------
    value : float
        The number.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (low < value <= high and np.isfinite(value)):
        most = "" if high == np.inf else f" and at most {high:g}"
        refuse(owner, name, f"be a number above {low:g}{most}", repr(value))
    return float(value)


def _as_array(owner: str, name: str, value: Any, wanted: str) -> Array:
    """Return an array, or say which argument has parts of different shapes."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"The {name!r} parameter of {owner} must {wanted}. Got parts of different "
            "shapes instead."
        ) from error
