"""Where scores fall into two groups, and how many are in the lower one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats
from sklearn.mixture import GaussianMixture

from sk_erts._lib.typing import FloatArray
from sk_erts.selection._rounding import is_level

__all__ = ["share_below_gap"]

MIN_CANDIDATES = 20
MAX_SHARE = 0.5

# A mixture has to be better by this much, in Schwarz's criterion, and its means as far
# apart, in standard deviations of a group, at which alone a mixture of equals has two
# modes.
MIN_EVIDENCE = 2.0
MIN_SEPARATION = 2.0

# Equal scores are a group without spread; the mixture has the same floor.
MIN_SCALE = 1e-3

# How far before its lowest score a group may begin, in ranges of the scores.
MARGINS_SKEWED = (0.01, 0.05, 0.2, 1.0)
MARGINS_BETA = (0.1, 0.5)


def share_below_gap(focus: FloatArray) -> float:
    r"""Return the share of records in a lower group of scores, 0 if there is but one.

    Two groups are normal distributions of the same variance, fitted by
    `sklearn.mixture.GaussianMixture`. They have to explain the scores better than each
    of several distributions with one mode does: normal, Student's t, beta, and those
    whose logarithm or square root is normal, skewed to either side. Better means by 2
    in Schwarz's criterion [1]_,

    .. math:: k \log n - 2 \log L,

    with :math:`k = 4` parameters of two groups and of a beta or skewed distribution,
    and 2 of the others; and the means have to lie two standard deviations apart, from
    which on a mixture of two equal groups has two modes. In the lower group is who more
    likely belongs to it. The combination is new here.

    Parameters
    ----------
    focus : ndarray of shape (n_records,)
        Focus scores, in any unit; the share does not change with scale or offset.

    Returns
    -------
    share : float
        At most 0.5; 0 for fewer than 20 records, and for scores that are equal to
        single precision.

    Notes
    -----
    The page on the method has a table of shares by distribution and number of
    records. A small group that lies three standard deviations below the others is
    mostly not found among 60 records: it looks like the tail of a skewed distribution.

    References
    ----------
    .. [1] G. Schwarz, "Estimating the dimension of a model", Annals of Statistics
       6(2), 1978, 10.1214/aos/1176344136.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import share_below_gap
    >>> share_below_gap(np.r_[np.full(10, 0.2), np.full(40, 0.8)])
    0.2
    >>> share_below_gap(np.linspace(0, 1, 50))
    0.0
    """
    n = len(focus)
    # Stretched to one range, rounding would make groups of equal scores: networks and
    # maps, which they come from, are in single precision.
    if n < MIN_CANDIDATES or is_level(focus, np.float32):
        return 0.0
    z = np.sort(focus).astype(np.float64)
    z = (z - z[0]) / (z[-1] - z[0])  # else the squares of tiny scores would be zero
    z = (z - z.mean()) / z.std()
    column = z[:, np.newaxis]
    two = GaussianMixture(2, covariance_type="tied", random_state=0).fit(column)
    separation = np.ptp(two.means_) / two.covariances_[0, 0] ** 0.5
    if separation < MIN_SEPARATION:
        return 0.0
    limit = two.bic(column) + MIN_EVIDENCE
    if any(criterion < limit for criterion in _single_groups(z)):
        return 0.0
    in_lower = two.predict(column) == two.means_.argmin()
    return min(float(in_lower.mean()), MAX_SHARE)


def _single_groups(z: FloatArray) -> Iterator[float]:
    """Yield Schwarz's criterion of each distribution with one mode, the fast first.

    `z` is sorted, of mean 0 and variance 1.
    """
    n, width = len(z), z[-1] - z[0]
    price = np.log(n)
    normal = -2 * stats.norm.logpdf(z).sum()
    yield normal + 2 * price
    margins = width * np.array(MARGINS_SKEWED)[:, np.newaxis]
    sides = np.concatenate([z - z[0] + margins, z[-1] - z + margins])
    for power in (0, 0.5):  # a logarithm or a root is normal
        yield normal - 2 * stats.boxcox_llf(power, sides.T).max() + 4 * price
    for margin in (1 / (2 * n), *MARGINS_BETA):
        start, whole = z[0] - margin * width, width * (1 + 2 * margin)
        mean = -start / whole
        size = mean * (1 - mean) * whole**2 - 1  # by moments: a solver may fail
        # Below 1 it would have a mode at either end.
        a, b = max(mean * size, 1.0), max((1 - mean) * size, 1.0)
        logs = stats.beta.logpdf(z, a, b, start, whole)
        yield -2 * logs.sum() + 4 * price
    _, centre, scale = stats.t.fit(z, f0=3, floc=np.median(z))
    logs = stats.t.logpdf(z, 3, centre, max(scale, MIN_SCALE))
    yield -2 * logs.sum() + 2 * price
