"""What all augmentations share: some records of a batch are changed, at random."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from sk_erts._lib.checks import check_number
from sk_erts._lib.typing import FloatArray

__all__ = ["Augmentation"]


class Augmentation(BaseEstimator):
    """Change some records of a training batch; the base of all augmentations.

    One of your own subclasses this, takes `probability` in its constructor, and
    returns changed records from ``_augment(X, rng)``. Any other function of a batch
    and a generator does as well.

    Parameters
    ----------
    probability : float, default=0.5
        Of a record to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import Augmentation
    >>> class TurnOver(Augmentation):
    ...     def _augment(self, X, rng):
    ...         return -X
    >>> X = np.ones((4, 1, 3), dtype=np.float32)
    >>> TurnOver(probability=0.5)(X, np.random.default_rng(0))[:, 0, 0].tolist()
    [1.0, -1.0, -1.0, -1.0]
    """

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def __call__(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return a batch in which some records are changed.

        Parameters
        ----------
        X : ndarray of shape (n, n_leads, n_times), dtype float32
            Records; they are left as they are.
        rng : Generator
            Draws which records are changed, and how.

        Returns
        -------
        X : ndarray of shape (n, n_leads, n_times), dtype float32
            A copy.

        Raises
        ------
        ValueError
            If a parameter is not what it must be.
        """
        check_number(self, "probability", self.probability, least=0, most=1)
        self._check()
        changed = X.copy()
        chosen = rng.random(len(X)) < self.probability
        if chosen.any():
            changed[chosen] = self._augment(X[chosen], rng)
        return changed

    def _check(self) -> None:
        """Raise if a parameter is not what it must be."""

    @abstractmethod
    def _augment(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return records (n, n_leads, n_times), each changed in its own way."""
