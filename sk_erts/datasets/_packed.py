"""Files that hold many records, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from sk_erts._lib.checks import check_choice, check_shape
from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._lib.whole import whole_file
from sk_erts._records.pages import PageCounter
from sk_erts.datasets._channels import told_as
from sk_erts.datasets._lazy import LazyRecords
from sk_erts.datasets._npz import MALFORMED

__all__ = [
    "PackedRecords",
    "open_npy",
    "pieces_of",
    "to_memmap",
    "write_npy",
]

# Records that one process reads before it hands them on.
N_AT_ONCE = 64
LARGEST_INT16 = 32767
OPEN = ("_file", "_pages")


class PackedRecords(LazyRecords):
    """Records in a file of 16-bit numbers, each record with its own scale.

    `to_memmap` writes such files and `open_records` opens them.

    Parameters
    ----------
    path : path-like
        A file that ``to_memmap(..., dtype="int16")`` wrote.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sk_erts.datasets import make_ecg, to_memmap
    >>> X, _ = make_ecg(4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     packed = to_memmap(X, Path(folder, "ecg.npy"), dtype="int16")
    ...     print(packed, bool(abs(packed.load() - X).max() < 1e-3))
    PackedRecords(shape=(4, 12, 1000)) True
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._open()
        super().__init__(self._file["signal"].shape)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open file behind: whoever gets this opens it anew."""
        return {key: value for key, value in vars(self).items() if key not in OPEN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:
        self._file = np.load(self.path, mmap_mode="r")
        self._pages = PageCounter(self._file)

    def _read(self, rows: IntArray) -> FloatArray:
        part = self._file[rows]
        self._pages.count(len(part), part.nbytes)
        scale = part["scale"][:, np.newaxis, np.newaxis]
        X: FloatArray = part["signal"] * scale
        return X


def to_memmap(
    records: Any,
    path: str | os.PathLike[str],
    *,
    dtype: str = "float32",
    overwrite: bool = False,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Any:
    """Write records to one file that is read piece by piece, and open it.

    The file appears under its name when it is whole; a crash leaves none.

    Parameters
    ----------
    records : ndarray of shape (n_samples, n_leads, n_times), RecordArray or similar
        What has `shape` and can be sliced.
    path : path-like
        File to write; its name should end in ``.npy``.
    dtype : {"float32", "int16"}, default="float32"
        ``"int16"`` takes half the space and keeps each record to one part in 65,534 of
        its largest amplitude.
    overwrite : bool, default=False
        Whether a file of this name may be replaced.
    n_jobs : int, default=None
        Number of processes that read; None is one.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    X : memmap of shape (n_samples, n_leads, n_times), or PackedRecords
        What `open_records` returns.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, or a record holds values that are not
        finite.
    FileExistsError
        If there is such a file, and it may not be replaced.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sk_erts.datasets import make_ecg, to_memmap
    >>> X, _ = make_ecg(4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mapped = to_memmap(X, Path(folder, "ecg.npy"))
    ...     print(type(mapped).__name__, mapped.shape, bool((mapped == X).all()))
    memmap (4, 12, 1000) True
    """
    check_choice("to_memmap", "dtype", dtype, ("float32", "int16"))
    shape = tuple(records.shape)
    check_shape("to_memmap", "records", shape, "(n_samples, n_leads, n_times)")
    stored: np.dtype[Any] = np.dtype(np.float32)
    if dtype == "int16":
        stored = np.dtype([("scale", np.float32), ("signal", np.int16, shape[1:])])
        shape = shape[:1]
    pieces = pieces_of("to_memmap", records, dtype, n_jobs, verbose)
    write_npy(path, stored, shape, pieces, overwrite=overwrite)
    return open_npy(path)


def open_npy(path: str | os.PathLike[str]) -> Any:
    """Open a file that `to_memmap` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    X : memmap of shape (n_samples, n_leads, n_times), or PackedRecords
        Nothing is read yet.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    with told_as(f"{os.fspath(path)}: the array of numpy is not sound", MALFORMED):
        file: Array = np.load(path, mmap_mode="r")
    if file.dtype.names == ("scale", "signal") and file.ndim == 1:
        return PackedRecords(path)
    if file.dtype != np.float32 or file.ndim != 3:
        raise ValueError(
            f"{os.fspath(path)} must hold records as to_memmap writes them. Got an "
            f"array of {file.dtype} with {file.ndim} dimensions instead."
        )
    return file


def write_npy(
    path: str | os.PathLike[str],
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    pieces: Iterable[Array],
    *,
    overwrite: bool = False,
) -> None:
    """Write an array piece by piece to a file that appears when it is whole.

    Parameters
    ----------
    path : path-like
        File to write.
    dtype : dtype
        Of the array.
    shape : tuple of int
        Of the array.
    pieces : iterable of ndarray of shape (n, ...)
        Its rows, in order; all of them together are ``shape[0]``.
    overwrite : bool, default=False
        Whether a file of this name may be replaced.

    Raises
    ------
    FileExistsError
        If there is such a file, and it may not be replaced; before any piece is made.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"{target} is there already. Remove it, name another file, or, to "
            "to_memmap, pass overwrite=True."
        )
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    # Not through a map: its pages would count as memory of this process.
    with whole_file(target) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype=dtype).data)


def pieces_of(
    owner: str, records: Any, dtype: str, n_jobs: int | None, verbose: bool
) -> Iterator[Array]:
    """Yield the records as they are stored; nothing is read before the first one.

    Parameters
    ----------
    owner : str
        Whose records they are, for errors.
    records, dtype, n_jobs, verbose
        As those of `to_memmap`.

    Yields
    ------
    piece : ndarray of shape (n, n_leads, n_times), or (n,) with scale and signal
        Some of them, in order.
    """
    loaded = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_load)(records[start : start + N_AT_ONCE], start, dtype, owner)
        for start in range(0, records.shape[0], N_AT_ONCE)
    )
    with tqdm(total=records.shape[0], unit="record", disable=not verbose) as bar:
        for piece in loaded:
            yield piece
            bar.update(len(piece))


def _load(part: Any, first: int, dtype: str, owner: str) -> NDArray[Any]:
    """Return a slice of the records as it is stored."""
    X = np.asarray(part.load() if hasattr(part, "load") else part, dtype=np.float32)
    bad = ~np.isfinite(X).all(axis=(1, 2))
    if bad.any():
        raise ValueError(
            f"Record {first + int(bad.argmax())} of {owner} contains NaN or infinity. "
            "Repair it, or leave it out."
        )
    if dtype == "float32":
        return X
    largest = abs(X).max(axis=(1, 2))
    scale = (np.where(largest > 0, largest, 1) / LARGEST_INT16).astype(np.float32)
    packed = np.empty(
        len(X), dtype=[("scale", np.float32), ("signal", np.int16, X.shape[1:])]
    )
    packed["scale"] = scale
    packed["signal"] = np.rint(X / scale[:, np.newaxis, np.newaxis])
    return packed
