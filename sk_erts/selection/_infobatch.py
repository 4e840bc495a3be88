"""InfoBatch: leave out some of the well learned, and let the others stand for them."""

from __future__ import annotations

import numpy as np

from sk_erts._lib.typing import BoolArray, FloatArray, IntArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Scores, random_share
from sk_erts.selection._rounding import below_mean
from sk_erts.selection._share import check_share

__all__ = ["InfoBatch"]

# Of a confidence that is zero to the last bit, the loss is that of this one.
MIN_CONFIDENCE = float(np.finfo(np.float32).tiny)


class InfoBatch(Policy):
    r"""Leave out a random share of the records of small loss; the others weigh more.

    A record of confidence :math:`p` has the loss :math:`\ell = -\log p`. Those below
    the mean loss of the records at hand are easy; each of them is left out with the
    chance :math:`r`, and weighs

    .. math:: w = \frac1{1 - r}

    in the loss if it is not [1]_. So the expected gradient is that of all records,
    which the selection of hard ones alone would not be.

    Parameters
    ----------
    share : float, default=0.5
        The share :math:`r` of the easy records that is left out.

    Raises
    ------
    ValueError
        On use, if `share` is no number in [0, 1).

    See Also
    --------
    Rehearsal : The same of what any data dropout calls easy, and with a weight of
        one's choice. It should not be put around this: there is one weight for all
        that are rehearsed.

    Notes
    -----
    Easy records that are trained are called rehearsed. None is added to fill the last
    batch of an epoch, which would weigh too much. How many are left out is rounded at
    random, so that the expectation is exact in every interval. Records of equal loss
    are none of them below the mean, however it is rounded.

    The original ends with some epochs on all data, an eighth of the training: give
    ``revision_epochs``. It takes a record's loss from its latest training step;
    ``looks__reuse_scores`` does so where that is one epoch old.

    References
    ----------
    .. [1] Z. Qin et al., "InfoBatch: lossless training speed up by unbiased dynamic
       data pruning", ICLR 2024, arXiv:2303.04947.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import InfoBatch, Scores, Status
    >>> policy = InfoBatch(share=0.5)
    >>> scores = Scores(
    ...     y=np.zeros(5, int), epoch=1, confidence=np.array([0.1, 0.9, 0.9, 0.8, 0.8])
    ... )
    >>> status = policy.select(scores, np.random.default_rng(0))
    >>> [Status(s).label for s in status]
    ['trained', 'easy', 'easy', 'rehearsed', 'rehearsed']
    >>> policy.loss_weights(status[[0, 3, 4]]).tolist()
    [1.0, 2.0, 2.0]
    """

    reads = frozenset({"confidence"})
    reason = Status.EASY

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

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
            ``Status.TRAINED`` for the hard, ``REHEARSED`` or ``EASY`` for the others.
        """
        status = super().select(scores, rng)
        easy = np.flatnonzero(status == Status.EASY)
        status[easy[random_share(len(easy), 1 - self._left_out(), rng)]] = (
            Status.REHEARSED
        )
        return status

    def loss_weights(self, status: IntArray) -> FloatArray:
        """Return what records weigh in the loss: more, if they stand for others.

        Parameters
        ----------
        status : int8 ndarray of shape (n_records,)
            As `select` returned it.

        Returns
        -------
        weights : float32 ndarray of shape (n_records,)
            ``1 / (1 - share)`` for the rehearsed, 1 for all others.
        """
        weights = super().loss_weights(status)
        weights[status == Status.REHEARSED] = 1 / (1 - self._left_out())
        return weights

    def _left_out(self) -> float:
        return check_share(self.share, "InfoBatch", "share")

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        """Return which records are hard, bool of shape (n_records,)."""
        confidence = scores.read("confidence").astype(np.float64)
        return ~below_mean(-np.log(np.maximum(confidence, MIN_CONFIDENCE)))
