"""Leads that show nothing."""

from __future__ import annotations

from typing import Any

from sk_erts._lib.typing import FloatArray
from sk_erts.quality._view import View, measure_records

__all__ = ["flat_share", "flat_share_of"]

# What a recorder's rounding to 1 µV makes of a flat line stays below this, in mV.
FLAT_MV = 5e-4


def flat_share(X: Any, fs: float) -> FloatArray:
    r"""Return the share of seconds, over all leads, in which nothing happens.

    A second of a lead is flat if :math:`Q_{95}(d_t) \le` 0.5 µV, with :math:`d_t` as in
    `high_frequency_floor`: an electrode that is off, an amplifier at its limit. An
    offset or a slow drift of the flat line makes no difference. New here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; (n_samples, n_times) is one lead, and a list of arrays
        (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    share : ndarray of shape (n_samples,), dtype float64
        Between 0 and 1; higher is worse.

    Raises
    ------
    ValueError
        If `fs` or a record is not what it must be.

    See Also
    --------
    SignalQuality : Joins the measures.

    Examples
    --------
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.quality import flat_share
    >>> X, _ = make_ecg(2, n_leads=4, noise=0.05, random_state=0)
    >>> X[1, 2] = 0.3
    >>> flat_share(X, fs=100).tolist()
    [0.0, 0.25]
    """
    return measure_records("flat_share", flat_share_of, X, fs)


def flat_share_of(view: View) -> FloatArray:
    """Return the flat share of each record of a view.

    Parameters
    ----------
    view : View
        Of n records.

    Returns
    -------
    share : ndarray of shape (n,)
        Between 0 and 1.
    """
    share: FloatArray = (view.crests <= FLAT_MV).mean(axis=(1, 2))
    return share
