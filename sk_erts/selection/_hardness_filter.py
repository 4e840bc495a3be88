"""A band of moderate hardness: neither the easy nor the most contradicted."""

from __future__ import annotations

import numpy as np

from sk_erts._lib.typing import BoolArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Refinement, Scores
from sk_erts.selection._share import all_but_lowest, check_share

__all__ = ["HardnessFilter"]


class HardnessFilter(Refinement):
    r"""Put aside the candidates that contradict the network most.

    Of :math:`n` candidates the :math:`\lfloor n\,\theta \rfloor` with the lowest
    confidence :math:`p` are put aside, as wrong labels may be among them. Over `DBPD`
    with the threshold :math:`\tau`, a band of moderate hardness is left,

    .. math:: q_\theta \le p < \tau,

    with :math:`q_\theta` the quantile of the candidates' confidence. To train the
    records of small loss is an old answer to wrong labels [1]_; the band is new here.

    Parameters
    ----------
    policy : Policy
        The data dropout that gives the candidates.
    threshold : float, default=0.2
        Share :math:`\theta` of the candidates that is put aside.
    class_rescue : bool, default=True
        Let a class that would lose all its candidates keep the easiest of them, if
        they are not judged by class.
    by_class : bool, default=True
        Put the share of each class aside, as `FocusFilter` does.

    Raises
    ------
    ValueError
        On use, if `threshold` is no number in [0, 1).

    See Also
    --------
    FocusFilter : Puts aside those with the least focused map, or the least reliable.
    RandomFilter : The control: as many, drawn at random.

    Notes
    -----
    Those put aside are called unreliable. It sets in with the focus filter's epochs,
    after the second number of ``warmup_epochs``: before, what is hard is still new.

    References
    ----------
    .. [1] B. Han et al., "Co-teaching: robust training of deep neural networks with
       extremely noisy labels", NeurIPS 2018, arXiv:1804.06872.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import DBPD, HardnessFilter, Scores, Status
    >>> policy = HardnessFilter(DBPD(0.5), threshold=0.5)
    >>> scores = Scores(
    ...     y=np.zeros(3, int), epoch=1, confidence=np.array([0.01, 0.4, 0.9])
    ... )
    >>> [Status(s).label for s in policy.select(scores, np.random.default_rng(0))]
    ['unreliable', 'trained', 'easy']
    """

    decides_over = Status.TRAINED
    reason = Status.UNRELIABLE

    def __init__(
        self,
        policy: Policy,
        threshold: float = 0.2,
        class_rescue: bool = True,
        by_class: bool = True,
    ) -> None:
        self.policy = policy
        self.threshold = threshold
        self.class_rescue = class_rescue
        self.by_class = by_class

    def without_focus(self) -> Policy:
        """Return the data dropout alone."""
        return self.policy.without_focus()

    def _own_reads(self) -> frozenset[str]:
        return frozenset({"confidence"})

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        share = check_share(self.threshold, "HardnessFilter")
        confidence = scores.read("confidence")
        return all_but_lowest(
            confidence, share, scores.y, self.class_rescue, self.by_class
        )
