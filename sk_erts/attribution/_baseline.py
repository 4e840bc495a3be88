"""Records that stand for no evidence."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import torch

__all__ = ["as_baseline", "as_baselines", "check_at_least_one"]


def as_baseline(baseline: Any, x: torch.Tensor, method: str) -> torch.Tensor:
    """Return a baseline for each record of a batch.

    Parameters
    ----------
    baseline : float or array-like broadcastable to (n_leads, n_times)
        As the user gave it.
    x : tensor of shape (n, n_leads, n_times)
        The records.
    method : str
        Whose parameter it is.

    Returns
    -------
    baselines : tensor of shape (n, n_leads, n_times)
        On the records' device.

    Raises
    ------
    ValueError
        If it does not fit to a record, or is not finite.
    """
    values = np.asarray(baseline, dtype=np.float32)
    shape = tuple(x.shape[1:])
    fits = bool(np.isfinite(values).all())
    try:
        values = np.broadcast_to(values, shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"The 'baseline' parameter of {method} must be a finite number, or an "
            f"array that fits to records of shape (n_leads, n_times) = {shape}. Got "
            f"the shape {values.shape} instead."
        )
    return torch.from_numpy(values.copy()).to(x).expand_as(x)


def as_baselines(baselines: Any, x: torch.Tensor, method: str) -> torch.Tensor:
    """Return baselines to draw from.

    Parameters
    ----------
    baselines : array-like of shape (n_baselines, n_leads, n_times) or None
        As the user gave them; None is the zero record.
    x : tensor of shape (n, n_leads, n_times)
        Records.
    method : str
        Whose parameter it is.

    Returns
    -------
    baselines : tensor of shape (n_baselines, n_leads, n_times)
        On the records' device.

    Raises
    ------
    ValueError
        If they have another shape than the records, or are not finite.
    """
    if baselines is None:
        return torch.zeros_like(x[:1])
    values = np.asarray(baselines, dtype=np.float32)
    shape = tuple(x.shape[1:])
    if values.shape[1:] != shape or len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(
            f"The 'baselines' parameter of {method} must be finite records of "
            f"shape (n_leads, n_times) = {shape}. Got the shape {values.shape} instead."
        )
    return torch.from_numpy(values).to(x)


def check_at_least_one(name: str, value: Any, method: str) -> None:
    """Raise if a parameter is not a number of at least one.

    Parameters
    ----------
    name : str
        The parameter.
    value : int
        What it was set to.
    method : str
        Whose parameter it is.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < 1:
        raise ValueError(
            f"The {name!r} parameter of {method} must be a whole number of at least "
            f"1. Got {value!r} instead."
        )
