"""How far a record can be relied on: what was believed of its label, and its signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.selection._judge import Judge, Known
from sk_erts.selection._share import share_below
from sk_erts.selection._signal_scores import SignalScores, score_signals
from sk_erts.selection._suspicion import label_suspicion

if TYPE_CHECKING:
    from sk_erts._records.records import Records

__all__ = ["Reliability"]

# What errors call the scores of signals.
QUALITY = "The 'signal_quality' of Reliability"

# Below this another class was on average more probable by a third.
DOUBTED = 1 / 3


class Reliability(Judge):
    r"""Judge a record by its label and by its signal, instead of by a map.

    A judge for ``focus`` of `FocusFilter` and of the classifier, where its name is
    ``"reliability"``; with a quality of the signals it is given as an object. The
    label is judged by the margin :math:`m` of the class that it names in the mean
    :math:`\bar p` of the probabilities from all looks at the record, from training
    steps and scoring passes alike, and the signal by how far its quality :math:`q`
    lies below the mean of the training records, :math:`z = (\bar q - q)_+ / \sigma_q`:

    .. math:: r = \min\Big(\frac{1 + m}2, \frac1{1 + z^2}\Big), \qquad
              m = \bar p_y - \max_{c \ne y} \bar p_c .

    It is 1 minus the suspicion by which ``ERTSClassifier.audit`` ranks if it is given
    the same quality.

    Parameters
    ----------
    signal_quality : estimator, default=None
        Has ``fit(X)`` and ``score_samples(X)``, as
        :class:`~sk_erts.quality.SignalQuality` does. It is fitted on the training
        records, at most 2,048 of them, and measures each of them once, before the
        training. None leaves signals unjudged.
    label : bool, default=True
        Whether labels are judged.

    Raises
    ------
    ValueError
        On use, if neither labels nor signals are judged.

    See Also
    --------
    FocusFilter : Puts aside those with the lowest values.
    sk_erts.selection.label_suspicion, sk_erts.selection.signal_suspicion : The parts.

    Notes
    -----
    Of several labels per record the one with the least margin counts,
    :math:`m = \min_j (2 \bar p_j - 1)`, with :math:`p_j` the probability of the true
    state of label :math:`j`.

    The margin of candidates that a data dropout has looked at costs nothing; over all
    records (``data_dropout=None``) it asks for looks of its own. It is new here;
    near to it are the mean of the margins of the logits [1]_, and the filter that asks
    whether a running mean of predictions agrees with the label [2]_.

    References
    ----------
    .. [1] G. Pleiss et al., "Identifying mislabeled data using the area under the
       margin ranking", NeurIPS 2020, arXiv:2001.10528.
    .. [2] D. T. Nguyen et al., "SELF: learning to filter noisy labels with
       self-ensembling", ICLR 2020, arXiv:1910.01842.

    Examples
    --------
    Of three records of the first class, the network has mostly thought that the last
    one is of the second:

    >>> import numpy as np
    >>> from sk_erts.selection import Known, Reliability
    >>> codes = np.array([0, 0, 0])
    >>> proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    >>> Reliability().score(Known(codes, proba)).round(2).tolist()
    [0.9, 0.9, 0.2]

    The second one has a bad signal:

    >>> from sk_erts.quality import SignalQuality
    >>> both = Reliability(SignalQuality(fs=100))
    >>> known = Known(codes, proba, signal=np.array([0, 0.7, 0]))
    >>> both.score(known).round(2).tolist()
    [0.9, 0.3, 0.2]
    """

    remembers = True
    shown_as = "reliability of the record"

    def __init__(self, signal_quality: Any = None, label: bool = True) -> None:
        self.signal_quality = signal_quality
        self.label = label

    @property
    def reads(self) -> frozenset[str]:  # type: ignore[override]  # as parameters say
        """What must have been looked at before a record is judged."""
        if not self.label and self.signal_quality is None:
            raise ValueError(
                "Reliability must judge labels or signals. Got label=False and "
                "signal_quality=None: give an estimator such as SignalQuality(fs=...)."
            )
        return frozenset({"confidence"} if self.label else ())

    @property
    def softens(self) -> bool:  # type: ignore[override]  # as parameters say
        """Whether it speaks of the label alone."""
        return self.label and self.signal_quality is None

    def measure_signals(self, records: Records, rows: IntArray) -> SignalScores | None:
        """Measure the signals of the training records, if their quality counts.

        Parameters
        ----------
        records : Records
            Where they are.
        rows : int ndarray of shape (n_records,)
            Which of them.

        Returns
        -------
        signals : SignalScores or None
            What `signal_quality` says, fitted on them.
        """
        if self.signal_quality is None:
            return None
        return score_signals(self.signal_quality, records, rows, QUALITY)

    def share_doubted(self, scores: FloatArray) -> float:
        """Return the share of candidates that cannot be relied on.

        Parameters
        ----------
        scores : ndarray of shape (n_records,)
            Of the candidates, as `score` returned them.

        Returns
        -------
        share : float
            That of those below 1/3; at most 0.5.
        """
        return share_below(scores, DOUBTED)

    def _score(self, known: Known) -> FloatArray:
        suspicion: FloatArray = np.zeros(len(known.codes))
        if self.label:
            suspicion = label_suspicion(known.codes, known.proba)
        if known.signal is not None:
            suspicion = np.maximum(suspicion, known.signal)
        return 1 - suspicion
