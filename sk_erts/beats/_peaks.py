"""Where the beats of a record are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import signal

from sk_erts._lib.checks import (
    as_numbers,
    check_choice,
    check_frequency,
    check_lead_names,
    is_int,
    refuse,
)
from sk_erts._lib.lead_names import standard_spelling
from sk_erts._lib.optional import import_optional
from sk_erts._lib.orientation import tell_if_transposed
from sk_erts._lib.typing import Array, FloatArray, IntArray

__all__ = ["as_peaks", "r_peaks"]

# Where the energy of QRS complexes is, in Hz; the detector filters likewise.
QRS_BAND = (5.0, 30.0)
# The detector needs a second to find its thresholds.
SHORTEST_S = 1.0


def r_peaks(
    X: Any,
    fs: float,
    *,
    lead: int | str | None = None,
    lead_names: Sequence[str] | None = None,
) -> IntArray | list[IntArray]:
    r"""Find the R peaks of records.

    A variant of Pan and Tompkins' detector [1]_, that of the package sleepecg [2]_,
    looks at one lead. The scale of the signal does not matter to it, the sign does.

    Parameters
    ----------
    X : array-like of shape (n_leads, n_times) or (n, n_leads, n_times), or list
        One record, or many; in a list of arrays (n_leads, n_times) lengths may differ.
    fs : float
        Sampling frequency in Hz, above 60.
    lead : int or str, default=None
        Lead to look at, by position, or by name if `lead_names` are given. None
        chooses in each record the lead whose QRS complexes stand out most (see
        Notes).
    lead_names : sequence of n_leads str, default=None
        Names of the leads.

    Returns
    -------
    peaks : int64 ndarray of shape (n_beats,), or list of n such
        Time steps of the R peaks, rising; a list for many records. Empty where no
        beat is found: in flat leads, and in records of less than one second.

    Raises
    ------
    ValueError
        If a record is not what it must be, or no lead has this position or name.
    ImportError
        If sleepecg is not installed; ``pip install "sk-erts[beats]"``.

    Warns
    -----
    DoubtfulInputWarning
        If a record seems to be (n_times, n_leads).

    See Also
    --------
    beat_segments : P, QRS, ST and T around the peaks.

    Notes
    -----
    With :math:`x` a lead between 5 and 30 Hz and :math:`Q_p` its quantiles over time, a
    lead stands out by

    .. math:: \frac{Q_{98}(|x_{t+1} - x_t|)}{Q_{50}(|x_{t+1} - x_t|)}
              \min\Big(1, \frac{Q_{98}(x_t)}{-Q_2(x_t)}\Big)

    QRS complexes are short and steep, so that the first ratio is high where they are
    clear, and low in noise, however large; the second is below 1 where they point
    downwards. A flat lead never stands out.

    A peak is where the filtered signal is highest. In a lead whose complexes point
    downwards, such as aVR, that is beside them, by some 30 ms.

    References
    ----------
    .. [1] J. Pan, W. J. Tompkins, "A real-time QRS detection algorithm", IEEE Trans.
       Biomed. Eng. 32(3), 1985, doi:10.1109/TBME.1985.325532
    .. [2] F. Hofer, C. Brunner, "SleepECG: a Python package for sleep staging based on
       heart rate", J. Open Source Software 8(86), 2023, doi:10.21105/joss.05411

    Examples
    --------
    >>> from sk_erts.beats import r_peaks
    >>> from sk_erts.datasets import make_ecg
    >>> X, _ = make_ecg(3, duration_s=4, classes=["NORM"], random_state=0)
    >>> [len(peaks) for peaks in r_peaks(X, fs=100)]
    [5, 4, 5]
    >>> r_peaks(X[0], fs=100, lead=1)
    array([...])
    """
    if check_frequency("r_peaks", fs) <= 2 * QRS_BAND[1]:
        refuse("r_peaks", "fs", "be above 60 Hz", repr(fs), "Resample the records.")
    position = _position(lead, lead_names)
    detector = import_optional("sleepecg", extra="beats", purpose="r_peaks")
    if isinstance(X, np.ndarray) and X.dtype != object and X.ndim == 2:
        record = _check_record(X, "X", lead_names)
        return _find(detector, record, fs, position)
    found = []
    for i in range(len(X)):
        record = _check_record(X[i], f"X[{i}]", lead_names)
        found.append(_find(detector, record, fs, position))
    return found


def as_peaks(function: str, peaks: Any, n_times: int) -> IntArray:
    """Return the positions of the R peaks of one record, checked.

    Parameters
    ----------
    function : str
        Whose parameter `peaks` it is.
    peaks : array-like of shape (n_beats,)
        Time steps.
    n_times : int
        Time steps of the record.

    Returns
    -------
    peaks : int64 ndarray of shape (n_beats,)
        The same.

    Raises
    ------
    ValueError
        If they are not rising integers within the record.
    """
    array = np.asarray(peaks)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    fine = array.ndim == 1 and array.dtype.kind in "iu"
    if fine:
        rising = bool((np.diff(array.astype(np.int64)) > 0).all())
        fine = rising and array[0] >= 0 and array[-1] < n_times
    if not fine:
        wanted = f"be rising int positions below the record's {n_times} time steps"
        refuse(function, "peaks", wanted, repr(peaks))
    return array.astype(np.int64)


def _position(lead: Any, lead_names: Sequence[str] | None) -> int | None:
    """Return the position of the lead that was asked for."""
    if isinstance(lead, str):
        if lead_names is None:
            wanted = "be a position, as no 'lead_names' are given"
            refuse("r_peaks", "lead", wanted, repr(lead), "Give them, or a position.")
        names = standard_spelling(check_lead_names("r_peaks", lead_names))
        (wanted,) = standard_spelling([lead])
        return names.index(check_choice("r_peaks", "lead", wanted, names))
    if lead is None:
        return None
    if not is_int(lead) or lead < 0:
        wanted = "be a position from 0 on, a name, or None"
        refuse("r_peaks", "lead", wanted, repr(lead))
    return int(lead)


def _check_record(x: Any, name: str, lead_names: Sequence[str] | None) -> FloatArray:
    record = as_numbers("r_peaks", name, x, "(n_leads, n_times)")
    tell_if_transposed("r_peaks", name, record)
    if lead_names is not None:
        check_lead_names("r_peaks", lead_names, len(record), name)
    return record.astype(np.float64)  # (n_leads, n_times)


def _find(detector: Any, record: Array, fs: float, position: int | None) -> IntArray:
    """Return the peaks of one record (n_leads, n_times)."""
    if position is not None and position >= len(record):
        wanted = f"be below {len(record)}, the number of leads"
        refuse("r_peaks", "lead", wanted, position)
    none = np.zeros(0, dtype=np.int64)
    if record.shape[1] < SHORTEST_S * fs:
        return none
    lead = record[_standing_out(record, fs) if position is None else position]
    # The detector cannot begin in a flat stretch whose rest is shorter than a second.
    moving = np.flatnonzero(lead != lead[0])
    if not len(moving) or len(lead) - moving[0] < SHORTEST_S * fs:
        return none
    peaks = detector.detect_heartbeats(lead, fs)
    return np.asarray(peaks, dtype=np.int64)


def _standing_out(record: FloatArray, fs: float) -> int:
    """Return which lead (n_leads, n_times) has the clearest QRS complexes."""
    sections = signal.butter(2, QRS_BAND, "bandpass", fs=fs, output="sos")
    filtered = signal.sosfiltfilt(sections, record, axis=-1)
    steep = np.abs(np.diff(filtered, axis=-1))  # (n_leads, n_times - 1)
    usual, high = np.quantile(steep, [0.5, 0.98], axis=-1)
    low, top = np.quantile(filtered, [0.02, 0.98], axis=-1)
    # What filtering leaves of a flat lead is rounding errors, and no signal.
    moves = (np.ptp(record, axis=-1) > 0) & (usual > 0) & (low < 0)
    clear = np.divide(high, usual, out=np.zeros_like(high), where=moves)
    upright = np.divide(top, -low, out=np.zeros_like(top), where=moves)
    return int(np.argmax(clear * np.minimum(upright, 1)))
