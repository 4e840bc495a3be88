"""Records that are read when they are asked for, and files that hold them all."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from sk_erts._typing import Array, FloatArray, IntArray
from sk_erts.datasets._records import Record, read_record
from sk_erts.exceptions import RecordError

__all__ = ["LazyRecords", "PackedRecords", "RecordArray", "open_records", "to_memmap"]

# Records that one process reads before it hands them on.
N_AT_ONCE = 64
LARGEST_INT16 = 32767


class LazyRecords(ABC):
    """Records of one shape that are read when they are asked for.

    An integer gives a record; a slice, a mask or an array of indices gives another
    collection, of which nothing is read yet. So cross-validation and grid searches
    divide it without loading it.

    Parameters
    ----------
    shape : tuple of int
        Number of records, leads and time steps of what is stored.
    rows : int ndarray, optional
        Which of the stored records belong to this collection; all by default.

    Attributes
    ----------
    dtype : dtype
        float32.
    ndim : int
        3.
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(
        self, shape: tuple[int, int, int], rows: IntArray | None = None
    ) -> None:
        self._stored_shape = shape
        self._rows = np.arange(shape[0]) if rows is None else rows

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of records, leads and time steps."""
        return (len(self._rows), *self._stored_shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape})"

    def __getitem__(self, key: Any) -> Any:
        """Return a record, or a collection of some of them."""
        if isinstance(key, tuple):  # scikit-learn asks for ``X[rows, ...]``
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError(
                    f"{type(self).__name__} has one index, that of the records. Got "
                    f"{len(key)}; take the records first."
                )
            key = key[0]
        rows = self._rows[key]
        if np.ndim(rows) == 0:
            return self._read(np.array([rows]))[0]
        return self._of(rows)

    def __getitems__(self, index: Sequence[int]) -> list[FloatArray]:
        """Return several records, as torch's loaders ask for them."""
        return list(self.take(np.asarray(index)))

    def take(self, index: IntArray) -> FloatArray:
        """Read several records.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Which ones.

        Returns
        -------
        X : ndarray of shape (n, n_leads, n_times), dtype float32
            In mV.
        """
        return self._read(self._rows[index])

    def load(self) -> FloatArray:
        """Read all records.

        Returns
        -------
        X : ndarray of shape (n_samples, n_leads, n_times), dtype float32
            In mV.
        """
        return self._read(self._rows)

    def _of(self, rows: IntArray) -> Self:
        """Return the collection of some of the stored records."""
        part = object.__new__(type(self))
        part.__dict__.update(self.__dict__)
        part._rows = rows
        return part

    @abstractmethod
    def _read(self, rows: IntArray) -> FloatArray:
        """Read stored records."""


