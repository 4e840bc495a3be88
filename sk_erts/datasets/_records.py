"""Read one record in the WFDB format, and many."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_erts._lib.checks import check_choice
from sk_erts._lib.lead_names import standard_spelling
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.datasets._missing import Missing, mend
from sk_erts.datasets._options import Reading
from sk_erts.datasets._segments import read_whole
from sk_erts.datasets._wfdb import import_wfdb
from sk_erts.exceptions import RecordError

__all__ = [
    "Record",
    "check_on_error",
    "import_wfdb",
    "leads_of_length",
    "read_record",
    "standard_leads",
]


_AS_IT_IS = Reading()


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
    missing : tuple of Missing
        What its leads lacked that is filled in or cut away.
    parts : tuple of str
        Paths of the records that it consists of; none if it is a plain one.
    """

    name: str
    signal: NDArray[np.float32]
    lead_names: tuple[str, ...]
    fs: float
    comments: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    parts: tuple[str, ...] = ()


def read_record(path: str | os.PathLike[str], how: Reading = _AS_IT_IS) -> Record:
    """Read a record of any leads, frequency and length.

    Parameters
    ----------
    path : str or path-like
        The record's path without extension; ``.hea`` must exist.
    how : Reading
        Which leads, and what is done with what is missing.

    Returns
    -------
    record : Record
        In mV.

    Raises
    ------
    RecordNotFoundError
        If the header, or a signal file or segment that it names, is not there.
    RecordError
        If anything else is wrong with it: the header or a signal file is malformed or
        cut short, the header names a file outside its folder, a lead is not calibrated
        or no voltage, a sample is missing, or a lead is flat.
    """
    name = os.fspath(path)
    whole = read_whole(name, how)
    signal, missing = mend(whole, name, how)
    flat = (signal == signal[:, :1]).all(axis=1)
    if flat.any() and not how.allow_flat:
        still = ", ".join(whole.lead_names[k] for k in np.flatnonzero(flat))
        raise RecordError(
            f"{name}: no lead must be flat. Got one value through the whole record "
            f"instead in {still}; pass on_error='skip' to a loader to leave such "
            "records out, or allow_flat=True to keep them."
        )
    return Record(
        name,
        signal,
        whole.lead_names,
        whole.fs,
        whole.comments,
        missing,
        whole.parts,
    )


def standard_leads(
    record: Record, lead_names: tuple[str, ...] | None = None
) -> NDArray[np.float32]:
    """Return the twelve standard leads of a record in their usual order.

    Parameters
    ----------
    record : Record
        Has these leads and no others, in any order.
    lead_names : tuple of str, optional
        Leads that were asked for when it was read: it has these and no others.

    Returns
    -------
    leads : ndarray of shape (n_leads, n_times), dtype float32
        Ordered as ``STANDARD_LEADS``, or as they were asked for.

    Raises
    ------
    RecordError
        If it has other leads.
    """
    if lead_names is not None:
        return record.signal
    order = standard_spelling(record.lead_names)
    if sorted(order) != sorted(STANDARD_LEADS):
        raise RecordError(
            f"{record.name}: the leads must be the twelve standard ones, "
            f"{', '.join(STANDARD_LEADS)}, in any order. "
            f"Got {', '.join(record.lead_names)} instead."
        )
    return record.signal[[order.index(lead) for lead in STANDARD_LEADS]]


def leads_of_length(
    record: Record, fs: float, n_times: int, lead_names: tuple[str, ...] | None = None
) -> NDArray[np.float32]:
    """Return the standard leads of a record of known frequency and length.

    Parameters
    ----------
    record : Record
        Has these leads, in any order.
    fs : float
        Sampling frequency the record must have, in Hz.
    n_times : int
        Number of time steps the record must have.
    lead_names : tuple of str, optional
        Leads that were asked for, and that the record has therefore; all twelve by
        default.

    Returns
    -------
    leads : ndarray of shape (n_leads, n_times), dtype float32
        Signals in mV, ordered as ``STANDARD_LEADS`` whatever the order in the file, or
        as they were asked for.

    Raises
    ------
    RecordError
        If leads, sampling frequency or length differ from what they must be.
    """
    leads = standard_leads(record, lead_names)
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
