"""Checks of the parameters of the transformers."""

from __future__ import annotations

from numbers import Real
from typing import Any, NoReturn

import numpy as np

__all__ = ["check_number", "refuse"]


def check_number(owner: object, name: str, low: float, high: float = np.inf) -> float:
    """Return a parameter that must be a finite number between two others.

    Parameters
    ----------
    owner : object
        Holds it as an attribute.
    name : str
        Of the parameter.
    low, high : float
        Bounds, excluded.

    Returns
    -------
    value : float
        The parameter.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    value = getattr(owner, name)
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not low < float(value) < high:
        bound = f"above {low:g}" + (f" and below {high:g}" if high < np.inf else "")
        refuse(owner, name, f"a number {bound}", value)
    return float(value)


def refuse(owner: object, name: str, wanted: str, value: Any) -> NoReturn:
    """Raise for a parameter that is not what it must be.

    Parameters
    ----------
    owner : object
        Whose parameter it is.
    name : str
        Of the parameter.
    wanted : str
        What it must be.
    value : object
        What it is.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(
        f"The {name!r} parameter of {type(owner).__name__} must be {wanted}. Got "
        f"{value!r} instead."
    )
