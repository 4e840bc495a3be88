"""SCP-ECG, the standard communications protocol of EN 1064 and ISO 11073-91064.

Read by the package itself, since Python's registry has no library for it that is kept
up. Of the standard's sections these are read: 0 (where the others are), 2 (Huffman
codes), 3 (leads) and 6 (rhythm). Patient, machine and findings are left where they are.
"""

from __future__ import annotations

import binascii
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.datasets._channels import (
    Channel,
    check_file,
    make_record,
    told_as,
)
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.datasets._scp_huffman import Tables, decode, read_tables
from sk_erts.datasets._scp_leads import lead_of_number
from sk_erts.exceptions import RecordError

__all__ = ["is_scp", "read_scp"]

_MALFORMED = (struct.error, ValueError, OverflowError)
_SECTION_HEAD = 16
_FIRST_SECTION = 6  # after the checksum and the length of the file
_POINTER = struct.Struct("<HII")
_LEAD = struct.Struct("<IIB")
_REFERENCE_SUBTRACTED = 1
_WRAP = 1 << 16


@dataclass(frozen=True)
class _Rhythm:
    """What section 6 says of all leads."""

    step_nv: int
    interval_us: int
    n_differences: int  # how often neighbours were subtracted from each other
    parts: list[bytes]  # of each lead


def is_scp(head: bytes) -> bool:
    """Return whether a file begins as SCP-ECG does, with section 0.

    Parameters
    ----------
    head : bytes
        Its first bytes, 32 or more.

    Returns
    -------
    is_scp : bool
        Whether the first section has the number 0, and names itself first.
    """
    if len(head) < 32:
        return False
    number, length = struct.unpack_from("<HI", head, _FIRST_SECTION + 2)
    first, _, start = _POINTER.unpack_from(head, _FIRST_SECTION + _SECTION_HEAD)
    return bool(
        number == first == 0 and start == _FIRST_SECTION + 1 and length >= _SECTION_HEAD
    )


