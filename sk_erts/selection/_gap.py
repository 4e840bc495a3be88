"""Where scores fall into two groups, and how many are in the lower one."""

from __future__ import annotations

from math import lgamma, log, pi

import numpy as np

from sk_erts._lib.typing import FloatArray

__all__ = ["share_below_gap"]

MIN_CANDIDATES = 20
MAX_SHARE = 0.5

# A mixture has to be better by this much, in nats, and its means as far apart, in
# standard deviations of a group, at which alone a mixture of equals has two modes.
MIN_EVIDENCE = 1.0
MIN_SEPARATION = 2.0

# Shares of the lower group from which the mixture is fitted.
STARTS = (0.15, 0.5)
N_STEPS = 20

# Equal scores are a group without spread; in units of the variance of all.
MIN_VARIANCE = 1e-6

# How far before its lowest score a skewed group may begin, in ranges of the scores.
MARGINS = (0.01, 0.05, 0.2, 1.0)


def share_below_gap(focus: FloatArray) -> float:
    r"""Return the share of records in a lower group of scores, 0 if there is but one.

    Two groups are normal distributions of the same variance with the shares
    :math:`\pi` and :math:`1 - \pi` and the means :math:`\mu_1 < \mu_2`, fitted by
    expectation-maximisation. They have to explain the scores better than each of
    several distributions with one mode does: normal, Student's t, beta, and those
    whose logarithm or square root is normal, skewed to either side. Better means by 1
    in

    .. math:: \log L - \tfrac k2 \log n,

    that is by 2 in Schwarz's criterion [1]_, with :math:`k = 4` parameters of two
    groups and of a beta or skewed distribution, and 2 of the others; and the means
    have to lie two standard deviations apart, from which on a mixture of two equal
    groups has two modes. The cut is where both groups are as likely,

    .. math::

        \frac{\mu_1 + \mu_2}2 +
        \frac{\sigma^2}{\mu_2 - \mu_1} \log\frac{\pi}{1 - \pi} .

    The combination is new here.

    Parameters
    ----------
    focus : ndarray of shape (n_records,)
        Focus scores, in any unit; the share does not change with scale or offset.

    Returns
    -------
    share : float
        At most 0.5; 0 for fewer than 20 records.

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
    if n < MIN_CANDIDATES or np.ptp(focus) == 0:
        return 0.0
    z = np.sort(focus).astype(np.float64)
    z = (z - z[0]) / (z[-1] - z[0])  # else the squares of tiny scores would be zero
    z = (z - z.mean()) / z.std()
    likelihood, separation, cut = _two_groups(z)
    if separation < MIN_SEPARATION:
        return 0.0
    if likelihood - 2 * log(n) - _best_single_group(z) < MIN_EVIDENCE:
        return 0.0
    return min(float(np.mean(z < cut)), MAX_SHARE)


def _two_groups(z: FloatArray) -> tuple[float, float, float]:
    """Return log-likelihood, separation and cut of the best mixture of two normals.

    `z` is sorted, of mean 0 and variance 1: sums over the upper group and the
    variance within groups follow from those over the lower one.
    """
    n = len(z)
    n_low = np.maximum(1, np.array(STARTS) * n).astype(int)
    sums = np.cumsum(z)[n_low - 1]  # (starts,)
    share = n_low / n
    for step in range(N_STEPS + 1):
        low, high = sums / (n * share), -sums / (n * (1 - share))
        variance = 1 - share * low**2 - (1 - share) * high**2
        variance = np.maximum(variance, MIN_VARIANCE)
        slope = (high - low) / variance
        cut = (low + high) / 2 + np.log(share / (1 - share)) / slope
        if step < N_STEPS:
            odds = slope[:, np.newaxis] * (z - cut[:, np.newaxis])
            with np.errstate(over="ignore"):  # far above the cut: 1 / inf is right
                in_low = 1 / (1 + np.exp(odds))  # (starts, n)
            share = np.clip(in_low.mean(axis=1), 1 / n, 1 - 1 / n)
            sums = in_low @ z
    parts = [
        np.log(part)[:, np.newaxis]
        - (z - mean[:, np.newaxis]) ** 2 / (2 * variance[:, np.newaxis])
        for part, mean in ((share, low), (1 - share, high))
    ]
    likelihoods = np.logaddexp(*parts).sum(axis=1) - n / 2 * np.log(2 * pi * variance)
    best = int(likelihoods.argmax())
    separation = (high[best] - low[best]) / variance[best] ** 0.5
    return float(likelihoods[best]), float(separation), float(cut[best])


def _best_single_group(z: FloatArray) -> float:
    """Return the greatest log-likelihood of one group, less its parameters' price."""
    price = log(len(z)) / 2
    return max(
        _normal(z) - 2 * price,
        _student(z) - 2 * price,
        _skewed(z) - 4 * price,
        _beta(z) - 4 * price,
    )


def _normal(z: FloatArray) -> float:
    return -len(z) / 2 * (log(2 * pi) + 1)  # of variance 1


def _student(z: FloatArray) -> float:
    """Return the log-likelihood of Student's t with three degrees of freedom."""
    centre, scale = float(np.median(z)), 0.5
    for _ in range(4):
        weight = 4 / (3 + (z - centre) ** 2 / scale)
        centre = weight @ z / weight.sum()
        scale = max(weight @ (z - centre) ** 2 / len(z), MIN_VARIANCE)
    tails = 2 * np.log1p((z - centre) ** 2 / (3 * scale)).sum()
    return float(len(z) * log(2 / (pi * (3 * scale) ** 0.5)) - tails)


def _skewed(z: FloatArray) -> float:
    """Return the log-likelihood of a root or a logarithm that is normal."""
    margins = np.array(MARGINS)[:, np.newaxis] * (z[-1] - z[0])
    sides = np.stack([z - z[0], z[-1] - z])[:, np.newaxis] + margins
    sides = sides.reshape(-1, len(z))
    logs = np.log(sides)
    slopes = logs.sum(axis=1)  # of the transformation, as its logarithm
    of_log = -len(z) * np.log(logs.std(axis=1)) - slopes
    of_root = -len(z) * np.log(2 * np.sqrt(sides).std(axis=1)) - slopes / 2
    return float(max(of_log.max(), of_root.max())) + _normal(z)


def _beta(z: FloatArray) -> float:
    """Return the log-likelihood of a beta distribution with one mode, by moments."""
    n, width = len(z), z[-1] - z[0]
    best = -np.inf
    for margin in (1 / (2 * n), 0.1, 0.5):
        whole = width * (1 + 2 * margin)
        u = (z - z[0] + margin * width) / whole
        mean = u.mean()
        size = mean * (1 - mean) * whole**2 - 1  # the variance of u is 1 / whole ** 2
        # Below 1 it would have a mode at either end.
        a, b = max(mean * size, 1.0), max((1 - mean) * size, 1.0)
        constant = lgamma(a + b) - lgamma(a) - lgamma(b) - log(whole)
        parts = (a - 1) * np.log(u).sum() + (b - 1) * np.log1p(-u).sum()
        best = max(best, n * constant + float(parts))
    return best
