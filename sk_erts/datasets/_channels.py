"""From the channels of a file, whatever its format, to a record in mV."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from textwrap import shorten

import numpy as np

from sk_erts._lib.lead_names import STANDARD_LEADS, standard_spelling
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._missing import mend
from sk_erts.datasets._options import Reading, choose
from sk_erts.datasets._records import Record
from sk_erts.datasets._segments import Whole
from sk_erts.datasets._units import millivolts
from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = ["Channel", "as_lead_name", "check_file", "make_record", "read_mv", "told_as"]

# What formats write before the name of a lead: "ECG II", "Lead V1", "MDC_ECG_LEAD_AVR".
_BEFORE = re.compile(r"^(?:MDC_ECG_LEAD_|(?:ECG|EKG|lead)[\s_:-]+)", re.IGNORECASE)
_BEHIND = re.compile(r"\s*\(Einthoven\)$", re.IGNORECASE)


@dataclass(frozen=True)
class Channel:
    """One channel of a file, of which nothing is read yet.

    Attributes
    ----------
    name : str
        As the file spells it.
    unit : str
        Of the samples; "" if the file names none.
    fs : float
        Sampling frequency in Hz.
    read : callable
        Returns the samples, of shape (n_times,), as numbers in `unit`; NaN where one is
        missing.
    start : float, default=0
        Place of the first sample, in samples since the first one of the file.
    """

    name: str
    unit: str
    fs: float
    read: Callable[[], FloatArray]
    start: float = 0


def check_file(path: str | os.PathLike[str]) -> str:
    """Raise if there is no such file, or it cannot be opened.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    name : str
        The same, as messages name it.

    Raises
    ------
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is none, such as a folder, or cannot be opened.
    """
    try:
        with open(path, "rb"):
            return os.fspath(path)
    except FileNotFoundError as error:
        raise RecordNotFoundError(
            f"{os.fspath(path)}: there is no such file. Restore it, or leave it out."
        ) from error
    except OSError as error:
        raise RecordError(
            f"{os.fspath(path)}: the file cannot be opened: {error.strerror}. Check "
            "that it is a file, and that you may read it."
        ) from error


@contextmanager
def told_as(problem: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn errors of a library, for a file that is not what it claims, into ours.

    Parameters
    ----------
    problem : str
        What they mean, with the file's name first.
    errors : tuple of exception types
        Which ones; those of the package pass.

    Raises
    ------
    RecordError
        With the words of the library.
    """
    try:
        yield
    except (RecordError, RecordNotFoundError):
        raise
    except errors as error:
        # Some quote what they could not read, however long.
        words = shorten(str(error) or type(error).__name__, 200)
        raise RecordError(f"{problem} ({words}). Restore the file.") from error


def as_lead_name(text: str) -> str:
    """Return the name of a lead without what its format writes around it.

    Parameters
    ----------
    text : str
        As a file spells it.

    Returns
    -------
    name : str
        One of `STANDARD_LEADS` if it is one of them; others are left as they are.

    Examples
    --------
    >>> as_lead_name("ECG avr"), as_lead_name("Lead I (Einthoven)"), as_lead_name("ECG")
    ('aVR', 'I', 'ECG')
    """
    text = " ".join(text.split())
    bare = _BEHIND.sub("", _BEFORE.sub("", text))
    (name,) = standard_spelling([bare])
    if name in STANDARD_LEADS:
        return name
    return text.removeprefix("MDC_ECG_LEAD_")


def read_mv(name: str, channel: Channel) -> FloatArray:
    """Read a channel that must be a voltage.

    Parameters
    ----------
    name : str
        Path of the file.
    channel : Channel
        The channel.

    Returns
    -------
    samples : ndarray of shape (n_times,), dtype float64
        In mV.

    Raises
    ------
    RecordError
        If its unit is that of another quantity, or absent.
    """
    factor = millivolts(channel.unit)
    if factor is None:
        raise RecordError(
            f"{name}: each lead must be a voltage, in V, mV, uV or nV. Got "
            f"{channel.unit.strip() or 'no unit'} instead in "
            f"{as_lead_name(channel.name)}; name the leads that are wanted with "
            "leads=..."
        )
    samples: FloatArray = np.asarray(channel.read(), dtype=np.float64) * factor
    return samples


def make_record(name: str, channels: Sequence[Channel], how: Reading) -> Record:
    """Read channels, and make a record of them.

    Parameters
    ----------
    name : str
        Path of the file.
    channels : sequence of Channel
        What is in it.
    how : Reading
        Which of them are wanted, and what is done with what is missing.

    Returns
    -------
    record : Record
        In mV.

    Raises
    ------
    RecordError
        If a wanted lead is not there, is no voltage, has a missing sample, is flat or
        does not fit the others; or if there are no channels.
    """
    if not channels:
        raise RecordError(
            f"{name}: there must be a lead or more. Got none; restore the file."
        )
    names = tuple(as_lead_name(channel.name) for channel in channels)
    rows = choose(names, _bare(how.leads), name)
    names = tuple(names[row] for row in rows)
    wanted = [channels[row] for row in rows]
    fs = _shared(name, "sampling frequency", [c.fs for c in wanted], " Hz")
    if not (isfinite(fs) and fs > 0):
        raise RecordError(
            f"{name}: the sampling frequency must be a number above 0. Got {fs} Hz "
            "instead; restore the file."
        )
    _shared(name, "first sample", [c.start for c in wanted])
    samples = [read_mv(name, channel) for channel in wanted]
    if not _shared(name, "number of samples", [len(row) for row in samples]):
        raise RecordError(f"{name}: there must be samples. Got none; restore the file.")
    with np.errstate(over="ignore"):
        raw = np.stack(samples).astype(np.float32)  # (leads, times)
    raw[~np.isfinite(raw)] = np.nan  # no sample is infinite
    whole = Whole([raw], names, float(fs), parts=(), comments=())
    signal, missing = mend(whole, name, how)
    _check_flat(name, signal, names, how.allow_flat)
    return Record(os.path.splitext(name)[0], signal, names, float(fs), missing=missing)


def _bare(leads: tuple[str | int, ...] | None) -> tuple[str | int, ...] | None:
    """Return the leads that are asked for, spelt as those of the file are."""
    if leads is None:
        return None
    return tuple(as_lead_name(x) if isinstance(x, str) else x for x in leads)


def _shared(name: str, what: str, values: Sequence[float], unit: str = "") -> float:
    """Return what all leads must share."""
    if len(set(values)) > 1:
        held = ", ".join(f"{value:g}{unit}" for value in sorted(set(values)))
        raise RecordError(
            f"{name}: all leads must have the same {what}. Got {held} instead; name "
            "leads that have with leads=..."
        )
    return values[0]


def _check_flat(
    name: str, signal: FloatArray, lead_names: Sequence[str], allow_flat: bool
) -> None:
    """Raise for leads that are flat and must not be."""
    flat = (signal == signal[:, :1]).all(axis=1)
    if flat.any() and not allow_flat:
        still = ", ".join(
            x for x, is_flat in zip(lead_names, flat, strict=True) if is_flat
        )
        raise RecordError(
            f"{name}: no lead must be flat. Got one value through the whole record "
            f"instead in {still}; pass allow_flat=True to keep it, or name the other "
            "leads with leads=..."
        )
