"""A map of an estimator, and by what it was made."""

from __future__ import annotations

import warnings
from typing import Any

from sk_erts._lib.typing import FloatArray
from sk_erts.exceptions import ExplanationWarning

__all__ = ["explained_by"]


def explained_by(
    estimator: Any, X: FloatArray, method: str, target: Any, contrast: Any = None
) -> tuple[FloatArray, str]:
    """Explain one record, and say what the map is in.

    Parameters
    ----------
    estimator : ERTSClassifier
        After `fit`.
    X : ndarray of shape (1, n_leads, n_times)
        The record.
    method : str
        What ``estimator.explain`` is asked for.
    target : label
        The class to explain.
    contrast : "rival" or label, optional
        What it is set against.

    Returns
    -------
    heat : ndarray of shape (n_times,) or (n_leads, n_times)
        The map.
    unit : str
        For the colour bar: the method that was used, if the network has no feature
        maps for the one asked for.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        against = {} if contrast is None else {"contrast": contrast}
        heat = estimator.explain(X, method=method, target=target, **against)[0]
    used = str(method)
    for each in said:
        warnings.warn(each.message, stacklevel=3)
        if isinstance(each.message, ExplanationWarning):
            used = each.message.instead or used
    return heat, "Grad-CAM, logit per step" if used == "gradcam" else used
