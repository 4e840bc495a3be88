"""Add white noise."""

import numpy as np

from sk_erts._lib.checks import check_number
from sk_erts._lib.typing import FloatArray
from sk_erts.augmentation._augmentation import Augmentation

__all__ = ["AddNoise"]


class AddNoise(Augmentation):
    """Add white Gaussian noise, which stands for muscle and amplifier.

    Parameters
    ----------
    largest : float, default=0.05
        Standard deviation of the strongest noise, in the unit of the records; each
        record draws its own between 0 and this.
    probability : float, default=0.5
        Of a record to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import AddNoise
    >>> X = np.zeros((1, 12, 1000), dtype=np.float32)
    >>> noisy = AddNoise(largest=0.1, probability=1)(X, np.random.default_rng(0))
    >>> bool(0 < noisy.std() < 0.1)
    True
    """

    def __init__(self, largest: float = 0.05, probability: float = 0.5) -> None:
        super().__init__(probability)
        self.largest = largest

    def _check(self) -> None:
        check_number(self, "largest", self.largest, least=0)

    def _augment(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        scale = rng.uniform(0, self.largest, size=(len(X), 1, 1)).astype(np.float32)
        return X + scale * rng.standard_normal(X.shape, dtype=np.float32)
