"""Which records to train: pure functions from scores to a decision.

Progressive Data Dropout [1]_ comes in three kinds; the focus filter of ERTS goes on
top of any of them.

References
----------
.. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from sk_erts._typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._ledger import Status

__all__ = [
    "DBPD",
    "SMRD",
    "SRD",
    "KeepAll",
    "Policy",
    "Refinement",
    "Rehearsal",
    "Scores",
]


@dataclass(frozen=True)
class Scores:
    """What a policy may look at.

    Parameters
    ----------
    y : int ndarray of shape (n_records,)
        Class of each record; for several labels, its rarest one.
    epoch : int
        Epochs of selection so far, this one included: 1 in the first.
    confidence : ndarray of shape (n_records,), optional
        Probability of the true class, if the policy reads it.
    focus : ndarray of shape (n_records,), optional
        Focus score of the true class's map, if the policy reads it.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Scores
    >>> len(Scores(y=np.array([0, 1, 1]), epoch=1))
    3
    """

    y: IntArray
    epoch: int
    confidence: FloatArray | None = None
    focus: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: IntArray) -> Scores:
        """Return the scores of some of the records.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Which ones.

        Returns
        -------
        scores : Scores
            Of these alone.
        """
        return Scores(
            y=self.y[index],
            epoch=self.epoch,
            confidence=None if self.confidence is None else self.confidence[index],
            focus=None if self.focus is None else self.focus[index],
        )

    def read(self, name: str) -> FloatArray:
        """Return a score that must be there.

        Parameters
        ----------
        name : {"confidence", "focus"}
            Which score.

        Returns
        -------
        scores : ndarray of shape (n_records,)
            The scores.

        Raises
        ------
        ValueError
            If it was not measured.
        """
        scores: FloatArray | None = getattr(self, name)
        if scores is None:
            raise ValueError(
                f"The policy reads {name!r}, but it was not measured: name it in the "
                "policy's 'reads'."
            )
        return scores


class Policy(BaseEstimator):
    """Decide what is trained; the base of all policies.

    A policy of your own subclasses this, says in `reads` which scores it wants (no
    others are computed) and returns a mask from ``_keep(scores, rng)``.

    Attributes
    ----------
    reads : frozenset of {"confidence", "focus"}
        Scores that the policy looks at.
    measure : str, callable or None
        The focus measure it reads, if any.
    reason : Status
        What a record is called that the policy does not keep.

    Examples
    --------
    Keep the half of the records that the network is surest of:

    >>> import numpy as np
    >>> from sk_erts.selection import Policy, Scores, Status
    >>> class EasyHalf(Policy):
    ...     reads = frozenset({"confidence"})
    ...     reason = Status.DROPPED
    ...     def _keep(self, scores, rng):
    ...         return scores.confidence >= np.median(scores.confidence)
    >>> scores = Scores(
    ...     y=np.zeros(4, int), epoch=1, confidence=np.array([0.1, 0.9, 0.2, 0.8])
    ... )
    >>> [Status(s).label for s in EasyHalf().select(scores, np.random.default_rng(0))]
    ['dropped', 'trained', 'dropped', 'trained']
    """

    reads: frozenset[str] = frozenset()
    measure: Any = None
    reason: ClassVar[Status] = Status.DROPPED

    def select(self, scores: Scores, rng: np.random.Generator) -> IntArray:
        """Decide over some records.

        Parameters
        ----------
        scores : Scores
            Of the records.
        rng : Generator
            The only source of chance.

        Returns
        -------
        status : int8 ndarray of shape (n_records,)
            ``Status.TRAINED`` for those to train, else why not.

        Raises
        ------
        ValueError
            If the mask of a policy has the wrong shape or type.
        """
        kept = np.asarray(self._keep(scores, rng))
        if kept.shape != (len(scores),) or kept.dtype != bool:
            raise ValueError(
                f"{type(self).__name__}._keep must return a boolean mask of shape "
                f"({len(scores)},). Got {kept.dtype} of shape {kept.shape} instead."
            )
        return np.where(kept, Status.TRAINED, self.reason).astype(np.int8)

    def without_focus(self) -> Policy:
        """Return the policy for the epochs before the focus filter sets in."""
        return self

    @abstractmethod
    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        """Return which records to keep, bool of shape (n_records,)."""


class Refinement(Policy):
    """Decide anew over some of the records, by what another policy says of them.

    Parameters
    ----------
    policy : Policy
        Is asked first.

    Attributes
    ----------
    decides_over : Status
        The records that the other policy gives this status.

    Examples
    --------
    >>> from sk_erts.selection import FocusFilter, Rehearsal
    >>> FocusFilter.decides_over.label, Rehearsal.decides_over.label
    ('trained', 'easy')
    """

    decides_over: ClassVar[Status]

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @property
    def reads(self) -> frozenset[str]:  # type: ignore[override]  # asks `policy` too
        """Scores that this policy and the one below it look at."""
        return self.policy.reads | self._own_reads()

    @property
    def measure(self) -> Any:
        """The focus measure that is read, if any."""
        return self.policy.measure

    def select(self, scores: Scores, rng: np.random.Generator) -> IntArray:
        """Decide over some records.

        Parameters
        ----------
        scores : Scores
            Of the records.
        rng : Generator
            The only source of chance.

        Returns
        -------
        status : int8 ndarray of shape (n_records,)
            ``Status.TRAINED`` for those to train, else why not.
        """
        status = self.policy.select(scores, rng)
        members = np.flatnonzero(status == self.decides_over)
        status[members] = super().select(scores.take(members), rng)
        return status

    def _own_reads(self) -> frozenset[str]:
        """Return the scores that this policy itself looks at."""
        return frozenset()


class KeepAll(Policy):
    """Train everything: full data.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import KeepAll, Scores
    >>> scores = Scores(y=np.zeros(3, int), epoch=1)
    >>> KeepAll().select(scores, np.random.default_rng(0)).tolist()
    [1, 1, 1]
    """

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        return np.ones(len(scores), dtype=bool)


class DBPD(Policy):
    r"""Difficulty-based progressive dropout: train what is not learned yet.

    Keeps :math:`\{x : p_t(x) < \tau\}`, with :math:`p_t(x)` the probability of the
    true class [1]_.

    Parameters
    ----------
    threshold : float, default=0.3
        The confidence :math:`\tau` from which on a record is easy.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import DBPD, Scores
    >>> scores = Scores(
    ...     y=np.zeros(3, int), epoch=1, confidence=np.array([0.1, 0.3, 0.8])
    ... )
    >>> DBPD(threshold=0.3).select(scores, np.random.default_rng(0)).tolist()
    [1, 2, 2]
    """

    reads = frozenset({"confidence"})
    reason = Status.EASY

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold = threshold

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        return _below(scores, self)


class SMRD(Policy):
    """Schedule-matched random dropout: as many as `DBPD` keeps, at random.

    Parameters
    ----------
    threshold : float, default=0.3
        The threshold of the `DBPD` that it is matched to.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import SMRD, Scores
    >>> scores = Scores(
    ...     y=np.zeros(3, int), epoch=1, confidence=np.array([0.1, 0.3, 0.8])
    ... )
    >>> int((SMRD(0.5).select(scores, np.random.default_rng(0)) == 1).sum())
    2
    """

    reads = frozenset({"confidence"})

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold = threshold

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        n_kept = int(_below(scores, self).sum())
        return _random_mask(len(scores), n_kept, rng)


class SRD(Policy):
    r"""Scalar random dropout: a random share that shrinks from epoch to epoch.

    Keeps the share :math:`d^t` in the `t`-th epoch of selection [1]_.

    Parameters
    ----------
    decay : float, default=0.98
        The factor `d`.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import SRD, Scores
    >>> scores = Scores(y=np.zeros(100, int), epoch=10)
    >>> int((SRD(0.98).select(scores, np.random.default_rng(0)) == 1).sum())
    82
    """

    def __init__(self, decay: float = 0.98) -> None:
        self.decay = decay

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        n_kept = round(len(scores) * self.decay**scores.epoch)
        return _random_mask(len(scores), n_kept, rng)


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
        return _random_mask(len(scores), n_kept, rng)


def _below(scores: Scores, policy: DBPD | SMRD) -> BoolArray:
    """Return which records are below the threshold of a policy."""
    threshold: Any = policy.threshold
    if not isinstance(threshold, Real):
        raise ValueError(
            f"The 'threshold' parameter of {type(policy).__name__} must be a number. "
            f"Got {threshold!r} instead."
        )
    return np.asarray(scores.read("confidence") < float(threshold))


def _random_mask(n: int, n_true: int, rng: np.random.Generator) -> BoolArray:
    mask = np.zeros(n, dtype=bool)
    mask[rng.permutation(n)[:n_true]] = True
    return mask
