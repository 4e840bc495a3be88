"""How sure figures are: samples of the groups, say patients, that records are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.report._performance import Decisions, measure

__all__ = ["Measured", "bootstrap", "draws"]

# Numbers of a sample's records that are in memory at once.
AT_ONCE = 2**20


@dataclass(frozen=True)
class Measured:
    """Figures with their intervals.

    Attributes
    ----------
    value, low, high : ndarray of shape (n_measures, n_classes + 1), dtype float64
        The figures, and the ends of their intervals; NaN where there is none.
    n_left_out : int ndarray of the same shape
        Samples in which there is no such figure, and which the interval is not of.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    n_left_out: IntArray


def bootstrap(
    decisions: Decisions,
    groups: IntArray,
    parts: Sequence[IntArray],
    n_draws: int,
    level: float,
    rng: np.random.RandomState,
) -> list[Measured]:
    """Measure parts of the records, all of them in the same samples.

    Parameters
    ----------
    decisions : Decisions
        On all records.
    groups : int ndarray of shape (n_samples,)
        Groups that are drawn as wholes, numbered from 0.
    parts : sequence of int ndarray
        Rows of the records to measure.
    n_draws : int
        Number of samples.
    level : float
        Of the intervals, which go from quantile to quantile of the samples.
    rng : RandomState
        Draws them.

    Returns
    -------
    measured : list of Measured
        One for each part.
    """
    of_parts = [decisions.of(rows) for rows in parts]
    found: list[list[FloatArray]] = [[] for _ in parts]
    for weights in draws(groups, n_draws, rng):
        for own, rows, part in zip(found, parts, of_parts, strict=True):
            own.append(measure(part, weights[:, rows]))
    return [
        _measured(measure(part)[0], np.concatenate(own), level)
        for part, own in zip(of_parts, found, strict=True)
    ]


def draws(
    groups: IntArray, n_draws: int, rng: np.random.RandomState
) -> Iterator[FloatArray]:
    """Draw groups with replacement, as many as there are.

    Parameters
    ----------
    groups : int ndarray of shape (n_samples,)
        Numbered from 0.
    n_draws : int
        Number of samples.
    rng : RandomState
        Draws them, one after the other.

    Yields
    ------
    weights : ndarray of shape (n, n_samples), dtype float64
        How often each record is in each of the next n samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.report._bootstrap import draws
    >>> next(draws(np.array([0, 0, 1]), 2, np.random.RandomState(1))).tolist()
    [[0.0, 0.0, 2.0], [2.0, 2.0, 0.0]]
    """
    n_groups = int(groups.max()) + 1
    step = max(1, AT_ONCE // len(groups))
    for start in range(0, n_draws, step):
        n = min(step, n_draws - start)
        drawn = rng.randint(n_groups, size=(n, n_groups))
        cells = drawn + n_groups * np.arange(n)[:, np.newaxis]
        counts = np.bincount(cells.ravel(), minlength=n * n_groups)
        yield counts.reshape(n, n_groups)[:, groups].astype(np.float64)


def _measured(value: FloatArray, drawn: FloatArray, level: float) -> Measured:
    """Return figures with the quantiles of their samples."""
    known = np.isfinite(drawn)
    low, high = np.full((2, *value.shape), np.nan)
    ends = [(1 - level) / 2, (1 + level) / 2]
    for cell in zip(*np.nonzero(np.isfinite(value)), strict=True):
        own = drawn[:, *cell][known[:, *cell]]
        if len(own):
            low[cell], high[cell] = np.quantile(own, ends)
    return Measured(value, low, high, (~known).sum(axis=0))
