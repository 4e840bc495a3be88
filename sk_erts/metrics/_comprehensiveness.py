"""What is lost without the samples that a map puts first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.metrics._occlusion import Baseline, Predict, Target, occlude
from sk_erts.metrics._ranking import RandomState, rank_samples
from sk_erts.metrics._steps import block_shares

__all__ = ["comprehensiveness"]


def comprehensiveness(
    predict: Predict,
    X: FloatArray,
    maps: FloatArray,
    target: Target = None,
    *,
    share: float | Sequence[float] = 0.1,
    baseline: Baseline = 0.0,
    window: int = 1,
    batch_size: int = 256,
    random_state: RandomState = None,
) -> FloatArray:
    r"""Return the drop of the score when the most important samples are removed.

    .. math:: c = \operatorname{mean}_{q}\; s(x) - s(x \setminus \text{top}_q)

    Defined in [1]_ for words of a text.

    Parameters
    ----------
    predict : callable
        From records of shape (k, n_leads, n_times) to scores of shape (k, n_classes),
        such as ``clf.predict_proba``.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that `predict` wants.
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        How important each sample is, higher is more; signed maps are ordered by
        value. A map over time removes all leads at once.
    target : int or int ndarray of shape (n_samples,), optional
        Column of the scores that is explained, one for all records or one for each;
        by default the highest of each record.
    share : float or sequence of float, default=0.1
        Share of the record that is removed, above 0 and up to 1, at least one sample;
        over several the drop is averaged.
    baseline : float, ndarray of shape (n_leads, n_times) or "mean", default=0.0
        What a removed sample is replaced by, in the unit of `X`; "mean" is the mean of
        its lead over the record.
    window : int, default=1
        Number of neighbouring time steps whose importance is averaged, and which are
        removed together; see the notes of `deletion_curve`.
    batch_size : int, default=256
        The most records that `predict` gets at once; it bounds the memory.
    random_state : int, RandomState instance or None, default=None
        Breaks ties.

    Returns
    -------
    drops : ndarray of shape (n_samples,), dtype float64
        In units of the scores, for probabilities between -1 and 1; high is good.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or `predict` returns something else
        than finite scores.

    See Also
    --------
    sufficiency : The drop when only these samples are kept.

    Notes
    -----
    The mean over several shares is the area over the perturbation curve of [1]_,
    but for its term of an empty share, which is always 0 and is left out.

    A drop has no scale of its own: compare it with that of a random map.

    References
    ----------
    .. [1] J. DeYoung et al., "ERASER: A benchmark to evaluate rationalized NLP
       models", ACL 2020, arXiv:1911.03429.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import comprehensiveness
    >>> weights = np.array([[3.0], [1.0], [2.0], [0.0]])  # of one lead and one class
    >>> def predict(X):
    ...     return X[:, 0] @ weights
    >>> X = np.ones((1, 1, 4))
    >>> comprehensiveness(predict, X, weights.T, share=0.25).tolist()
    [3.0]
    >>> comprehensiveness(predict, X, weights.T, share=[0.25, 0.5]).tolist()
    [4.0]
    """
    owner = "comprehensiveness"
    occlusion = occlude(owner, predict, X, target, baseline, batch_size)
    ranking = rank_samples(
        owner, maps, occlusion.X, window=window, random_state=random_state
    )
    removed = np.append(0, block_shares(owner, share, ranking.n_blocks))
    scores = occlusion.scores(ranking, np.zeros_like(removed), removed)
    drops: FloatArray = scores[:, 0] - scores[:, 1:].mean(axis=1)
    return drops
