"""ECG waveforms of DICOM, through pydicom.

pydicom was chosen because nearly all of Python's DICOM tools stand on it, and it
decodes waveforms without a compiled library. Samples are turned into volts here and not
there, so that a channel which is not calibrated is refused and not taken for one.
"""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_count
from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.datasets._channels import (
    Channel,
    check_file,
    make_record,
    told_as,
)
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.datasets._scp_leads import lead_of_number
from sk_erts.exceptions import RecordError

__all__ = ["read_dicom"]

# What pydicom raises for a file that is not what it claims to be, besides its own.
_MALFORMED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

# Coding schemes whose codes end with the number of a lead in SCP-ECG.
_NUMBERED = {"SCPECG": "5.6.3-9-", "MDC": "2:"}


def read_dicom(
    path: str | os.PathLike[str],
    *,
    group: int | None = None,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    """Read an ECG waveform in the DICOM format [1]_.

    Parameters
    ----------
    path : path-like
        The file.
    group : int, default=None
        Number of the multiplex group to read, from 0. None is the only original one;
        average beats and the like are called derived.
    leads : iterable of str or int, str or int, default=None
        Which channels to read, in this order, by name or number; None for all.
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
    ImportError
        If pydicom is not installed; it comes with the extra ``formats``.
    ValueError
        If a parameter is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is malformed, cut short or holds no waveform; if there are several groups
        and none is named; or if a lead is absent, uncalibrated, no voltage, flat or has
        missing samples.

    See Also
    --------
    read_any : Reads files of all formats.

    References
    ----------
    .. [1] NEMA. DICOM PS3.3, C.10.9 Waveform Module.
       https://dicom.nema.org/medical/dicom/current/output/html/part03.html

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> from sk_erts.datasets import read_dicom
    >>> record = read_dicom(get_testdata_file("waveform_ecg.dcm"))
    >>> record.lead_names[:4], record.fs, record.signal.shape
    (('I', 'II', 'III', 'aVR'), 1000.0, (12, 10000))
    """
    pydicom = import_optional("pydicom", extra="formats", purpose="read_dicom")
    if group is not None:
        check_count("read_dicom", "group", group, least=0)
    how = check_reading(
        "read_dicom", leads=leads, allow_flat=allow_flat, missing=missing
    )
    name = check_file(path)
    errors = (*_MALFORMED, pydicom.errors.BytesLengthException)
    damage = told_as(f"{name}: the file is no sound DICOM waveform", errors)
    with damage, warnings.catch_warnings():
        # Values that break a rule which is of no account here.
        warnings.simplefilter("ignore", UserWarning)
        dataset = pydicom.dcmread(path, force=True)
        return make_record(name, _channels(name, dataset, group), how)


def _channels(name: str, dataset: Any, group: int | None) -> list[Channel]:
    """Return the channels of the wanted group."""
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise RecordError(
            f"{name}: the file must hold a waveform. Got none: it may be an image, a "
            "report, or no DICOM at all."
        )
    index = _only_original(name, groups) if group is None else group
    if index >= len(groups):
        raise RecordError(
            f"{name}: the group {index} is absent. The file holds {len(groups)} from 0."
        )
    item = groups[index]
    coding = str(item.get("WaveformSampleInterpretation"))
    if coding not in ("SB", "UB", "SS", "US", "SL", "UL"):
        raise RecordError(
            f"{name}: samples must be whole numbers of 8, 16 or 32 bits. Got the "
            f"coding {coding} instead, which is not read; export the ECG anew."
        )
    raw = _raw(dataset, index)  # (times, channels)
    filling = _filling(item, raw.dtype)
    return [
        Channel(
            name=_lead(definition),
            unit=_unit(definition),
            fs=float(item.SamplingFrequency),
            read=partial(_samples, name, definition, raw[:, k], filling),
            start=int(definition.get("ChannelOffset") or 0),
        )
        for k, definition in enumerate(item.ChannelDefinitionSequence)
    ]


def _only_original(name: str, groups: list[Any]) -> int:
    """Return the number of the group that was recorded and not computed."""
    original = [
        k
        for k, item in enumerate(groups)
        if item.get("WaveformOriginality") != "DERIVED"
    ] or list(range(len(groups)))
    if len(original) > 1:
        held = ", ".join(
            f"{k}: {item.get('MultiplexGroupLabel') or 'without a name'}, "
            f"{item.NumberOfWaveformChannels} channels"
            for k, item in enumerate(groups)
        )
        raise RecordError(
            f"{name}: there must be one group of waveforms. Got {held}; choose one "
            "with read_dicom(..., group=...)."
        )
    return original[0]


def _raw(dataset: Any, index: int) -> Array:
    """Return samples as they are stored, (n_times, n_channels)."""
    numpy_handler = import_optional(
        "pydicom.waveforms.numpy_handler", extra="formats", purpose="read_dicom"
    )
    raw: Array = numpy_handler.multiplex_array(dataset, index, as_raw=True)
    return raw


def _filling(item: Any, dtype: np.dtype[Any]) -> Any:
    """Return the stored value that stands for a missing sample, or None."""
    stored = item.get("WaveformPaddingValue")
    if stored is None:
        return None
    if isinstance(stored, bytes):
        return np.frombuffer(stored[: dtype.itemsize], dtype=dtype)[0]
    return stored


def _lead(definition: Any) -> str:
    """Name a channel: by its code if that is one of leads, else in its own words."""
    source = definition.ChannelSourceSequence[0]
    code = str(source.get("CodeValue", ""))
    before = _NUMBERED.get(str(source.get("CodingSchemeDesignator")), "\0")
    number = code.removeprefix(before)
    if number != code and number.isascii() and number.isdigit():
        name = lead_of_number(int(number))
        if not name.startswith("lead "):
            return name
    return str(source.get("CodeMeaning") or definition.get("ChannelLabel") or code)


def _unit(definition: Any) -> str:
    units = definition.get("ChannelSensitivityUnitsSequence") or []
    return str(units[0].get("CodeValue", "")) if units else ""


def _samples(name: str, definition: Any, raw: Array, filling: Any) -> FloatArray:
    """Return the samples of a channel in its unit; NaN where one is missing."""
    if definition.get("ChannelSensitivity") is None:
        raise RecordError(
            f"{name}: a channel must say what a step of its samples is. Got no Channel "
            f"Sensitivity in {_lead(definition)}; name other leads with leads=..."
        )
    factor = float(definition.ChannelSensitivity)
    correction = definition.get("ChannelSensitivityCorrectionFactor")
    factor *= 1.0 if correction is None else float(correction)
    if not factor:
        raise RecordError(
            f"{name}: a step of the samples must be other than 0. Got 0 in "
            f"{_lead(definition)}; restore the file."
        )
    samples = raw * factor + float(definition.get("ChannelBaseline") or 0)
    if filling is not None:
        samples = np.where(raw == filling, np.nan, samples)
    return samples
