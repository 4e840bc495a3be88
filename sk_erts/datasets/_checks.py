"""Checks of the parameters of ``make_ecg``."""

import difflib
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_erts.datasets._beats import CLASS_PATTERNS


def count_times(fs: float, duration_s: float) -> int:
    """Return the number of time steps of a record, or say that there is none."""
    n_times = round(fs * duration_s)
    if n_times < 1:
        raise ValueError(
            "The 'duration_s' parameter of make_ecg must give at least one time step. "
            f"Got {duration_s!r} s at fs={fs!r} Hz instead."
        )
    return n_times


def check_parameters(
    n_samples: Any,
    n_leads: Any,
    fs: Any,
    duration_s: Any,
    noise: Any,
    label_noise: Any,
) -> None:
    """Raise for the first parameter that is not what it must be."""
    if not _is_int(n_samples) or n_samples < 1:
        _refuse("n_samples", "an int of at least 1", n_samples)
    if not _is_int(n_leads) or not 1 <= n_leads <= 12:
        _refuse("n_leads", "an int in [1, 12]", n_leads)
    for name, value in (("fs", fs), ("duration_s", duration_s)):
        if not _is_number(value) or not 0 < value < np.inf:
            _refuse(name, "a finite number above 0", value)
    for name, value in (("noise", noise), ("label_noise", label_noise)):
        if not _is_number(value) or not 0 <= value <= 1:
            _refuse(name, "a number in [0, 1]", value)


def check_classes(classes: Any, label_noise: float) -> NDArray[np.str_]:
    """Return the classes as an array, or say what is wrong with them."""
    valid = ", ".join(repr(name) for name in CLASS_PATTERNS)
    if isinstance(classes, str) or not np.iterable(classes):
        _refuse("classes", f"a sequence of names out of {valid}", classes)
    names = list(classes)
    for name in names:
        if not isinstance(name, str) or name not in CLASS_PATTERNS:
            near = difflib.get_close_matches(str(name).upper(), CLASS_PATTERNS, 1, 0.3)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                "The 'classes' parameter of make_ecg must hold names out of "
                f"{valid}. Got {name!r} instead.{hint}"
            )
    if not names or len(set(names)) < len(names):
        _refuse("classes", "one or more distinct names", names)
    if label_noise > 0 and len(names) == 1:
        raise ValueError(
            "The 'label_noise' parameter of make_ecg must be 0 with a single class, "
            f"as there is no other to flip to. Got {label_noise!r} with {names!r} "
            "instead; give two or more classes."
        )
    return np.array(names)


def _is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _refuse(name: str, wanted: str, value: Any) -> None:
    raise ValueError(
        f"The {name!r} parameter of make_ecg must be {wanted}. Got {value!r} instead."
    )
