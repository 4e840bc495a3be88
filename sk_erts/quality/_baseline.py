"""A baseline that moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.quality._view import View, measure_records

__all__ = ["baseline_wander", "baseline_wander_of"]


def baseline_wander(X: Any, fs: float) -> FloatArray:
    r"""Return how far the baseline moves from one second to the next, in mV.

    .. math:: w = \max_\text{leads} \max_s |\bar x_{s + 1} - \bar x_s|

    where :math:`\bar x_s` is the mean of a lead over second :math:`s`. It answers to
    breathing, slipping electrodes and steps. New here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    wander : ndarray of shape (n_samples,), dtype float64
        In mV; higher is worse. Of a straight drift its slope in mV/s; 0 for records
        shorter than 1.5 s. Offsets and the order of the leads do not matter, and it
        grows in proportion to the records.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    sk_erts.preprocessing.RemoveBaseline : Subtracts the baseline.

    Notes
    -----
    Means weaken a wave of frequency :math:`f` by :math:`\sin(\pi f) / (\pi f)`, and
    QRS complexes to what they are worth on average: a beat more or less in a second
    stays below what the annotators of PTB-XL remark on.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.quality import baseline_wander
    >>> drift = 0.2 * np.arange(1000)[np.newaxis] / 100  # 0.2 mV/s
    >>> baseline_wander(drift, fs=100).round(6).tolist()
    [0.2]
    """
    return measure_records("baseline_wander", baseline_wander_of, X, fs)


def baseline_wander_of(view: View) -> FloatArray:
    """Return the wander of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    wander : ndarray of shape (n,)
        In mV.
    """
    steps = np.abs(np.diff(view.means, axis=2))  # (n, leads, seconds - 1)
    wander: FloatArray = steps.max(axis=(1, 2), initial=0)
    return wander
