"""One record, its map and its leads, as several figures are given them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.checks import as_numbers, check_lead_names, refuse
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._leads import STANDARD_LEADS

__all__ = ["as_heat", "as_record", "name_leads"]


def as_record(owner: str, name: str, values: Any) -> FloatArray:
    """Return a record as (leads, times), or raise.

    Parameters
    ----------
    owner, name : str
        Class that was given it, and its parameter.
    values : array-like of shape (n_leads, n_times) or (n_times,)
        The record.

    Returns
    -------
    values : ndarray of shape (n_leads, n_times), dtype float32
        The record.

    Raises
    ------
    ValueError
        If it has another shape, or values that are not finite.
    """
    shapes = ("(n_leads, n_times)", "(n_times,)")
    advice = "Pass one record, such as X[0], and fill in what is missing."
    record = as_numbers(owner, name, values, *shapes, advice=advice)
    return np.atleast_2d(record.astype(np.float32, copy=False))


def as_heat(owner: str, heat: Any, shape: tuple[int, int]) -> FloatArray:
    """Return a map as floats, or raise.

    Parameters
    ----------
    owner : str
        Class that was given it.
    heat : array-like of shape (n_times,) or (n_leads, n_times)
        The map.
    shape : tuple of (int, int)
        Leads and time steps of the record.

    Returns
    -------
    values : ndarray of the same shape, dtype float32
        The map.

    Raises
    ------
    ValueError
        If it does not fit the record, or has values that are not finite.
    """
    advice = "Set them to 0 where there is no evidence."
    values = as_numbers(owner, "heat", heat, advice=advice)
    if values.shape not in (shape, shape[1:]):
        wanted = (
            f"have one value for each of the {shape[1]} time steps of the record, or "
            f"for each lead and step: {shape}"
        )
        advice = "'explain' gives such maps with resample=True."
        refuse(owner, "heat", wanted, f"shape {values.shape}", advice)
    return values.astype(np.float32, copy=False)


def name_leads(owner: str, names: Any, n_leads: int) -> tuple[str, ...]:
    """Return names of the leads, or raise.

    Parameters
    ----------
    owner : str
        Class that was given them.
    names : sequence of str or None
        What was given; None for the standard leads, or numbers.
    n_leads : int
        Number of leads.

    Returns
    -------
    names : tuple of str
        One for each lead.

    Raises
    ------
    ValueError
        If their number is another.
    """
    if names is not None:
        return check_lead_names(owner, names, n_leads)
    if n_leads == len(STANDARD_LEADS):
        return STANDARD_LEADS
    return tuple(str(number) for number in range(1, n_leads + 1))
