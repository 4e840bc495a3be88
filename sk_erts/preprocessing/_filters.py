"""Filters over time: band, mains, baseline."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from sk_erts._lib.checks import check_frequency, check_number, refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.preprocessing._base import RecordTransformer

__all__ = ["BandPass", "Notch", "RemoveBaseline"]


class BandPass(RecordTransformer):
    """Keep a band of frequencies, with a Butterworth filter that shifts nothing.

    The filter runs forwards and backwards, so that waves stay where they are; at the
    band's edges the gain is one half.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    low : float or None, default=0.5
        Lower edge in Hz; None keeps everything below `high`.
    high : float or None, default=40
        Upper edge in Hz, below ``fs / 2``; None keeps everything above `low`.
    order : int, default=3
        Order of the filter, before it is run twice.

    See Also
    --------
    Notch : Takes out one frequency.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import BandPass
    >>> t = np.arange(1000) / 100
    >>> X = (np.sin(2 * np.pi * 5 * t) + 0.1 * t)[np.newaxis]
    >>> band = BandPass(fs=100).fit_transform(X)
    >>> float(abs(band[0, 200:800] - np.sin(2 * np.pi * 5 * t)[200:800]).max()) < 0.01
    True
    """

    def __init__(
        self,
        fs: float,
        low: float | None = 0.5,
        high: float | None = 40.0,
        order: int = 3,
    ) -> None:
        self.fs = fs
        self.low = low
        self.high = high
        self.order = order

    def _check_parameters(self) -> None:
        nyquist = check_frequency(self, self.fs) / 2
        check_number(self, "order", self.order, above=0)
        low = 0.0
        if self.low is not None:
            low = check_number(self, "low", self.low, above=0, below=nyquist)
        if self.high is not None:
            check_number(self, "high", self.high, above=low, below=nyquist)
        elif self.low is None:
            refuse(self, "high", "be a number where 'low' is None", None)

    def _transform(self, X: FloatArray) -> FloatArray:
        edges: float | tuple[float, float] | None
        if self.low is None:
            edges, kind = self.high, "lowpass"
        elif self.high is None:
            edges, kind = self.low, "highpass"
        else:
            edges, kind = (self.low, self.high), "bandpass"
        sections = signal.butter(self.order, edges, kind, fs=self.fs, output="sos")
        slowest = min(edge for edge in (self.low, self.high) if edge is not None)
        return _both_ways(sections, X, 3 * self.fs / slowest)


class Notch(RecordTransformer):
    """Take out one frequency, such as that of the mains, without shifting waves.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    frequency : float, default=50
        In Hz, below ``fs / 2``.
    quality : float, default=30
        `frequency` over the width of the notch.

    See Also
    --------
    BandPass : Keeps a band.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import Notch
    >>> t = np.arange(5000) / 500
    >>> hum = np.sin(2 * np.pi * 50 * t)[np.newaxis]
    >>> float(abs(Notch(fs=500).fit_transform(hum)[0, 1000:4000]).max()) < 0.01
    True
    """

    def __init__(
        self, fs: float, frequency: float = 50.0, quality: float = 30.0
    ) -> None:
        self.fs = fs
        self.frequency = frequency
        self.quality = quality

    def _check_parameters(self) -> None:
        nyquist = check_frequency(self, self.fs) / 2
        check_number(self, "frequency", self.frequency, above=0, below=nyquist)
        check_number(self, "quality", self.quality, above=0)

    def _transform(self, X: FloatArray) -> FloatArray:
        b, a = signal.iirnotch(self.frequency, self.quality, fs=self.fs)
        width = self.frequency / self.quality
        return _both_ways(signal.tf2sos(b, a), X, self.fs / width)


class RemoveBaseline(RecordTransformer):
    """Subtract what two running medians make of a record: its baseline [1]_.

    The first median takes out P waves and QRS complexes, the second T waves; what they
    leave is the wander of the baseline.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    windows_s : pair of float, default=(0.2, 0.6)
        Widths of the medians in seconds.

    References
    ----------
    .. [1] P. de Chazal et al., "Automatic classification of heartbeats using ECG
       morphology and heartbeat interval features", IEEE Trans. Biomed. Eng. 51(7),
       2004, doi:10.1109/TBME.2004.827359

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import RemoveBaseline
    >>> wander = np.sin(2 * np.pi * 0.2 * np.arange(1000) / 100)[np.newaxis]
    >>> float(abs(RemoveBaseline(fs=100).fit_transform(wander)).mean()) < 0.02
    True
    """

    def __init__(self, fs: float, windows_s: tuple[float, float] = (0.2, 0.6)) -> None:
        self.fs = fs
        self.windows_s = windows_s

    def _check_parameters(self) -> None:
        check_frequency(self, self.fs)
        try:
            fine = len(self.windows_s) == 2 and all(
                width * self.fs >= 1 for width in self.windows_s
            )
        except TypeError:
            fine = False
        if not fine:
            wanted = "be two widths of a time step or more"
            refuse(self, "windows_s", wanted, repr(self.windows_s))

    def _transform(self, X: FloatArray) -> FloatArray:
        baseline: Array = X
        for width in self.windows_s:
            # Odd, so that the median stands in the middle of its window.
            n_times = 2 * round(width * self.fs / 2) + 1
            size = (1,) * (X.ndim - 1) + (n_times,)
            baseline = ndimage.median_filter(baseline, size=size, mode="nearest")
        return X - baseline


def _both_ways(sections: Array, X: FloatArray, settles_in: float) -> FloatArray:
    """Run a filter forwards and backwards along time.

    Ends are continued for the time steps in which the filter settles, if the records
    are that long.
    """
    padding = min(round(settles_in), X.shape[-1] - 1)
    filtered: FloatArray = signal.sosfiltfilt(sections, X, axis=-1, padlen=padding)
    return np.ascontiguousarray(filtered)
