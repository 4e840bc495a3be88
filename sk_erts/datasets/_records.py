"""Read one twelve-lead record in the WFDB format."""

import os
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.exceptions import RecordError, RecordNotFoundError

_LEAD_KEYS = [name.lower() for name in STANDARD_LEADS]
# What wfdb raises on a header or signal file that is not what it claims to be.
_MALFORMED = (ValueError, IndexError, TypeError, KeyError)


def read_leads(path: str | Path, fs: float, n_times: int) -> NDArray[np.float32]:
    """Read a record of the twelve standard leads.

    Parameters
    ----------
    path : str or Path
        The record's path without extension; ``.hea`` and ``.dat`` must exist.
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
    RecordNotFoundError
        If the header names a signal file that is not there.
    RecordError
        If the header or the signal file is malformed or cut short, or if leads, unit,
        sampling frequency or length differ from what they must be, or if a sample is
        missing.
    """
    name = os.fspath(path)
    wfdb = _import_wfdb()
    try:
        record = wfdb.rdrecord(name)
    except FileNotFoundError as error:
        raise RecordNotFoundError(
            f"{name}: the header names a file that is not there: {error.filename}. "
            "Restore the record."
        ) from error
    except _MALFORMED as error:
        raise RecordError(_diagnose(name)) from error

    found = [str(lead) for lead in record.sig_name]
    if sorted(lead.lower() for lead in found) != sorted(_LEAD_KEYS):
        raise RecordError(
            f"{name}: the leads must be the twelve standard ones, "
            f"{', '.join(STANDARD_LEADS)}, in any order. "
            f"Got {', '.join(found)} instead."
        )
    if record.fs != fs:
        raise RecordError(
            f"{name}: the sampling frequency must be {fs} Hz. "
            f"Got {record.fs} Hz instead."
        )
    if any(str(unit).lower() != "mv" for unit in record.units):
        raise RecordError(
            f"{name}: all leads must be in mV. "
            f"Got {', '.join(sorted({str(unit) for unit in record.units}))} instead."
        )
    signal = np.asarray(record.p_signal, dtype=np.float32).T  # (leads, times)
    if signal.shape[1] != n_times:
        raise RecordError(
            f"{name}: the record must have shape {(len(STANDARD_LEADS), n_times)}, "
            f"{n_times / fs:g} s. Got {signal.shape} instead."
        )
    order = [lead.lower() for lead in found]
    leads = signal[[order.index(key) for key in _LEAD_KEYS]]
    missing = np.isnan(leads)
    if missing.any():
        spoilt = [STANDARD_LEADS[k] for k in np.flatnonzero(missing.any(axis=1))]
        raise RecordError(
            f"{name}: all samples must be numbers. Got {int(missing.sum())} missing "
            f"ones instead, in {', '.join(spoilt)}; leave the record out or fill them."
        )
    return leads


def _import_wfdb() -> ModuleType:
    """Import wfdb, which is slow to import and not needed for synthetic data."""
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
        header = _import_wfdb().rdheader(name)
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
