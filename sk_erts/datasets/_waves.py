"""Signals of the waves over time, and where in time the evidence of a class lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sk_erts.datasets._beats import QRS_WAVES, VENTRICULAR_QRS_WAVES, WAVES, Morphology
from sk_erts.datasets._rhythm import Rhythm

# A Gaussian of unit height is 0.09 this many widths from its centre.
_EDGE = 2.2


@dataclass(frozen=True)
class BeatGrid:
    """For each time step, the beat before and the beat after it.

    Attributes
    ----------
    since, until : ndarray of shape (n_samples, n_times), dtype float32
        Time since the last R peak and until the next one, in s.
    ectopic_before, ectopic_after : ndarray of shape (n_samples, n_times), dtype bool
        Whether that beat is a premature ventricular one.
    """

    since: NDArray[np.float32]
    until: NDArray[np.float32]
    ectopic_before: NDArray[np.bool_]
    ectopic_after: NDArray[np.bool_]


def beat_grid(rhythm: Rhythm, records: slice, n_times: int, fs: float) -> BeatGrid:
    """Find the neighbouring beats of every time step of some records.

    Parameters
    ----------
    rhythm : Rhythm
        Beat times in s.
    records : slice
        Which records.
    n_times : int
        Number of time steps.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    grid : BeatGrid
        Arrays of shape (n_records, n_times).

    Examples
    --------
    >>> import numpy as np
    >>> times = np.array([[-0.5, 1.0, 3.0, 5.0]])
    >>> rhythm = Rhythm(times, times == 3.0, np.ones(1), np.ones((1, 2)))
    >>> beat_grid(rhythm, slice(None), 4, 1.0).since.tolist()
    [[0.5, 0.0, 1.0, 0.0]]
    """
    times, ectopic = rhythm.times[records], rhythm.ectopic[records]
    n = len(times)
    row = np.arange(n)[:, None]
    # Each beat counts from the first time step at or after it.
    step = np.clip(np.ceil(times * fs), 0, n_times).astype(np.int64)
    width = n_times + 1
    starts = np.bincount((row * width + step).ravel(), minlength=n * width)
    before = np.cumsum(starts.reshape(n, width)[:, :-1], axis=1) - 1  # (n, times)
    t = np.arange(n_times) / fs
    return BeatGrid(
        since=(t - times[row, before]).astype(np.float32),
        until=(times[row, before + 1] - t).astype(np.float32),
        ectopic_before=ectopic[row, before],
        ectopic_after=ectopic[row, before + 1],
    )


def wave_signals(
    grid: BeatGrid, shape: Morphology, records: slice, flutter: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return each wave at unit height over time.

    A wave is a Gaussian of the time from its beat's R peak, with one width before and
    one after its centre; the ST segment is flatter. P belongs to the next beat, ST and
    T to the last one, QRS to the nearer one.

    Parameters
    ----------
    grid : BeatGrid
        Neighbouring beats of the records.
    shape : Morphology
        Wave times of all records.
    records : slice
        Which records the grid holds.
    flutter : ndarray of shape (n_records, n_times), dtype float32
        The fibrillatory wave at unit height.

    Returns
    -------
    signals : ndarray of shape (n_records, n_waves, n_times), dtype float32
        Unit heights; waves as in ``WAVES``.
    """
    n, n_times = grid.since.shape
    nearer_next = grid.until < grid.since
    nearest = np.where(nearer_next, -grid.until, grid.since)
    ectopic = np.where(nearer_next, grid.ectopic_after, grid.ectopic_before)
    clocks = {
        "P": (-grid.until, ~grid.ectopic_after),
        "ST": (grid.since, ~grid.ectopic_before),
        "T": (grid.since, ~grid.ectopic_before),
        "VT": (grid.since, grid.ectopic_before),
        "VR": (nearest, ectopic),
        "VN": (nearest, ectopic),
    }
    signals = np.empty((n, len(WAVES), n_times), dtype=np.float32)
    for k, wave in enumerate(WAVES):
        if wave == "F":
            signals[:, k] = flutter
            continue
        clock, present = clocks.get(wave, (nearest, ~ectopic))
        away = clock - shape.centre[records, k, None]
        rise, fall = shape.rise[records, k, None], shape.fall[records, k, None]
        away /= np.where(away < 0.0, rise, fall)
        away *= away
        if wave == "ST":
            away *= away
        else:
            away *= 0.5
        signals[:, k] = np.exp(-away, where=present, out=np.zeros_like(away))
    return signals


def evidence_mask(
    labels: NDArray[np.str_], grid: BeatGrid, shape: Morphology, records: slice
) -> NDArray[np.bool_]:
    """Mark the time steps at which the class of each record can be seen.

    Parameters
    ----------
    labels : ndarray of shape (n_records,), dtype str
        True classes of the records in the grid.
    grid : BeatGrid
        Neighbouring beats of the records.
    shape : Morphology
        Wave times of all records.
    records : slice
        Which records the grid holds.

    Returns
    -------
    mask : ndarray of shape (n_records, n_times), dtype bool
        NORM: P, QRS and T of every beat. AFIB: from the end of T to the next QRS. BBB:
        QRS. STE: from the end of QRS to the rise of T. HYP: QRS, ST and T. PVC: QRS and
        T of the premature beats.
    """
    starts = (shape.centre - _EDGE * shape.rise)[records]
    ends = (shape.centre + _EDGE * shape.fall)[records]

    def moment(edge: NDArray[np.float32], wave: str) -> NDArray[np.float32]:
        return edge[:, WAVES.index(wave), None]

    onset = starts[:, QRS_WAVES].min(axis=1)[:, None]
    offset = ends[:, QRS_WAVES].max(axis=1)[:, None]
    wide_onset = starts[:, VENTRICULAR_QRS_WAVES].min(axis=1)[:, None]
    since, coming = grid.since, -grid.until
    qrs = (since <= offset) | (coming >= onset)
    to_t_end = since <= moment(ends, "T")
    # In a fast heart T may rise out of the QRS: keep what surrounds the J point.
    t_onset = np.maximum(moment(starts, "T"), offset + 0.03)
    premature = grid.ectopic_before & (since <= moment(ends, "VT"))
    premature |= grid.ectopic_after & (coming >= wide_onset)
    by_class = {
        "NORM": to_t_end | (coming >= moment(starts, "P")),
        "AFIB": ~to_t_end & (coming < onset),
        "BBB": qrs,
        "STE": (since > offset) & (since <= t_onset),
        "HYP": to_t_end | (coming >= onset),
        "PVC": premature,
    }
    mask = np.zeros(since.shape, dtype=bool)
    for name, seen in by_class.items():
        mask |= (labels == name)[:, None] & seen
    return mask