def read_scp(
    path: str | os.PathLike[str],
    *,
    leads: str | int | Iterable[str | int] | None = None,
    verify: bool = True,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    """Read the rhythm of an SCP-ECG file [1]_.

    Parameters
    ----------
    path : path-like
        The file.
    leads : iterable of str or int, str or int, default=None
        Which leads to read, in this order, by name or number; None for all.
    verify : bool, default=True
        Whether a section whose checksum is wrong is an error. Some devices write none.
    allow_flat : bool, default=False
        Whether a lead may be constant through the whole record.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with missing samples, as in `read_records`.

    Returns
    -------
    record : Record
        With the attributes ``signal``, an array of shape (n_leads, n_times) and dtype
        float32 in mV, ``lead_names``, ``fs`` in Hz and ``name``, the path without its
        ending. Patient, date and findings are left out on purpose.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is malformed or cut short; if leads do not begin and end together; if a
        lead is absent or flat; or if the rhythm is stored in a way that is not read.

    See Also
    --------
    read_any : Reads files of all formats.

    Notes
    -----
    Samples may be stored as they are or as first or second differences, with or without
    Huffman codes, those of the standard or of the file. Files with the reference beat
    subtracted, with bimodal compression, or with long-term rhythm alone (section 12)
    are refused by name.

    References
    ----------
    .. [1] EN 1064:2020, Health informatics. Standard communication protocol.
       Computer-assisted electrocardiography.

    Examples
    --------
    >>> from sk_erts.datasets import read_scp
    >>> read_scp("not/here.scp")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: not/here.scp: there is no such file. ...
    """
    how = check_reading("read_scp", leads=leads, allow_flat=allow_flat, missing=missing)
    name = check_file(path)
    data = Path(path).read_bytes()
    if not is_scp(data):
        raise RecordError(
            f"{name}: the file must begin as SCP-ECG does, with section 0. Got "
            "something else; read_any tells formats from each other."
        )
    with told_as(f"{name}: the file is no sound SCP-ECG", _MALFORMED):
        channels = _channels(name, _sections(name, data, verify))
    return make_record(name, channels, how)


def _sections(name: str, data: bytes, verify: bool) -> Mapping[int, bytes]:
    """Return the sections that are needed, without their heads."""
    (n_bytes,) = struct.unpack_from("<I", data, 2)
    if n_bytes > len(data):
        raise RecordError(
            f"{name}: the file must have {n_bytes} bytes. Got {len(data)} instead; "
            "restore the file."
        )
    (length,) = struct.unpack_from("<I", data, _FIRST_SECTION + 4)
    pointers = range(
        _FIRST_SECTION + _SECTION_HEAD,
        min(_FIRST_SECTION + length, len(data)) - _POINTER.size + 1,
        _POINTER.size,
    )
    sections = {}
    for at in pointers:
        number, n_section, start = _POINTER.unpack_from(data, at)
        if n_section and number in (2, 3, 6, 12):
            section = data[start - 1 : start - 1 + n_section] if start else b""
            _check_section(name, number, n_section, section, verify)
            sections[number] = section[_SECTION_HEAD:]
    return sections


def _check_section(
    name: str, number: int, n_bytes: int, section: bytes, verify: bool
) -> None:
    """Raise if a section is cut short, is another one, or has a wrong checksum."""
    if len(section) < max(n_bytes, _SECTION_HEAD):
        raise RecordError(
            f"{name}: section {number} must have {n_bytes} bytes, and a head of "
            f"{_SECTION_HEAD}. Got {len(section)} instead; restore the file."
        )
    checksum, itself = struct.unpack_from("<HH", section)
    if itself != number:
        raise RecordError(
            f"{name}: section {number} must be where section 0 says it is. Got section "
            f"{itself} there; restore the file."
        )
    found = binascii.crc_hqx(section[2:], 0xFFFF)
    if verify and found != checksum:
        raise RecordError(
            f"{name}: section {number} must have the checksum {checksum}. Got {found} "
            "instead; restore the file, or pass verify=False to read_scp if the device "
            "writes no true checksums."
        )


def _channels(name: str, sections: Mapping[int, bytes]) -> list[Channel]:
    """Return the leads of section 3 with their samples of section 6."""
    if 6 not in sections and 12 in sections:
        raise RecordError(
            f"{name}: the rhythm must stand in section 6. Got long-term rhythm in "
            "section 12, which is not read; export a short ECG."
        )
    for number, what in ((3, "leads"), (6, "rhythm")):
        if number not in sections:
            raise RecordError(
                f"{name}: the {what} must stand in section {number}. Got no such "
                "section; export the ECG anew, with its rhythm."
            )
    n_leads, flags = struct.unpack_from("<BB", sections[3])
    if flags & _REFERENCE_SUBTRACTED:
        raise RecordError(
            f"{name}: the rhythm must be stored whole. Got one from which the "
            "reference beat is subtracted (sections 4 and 5), which is not read; "
            "export the ECG without this compression."
        )
    rhythm = _rhythm(name, sections[6], n_leads)
    tables = read_tables(sections[2]) if 2 in sections else None
    channels = []
    for k, part in enumerate(rhythm.parts):
        first, last, number = _LEAD.unpack_from(sections[3], 2 + k * _LEAD.size)
        lead = lead_of_number(number)
        channels.append(
            Channel(
                name=lead,
                unit="nV",
                fs=1e6 / rhythm.interval_us,
                read=partial(
                    _samples, f"{name}: {lead}", part, last - first + 1, rhythm, tables
                ),
                start=first,
            )
        )
    return channels


def _rhythm(name: str, body: bytes, n_leads: int) -> _Rhythm:
    """Read the head of section 6, and divide the rest among the leads."""
    step, interval, differences, is_bimodal = struct.unpack_from("<HHBB", body)
    if is_bimodal:
        raise RecordError(
            f"{name}: the rhythm must have one sampling frequency. Got bimodal "
            "compression in section 6, which is not read; export the ECG without it."
        )
    if differences > 2:
        raise RecordError(
            f"{name}: section 6 must hold samples, or first or second differences. Got "
            f"the coding {differences} instead; restore the file."
        )
    if not step or not interval:
        raise RecordError(
            f"{name}: section 6 must say what a step and a sampling interval are. Got "
            f"{step} nV and {interval} us instead; restore the file."
        )
    lengths = struct.unpack_from(f"<{n_leads}H", body, 6)
    parts = []
    at = 6 + 2 * n_leads
    for length in lengths:
        parts.append(body[at : at + length])
        at += length
    if at > len(body):
        raise RecordError(
            f"{name}: section 6 must have {at} bytes for the leads that it names. Got "
            f"{len(body)} instead; restore the file."
        )
    return _Rhythm(step, interval, differences, parts)


def _samples(
    what: str, part: bytes, n_times: int, rhythm: _Rhythm, tables: Tables | None
) -> FloatArray:
    """Return the samples of a lead in nV."""
    if n_times < 1:
        raise RecordError(
            f"{what} must end after it begins. Got {n_times} samples in section 3; "
            "restore the file."
        )
    if tables is not None:
        values = decode(what, part, n_times, tables)
    elif len(part) < 2 * n_times:
        raise RecordError(
            f"{what} must have {2 * n_times} bytes of samples. Got {len(part)}; "
            "restore the file."
        )
    else:
        values = np.frombuffer(part, "<i2", count=n_times).astype(np.int64)
    return _summed(values, rhythm.n_differences) * float(rhythm.step_nv)


def _summed(values: IntArray, n_differences: int) -> IntArray:
    """Return samples from their first or second differences.

    As many of the first samples stand for themselves as there are differences. Devices
    subtract with 16 bits, so that large steps come back to themselves in 16 bits.
    """
    if n_differences == 2 and len(values) > 1:
        slopes = values[1:].copy()
        slopes[0] -= values[0]
        values = np.concatenate([values[:1], np.cumsum(slopes)])
    if n_differences:
        values = np.cumsum(values)
    wrapped: IntArray = (values + _WRAP // 2) % _WRAP - _WRAP // 2
    return wrapped
