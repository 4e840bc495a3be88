"""Samples that a record lacks: told, filled in, or cut away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from sk_erts._lib.typing import Array, FloatArray
from sk_erts.datasets._options import Reading
from sk_erts.datasets._segments import Whole
from sk_erts.exceptions import RecordError

__all__ = ["Missing", "mend", "missing_table"]

# Of a lead that lacks more, what is filled in would be made up.
LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Missing:
    """What a lead of a record lacks.

    Attributes
    ----------
    lead : str
        Its name.
    n_missing, n_times : int
        Time steps that lack a sample, and all of them, as recorded.
    first : int
        Time step of the recording that the signal begins with that is returned.
    """

    lead: str
    n_missing: int
    n_times: int
    first: int


def mend(
    whole: Whole, path: str, how: Reading
) -> tuple[FloatArray, tuple[Missing, ...]]:
    """Return the signal of a record without missing samples, and what was missing.

    Parameters
    ----------
    whole : Whole
        The record as recorded.
    path : str
        Named in errors.
    how : Reading
        What is done with missing samples.

    Returns
    -------
    signal : ndarray of shape (n_leads, n_times), dtype float32
        In mV.
    missing : tuple of Missing
        One for each lead that lacks samples.

    Raises
    ------
    RecordError
        If samples are missing and must not be, or too many of them are.
    """
    runs, n_times = _runs(whole)
    n_missing = sum(np.isnan(run).sum(axis=1) for _, run in runs)  # (leads,)
    n_missing = n_missing + n_times - sum(run.shape[1] for _, run in runs)
    if not n_missing.any():
        return runs[0][1], ()
    # All is asked before gaps are made, which may be longer than memory.
    if how.missing == "raise":
        _refuse(whole, path, n_missing, n_times)
    if how.missing == "interpolate":
        if (n_missing > LARGEST_SHARE * n_times).any():
            _refuse(whole, path, n_missing, n_times)
        first, signal = 0, _interpolated(runs, n_times)
    else:
        first, signal = max(map(_complete, runs), key=lambda run: run[1].shape[1])
        if signal.shape[1] == 0:
            _refuse(whole, path, n_missing, n_times)
    return signal, tuple(
        Missing(lead, int(n), n_times, first)
        for lead, n in zip(whole.lead_names, n_missing, strict=True)
        if n
    )


def missing_table(of_records: Iterable[tuple[str, Sequence[Missing]]]) -> Any:
    """Return what is missing of records, as a table.

    Parameters
    ----------
    of_records : iterable of (str, sequence of Missing)
        Path of each record, and what is missing of it.

    Returns
    -------
    table : pandas.DataFrame
        One row for each lead of a record that lacks samples, with columns ``record``,
        ``lead``, ``n_missing``, ``n_times``, ``share`` and ``first``.
    """
    import pandas as pd

    rows = [
        (path, x.lead, x.n_missing, x.n_times, x.n_missing / x.n_times, x.first)
        for path, missing in of_records
        for x in missing
    ]
    columns = ["record", "lead", "n_missing", "n_times", "share", "first"]
    return pd.DataFrame(rows, columns=columns)


def _runs(whole: Whole) -> tuple[list[tuple[int, FloatArray]], int]:
    """Return what lies between gaps with where it begins, and the length of all."""
    runs: list[tuple[int, list[FloatArray]]] = []
    end, is_open = 0, False
    for piece in whole.pieces:
        if isinstance(piece, int):
            is_open = False
            end += piece
            continue
        if not is_open:
            runs.append((end, []))
        runs[-1][1].append(piece)
        is_open = True
        end += piece.shape[1]
    return [
        (start, parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))
        for start, parts in runs
    ], end


def _interpolated(runs: list[tuple[int, FloatArray]], n_times: int) -> FloatArray:
    """Return the whole record, with straight lines over what it lacks."""
    shape = len(runs[0][1]), n_times
    signal = np.full(shape, np.nan, dtype=np.float32)
    for start, run in runs:
        signal[:, start : start + run.shape[1]] = run
    for row in signal:
        bad = np.isnan(row)
        # Before the first sample and behind the last one it stays level.
        row[bad] = np.interp(np.flatnonzero(bad), np.flatnonzero(~bad), row[~bad])
    return signal


def _complete(run: tuple[int, FloatArray]) -> tuple[int, FloatArray]:
    """Return the longest stretch in which no lead lacks a sample, and its begin."""
    start, signal = run
    lacks = np.flatnonzero(np.isnan(signal).any(axis=0))
    edges = np.concatenate([[-1], lacks, [signal.shape[1]]])
    longest = int(np.diff(edges).argmax())
    begin, end = int(edges[longest]) + 1, int(edges[longest + 1])
    return start + begin, np.ascontiguousarray(signal[:, begin:end])


def _refuse(whole: Whole, path: str, n_missing: Array, n_times: int) -> NoReturn:
    """Raise for a record that lacks samples."""
    spoilt = [x for x, n in zip(whole.lead_names, n_missing, strict=True) if n]
    raise RecordError(
        f"{path}: all samples must be numbers. Got {int(n_missing.sum())} missing ones "
        f"of {n_times} in each lead instead, in {', '.join(spoilt)}; leave the record "
        "out, choose other leads, or pass missing='interpolate', which fills up to "
        "half of a lead, or missing='cut', which keeps the longest stretch without any."
    )
