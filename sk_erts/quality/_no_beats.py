"""Whether anything in a record stands out as a beat does."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.quality._view import FLOOR_OF_NOISE, View, measure_records

__all__ = ["no_beats", "no_beats_of"]

# Noise of any strength has 0.08 to 0.12 in its best lead; of 2,748 records of PTB-XL
# one in a thousand has more than 0.025. Smooth wide complexes have more.
BEATS, NOISE = 0.065, 0.08
# Noise has 0.79 to 1, or less on a wandering baseline; smooth wide complexes 0.1, the
# worst of PTB-XL 0.15, and beats in noise of an eighth of their height up to 0.57.
SMOOTH, ROUGH = 0.72, 0.78
# The steepest waves of the best lead, in mV. Over 40 ms ventricular tachycardia is
# steep as well, and a wandering baseline is not.
WEAK_MV, SILENT_MV = 0.008, 0.004
LAG_S = 0.04


def no_beats(X: Any, fs: float) -> FloatArray:
    r"""Return how surely a record holds no beats.

    In no lead does anything stand out from what lies between, as a QRS complex does, or
    all that does is weaker than any heart is. New here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    doubt : ndarray of shape (n_samples,), dtype float64
        0 where there are beats, 1 where there is nothing but noise or silence.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    noise_to_peak : How far beats stand out in the worst lead.
    flat_share : How much of a record is still.

    Notes
    -----
    With :math:`d_t` and :math:`f_s` as in `high_frequency_floor`,

    .. math:: r = \min_\text{leads} \operatorname{median}_s
              \frac{f_s}{\max_{t \in s} d_t}, \qquad
              w = \min_\text{leads} \frac{\operatorname{median}_s f_s}
              {0.18 \operatorname{median}_s \sigma_s}, \qquad
              p = \max_\text{leads} \operatorname{median}_s \max_{t \in s} d'_t

    where :math:`\sigma_s` is the standard deviation within a second, and :math:`d'_t`
    is :math:`d_t` with a :math:`\tau` of 40 ms. The doubt rises
    from 0 to 1 while :math:`r` does from 0.065 to 0.08 and :math:`w` from 0.72 to 0.78,
    whichever says less; or, if that is more, while :math:`p` falls from 8 to 4 µV.
    White noise has :math:`r \approx 0.1` and :math:`w \approx 1`, whatever its
    strength; wide complexes without steep slopes have a high :math:`r`, but a low
    :math:`w`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.quality import no_beats
    >>> X, _ = make_ecg(2, classes=["NORM"], noise=0, random_state=0)
    >>> X[1] = np.random.default_rng(0).normal(scale=0.001, size=X[1].shape)  # 1 µV
    >>> no_beats(X, fs=100).tolist()
    [0.0, 1.0]
    """
    return measure_records("no_beats", no_beats_of, X, fs)


def no_beats_of(view: View) -> FloatArray:
    """Return the doubt about each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    doubt : ndarray of shape (n,)
        Between 0 and 1.
    """
    peaks = view.peaks  # (n, leads, seconds)
    still = peaks == 0
    ratio = np.where(still, 0, view.floors / np.where(still, 1, peaks))
    spread = np.median(view.spreads, axis=2)  # (n, leads)
    floor = np.median(view.floors, axis=2)
    share = np.where(
        spread > 0, floor / np.where(spread > 0, FLOOR_OF_NOISE * spread, 1), 0
    )
    noise = np.minimum(
        _rises(np.median(ratio, axis=2).min(axis=1), BEATS, NOISE),
        _rises(share.min(axis=1), SMOOTH, ROUGH),
    )
    steepest = np.median(view.peaks_over(LAG_S), axis=2)
    silence = _rises(steepest.max(axis=1), WEAK_MV, SILENT_MV)
    doubt: FloatArray = np.maximum(noise, silence)
    return doubt


def _rises(values: FloatArray, zero: float, one: float) -> FloatArray:
    """Return a line through two points, clipped to [0, 1]."""
    line: FloatArray = ((values - zero) / (one - zero)).clip(0, 1)
    return line
