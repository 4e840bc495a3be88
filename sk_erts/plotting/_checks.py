"""Checks of arrays that several figures are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._leads import STANDARD_LEADS

__all__ = ["check_frequency", "check_heat", "check_lead_names", "check_signal"]


def check_signal(signal: Any, owner: str) -> FloatArray:
    """Return a record as (leads, times), or raise.

    Parameters
    ----------
    signal : array-like of shape (n_leads, n_times) or (n_times,)
        The record.
    owner : str
        Class that was given it, for the error message.

    Returns
    -------
    values : ndarray of shape (n_leads, n_times), dtype float32
        The record.

    Raises
    ------
    ValueError
        If it has another shape, or values that are not finite.
    """
    values: FloatArray = np.asarray(signal, dtype=np.float32)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(
            f"The record of {owner} must have the shape (n_leads, n_times) or "
            f"(n_times,). Got the shape {values.shape} instead; from many records "
            "pass one, such as X[0]."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"The record of {owner} must be finite. Got NaN or infinite values "
            "instead; fill them in before."
        )
    return np.atleast_2d(values)


def check_heat(heat: Any, shape: tuple[int, int], owner: str) -> FloatArray:
    """Return a map as floats, or raise.

    Parameters
    ----------
    heat : array-like of shape (n_times,) or (n_leads, n_times)
        The map.
    shape : tuple of (int, int)
        Leads and time steps of the record.
    owner : str
        Class that was given it, for the error message.

    Returns
    -------
    values : ndarray of the same shape, dtype float32
        The map.

    Raises
    ------
    ValueError
        If it does not fit the record, or has values that are not finite.
    """
    values: FloatArray = np.asarray(heat, dtype=np.float32)
    if values.shape not in (shape, shape[1:]):
        raise ValueError(
            f"The 'heat' of {owner} must have one value for each of the {shape[1]} "
            f"time steps of the record, or for each lead and step: {shape}. Got the "
            f"shape {values.shape} instead; 'explain' gives such maps with "
            "resample=True."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"The 'heat' of {owner} must be finite. Got NaN or infinite values "
            "instead; set them to 0 where there is no evidence."
        )
    return values


def check_lead_names(
    names: Sequence[str] | None, n_leads: int, owner: str
) -> tuple[str, ...]:
    """Return names of the leads, or raise.

    Parameters
    ----------
    names : sequence of str or None
        What was given; None for the standard leads, or numbers.
    n_leads : int
        Number of leads.
    owner : str
        Class that was given them, for the error message.

    Returns
    -------
    names : tuple of str
        One for each lead.

    Raises
    ------
    ValueError
        If their number is another.
    """
    if names is None:
        if n_leads == len(STANDARD_LEADS):
            return STANDARD_LEADS
        return tuple(str(number) for number in range(1, n_leads + 1))
    if len(names) != n_leads or isinstance(names, str):
        raise ValueError(
            f"The 'lead_names' of {owner} must be one name for each of the "
            f"{n_leads} leads of the record. Got {names!r} instead."
        )
    return tuple(names)


def check_frequency(fs: float, owner: str) -> float:
    """Return a sampling frequency, or raise.

    Parameters
    ----------
    fs : float
        In Hz.
    owner : str
        Class that was given it, for the error message.

    Returns
    -------
    fs : float
        Above 0.

    Raises
    ------
    ValueError
        If it is not above 0.
    """
    if not fs > 0:
        raise ValueError(
            f"The 'fs' of {owner} must be a sampling frequency in Hz, above 0. "
            f"Got {fs!r} instead."
        )
    return float(fs)
