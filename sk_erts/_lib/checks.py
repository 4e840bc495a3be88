"""Checks of what functions and classes are given.

Each raises a ValueError that `refuse` words, or returns what was given. They share two
parameters: `owner`, the function or class that was given something, an object standing
for its class; and `name`, the parameter, or a part of it, such as ``"X[3]"``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, NoReturn

import numpy as np

from sk_erts._lib.typing import Array

__all__ = [
    "as_array",
    "as_numbers",
    "check_choice",
    "check_choices",
    "check_count",
    "check_frequency",
    "check_lead_names",
    "check_number",
    "check_shape",
    "is_int",
    "is_number",
    "refuse",
]


def refuse(
    owner: object, name: str, wanted: str, got: object, advice: str = ""
) -> NoReturn:
    """Raise for a parameter that is not what it must be.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    wanted : str
        What it must be, with a verb: ``"be above 0"``.
    got : object
        What it is, as a sentence says it: ``repr(value)``, or ``"shape (3,)"``.
    advice : str, default=""
        A sentence on what to do.

    Raises
    ------
    ValueError
        Always.
    """
    whose = owner if isinstance(owner, str) else type(owner).__name__
    message = f"The {name!r} parameter of {whose} must {wanted}. Got {got} instead."
    raise ValueError(f"{message} {advice}".rstrip())


def is_number(value: Any) -> bool:
    """Return whether a value is a real number; a bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_int(value: Any) -> bool:
    """Return whether a value is a whole number by type; a bool is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_number(
    owner: object,
    name: str,
    value: Any,
    *,
    above: float = -inf,
    least: float = -inf,
    below: float = inf,
    most: float = inf,
) -> float:
    """Return a parameter that must be a finite number in a range.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    value : float
        The parameter.
    above, below : float
        Bounds, excluded.
    least, most : float
        Bounds, included.

    Returns
    -------
    value : float
        The same.
    """
    if not is_number(value) or not (above < value < below and least <= value <= most):
        kind = "a finite number" if below == most == inf else "a number"
        bounds = _bounds(above=above, least=least, below=below, most=most)
        refuse(owner, name, f"be {kind} {bounds}".rstrip(), repr(value))
    return float(value)


def check_count(
    owner: object, name: str, value: Any, least: int = 1, most: float = inf
) -> int:
    """Return a parameter that must be a whole number in a range.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    value : int
        The parameter.
    least, most : int
        Bounds, included.

    Returns
    -------
    value : int
        The same.
    """
    if not is_int(value) or not least <= value <= most:
        wanted = f"be an int {_bounds(least=least, most=most)}"
        refuse(owner, name, wanted, repr(value))
    return int(value)


def check_frequency(owner: object, value: Any, name: str = "fs") -> float:
    """Return a parameter that must be a sampling frequency.

    Parameters
    ----------
    owner : str
        Whose parameter it is.
    value : float
        In Hz.
    name : str, default="fs"
        Of the parameter.

    Returns
    -------
    value : float
        Above 0.
    """
    if not is_number(value) or not 0 < value < inf:
        wanted = "be a sampling frequency in Hz, a finite number above 0"
        refuse(owner, name, wanted, repr(value))
    return float(value)


def check_choice(owner: object, name: str, value: Any, valid: Iterable[str]) -> str:
    """Return a parameter that must be one of several names.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    value : str
        The parameter.
    valid : iterable of str
        What could have been given.

    Returns
    -------
    value : str
        The same.
    """
    options = list(valid)
    if not isinstance(value, str) or value not in options:
        *others, last = map(repr, options)
        wanted = f"{', '.join(others)} or {last}" if others else last
        folded = {option.casefold(): option for option in options}
        asked = value.casefold() if isinstance(value, str) else ""
        near = difflib.get_close_matches(asked, folded, n=1)
        advice = f"Did you mean {folded[near[0]]!r}?" if near else ""
        refuse(owner, name, f"be {wanted}", repr(value), advice)
    return value


def check_choices(
    owner: object, name: str, values: Any, valid: Iterable[str]
) -> tuple[str, ...]:
    """Return a parameter that must hold one or more of several names.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    values : iterable of str
        The parameter.
    valid : iterable of str
        What it may hold.

    Returns
    -------
    values : tuple of str
        The same.
    """
    options = list(valid)
    return tuple(
        check_choice(owner, f"{name}[{i}]", value, options)
        for i, value in enumerate(_as_names(owner, name, values))
    )


def check_lead_names(
    owner: object, names: Any, n_leads: int | None = None, record: str = "the record"
) -> tuple[str, ...]:
    """Return the parameter `lead_names`.

    Parameters
    ----------
    owner : str
        Whose parameter it is.
    names : iterable of str
        Names of the leads, in their order.
    n_leads : int, optional
        Number of leads of a record, if it is known.
    record : str, default="the record"
        Which record that is.

    Returns
    -------
    names : tuple of str
        The same.
    """
    found = _as_names(owner, "lead_names", names)
    if n_leads is not None and len(found) != n_leads:
        wanted = f"be one name for each of the {n_leads} leads of {record}"
        refuse(owner, "lead_names", wanted, repr(names))
    return found


def as_array(owner: object, name: str, value: Any, wanted: str) -> Array:
    """Return a parameter as an array, whatever it holds.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    value : array-like
        The parameter.
    wanted : str
        What it must be, with a verb.

    Returns
    -------
    array : ndarray
        The same.
    """
    try:
        return np.asarray(value)
    except ValueError:
        refuse(owner, name, wanted, "parts of different shapes")


def as_numbers(
    owner: object,
    name: str,
    value: Any,
    *shapes: str,
    verb: str = "be",
    advice: str = "",
) -> Array:
    """Return a parameter that must be an array of finite real numbers.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    value : array-like
        The parameter, or what it returned.
    *shapes : str
        See `check_shape`; none for any shape.
    verb : str, default="be"
        "return" if the parameter is a function, and returned the value.
    advice : str, default=""
        A sentence on what to do.

    Returns
    -------
    array : ndarray
        In the dtype it came in.
    """
    wanted = f"{verb} an array of finite numbers"
    array = as_array(owner, name, value, wanted)
    if array.dtype.kind not in "biuf":
        got = f"{type(value).__name__} of dtype {array.dtype}"
        refuse(owner, name, wanted, got, advice)
    if shapes:
        check_shape(owner, name, array.shape, *shapes, verb=verb, advice=advice)
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        got = f"{int(np.sum(~finite))} NaN or infinite values"
        refuse(owner, name, wanted, got, advice or "Repair them, or leave them out.")
    return array


def check_shape(
    owner: object,
    name: str,
    shape: tuple[int, ...],
    *shapes: str,
    verb: str = "be",
    advice: str = "",
) -> None:
    """Raise if an array has another number of dimensions, or an empty one.

    Parameters
    ----------
    owner, name : str
        Whose parameter it is, and which one.
    shape : tuple of int
        Of the array.
    *shapes : str
        What it may be, such as ``"(n_leads, n_times)"`` for two dimensions.
    verb, advice : str
        See `as_numbers`.
    """
    n_dims = [len(text.strip("(,)").split(",")) for text in shapes]
    if len(shape) not in n_dims or 0 in shape:
        wanted = f"{verb} an array of shape {' or '.join(shapes)}, none of them 0"
        refuse(owner, name, wanted, f"shape {shape}", advice)


def _bounds(
    *, above: float = -inf, least: float = -inf, below: float = inf, most: float = inf
) -> str:
    """Say between which bounds a number must be."""
    if isfinite(least) and isfinite(most):
        return f"in [{least:.12g}, {most:.12g}]"
    said = {"of at least": least, "above": above, "below": below, "at most": most}
    return " and ".join(f"{w} {b:.12g}" for w, b in said.items() if isfinite(b))


def _as_names(owner: object, name: str, values: Any) -> tuple[str, ...]:
    """Return a parameter that must hold one name or more, and be no single one."""
    names = () if isinstance(values, str) or not np.iterable(values) else tuple(values)
    if not names:
        refuse(owner, name, "be a sequence of one name or more", repr(values))
    return names
