"""Another sampling frequency, another length."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from scipy import signal

from sk_erts._lib.checks import (
    check_choice,
    check_frequency,
    check_number,
    refuse,
)
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.preprocessing._base import RecordTransformer

__all__ = ["FixLength", "Resample"]

# 257 Hz to 100 Hz is 100 / 257: the simplest ratio that is exact enough makes the
# shortest filter. The longest one has some 2,000,000 taps.
LARGEST_FACTORS = (1_000, 10_000, 100_000)
# In a million time steps, records are off by one.
MOST_OFF = 1e-6


class Resample(RecordTransformer):
    """Bring records to another sampling frequency.

    A polyphase filter takes out what the new rate cannot hold; ends are continued by a
    line, so that an offset makes no step there.

    Parameters
    ----------
    fs_in : float
        Sampling frequency of the records in Hz.
    fs_out : float
        The wanted one in Hz.

    Raises
    ------
    ValueError
        On use, if the two are in no ratio of whole numbers up to 100,000, to one part
        in a million.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import Resample
    >>> X = np.zeros((3, 12, 5000), dtype=np.float32)
    >>> Resample(fs_in=500, fs_out=100).fit_transform(X).shape
    (3, 12, 1000)
    """

    def __init__(self, fs_in: float, fs_out: float) -> None:
        self.fs_in = fs_in
        self.fs_out = fs_out

    def _check_parameters(self) -> None:
        check_frequency(self, self.fs_in, "fs_in")
        check_frequency(self, self.fs_out, "fs_out")
        self._factor()

    def _factor(self) -> Fraction:
        """Return how many time steps one becomes, in whole numbers."""
        exact = Fraction(float(self.fs_out)) / Fraction(float(self.fs_in))
        # The greater of the two numbers is held within limits.
        below_one = min(exact, 1 / exact)
        for largest in LARGEST_FACTORS:
            near = below_one.limit_denominator(largest)
            if abs(near - below_one) <= MOST_OFF * below_one:
                return near if exact < 1 else 1 / near
        refuse(
            self,
            "fs_out",
            f"be in a ratio of whole numbers up to {LARGEST_FACTORS[-1]:,} to "
            f"fs_in={self.fs_in!r}",
            repr(self.fs_out),
            "Resample in two steps, or round the frequencies.",
        )

    def _transform(self, X: FloatArray) -> FloatArray:
        factor = self._factor()
        if factor == 1:
            return X
        resampled: FloatArray = signal.resample_poly(
            X, factor.numerator, factor.denominator, axis=-1, padtype="line"
        )
        return resampled


class FixLength(RecordTransformer):
    """Give all records one length.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    duration_s : float, default=10
        The length in seconds.
    how : {"crop", "pad", "center"}, default="pad"
        ``"crop"`` keeps the beginning, and refuses shorter records. ``"pad"`` keeps the
        beginning and adds zeros at the end; ``"center"`` keeps the middle, or adds
        zeros on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import FixLength
    >>> records = [np.ones((1, 900)), np.ones((1, 2000))]
    >>> FixLength(fs=100).fit_transform(records).shape
    (2, 1, 1000)
    """

    def __init__(self, fs: float, duration_s: float = 10.0, how: str = "pad") -> None:
        self.fs = fs
        self.duration_s = duration_s
        self.how = how

    def _check_parameters(self) -> None:
        fs = check_frequency(self, self.fs)
        seconds = check_number(self, "duration_s", self.duration_s, above=0)
        if round(seconds * fs) < 1:
            refuse(self, "duration_s", "be a time step or more", repr(self.duration_s))
        check_choice(self, "how", self.how, ("crop", "pad", "center"))

    def _transform(self, X: FloatArray) -> FloatArray:
        n_times = round(self.duration_s * self.fs)
        missing = n_times - X.shape[-1]
        if self.how == "crop" and missing > 0:
            raise ValueError(
                f"Records must have {n_times} time steps or more for FixLength with "
                f"how='crop'. Got one with {X.shape[-1]}; choose 'pad' or 'center', or "
                "a shorter 'duration_s'."
            )
        before = abs(missing) // 2 if self.how == "center" else 0
        if missing <= 0:
            return X[..., before : before + n_times]
        return _with_zeros(X, before, missing - before)

    def _transform_list(self, records: list[FloatArray]) -> Array:
        # One array is made at once: a list of copies would need the memory twice.
        dtypes: Any = [record.dtype for record in records]
        shape = (len(records), len(records[0]), round(self.duration_s * self.fs))
        fixed = np.empty(shape, dtype=np.result_type(*dtypes))
        for row, record in zip(fixed, records, strict=True):
            row[:] = self._transform(record)
        return fixed


def _with_zeros(X: FloatArray, before: int, after: int) -> FloatArray:
    """Add zeros at the ends of the last axis."""
    widths = [(0, 0)] * (X.ndim - 1) + [(before, after)]
    return np.pad(X, widths)
