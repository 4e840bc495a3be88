"""Records that are read when they are asked for."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.datasets._many import shares_samples
from sk_erts.datasets._missing import missing_table
from sk_erts.datasets._options import check_reading, same_leads
from sk_erts.datasets._paths import as_paths
from sk_erts.datasets._records import Record, read_record
from sk_erts.exceptions import RecordError

__all__ = ["LazyRecords", "RecordArray"]


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
        Paths of the records, with or without ``.hea`` or the ending of their signal
        file. All must have the leads, the sampling frequency and the length of the
        first one; none may be a segment of another.
    leads : iterable of str or int, str or int, default=None
        Leads to read, in this order, by name in whatever case, or by number from 0;
        None reads all. What is wrong with others does not matter.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with samples that a record lacks, see `read_records`; the method
        `missing_samples` tells of it. A record that is cut must still have the length
        of the first one.
    assume : mapping, default=None
        What is meant by headers that do not say it: ``fs`` in Hz, ``gain`` in steps per
        mV, ``lead_names``; see `read_records`.
    allow_flat : bool, default=False
        Whether a lead that is read may be constant through a whole record.
    n_jobs : int, default=None
        Number of processes that read a batch; None is one.

    Attributes
    ----------
    shape : tuple of int
        Number of records, leads and time steps.
    paths : list of str
        Of the records, without extension.
    lead_names : tuple of str
        Leads of the records.
    fs : float
        Sampling frequency in Hz.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, such as one path in place of several.
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
        leads: Iterable[str | int] | str | int | None = None,
        missing: str = "raise",
        assume: Mapping[str, Any] | None = None,
        allow_flat: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.paths = [os.fspath(path) for path in as_paths(self, paths)]
        self.allow_flat = allow_flat
        self.n_jobs = n_jobs
        self._how = check_reading(
            self, leads=leads, allow_flat=allow_flat, missing=missing, assume=assume
        )
        first = read_record(self.paths[0], self._how)
        self.lead_names = first.lead_names
        self.fs = first.fs
        super().__init__((len(self.paths), *first.signal.shape))
        self._checked(first)

    def missing_samples(self) -> Any:
        """Read all records, and tell what they lack.

        Returns
        -------
        missing : pandas.DataFrame
            One row per lead of a record that lacks samples: ``record``, ``lead``,
            ``n_missing`` and ``n_times`` (samples, as recorded), ``share``, and
            ``first``, the time step of the recording that the signal begins with. Empty
            where missing samples are not allowed.
        """
        found = self._records(self._rows)
        return missing_table((record.name, record.missing) for record in found)

    def _read(self, rows: IntArray) -> FloatArray:
        X = np.empty((len(rows), *self._stored_shape[1:]), dtype=np.float32)
        for x, record in zip(X, self._records(rows), strict=True):
            x[:] = record.signal
        return X

    def _records(self, rows: IntArray) -> Iterator[Record]:
        """Yield stored records that are like the first one."""
        paths = [self.paths[row] for row in rows]
        read = partial(read_record, how=self._how)
        if self.n_jobs in (None, 1):
            found: Any = map(read, paths)
        else:
            found = Parallel(n_jobs=self.n_jobs)(map(delayed(read), paths))
        yield from map(self._checked, found)

    @cached_property
    def _places(self) -> frozenset[str]:
        return frozenset(map(os.path.abspath, self.paths))

    def _checked(self, record: Record) -> Record:
        """Return a record that is like the first one, and no whole of another."""
        shape = self._stored_shape[1:]
        like_first = (
            record.signal.shape == shape
            and same_leads(record.lead_names, self.lead_names)
            and record.fs == self.fs
        )
        if not like_first:
            raise RecordError(
                f"{record.name}: a record of this RecordArray must have the leads "
                f"{', '.join(self.lead_names)} at {self.fs} Hz and the shape {shape}. "
                f"Got {', '.join(record.lead_names)} at {record.fs} Hz, "
                f"{record.signal.shape} instead."
            )
        # Asked of each when it is read: headers of a million records take too long.
        for part in record.parts:
            if os.path.abspath(part) in self._places:
                raise shares_samples(part, record.name)
        return record
