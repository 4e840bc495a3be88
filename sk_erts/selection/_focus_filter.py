"""The reliability filter of ERTS: of the hard records, train the focused ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._typing import BoolArray, FloatArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Refinement, Scores

__all__ = ["FocusFilter", "share_below_gap"]

MIN_CANDIDATES_FOR_GAP = 20
MIN_SEPARATION = 0.8
MAX_AUTO_SHARE = 0.5


class FocusFilter(Refinement):
    r"""Put aside the candidates whose map of the true class is least focused.

    The candidates are what another policy keeps. Of :math:`n` of them the
    :math:`\lfloor n\,\theta \rfloor` with the lowest focus are taken for noise [1]_.

    Parameters
    ----------
    policy : Policy
        The data dropout that gives the candidates.
    focus : str or callable, default="top_mass"
        Name of a focus measure or a function from signed maps (n, times) to scores.
    threshold : float or "auto", default=0.2
        Share :math:`\theta` of the candidates that is put aside. ``"auto"`` cuts at
        a gap in the distribution of the focus; where there is none, nothing is put
        aside, and never more than half.
    ranking : {"focus", "hard_focus"}, default="focus"
        Rank by the focus, or by ``(1 - confidence) * focus`` as the authors' released
        code does.
    class_rescue : bool, default=True
        Let a class that would lose all its candidates keep its best one.

    Raises
    ------
    ValueError
        On use, if `threshold` or `ranking` is none of the above.

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
    reason = Status.UNRELIABLE

    def __init__(
        self,
        policy: Policy,
        focus: Any = "top_mass",
        threshold: float | str = 0.2,
        ranking: str = "focus",
        class_rescue: bool = True,
    ) -> None:
        self.policy = policy
        self.focus = focus
        self.threshold = threshold
        self.ranking = ranking
        self.class_rescue = class_rescue

    @property
    def measure(self) -> Any:
        """The focus measure."""
        return self.focus

    def without_focus(self) -> Policy:
        """Return the data dropout alone."""
        return self.policy.without_focus()

    def _own_reads(self) -> frozenset[str]:
        return frozenset(
            {"focus"} if self.ranking == "focus" else {"focus", "confidence"}
        )

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        rank = self._rank(scores)
        share = self._share(scores.read("focus"))
        n_aside = int(share * len(scores) + 1e-9)  # 0.29 * 100 is 28.999...
        kept = np.ones(len(scores), dtype=bool)
        kept[np.argsort(rank, kind="stable")[:n_aside]] = False
        if self.class_rescue:
            for label in np.setdiff1d(scores.y, scores.y[kept]):
                members = np.flatnonzero(scores.y == label)
                kept[members[rank[members].argmax()]] = True
        return kept

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
        if isinstance(self.threshold, str):
            if self.threshold != "auto":
                raise ValueError(
                    "The 'threshold' parameter of FocusFilter must be a number in "
                    f"[0, 1) or 'auto'. Got {self.threshold!r} instead."
                )
            return share_below_gap(focus)
        if not 0 <= self.threshold < 1:
            raise ValueError(
                "The 'threshold' parameter of FocusFilter must be a number in [0, 1) "
                f"or 'auto'. Got {self.threshold!r} instead."
            )
        return self.threshold


def share_below_gap(focus: FloatArray) -> float:
    r"""Return the share of records below a gap in the focus, 0 if there is none.

    Otsu's cut [1]_ divides the scores in two groups so that the variance between
    them is greatest. They count as two only if that variance is at least 0.8 of the
    whole: it is :math:`2/\pi = 0.64` for a normal distribution, 0.75 for a uniform
    one, and nears 1 for two narrow peaks.

    Parameters
    ----------
    focus : ndarray of shape (n_records,)
        Focus scores.

    Returns
    -------
    share : float
        At most 0.5; 0 for fewer than 20 records.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE
       Trans. SMC 9(1), 1979, 10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import share_below_gap
    >>> share_below_gap(np.r_[np.full(10, 0.2), np.full(40, 0.8)])
    0.2
    >>> share_below_gap(np.linspace(0, 1, 50))
    0.0
    """
    n = len(focus)
    if n < MIN_CANDIDATES_FOR_GAP:
        return 0.0
    spread = focus.var() * n
    if spread <= 0:
        return 0.0
    deviations = np.cumsum(np.sort(focus) - focus.mean())[:-1]
    n_low = np.arange(1, n)
    between = deviations**2 * n / (n_low * (n - n_low))
    best = int(between.argmax())
    if between[best] < MIN_SEPARATION * spread:
        return 0.0
    return min(float(n_low[best] / n), MAX_AUTO_SHARE)
