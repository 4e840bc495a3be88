"""A few easy records in every batch, so that the network does not forget them."""

from __future__ import annotations

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Refinement, Scores, random_share

__all__ = ["Rehearsal"]


class Rehearsal(Refinement):
    r"""Train a random share of the easy records all the same.

    A network that sees nothing but what it finds hard forgets the rest, takes the hard
    records' classes for the likely ones, and its normalisation layers adapt to hard
    records alone: validation scores then swing from epoch to epoch. A few easy
    records in every batch prevent it, the more so if each weighs for several. New
    here; the weights are an idea of InfoBatch [1]_, which keeps half of the easy
    records with the weight 2.

    Parameters
    ----------
    policy : Policy
        Says which records are easy.
    share : float, default=0.05
        Share of them that is trained.
    weight : float, default=5
        What each of these weighs in the loss. At ``1 / share`` the expected gradient
        is that of all records, with a greater variance.

    References
    ----------
    .. [1] Z. Qin et al., "InfoBatch: lossless training speed up by unbiased dynamic
       data pruning", ICLR 2024, arXiv:2303.04947.

    See Also
    --------
    DBPD : Calls records easy.
    InfoBatch : Keeps half of the easy records, with twice their weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import DBPD, Rehearsal, Scores, Status
    >>> scores = Scores(y=np.zeros(50, int), epoch=1, confidence=np.full(50, 0.9))
    >>> policy = Rehearsal(DBPD(0.3), share=0.1)
    >>> status = policy.select(scores, np.random.default_rng(0))
    >>> int((status == Status.REHEARSED).sum())
    5
    """

    decides_over = Status.EASY
    accepted = Status.REHEARSED
    reason = Status.EASY

    def __init__(
        self, policy: Policy, share: float = 0.05, weight: float = 5.0
    ) -> None:
        self.policy = policy
        self.share = share
        self.weight = weight

    @property
    def rehearses(self) -> bool:  # type: ignore[override]  # as parameters say
        """Whether easy records may be trained too: where any are."""
        return self.share > 0

    def without_focus(self) -> Policy:
        """Return the rehearsal of the policy below it without its focus filter."""
        return Rehearsal(self.policy.without_focus(), self.share, self.weight)

    def loss_weights(self, status: IntArray) -> FloatArray:
        """Return what records weigh in the loss: `weight` for the rehearsed.

        Parameters
        ----------
        status : int8 ndarray of shape (n_records,)
            As `select` returned it.

        Returns
        -------
        weights : float32 ndarray of shape (n_records,)
            As those of `policy` for all others.
        """
        weights = self.policy.loss_weights(status)
        weights[status == Status.REHEARSED] = self.weight
        return weights

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        return random_share(len(scores), self.share, rng)
