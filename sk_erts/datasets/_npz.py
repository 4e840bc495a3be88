"""Records in an archive that `numpy.savez` wrote."""

from __future__ import annotations

import os
import struct
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np

from sk_erts._lib.typing import Array
from sk_erts.datasets._channels import told_as

__all__ = ["MALFORMED", "is_npz", "open_npz"]

# What a zip file begins with, and one without entries.
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
NAME = "X"
# Of each entry of a zip file: this many bytes, of which the last four say how long the
# name and the extra field behind them are.
LOCAL_HEADER = 30
# What zipfile and numpy raise for a file that is not what it claims to be.
MALFORMED = (
    ArithmeticError,
    AssertionError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def is_npz(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is an archive, whatever it is called.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    is_npz : bool
        False for one with a single array, as ``numpy.save`` writes.
    """
    with open(path, "rb") as file:
        return file.read(4) in ZIP


def open_npz(path: str | os.PathLike[str]) -> Array:
    """Open the records of an archive: its array ``X``, or its only one.

    Parameters
    ----------
    path : path-like
        What ``numpy.savez`` or ``numpy.savez_compressed`` wrote.

    Returns
    -------
    X : memmap or ndarray of shape (n_samples, n_leads, n_times) or (n_samples, n_times)
        A map of the file if the array is not compressed; else it is loaded.

    Raises
    ------
    ValueError
        If it holds several arrays and none of that name, or no records; a
        `RecordError` if it is damaged.
    """
    name = os.fspath(path)
    damaged = f"{name}: the archive of numpy.savez is not sound"
    with told_as(damaged, MALFORMED), zipfile.ZipFile(path) as archive:
        entries = {
            entry.filename.removesuffix(".npy"): entry
            for entry in archive.infolist()
            if entry.filename.endswith(".npy")
        }
    if NAME not in entries and len(entries) != 1:
        held = ", ".join(map(repr, entries)) or "none"
        raise ValueError(
            f"{name} must hold records in an array {NAME!r}, or one array alone. "
            f"It holds {held}. If records are among them, numpy.load({name!r}) "
            "gives them."
        )
    key = NAME if NAME in entries else next(iter(entries))
    entry = entries[key]
    with (
        told_as(damaged, MALFORMED),
        zipfile.ZipFile(path) as archive,
        archive.open(entry) as file,
    ):
        shape, is_fortran, dtype = _header_of(file)
        n_header = file.tell()
    if dtype.kind not in "iuf" or len(shape) not in (2, 3):
        raise ValueError(
            f"The array {key!r} of {name} must hold real numbers in the shape "
            "(n_samples, n_leads, n_times), or (n_samples, n_times) for one lead. Got "
            f"{dtype} in the shape {shape} instead."
        )
    if entry.compress_type != zipfile.ZIP_STORED:
        with told_as(damaged, MALFORMED), np.load(path) as loaded:
            X: Array = loaded[f"{key}.npy"]
        return X
    with told_as(damaged, MALFORMED):
        return np.memmap(
            path,
            dtype=dtype,
            mode="r",
            offset=_start_of(path, entry) + n_header,
            shape=shape,
            order="F" if is_fortran else "C",
        )


def _header_of(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of the array that a file begins with."""
    if np.lib.format.read_magic(file) == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


def _start_of(path: str | os.PathLike[str], entry: zipfile.ZipInfo) -> int:
    """Return where in an archive the bytes of an entry begin."""
    with open(path, "rb") as file:
        file.seek(entry.header_offset)
        lengths = file.read(LOCAL_HEADER)[-4:]
    n_name, n_extra = np.frombuffer(lengths, dtype="<u2")
    return entry.header_offset + LOCAL_HEADER + int(n_name) + int(n_extra)
