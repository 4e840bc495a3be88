"""XML exports of GE's MUSE system.

Read by the package itself: the libraries of Python's registry write other files from
them, and return no arrays. The elements are those of GE's document type restecg.dtd.
That ``LeadDataCRC32`` is zlib's checksum of decoded bytes was seen in a real export.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Iterable
from functools import partial
from xml.etree.ElementTree import Element

import numpy as np

from sk_erts._lib.lead_names import STANDARD_LEADS
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._channels import (
    Channel,
    as_lead_name,
    make_record,
    read_mv,
    told_as,
)
from sk_erts.datasets._leads import INDEPENDENT_LEADS, lead_matrix
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.datasets._xml import as_number, read_xml
from sk_erts.exceptions import RecordError

__all__ = ["read_muse_xml"]

# What a machine of eight leads does not store.
_DERIVED = ("III", "aVR", "aVL", "aVF")


def read_muse_xml(
    path: str | os.PathLike[str],
    *,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    r"""Read the rhythm of a resting ECG that GE's MUSE exported as XML.

    Parameters
    ----------
    path : path-like
        The file.
    leads : iterable of str or int, str or int, default=None
        Which leads to read, in this order, by name or number; None for all. Standard
        leads come first, in their usual order.
    allow_flat : bool, default=False
        Whether a lead may be constant through the whole record.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with missing samples, as in `read_records`.

    Returns
    -------
    record : Record
        With the attributes ``signal``, an array of shape (n_leads, n_times) and dtype
        float32 in mV, ``lead_names``, ``fs`` in Hz and ``name``, the path without its
        ending. Patient, date and diagnoses are left out on purpose.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is malformed, cut short or no MUSE export; if samples do not fit their
        checksum; or if a lead is absent, no voltage or flat.

    See Also
    --------
    read_any : Reads files of all formats.
    read_aecg : Reads the XML of HL7.

    Notes
    -----
    Most exports hold I, II and V1 to V6 alone. The other four are then computed, as
    the machine does to print them:

    .. math:: III = II - I, \quad aVR = -\tfrac{I + II}{2}, \quad
              aVL = I - \tfrac{II}{2}, \quad aVF = II - \tfrac{I}{2}

    The average beat, which such a file holds too, is not read.

    Examples
    --------
    >>> import base64, os, tempfile
    >>> import numpy as np
    >>> from sk_erts.datasets import read_muse_xml
    >>> lead = '''<LeadData><LeadID>{}</LeadID><LeadSampleSize>2</LeadSampleSize>
    ... <LeadAmplitudeUnitsPerBit>4.88</LeadAmplitudeUnitsPerBit>
    ... <LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>
    ... <WaveFormData>{}</WaveFormData></LeadData>'''
    >>> data = base64.b64encode(np.arange(500, dtype="<i2").tobytes()).decode()
    >>> both = "".join(lead.format(name, data) for name in ("I", "II"))
    >>> path = os.path.join(tempfile.mkdtemp(), "ecg.xml")
    >>> with open(path, "w") as file:
    ...     _ = file.write(
    ...         "<RestingECG><Waveform><WaveformType>Rhythm</WaveformType><SampleBase>"
    ...         f"500</SampleBase>{both}</Waveform></RestingECG>"
    ...     )
    >>> record = read_muse_xml(path, leads=["I", "aVF"])
    >>> record.lead_names, record.fs, record.signal.shape
    (('I', 'aVF'), 500.0, (2, 500))
    """
    how = check_reading(
        "read_muse_xml", leads=leads, allow_flat=allow_flat, missing=missing
    )
    name = os.fspath(path)
    root = read_xml(path, "RestingECG")
    rhythms = [
        waveform
        for waveform in root.findall("Waveform")
        if (waveform.findtext("WaveformType") or "").strip().casefold() == "rhythm"
    ]
    if len(rhythms) != 1:
        raise RecordError(
            f"{name}: there must be one Waveform of the type Rhythm. Got "
            f"{len(rhythms)}; export the ECG anew, with its waveforms."
        )
    fs = _frequency(name, rhythms[0])
    stored = [_stored(name, fs, lead) for lead in rhythms[0].findall("LeadData")]
    channels = _in_order(name, stored)
    return make_record(name, channels, how)


def _frequency(name: str, waveform: Element) -> float:
    base = as_number(name, "SampleBase", waveform.findtext("SampleBase"))
    power = as_number(name, "SampleExponent", waveform.findtext("SampleExponent", "0"))
    if abs(power) > 9:
        raise RecordError(
            f"{name}: SampleExponent must be a small power of ten. Got {power:g} "
            "instead; restore the file."
        )
    return float(base * 10.0**power)


def _stored(name: str, fs: float, lead: Element) -> Channel:
    """Return a channel of the file."""
    return Channel(
        name=(lead.findtext("LeadID") or "").strip(),
        unit=lead.findtext("LeadAmplitudeUnits") or "",
        fs=fs,
        read=partial(_samples, name, lead),
        start=as_number(
            name, "LeadOffsetFirstSample", lead.findtext("LeadOffsetFirstSample", "0")
        ),
    )


def _samples(name: str, lead: Element) -> FloatArray:
    """Return the samples of a lead in its unit."""
    which = (lead.findtext("LeadID") or "").strip()
    size = as_number(name, "LeadSampleSize", lead.findtext("LeadSampleSize", "2"))
    if size != 2:
        raise RecordError(
            f"{name}: samples must have 2 bytes. Got {size:g} in {which}, which is not "
            "read; export the ECG anew."
        )
    step = as_number(
        name, "LeadAmplitudeUnitsPerBit", lead.findtext("LeadAmplitudeUnitsPerBit")
    )
    if not step:
        raise RecordError(
            f"{name}: LeadAmplitudeUnitsPerBit must be other than 0. Got 0 in {which}; "
            "restore the file."
        )
    text = "".join((lead.findtext("WaveFormData") or "").split())
    with told_as(f"{name}: the samples of {which} are no base64", (ValueError,)):
        data = base64.b64decode(text, validate=True)
    n_times = lead.findtext("LeadSampleCountTotal")
    if n_times is not None:
        expected = 2 * as_number(name, "LeadSampleCountTotal", n_times)
        if len(data) != expected:
            raise RecordError(
                f"{name}: {which} must have {expected:g} bytes of samples. Got "
                f"{len(data)} instead; restore the file."
            )
    if len(data) % 2:
        raise RecordError(
            f"{name}: {which} must have two bytes for each sample. Got {len(data)} "
            "bytes instead; restore the file."
        )
    # 0 stands for none, as some programs write that make a file anonymous.
    checksum = as_number(name, "LeadDataCRC32", lead.findtext("LeadDataCRC32", "0"))
    if checksum and checksum != zlib.crc32(data):
        raise RecordError(
            f"{name}: samples of {which} must have the checksum {checksum:.0f}. Got "
            f"{zlib.crc32(data)} instead; restore the file."
        )
    samples: FloatArray = np.frombuffer(data, dtype="<i2") * step
    return samples


def _in_order(name: str, stored: list[Channel]) -> list[Channel]:
    """Return the standard leads in their order, derived ones with them, then others."""
    by_name = {as_lead_name(channel.name): channel for channel in stored}
    if len(by_name) < len(stored):
        return stored  # two of one name: as they come, to be chosen by number
    if {"I", "II"} <= by_name.keys():
        one, two = by_name["I"], by_name["II"]
        for lead in _DERIVED:
            by_name.setdefault(lead, _derived(name, lead, one, two))
    standard = [by_name.pop(lead) for lead in STANDARD_LEADS if lead in by_name]
    return [*standard, *by_name.values()]


def _derived(name: str, lead: str, one: Channel, two: Channel) -> Channel:
    """Return a limb lead that is computed from the first two."""
    columns = [INDEPENDENT_LEADS.index("I"), INDEPENDENT_LEADS.index("II")]
    weights = lead_matrix((lead,))[0, columns]

    def read() -> FloatArray:
        of_one, of_two = read_mv(name, one), read_mv(name, two)
        if len(of_one) != len(of_two) or one.start != two.start:
            raise RecordError(
                f"{name}: I and II must begin and end together, to compute {lead} "
                f"from them. Got {len(of_one)} and {len(of_two)} samples, from "
                f"{one.start:g} and {two.start:g}; restore the file."
            )
        derived: FloatArray = of_one * weights[0] + of_two * weights[1]
        return derived

    return Channel(name=lead, unit="mV", fs=one.fs, read=read, start=one.start)