class RecordArray(LazyRecords):
    """WFDB records on disk that are read when they are asked for.

    Parameters
    ----------
    paths : sequence of path-like
        Paths of the records without extension. All must have the leads, the sampling
        frequency and the length of the first one.
    allow_flat : bool, default=False
        Whether a lead may be constant through a whole record.
    n_jobs : int, default=None
        Number of processes that read a batch; None is one.

    Attributes
    ----------
    shape : tuple of int
        Number of records, leads and time steps.
    lead_names : tuple of str
        Leads of the records.
    fs : float
        Sampling frequency in Hz.

    Raises
    ------
    ValueError
        If there are no paths.
    RecordError, RecordNotFoundError
        If a record cannot be read, or differs from the first one; when it is asked
        for, and in ``fit`` before anything is trained.

    See Also
    --------
    to_memmap : Writes records to one file, from which they are read much faster.

    Examples
    --------
    >>> from sk_erts.datasets import RecordArray
    >>> RecordArray(["not/here"])
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: not/here.hea: there is no such header. ...
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        allow_flat: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.paths = [os.fspath(path) for path in paths]
        if not self.paths:
            raise ValueError("RecordArray must have a path or more. Got none instead.")
        self.allow_flat = allow_flat
        self.n_jobs = n_jobs
        first = read_record(self.paths[0], allow_flat=allow_flat)
        self.lead_names = first.lead_names
        self.fs = first.fs
        super().__init__((len(self.paths), *first.signal.shape))

    def _read(self, rows: IntArray) -> FloatArray:
        X = np.empty((len(rows), *self._stored_shape[1:]), dtype=np.float32)
        paths = [self.paths[row] for row in rows]
        read = partial(read_record, allow_flat=self.allow_flat)
        if self.n_jobs in (None, 1):
            found: Any = map(read, paths)
        else:
            found = Parallel(n_jobs=self.n_jobs)(map(delayed(read), paths))
        for x, record in zip(X, found, strict=True):
            x[:] = self._checked(record)
        return X

    def _checked(self, record: Record) -> FloatArray:
        """Return the signals of a record that is like the first one."""
        shape = self._stored_shape[1:]
        like_first = (
            record.signal.shape == shape
            and record.lead_names == self.lead_names
            and record.fs == self.fs
        )
        if not like_first:
            raise RecordError(
                f"{record.name}: a record of this RecordArray must have the leads "
                f"{', '.join(self.lead_names)} at {self.fs} Hz and the shape {shape}. "
                f"Got {', '.join(record.lead_names)} at {record.fs} Hz, "
                f"{record.signal.shape} instead."
            )
        return record.signal


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
        return {key: value for key, value in vars(self).items() if key != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:
        self._file = np.load(self.path, mmap_mode="r")

    def _read(self, rows: IntArray) -> FloatArray:
        part = self._file[rows]
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
    if dtype not in ("float32", "int16"):
        raise ValueError(
            "The 'dtype' parameter of to_memmap must be 'float32' or 'int16'. Got "
            f"{dtype!r} instead."
        )
    target = Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"{target} is there already. Pass overwrite=True to replace it."
        )
    shape = tuple(records.shape)
    if len(shape) != 3 or 0 in shape:
        raise ValueError(
            "The records of to_memmap must have the shape (n_samples, n_leads, "
            f"n_times), none of it zero. Got {shape} instead."
        )
    stored: Any = np.float32
    if dtype == "int16":
        stored = np.dtype([("scale", np.float32), ("signal", np.int16, shape[1:])])
        shape = shape[:1]
    starts = range(0, len(records), N_AT_ONCE)
    pieces = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_load)(records[start : start + N_AT_ONCE], start, dtype)
        for start in starts
    )
    handle, part = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    os.close(handle)
    try:
        file = np.lib.format.open_memmap(part, mode="w+", dtype=stored, shape=shape)
        bar = tqdm(total=len(records), unit="record", disable=not verbose)
        with bar:
            for start, piece in zip(starts, pieces, strict=True):
                file[start : start + len(piece)] = piece
                bar.update(len(piece))
        file.flush()
        del file
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise
    return open_records(target)


def open_records(path: str | os.PathLike[str]) -> Any:
    """Open a file that `to_memmap` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    X : memmap of shape (n_samples, n_leads, n_times), or PackedRecords
        Nothing is read yet. Both can be fitted, divided and explained.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file.

    Examples
    --------
    >>> from sk_erts.datasets import open_records
    >>> open_records("not/here.npy")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'not/here.npy'
    """
    file: Array = np.load(path, mmap_mode="r")
    if file.dtype.names == ("scale", "signal") and file.ndim == 1:
        return PackedRecords(path)
    if file.dtype != np.float32 or file.ndim != 3:
        raise ValueError(
            f"{os.fspath(path)} must hold records as to_memmap writes them. Got an "
            f"array of {file.dtype} with {file.ndim} dimensions instead."
        )
    return file


def _load(part: Any, first: int, dtype: str) -> NDArray[Any]:
    """Return a slice of the records as it is stored."""
    X = np.asarray(part.load() if hasattr(part, "load") else part, dtype=np.float32)
    bad = ~np.isfinite(X).all(axis=(1, 2))
    if bad.any():
        raise ValueError(
            f"Record {first + int(bad.argmax())} of to_memmap contains NaN or "
            "infinity. Repair it, or leave it out."
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


def _umask() -> int:
    """Return the mask that new files get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
