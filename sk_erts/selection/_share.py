"""Put a share of the candidates aside: what filters have in common."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._rounding import n_of_share

__all__ = ["all_but_lowest", "check_share", "groups_by_class"]


def check_share(
    value: Any, policy: str, name: str = "threshold", also: str = ""
) -> float:
    """Return a share that a policy was given, if it is one.

    Parameters
    ----------
    value : object
        What the policy was given.
    policy : str
        Name of its class.
    name : str, default="threshold"
        Name of the parameter.
    also : str, default=""
        What else it may be, in words for the error.

    Returns
    -------
    share : float
        At least 0 and below 1.

    Raises
    ------
    ValueError
        If it is no number from 0 up to 1.
    """
    if not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise ValueError(
            f"The {name!r} parameter of {policy} must be a number in [0, 1){also}. "
            f"Got {value!r} instead."
        )
    return float(value)


def groups_by_class(y: IntArray, by_class: bool) -> list[IntArray]:
    """Return who is ranked with whom.

    Parameters
    ----------
    y : int ndarray of shape (n_records,)
        Class of each record.
    by_class : bool
        Whether each class is ranked by itself.

    Returns
    -------
    groups : list of int ndarray
        Positions of the records, each in one of them.
    """
    if not by_class:
        return [np.arange(len(y))]
    return [np.flatnonzero(y == label) for label in np.unique(y)]


def all_but_lowest(
    rank: FloatArray, share: float, y: IntArray, class_rescue: bool
) -> BoolArray:
    r"""Keep all records but the share that ranks lowest.

    Of :math:`n` records :math:`\lfloor n\,\theta \rfloor` are put aside.

    Parameters
    ----------
    rank : ndarray of shape (n_records,)
        The higher, the better; among equals the first ones are put aside.
    share : float
        The share :math:`\theta`, at least 0 and below 1.
    y : int ndarray of shape (n_records,)
        Class of each record.
    class_rescue : bool
        Let a class that would lose all its records keep the one that ranks highest.

    Returns
    -------
    kept : bool ndarray of shape (n_records,)
        True for those that are kept.
    """
    n_aside = n_of_share(share, len(rank))
    kept = np.ones(len(rank), dtype=bool)
    kept[np.argsort(rank, kind="stable")[:n_aside]] = False
    if class_rescue:
        for label in np.setdiff1d(y, y[kept]):
            members = np.flatnonzero(y == label)
            kept[members[rank[members].argmax()]] = True
    return kept
