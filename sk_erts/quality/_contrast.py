"""How far QRS complexes stand out from the noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.quality._view import View, measure_records

__all__ = ["noise_to_peak", "noise_to_peak_of"]

# Keeps the ratio of silence to silence at 0, in mV.
SILENT_MV = 1e-3


def noise_to_peak(X: Any, fs: float) -> FloatArray:
    r"""Return the noise between the waves relative to the steepest wave.

    .. math:: r = \max_\text{leads} \operatorname{median}_s
              \frac{f_s}{\max_{t \in s} d_t + \epsilon}

    with :math:`d_t` and :math:`f_s` as in `high_frequency_floor`, and :math:`\epsilon`
    = 1 µV. It answers whether there are QRS complexes that stand out. New here.

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
        Between 0 and 1; higher is worse. Where signals are far above 1 µV it does not
        depend on their scale.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    high_frequency_floor : The noise by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.quality import noise_to_peak
    >>> X, _ = make_ecg(2, classes=["NORM"], random_state=0)
    >>> X[1] = np.random.default_rng(0).normal(size=X[1].shape)  # nothing but noise
    >>> clean, noise = noise_to_peak(X, fs=100)
    >>> bool(clean < noise)
    True
    """
    return measure_records("noise_to_peak", noise_to_peak_of, X, fs)


def noise_to_peak_of(view: View) -> FloatArray:
    """Return the ratio of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    ratio : ndarray of shape (n,)
        Between 0 and 1.
    """
    ratio = np.sort(view.floors / (view.peaks + SILENT_MV), axis=2)
    middle: FloatArray = ratio[..., (ratio.shape[2] - 1) // 2].max(axis=1)
    return middle
