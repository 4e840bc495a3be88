"""One recording, in whichever format it comes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sk_erts._lib.checks import refuse
from sk_erts.datasets._aecg import read_aecg
from sk_erts.datasets._channels import check_file
from sk_erts.datasets._csv import read_csv
from sk_erts.datasets._dicom import read_dicom
from sk_erts.datasets._edf import read_edf
from sk_erts.datasets._mat import read_mat
from sk_erts.datasets._muse_xml import read_muse_xml
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._paths import bare
from sk_erts.datasets._records import Record, read_record
from sk_erts.datasets._scp import is_scp, read_scp
from sk_erts.exceptions import RecordError

__all__ = ["read_any"]

# A root element may come after comments and a document type.
_HEAD = 4096


@dataclass(frozen=True)
class _Format:
    """A format, and how it is told: by its first bytes, else by the file's ending."""

    name: str
    read: Callable[..., Record]
    begins: Callable[[bytes], bool]
    endings: tuple[str, ...] = ()
    is_table: bool = False


def _has_root(root: str) -> Callable[[bytes], bool]:
    """Return a function that tells whether XML has an outermost element."""
    pattern = re.compile(rb"<(?:\w+:)?" + root.encode() + rb"[\s>/]")

    def begins(head: bytes) -> bool:
        # UTF-16 is ASCII with a zero beside each byte.
        return pattern.search(head.replace(b"\0", b"")) is not None

    return begins


# Tables begin with anything: they are told by their ending.
_FORMATS = (
    _Format("DICOM", read_dicom, lambda head: head[128:132] == b"DICM", (".dcm",)),
    _Format("EDF", read_edf, lambda head: head[:8] == b"0       ", (".edf", ".rec")),
    _Format("SCP-ECG", read_scp, is_scp, (".scp",)),
    _Format("MUSE XML", read_muse_xml, _has_root("RestingECG")),
    _Format("aECG", read_aecg, _has_root("AnnotatedECG")),
    _Format(
        "MATLAB", read_mat, lambda head: head[:6] == b"MATLAB", (".mat",), is_table=True
    ),
    _Format(
        "CSV", read_csv, lambda head: False, (".csv", ".tsv", ".txt"), is_table=True
    ),
)


def read_any(
    path: str | os.PathLike[str],
    *,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
    fs: float | None = None,
    unit: str | None = None,
    lead_names: Iterable[str] | None = None,
) -> Record:
    r"""Read one recording, whatever its format.

    Parameters
    ----------
    path : path-like
        The file: EDF, DICOM, SCP-ECG, XML of MUSE or HL7 (aECG), a matrix of MATLAB, a
        table of text (``.csv``, ``.tsv``, ``.txt``); or a WFDB record, with or without
        its ending. A ``.mat`` or ``.dat`` beside its header is such a record.
    leads : iterable of str or int, str or int, default=None
        Which leads to read, in this order, by name or number; None for all.
    allow_flat : bool, default=False
        Whether a lead may be constant through the whole record.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with missing samples, as in `read_records`.
    fs : float, default=None
        Sampling frequency in Hz, for tables that do not tell it.
    unit : str, default=None
        Unit, such as "mV", for tables that do not tell it.
    lead_names : iterable of str, default=None
        Names of the leads in their order, for tables that do not tell them.

    Returns
    -------
    record : Record
        With the attributes ``signal``, an array of shape (n_leads, n_times) and dtype
        float32 in mV, ``lead_names``, ``fs`` in Hz and ``name``, the path without its
        ending.

    Raises
    ------
    ImportError
        If a format's library is not installed; it comes with the extra ``formats``.
    ValueError
        If a parameter is not what it must be, or says what the file itself does.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If the format is not known, the file is not what it claims to be, or a lead is
        absent, no voltage or flat.

    See Also
    --------
    read_records : Reads many WFDB records, with their labels.
    read_edf, read_dicom, read_scp, read_muse_xml, read_aecg, read_mat, read_csv :
        Read files of one format, with what only that one has to choose.

    Notes
    -----
    Formats are told by their first bytes, so that a wrong ending does no harm; those
    that begin with anything, by their ending.

    Examples
    --------
    >>> import os, tempfile
    >>> from sk_erts.datasets import read_any
    >>> path = os.path.join(tempfile.mkdtemp(), "ecg.csv")
    >>> with open(path, "w") as file:
    ...     _ = file.write("I,II\n0.1,0.2\n0.3,0.1\n0.2,0.4\n")
    >>> record = read_any(path, fs=250, unit="mV", leads=["II"])
    >>> record.lead_names, record.fs, record.signal.shape
    (('II',), 250.0, (1, 3))
    """
    how = check_reading("read_any", leads=leads, allow_flat=allow_flat, missing=missing)
    common = {"leads": how.leads, "allow_flat": allow_flat, "missing": missing}
    told = {"fs": fs, "unit": unit, "lead_names": lead_names}
    wfdb = _wfdb_record(path)
    if wfdb is not None:
        _nothing_told("WFDB", told)
        return read_record(wfdb, how)
    name = check_file(path)
    found = _format_of(name)
    if not found.is_table:
        _nothing_told(found.name, told)
        return found.read(path, **common)
    if found.read is read_mat:
        _matrix_needs(name, told)
    return found.read(path, **common, **told)


def _wfdb_record(path: str | os.PathLike[str]) -> str | None:
    """Return the path of a WFDB record without ending, if it is one."""
    record = os.fspath(bare(path))
    is_header = os.fspath(path).endswith(".hea")
    return record if is_header or Path(f"{record}.hea").is_file() else None


def _format_of(name: str) -> _Format:
    """Tell the format of a file."""
    with open(name, "rb") as file:
        head = file.read(_HEAD)
    for known in _FORMATS:
        if known.begins(head):
            return known
    ending = os.path.splitext(name)[1].lower()
    for known in _FORMATS:
        if ending in known.endings:
            return known
    raise RecordError(
        f"{name}: the format must be WFDB, {', '.join(f.name for f in _FORMATS)}. Got "
        "none of them, by its first bytes and its ending; if it is a table of text, "
        "call it .csv."
    )


def _nothing_told(format_name: str, told: dict[str, Any]) -> None:
    """Raise if a parameter says what a file says itself."""
    for parameter, value in told.items():
        if value is not None:
            wanted = f"be None for {format_name}, which tells it itself"
            refuse("read_any", parameter, wanted, repr(value))


def _matrix_needs(name: str, told: dict[str, Any]) -> None:
    """Raise if nobody says what a matrix of MATLAB does not tell."""
    absent = [key for key in ("unit", "lead_names") if told[key] is None]
    if absent:
        raise RecordError(
            f"{name}: a matrix of MATLAB does not tell its units and leads. Got no "
            f"{' and no '.join(absent)}; pass them to read_any, or put its WFDB header "
            "beside it."
        )
