"""When the hearts of the synthetic records beat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# What the waves of ``_waves`` can bear: a T wave has faded before the next beat.
_SHORTEST_RR_S = 0.36
# Rates are drawn within these bounds, in beats per minute.
_SINUS_RATE = (52.0, 100.0)
_FIBRILLATION_RATE = (65.0, 120.0)


@dataclass(frozen=True)
class Rhythm:
    """Beat times of many records.

    Attributes
    ----------
    times : ndarray of shape (n_samples, n_beats), dtype float64
        Times of the R peaks in s, rising; the first is before 0, the last after the
        end of the record.
    ectopic : ndarray of shape (n_samples, n_beats), dtype bool
        Premature ventricular beats.
    mean_rr : ndarray of shape (n_samples,), dtype float64
        Mean beat interval in s.
    breath : ndarray of shape (n_samples, 2), dtype float64
        Frequency (Hz) and phase (rad) of respiration.
    """

    times: NDArray[np.float64]
    ectopic: NDArray[np.bool_]
    mean_rr: NDArray[np.float64]
    breath: NDArray[np.float64]


def draw_rhythm(
    fibrillating: NDArray[np.bool_],
    extrasystolic: NDArray[np.bool_],
    duration_s: float,
    rng: np.random.Generator,
) -> Rhythm:
    """Draw beat times, one row for each record.

    Sinus intervals are modulated by respiration, as in [1]_, with a little jitter;
    intervals of fibrillation are independent draws of a skewed distribution. One to
    four beats of an extrasystolic record come early and are followed by a full
    compensatory pause: all other beats stay where they were.

    Parameters
    ----------
    fibrillating, extrasystolic : ndarray of shape (n_samples,), dtype bool
        Which records have atrial fibrillation, which ventricular extrasystoles.
    duration_s : float
        Length of a record in s.
    rng : numpy.random.Generator
        Source of all draws.

    Returns
    -------
    rhythm : Rhythm
        Beat times in s, and which beats are premature.

    References
    ----------
    .. [1] McSharry et al., "A dynamical model for generating synthetic
       electrocardiogram signals", IEEE Trans. Biomed. Eng. 50 (2003),
       doi:10.1109/TBME.2003.808805

    Examples
    --------
    >>> import numpy as np
    >>> no = np.zeros(2, dtype=bool)
    >>> rhythm = draw_rhythm(no, no, 10.0, np.random.default_rng(0))
    >>> bool((rhythm.times[:, 0] < 0).all() and (rhythm.times[:, -1] > 10).all())
    True
    """
    n = len(fibrillating)
    rate = np.where(
        fibrillating,
        np.clip(rng.normal(90.0, 15.0, n), *_FIBRILLATION_RATE),
        np.clip(rng.normal(74.0, 12.0, n), *_SINUS_RATE),
    )
    mean_rr = 60.0 / rate
    breath = np.stack(
        [rng.uniform(0.18, 0.32, n), rng.uniform(0.0, 2.0 * np.pi, n)], axis=1
    )
    n_beats = int(np.ceil(duration_s / _SHORTEST_RR_S)) + 4

    nominal = mean_rr[:, None] * np.arange(n_beats)  # (n, beats)
    depth = rng.uniform(0.01, 0.06, (n, 1))
    swing = depth * np.sin(2.0 * np.pi * breath[:, :1] * nominal + breath[:, 1:])
    sinus = 1.0 + swing + rng.normal(0.0, 0.012, (n, n_beats))
    spread = rng.uniform(0.14, 0.28, (n, 1))
    irregular = np.exp(spread * rng.standard_normal((n, n_beats)))
    factor = np.where(fibrillating[:, None], irregular, sinus)
    rr = np.clip(mean_rr[:, None] * factor, _SHORTEST_RR_S, 2.2 * mean_rr[:, None])
    start = -rng.uniform(0.02, 1.0, (n, 1)) * mean_rr[:, None]
    times = start + np.cumsum(rr, axis=1) - rr[:, :1]

    ectopic = _choose_ectopic(times, mean_rr, duration_s, rng)
    ectopic &= extrasystolic[:, None]
    coupling = rng.uniform(0.6, 0.76, (n, 1)) + rng.normal(0.0, 0.015, (n, n_beats))
    before = np.diff(times, axis=1, prepend=times[:, :1] - 1.0)
    interval = np.maximum(coupling * before, _SHORTEST_RR_S)
    times = np.where(ectopic, times - before + interval, times)
    return Rhythm(times, ectopic, mean_rr, breath)


def _choose_ectopic(
    times: NDArray[np.float64],
    mean_rr: NDArray[np.float64],
    duration_s: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Mark one to four beats that can come early and still lie in the record.

    No two of them follow each other. A record too short to hold a premature beat with
    its neighbours gets one where it can.
    """
    n, n_beats = times.shape
    early = times - 0.5 * mean_rr[:, None]
    inside = (early > 0.0) & (times < duration_s)
    roomy = (early > 0.2) & (times < duration_s - 0.1)
    every_other = (np.arange(n_beats) + rng.integers(0, 2, (n, 1))) % 2 == 0
    eligible = roomy & every_other
    order = rng.random((n, n_beats)) + eligible * 4.0 + roomy * 2.0 + inside
    rank = np.argsort(np.argsort(-order, axis=1), axis=1)
    wanted = rng.integers(1, 5, (n, 1))
    return np.asarray(((rank == 0) & inside) | ((rank < wanted) & eligible))


def breathing(
    rhythm: Rhythm, records: slice, t: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return respiration over time.

    Parameters
    ----------
    rhythm : Rhythm
        Holds frequency and phase.
    records : slice
        Which records.
    t : ndarray of shape (n_times,), dtype float64
        Time in s.

    Returns
    -------
    breath : ndarray of shape (n_records, n_times), dtype float64
        Between -1 and 1.
    """
    breath = rhythm.breath[records]
    return np.asarray(np.sin(2.0 * np.pi * breath[:, :1] * t + breath[:, 1:]))


def r_peak_steps(rhythm: Rhythm, n_times: int, fs: float) -> list[NDArray[np.int64]]:
    """Return the time steps nearest to the R peaks of each record.

    Parameters
    ----------
    rhythm : Rhythm
        Beat times in s.
    n_times : int
        Number of time steps.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    r_peaks : list of ndarray of shape (n_beats,), dtype int64
        Steps within the record, one array for each record.
    """
    steps = np.rint(rhythm.times * fs).astype(np.int64)
    inside = (steps >= 0) & (steps < n_times)
    return [row[ok] for row, ok in zip(steps, inside, strict=True)]
