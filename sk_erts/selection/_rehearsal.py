"""A few easy records in every batch, so that the network does not forget them."""

from __future__ import annotations

import numpy as np

from sk_erts._typing import BoolArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Refinement, Scores, random_mask

__all__ = ["Rehearsal"]


class Rehearsal(Refinement):
    r"""Train a random share of the easy records all the same.

    A network that sees nothing but what it finds hard forgets the rest, and its
    normalisation layers adapt to hard records alone: validation scores then swing
    from epoch to epoch. A few easy records in every batch prevent both. New here.

    Parameters
    ----------
    policy : Policy
        Says which records are easy.
    share : float, default=0.1
        Share of them that is trained.

    See Also
    --------
    DBPD : Calls records easy.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import DBPD, Rehearsal, Scores
    >>> scores = Scores(y=np.zeros(50, int), epoch=1, confidence=np.full(50, 0.9))
    >>> policy = Rehearsal(DBPD(0.3), share=0.1)
    >>> int((policy.select(scores, np.random.default_rng(0)) == 1).sum())
    5
    """

    decides_over = Status.EASY
    reason = Status.EASY

    def __init__(self, policy: Policy, share: float = 0.1) -> None:
        self.policy = policy
        self.share = share

    def without_focus(self) -> Policy:
        """Return the rehearsal of the policy below it without its focus filter."""
        return Rehearsal(self.policy.without_focus(), self.share)

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        # Rounded at random, so that small intervals rehearse too.
        n_kept = int(len(scores) * self.share + rng.random())
        return random_mask(len(scores), n_kept, rng)
