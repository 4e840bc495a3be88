"""Read one record in the WFDB format, and many."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from sk_erts._lib.checks import check_choice
from sk_erts._lib.lead_names import standard_spelling
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = [
    "Record",
    "check_on_error",
    "import_wfdb",
    "leads_of_length",
    "read_many",
    "read_record",
    "standard_leads",
]

# What wfdb raises on a header or signal file that is not what it claims to be.
_MALFORMED = (ValueError, IndexError, TypeError, KeyError)


@dataclass(frozen=True)
class Record:
    """One recording.

    Attributes
    ----------
    name : str
        The record's path without extension.
    signal : ndarray of shape (n_leads, n_times), dtype float32
        In mV.
    lead_names : tuple of n_leads str
        As the header spells them, but that standard leads are spelt as usual: ``AVR``
        is ``aVR``.
    fs : float
        Sampling frequency in Hz.
    comments : tuple of str
        Lines of the header that begin with ``#``, without it.
    """

    name: str
    signal: NDArray[np.float32]
    lead_names: tuple[str, ...]
    fs: float
    comments: tuple[str, ...] = ()


def read_record(path: str | os.PathLike[str], *, allow_flat: bool = False) -> Record:
    """Read a record of any leads, frequency and length.

    Parameters
    ----------
    path : str or path-like
        The record's path without extension; ``.hea`` must exist.
    allow_flat : bool, default=False
        Whether leads may be constant through the whole record.

    Returns
    -------
    record : Record
        In mV.

    Raises
    ------
    RecordNotFoundError
        If the header, or a signal file that it names, is not there.
    RecordError
        If the header or a signal file is malformed or cut short, the header names a
        file outside its folder, a lead is not in mV, a sample is missing, or a lead is
        flat.
    """
    name = os.fspath(path)
    _check_signal_files(name)
    wfdb = import_wfdb()
    try:
        record = wfdb.rdrecord(name)
    except FileNotFoundError as error:
        raise RecordNotFoundError(
            f"{name}: the header names a file that is not there: {error.filename}. "
            "Restore the record."
        ) from error
    except _MALFORMED as error:
        raise RecordError(_diagnose(name)) from error
    if any(str(unit).lower() != "mv" for unit in record.units):
        raise RecordError(
            f"{name}: all leads must be in mV. "
            f"Got {', '.join(sorted({str(unit) for unit in record.units}))} instead."
        )
    signal = np.asarray(record.p_signal, dtype=np.float32).T  # (leads, times)
    lead_names = standard_spelling(str(lead) for lead in record.sig_name)
    missing = np.isnan(signal)
    if missing.any():
        spoilt = [lead_names[k] for k in np.flatnonzero(missing.any(axis=1))]
        raise RecordError(
            f"{name}: all samples must be numbers. Got {int(missing.sum())} missing "
            f"ones instead, in {', '.join(spoilt)}; leave the record out or fill them."
        )
    flat = (signal == signal[:, :1]).all(axis=1)
    if flat.any() and not allow_flat:
        still = ", ".join(lead_names[k] for k in np.flatnonzero(flat))
        raise RecordError(
            f"{name}: no lead must be flat. Got one value through the whole record "
            f"instead in {still}; pass on_error='skip' to a loader to leave such "
            "records out, or allow_flat=True to keep them."
        )
    comments = tuple(str(line) for line in record.comments)
    return Record(name, signal, lead_names, record.fs, comments)


def standard_leads(record: Record) -> NDArray[np.float32]:
    """Return the twelve standard leads of a record in their usual order.

    Parameters
    ----------
    record : Record
        Has these leads and no others, in any order.

    Returns
    -------
    leads : ndarray of shape (12, n_times), dtype float32
        Ordered as ``STANDARD_LEADS``.

    Raises
    ------
    RecordError
        If it has other leads.
    """
    order = standard_spelling(record.lead_names)
    if sorted(order) != sorted(STANDARD_LEADS):
        raise RecordError(
            f"{record.name}: the leads must be the twelve standard ones, "
            f"{', '.join(STANDARD_LEADS)}, in any order. "
            f"Got {', '.join(record.lead_names)} instead."
        )
    return record.signal[[order.index(lead) for lead in STANDARD_LEADS]]


def leads_of_length(record: Record, fs: float, n_times: int) -> NDArray[np.float32]:
    """Return the twelve standard leads of a record of known frequency and length.

    Parameters
    ----------
    record : Record
        Has these leads, in any order.
    fs : float
        Sampling frequency the record must have, in Hz.
    n_times : int
        Number of time steps the record must have.

    Returns
    -------
    leads : ndarray of shape (12, n_times), dtype float32
        Signals in mV, ordered as ``STANDARD_LEADS`` whatever the order in the file.

    Raises
    ------
    RecordError
        If leads, sampling frequency or length differ from what they must be.
    """
    leads = standard_leads(record)
    if record.fs != fs:
        raise RecordError(
            f"{record.name}: the sampling frequency must be {fs} Hz. "
            f"Got {record.fs} Hz instead."
        )
    if leads.shape[1] != n_times:
        raise RecordError(
            f"{record.name}: the record must have shape {(len(leads), n_times)}, "
            f"{n_times / fs:g} s. Got {leads.shape} instead."
        )
    return leads


def check_on_error(on_error: Any, function: str) -> None:
    """Raise if what is to be done with a bad record is not known.

    Parameters
    ----------
    on_error : {"raise", "skip"}
        The parameter.
    function : str
        Whose parameter it is.
    """
    check_choice(function, "on_error", on_error, ("raise", "skip"))


def read_many(
    paths: Sequence[str | os.PathLike[str]],
    convert: Callable[[Record], Any] | None = None,
    *,
    on_error: str,
    allow_flat: bool,
    n_jobs: int | None,
    into: NDArray[Any] | None = None,
) -> tuple[Any, NDArray[np.bool_], Any]:
    """Read records, and tell of those that cannot be read.

    Parameters
    ----------
    paths : sequence of path-like
        Paths without extension.
    convert : callable, optional
        Makes of each record what is wanted of it; raises `RecordError` or
        `RecordNotFoundError` where it cannot. By default it is the record itself.
    on_error : {"raise", "skip"}
        Whether a record that cannot be read stops the reading.
    allow_flat : bool
        Whether leads may be constant through a whole record.
    n_jobs : int or None
        Number of processes; None is one, or what joblib's configuration says.
    into : ndarray of shape (n_paths, ...), optional
        Takes what `convert` returns, so that it is not in memory twice.

    Returns
    -------
    found : list or ndarray
        What `convert` returned for those that can be read; the first rows of `into`.
    fine : bool ndarray of shape (n_paths,)
        Which ones these are.
    skipped : pandas.DataFrame
        One row for each of the others: its path, and what was wrong.

    Raises
    ------
    ValueError
        If there is none that can be read.
    """
    import pandas as pd

    attempt = _read_or_error if on_error == "skip" else _read_or_raise
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(attempt)(path, convert, allow_flat) for path in paths
    )
    fine = np.zeros(len(paths), dtype=bool)
    errors: list[tuple[str, str]] = []
    found: list[Any] = []
    n_fine = 0
    for k, (path, result) in enumerate(zip(paths, results, strict=True)):
        if isinstance(result, Exception):
            errors.append((os.fspath(path), str(result)))
            continue
        if into is None:
            found.append(result)
        else:
            into[n_fine] = result
        fine[k] = True
        n_fine += 1
    if not n_fine:
        raise ValueError(
            f"None of the {len(paths)} records can be read; the first one: "
            f"{errors[0][1]}"
        )
    skipped = pd.DataFrame(errors, columns=["record", "error"])
    return (found if into is None else into[:n_fine]), fine, skipped


def _read_or_raise(
    path: Any, convert: Callable[[Record], Any] | None, allow_flat: bool
) -> Any:
    record = read_record(path, allow_flat=allow_flat)
    return record if convert is None else convert(record)


def _read_or_error(
    path: Any, convert: Callable[[Record], Any] | None, allow_flat: bool
) -> Any:
    try:
        return _read_or_raise(path, convert, allow_flat)
    except (RecordError, RecordNotFoundError) as error:
        return error


def _check_signal_files(name: str) -> None:
    """Raise if a header is not there, or points outside its folder."""
    try:
        text = Path(f"{name}.hea").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise RecordNotFoundError(
            f"{name}.hea: there is no such header. Restore the record, or leave it out."
        ) from error
    lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    for file in {line.split()[0] for line in lines[1:]}:
        if file != "~" and (Path(file).name != file or "\\" in file):
            raise RecordError(
                f"{name}.hea: signal files must lie beside their header. Got {file!r} "
                "instead; do not trust this folder."
            )


def import_wfdb() -> ModuleType:
    """Import wfdb, which is slow to import and not needed for synthetic data.

    Returns
    -------
    wfdb : module
        The package.
    """
    with warnings.catch_warnings():
        # wfdb builds a table in a way that recent pandas deprecate: not the user's to
        # mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb

    module: ModuleType = wfdb
    return module


def _diagnose(name: str) -> str:
    """Say why a record cannot be read: its header, or the size of its signal file."""
    try:
        header = import_wfdb().rdheader(name)
        n_leads, n_times = int(header.n_sig), int(header.sig_len)
        # Two bytes a sample is the only layout of PTB-XL.
        plain = set(header.fmt) == {"16"} and len(set(header.file_name)) == 1
        size = (Path(name).parent / header.file_name[0]).stat().st_size
    except _MALFORMED:
        return f"{name}.hea: the header is malformed; restore the file."
    if not plain:
        return f"{name}: the signal files do not fit the header; restore the files."
    return (
        f"{name}: the signal file must hold {n_leads} leads of {n_times} samples, "
        f"shape {(n_leads, n_times)}. Got {size} bytes instead, shape "
        f"{(n_leads, size // (2 * n_leads))}; restore the file."
    )
