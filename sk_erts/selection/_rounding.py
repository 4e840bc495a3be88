"""Comparisons that rounding must not tip: equal scores share one fate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray

__all__ = ["below_limit", "below_mean", "is_level", "n_of_share", "resolution"]

# Of the largest value, in units in the last place: what sums over a record in another
# order differ by.
N_UNITS = 16


def below_mean(values: FloatArray) -> BoolArray:
    """Return which values lie below the mean of all of them.

    A mean that is summed up term by term may lie above or below each of several equal
    values, and depends on their order. Here the sum is rounded once, and so is the
    multiple of each value that it is compared with: no value is called below that is
    not, and equal ones, of whatever value and in whatever order, never are.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite numbers.

    Returns
    -------
    below : bool ndarray of shape (n,)
        False for at least one.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection._rounding import below_mean
    >>> equal = np.full(6, 0.1)
    >>> bool((equal < equal.sum() / 6).any()), bool((equal > equal.mean()).any())
    (False, True)
    >>> below_mean(np.array([0.1, 0.1, 0.4])).tolist()
    [True, True, False]
    """
    values = np.asarray(values, dtype=np.float64)
    below: BoolArray = len(values) * values < math.fsum(values.tolist())
    return below


def below_limit(values: FloatArray, limit: float) -> BoolArray:
    """Return which values lie below a limit by more than single precision tells.

    A value that is the limit, but for the order in which it was summed up, does not.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers that were computed in single precision, wherever they stand now.
    limit : float
        Above 0.

    Returns
    -------
    below : bool ndarray of shape (n,)
        True for those below.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection._rounding import below_limit
    >>> third = 1 - np.float32(2 / 3)  # 0.33333331
    >>> below_limit(np.array([0.2, third, 0.5]), 1 / 3).tolist()
    [True, False, False]
    """
    below: BoolArray = values < limit - resolution(np.array([limit]), np.float32)
    return below


def is_level(values: FloatArray, dtype: Any = None) -> bool:
    """Return whether values are equal, but for rounding.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One number or more.
    dtype : dtype, optional
        What they were computed in; by default what they stand in.

    Returns
    -------
    level : bool
        True if they differ by no more than 16 units in the last place of the largest.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection._rounding import is_level
    >>> is_level(np.array([0.3, 0.1 + 0.2])), is_level(np.array([0.3, 0.3001]))
    (True, False)
    """
    return bool(np.ptp(values) <= resolution(values, dtype))


def resolution(values: FloatArray, dtype: Any = None) -> float:
    """Return below which difference values are the same.

    Parameters
    ----------
    values : ndarray
        One number or more.
    dtype : dtype, optional
        What they were computed in; by default what they stand in.

    Returns
    -------
    difference : float
        In the unit of the values; 0 if all are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection._rounding import resolution
    >>> resolution(np.ones(3), np.float32) == 16 * 2**-23
    True
    """
    kind = np.result_type(values.dtype if dtype is None else dtype, np.float16)
    largest = np.abs(values).max().astype(np.float64)
    return float(N_UNITS * np.finfo(kind).eps * largest)


def n_of_share(share: float, n: int) -> int:
    r"""Return how many records a share of them is, :math:`\lfloor n\,\theta \rfloor`.

    Parameters
    ----------
    share : float
        The share :math:`\theta`, from 0 to 1.
    n : int
        Number of records.

    Returns
    -------
    number : int
        Rounded down; a product that rounding alone keeps from a whole number, as
        0.29 * 100 = 28.999..., is that number.

    Examples
    --------
    >>> from sk_erts.selection._rounding import n_of_share
    >>> n_of_share(0.29, 100), n_of_share(0.299, 100)
    (29, 29)
    """
    product = share * n
    nearest = round(product)
    # Share and product are rounded once each: two units in the last place.
    if abs(product - nearest) <= 2 * math.ulp(product):
        return nearest
    return math.floor(product)
