"""The average beat of a record, or of its map."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sk_erts._lib.checks import as_numbers, check_frequency, check_number, refuse
from sk_erts._lib.typing import Array, IntArray
from sk_erts.beats._many import check_same_length, is_one_record
from sk_erts.beats._peaks import as_peaks

__all__ = ["beat_average"]


def beat_average(
    values: Any,
    peaks: Any,
    fs: float,
    before_s: float = 0.3,
    after_s: float = 0.5,
) -> Bunch:
    r"""Average maps or signals over beats that are aligned by their R peaks.

    .. math:: \bar v_k = \frac{1}{n} \sum_{i=1}^{n} v_{r_i + k}

    over the :math:`n` peaks :math:`r_i` whose whole window lies within the record.
    Beats at the edges that do not fit are left out.

    Parameters
    ----------
    values : array-like of shape (n_times,) or (n_leads, n_times), or sequence of n such
        Map or signal of one record, or of each of many, whose lengths may differ.
    peaks : int array-like of shape (n_beats,), or sequence of n such
        R peaks of one record, or of many, as from `r_peaks`.
    fs : float
        Sampling frequency in Hz.
    before_s, after_s : float, default=0.3 and 0.5
        Seconds before and after the R peak, both ends within.

    Returns
    -------
    average : :class:`~sklearn.utils.Bunch`
        With the attributes:

        mean : ndarray of shape ([n,] [n_leads,] n_window), dtype float64
            Average beat of each record, in the unit of `values`; NaN where
            ``n_beats`` is 0.
        n_beats : int, or int64 ndarray of shape (n,)
            How many beats were averaged. The average of several records, beat by
            beat, is ``np.average(mean, axis=0, weights=n_beats)`` over those that
            have any.
        time_s : ndarray of shape (n_window,), dtype float64
            Seconds from the R peak.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, values are not finite, or the records
        differ in their number of leads.

    See Also
    --------
    r_peaks : Finds the peaks.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.beats import beat_average
    >>> signal = np.array([0.0, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0, 8.0])
    >>> average = beat_average(signal, [1, 4, 7], fs=1, before_s=1, after_s=1)
    >>> average.mean.tolist(), average.n_beats, average.time_s.tolist()
    ([0.0, 2.0, 0.0], 2, [-1.0, 0.0, 1.0])
    """
    owner = "beat_average"
    check_frequency(owner, fs)
    before = round(check_number(owner, "before_s", before_s, least=0) * fs)
    after = round(check_number(owner, "after_s", after_s, least=0) * fs)
    window = np.arange(-before, after + 1)
    if is_one_record(peaks):
        mean, n_beats = _average("values", values, peaks, window)
        return Bunch(mean=mean, n_beats=n_beats, time_s=window / fs)
    check_same_length(owner, "peaks", peaks, "values", values)
    found = [
        _average(f"values[{i}]", own, peaks[i], window) for i, own in enumerate(values)
    ]
    shapes = {mean.shape for mean, _ in found}
    if len(shapes) > 1:
        wanted = "have the same leads in all records"
        refuse(owner, "values", wanted, f"averages of the shapes {sorted(shapes)}")
    return Bunch(
        mean=np.stack([mean for mean, _ in found]),
        n_beats=np.array([n_beats for _, n_beats in found]),
        time_s=window / fs,
    )


def _average(name: str, values: Any, peaks: Any, window: IntArray) -> tuple[Array, int]:
    """Return the mean ([n_leads,] n_window) of one record, and of how many beats."""
    array = as_numbers("beat_average", name, values, "(n_times,)", "(n_leads, n_times)")
    n_times = array.shape[-1]
    own = as_peaks("beat_average", peaks, n_times)
    own = own[(own + window[0] >= 0) & (own + window[-1] < n_times)]
    if not len(own):
        return np.full((*array.shape[:-1], len(window)), np.nan), 0
    beats = array[..., own[:, np.newaxis] + window]  # ([n_leads,] n_beats, n_window)
    return np.asarray(beats.mean(axis=-2, dtype=np.float64)), len(own)
