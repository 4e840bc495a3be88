"""Read many records, and tell of those that cannot be read."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from sk_erts.datasets._missing import Missing, missing_table
from sk_erts.datasets._options import Reading
from sk_erts.datasets._records import Record, read_record
from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = ["ManyRecords", "doubled", "read_many", "shares_samples"]


@dataclass(frozen=True)
class ManyRecords:
    """What was read of many records.

    Attributes
    ----------
    found : list or ndarray
        What was made of each of those that can be read.
    fine : bool ndarray of shape (n_paths,)
        Which ones these are.
    skipped : pandas.DataFrame
        One row for each of the others: its path, and what was wrong.
    missing : pandas.DataFrame
        See `missing_table`.
    """

    found: Any
    fine: NDArray[np.bool_]
    skipped: Any
    missing: Any


@dataclass(frozen=True)
class _Read:
    """What was made of one record, and what must be known of it meanwhile."""

    value: Any = None
    missing: tuple[Missing, ...] = ()
    parts: tuple[str, ...] = ()
    error: Exception | None = None


def read_many(
    paths: Sequence[str | os.PathLike[str]],
    convert: Callable[[Record], Any] | None = None,
    *,
    how: Reading,
    on_error: str,
    n_jobs: int | None,
    into: NDArray[Any] | None = None,
) -> ManyRecords:
    """Read records, and tell of those that cannot be read.

    Of a record of segments and its segments, the segments cannot.

    Parameters
    ----------
    paths : sequence of path-like
        Paths without extension.
    convert : callable, optional
        Makes of each record what is wanted of it; raises `RecordError` or
        `RecordNotFoundError` where it cannot. By default it is the record itself.
    how : Reading
        Which leads, and what is done with what is missing.
    on_error : {"raise", "skip"}
        Whether a record that cannot be read stops the reading.
    n_jobs : int or None
        Number of processes; None is one, or what joblib's configuration says.
    into : ndarray of shape (n_paths, ...), optional
        Takes what `convert` returns, so that it is not in memory twice; what is found
        are its first rows.

    Returns
    -------
    many : ManyRecords
        What was found.

    Raises
    ------
    ValueError
        If there is none that can be read.
    """
    names = [os.fspath(path) for path in paths]
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_read)(name, convert, how) for name in names
    )
    read: list[_Read] = []
    for result in results:
        if result.error is not None and on_error == "raise":
            raise result.error
        if into is not None and result.error is None:
            into[len(read)] = result.value
            result = _Read(None, result.missing, result.parts)
        read.append(result)
    errors = [result.error for result in read]
    for k, error in doubled(names, [result.parts for result in read]).items():
        if on_error == "raise":
            raise error
        errors[k] = errors[k] or error
    return _sorted_out(names, read, errors, into)


def doubled(
    paths: Sequence[str], parts: Sequence[Sequence[str]]
) -> dict[int, RecordError]:
    """Return errors for the records that are segments of others, by number.

    Parameters
    ----------
    paths : sequence of str
        Paths of records.
    parts : sequence of sequence of str
        Paths of the segments that each consists of.

    Returns
    -------
    errors : dict of int to RecordError
        To raise, or to tell.
    """
    whole_of = {
        os.path.abspath(part): path
        for path, of_path in zip(paths, parts, strict=True)
        for part in of_path
    }
    if not whole_of:  # as nearly always
        return {}
    return {
        k: shares_samples(path, whole)
        for k, path in enumerate(paths)
        if (whole := whole_of.get(os.path.abspath(path))) is not None
    }


def shares_samples(path: str, whole: str) -> RecordError:
    """Return an error for a record that is read beside another that contains it.

    Parameters
    ----------
    path, whole : str
        Paths of both.

    Returns
    -------
    error : RecordError
        To raise, or to tell.
    """
    return RecordError(
        f"{path}: records must share no samples. Got a segment of {whole} beside it; "
        "pass the whole or its segments, not both."
    )


def _sorted_out(
    names: Sequence[str],
    read: Sequence[_Read],
    errors: Sequence[Exception | None],
    into: NDArray[Any] | None,
) -> ManyRecords:
    """Return what can be used of records, and why of the others not."""
    import pandas as pd

    fine = np.array([error is None for error in errors], dtype=bool)
    if not fine.any():
        raise ValueError(
            f"None of the {len(names)} records can be read; the first one: {errors[0]}"
        )
    lost = [(names[k], str(errors[k])) for k in np.flatnonzero(~fine).tolist()]
    kept = np.flatnonzero(fine).tolist()
    found: Any = [read[k].value for k in kept]
    if into is not None:
        for row, k in enumerate(kept):  # in place: a copy would be as large again
            if row < k:
                into[row] = into[k]
        found = into[: len(kept)]
    return ManyRecords(
        found,
        fine,
        pd.DataFrame(lost, columns=["record", "error"]),
        missing_table((names[k], read[k].missing) for k in kept),
    )


def _read(path: str, convert: Callable[[Record], Any] | None, how: Reading) -> _Read:
    """Return what is made of one record, or the error that it raises."""
    try:
        record = read_record(path, how)
        value = record if convert is None else convert(record)
    except (RecordError, RecordNotFoundError) as error:
        return _Read(error=error)
    return _Read(value, record.missing, record.parts)
