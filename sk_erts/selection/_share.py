"""Put a share of the candidates aside: what filters have in common."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._rounding import below_limit, n_of_share

__all__ = ["all_but_lowest", "check_share", "share_below"]

# No judge puts more aside where it chooses how many.
MAX_SHARE = 0.5


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


def share_below(scores: FloatArray, limit: float) -> float:
    """Return the share of scores below a limit, but half of them at most.

    Parameters
    ----------
    scores : ndarray of shape (n_records,)
        Of the candidates; there may be none.
    limit : float
        Above 0.

    Returns
    -------
    share : float
        Between 0 and 0.5.
    """
    if not len(scores):
        return 0.0
    return min(float(np.mean(below_limit(scores, limit))), MAX_SHARE)


def all_but_lowest(
    rank: FloatArray,
    share: float | Callable[[IntArray], float],
    y: IntArray,
    class_rescue: bool,
    by_class: bool = False,
) -> BoolArray:
    r"""Keep all records but the share that ranks lowest.

    Of :math:`n` records :math:`\lfloor n\,\theta \rfloor` are put aside.

    Parameters
    ----------
    rank : ndarray of shape (n_records,)
        The higher, the better; among equals the first ones are put aside.
    share : float or callable
        The share :math:`\theta`, at least 0 and below 1; or what maps positions (n,) of
        records that are ranked together to theirs.
    y : int ndarray of shape (n_records,)
        Class of each record.
    class_rescue : bool
        Let a class that would lose all its records keep the one that ranks highest.
    by_class : bool, default=False
        Rank each class by itself, instead of all together.

    Returns
    -------
    kept : bool ndarray of shape (n_records,)
        True for those that are kept.
    """
    kept = np.ones(len(rank), dtype=bool)
    groups = [np.arange(len(y))]
    if by_class:
        groups = [np.flatnonzero(y == label) for label in np.unique(y)]
    for members in groups:
        own = share(members) if callable(share) else share
        order = np.argsort(rank[members], kind="stable")
        kept[members[order[: n_of_share(own, len(members))]]] = False
    if class_rescue:
        for label in np.setdiff1d(y, y[kept]):
            members = np.flatnonzero(y == label)
            kept[members[rank[members].argmax()]] = True
    return kept
