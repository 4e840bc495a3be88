"""The reliability filter of ERTS: of the hard records, train those to rely on."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray
from sk_erts.selection._judge import Judge
from sk_erts.selection._judges import as_judge
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Refinement, Scores
from sk_erts.selection._share import all_but_lowest, check_share

__all__ = ["VERDICTS", "FocusFilter"]

#: What becomes of a record that is doubted.
VERDICTS = {"drop": Status.UNRELIABLE, "soften": Status.SOFTENED}


class FocusFilter(Refinement):
    r"""Put aside the candidates with the least focused map, or the least reliable.

    The candidates are what another policy keeps. Of :math:`n` of a class the
    :math:`\lfloor n\,\theta \rfloor` with the lowest focus are taken for noise: that
    of the map of their true class [1]_, or their `Reliability`.

    Parameters
    ----------
    policy : Policy
        The data dropout that gives the candidates.
    focus : str, callable or Judge, default="top_mass"
        By what candidates are judged: the name of a judge, a function from signed
        maps (n, times) to scores, or a :class:`Judge`.
    threshold : float or "auto", default=0.2
        Share :math:`\theta` of the candidates of each class that is put aside.
        ``"auto"`` takes those in the lower of two groups of focus scores, and nobody
        where there is but one group (see `share_below_gap`); of reliability, those
        below 1/3: another class was on average more probable than the label, by a
        third at least, or the signal is 1.4 standard deviations worse than the mean.
        Never more than half of the candidates.
    ranking : {"focus", "hard_focus"}, default="focus"
        Rank by the focus, or by ``(1 - confidence) * focus`` as the authors' released
        code does.
    class_rescue : bool, default=True
        Let a class that would lose all its candidates keep its best one, if they are
        not judged by class.
    by_class : bool, default=True
        Judge the candidates of each class among themselves (of several labels, of
        each rarest label). A network that has hardly learned a rare class believes in
        none of its records: ranked with all others, they would all be put aside.
        False does so, as in the paper.
    doubt : {"drop", "soften"}, default="drop"
        What becomes of them: they are put aside, or trained with a label that is
        softened towards what all looks at the record said, by as much as the judge
        doubts it, :math:`(1 - d)\,y + d\,\bar p` with :math:`d` 1 minus the score.

    Raises
    ------
    ValueError
        On use, if `threshold`, `ranking` or `doubt` is none of the above.

    See Also
    --------
    Reliability : What the training believed of the label, and the signal.
    RandomFilter : The control: as many, drawn at random.
    HardnessFilter : Puts aside those that contradict the network most.

    References
    ----------
    .. [1] Dangeti, Gu, Weng, Gowda, arXiv:2606.12252, 2026.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import DBPD, FocusFilter, Scores, Status
    >>> policy = FocusFilter(DBPD(0.5), threshold=0.5)
    >>> scores = Scores(
    ...     y=np.zeros(3, int),
    ...     epoch=1,
    ...     confidence=np.array([0.1, 0.2, 0.9]),
    ...     focus=np.array([0.3, 0.8, 0.9]),
    ... )
    >>> [Status(s).label for s in policy.select(scores, np.random.default_rng(0))]
    ['unreliable', 'trained', 'easy']
    """

    decides_over = Status.TRAINED
    phase = "reliability filter"

    def __init__(
        self,
        policy: Policy,
        focus: Any = "top_mass",
        threshold: float | str = 0.2,
        ranking: str = "focus",
        class_rescue: bool = True,
        by_class: bool = True,
        doubt: str = "drop",
    ) -> None:
        self.policy = policy
        self.focus = focus
        self.threshold = threshold
        self.ranking = ranking
        self.class_rescue = class_rescue
        self.by_class = by_class
        self.doubt = doubt

    @property
    def reason(self) -> Status:  # type: ignore[override]  # as the parameter says
        """What those are called that are doubted."""
        if self.doubt not in VERDICTS:
            raise ValueError(
                "The 'doubt' parameter of FocusFilter must be 'drop' or 'soften'. Got "
                f"{self.doubt!r} instead."
            )
        return VERDICTS[self.doubt]

    @property
    def judge(self) -> Judge:  # type: ignore[override]  # a property there too
        """What `focus` stands for."""
        own, other = as_judge(self.focus), self.policy.judge
        if other is not None and not _are_equal(own, other):
            raise ValueError(
                "The focus filters of one policy must have the same judge. Got "
                f"{self.focus!r} around {other!r}: join them in a judge of your own."
            )
        return own

    def without_focus(self) -> Policy:
        """Return the data dropout alone."""
        return self.policy.without_focus()

    def _own_reads(self) -> frozenset[str]:
        own = {"focus"} if self.ranking == "focus" else {"focus", "confidence"}
        return frozenset(own) | (as_judge(self.focus).reads - {"maps"})

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        focus = scores.read("focus")
        return all_but_lowest(
            self._rank(scores),
            lambda members: self._share(focus[members]),
            scores.y,
            self.class_rescue,
            self.by_class,
        )

    def _rank(self, scores: Scores) -> FloatArray:
        focus = scores.read("focus")
        match self.ranking:
            case "focus":
                return focus
            case "hard_focus":
                return (1 - scores.read("confidence")) * focus
            case _:
                raise ValueError(
                    "The 'ranking' parameter of FocusFilter must be 'focus' or "
                    f"'hard_focus'. Got {self.ranking!r} instead."
                )

    def _share(self, focus: FloatArray) -> float:
        if self.threshold == "auto":
            return as_judge(self.focus).share_doubted(focus)
        return check_share(self.threshold, "FocusFilter", also=" or 'auto'")


def _are_equal(one: Judge, other: Judge) -> bool:
    """Return whether two judges say the same."""
    return type(one) is type(other) and one.get_params() == other.get_params()
