"""Make records larger or smaller."""

import numpy as np

from sk_erts._lib.checks import check_number
from sk_erts._lib.typing import FloatArray
from sk_erts.augmentation._augmentation import Augmentation

__all__ = ["ScaleAmplitude"]


class ScaleAmplitude(Augmentation):
    """Multiply each record by one factor, as likely to enlarge as to lessen.

    Parameters
    ----------
    largest : float, default=1.25
        Factors lie between ``1 / largest`` and `largest`, evenly on a logarithmic
        scale. All leads of a record share one, so that their relations stay.
    probability : float, default=0.5
        Of a record to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import ScaleAmplitude
    >>> X = np.ones((1, 2, 2), dtype=np.float32)
    >>> scaled = ScaleAmplitude(largest=2, probability=1)(X, np.random.default_rng(0))
    >>> bool(0.5 <= scaled.min() == scaled.max() <= 2)
    True
    """

    def __init__(self, largest: float = 1.25, probability: float = 0.5) -> None:
        super().__init__(probability)
        self.largest = largest

    def _check(self) -> None:
        check_number(self, "largest", self.largest, least=1)

    def _augment(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        exponent = rng.uniform(-1, 1, size=(len(X), 1, 1))
        return X * np.power(self.largest, exponent).astype(np.float32)
