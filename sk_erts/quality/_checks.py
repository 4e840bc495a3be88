"""Checks of the records whose quality is measured."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts._records.ragged import as_list, is_ragged

__all__ = ["as_stacks", "check_fs", "check_lead_names"]

# A third difference of samples 10 ms apart, and something to compare it with.
SHORTEST_S = 0.05
# Numbers that are worked on at once: what does not fit into a cache takes thrice as
# long.
N_AT_ONCE = 2**18


def check_fs(owner: str, fs: Any) -> float:
    """Return a sampling frequency.

    Parameters
    ----------
    owner : str
        Whose parameter it is.
    fs : float
        In Hz.

    Returns
    -------
    fs : float
        The same.

    Raises
    ------
    ValueError
        If it is no finite number above 0.
    """
    is_number = isinstance(fs, Real) and not isinstance(fs, bool)
    if not is_number or not 0 < float(fs) < np.inf:
        raise ValueError(
            f"The 'fs' parameter of {owner} must be a sampling frequency in Hz, a "
            f"finite number above 0. Got {fs!r} instead."
        )
    return float(fs)


def check_lead_names(owner: str, names: Any, needed: Sequence[str]) -> tuple[str, ...]:
    """Return the names of leads.

    Parameters
    ----------
    owner : str
        Whose parameter they are.
    names : sequence of str
        The names, in the order of the leads.
    needed : sequence of str
        Leads that must be among them.

    Returns
    -------
    names : tuple of str
        The same.

    Raises
    ------
    ValueError
        If they are no sequence of names, or one is missing or there twice.
    """
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    if not is_list or len(set(names)) != len(names):
        raise ValueError(
            f"The 'lead_names' parameter of {owner} must be a sequence of different "
            f"names. Got {names!r} instead."
        )
    missing = [name for name in needed if name not in names]
    if missing:
        raise ValueError(
            f"The 'lead_names' parameter of {owner} must name the six limb leads. Got "
            f"{tuple(names)!r} instead, without {', '.join(missing)}."
        )
    return tuple(names)


def as_stacks(
    owner: str, X: Any, fs: float, n_leads: int | None = None
) -> list[FloatArray]:
    """Return checked records in pieces that are worked on at once.

    Parameters
    ----------
    owner : str
        Whose `X` it is.
    X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
            or list of arrays of shape (n_leads, n_times)
        Records; two dimensions are one lead.
    fs : float
        Sampling frequency in Hz.
    n_leads : int, optional
        Number of leads that a record must have.

    Returns
    -------
    stacks : list of ndarray of shape (n, n_leads, n_times)
        Together all records, in their order; lengths may differ between pieces. In
        float32, or float64 if they came so.

    Raises
    ------
    ValueError
        If a record is not what it must be.
    """
    if is_ragged(X):
        stacks = [record[np.newaxis] for record in as_list(X, owner)]
    else:
        stacks = _pieces(_as_array(owner, X))
    for stack in stacks:
        if not np.isfinite(stack).all():
            raise ValueError(
                f"The records in 'X' of {owner} must be finite. Got NaN or infinity "
                "instead; repair these records, or leave them out."
            )
        if stack.shape[2] < max(SHORTEST_S * fs, 5):
            raise ValueError(
                f"The records in 'X' of {owner} must last {SHORTEST_S} s or more, and "
                f"have five time steps. Got {stack.shape[2]} time steps at {fs:g} Hz "
                "instead."
            )
        if n_leads is not None and stack.shape[1] != n_leads:
            raise ValueError(
                f"The records in 'X' of {owner} must have {n_leads} leads. Got "
                f"{stack.shape[1]} instead."
            )
    return stacks


def _as_array(owner: str, X: Any) -> FloatArray:
    """Return records as an array (n, leads, times)."""
    array = np.asarray(X)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"The 'X' of {owner} must hold real numbers. Got dtype {array.dtype} "
            "instead."
        )
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(
            f"The 'X' of {owner} must have the shape (n_samples, n_leads, n_times), or "
            f"(n_samples, n_times) for one lead. Got {array.shape} instead."
        )
    return array[:, np.newaxis] if array.ndim == 2 else array  # (n, leads, times)


def _pieces(X: FloatArray) -> list[FloatArray]:
    """Cut records into pieces that fit into a cache."""
    n = max(1, N_AT_ONCE // (X.shape[1] * X.shape[2]))
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    return [X[k : k + n].astype(dtype, copy=False) for k in range(0, len(X), n)]
