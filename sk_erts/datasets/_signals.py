"""Samples of one plain record, as voltages."""

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._damage import reading
from sk_erts.datasets._header import NO_FILE, Header, SignalLine
from sk_erts.datasets._options import Reading
from sk_erts.datasets._units import millivolts
from sk_erts.datasets._wfdb import import_wfdb
from sk_erts.exceptions import RecordError

__all__ = ["check_voltage", "is_layout", "read_signals"]

# Bits that a sample takes in a file, and bytes that its packing may leave over.
_BITS: Mapping[str, float] = {
    "8": 8,
    "16": 16,
    "24": 24,
    "32": 32,
    "61": 16,
    "80": 8,
    "160": 16,
    "212": 12,
    "310": 32 / 3,
    "311": 32 / 3,
}
_LEFT_OVER = {"212": 1, "310": 3, "311": 3}
_FLAC = ("508", "516", "524")
# A frame of FLAC holds at most so many samples of a channel, in at least so many bytes.
_FLAC_FRAME = 65535
_FLAC_BYTES = 11

# The step that stands for a missing sample: the lowest of each format. Format 8, of
# differences, has none.
_NO_SAMPLE: Mapping[str, int] = {
    **dict.fromkeys(("80", "508"), -(2**7)),
    **dict.fromkeys(("310", "311"), -(2**9)),
    "212": -(2**11),
    **dict.fromkeys(("16", "61", "160", "516"), -(2**15)),
    **dict.fromkeys(("24", "524"), -(2**23)),
    "32": -(2**31),
}


def read_signals(
    header: Header, wanted: Sequence[int], how: Reading
) -> tuple[FloatArray, int]:
    """Read some signals of a record that is no record of segments.

    Parameters
    ----------
    header : Header
        Of the record.
    wanted : sequence of int
        Numbers of the signals, at least one.
    how : Reading
        What to assume of signals that are not calibrated.

    Returns
    -------
    signal : ndarray of shape (n_wanted, n_times), dtype float32
        In mV; NaN for missing samples.
    n_per_frame : int
        Samples per frame: the sampling frequency is this times that of the header.

    Raises
    ------
    RecordNotFoundError
        If a signal file is not there.
    RecordError
        If one is cut short or damaged, a signal is no voltage or not calibrated, or
        they differ in sampling frequency.
    """
    chosen = [header.signals[k] for k in wanted]
    for line in chosen:
        check_voltage(header, line)
        if line.file == NO_FILE or line.fmt == "0":
            _no_samples(header, line)
    rates = [line.n_per_frame for line in chosen]
    if len(set(rates)) > 1:
        said = ", ".join(f"{line.name} {line.n_per_frame}" for line in chosen)
        raise RecordError(
            f"{header.path}: all leads must have one sampling frequency. Got samples "
            f"per frame of {said} instead; choose leads that agree with 'leads'."
        )
    n_frames = header.n_frames or _infer_length(header, chosen[0])
    if n_frames == 0:
        raise RecordError(
            f"{header.path}: a record must have samples. Got none instead; restore the "
            "record, or leave it out."
        )
    found: dict[int, Any] = {}
    for file in dict.fromkeys(line.file for line in chosen):
        found.update(_steps_of(header, file, n_frames))
    signal = np.empty((len(chosen), n_frames * rates[0]), dtype=np.float32)
    for row, k in zip(signal, wanted, strict=True):
        row[:] = _voltage(header, header.signals[k], found[k], how)
    return signal, rates[0]


def is_layout(header: Header) -> bool:
    """Return whether a header only describes the signals of a record of segments.

    Parameters
    ----------
    header : Header
        Any.

    Returns
    -------
    is_layout : bool
        True if no signal has a file.
    """
    return bool(header.signals) and all(x.file == NO_FILE for x in header.signals)


def check_voltage(header: Header, line: SignalLine) -> float:
    """Return how many mV the unit of a signal is, or raise if it is no voltage.

    Parameters
    ----------
    header : Header
        Of its record.
    line : SignalLine
        The signal.

    Returns
    -------
    factor : float
        Of its unit.

    Raises
    ------
    RecordError
        If it has another unit.
    """
    factor = millivolts(line.unit)
    if factor is not None:
        return factor
    fine = [x.name for x in header.signals if x.name and millivolts(x.unit)]
    advice = f"leads={fine!r}" if fine else "'leads'"
    raise RecordError(
        f"{header.path}: all leads must be in mV, or in µV or V, which become mV. Got "
        f"{line.unit} instead, of {line.name or 'a lead without a name'}; choose "
        f"others with {advice}."
    )


