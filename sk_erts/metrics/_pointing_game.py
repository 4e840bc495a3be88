"""Whether a map points at the evidence."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter1d

from sk_erts._lib.checks import check_count
from sk_erts._lib.typing import BoolArray, FloatArray
from sk_erts.metrics._arrays import check_evidence, check_maps

__all__ = ["pointing_game"]


def pointing_game(
    maps: FloatArray, evidence: BoolArray, *, tolerance: int = 0
) -> FloatArray:
    """Return whether the maxima of maps lie inside the evidence.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps, higher is more evidence.
    evidence : bool ndarray of the shape of `maps`, or (n_samples, n_times)
        Where the evidence is known to be, as in the mask of
        ``make_ecg(return_evidence=True)``.
    tolerance : int, default=0
        Time steps by which a maximum may miss the evidence.

    Returns
    -------
    hits : ndarray of shape (n_samples,), dtype float64
        1 for a hit, 0 for a miss, high is good. Among several equal maxima, the share
        of them that are inside. NaN for a record without any evidence, so that
        ``np.nanmean(hits)`` is the accuracy of [1]_.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or the two do not fit.

    See Also
    --------
    evidence_enrichment : All of the map, not its maximum alone.
    sk_erts.datasets.make_ecg : Synthetic records whose evidence is known.

    Notes
    -----
    Chance is the share of the record that the (widened) evidence covers, and just this
    is what a constant map gets. If the evidence is most of a record, as for normal
    beats, a hit says little.

    References
    ----------
    .. [1] J. Zhang et al., "Top-down neural attention by excitation backprop",
       ECCV 2016, arXiv:1608.00507.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import pointing_game
    >>> maps = np.array([[0.0, 5.0, 1.0, 0.0], [0.0, 5.0, 1.0, 0.0]])
    >>> evidence = np.array([[False, True, True, False], [False, False, True, False]])
    >>> pointing_game(maps, evidence).tolist()
    [1.0, 0.0]
    >>> pointing_game(maps, evidence, tolerance=1).tolist()
    [1.0, 1.0]
    """
    owner = "pointing_game"
    values = check_maps(owner, "maps", maps)
    inside = check_evidence(owner, evidence, values)
    check_count(owner, "tolerance", tolerance, least=0)
    # No two time steps of a record are further apart than it is long.
    reach = min(tolerance, values.shape[-1])
    near = maximum_filter1d(
        inside.astype(np.uint8), 2 * reach + 1, axis=-1, mode="constant"
    )
    by_time = tuple(range(1, values.ndim))
    highest = values == values.max(axis=by_time, keepdims=True)
    hits = (highest & (near == 1)).sum(axis=by_time) / highest.sum(axis=by_time)
    return np.where(inside.any(axis=by_time), hits, np.nan)
