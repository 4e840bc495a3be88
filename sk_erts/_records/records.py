"""Records in: arrays, memory maps, torch data sets and lazy collections alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array
from torch.utils.data import Dataset

from sk_erts._lib.typing import Array, FloatArray, IntArray, Recordings
from sk_erts._records.overview import Overview, look_over
from sk_erts._records.pages import PageCounter
from sk_erts._records.ragged import as_float32, as_list, fits_float32, is_ragged, pad
from sk_erts._records.signals import Signals, batches
from sk_erts._records.transfer import sent_to

__all__ = ["Records", "as_records", "targets_of"]


N_CHECKED_AT_ONCE = 64
# What is read of a lazy collection twice: a share, and no more records than these.
SHARE_READ_TWICE = 1 / 8
N_READ_TWICE = 32


class Records:
    """Records that are sliced by index arrays, one operation per batch.

    Parameters
    ----------
    source : ndarray or collection
        Holds the records. Arrays and memory maps are indexed, never copied whole;
        a collection with ``take(index)`` is asked for whole batches; of a torch
        ``Dataset`` or another collection, items (or the first entry of items that are
        tuples) are stacked.

    Attributes
    ----------
    n_leads, n_times : int
        Leads, and time steps of the longest record.
    lengths : int ndarray of shape (n_samples,) or None
        None, since all records have the same length.
    """

    lengths: IntArray | None = None

    def __init__(self, source: Recordings) -> None:
        self.source = source
        self._pages = PageCounter(source)
        self._is_array = isinstance(source, np.ndarray)
        self._takes = hasattr(source, "take")
        self._overview: Overview | None = None
        first = self.take(np.array([0]))
        self.n_leads, self.n_times = first.shape[1:]

    def __len__(self) -> int:
        return len(self.source)

    def take(self, index: IntArray) -> FloatArray:
        """Return records of shape (n, n_leads, n_times), float32, in a new array.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Which records.

        Returns
        -------
        X : ndarray of shape (n, n_leads, n_times), dtype float32
            In the unit of the source.

        Raises
        ------
        ValueError
            If the records have different shapes, or none that can be read.
        """
        if self._is_array:
            batch = as_float32(self.source[index])
            self._pages.count(len(batch), batch.nbytes)
        elif self._takes:
            batch = self._taken(index)
        else:
            batch = self._stack(index)
        return batch if batch.ndim == 3 else batch[:, np.newaxis, :]  # (n, 1, times)

    def arrays(self, index: IntArray) -> FloatArray | list[FloatArray]:
        """Return records as they are, without padding.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Which records.

        Returns
        -------
        X : ndarray of shape (n, n_leads, n_times), or list of n ndarray of shape \
                (n_leads, n_times)
            A list where records differ in length.
        """
        return self.take(index)

    def signals(self, index: IntArray, device: torch.device) -> Signals:
        """Return records as a network gets them.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Which records.
        device : torch.device
            Where the network is.

        Returns
        -------
        signals : Signals
            In the unit of the source.
        """
        return Signals(sent_to(torch.from_numpy(self.take(index)), device))

    def batches(self, batch_size: int) -> list[IntArray]:
        """Return the positions of all records in pieces.

        Parameters
        ----------
        batch_size : int
            Positions per piece; the last one may have fewer.

        Returns
        -------
        pieces : list of int ndarray
            Each position in one of them.
        """
        return batches(len(self), batch_size)

    def read_through(self) -> Overview:
        """Look at all records, so that a bad one fails at the start.

        A lazy collection is read once for it; an array in memory is looked at where
        it is, a memory map only if it has not been read through already.

        Returns
        -------
        overview : Overview
            Of all records.

        Raises
        ------
        ValueError
            If a record has another shape, or values that are not finite. Arrays in
            memory are checked where they come in.
        """
        if self._overview is None:
            self._overview = look_over(self._all(), len(self))
        return self._overview

    def glance(self) -> Overview:
        """Look at all records that can be looked at for nothing.

        Returns
        -------
        overview : Overview
            Of a few records of a lazy collection, of all records of others.
        """
        if self._is_array:
            return self.read_through()
        n_read = max(1, min(N_READ_TWICE, int(SHARE_READ_TWICE * len(self))))
        rows = np.linspace(0, len(self) - 1, n_read).astype(np.int64)
        return look_over([(rows, self.take(rows))], n_read)

    def _all(self) -> Iterator[tuple[IntArray, Iterable[Array]]]:
        """Yield rows and records; arrays in memory whole, as they are."""
        if isinstance(self.source, np.ndarray) and not isinstance(
            self.source, np.memmap
        ):
            shape = len(self), self.n_leads, self.n_times
            yield np.arange(len(self)), self.source.reshape(shape)
            return
        for index in self.batches(N_CHECKED_AT_ONCE):
            yield index, self._checked(index)

    def _checked(self, index: IntArray) -> FloatArray:
        """Return records, or raise for the first that is not finite."""
        X = self.take(index)
        bad = ~np.isfinite(X).all(axis=(1, 2))
        if bad.any():
            raise ValueError(_not_finite(X[bad][0], int(index[bad.argmax()])))
        return X

    def _taken(self, index: IntArray) -> FloatArray:
        """Return records of a collection that reads a whole batch at once."""
        batch = as_float32(self.source.take(index))  # type: ignore[attr-defined]
        bad = ~np.isfinite(batch).all(axis=tuple(range(1, batch.ndim)))
        if bad.any():
            raise ValueError(
                f"Record {index[bad.argmax()]} of X contains NaN or infinity. Repair "
                "it, or leave it out."
            )
        return batch

    def _stack(self, index: IntArray) -> FloatArray:
        items = _items(self.source, index)
        arrays = [as_float32(_record_of(item)) for item in items]
        shapes = [array.shape for array in arrays]
        for i, array in zip(index, arrays, strict=True):
            if array.shape != shapes[0] or array.ndim not in (1, 2):
                raise ValueError(
                    f"Record {i} of X has the shape {array.shape}; every record must "
                    "have one shape, (n_leads, n_times) or (n_times,). Record "
                    f"{index[0]} has {shapes[0]}."
                )
            if not np.isfinite(array).all():
                raise ValueError(
                    f"Record {i} of X contains NaN or infinity. Repair it, or leave "
                    "it out."
                )
        return np.stack(arrays)


class RaggedRecords(Records):
    """Records of different lengths, padded batch by batch.

    Parameters
    ----------
    source : list of ndarray of shape (n_leads, n_times)
        Checked records.
    """

    lengths: IntArray

    def __init__(self, source: list[FloatArray]) -> None:
        self._arrays = source
        self.source = source
        self._overview = None
        self.lengths = np.array([record.shape[1] for record in source])
        self.n_leads = len(source[0])
        self.n_times = int(self.lengths.max())

    def take(self, index: IntArray) -> FloatArray:
        """Return records (n, n_leads, n_padded) with zeros behind the shorter ones."""
        return pad([self.source[i] for i in index])

    def arrays(self, index: IntArray) -> list[FloatArray]:
        """Return the records themselves."""
        return [self.source[i] for i in index]

    def signals(self, index: IntArray, device: torch.device) -> Signals:
        """Return records with where each ends."""
        lengths = sent_to(torch.from_numpy(self.lengths[index]), device)
        return Signals(super().signals(index, device).x, lengths)

    def batches(self, batch_size: int) -> list[IntArray]:
        """Return the positions of all records in pieces of similar lengths."""
        order = np.argsort(self.lengths, kind="stable")
        return [order[piece] for piece in super().batches(batch_size)]

    def glance(self) -> Overview:
        """Look at all records: they are in memory."""
        return self.read_through()

    def _all(self) -> Iterator[tuple[IntArray, Iterable[Array]]]:
        """Yield rows and records, as they are."""
        yield np.arange(len(self)), self._arrays


def as_records(X: Any, estimator: Any) -> Records:
    """Check records and make them indexable by arrays.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
            Dataset or collection
        Arrays and what converts to one are checked for shape and finite values. The
        arrays of a list, or of an object array, may differ in length. Anything else
        with ``len`` and indexing is read lazily.
    estimator : estimator
        Named in errors.

    Returns
    -------
    records : Records
        The same data.

    Raises
    ------
    ValueError
        If there are no records, they have the wrong number of dimensions, or hold
        values that are not finite.
    """
    if _is_lazy(X):
        if len(X) == 0:
            raise ValueError(
                f"Found array with 0 sample(s) while a minimum of 1 is required by "
                f"{type(estimator).__name__}."
            )
        return Records(X)
    if is_ragged(X):
        arrays = as_list(X, type(estimator).__name__)
        if len({array.shape for array in arrays}) > 1:
            return RaggedRecords(arrays)
        return Records(np.stack(arrays))
    mapped = X if isinstance(X, np.memmap) else None
    X = check_array(
        X,
        dtype="numeric",
        allow_nd=True,
        ensure_all_finite=False,  # told below, with the record
        estimator=estimator,
        input_name="X",
    )
    if X.ndim > 3:
        raise ValueError(
            f"X of {type(estimator).__name__} must have the shape (n_samples, n_leads, "
            f"n_times), or (n_samples, n_times) for one lead. Got {X.shape} instead."
        )
    if 0 in X.shape:
        raise ValueError(
            f"X of {type(estimator).__name__} must have at least one lead and one "
            f"time step. Got the shape {X.shape} instead."
        )
    if mapped is None:
        _check_finite(X)
        return Records(X)
    records = Records(mapped)
    records.read_through()
    return records


def targets_of(X: Any) -> Any:
    """Return the labels that a data set carries beside its records.

    Parameters
    ----------
    X : Dataset
        Its items are pairs of a record and a label.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_labels), or None
        None where the items are no pairs.
    """
    if not _is_lazy(X) or len(X) == 0 or not isinstance(X[0], tuple):
        return None
    return np.stack([np.asarray(X[i][1]) for i in range(len(X))])


def _check_finite(X: Array) -> None:
    """Raise for an array that holds NaN, infinity or more, and name the record."""
    if _is_sound(X):
        return
    for row, x in enumerate(X):
        if not (np.isfinite(x).all() and fits_float32(x)):
            raise ValueError(_not_finite(x, row))


def _is_sound(X: Array) -> bool:
    """Return whether all numbers of an array are finite, in float32 too."""
    try:
        with np.errstate(invalid="ignore"):  # the sum is none if there are -inf and inf
            assert_all_finite(X)
    except ValueError:
        return False
    return fits_float32(X)


def _not_finite(x: Array, row: int) -> str:
    """Say what a record holds that it must not."""
    what = (
        "NaN"
        if np.isnan(x).any()
        else "infinity"
        if np.isinf(x).any()
        else "a number that is infinite in float32"
    )
    return f"Input X contains {what}, in record {row}. Repair it, or leave it out."


def _is_lazy(X: Any) -> bool:
    """Tell collections that are read record by record from what is an array."""
    return isinstance(X, Dataset) or (
        hasattr(X, "__getitem__")
        and hasattr(X, "__len__")
        and not hasattr(X, "__array__")
        and not isinstance(X, list | tuple | dict | str)
        and not hasattr(X, "tocsr")
    )


def _items(source: Recordings, index: IntArray) -> Any:
    """Return the items at an index, in one call where the source has one."""
    if hasattr(source, "__getitems__"):
        return source.__getitems__(index.tolist())
    return [source[int(i)] for i in index]


def _record_of(item: Any) -> Any:
    return item[0] if isinstance(item, tuple) else item