def _steps_of(header: Header, file: str, n_frames: int) -> dict[int, Any]:
    """Return the steps of all signals in a file, by their number."""
    members = [k for k, line in enumerate(header.signals) if line.file == file]
    lines = [header.signals[k] for k in members]
    for line, other in pairwise(lines):
        if (line.fmt, line.offset) != (other.fmt, other.offset):
            raise RecordError(
                f"{header.path}.hea, line {other.number}: the signals of {file} must "
                f"have one format and offset. Got {other.fmt}+{other.offset} after "
                f"{line.fmt}+{line.offset} instead; restore the header."
            )
    path = os.path.join(os.path.dirname(header.path), file)
    # wfdb's own reader of headers stands between all that is public and the samples.
    # The same since 4.1; looked up here, where nothing would hide its absence.
    decode = import_wfdb().io._signal._rd_dat_signals
    with reading(header.path, f"the signal file {file}"):
        _check_size(header, path, lines, n_frames)
        steps = decode(
            file_name=file,
            dir_name=os.path.abspath(os.path.dirname(header.path)),
            pn_dir=None,
            fmt=lines[0].fmt,
            n_sig=len(lines),
            sig_len=n_frames,
            byte_offset=lines[0].offset,
            samps_per_frame=[line.n_per_frame for line in lines],
            skew=[0] * len(lines),  # see _voltage
            init_value=[line.initial for line in lines],
            sampfrom=0,
            sampto=n_frames,
        )
    return dict(zip(members, steps, strict=True))


def _voltage(
    header: Header, line: SignalLine, steps: NDArray[Any], how: Reading
) -> FloatArray:
    """Return steps of a converter as mV."""
    gain, mv = line.gain, check_voltage(header, line)
    if gain is None:
        if how.gain is None:
            raise RecordError(
                f"{header.path}.hea, line {line.number}: the gain must be a number of "
                f"steps per unit other than 0. Got none instead: {line.name or 'it'} "
                "is not calibrated. If you know the steps per mV, pass "
                "assume={'gain': ...}."
            )
        gain, mv = how.gain, 1.0
    with np.errstate(over="ignore"):  # told below
        exact = steps.astype(np.float64)
        volts = ((exact - line.baseline) / gain * mv).astype(np.float32)
    if not np.isfinite(volts).all():
        raise RecordError(
            f"{header.path}.hea, line {line.number}: the gain must make numbers of all "
            f"samples. Got {gain:g} instead, with which they overflow; restore the "
            "header."
        )
    if line.fmt in _NO_SAMPLE:
        volts[steps == _NO_SAMPLE[line.fmt]] = np.nan
    if line.skew:
        # Done here, as wfdb calls too few samples missing where a frame has several.
        n_lost = min(line.skew * line.n_per_frame, len(volts))
        volts = np.append(volts[n_lost:], np.full(n_lost, np.nan, dtype=np.float32))
    return volts


def _check_size(
    header: Header, path: str, lines: Sequence[SignalLine], n_frames: int
) -> None:
    """Raise if a file cannot hold what the header says, before anything is read."""
    size, fmt, offset = os.stat(path).st_size, lines[0].fmt, lines[0].offset
    per_frame = sum(line.n_per_frame for line in lines)
    if fmt in _FLAC:
        wanted = n_frames * lines[0].n_per_frame
        held = _flac_length(path)
        if wanted + offset > held or held > size / _FLAC_BYTES * _FLAC_FRAME:
            raise RecordError(
                f"{path}: the signal file must hold {wanted} samples of each signal "
                f"from sample {offset} on. Got {held} in {size} bytes instead; restore "
                "the file."
            )
        return
    needed = offset + ceil(n_frames * per_frame * _BITS[fmt] / 8)
    if size < needed:
        rate = lines[0].n_per_frame
        held = int(max(0, size - offset) * 8 / _BITS[fmt]) // per_frame * rate
        raise RecordError(
            f"{header.path}: the signal file must hold {len(lines)} leads of "
            f"{n_frames * rate} samples, shape {(len(lines), n_frames * rate)}. Got "
            f"{size} bytes instead, shape {(len(lines), held)}; restore the file."
        )


def _flac_length(path: str) -> int:
    """Return how many samples of each channel a file says that it holds."""
    # wfdb's own dependency, without types
    import soundfile  # type: ignore[import-untyped]

    with soundfile.SoundFile(path) as file:
        return int(file.frames)


def _infer_length(header: Header, line: SignalLine) -> int:
    """Return the number of frames by what a signal file holds."""
    path = os.path.join(os.path.dirname(header.path), line.file)
    lines = [x for x in header.signals if x.file == line.file]
    with reading(header.path, f"the signal file {line.file}"):
        if line.fmt in _FLAC:
            return max(0, _flac_length(path) - line.offset) // line.n_per_frame
        n_bytes = os.stat(path).st_size - line.offset
    per_frame = sum(x.n_per_frame for x in lines)
    n_frames = int(max(0, n_bytes) * 8 / _BITS[line.fmt]) // per_frame
    left = n_bytes - ceil(n_frames * per_frame * _BITS[line.fmt] / 8)
    if left > _LEFT_OVER.get(line.fmt, 0):
        raise RecordError(
            f"{path}: as the header tells no length, the signal file must hold whole "
            f"frames of {len(lines)} signals. Got {n_bytes} bytes of samples instead, "
            f"{left} too many; restore the file."
        )
    return n_frames


def _no_samples(header: Header, line: SignalLine) -> NoReturn:
    """Raise for a signal that has no file."""
    if is_layout(header):
        raise RecordError(
            f"{header.path}.hea: a record must have samples. Got the layout of a "
            "record of segments instead; read that record, or leave this one out."
        )
    raise RecordError(
        f"{header.path}.hea, line {line.number}: {line.name or 'the signal'} must have "
        f"a signal file. Got format {line.fmt} and file {line.file!r} instead: it was "
        "not recorded; choose others with 'leads'."
    )
