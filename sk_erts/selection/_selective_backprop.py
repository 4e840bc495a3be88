"""Selective backpropagation: the greater its loss, the likelier a record is trained."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from sk_erts._lib.typing import BoolArray
from sk_erts.selection._policy import Policy, Scores

__all__ = ["SelectiveBackprop"]


class SelectiveBackprop(Policy):
    r"""Keep a record with a chance that grows with its loss.

    The chance is :math:`F(\ell)^\beta` for a record of loss :math:`\ell = -\log p`,
    where :math:`p` is its confidence and :math:`F(\ell)` the share of the records at
    hand with no greater loss [1]_. About :math:`1 / (1 + \beta)` of them are kept,
    the hardest always.

    Parameters
    ----------
    beta : float, default=1
        The exponent :math:`\beta`: how strongly the hard ones are preferred. At 0 all
        are kept.

    Raises
    ------
    ValueError
        On use, if `beta` is no number of at least 0.

    See Also
    --------
    DBPD : Keeps the records below a fixed confidence.
    InfoBatch : Makes up for what is left out.

    Notes
    -----
    The original ranks a record among the last 1024 that were looked at; here it is
    ranked among those of its interval, which all were judged by the same network. The
    records of a small ``looks__renewal_interval`` are a coarse measure.

    References
    ----------
    .. [1] A. H. Jiang et al., "Accelerating deep learning by focusing on the biggest
       losers", 2019, arXiv:1910.00762.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Scores, SelectiveBackprop
    >>> scores = Scores(
    ...     y=np.zeros(999, int), epoch=1, confidence=np.linspace(0, 1, 999)
    ... )
    >>> kept = SelectiveBackprop().select(scores, np.random.default_rng(0)) == 1
    >>> [int(third.sum()) for third in np.split(kept, 3)]  # hard, moderate, easy
    [257, 162, 51]
    """

    reads = frozenset({"confidence"})

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        beta: Any = self.beta
        if not isinstance(beta, Real) or not float(beta) >= 0:
            raise ValueError(
                "The 'beta' parameter of SelectiveBackprop must be a number of at "
                f"least 0. Got {beta!r} instead."
            )
        # No logarithm is needed: a loss is no greater where p is no smaller.
        confidence = scores.read("confidence")
        n = len(scores)
        n_no_greater = n - np.searchsorted(np.sort(confidence), confidence)
        chance = (n_no_greater / n) ** float(beta)
        return np.asarray(rng.random(n) < chance)
