"""Whether a map stays the same under noise that nobody would see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.utils import check_random_state

from sk_erts._lib.checks import check_count, check_number, refuse
from sk_erts._lib.typing import FloatArray
from sk_erts.metrics._arrays import check_maps, check_records
from sk_erts.metrics._ranking import RandomState

__all__ = ["max_sensitivity"]

Explain = Callable[[FloatArray], FloatArray]


def max_sensitivity(
    explain: Explain,
    X: FloatArray,
    *,
    radius: float = 0.02,
    n_draws: int = 10,
    batch_size: int = 256,
    random_state: RandomState = None,
) -> FloatArray:
    r"""Return the largest relative change of maps under small noise.

    .. math:: \max_{\|\delta\|_\infty \le r}
              \frac{\|\Phi(x + \delta) - \Phi(x)\|_2}{\|\Phi(x)\|_2}

    estimated over draws of uniform noise, as in [1]_.

    Parameters
    ----------
    explain : callable
        From records of shape (k, n_leads, n_times) to maps of shape (k, n_times) or
        (k, n_leads, n_times); coarser maps do as well. It should explain the same
        class with and without noise.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that `explain` wants.
    radius : float, default=0.02
        The most that noise adds to a sample or takes from it, in the unit of `X`; 0.02
        mV is about the noise of a recorder.
    n_draws : int, default=10
        Number of noisy copies of each record.
    batch_size : int, default=256
        The most records that `explain` gets at once; it bounds the memory.
    random_state : int, RandomState instance or None, default=None
        Draws the noise.

    Returns
    -------
    changes : ndarray of shape (n_samples,), dtype float64
        At least 0, low is good; above 1 the map changes by more than there is of it.
        NaN for a record whose map is zero.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or `explain` returns something else
        than finite maps.

    Notes
    -----
    More draws can only raise the result: it is a lower bound. A map that ignores its
    record never changes, so that a low sensitivity alone is no merit.

    References
    ----------
    .. [1] C.-K. Yeh et al., "On the (in)fidelity and sensitivity of explanations",
       NeurIPS 2019, arXiv:1901.09392.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import max_sensitivity
    >>> def explain(X):
    ...     return X[:, 0]
    >>> X = np.ones((1, 1, 500))
    >>> change = max_sensitivity(explain, X, radius=0.1, random_state=0)
    >>> bool(0.05 < change[0] < 0.1)
    True
    """
    owner = "max_sensitivity"
    if not callable(explain):
        refuse(owner, "explain", "be a function of records", repr(explain))
    records = check_records(owner, X)
    check_number(owner, "radius", radius, above=0)
    check_count(owner, "n_draws", n_draws)
    check_count(owner, "batch_size", batch_size)
    rng = check_random_state(random_state)

    def maps_of(X: FloatArray) -> FloatArray:
        parts = [X[i : i + batch_size] for i in range(0, len(X), batch_size)]
        maps = np.concatenate(
            [check_maps(owner, "explain", explain(p), "return") for p in parts]
        )
        if len(maps) != len(X):
            wanted = f"return one map for each of {len(X)} records"
            refuse(owner, "explain", wanted, f"shape {maps.shape}")
        return maps.reshape(len(X), -1)  # (n, [leads *] times)

    maps = maps_of(records)
    largest = np.zeros(len(maps))
    for _ in range(n_draws):
        noise = rng.uniform(-radius, radius, size=records.shape)
        noisy = maps_of(records + noise.astype(records.dtype))
        largest = np.maximum(largest, np.linalg.norm(noisy - maps, axis=1))
    size = np.linalg.norm(maps, axis=1)
    changes: FloatArray = np.full(len(size), np.nan)
    np.divide(largest, size, out=changes, where=size > 0)
    return changes
