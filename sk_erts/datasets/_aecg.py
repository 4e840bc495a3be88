"""HL7's annotated ECG (aECG), the XML that drug authorities ask for.

Read by the package itself, since Python's registry has no library for it that is kept
up. What the elements mean is told by the schema of HL7 V3 and its implementation guide.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from xml.etree.ElementTree import Element

import numpy as np

from sk_erts._lib.checks import check_count
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._channels import (
    Channel,
    make_record,
    told_as,
)
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.datasets._units import millivolts
from sk_erts.datasets._xml import as_number, read_xml
from sk_erts.exceptions import RecordError

__all__ = ["read_aecg"]

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_TIMES = ("TIME_ABSOLUTE", "TIME_RELATIVE")


def read_aecg(
    path: str | os.PathLike[str],
    *,
    series: int | None = None,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    """Read the rhythm of an annotated ECG of HL7 [1]_.

    Parameters
    ----------
    path : path-like
        The file.
    series : int, default=None
        Which series of waveforms to read, from 0, if there are several; average beats,
        which are derived from a series, are none.
    leads : iterable of str or int, str or int, default=None
        Which leads to read, in this order, by name or number; None for all.
    allow_flat : bool, default=False
        Whether a lead may be constant through the whole record.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with missing samples, as in `read_records`.

    Returns
    -------
    record : Record
        With the attributes ``signal``, an array of shape (n_leads, n_times) and dtype
        float32 in mV, ``lead_names``, ``fs`` in Hz and ``name``, the path without its
        ending. Subject, dates and annotations are left out on purpose.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is malformed, cut short or no aECG; if there are several series and none
        is named; or if a lead is absent, no voltage or flat.

    See Also
    --------
    read_any : Reads files of all formats.
    read_muse_xml : Reads the XML of GE's MUSE.

    Notes
    -----
    A sample is ``origin + scale * digit``; each of the two names its own unit.

    References
    ----------
    .. [1] Brown, B. D. and Badilini, F. (2005). HL7 aECG implementation guide.

    Examples
    --------
    >>> import os, tempfile
    >>> from sk_erts.datasets import read_aecg
    >>> path = os.path.join(tempfile.mkdtemp(), "ecg.xml")
    >>> with open(path, "w") as file:
    ...     _ = file.write('''<AnnotatedECG xmlns="urn:hl7-org:v3"><component><series>
    ...     <component><sequenceSet>
    ...     <component><sequence><code code="TIME_ABSOLUTE"/>
    ...     <value><head value="20260101"/><increment value="2" unit="ms"/></value>
    ...     </sequence></component>
    ...     <component><sequence><code code="MDC_ECG_LEAD_II"/>
    ...     <value><origin value="0" unit="uV"/><scale value="5" unit="uV"/>
    ...     <digits>0 10 200 -40</digits></value></sequence></component>
    ...     </sequenceSet></component></series></component></AnnotatedECG>''')
    >>> record = read_aecg(path)
    >>> record.lead_names, record.fs, record.signal.tolist()[0][1:3]
    (('II',), 500.0, [0.05..., 1.0])
    """
    if series is not None:
        check_count("read_aecg", "series", series, least=0)
    how = check_reading(
        "read_aecg", leads=leads, allow_flat=allow_flat, missing=missing
    )
    name = os.fspath(path)
    root = read_xml(path, "AnnotatedECG")
    found = root.findall("component/series/component/sequenceSet")
    if series is None and len(found) != 1:
        raise RecordError(
            f"{name}: there must be one series of waveforms. Got {len(found)}"
            + ("; choose one with read_aecg(..., series=...)." if found else ".")
        )
    if (series or 0) >= len(found):
        raise RecordError(
            f"{name}: the series {series} is absent. The file holds {len(found)}, "
            "numbered from 0."
        )
    sequences = found[series or 0].findall("component/sequence")
    fs = _frequency(name, sequences)
    channels = [
        Channel(
            name=_code(sequence),
            unit=_attribute(sequence, "value/scale", "unit"),
            fs=fs,
            read=partial(_samples, name, sequence),
        )
        for sequence in sequences
        if _code(sequence) not in _TIMES
    ]
    return make_record(name, channels, how)


def _code(sequence: Element) -> str:
    return _attribute(sequence, "code", "code")


def _attribute(element: Element, path: str, attribute: str) -> str:
    """Return an attribute of an element in another, "" if it is not there."""
    found = element.find(path)
    return "" if found is None else found.get(attribute, "").strip()


def _frequency(name: str, sequences: list[Element]) -> float:
    """Return the sampling frequency in Hz, from the time between samples."""
    for sequence in sequences:
        if _code(sequence) in _TIMES:
            text = _attribute(sequence, "value/increment", "value")
            step = as_number(name, "the increment of time", text)
            unit = _attribute(sequence, "value/increment", "unit")
            if unit not in _SECONDS or step <= 0:
                raise RecordError(
                    f"{name}: the increment of time must be above 0, in s, ms or us. "
                    f"Got {step:g} {unit or 'without a unit'}; restore the file."
                )
            # 0.000976562 s, as some write 1/1024 s, is 1024 Hz.
            fs = 1.0 / (step * _SECONDS[unit])
            return float(round(fs)) if abs(fs - round(fs)) < 1e-5 * fs else fs
    raise RecordError(
        f"{name}: there must be a sequence of times. Got none, so that the sampling "
        "frequency is unknown; restore the file."
    )


def _samples(name: str, sequence: Element) -> FloatArray:
    """Return the samples of a lead in the unit of its scale."""
    lead = _code(sequence)
    scale = as_number(
        name, f"the scale of {lead}", _attribute(sequence, "value/scale", "value")
    )
    if not scale:
        raise RecordError(
            f"{name}: the scale of {lead} must be other than 0. Got 0; restore the "
            "file."
        )
    origin = as_number(
        name,
        f"the origin of {lead}",
        _attribute(sequence, "value/origin", "value") or "0",
    )
    if origin:
        unit = _attribute(sequence, "value/origin", "unit")
        own = millivolts(_attribute(sequence, "value/scale", "unit"))
        factor = millivolts(unit)
        if factor is None or own is None:
            raise RecordError(
                f"{name}: the origin of {lead} must be a voltage. Got "
                f"{unit or 'no unit'} instead; restore the file."
            )
        origin *= factor / own
    digits = (sequence.findtext("value/digits") or "").split()
    with told_as(f"{name}: the digits of {lead} must be numbers", (ValueError,)):
        values = np.array(digits, dtype=np.float64)
    return origin + scale * values
