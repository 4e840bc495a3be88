"""The share of records of which all labels are right."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._lib.checks import as_numbers, refuse
from sk_erts._lib.typing import Array

__all__ = ["subset_accuracy"]


def subset_accuracy(y_true: Any, y_pred: Any) -> float:
    r"""Return the share of records of which every label is right.

    Parameters
    ----------
    y_true : array-like of zeros and ones of shape (n_samples, n_labels)
        Which labels each record has.
    y_pred : array-like of the shape of `y_true`
        Which it was given, such as ``clf.predict(X)``.

    Returns
    -------
    accuracy : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an argument holds anything but zeros and ones, or the shapes differ.

    Notes
    -----
    With the labels :math:`Y_i` of record :math:`i` and the predicted
    :math:`\hat Y_i`, it is :math:`\frac1n \sum_i [Y_i = \hat Y_i]`. [1]_ proposes it
    for several labels per record, beside the macro-F1 score: it is the strictest of
    measures, for a forgotten label costs as much as a wrong diagnosis. What is always
    said of the commonest set of labels stands beside it as chance.

    It is what :func:`sklearn.metrics.accuracy_score` returns for indicator matrices.

    References
    ----------
    .. [1] J. Yoo, T. J. Jun, Y.-H. Kim, "xECGNet: Fine-tuning attention map within
       convolutional neural network to improve detection and explainability of
       concurrent cardiac arrhythmias", Computer Methods and Programs in Biomedicine
       208, 2021, doi:10.1016/j.cmpb.2021.106281

    Examples
    --------
    >>> from sk_erts.metrics import subset_accuracy
    >>> y_true = [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]]
    >>> y_pred = [[1, 0, 1], [0, 1, 1], [0, 0, 0], [1, 0, 0]]
    >>> subset_accuracy(y_true, y_pred)
    0.5
    """
    true, predicted = (
        _check_indicators(name, value)
        for name, value in (("y_true", y_true), ("y_pred", y_pred))
    )
    if predicted.shape != true.shape:
        wanted = f"have the shape of 'y_true', {true.shape}"
        refuse("subset_accuracy", "y_pred", wanted, f"shape {predicted.shape}")
    return float(np.mean((true == predicted).all(axis=1)))


def _check_indicators(name: str, value: Any) -> Array:
    """Return zeros and ones of shape (n_samples, n_labels)."""
    owner = "subset_accuracy"
    array = as_numbers(owner, name, value, "(n_samples, n_labels)")
    other = array[(array != 0) & (array != 1)]
    if other.size:
        refuse(
            owner, name, "hold zeros and ones alone", f"{other.flat[0]!r} among them"
        )
    return array
