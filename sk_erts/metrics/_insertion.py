"""What happens to a score while samples are put into an empty record."""

from __future__ import annotations

from sk_erts._lib.typing import FloatArray
from sk_erts.metrics._occlusion import Baseline, Predict, Target, occlude
from sk_erts.metrics._ranking import RandomState, rank_samples

__all__ = ["insertion_curve"]


def insertion_curve(
    predict: Predict,
    X: FloatArray,
    maps: FloatArray,
    target: Target = None,
    *,
    n_steps: int = 20,
    baseline: Baseline = 0.0,
    order: str = "descending",
    window: int = 1,
    batch_size: int = 256,
    random_state: RandomState = None,
) -> tuple[FloatArray, FloatArray]:
    """Return scores while samples are put into empty records step by step.

    If a map is true, the score rises at once when the most important samples come
    first [1]_.

    Parameters
    ----------
    predict : callable
        From records of shape (k, n_leads, n_times) to scores of shape (k, n_classes),
        such as ``clf.predict_proba``.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that `predict` wants.
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        How important each sample is, higher is more; signed maps are ordered by
        value. A map over time puts in all leads at once.
    target : int or int ndarray of shape (n_samples,), optional
        Column of the scores that is explained, one for all records or one for each;
        by default the highest of each whole record.
    n_steps : int, default=20
        Number of steps from the empty record to the whole one.
    baseline : float, ndarray that broadcasts to (n_leads, n_times), or "mean", \
            default=0.0
        What stands for a sample that is not there yet, in the unit of `X`; "mean" is
        the mean of its lead over the record.
    order : {"descending", "ascending", "random"}, default="descending"
        Whether the most or the least important samples come first, or any.
    window : int, default=1
        Number of neighbouring time steps whose importance is averaged, and which come
        together; see the notes of `deletion_curve`.
    batch_size : int, default=256
        The most records that `predict` gets at once; it bounds the memory.
    random_state : int, RandomState instance or None, default=None
        Breaks ties, and draws random orders.

    Returns
    -------
    fractions : ndarray of shape (n_steps + 1,), dtype float64
        Share of the record that is there, from 0 to 1.
    scores : ndarray of shape (n_samples, n_steps + 1), dtype float64
        Scores of the explained class.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or `predict` returns something else
        than finite scores.

    See Also
    --------
    deletion_curve : The same from a whole record.
    curve_area : The area under such a curve.

    Notes
    -----
    With the same baseline, insertion is deletion in the opposite order, read backwards:
    to have put in the most important tenth is to have removed the other nine. The two
    differ only if they start from different baselines, as in [1]_.

    References
    ----------
    .. [1] V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized input sampling for
       explanation of black-box models", BMVC 2018, arXiv:1806.07421.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import insertion_curve
    >>> weights = np.array([[3.0], [1.0], [2.0], [0.0]])  # of one lead and one class
    >>> def predict(X):
    ...     return X[:, 0] @ weights
    >>> X = np.ones((1, 1, 4))
    >>> insertion_curve(predict, X, weights.T, n_steps=4)[1].tolist()
    [[0.0, 3.0, 5.0, 6.0, 6.0]]
    """
    owner = "insertion_curve"
    occlusion = occlude(owner, predict, X, target, baseline, batch_size)
    ranking = rank_samples(
        owner,
        maps,
        occlusion.X,
        order=order,
        window=window,
        random_state=random_state,
    )
    return occlusion.curve(ranking, n_steps, insert=True)
