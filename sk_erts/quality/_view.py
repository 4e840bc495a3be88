"""What the measures look at: computed once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_frequency
from sk_erts._lib.typing import FloatArray
from sk_erts.quality._stacks import as_stacks

__all__ = ["FLOOR_OF_NOISE", "Measure", "View", "measure_records"]

# Of the samples whose third difference is taken, in seconds.
LAG_S = 0.01
WINDOW_S = 1.0
# Of white noise, relative to its standard deviation; rounding to steps adds noise of
# 1 / sqrt(12) of them.
FLOOR_OF_NOISE = 0.18
FLOOR_OF_STEP = FLOOR_OF_NOISE / 12**0.5


@dataclass(frozen=True)
class View:
    """Records of one length, and what several measures need of them.

    Attributes
    ----------
    X : ndarray of shape (n, n_leads, n_times)
        Records in mV.
    fs : float
        Sampling frequency in Hz.
    lead_names : tuple of n_leads str
        Names of the leads; empty if they are not known.
    """

    X: FloatArray
    fs: float
    lead_names: tuple[str, ...] = ()

    @cached_property
    def activity(self) -> FloatArray:
        """Sorted magnitudes of third differences, per lead and second.

        Of shape (n, n_leads, n_seconds, n_steps), in mV. Seconds are as many as fit
        best; they are a little shorter or longer than one, so that all samples count.
        """
        windows = self._activity(LAG_S)
        windows.sort(axis=-1)
        return windows

    def peaks_over(self, lag_s: float) -> FloatArray:
        """Return the largest third difference of each second, in mV.

        Parameters
        ----------
        lag_s : float
            Between the samples of which it is taken, in seconds.

        Returns
        -------
        peaks : ndarray of shape (n, n_leads, n_seconds)
            Magnitudes, for all records.
        """
        peaks: FloatArray = self._activity(lag_s).max(axis=-1)
        return peaks

    def _activity(self, lag_s: float) -> FloatArray:
        """Return magnitudes of third differences (n, leads, seconds, steps)."""
        lag = max(1, round(lag_s * self.fs))
        lag = min(lag, (self.X.shape[2] - 2) // 3)
        change: FloatArray = self.X[..., lag:] - self.X[..., :-lag]
        for _ in range(2):
            change = change[..., lag:] - change[..., :-lag]
        np.abs(change, out=change)
        change *= change.dtype.type(1 / 8)
        return self._windows(change)

    @cached_property
    def floors(self) -> FloatArray:
        """Lower quartiles of the activity of each second, in mV.

        No less than the rounding of the lead adds: what is finer than the steps in
        which it is told is not absent, but unknown.
        """
        least = FLOOR_OF_STEP * self.steps[..., np.newaxis]
        floors: FloatArray = np.maximum(self._quantile(0.25), least)
        return floors  # (n, leads, seconds)

    @cached_property
    def steps(self) -> FloatArray:
        """Smallest change from one sample to the next in each lead, in mV.

        0 for leads of fewer than four levels, which might be those of what is recorded.
        """
        change = np.abs(np.diff(self.X, axis=2))
        change[change == 0] = np.inf
        steps: FloatArray = np.asarray(change.min(axis=2))
        steps[steps > np.ptp(self.X, axis=2) / 2.9] = 0
        return steps  # (n, leads)

    @cached_property
    def peaks(self) -> FloatArray:
        """Largest activity of each second, in mV."""
        return self._quantile(1)  # (n, leads, seconds)

    @cached_property
    def crests(self) -> FloatArray:
        """Activity that a twentieth of each second exceeds, in mV."""
        return self._quantile(0.95)  # (n, leads, seconds)

    @cached_property
    def spreads(self) -> FloatArray:
        """Standard deviations of the signal within each second, in mV."""
        # Offsets would cost digits of the squares.
        seconds = self._windows(self.X - self.X.mean(axis=2, keepdims=True))
        squares = np.einsum("nlst,nlst->nls", seconds, seconds) / seconds.shape[3]
        spreads: FloatArray = np.sqrt(
            np.maximum(squares - seconds.mean(axis=3) ** 2, 0)
        )
        return spreads  # (n, leads, seconds)

    @cached_property
    def means(self) -> FloatArray:
        """Means of the signal over each second, in mV."""
        means: FloatArray = self._windows(self.X).mean(axis=-1)
        return means  # (n, leads, seconds)

    def _quantile(self, q: float) -> FloatArray:
        at = int(q * (self.activity.shape[-1] - 1))
        quantile: FloatArray = self.activity[..., at]
        return quantile

    def _windows(self, signal: FloatArray) -> FloatArray:
        """Cut a signal (n, leads, times) in seconds (n, leads, seconds, steps)."""
        n_times = signal.shape[2]
        n_windows = max(1, round(n_times / (WINDOW_S * self.fs)))
        n_steps = n_times // n_windows
        cut = signal[..., : n_windows * n_steps]
        windows: FloatArray = cut.reshape(*signal.shape[:2], n_windows, n_steps)
        return windows


Measure = Callable[[View], FloatArray]


def measure_records(owner: str, measure: Measure, X: Any, fs: Any) -> FloatArray:
    """Return what a measure says of each record.

    Parameters
    ----------
    owner : str
        The public function, for errors.
    measure : callable
        Maps a View of n records to numbers (n,).
    X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
            or list of arrays of shape (n_leads, n_times)
        Records in mV.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    values : ndarray of shape (n_samples,), dtype float64
        In the order of the records.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.
    """
    fs = check_frequency(owner, fs)
    stacks = as_stacks(owner, X, fs)
    values = [measure(View(stack, fs)) for stack in stacks]
    return np.concatenate(values).astype(np.float64)
