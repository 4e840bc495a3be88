"""Whether one record is meant or many, and whether there are equally many."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np

from sk_erts._lib.checks import refuse

__all__ = ["check_same_length", "is_one_record"]


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
        wanted = f"have one entry for each of the {len(others)} of {other!r}"
        refuse(function, name, wanted, len(values))
