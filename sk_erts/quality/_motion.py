"""Moments in which the signal is larger than else."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.quality._view import View, measure_records

__all__ = ["motion_burst", "motion_burst_of"]


def motion_burst(X: Any, fs: float) -> FloatArray:
    r"""Return how much larger the signal is in its largest second, in mV.

    .. math:: b = \max_\text{leads} \big(\max_s \sigma_s
              - \operatorname{median}_s \sigma_s\big)

    where :math:`\sigma_s` is the standard deviation of a lead over second :math:`s`. It
    answers to electrodes that are pulled or touched, and also to single beats that are
    much larger than the others. New here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    excess : ndarray of shape (n_samples,), dtype float64
        In mV; higher is worse. Offsets and the order of the leads do not matter, and
        it grows in proportion to the records.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    baseline_wander : Slower movements.
    noise_burst : Faster ones.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.quality import motion_burst
    >>> x = np.zeros((1, 1000))
    >>> x[0, 300:400] = np.sqrt(2) * np.sin(2 * np.pi * 4 * np.arange(100) / 100)
    >>> motion_burst(x, fs=100).round(6).tolist()
    [1.0]
    """
    return measure_records("motion_burst", motion_burst_of, X, fs)


def motion_burst_of(view: View) -> FloatArray:
    """Return the excess of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    excess : ndarray of shape (n,)
        In mV.
    """
    spreads = np.sort(view.spreads, axis=2)  # (n, leads, seconds)
    excess: FloatArray = spreads[..., -1] - np.median(spreads, axis=2)
    largest: FloatArray = excess.max(axis=1)
    return largest
