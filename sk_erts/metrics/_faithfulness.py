"""Does the network use what the map shows? Areas for a map and for chance."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from sk_erts._lib.checks import check_count
from sk_erts._lib.typing import FloatArray
from sk_erts.metrics._curve_area import curve_area
from sk_erts.metrics._occlusion import Baseline, Predict, Target, occlude
from sk_erts.metrics._ranking import RandomState, rank_samples

__all__ = ["faithfulness"]


def faithfulness(
    predict: Predict,
    X: FloatArray,
    maps: FloatArray,
    target: Target = None,
    *,
    n_steps: int = 20,
    baseline: Baseline = 0.0,
    window: int = 1,
    n_draws: int = 3,
    batch_size: int = 256,
    random_state: RandomState = None,
) -> dict[str, FloatArray]:
    """Return how much better a map orders the samples than chance does.

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
    n_steps : int, default=20
        Number of steps from the whole record to the empty one.
    baseline : float, ndarray that broadcasts to (n_leads, n_times), or "mean", \
            default=0.0
        What a removed sample is replaced by, in the unit of `X`; "mean" is the mean of
        its lead over the record.
    window : int, default=1
        Number of neighbouring time steps whose importance is averaged, and which are
        removed together; see the notes of `deletion_curve`.
    n_draws : int, default=3
        Number of random orders that are averaged for each record.
    batch_size : int, default=256
        The most records that `predict` gets at once; it bounds the memory.
    random_state : int, RandomState instance or None, default=None
        Breaks ties, and draws random orders.

    Returns
    -------
    areas : dict of ndarray of shape (n_samples,), dtype float64
        In units of the scores:

        deletion
            Area while the most important samples go first; low is good.
        insertion
            Area while the most important samples come first; high is good.
        random
            Mean area of random orders.
        deletion_gain
            ``random - deletion``; 0 is chance, higher is better.
        insertion_gain
            ``insertion - random``; 0 is chance, higher is better.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or `predict` returns something else
        than finite scores.

    See Also
    --------
    deletion_curve, insertion_curve : The curves.

    Notes
    -----
    What counts are the gains. An area alone tells as much of the network and of the
    baseline as of the map: a network that is sure of an empty record has high areas
    whatever the map [1]_.

    With one baseline, insertion is deletion in the inverted order, read backwards.
    `insertion` is thus also the area while the least important samples go first, and
    the random orders serve both. Two numbers are left: what is lost without the
    samples that the map puts first, and what they can do alone.

    A gain is bounded by what the network allows: if every sample of a record is as
    good as any other, no map is better than chance.

    References
    ----------
    .. [1] W. Samek et al., "Evaluating the visualization of what a deep neural network
       has learned", IEEE Trans. Neural Networks and Learning Systems 28(11), 2017,
       arXiv:1509.06321.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import faithfulness
    >>> weights = np.array([[3.0], [1.0], [2.0], [0.0]])  # of one lead and one class
    >>> def predict(X):
    ...     return X[:, 0] @ weights
    >>> areas = faithfulness(
    ...     predict, np.ones((1, 1, 4)), weights.T, n_steps=4, random_state=0
    ... )
    >>> areas["deletion"].tolist(), areas["insertion"].tolist()
    ([1.75], [4.25])
    >>> bool(areas["deletion_gain"] > 0)
    True
    """
    owner = "faithfulness"
    occlusion = occlude(owner, predict, X, target, baseline, batch_size)
    check_count(owner, "n_draws", n_draws)
    rng = check_random_state(random_state)

    def area(order: str, *, insert: bool = False) -> FloatArray:
        ranking = rank_samples(
            owner, maps, occlusion.X, order=order, window=window, random_state=rng
        )
        return curve_area(*occlusion.curve(ranking, n_steps, insert=insert))

    deletion = area("descending")
    insertion = area("descending", insert=True)
    random = np.mean([area("random") for _ in range(n_draws)], axis=0)
    return {
        "deletion": deletion,
        "insertion": insertion,
        "random": random,
        "deletion_gain": random - deletion,
        "insertion_gain": insertion - random,
    }
