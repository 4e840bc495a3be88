"""Records, maps and evidence that several measures are given, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.checks import as_array, as_numbers, refuse
from sk_erts._lib.typing import BoolArray, FloatArray

__all__ = ["check_evidence", "check_maps", "check_records"]


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
        Floats as they are, anything else as float64.

    Raises
    ------
    ValueError
        If they are none.
    """
    records = as_numbers(owner, "X", X, "(n_samples, n_leads, n_times)")
    return records if records.dtype.kind == "f" else records.astype(np.float64)


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
    shapes = ("(n_samples, n_times)", "(n_samples, n_leads, n_times)")
    array = as_numbers(owner, name, maps, *shapes, verb=verb)
    return array.astype(np.float64, copy=False)


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
    array = as_array(owner, "evidence", evidence, wanted)
    if array.dtype != np.bool_:
        got = f"{type(evidence).__name__} of dtype {array.dtype}"
        refuse(owner, "evidence", wanted, got)
    over_time = (maps.shape[0], maps.shape[-1])
    if array.shape not in [maps.shape, over_time]:
        shapes = " or ".join(dict.fromkeys(map(str, [maps.shape, over_time])))
        wanted = f"fit the maps: shape {shapes}"
        refuse(owner, "evidence", wanted, f"shape {array.shape}")
    if array.ndim < maps.ndim:
        array = array[:, np.newaxis]  # (n, 1, times)
    return np.broadcast_to(array, maps.shape)
