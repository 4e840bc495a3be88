"""True and predicted class in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["title_of"]


def title_of(
    true_label: Any,
    predicted: Any,
    probability: float | Mapping[Any, float] | None,
) -> str:
    """Return true and predicted class with what is known of their probabilities.

    Parameters
    ----------
    true_label, predicted : label, array-like of labels or None
        None is left out.
    probability : float, mapping of label to float, or None
        Of the predicted class; or of each class.

    Returns
    -------
    title : str
        A probability that stands at the predicted class is not given twice.

    Examples
    --------
    >>> from sk_erts.plotting._title import title_of
    >>> title_of("PVC", "NORM", {"PVC": 0.2, "NORM": 0.8})
    'true: PVC (20%), predicted: NORM (80%)'
    >>> title_of("PVC", "PVC", {"PVC": 0.8, "NORM": 0.2})
    'true: PVC, predicted: PVC (80%)'
    """
    foreseen = [] if predicted is None else _listed(predicted)
    known = probability if isinstance(probability, Mapping) else {}
    parts = []
    if true_label is not None:
        elsewhere = {k: v for k, v in known.items() if k not in foreseen}
        parts.append(f"true: {_joined(_listed(true_label), elsewhere)}")
    if predicted is not None:
        if probability is not None and not isinstance(probability, Mapping):
            known = dict.fromkeys(foreseen, probability)
        parts.append(f"predicted: {_joined(foreseen, known)}")
    return ", ".join(parts)


def _listed(labels: Any) -> list[Any]:
    """Return one label, or several, as a list."""
    return list(np.atleast_1d(np.asarray(labels, dtype=object)))


def _joined(labels: list[Any], known: Mapping[Any, float]) -> str:
    """Return labels with what is known of their probabilities."""
    words = [
        f"{label} ({known[label]:.0%})" if label in known else str(label)
        for label in labels
    ]
    return " + ".join(words) or "nothing"
