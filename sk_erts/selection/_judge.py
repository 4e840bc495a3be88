"""By what candidates are judged: the protocol of all judges."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts.selection._gap import share_below_gap
from sk_erts.selection._signal_scores import SignalScores

if TYPE_CHECKING:
    from sk_erts._records.records import Records

__all__ = ["Judge", "Known"]


@dataclass(frozen=True)
class Known:
    """What is known of some records when they are judged.

    Parameters
    ----------
    codes : ndarray of shape (n_records,) or (n_records, n_labels)
        Class index of each label, or an indicator matrix of several labels.
    proba : ndarray of shape (n_records, n_classes)
        Probabilities of the classes, or labels: of this look for a judge that reads
        maps, else the mean over all looks so far; of new records, by the network as
        it is.
    maps : ndarray of shape (n_records, n_times), optional
        Signed maps, for a judge that reads them.
    signal : ndarray of shape (n_records,), optional
        Suspicion of the signals in [0, 1], for a judge that measures them.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import Known
    >>> Known(np.array([1]), np.array([[0.2, 0.8]])).signal is None
    True
    """

    codes: Array
    proba: FloatArray
    maps: FloatArray | None = None
    signal: FloatArray | None = None


class Judge(BaseEstimator, ABC):
    """Say how far records can be relied on; the base of all judges.

    A judge of your own subclasses this, says in `reads` what it looks at, and returns
    one number per record from ``_score(known)``. It is given to the classifier, or
    to :class:`~sk_erts.selection.FocusFilter`, as ``focus``.

    Attributes
    ----------
    reads : frozenset of {"confidence", "maps"}
        ``"maps"`` judges the map of each look, as soon as it is made. Otherwise what
        all looks said is judged whenever candidates are: ``"confidence"`` asks that
        records due for a look are looked at before.
    against_rival : bool
        Whether maps are those of the label against its strongest rival, instead of
        those of the label.
    averaged : bool
        Whether the score of a map counts as the mean over all looks at the record,
        instead of the latest.
    remembers : bool
        Whether it judges by earlier epochs, so that records which are new to
        ``partial_fit`` cannot be judged yet.
    softens : bool
        Whether the score is a degree of belief in the label, so that the classifier
        by default softens what is doubted instead of putting the record aside.
    shown_as : str
        What figures write beside its axis.

    See Also
    --------
    Reliability : The judge that is the default.
    FocusFilter : Puts aside the records with the lowest scores.

    Examples
    --------
    Rely on records whose evidence is for the label most of the time:

    >>> import numpy as np
    >>> from sk_erts.selection import Judge, Known
    >>> class Support(Judge):
    ...     reads = frozenset({"maps"})
    ...     against_rival = True
    ...     averaged = True
    ...     shown_as = "share of the record that speaks for the label"
    ...
    ...     def _score(self, known):
    ...         return (known.maps > 0).mean(axis=1)
    >>> maps = np.array([[0.5, 0.1, -0.2, 0.3]])
    >>> known = Known(np.array([0]), np.array([[0.6, 0.4]]), maps=maps)
    >>> Support().score(known).tolist()
    [0.75]
    """

    reads: frozenset[str] = frozenset()
    against_rival: ClassVar[bool] = False
    averaged: ClassVar[bool] = False
    remembers: ClassVar[bool] = False
    softens: ClassVar[bool] = False
    shown_as: str = "score of the judge"

    @property
    def reads_maps(self) -> bool:
        """Whether it judges the maps of single looks."""
        return "maps" in self.reads

    def score(self, known: Known) -> FloatArray:
        """Return how far records can be relied on.

        Parameters
        ----------
        known : Known
            What is known of them.

        Returns
        -------
        scores : ndarray of shape (n_records,)
            Higher is better.

        Raises
        ------
        ValueError
            If there is not one number for each record, or one is NaN.
        """
        scores = np.asarray(self._score(known))
        n = len(known.codes)
        if scores.shape != (n,) or np.isnan(scores).any():
            raise ValueError(
                f"{self._described()} must return {n} numbers, one per record, and no "
                f"NaN. Got shape {scores.shape} with {np.isnan(scores).sum()} NaN "
                "instead."
            )
        return scores

    def measure_signals(self, records: Records, rows: IntArray) -> SignalScores | None:
        """Measure the signals of the training records, once, before the training.

        Parameters
        ----------
        records : Records
            Where they are.
        rows : int ndarray of shape (n_records,)
            Which of them.

        Returns
        -------
        signals : SignalScores or None
            None, unless the judge asks for it.
        """
        return None

    def share_doubted(self, scores: FloatArray) -> float:
        """Return the share of candidates that ``threshold="auto"`` puts aside.

        Parameters
        ----------
        scores : ndarray of shape (n_records,)
            Of the candidates, as `score` returned them.

        Returns
        -------
        share : float
            That of the lower of two groups of scores; 0 if there is but one.
        """
        return share_below_gap(scores)

    def doubt(self, scores: FloatArray) -> FloatArray:
        """Return by how much labels are softened where ``doubt="soften"``.

        Parameters
        ----------
        scores : ndarray of shape (n_records,)
            As `score` returned them.

        Returns
        -------
        doubt : ndarray of shape (n_records,)
            1 minus the score, in [0, 1]: 0 leaves the label, 1 takes what all looks
            said in its place.
        """
        doubt: FloatArray = (1 - scores).clip(0, 1)
        return doubt

    def _described(self) -> str:
        """Return what errors call it."""
        return f"The judge {type(self).__name__} of 'focus'"

    @abstractmethod
    def _score(self, known: Known) -> Any:
        """Return one number per record, of shape (n_records,)."""
