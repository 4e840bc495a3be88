"""What averages of beats are made of, judged before anything is drawn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from sk_erts._lib.checks import as_numbers, check_frequency, refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.exceptions import DoubtfulInputWarning

__all__ = [
    "check_are_beats",
    "check_beats",
    "check_estimators",
    "check_names",
    "rows_of_classes",
]

_OWNER = "ClassAverageDisplay"

# No beat is longer. Without a sampling frequency no beat has more samples, at 200 Hz.
_LONGEST_BEAT_S, _MOST_SAMPLES = 3, 600


def check_are_beats(shape: tuple[int, ...], fs: float | None) -> None:
    """Refuse whole records, whose segments are not those of a beat."""
    if not shape:
        return
    rate = None if fs is None else check_frequency(_OWNER, fs)
    advice = (
        "cut each record around its R peaks: sk_erts.beats.r_peaks finds them, "
        "sk_erts.beats.beat_average averages over their windows."
    )
    if rate is not None and shape[-1] / rate > _LONGEST_BEAT_S:
        raise ValueError(
            f"{_OWNER} must have beats, of {_LONGEST_BEAT_S} s at most. Got "
            f"whole records of {shape[-1] / rate:g} s instead; {advice}"
        )
    if rate is None and shape[-1] > _MOST_SAMPLES:
        warnings.warn(
            f"{_OWNER} wants beats, and {shape[-1]} samples are hardly one. "
            f"Pass 'fs' if they are; else {advice}",
            DoubtfulInputWarning,
            stacklevel=3,
        )


def check_names(names: Any, count: int, parameter: str) -> list[str]:
    """Return names of rows or columns, or raise."""
    if names is None:
        return [str(number) for number in range(1, count + 1)]
    listed = [str(name) for name in names]
    if isinstance(names, str) or len(listed) != count:
        raise ValueError(
            f"The {parameter!r} of {_OWNER} must be {count} names, as the "
            f"table has. Got {names!r} instead."
        )
    return listed


def check_beats(beats: Any, n_classes: int) -> FloatArray:
    """Return the beats as floats, or raise."""
    values = as_numbers(_OWNER, "beats", beats, "(n_classes, n_times)")
    if len(values) != n_classes or values.shape[1] < 2:
        wanted = f"have {n_classes} classes as in 'table', and two time steps or more"
        refuse(_OWNER, "beats", wanted, f"shape {values.shape}")
    return values.astype(np.float64, copy=False)


def check_estimators(estimators: Any) -> None:
    """Refuse what names no estimators."""
    if not isinstance(estimators, Mapping) or not estimators:
        wanted = "map names to one or more fitted classifiers"
        refuse(_OWNER, "estimators", wanted, repr(estimators))


def rows_of_classes(y: Array, classes: Any) -> Array:
    """Return which beats are of some classes (n_beats,), or raise."""
    wanted = np.atleast_1d(np.asarray(classes))
    known = np.unique(y)
    missing = [label for label in wanted.tolist() if label not in known.tolist()]
    if missing or not wanted.size:
        of_y = ", ".join(map(repr, known.tolist()))
        got = repr(missing[0]) if missing else "none"
        refuse(_OWNER, "classes", f"be one or more of those of 'y', {of_y}", got)
    rows: Array = np.isin(y, wanted)
    return rows
