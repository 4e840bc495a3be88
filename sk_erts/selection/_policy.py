"""What a policy is: a pure function from scores to a decision on each record."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._judge import Judge
from sk_erts.selection._ledger import Status

__all__ = ["Policy", "Refinement", "Scores", "random_mask", "random_share"]

Measure = Callable[[IntArray], FloatArray]


class Scores:
    """What a policy may look at.

    Parameters
    ----------
    y : int ndarray of shape (n_records,)
        Class of each record; for several labels, its rarest one.
    epoch : int
        Epochs of selection so far, this one included: 1 in the first.
    confidence : ndarray of shape (n_records,) or callable, optional
        Probability of the true class, if the policy reads it. A function of the
        positions (n,) that returns their scores is called when they are read, so that
        nobody is measured of whom nothing is asked.
    focus : ndarray of shape (n_records,) or callable, optional
        What the judge says of the record, if the policy reads it, likewise.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Scores
    >>> scores = Scores(np.array([0, 1, 1]), 1, confidence=lambda index: index / 10)
    >>> len(scores)
    3
    >>> scores.take(np.array([2])).confidence.tolist()
    [0.2]
    """

    def __init__(
        self,
        y: IntArray,
        epoch: int,
        confidence: FloatArray | Measure | None = None,
        focus: FloatArray | Measure | None = None,
    ) -> None:
        self.y = y
        self.epoch = epoch
        self._scores = {"confidence": confidence, "focus": focus}

    def __len__(self) -> int:
        return len(self.y)

    @property
    def confidence(self) -> FloatArray | None:
        """Probability of the true class, of shape (n_records,)."""
        return self._measured("confidence")

    @property
    def focus(self) -> FloatArray | None:
        """What the judge says, of shape (n_records,)."""
        return self._measured("focus")

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
        parts = {
            name: _of_some(scores, index) if callable(scores) else scores[index]
            for name, scores in self._scores.items()
            if scores is not None
        }
        return Scores(self.y[index], self.epoch, **parts)

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
        scores = self._measured(name)
        if scores is None:
            raise ValueError(
                f"The policy reads {name!r}, but it was not measured: name it in the "
                "policy's 'reads'."
            )
        return scores

    def _measured(self, name: str) -> FloatArray | None:
        scores = self._scores[name]
        if callable(scores):
            scores = self._scores[name] = scores(np.arange(len(self)))
        return scores


def _of_some(measure: Measure, index: IntArray) -> Measure:
    """Return a measure that counts positions among some of the records."""
    return lambda which: measure(index[which])


class Policy(BaseEstimator):
    """Decide what is trained; the base of all policies.

    A policy of your own subclasses this, says in `reads` which scores it wants (no
    others are computed) and returns a mask from ``_keep(scores, rng)``.

    Attributes
    ----------
    reads : frozenset of {"confidence", "focus"}
        Scores that the policy looks at.
    judge : Judge or None
        What gives the focus that it reads; None is the paper's measure of the map.
    phase : str
        What figures call the epochs in which it rules.
    rehearses : bool
        Whether easy records may be trained too, in any number.
    reason : Status
        What a record is called that the policy does not keep.
    accepted : Status
        What one is called that it keeps.

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
    judge: Judge | None = None
    phase: str = "selection"
    rehearses: bool = False
    reason: ClassVar[Status] = Status.DROPPED
    accepted: ClassVar[Status] = Status.TRAINED

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
            ``Status.TRAINED`` (or ``REHEARSED``) for those to train, else why not.

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
        return np.where(kept, self.accepted, self.reason).astype(np.int8)

    def without_focus(self) -> Policy:
        """Return the policy for the epochs before the focus filter sets in."""
        return self

    def loss_weights(self, status: IntArray) -> FloatArray:
        """Return what records weigh in the loss, for what they were called.

        Parameters
        ----------
        status : int8 ndarray of shape (n_records,)
            As `select` returned it.

        Returns
        -------
        weights : float32 ndarray of shape (n_records,)
            1 for all, but for policies that keep some records in place of others.
        """
        return np.ones(len(status), dtype=np.float32)

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
    def judge(self) -> Judge | None:  # type: ignore[override]  # asks `policy`
        """What gives the focus that is read."""
        return self.policy.judge

    @property
    def phase(self) -> str:  # type: ignore[override]  # asks `policy`
        """What figures call the epochs in which it rules."""
        return self.policy.phase

    @property
    def rehearses(self) -> bool:  # type: ignore[override]  # asks `policy`
        """Whether easy records may be trained too, in any number."""
        return self.policy.rehearses

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

    def loss_weights(self, status: IntArray) -> FloatArray:
        """Return what records weigh in the loss: what the other policy says.

        Parameters
        ----------
        status : int8 ndarray of shape (n_records,)
            As `select` returned it.

        Returns
        -------
        weights : float32 ndarray of shape (n_records,)
            As those of `policy`.
        """
        return self.policy.loss_weights(status)

    def _own_reads(self) -> frozenset[str]:
        """Return the scores that this policy itself looks at."""
        return frozenset()


def random_mask(n: int, n_true: int, rng: np.random.Generator) -> BoolArray:
    """Return a mask of length `n` with `n_true` True, drawn at random."""
    mask = np.zeros(n, dtype=bool)
    mask[rng.permutation(n)[:n_true]] = True
    return mask


def random_share(n: int, share: float, rng: np.random.Generator) -> BoolArray:
    """Return a mask of length `n` in which each is True with the chance `share`.

    The number of True is rounded at random: small intervals keep their share, too.
    """
    return random_mask(n, int(n * share + rng.random()), rng)
