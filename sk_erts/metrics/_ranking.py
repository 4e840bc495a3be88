"""In which order the samples of records are removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sk_erts._lib.checks import check_choice, check_count, refuse
from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.metrics._arrays import check_maps

__all__ = ["ORDERS", "RandomState", "Ranking", "rank_samples"]

RandomState = int | np.random.RandomState | None

ORDERS = ("descending", "ascending", "random")


@dataclass(frozen=True)
class Ranking:
    """The place of each block of samples in the order of removal.

    Attributes
    ----------
    ranks : int ndarray of shape (n_samples, n_blocks)
        0 for the block that goes first. Blocks are those of all leads, one lead after
        the other, or those of time alone.
    n_rows : int
        The number of leads, or 1 where all leads go together.
    window : int
        Time steps of a block; the last one of a lead may be shorter.
    n_times : int
        Time steps of a record.
    """

    ranks: IntArray
    n_rows: int
    window: int
    n_times: int

    @property
    def n_blocks(self) -> int:
        """The number of blocks of a record."""
        return int(self.ranks.shape[1])

    def mask(self, records: IntArray, first: IntArray, last: IntArray) -> BoolArray:
        """Return which samples are removed.

        Parameters
        ----------
        records : int ndarray of shape (k,)
            Indices of records.
        first, last : int ndarray of shape (k,)
            For each, the ranks that are removed, `last` excluded.

        Returns
        -------
        mask : bool ndarray of shape (k, 1 or n_leads, n_times)
            True for what is removed.
        """
        ranks = self.ranks[records]
        removed = (ranks >= first[:, np.newaxis]) & (ranks < last[:, np.newaxis])
        by_row = removed.reshape(len(records), self.n_rows, -1)  # (k, rows, blocks)
        return np.repeat(by_row, self.window, axis=2)[:, :, : self.n_times]


def rank_samples(
    owner: str,
    maps: Any,
    X: FloatArray,
    *,
    order: str = "descending",
    window: int = 1,
    random_state: RandomState = None,
) -> Ranking:
    """Rank the samples of records by their maps, ties at random.

    Parameters
    ----------
    owner : str
        The function that asks.
    maps : array-like of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Their records.
    order : {"descending", "ascending", "random"}, default="descending"
        What goes first.
    window : int, default=1
        Neighbouring time steps whose values are averaged, and which go together.
    random_state : int, RandomState instance or None, default=None
        Breaks ties.

    Returns
    -------
    ranking : Ranking
        The order of removal.

    Raises
    ------
    ValueError
        If an argument is not what it must be.
    """
    check_choice(owner, "order", order, ORDERS)
    values = _check_maps_of(owner, maps, X)
    n_samples, n_rows, n_times = values.shape
    check_count(owner, "window", window, 1, n_times)
    means = _block_means(values, window).reshape(n_samples, -1)
    draw = check_random_state(random_state).random_sample(means.shape)
    match order:
        case "descending":
            indices = np.lexsort((draw, -means), axis=-1)
        case "ascending":
            indices = np.lexsort((draw, means), axis=-1)
        case _:
            indices = np.argsort(draw, axis=-1)
    ranks = np.empty(means.shape, dtype=np.intp)
    np.put_along_axis(ranks, indices, np.arange(means.shape[1])[np.newaxis], axis=1)
    return Ranking(ranks, n_rows, window, n_times)


def _block_means(values: FloatArray, window: int) -> FloatArray:
    """Average neighbouring time steps: (n, rows, times) to (n, rows, blocks)."""
    if window == 1:
        return values
    n_times = values.shape[2]
    starts = np.arange(0, n_times, window)
    lengths = np.diff(starts, append=n_times)
    # Relative to the least value, so that the blocks of a constant map are equal to
    # the last bit, the shorter one at the end too.
    above = values - values.min(axis=(1, 2), keepdims=True)
    means: FloatArray = np.add.reduceat(above, starts, axis=2) / lengths
    return means


def _check_maps_of(owner: str, maps: Any, X: FloatArray) -> FloatArray:
    """Return maps (n, 1 or leads, times) that fit records (n, leads, times)."""
    array = check_maps(owner, "maps", maps)
    n_samples, n_leads, n_times = X.shape
    if array.shape not in [(n_samples, n_times), X.shape]:
        refuse(
            owner,
            "maps",
            f"fit the records: shape {(n_samples, n_times)} or "
            f"{(n_samples, n_leads, n_times)}",
            f"shape {array.shape}",
            "Interpolate maps that have fewer time steps than their records.",
        )
    return array.reshape(n_samples, -1, n_times)  # (n, 1 or leads, times)
