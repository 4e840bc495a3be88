"""One file of a Zarr array whose chunks are records."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from sk_erts._lib.typing import Array, IntArray
from sk_erts.exceptions import RecordError

__all__ = ["ENTRY_BYTES", "Shard", "index_of"]

# Records that one call of the system reads; POSIX lets it fill 1024 buffers.
N_PER_CALL = 512
NO_CHUNK = 2**64 - 1
# Of the index of a shard, for each record: where it begins, and its size.
ENTRY_BYTES = 16
CAN_TELL = hasattr(os, "posix_fadvise")
_SEEKING = threading.Lock()


class Shard:
    """Records of one size behind each other, and an index of them.

    Other threads may read at the same time. The file is closed with the last of those
    that hold this object.

    Parameters
    ----------
    path : Path
        The file.
    n_records : int
        Records in it.
    n_places : int
        Records that it has room for.
    record_bytes : int
        Size of each.

    Raises
    ------
    RecordError
        If its index is another one.
    """

    def __init__(
        self, path: Path, n_records: int, n_places: int, record_bytes: int
    ) -> None:
        self.path = path
        self.record_bytes = record_bytes
        self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        expected = index_of(n_records, record_bytes, n_places)
        index = np.empty_like(expected)
        self._fill([index], n_records * record_bytes)
        if not np.array_equal(index, expected):
            raise RecordError(
                f"{path}: the shard must hold {n_records} records one behind another. "
                "Its index says otherwise; copy the folder anew, or write it again."
            )

    def __del__(self) -> None:
        with suppress(AttributeError):  # where the file could not be opened
            os.close(self._handle)

    def will_need(self, first: int, n: int) -> None:
        """Let the system fetch records in the background.

        Parameters
        ----------
        first, n : int
            The first one, and how many.
        """
        if CAN_TELL:
            start, size = first * self.record_bytes, n * self.record_bytes
            with suppress(OSError):  # some file systems know no such thing
                os.posix_fadvise(self._handle, start, size, os.POSIX_FADV_WILLNEED)

    def read(self, first: int, into: Sequence[Array]) -> None:
        """Read records that lie one behind another.

        Parameters
        ----------
        first : int
            The first one.
        into : sequence of ndarray
            Contiguous, of the size of a record; each is filled with one.

        Raises
        ------
        RecordError
            If the file ends too early.
        """
        for start in range(0, len(into), N_PER_CALL):
            arrays = into[start : start + N_PER_CALL]
            self._fill(arrays, (first + start) * self.record_bytes)

    def _fill(self, arrays: Sequence[Array], offset: int) -> None:
        views = [array.data.cast("B") for array in arrays]
        while views:
            n_read = _read_at(self._handle, views, offset)
            if n_read == 0:
                raise RecordError(
                    f"{self.path}: the shard ends before its last record. Copy the "
                    "folder anew, or write it again."
                )
            offset += n_read
            while views and n_read >= len(views[0]):
                n_read -= len(views.pop(0))
            if n_read:
                views[0] = views[0][n_read:]


def index_of(n_records: int, record_bytes: int, n_places: int) -> IntArray:
    """Return the index of a shard: where each record begins, and its size.

    Parameters
    ----------
    n_records : int
        Records in it.
    record_bytes : int
        Size of each.
    n_places : int
        Records that it has room for.

    Returns
    -------
    index : uint64 ndarray of shape (n_places, 2)
        In bytes; the largest number for places without a record.
    """
    index = np.full((n_places, 2), NO_CHUNK, dtype="<u8")
    index[:n_records, 0] = np.arange(n_records) * record_bytes
    index[:n_records, 1] = record_bytes
    return index


def _read_at(handle: int, views: list[memoryview], offset: int) -> int:
    """Fill buffers from a place in a file, as far as the system does at once."""
    if hasattr(os, "preadv"):
        return os.preadv(handle, views, offset)
    with _SEEKING:  # Windows: the place is shared by all threads
        os.lseek(handle, offset, os.SEEK_SET)
        content = os.read(handle, len(views[0]))
    views[0][: len(content)] = content
    return len(content)
