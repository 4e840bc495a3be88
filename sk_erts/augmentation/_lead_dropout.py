"""Lose leads, as when an electrode comes off."""

import numpy as np

from sk_erts._lib.checks import check_number
from sk_erts._lib.typing import FloatArray
from sk_erts.augmentation._augmentation import Augmentation

__all__ = ["LeadDropout"]


class LeadDropout(Augmentation):
    """Set leads of records to zero; one lead of each is always left.

    Parameters
    ----------
    share : float, default=0.2
        Probability of each lead to be lost.
    probability : float, default=0.5
        Of a record to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import LeadDropout
    >>> X = np.ones((1, 6, 2), dtype=np.float32)
    >>> dropout = LeadDropout(share=0.5, probability=1)
    >>> dropout(X, np.random.default_rng(0))[0, :, 0].tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, share: float = 0.2, probability: float = 0.5) -> None:
        super().__init__(probability)
        self.share = share

    def _check(self) -> None:
        check_number(self, "share", self.share, least=0, most=1)

    def _augment(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        draw = rng.random(X.shape[:2])  # (n, leads)
        kept = draw >= np.minimum(self.share, draw.max(axis=1, keepdims=True))
        return np.where(kept[:, :, np.newaxis], X, 0)
