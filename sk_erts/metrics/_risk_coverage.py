"""How often decisions are wrong, if the most uncertain are left to a reader."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sk_erts._lib.checks import as_numbers, refuse
from sk_erts.metrics._predictions import check_predictions

__all__ = ["risk_coverage"]


def risk_coverage(
    y: Any, proba: Any, uncertainty: Any = None, *, labels: Any = None
) -> Bunch:
    r"""Return how often decisions are wrong, by how many of the records are decided.

    The most certain records are decided first; the rest is left to a reader.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        The class of each record; of several labels, zeros and ones.
    proba : array-like of shape (n_samples, n_classes)
        Probabilities, such as ``clf.predict_proba(X)``; they decide.
    uncertainty : array-like of shape (n_samples,), optional
        How uncertain each decision is, in any unit; by default the probability that it
        is wrong, as `proba` has it.
    labels : array-like of shape (n_classes,), optional
        The class of each column, such as ``clf.classes_``; by default those of `y`,
        sorted.

    Returns
    -------
    curve : :class:`~sklearn.utils.Bunch`
        With the attributes:

        coverage : ndarray of shape (n_thresholds,), dtype float64
            Share of the records that are decided, rising to 1.
        risk : ndarray of shape (n_thresholds,), dtype float64
            Share of the decisions that are wrong; low is good.
        threshold : ndarray of shape (n_thresholds,)
            Uncertainty up to which records are decided, rising. Records of the same
            uncertainty are decided together.
        area : float
            Mean risk over all coverages; low is good.
        best_area : float
            That of an uncertainty that puts all wrong decisions last.
        error : float
            Risk where all are decided, which is also the area by chance.

    Raises
    ------
    ValueError
        If an argument is not what it must be.

    See Also
    --------
    sk_erts.plotting.RiskCoverageDisplay : Draw the curve.
    expected_calibration_error : Whether probabilities are frequencies.

    Notes
    -----
    With the records in the order of their uncertainty and :math:`e_i` 1 where the
    decision on record :math:`i` is wrong, the risk at the coverage :math:`k / n` is
    :math:`r_k = \frac1k \sum_{i \le k} e_i` [1]_, and the area [2]_
    :math:`\frac1n \sum_k r_k`; records of the same uncertainty share what they bring.
    Of several labels :math:`e_i` is the share of labels that one half decides wrongly,
    and the default uncertainty the mean of :math:`\min(p, 1 - p)` over them.

    The area falls with the error alone: compare it with `error` and `best_area`.

    References
    ----------
    .. [1] Y. Geifman, R. El-Yaniv, "Selective classification for deep neural
       networks", NeurIPS 2017, arXiv:1705.08500.
    .. [2] Y. Geifman, G. Uziel, R. El-Yaniv, "Bias-reduced uncertainty estimation for
       deep neural classifiers", ICLR 2019, arXiv:1805.08206.

    Examples
    --------
    >>> from sk_erts.metrics import risk_coverage
    >>> y = ["AFIB", "NORM", "NORM", "AFIB"]
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    >>> curve = risk_coverage(y, proba)
    >>> curve.coverage.tolist()
    [0.25, 0.5, 0.75, 1.0]
    >>> curve.risk.round(2).tolist()
    [0.0, 0.0, 0.33, 0.5]
    >>> round(curve.area, 3), round(curve.best_area, 3), curve.error
    (0.208, 0.208, 0.5)
    """
    owner = "risk_coverage"
    predictions = check_predictions(owner, y, proba, labels)
    wrong = predictions.wrong()
    doubt = predictions.doubt()
    if uncertainty is not None:
        doubt = as_numbers(owner, "uncertainty", uncertainty, "(n_samples,)")
        if len(doubt) != len(wrong):
            wanted = f"hold one value for each of the {len(wrong)} records"
            refuse(owner, "uncertainty", wanted, str(len(doubt)))
    # Classes of ties, from the most certain on.
    threshold, tie, n_tied = np.unique(doubt, return_inverse=True, return_counts=True)
    n_decided = np.cumsum(n_tied)
    of_ties = np.bincount(tie.ravel(), wrong)
    risk = np.cumsum(of_ties) / n_decided
    return Bunch(
        coverage=n_decided / len(wrong),
        risk=risk,
        threshold=threshold,
        area=_area((of_ties / n_tied)[np.sort(tie.ravel())]),
        best_area=_area(np.sort(wrong)),
        error=float(risk[-1]),
    )


def _area(wrong: Any) -> float:
    """Return the mean risk over all coverages, given errors in order."""
    return float(np.mean(np.cumsum(wrong) / np.arange(1, len(wrong) + 1)))
