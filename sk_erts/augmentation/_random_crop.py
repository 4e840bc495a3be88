"""Train on a part of each record."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from sk_erts._lib.checks import check_number
from sk_erts._lib.typing import FloatArray

__all__ = ["RandomCrop"]


class RandomCrop(BaseEstimator):
    """Keep a random stretch of each record, so that a training step costs less.

    For networks that take records of any length, such as those that end in a pooled
    head. Looks, maps and predictions see whole records. A diagnosis that a few beats
    show may lie outside the stretch: in rhythm strips with single ectopic beats keep
    more of it.

    Parameters
    ----------
    share : float, default=0.5
        Of the time steps of a record that are kept, above 0 and at most 1.

    Raises
    ------
    ValueError
        On use, if `share` is not that.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import RandomCrop
    >>> X = np.arange(12, dtype=np.float32).reshape(2, 1, 6)
    >>> RandomCrop(share=0.5)(X, np.random.default_rng(0)).tolist()
    [[[3.0, 4.0, 5.0]], [[8.0, 9.0, 10.0]]]
    """

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def __call__(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return a stretch of each record.

        Parameters
        ----------
        X : ndarray of shape (n, n_leads, n_times), dtype float32
            Records; they are left as they are.
        rng : Generator
            Draws where each stretch begins.

        Returns
        -------
        X : ndarray of shape (n, n_leads, n_kept), dtype float32
            A copy, with at least one time step.

        Raises
        ------
        ValueError
            If `share` is not what it must be.
        """
        check_number(self, "share", self.share, above=0, most=1)
        n_samples, _, n_times = X.shape
        n_kept = max(1, round(self.share * n_times))
        begin = rng.integers(n_times - n_kept, endpoint=True, size=(n_samples, 1, 1))
        return np.take_along_axis(X, begin + np.arange(n_kept), axis=2)
