"""The shape of the synthetic beats: one table of waves for each kind of heart."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# F: fibrillation of the atria. VR, VN, VT: QRS, its notch, and T of a ventricular beat.
WAVES = ("P", "Q", "R", "S", "R'", "ST", "T", "F", "VR", "VN", "VT")
QRS_WAVES = slice(1, 5)
VENTRICULAR_QRS_WAVES = slice(8, 10)

# Amplitudes in mV: size and direction (degrees) in the frontal plane, then V1 to V6.
_Table = Mapping[str, tuple[float, ...]]
_NORMAL: _Table = {
    "P": (0.13, 55, 0.04, 0.06, 0.07, 0.07, 0.07, 0.06),
    "Q": (0.09, 225, 0.00, 0.00, 0.00, -0.03, -0.08, -0.08),
    "R": (1.05, 48, 0.22, 0.45, 0.80, 1.35, 1.30, 1.00),
    "S": (0.20, 240, -0.90, -1.30, -0.85, -0.45, -0.22, -0.10),
    "ST": (0.01, 50, 0.02, 0.05, 0.05, 0.03, 0.01, 0.00),
    "T": (0.30, 42, 0.02, 0.38, 0.45, 0.42, 0.34, 0.25),
}
_VENTRICULAR = {
    "left": {
        "VR": (1.5, -60, 1.1, 1.4, 1.2, 0.5, -0.4, -0.8),
        "VN": (0.7, -60, 0.6, 0.5, 0.3, -0.2, -0.5, -0.5),
        "VT": (0.5, 120, -0.4, -0.5, -0.4, 0.0, 0.3, 0.4),
    },
    "right": {
        "VR": (1.5, 85, -1.0, -1.5, -1.2, -0.1, 1.1, 1.3),
        "VN": (0.7, 85, -0.5, -0.8, -0.5, 0.2, 0.6, 0.6),
        "VT": (0.5, 265, 0.4, 0.6, 0.6, 0.2, -0.3, -0.4),
    },
}
# What each pattern changes of the normal table.
_AMPLITUDES: Mapping[str, _Table] = {
    "sinus": {},
    "fibrillation": {
        "P": (0.0,) * 8,
        "F": (0.05, 80, 0.09, 0.06, 0.03, 0.02, 0.02, 0.02),
    },
    "left block": {
        "Q": (0.0,) * 8,
        "R": (0.75, 5, -0.60, -0.95, -0.80, -0.10, 0.60, 0.80),
        "S": (0.0,) * 8,
        "R'": (0.75, -25, -1.00, -1.35, -0.90, -0.10, 0.75, 0.90),
        "ST": (0.06, 185, 0.10, 0.16, 0.12, 0.02, -0.06, -0.08),
        "T": (0.26, 190, 0.35, 0.60, 0.50, 0.15, -0.18, -0.28),
    },
    "right block": {
        "S": (0.25, 230, -0.40, -0.70, -0.60, -0.40, -0.30, -0.25),
        "R'": (0.40, 165, 0.90, 0.60, 0.15, -0.15, -0.28, -0.32),
        "ST": (0.01, 0, -0.06, -0.05, 0.00, 0.00, 0.00, 0.00),
        "T": (0.28, 30, -0.28, -0.20, 0.15, 0.30, 0.32, 0.28),
    },
    "anterior": {
        "R": (1.00, 45, 0.12, 0.25, 0.45, 0.90, 1.10, 0.95),
        "ST": (0.07, -75, 0.20, 0.36, 0.38, 0.26, 0.10, 0.03),
        "T": (0.28, 20, 0.25, 0.65, 0.70, 0.60, 0.38, 0.26),
    },
    "inferior": {
        "ST": (0.30, 102, -0.06, -0.18, -0.14, -0.06, 0.02, 0.05),
        "T": (0.42, 85, 0.00, 0.20, 0.32, 0.36, 0.33, 0.28),
    },
    "lateral": {
        "ST": (0.26, -22, -0.14, -0.10, -0.03, 0.08, 0.22, 0.24),
        "T": (0.40, 5, -0.04, 0.25, 0.38, 0.45, 0.48, 0.40),
    },
    "hypertrophy": {
        "R": (1.60, 12, 0.15, 0.35, 0.90, 2.10, 2.75, 2.30),
        "S": (0.25, 225, -1.90, -2.60, -1.50, -0.60, -0.25, -0.10),
        "ST": (0.10, 190, 0.10, 0.14, 0.08, -0.03, -0.12, -0.12),
        "T": (0.28, 185, 0.25, 0.50, 0.45, 0.10, -0.28, -0.32),
    },
    "left ventricular beats": _VENTRICULAR["left"],
    "right ventricular beats": _VENTRICULAR["right"],
}

# Centres in s after the R peak, and the Gaussian widths before and after the centre.
# ST and T are placed by heart rate (see ``draw_morphology``), F runs all the time.
_NORMAL_TIMES: _Table = {
    "P": (-0.165, 0.022, 0.022),
    "Q": (-0.030, 0.008, 0.008),
    "R": (0.000, 0.011, 0.011),
    "S": (0.030, 0.010, 0.010),
    "R'": (0.030, 0.010, 0.010),
    "T": (0.275, 0.055, 0.038),
    "VR": (0.000, 0.030, 0.030),
    "VN": (0.058, 0.026, 0.026),
    "VT": (0.340, 0.060, 0.045),
}
_TIMES: Mapping[str, _Table] = {
    "left block": {
        "R": (-0.012, 0.018, 0.022),
        "R'": (0.050, 0.022, 0.020),
        "T": (0.310, 0.055, 0.040),
    },
    "right block": {
        "S": (0.032, 0.012, 0.012),
        "R'": (0.068, 0.018, 0.022),
        "T": (0.300, 0.055, 0.040),
    },
    "hypertrophy": {"R": (0.000, 0.013, 0.013), "T": (0.285, 0.065, 0.036)},
}

CLASS_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "NORM": ("sinus",),
    "AFIB": ("fibrillation",),
    "BBB": ("left block", "right block"),
    "STE": ("anterior", "inferior", "lateral"),
    "HYP": ("hypertrophy",),
    "PVC": ("left ventricular beats", "right ventricular beats"),
}
# Only these classes come in degrees: a fibrillating atrium has no P wave at all, and a
# premature beat is one or is not.
_GRADED_CLASSES = ("BBB", "STE", "HYP")


@dataclass(frozen=True)
class Morphology:
    """Wave shapes of many records.

    Attributes
    ----------
    amplitude : ndarray of shape (n_samples, 8, n_waves), dtype float32
        Height in mV in the eight independent leads; waves as in ``WAVES``.
    centre, rise, fall : ndarray of shape (n_samples, n_waves), dtype float32
        Time from the R peak, and widths before and after the centre, in s.
    """

    amplitude: NDArray[np.float32]
    centre: NDArray[np.float32]
    rise: NDArray[np.float32]
    fall: NDArray[np.float32]


def _amplitude_table(pattern: str) -> NDArray[np.float64]:
    """Return mV of shape (8, n_waves): I, II, V1 to V6."""
    rows = {**_NORMAL, **_AMPLITUDES[pattern]}
    polar = np.array([rows.get(wave, (0.0,) * 8) for wave in WAVES], dtype=float).T
    size, angle = polar[0], np.deg2rad(polar[1])
    limb = [size * np.cos(angle), size * np.cos(angle - np.pi / 3.0)]
    return np.concatenate([limb, polar[2:]])


def _time_table(pattern: str) -> NDArray[np.float64]:
    """Return centre, rise and fall in s, of shape (3, n_waves)."""
    rows = {**_NORMAL_TIMES, **_TIMES.get(pattern, {})}
    return np.array([rows.get(wave, (0.0, 1.0, 1.0)) for wave in WAVES]).T


def draw_morphology(
    labels: NDArray[np.str_], mean_rr: NDArray[np.float64], rng: np.random.Generator
) -> Morphology:
    """Draw wave amplitudes and times, one set for each record.

    A record lies between the normal heart and a pattern of its class, by a severity
    drawn for it; then sizes, electrical axis and widths vary from record to record.
    The times of ST and T follow the square root of the beat interval (Bazett).

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), dtype str
        True classes, keys of ``CLASS_PATTERNS``.
    mean_rr : ndarray of shape (n_samples,), dtype float64
        Mean beat interval in s.
    rng : numpy.random.Generator
        Source of all draws.

    Returns
    -------
    morphology : Morphology
        Amplitudes in mV, times in s.

    Examples
    --------
    >>> import numpy as np
    >>> shape = draw_morphology(
    ...     np.array(["AFIB"]), np.ones(1), np.random.default_rng(0)
    ... )
    >>> bool((shape.amplitude[:, :, WAVES.index("P")] == 0).all())
    True
    """
    n = len(labels)
    patterns = list(_AMPLITUDES)
    amplitude_tables = np.stack([_amplitude_table(p) for p in patterns])
    time_tables = np.stack([_time_table(p) for p in patterns])

    pick = rng.random(n)
    pattern = np.zeros(n, dtype=int)
    for name, options in CLASS_PATTERNS.items():
        choices = np.array([patterns.index(option) for option in options])
        chosen = choices[(pick * len(options)).astype(int)]
        pattern = np.where(labels == name, chosen, pattern)

    graded = np.isin(labels, _GRADED_CLASSES)
    severity = np.where(graded, rng.uniform(0.45, 1.15, n), 1.0)[:, None, None]
    amplitude = (1.0 - severity) * amplitude_tables[0]
    amplitude = amplitude + severity * amplitude_tables[pattern]  # (n, 8, waves)
    times = (1.0 - severity) * time_tables[0] + severity * time_tables[pattern]
    return Morphology(
        _vary_amplitudes(amplitude, rng).astype(np.float32),
        *_vary_times(times, mean_rr, rng),
    )


def _vary_amplitudes(
    amplitude: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Turn the electrical axis and scale records, waves and leads at random."""
    n, _, n_waves = amplitude.shape
    gain = np.exp(
        rng.normal(0.0, 0.20, (n, 1, 1))
        + rng.normal(0.0, 0.15, (n, 1, n_waves))
        + rng.normal(0.0, 0.12, amplitude.shape)
    )
    # Lead II looks 60 degrees away from lead I; y is the part at right angles to I.
    x = amplitude[:, 0]
    y = (amplitude[:, 1] - 0.5 * x) * 2.0 / np.sqrt(3.0)
    turn = np.deg2rad(rng.normal(0.0, 16.0, (n, 1)) + rng.normal(0.0, 6.0, x.shape))
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    limb = np.stack([x, 0.5 * x + np.sqrt(0.75) * y], axis=1)  # (n, 2, waves)
    varied = np.concatenate([limb, amplitude[:, 2:]], axis=1) * gain
    # An ST segment is never quite level, in health neither.
    varied[:, :, WAVES.index("ST")] += rng.normal(0.0, 0.015, (n, 8))
    return np.asarray(varied)


def _vary_times(
    times: NDArray[np.float64], mean_rr: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Stretch the waves at random, T by heart rate too, and put ST before T."""
    n = len(times)
    stretch = np.exp(rng.normal(0.0, 0.08, (n, 1, 1)))
    times = times * np.broadcast_to(stretch, times.shape)
    p, st = WAVES.index("P"), WAVES.index("ST")
    times[:, 0, p] += rng.normal(0.0, 0.012, n)
    bazett = np.sqrt(mean_rr) * np.exp(rng.normal(0.0, 0.04, n))
    for wave in (WAVES.index("T"), WAVES.index("VT")):
        # T keeps its own spread: undo the stretch of the QRS.
        times[:, :, wave] *= (bazett / stretch[:, 0, 0])[:, None]
    centre, rise, fall = (times[:, k].astype(np.float32) for k in range(3))

    j_point = (centre + 2.2 * fall)[:, QRS_WAVES].max(axis=1)
    t_centre = centre[:, WAVES.index("T")]
    centre[:, st] = 0.5 * (j_point + t_centre)
    rise[:, st] = fall[:, st] = 0.5 * np.maximum(t_centre - j_point, 0.04)
    return centre, rise, fall
