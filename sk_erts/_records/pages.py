"""Memory maps that do not fill the memory."""

from __future__ import annotations

import mmap
from typing import Any

__all__ = ["PageCounter"]

# Bytes of a file that may stay mapped: enough for a batch, little for a small machine.
MAPPED_AT_MOST = 2**28

# A record that is asked for may bring as much of the file with it.
LARGEST_PAGE = 2**21


class PageCounter:
    """Give back the pages of a memory map once a quarter of a gigabyte may be mapped.

    Pages that were read count as memory of the process until the system wants them
    back; on a large file that looks as if all of it were loaded. What was given back is
    still in the system's cache of the file. Only maps that cannot be written to are
    touched.

    Parameters
    ----------
    source : object
        Nothing is done for anything but a `numpy.memmap` opened with mode ``"r"``.
    """

    def __init__(self, source: Any) -> None:
        is_readonly = getattr(source, "mode", None) == "r"
        self._map = getattr(source, "_mmap", None) if is_readonly else None
        if not hasattr(self._map, "madvise") or not hasattr(mmap, "MADV_DONTNEED"):
            self._map = None  # as on Windows
        self._n_bytes = 0

    def count(self, n_records: int, n_bytes: int) -> None:
        """Count what was read.

        Parameters
        ----------
        n_records : int
            How many records, which may lie anywhere in the file.
        n_bytes : int
            How much they hold.
        """
        self._n_bytes += max(n_bytes, n_records * LARGEST_PAGE)
        if self._map is not None and self._n_bytes >= MAPPED_AT_MOST:
            self._map.madvise(mmap.MADV_DONTNEED)
            self._n_bytes = 0
