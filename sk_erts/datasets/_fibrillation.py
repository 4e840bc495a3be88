"""The small, never resting waves of fibrillating atria."""

import numpy as np
from numpy.typing import NDArray


def draw_fibrillation(n_samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the settings of the fibrillatory wave, one row for each record.

    Parameters
    ----------
    n_samples : int
        Number of records.
    rng : numpy.random.Generator
        Source of all draws.

    Returns
    -------
    settings : ndarray of shape (n_samples, 4), dtype float64
        Frequency in Hz; depth (rad) and frequency (Hz) of its swing; phase in rad.
    """
    low, high = [5.0, 0.3, 0.3, 0.0], [8.0, 1.0, 0.9, 2.0 * np.pi]
    return rng.uniform(low, high, (n_samples, 4))


def fibrillation(
    settings: NDArray[np.float64], shown: NDArray[np.bool_], t: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the fibrillatory wave, of 4 to 9 Hz, in the records that show it.

    Parameters
    ----------
    settings : ndarray of shape (n_records, 4), dtype float64
        Draws of ``draw_fibrillation``.
    shown : ndarray of shape (n_records,), dtype bool
        Which records have it.
    t : ndarray of shape (n_times,), dtype float64
        Time in s.

    Returns
    -------
    wave : ndarray of shape (n_records, n_times), dtype float32
        About unit height; zero where not shown.

    Examples
    --------
    >>> import numpy as np
    >>> settings = draw_fibrillation(2, np.random.default_rng(0))
    >>> wave = fibrillation(settings, np.array([False, True]), np.arange(100) / 100)
    >>> wave.any(axis=1).tolist()
    [False, True]
    """
    wave = np.zeros((len(settings), len(t)), dtype=np.float32)
    frequency, depth, slow, phase = settings[shown].T[..., None]  # each (shown, 1)
    swing = np.sin(2.0 * np.pi * slow * t + phase)  # (shown, times)
    angle = 2.0 * np.pi * frequency * t + depth * swing + 3.0 * phase
    # A little of the second harmonic gives the saw-tooth look.
    saw = np.sin(angle) + 0.15 * np.sin(2.0 * angle)
    wave[shown] = saw * (1.0 + 0.3 * np.cos(2.3 * slow * t + phase))
    return wave
