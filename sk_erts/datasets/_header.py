"""What the header of a record says, and nothing that it does not say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from sk_erts.datasets._damage import lies_beside, read_text
from sk_erts.exceptions import RecordError

__all__ = ["Header", "Segment", "SignalLine", "parts_of", "read_header"]

# Digits are counted, as Python refuses to make an int of thousands of them.
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_SIGNED = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = r"[+-]?(?:\d{1,18}(?:\.\d{0,60})?|\.\d{1,60})(?:[eE][+-]?\d{1,4})?"
_NUMBER = re.compile(_DECIMAL, re.ASCII)
_FORMAT = re.compile(
    r"(\d{1,4})(?:x(\d{1,9}))?(?::(\d{1,18}))?(?:\+(\d{1,18}))?", re.ASCII
)
_GAIN = re.compile(rf"({_DECIMAL})?(?:\(({_DECIMAL})\))?(?:/(\S+))?", re.ASCII)
_SEGMENTS = re.compile(r".*/(\d{1,9})", re.ASCII)
_LINE_END = re.compile(r"\r\n|\n|\r")

# What of a signal line stands between its gain and its description.
_TAIL = ("ADC resolution", "ADC zero", "initial value", "checksum", "block size")
# Of these, the ones that samples depend on.
_NEEDED = ("ADC zero", "initial value")
# 0 has no samples; the last three are FLAC.
FORMATS = frozenset(
    {"0", "8", "16", "24", "32", "61", "80", "160", "212", "310", "311"}
    | {"508", "516", "524"}
)
NO_FILE = "~"


@dataclass(frozen=True)
class SignalLine:
    """One signal of a record.

    Attributes
    ----------
    number : int
        Its line in the header.
    file : str
        Name of the signal file; ``~`` for none.
    fmt : str
        WFDB format of the samples.
    n_per_frame : int
        Samples in each frame.
    skew : int
        Frames by which the signal lags behind.
    offset : int
        Bytes before the first sample.
    gain : float or None
        Steps per unit; None if the signal is not calibrated.
    baseline : float
        Step that stands for 0.
    unit : str
        Physical unit; the format says that it is mV where none is given.
    initial : int
        First value, for samples that are stored as differences.
    name : str or None
        Description of the signal, usually its lead.
    """

    number: int
    file: str
    fmt: str
    n_per_frame: int
    skew: int
    offset: int
    gain: float | None
    baseline: float
    unit: str
    initial: int
    name: str | None


@dataclass(frozen=True)
class Segment:
    """One piece of a record: its name, ``~`` for a gap, and its number of frames."""

    name: str
    n_frames: int


@dataclass(frozen=True)
class Header:
    """A header.

    Attributes
    ----------
    path : str
        The record's path without extension.
    fs : float or None
        Frames per second; None if the header does not say.
    n_frames : int or None
        Length; None if the header does not say.
    n_signals : int
        Number of signals.
    signals : tuple of SignalLine
        None if the record consists of segments.
    segments : tuple of Segment
        Its segments, in order; none if it is a plain record.
    comments : tuple of str
        Lines that begin with ``#``, without it.
    """

    path: str
    fs: float | None
    n_frames: int | None
    n_signals: int
    signals: tuple[SignalLine, ...] = ()
    segments: tuple[Segment, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Line:
    """A line of a header that can say what is wrong with it."""

    file: str
    number: int
    text: str

    def refuse(self, field: str, wanted: str, got: str) -> NoReturn:
        raise RecordError(
            f"{self.file}, line {self.number}: the {field} must {wanted}. Got {got!r} "
            "instead; mend the header, or restore it."
        )

    def whole(self, field: str, got: str, least: int = 0) -> int:
        if not _WHOLE.fullmatch(got) or int(got) < least:
            self.refuse(field, f"be a whole number of at least {least}", got)
        return int(got)


def read_header(path: str) -> Header:
    """Read the header of a record.

    The name of the record in it and when it was recorded are not read: neither is
    needed, and both are often against the format.

    Parameters
    ----------
    path : str
        The record's path without extension.

    Returns
    -------
    header : Header
        What it says.

    Raises
    ------
    RecordNotFoundError
        If there is none.
    RecordError
        If it is malformed, or names a file outside its folder.

    References
    ----------
    .. [1] G. Moody, "WFDB Applications Guide", header(5),
       https://www.physionet.org/physiotools/wag/header-5.htm
    """
    file = f"{path}.hea"
    lines, comments = _lines_of(file, read_text(file))
    if not lines:
        raise RecordError(
            f"{file}: a header must have a line for the record. Got none instead; "
            "restore the file."
        )
    first, rest = lines[0], lines[1:]
    name, *fields = first.text.split()
    found = _SEGMENTS.fullmatch(name)
    n_signals = first.whole("number of signals", fields[0] if fields else "", 1)
    fs, n_frames = _rate_and_length(first, fields[1:])
    wanted, kind = (int(found[1]), "segment") if found else (n_signals, "signal")
    if len(rest) != wanted:
        first.refuse(f"number of {kind}s", f"be that of the {kind} lines", str(wanted))
    if found:
        segments = tuple(_segment(line) for line in rest)
        if not segments:
            first.refuse("number of segments", "be a whole number of at least 1", "0")
        return Header(path, fs, n_frames, n_signals, (), segments, comments)
    signals = tuple(_signal(line) for line in rest)
    return Header(path, fs, n_frames, n_signals, signals, (), comments)


def parts_of(header: str) -> tuple[str, ...]:
    """Return the names of the segments that a record consists of.

    Parameters
    ----------
    header : str
        Path of the header, ``.hea`` included.

    Returns
    -------
    names : tuple of str
        Of records beside it; none if it is a plain record, or cannot be read, which is
        told when it is.
    """
    try:
        lines, _ = _lines_of(header, read_text(header))
        if not lines or not _SEGMENTS.fullmatch(lines[0].text.split()[0]):
            return ()
        segments = [_segment(line) for line in lines[1:]]
    except (RecordError, FileNotFoundError):
        return ()
    return tuple(part.name for part in segments if part.name != NO_FILE)


def _lines_of(file: str, text: str) -> tuple[list[_Line], tuple[str, ...]]:
    """Return what a header states, line by line, and what it remarks."""
    lines, comments = [], []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        stripped = line.strip()
        if stripped.startswith("#"):
            comments.append(stripped.strip(" \t#"))
        elif stripped:
            lines.append(_Line(file, number, stripped))
    return lines, tuple(comments)


def _rate_and_length(
    line: _Line, fields: Sequence[str]
) -> tuple[float | None, int | None]:
    """Return the frames per second and their number, each None if it is not told."""
    if not fields:
        return None, None
    rate = fields[0].partition("/")[0]  # behind it, that of a counter
    fs = float(rate) if _NUMBER.fullmatch(rate) else 0.0
    if not 0 < fs < float("inf"):
        line.refuse("sampling frequency", "be a finite number above 0", fields[0])
    fs = int(fs) if fs.is_integer() else fs
    if len(fields) == 1 or _is_when(fields[1]):
        return fs, None
    return fs, line.whole("number of samples", fields[1]) or None


def _is_when(field: str) -> bool:
    """Return whether a field is a time or a date, in whatever form."""
    return not _NUMBER.fullmatch(field) and any(mark in field for mark in ":/-")


def _segment(line: _Line) -> Segment:
    """Return what a line says of a segment."""
    fields = line.text.split()
    if len(fields) != 2:
        line.refuse("segment", "have a name and a number of samples", line.text)
    if not lies_beside(fields[0]):
        _distrust(line, "segments", fields[0])
    return Segment(fields[0], line.whole("number of samples", fields[1]))


def _signal(line: _Line) -> SignalLine:
    """Return what a line says of a signal."""
    file, *fields = line.text.split()
    if not lies_beside(file):
        _distrust(line, "signal files", file)
    found = _FORMAT.fullmatch(fields[0]) if fields else None
    if found is None or found[1] not in FORMATS:
        known = ", ".join(sorted(FORMATS, key=int))
        wanted = f"be one of {known}, with samples per frame, skew and offset behind it"
        line.refuse("format", wanted, " ".join(fields[:1]))
    n_per_frame = line.whole("number of samples per frame", found[2] or "1", 1)
    gain, baseline, unit = _calibration(line, fields[1:2])
    tail, name = _tail(line)
    zero = tail.get("ADC zero", 0)
    return SignalLine(
        number=line.number,
        file=file,
        fmt=found[1],
        n_per_frame=n_per_frame,
        skew=int(found[3] or 0),
        offset=int(found[4] or 0),
        gain=gain,
        baseline=zero if baseline is None else baseline,
        unit=unit,
        initial=tail.get("initial value", 0),
        name=name,
    )


def _calibration(
    line: _Line, fields: Sequence[str]
) -> tuple[float | None, float | None, str]:
    """Return gain and baseline, None where there is none, and the unit."""
    text = fields[0] if fields else ""
    found = _GAIN.fullmatch(text)
    if found is None or not all(
        abs(float(value)) < float("inf") for value in found.groups()[:2] if value
    ):
        wanted = "be a number of steps per unit, as in 200(0)/mV"
        line.refuse("gain", wanted, text)
    gain = float(found[1] or 0) or None  # the format calls 0 uncalibrated
    return gain, None if found[2] is None else float(found[2]), found[3] or "mV"


def _tail(line: _Line) -> tuple[dict[str, int], str | None]:
    """Return the numbers behind the gain, and the description behind them."""
    rest = line.text.split(None, 3)[3:]
    numbers: dict[str, int] = {}
    for field in _TAIL:
        got, *behind = rest[0].split(None, 1) if rest else [""]
        if not _NUMBER.fullmatch(got):
            break
        if _SIGNED.fullmatch(got):
            numbers[field] = int(got)
        elif field in _NEEDED:
            line.refuse(field, "be a whole number", got)
        rest = behind
    return numbers, rest[0].strip() if rest else None


def _distrust(line: _Line, what: str, name: str) -> NoReturn:
    raise RecordError(
        f"{line.file}, line {line.number}: {what} must lie beside their header. Got "
        f"{name!r} instead; do not trust this folder."
    )
