"""What spoils synthetic records: wander, muscle, moving and lost electrodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CORRUPTIONS = ("wander", "muscle", "motion", "lost_leads")

_N_BURSTS = 4


@dataclass(frozen=True)
class Corruption:
    """Which records are spoilt, how, and with which settings.

    Attributes
    ----------
    kind : ndarray of shape (n_samples,), dtype str
        One of ``CORRUPTIONS``, or "" for a record left as it is.
    wander_mv : ndarray of shape (n_samples, 8, 3), dtype float64
        Heights in mV of three slow waves in each independent lead.
    wander_wave : ndarray of shape (n_samples, 2, 3), dtype float64
        Their frequencies in Hz and phases in rad.
    muscle_mv : ndarray of shape (n_samples, 8, 1), dtype float64
        Standard deviation of muscle noise in mV.
    burst_time : ndarray of shape (n_samples, 3, 4), dtype float64
        Begin, decay (s) and frequency (Hz) of four electrode movements.
    burst_mv : ndarray of shape (n_samples, 8, 4), dtype float64
        Their heights in mV.
    lost : ndarray of shape (n_samples, n_leads), dtype bool
        Leads that fall flat.
    """

    kind: NDArray[np.str_]
    wander_mv: NDArray[np.float64]
    wander_wave: NDArray[np.float64]
    muscle_mv: NDArray[np.float64]
    burst_time: NDArray[np.float64]
    burst_mv: NDArray[np.float64]
    lost: NDArray[np.bool_]


def draw_corruption(
    n_samples: int,
    n_corrupted: int,
    n_leads: int,
    duration_s: float,
    rng: np.random.Generator,
) -> Corruption:
    """Choose the records to spoil, and draw how.

    Parameters
    ----------
    n_samples, n_corrupted, n_leads : int
        Numbers of records, of spoilt ones among them, and of leads.
    duration_s : float
        Length of a record in s.
    rng : numpy.random.Generator
        Source of all draws.

    Returns
    -------
    corruption : Corruption
        The kinds are as equally frequent as their number allows.

    Examples
    --------
    >>> import numpy as np
    >>> drawn = draw_corruption(10, 4, 12, 10.0, np.random.default_rng(0))
    >>> sorted(drawn.kind[drawn.kind != ""].tolist())
    ['lost_leads', 'motion', 'muscle', 'wander']
    """
    n = n_samples
    kind = np.zeros(n, dtype=f"<U{max(map(len, CORRUPTIONS))}")
    # A random start, so that a single spoilt record is not always of the same kind.
    turn = (np.arange(n_corrupted) + rng.integers(len(CORRUPTIONS))) % len(CORRUPTIONS)
    kind[rng.permutation(n)[:n_corrupted]] = np.array(CORRUPTIONS)[turn]

    some_leads = rng.random((n, 8, 1)) < rng.uniform(0.4, 1.0, (n, 1, 1))
    some_leads[np.arange(n), rng.integers(0, 8, n)] = True
    n_bursts = rng.integers(1, _N_BURSTS + 1, (n, 1, 1))
    sign = rng.choice([-1.0, 1.0], (n, 8, _N_BURSTS))
    share = rng.uniform(0.1, 0.5, (n, 1))
    ranks = np.argsort(np.argsort(rng.random((n, n_leads)), axis=1), axis=1)
    return Corruption(
        kind=kind,
        wander_mv=rng.normal(0.0, 0.5, (n, 8, 3)) * rng.uniform(0.5, 1.5, (n, 1, 1)),
        wander_wave=np.stack(
            [rng.uniform(0.05, 0.5, (n, 3)), rng.uniform(0.0, 2.0 * np.pi, (n, 3))],
            axis=1,
        ),
        muscle_mv=rng.uniform(0.08, 0.3, (n, 1, 1)) * rng.uniform(0.5, 1.0, (n, 8, 1)),
        burst_time=np.stack(
            [
                rng.uniform(0.0, 0.9, (n, _N_BURSTS)) * duration_s,
                rng.uniform(0.15, 0.8, (n, _N_BURSTS)),
                rng.uniform(1.0, 6.0, (n, _N_BURSTS)),
            ],
            axis=1,
        ),
        burst_mv=sign
        * rng.uniform(0.8, 3.0, (n, 8, _N_BURSTS))
        * some_leads
        * (np.arange(_N_BURSTS) < n_bursts),
        lost=ranks < np.ceil(share * n_leads),
    )


def add_interference(
    signal: NDArray[np.float32],
    corruption: Corruption,
    records: slice,
    fs: float,
    rng: np.random.Generator,
) -> None:
    """Add wander, muscle noise and electrode movements to the independent leads.

    Parameters
    ----------
    signal : ndarray of shape (n_records, 8, n_times), dtype float32
        Independent leads in mV; changed in place.
    corruption : Corruption
        Draws for all records.
    records : slice
        Which records the signal holds.
    fs : float
        Sampling frequency in Hz.
    rng : numpy.random.Generator
        Source of muscle noise, drawn record by record.
    """
    kind = corruption.kind[records]
    t = np.arange(signal.shape[-1]) / fs

    rows = np.flatnonzero(kind == "wander")
    frequency, phase = np.moveaxis(corruption.wander_wave[records][rows], 1, 0)
    slow = np.sin(2.0 * np.pi * frequency[..., None] * t + phase[..., None])
    signal[rows] += (corruption.wander_mv[records][rows] @ slow).astype(np.float32)

    rows = np.flatnonzero(kind == "muscle")
    white = rng.standard_normal((len(rows), 8, len(t) + 1), dtype=np.float32)
    # Differences of white noise have little power at low frequencies.
    fast = np.diff(white, axis=-1) / np.float32(np.sqrt(2.0))
    signal[rows] += corruption.muscle_mv[records][rows].astype(np.float32) * fast

    rows = np.flatnonzero(kind == "motion")
    begin, decay, swing = np.moveaxis(corruption.burst_time[records][rows], 1, 0)
    since = t - begin[..., None]  # (rows, bursts, times)
    fade = np.exp(-np.maximum(since, 0.0) / decay[..., None]) * (since >= 0.0)
    bursts = fade * np.cos(2.0 * np.pi * swing[..., None] * since)
    signal[rows] += (corruption.burst_mv[records][rows] @ bursts).astype(np.float32)


def flatten_lost_leads(
    leads: NDArray[np.float32], corruption: Corruption, records: slice
) -> None:
    """Set the lost leads of the records to zero.

    Parameters
    ----------
    leads : ndarray of shape (n_records, n_leads, n_times), dtype float32
        Recorded leads in mV; changed in place.
    corruption : Corruption
        Draws for all records.
    records : slice
        Which records the array holds.
    """
    hit = corruption.kind[records] == "lost_leads"
    leads[hit[:, None] & corruption.lost[records]] = 0.0
