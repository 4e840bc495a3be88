"""How much of a map is where the evidence is."""

from __future__ import annotations

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray
from sk_erts.metrics._arrays import check_evidence, check_maps

__all__ = ["evidence_mass", "mass_inside"]


def evidence_mass(maps: FloatArray, evidence: BoolArray) -> FloatArray:
    r"""Return the share of the positive mass of maps that is inside the evidence.

    .. math:: m = \frac{\sum_{t \in E} \max(S_t, 0)}{\sum_t \max(S_t, 0)}

    The inside-total relevance ratio of [1]_, over time.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps, higher is more evidence.
    evidence : bool ndarray of the shape of `maps`, or (n_samples, n_times)
        Where the evidence is known to be, as in the mask of
        ``make_ecg(return_evidence=True)``.

    Returns
    -------
    shares : ndarray of shape (n_samples,), dtype float64
        Between 0 and 1, high is good; 0 for a map without any positive value, NaN for
        a record without any evidence.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or the two do not fit.

    See Also
    --------
    evidence_enrichment : The same, measured against chance.

    Notes
    -----
    Chance is the share of the record that the evidence covers.

    References
    ----------
    .. [1] S. Lapuschkin et al., "Analyzing classifiers: Fisher vectors and deep neural
       networks", CVPR 2016, arXiv:1512.00172.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import evidence_mass
    >>> evidence = np.array([[False, True, False, False]])
    >>> evidence_mass(np.array([[1.0, 3.0, -2.0, 0.0]]), evidence).tolist()
    [0.75]
    """
    owner = "evidence_mass"
    values = check_maps(owner, "maps", maps)
    return mass_inside(values, check_evidence(owner, evidence, values))


def mass_inside(maps: FloatArray, inside: BoolArray) -> FloatArray:
    """Return the share of positive mass under a mask.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps.
    inside : bool ndarray of the same shape
        The mask.

    Returns
    -------
    shares : ndarray of shape (n_samples,)
        0 for a map without positive mass, NaN where the mask is empty.
    """
    by_time = tuple(range(1, maps.ndim))
    highest = maps.max(axis=by_time, keepdims=True)
    # Scaled first, so that the sum of very large values stays finite.
    positive = np.maximum(maps, 0) / np.where(highest > 0, highest, 1)
    total = positive.sum(axis=by_time)
    found = (positive * inside).sum(axis=by_time)
    shares = found / np.where(total > 0, total, 1)
    return np.where(inside.any(axis=by_time), shares, np.nan)
