"""The control of every filter: as many candidates put aside, at random."""

from __future__ import annotations

import numpy as np

from sk_erts._lib.typing import BoolArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Refinement, Scores
from sk_erts.selection._share import all_but_lowest, check_share

__all__ = ["RandomFilter"]


class RandomFilter(Refinement):
    r"""Put aside as many candidates as `FocusFilter` does, drawn at random.

    Of :math:`n` candidates :math:`\lfloor n\,\theta \rfloor` are put aside, each with
    the same chance. What a measure of focus is worth shows against this control: it
    trains as many records, in the same epochs, and looks at no map. New here; a
    random control of a data dropout, not of a filter, is SMRD [1]_.

    Parameters
    ----------
    policy : Policy
        The data dropout that gives the candidates.
    threshold : float, default=0.2
        Share :math:`\theta` of the candidates that is put aside.
    class_rescue : bool, default=True
        Let a class that would lose all its candidates keep one of them, if
        they are not judged by class.
    by_class : bool, default=True
        Put the share of each class aside, as `FocusFilter` does.

    Raises
    ------
    ValueError
        On use, if `threshold` is no number in [0, 1).

    See Also
    --------
    FocusFilter : What it is to be held against.
    SMRD : The same control for the data dropout.

    Notes
    -----
    Those put aside are called unreliable, as those of `FocusFilter` are, so that
    figures and stopping rules count the same candidates. It sets in with the focus
    filter's epochs, after the second number of ``warmup_epochs``.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import KeepAll, RandomFilter, Scores, Status
    >>> scores = Scores(y=np.zeros(50, int), epoch=1)
    >>> policy = RandomFilter(KeepAll(), threshold=0.2)
    >>> status = policy.select(scores, np.random.default_rng(0))
    >>> int((status == Status.UNRELIABLE).sum())
    10
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

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        share = check_share(self.threshold, "RandomFilter")
        rank = rng.random(len(scores))
        return all_but_lowest(rank, share, scores.y, self.class_rescue, self.by_class)
