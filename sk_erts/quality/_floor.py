"""Noise between the waves: throughout the record, in its worst second, in bursts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.quality._view import View, measure_records

__all__ = [
    "high_frequency_floor",
    "high_frequency_floor_of",
    "noise_burst",
    "noise_burst_of",
    "noisiest_second",
    "noisiest_second_of",
]

# Below this, in mV, a second counts as silent: bursts are told from something.
SILENT_MV = 1e-3


def high_frequency_floor(X: Any, fs: float) -> FloatArray:
    r"""Return the strength of the fast noise that never ceases, in mV.

    Muscle and mains, present in most seconds of the noisiest lead. New here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    floor : ndarray of shape (n_samples,), dtype float64
        In mV; higher is worse. It does not depend on offsets or on the order of the
        leads, and grows in proportion to the records.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    noisiest_second : The same in the worst second.
    SignalQuality : Joins the measures.

    Notes
    -----
    With :math:`x` a lead and :math:`\tau` 10 ms, or one sample where that is longer,

    .. math:: d_t = \tfrac18 |x_{t + 3\tau} - 3 x_{t + 2\tau} + 3 x_{t + \tau} - x_t|,
              \qquad f_s = Q_{25}(d_t : t \text{ in second } s)

    and the floor is :math:`\max_\text{leads} Q_{75}(f_s)` over seconds, both quantiles
    rounded down to a value that occurs; of a lead that is told in steps of
    :math:`q` mV no :math:`f_s` is less than :math:`0.18\, q / \sqrt{12}`, which is what
    rounding adds. The third difference
    has the gain :math:`|\sin \pi f \tau|^3`: 1 at 50 Hz, 0.35 at 25 Hz, 0.03 at 10 Hz.
    It spans 30 ms, so that a QRS complex reaches few of its values and none of the
    lower quartile; a band-pass filter rings far beyond the complex. Gaussian white
    noise of standard deviation :math:`\sigma` has :math:`f_s \approx 0.18 \sigma`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.quality import high_frequency_floor
    >>> X, _ = make_ecg(2, random_state=0)
    >>> X[1] += np.random.default_rng(0).normal(scale=0.2, size=X[1].shape)
    >>> high_frequency_floor(X, fs=100).round(3).tolist()
    [..., 0.04...]
    """
    return measure_records("high_frequency_floor", high_frequency_floor_of, X, fs)


def noisiest_second(X: Any, fs: float) -> FloatArray:
    r"""Return the strength of the fast noise in the worst second, in mV.

    As `high_frequency_floor`, with the largest :math:`f_s` of all seconds and leads.
    New here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    noise : ndarray of shape (n_samples,), dtype float64
        In mV; higher is worse.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    noise_burst : The same relative to the other seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.quality import noisiest_second
    >>> x = np.zeros((1, 1, 1000))
    >>> x[0, 0, 400:500] = 0.3 * (-1.0) ** np.arange(100)  # 50 Hz for a second
    >>> noisiest_second(x, fs=100).round(6).tolist()
    [0.3]
    """
    return measure_records("noisiest_second", noisiest_second_of, X, fs)


def noise_burst(X: Any, fs: float) -> FloatArray:
    r"""Return how far the noise of the worst second stands out from the others.

    .. math:: b = \max_\text{leads}
              \frac{\max_s f_s + \epsilon}{\operatorname{median}_s f_s + \epsilon}

    with :math:`f_s` as in `high_frequency_floor` and :math:`\epsilon` = 1 µV. New here.
    Of all measures it answers best to the remark "burst noise" of PTB-XL. It does not
    belong to the default of `SignalQuality`: records that are quiet else have bursts
    too, and nobody remarks on them.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ratio : ndarray of shape (n_samples,), dtype float64
        At least 1, where all seconds are alike; higher is worse.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    noisiest_second : The same in mV.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.quality import noise_burst
    >>> x = 0.1 * (-1.0) ** np.arange(1000)[np.newaxis]  # 50 Hz throughout
    >>> noise_burst(x, fs=100).tolist()
    [1.0]
    """
    return measure_records("noise_burst", noise_burst_of, X, fs)


def high_frequency_floor_of(view: View) -> FloatArray:
    """Return the floor of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    floor : ndarray of shape (n,)
        In mV.
    """
    floors = np.sort(view.floors, axis=2)
    upper: FloatArray = floors[..., int(0.75 * (floors.shape[2] - 1))].max(axis=1)
    return upper


def noisiest_second_of(view: View) -> FloatArray:
    """Return the noise in the worst second of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    noise : ndarray of shape (n,)
        In mV.
    """
    worst: FloatArray = view.floors.max(axis=(1, 2))
    return worst


def noise_burst_of(view: View) -> FloatArray:
    """Return the worst second over the median second of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    ratio : ndarray of shape (n,)
        At least 1.
    """
    worst = view.floors.max(axis=2) + SILENT_MV
    ratio = worst / (np.median(view.floors, axis=2) + SILENT_MV)
    largest: FloatArray = ratio.max(axis=1)
    return largest
