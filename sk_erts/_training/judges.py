"""Judge the records of a training by what is known of them, instead of by a map."""

from __future__ import annotations

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.records import TrainingSet
from sk_erts.selection._ledger import Ledger
from sk_erts.selection._reliability import Reliability
from sk_erts.selection._signal_scores import SignalScores, score_signals
from sk_erts.selection._suspicion import signal_suspicion

__all__ = ["Judge"]


class Judge:
    """Say how far records of the training set can be relied on.

    Parameters
    ----------
    reliability : Reliability
        The measure.
    training_set : TrainingSet
        Its signals are measured here and now, if the measure asks for it.
    ledger : Ledger
        Knows what all looks at a record said.

    Attributes
    ----------
    signals : SignalScores or None
        The quality of all signals.

    Raises
    ------
    ValueError
        If the measure judges nothing, or its estimator gives no score for each record.
    """

    def __init__(
        self,
        reliability: Reliability,
        training_set: TrainingSet,
        ledger: Ledger,
    ) -> None:
        self.reliability = reliability
        self.reads = reliability.reads
        self._codes = training_set.codes
        self._ledger = ledger
        self.signals: SignalScores | None = None
        self._suspicion: FloatArray | None = None
        if reliability.signal_quality is not None:
            self.signals = score_signals(
                reliability.signal_quality,
                training_set.records,
                training_set.rows,
                "The 'signal_quality' of Reliability",
            )
            self._suspicion = signal_suspicion(self.signals.scores)

    def __call__(self, index: IntArray) -> FloatArray:
        """Return the reliability of records that have been looked at.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.

        Returns
        -------
        reliability : ndarray of shape (n,)
            Higher is better.
        """
        suspicion = None if self._suspicion is None else self._suspicion[index]
        return self.reliability.score(
            self._codes[index], self._ledger.mean_proba(index), suspicion
        )
