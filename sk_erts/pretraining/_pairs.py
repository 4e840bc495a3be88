"""What a training on pairs asks of its targets, and what tells whether a pair fits."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._records.task import OneClass
from sk_erts.selection import Judge, Known

__all__ = ["PairFit", "Pairs"]

# What the ledger sums up of each look at a pair.
REMEMBERED = ("confidence", "fit")


class Pairs(OneClass):
    """Each record has one report; reports of the same words are one.

    Parameters
    ----------
    texts : ndarray of shape (n_texts,)
        The different reports.
    n_dims : int
        Of the distributions.
    """

    def __init__(self, texts: Array, n_dims: int) -> None:
        super().__init__(texts)
        self.n_dims = n_dims

    @property
    def n_outputs(self) -> int:
        """A mean and a variance for each dimension."""
        return 2 * self.n_dims

    @property
    def n_remembered(self) -> int:
        """Numbers that a look at a pair tells."""
        return len(REMEMBERED)

    def strata(self, codes: Array) -> IntArray:
        """Return one stratum: pairs have no classes."""
        return np.zeros(len(codes), dtype=np.int64)


class PairFit(Judge):
    r"""Rely on pairs that are no farther apart than their own variances say.

    For the mean over all looks of :math:`\exp(-m / 2)`, where :math:`m` is the mean
    over the dimensions of :math:`(\mu - \mu')^2 / (\sigma^2 + \sigma'^2)`: a record
    that is sure of itself, beside a report that is sure of itself, and far from it.

    Examples
    --------
    >>> from sk_erts.pretraining import PairFit
    >>> PairFit().shown_as
    'fit of record and report'
    """

    reads = frozenset({"confidence"})
    remembers: ClassVar[bool] = True
    shown_as = "fit of record and report"

    def _score(self, known: Known) -> Any:
        fit: FloatArray = known.proba[:, REMEMBERED.index("fit")]
        return fit
