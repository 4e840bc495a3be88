"""A record put together from what its header names: itself, or its segments."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from sk_erts._lib.lead_names import standard_spelling
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._header import NO_FILE, Header, read_header
from sk_erts.datasets._options import Reading, choose, same_leads
from sk_erts.datasets._signals import check_voltage, is_layout, read_signals
from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = ["Whole", "read_whole"]


@dataclass(frozen=True)
class Whole:
    """A record as it was recorded.

    Attributes
    ----------
    pieces : list of ndarray of shape (n_leads, n_times), dtype float32, or of int
        In mV, NaN for missing samples; an int is a gap of so many time steps.
    lead_names : tuple of n_leads str
        Leads.
    fs : float
        Sampling frequency in Hz.
    parts : tuple of str
        Paths of the records that it consists of; none if it is a plain one.
    comments : tuple of str
        Of the header.
    """

    pieces: list[FloatArray | int]
    lead_names: tuple[str, ...]
    fs: float
    parts: tuple[str, ...]
    comments: tuple[str, ...]


def read_whole(path: str, how: Reading) -> Whole:
    """Read a record, or the segments that it consists of.

    Parameters
    ----------
    path : str
        The record's path without extension.
    how : Reading
        Which leads, and what to assume of what headers do not say.

    Returns
    -------
    whole : Whole
        With the leads asked for.

    Raises
    ------
    RecordNotFoundError
        If a header or signal file is not there.
    RecordError
        If anything is wrong with one of them, or segments do not fit together.
    """
    header = read_header(path)
    if header.segments:
        return _join(header, how)
    names = _names(header, how)
    wanted = choose(names, how.leads, path)
    lead_names = _known_names(header, names, wanted)
    signal, n_per_frame = read_signals(header, wanted, how)
    fs = _known_rate(header, header.fs, n_per_frame, how)
    return Whole([signal], lead_names, fs, (), header.comments)


def _join(header: Header, how: Reading) -> Whole:
    """Read the segments of a record in their order."""
    folder = os.path.dirname(header.path)
    paths = {x.name: os.path.join(folder, x.name) for x in header.segments}
    paths.pop(NO_FILE, None)
    headers = {name: _segment_header(header, path) for name, path in paths.items()}
    if not headers:
        raise RecordError(
            f"{header.path}.hea: a record must have a segment with samples. Got gaps "
            "only instead; restore the header, or leave the record out."
        )
    _check_lengths(header, headers)
    described = next(iter(headers.values()))  # the layout, or a segment like all
    names = _names(described, how)
    if len(names) != header.n_signals:
        _unfit(header, f"{header.n_signals} signals", f"{len(names)} in", described)
    wanted = choose(names, how.leads, header.path)
    lead_names = _known_names(described, names, wanted)
    for k in wanted:
        check_voltage(described, described.signals[k])
    pieces: list[FloatArray | int] = []
    rates: dict[int, str] = {}
    for segment in header.segments:
        if segment.n_frames == 0:
            continue
        if segment.name == NO_FILE:
            pieces.append(segment.n_frames)
            continue
        piece, rate = _piece(headers[segment.name], described, lead_names, how)
        rates.setdefault(rate, segment.name)
        pieces.append(segment.n_frames if piece is None else piece)
    return Whole(
        _with_gaps(header, pieces, rates),
        lead_names,
        _known_rate(header, _rate(header, headers), next(iter(rates)), how),
        tuple(paths.values()),
        header.comments,
    )


def _segment_header(header: Header, path: str) -> Header:
    """Return the header of a segment, or raise if it is not one."""
    try:
        segment = read_header(path)
    except RecordNotFoundError as error:
        raise RecordNotFoundError(
            f"{path}.hea: there is no such header, but {header.path}.hea names it as a "
            "segment. Restore the record, or leave it out."
        ) from error
    if segment.segments:
        raise RecordError(
            f"{path}.hea: a segment of {header.path} must have no segments of its own. "
            f"Got {len(segment.segments)} instead; restore the headers."
        )
    return segment


def _check_lengths(header: Header, headers: dict[str, Header]) -> None:
    """Raise if segments are not as long as the header of the whole says."""
    total = sum(segment.n_frames for segment in header.segments)
    if header.n_frames not in (None, total):
        _unfit(header, f"{header.n_frames} samples", f"{total} in all", header)
    for segment in header.segments:
        own = headers[segment.name].n_frames if segment.name in headers else None
        if own is not None and own != segment.n_frames:
            where = headers[segment.name]
            _unfit(header, f"{segment.n_frames} samples", f"{own} in", where)


def _piece(
    header: Header, described: Header, lead_names: Sequence[str], how: Reading
) -> tuple[FloatArray | None, int]:
    """Return a segment with the leads of the whole, None if it has none of them."""
    names = _names(header, how)
    fixed = not is_layout(described)
    if fixed and not same_leads(map(str, names), map(str, _names(described, how))):
        _unfit(header, "the leads of the other segments", f"{names} in", header)
    if fixed:
        wanted = choose(names, how.leads, header.path)
        return read_signals(header, wanted, how)
    folded = [str(name).casefold() for name in names]
    layout = {str(name).casefold() for name in _names(described, how)}
    if strangers := sorted(set(folded) - layout):
        _unfit(header, "leads of the layout only", f"{', '.join(strangers)} in", header)
    rows = [k for k, x in enumerate(lead_names) if x.casefold() in folded]
    if not rows:
        return None, 0
    asked = tuple(lead_names[k] for k in rows)
    found, rate = read_signals(header, choose(names, asked, header.path), how)
    piece = np.full((len(lead_names), found.shape[1]), np.nan, dtype=np.float32)
    piece[rows] = found
    return piece, rate


def _with_gaps(
    header: Header, pieces: list[FloatArray | int], rates: dict[int, str]
) -> list[FloatArray | int]:
    """Return the pieces with gaps in time steps, which so far are in frames."""
    rates.pop(0, None)  # of segments without any of the leads
    if not rates:
        raise RecordError(
            f"{header.path}: a record must have samples of the leads asked for. Got "
            "none instead; choose others with 'leads', or leave the record out."
        )
    if len(rates) > 1:
        said = ", ".join(f"{rate} in {name}" for rate, name in rates.items())
        _unfit(header, "one number of samples per frame", said, header)
    rate = next(iter(rates))
    return [x * rate if isinstance(x, int) else x for x in pieces]


def _rate(header: Header, headers: dict[str, Header]) -> float | None:
    """Return the frames per second that all headers tell that tell any."""
    told = {x.fs: x for x in (header, *headers.values()) if x.fs is not None}
    if len(told) > 1:
        fs, other = list(told)[:2]
        _unfit(header, f"{fs} Hz in all headers", f"{other} Hz in", told[other])
    return next(iter(told), None)


def _known_rate(
    header: Header, fs: float | None, n_per_frame: int, how: Reading
) -> float:
    """Return the sampling frequency by that of frames, or raise if nobody knows it."""
    known = fs if fs is not None else how.fs
    if known is None:
        raise RecordError(
            f"{header.path}.hea: the header must tell the sampling frequency. Got none "
            "instead. If you know it, pass assume={'fs': ...} in Hz."
        )
    rate = known * n_per_frame
    return int(rate) if rate == int(rate) else rate


def _names(header: Header, how: Reading) -> list[str | None]:
    """Return the names of all signals, None where nobody gives one."""
    given = [line.name for line in header.signals]
    if None in given and how.lead_names is not None:
        if len(how.lead_names) != len(given):
            raise RecordError(
                f"{header.path}.hea: assume['lead_names'] must have a name for each of "
                f"its {len(given)} signals. Got {', '.join(how.lead_names)} instead."
            )
        given = [
            assumed if name is None else name
            for name, assumed in zip(given, how.lead_names, strict=True)
        ]
    return [None if name is None else standard_spelling([name])[0] for name in given]


def _known_names(
    header: Header, names: Sequence[str | None], wanted: Sequence[int]
) -> tuple[str, ...]:
    """Return the names of some signals, or raise for one that has none."""
    for k in wanted:
        if names[k] is None:
            raise RecordError(
                f"{header.path}.hea, line {header.signals[k].number}: the description "
                "must name the lead. Got none instead. If you know the leads, pass "
                "assume={'lead_names': [...]} with a name for each signal."
            )
    return tuple(str(names[k]) for k in wanted)


def _unfit(header: Header, wanted: str, got: str, where: Header) -> NoReturn:
    """Raise for segments that do not make one record."""
    raise RecordError(
        f"{header.path}: the segments must have {wanted}. Got {got} {where.path}.hea "
        "instead; restore the record, or leave it out."
    )
