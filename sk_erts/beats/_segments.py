"""P, QRS, ST and T as windows around the R peaks."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.checks import check_count, check_frequency, check_number, refuse
from sk_erts._lib.typing import IntArray
from sk_erts.beats._many import check_same_length, is_one_record
from sk_erts.beats._peaks import as_peaks

__all__ = ["SEGMENTS", "beat_segments"]

#: Names of the labels 0 to 4 of `beat_segments`.
SEGMENTS: tuple[str, ...] = ("other", "P", "QRS", "ST", "T")
OTHER, P, QRS, ST, T = range(len(SEGMENTS))

# Intervals beyond these come from beats that were missed or found twice.
RR_BOUNDS_S = (0.3, 2.0)


def beat_segments(
    n_times: Any,
    peaks: Any,
    fs: float,
    *,
    p_onset_s: float = 0.25,
    qrs_s: tuple[float, float] = (0.05, 0.06),
    st_end_s: float = 0.16,
    t_end_s: float = 0.4,
) -> IntArray | list[IntArray]:
    r"""Label each time step by the part of the beat that is expected there.

    These are windows around the R peak, not a delineation: nobody has looked at the
    waves. They hold a normal beat; a QRS complex wider than 110 ms reaches into ST,
    and a heart without P waves gets a P window all the same.

    Parameters
    ----------
    n_times : int or sequence of n int
        Time steps of the record, or of each of many.
    peaks : int array-like of shape (n_beats,), or sequence of n such
        R peaks of one record, or of many, as from `r_peaks`.
    fs : float
        Sampling frequency in Hz.
    p_onset_s : float, default=0.25
        How long before R the P window begins; it ends where QRS begins, and so holds
        the PR segment too.
    qrs_s : pair of float, default=(0.05, 0.06)
        How long before R the QRS window begins, and how long after R it ends.
    st_end_s : float, default=0.16
        When ST ends and T begins, after R, at a beat interval of one second.
    t_end_s : float, default=0.4
        When T ends, after R, at a beat interval of one second.

    Returns
    -------
    segments : int64 ndarray of shape (n_times,) or (n, n_times), or list of n arrays
        0 to 4, which are other, P, QRS, ST and T, as in ``SEGMENTS``. A list if
        `n_times` is a sequence.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.

    See Also
    --------
    segment_shares : How much attention each segment gets.

    Notes
    -----
    ======== ============================= ===========================================
    segment  from R (ms)                   bound of the normal adult ECG
    ======== ============================= ===========================================
    P        -250 to -50                   PR interval up to 200 ms [1]_
    QRS      -50 to 60                     QRS duration up to 110 ms [2]_
    ST       60 to :math:`160\sqrt{RR}`    ST of about 100 ms [1]_, scaled as QT
    T        to :math:`400\sqrt{RR}`       QT up to :math:`450\sqrt{RR}` ms [3]_ [4]_
    ======== ============================= ===========================================

    RR is the interval before the beat in seconds (before the first beat, the one after
    it; one second if there is a single beat), and not taken for less than 0.3 or more
    than 2. The durations of P and QRS hardly change with the heart rate, and are not
    scaled. Where the windows of two beats meet, QRS goes before ST, ST before T, and T
    before P. Time steps before the P of the first beat are "other", whatever is there.

    References
    ----------
    .. [1] G. S. Wagner, D. G. Strauss, "Marriott's Practical Electrocardiography",
       12th ed., Lippincott Williams & Wilkins, 2014.
    .. [2] B. Surawicz et al., "AHA/ACCF/HRS recommendations for the standardization
       and interpretation of the electrocardiogram. Part III", Circulation 119(10),
       2009, doi:10.1161/CIRCULATIONAHA.108.191095
    .. [3] P. M. Rautaharju et al., the same, "Part IV", Circulation 119(10), 2009,
       doi:10.1161/CIRCULATIONAHA.108.191096
    .. [4] H. C. Bazett, "An analysis of the time-relations of electrocardiograms",
       Heart 7, 1920.

    Examples
    --------
    >>> from sk_erts.beats import SEGMENTS, beat_segments
    >>> segments = beat_segments(100, [40], fs=100)
    >>> [SEGMENTS[segments[t]] for t in (0, 20, 40, 50, 60, 99)]
    ['other', 'P', 'QRS', 'ST', 'T', 'other']
    """
    windows = (
        _check_seconds("p_onset_s", p_onset_s),
        *_check_pair(qrs_s),
        _check_seconds("st_end_s", st_end_s),
        _check_seconds("t_end_s", t_end_s),
    )
    check_frequency("beat_segments", fs)
    if not np.iterable(n_times):
        length = check_count("beat_segments", "n_times", n_times)
        if is_one_record(peaks):
            return _label(length, peaks, fs, windows)
        return np.stack([_label(length, own, fs, windows) for own in peaks])
    many = list(n_times)
    check_same_length("beat_segments", "peaks", peaks, "n_times", many)
    return [
        _label(check_count("beat_segments", f"n_times[{i}]", n), own, fs, windows)
        for i, (n, own) in enumerate(zip(many, peaks, strict=True))
    ]


def _check_seconds(name: str, value: Any) -> float:
    return check_number("beat_segments", name, value, least=0)


def _check_pair(qrs_s: Any) -> tuple[float, float]:
    if np.shape(qrs_s) != (2,):
        refuse("beat_segments", "qrs_s", "be two numbers of seconds", repr(qrs_s))
    before, after = (_check_seconds("qrs_s", own) for own in qrs_s)
    return before, after


def _label(n_times: int, peaks: Any, fs: float, windows: tuple[float, ...]) -> IntArray:
    """Return the segments (n_times,) of one record."""
    own = as_peaks("beat_segments", peaks, n_times)
    segments = np.full(n_times, OTHER, dtype=np.int64)
    if not len(own):
        return segments
    p_onset, qrs_before, qrs_after, st_end, t_end = windows
    before = np.searchsorted(own, np.arange(n_times), side="right") - 1
    # Seconds since the last R peak and until the next; infinite where there is none.
    t = np.arange(n_times) / fs
    since = np.where(before >= 0, t - own[before] / fs, np.inf)
    after = before + 1
    until = np.where(after < len(own), own[after % len(own)] / fs - t, np.inf)
    stretch = np.sqrt(_intervals(own, fs))[np.maximum(before, 0)]
    # What is written later goes before what is written earlier. A time step that lies
    # on an edge is within; a millionth of a second takes care of rounding.
    edge = 1e-6
    segments[until <= p_onset + edge] = P
    segments[since <= t_end * stretch + edge] = T
    segments[since <= st_end * stretch + edge] = ST
    segments[(since <= qrs_after + edge) | (until <= qrs_before + edge)] = QRS
    return segments


def _intervals(peaks: IntArray, fs: float) -> Any:
    """Return the interval in s before each of some peaks."""
    if len(peaks) == 1:
        return np.ones(1)
    rr = np.diff(peaks) / fs
    return np.clip(np.concatenate([rr[:1], rr]), *RR_BOUNDS_S)
