"""Batches of what was chosen, renewed several times per epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sk_erts._lib.typing import IntArray

__all__ = ["SelectionSampler"]

Choose = Callable[[IntArray], IntArray]
Spare = Callable[[int], IntArray]


class SelectionSampler:
    """Walk through the records in random order and yield batches of chosen ones.

    The order is cut in intervals of equal length. When the loader asks for a batch that
    is not there yet, `choose` is called with the next interval, so that each choice is
    made with the network as it is at that moment.

    Parameters
    ----------
    n_records : int
        Size of the training set.
    batch_size : int
        Records per batch.
    interval : int or "batch"
        About how many records lie between two renewals of the selection. With a
        number, batches are filled across intervals, and only the last one of an epoch
        may be smaller. ``"batch"`` is the authors' scheme: what is kept of `batch_size`
        records is a batch, however small.
    rng : Generator
        Shuffles the records.
    choose : callable, optional
        Maps positions of records to those of them that are trained; by default it
        keeps all.
    spare : callable, optional
        Maps a number of free places to positions of records that may be trained too,
        and now are; by default nobody may. The last batch of an epoch is filled up with
        them: a step on a few hard records alone leads astray, and is as large as any
        other to an optimiser that adapts its steps; and the batch's size would be a new
        one in each epoch, for which a processor prepares its convolutions anew. Nobody
        is asked with ``interval="batch"``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import SelectionSampler
    >>> def choose_even(index):
    ...     return index[index % 2 == 0]
    >>> sampler = SelectionSampler(10, 3, 5, np.random.default_rng(0), choose_even)
    >>> [len(batch) for batch in sampler]
    [3, 2]
    """

    def __init__(
        self,
        n_records: int,
        batch_size: int,
        interval: int | str,
        rng: np.random.Generator,
        choose: Choose | None = None,
        spare: Spare | None = None,
    ) -> None:
        self.n_records = n_records
        self.batch_size = batch_size
        self.interval = interval
        self.rng = rng
        self.choose = choose or _keep_all
        self.spare = spare or _nobody

    def __iter__(self) -> Iterator[IntArray]:
        for batches in self.intervals():
            yield from batches

    def intervals(self) -> Iterator[list[IntArray]]:
        """Walk as iteration does, from one choice to the next.

        Yields
        ------
        batches : list of int ndarray
            All that there are before `choose` is called again.
        """
        order = self.rng.permutation(self.n_records)
        if self.interval == "batch":
            for start in range(0, self.n_records, self.batch_size):
                kept = self.choose(order[start : start + self.batch_size])
                yield [kept] if len(kept) else []
            return
        # Of equal length, since a short one at the end would cost a renewal too.
        n_intervals = max(1, round(self.n_records / int(self.interval)))
        waiting = order[:0]
        for piece in np.array_split(order, n_intervals):
            waiting = np.concatenate([waiting, self.choose(piece)])
            whole = len(waiting) - len(waiting) % self.batch_size
            ends = range(self.batch_size, whole + 1, self.batch_size)
            yield [waiting[end - self.batch_size : end] for end in ends]
            waiting = waiting[whole:]
        if len(waiting):
            n_free = self.batch_size - len(waiting)
            yield [np.concatenate([waiting, self.spare(n_free)])]


def _keep_all(index: IntArray) -> IntArray:
    return index


def _nobody(n_free: int) -> IntArray:
    return np.empty(0, dtype=np.intp)
