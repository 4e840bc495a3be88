"""Records in pieces that are worked on at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.checks import as_numbers, refuse
from sk_erts._lib.orientation import tell_if_transposed
from sk_erts._lib.typing import Array, FloatArray
from sk_erts._records.ragged import as_list, is_ragged

__all__ = ["as_stacks"]

# A third difference of samples 10 ms apart, and something to compare it with.
SHORTEST_S = 0.05
# Numbers that are worked on at once: what does not fit into a cache takes thrice as
# long.
N_AT_ONCE = 2**18


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

    Warns
    -----
    DoubtfulInputWarning
        If records seem to be (n_times, n_leads).
    """
    if is_ragged(X):
        stacks = [record[np.newaxis] for record in as_list(X, owner)]
    else:
        shapes = ("(n_samples, n_leads, n_times)", "(n_samples, n_times)")
        stacks = _pieces(as_numbers(owner, "X", X, *shapes))
    tell_if_transposed(owner, "X", stacks[0])
    for stack in stacks:
        n_times = stack.shape[2]
        if n_times < max(SHORTEST_S * fs, 5):
            wanted = f"last {SHORTEST_S} s or more, and have five time steps"
            refuse(owner, "X", wanted, f"{n_times} time steps at {fs:g} Hz")
        if n_leads is not None and stack.shape[1] != n_leads:
            refuse(owner, "X", f"have {n_leads} leads", stack.shape[1])
    return stacks


def _pieces(X: Array) -> list[FloatArray]:
    """Cut records into pieces (n, n_leads, n_times) that fit into a cache."""
    if X.ndim == 2:
        X = X[:, np.newaxis]  # (n, 1, times)
    n = max(1, N_AT_ONCE // (X.shape[1] * X.shape[2]))
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    return [X[k : k + n].astype(dtype, copy=False) for k in range(0, len(X), n)]
