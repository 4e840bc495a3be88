"""How good predictions are, over all classes and for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_erts._cli._errors import DataFault
from sk_erts._lib.names import nearest
from sk_erts._lib.typing import BoolArray

__all__ = ["indicator", "scores"]


def indicator(y: Any, classes: Any) -> BoolArray:
    """Return which classes each record has.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), or DataFrame of 0 and 1
        Labels.
    classes : ndarray of shape (n_classes,)
        Those that the network knows.

    Returns
    -------
    truth : bool ndarray of shape (n_samples, n_classes)
        In their order.

    Raises
    ------
    DataFault
        If there is a label that the network does not know.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._cli._scores import indicator
    >>> indicator(np.array(["MI", "NORM"]), np.array(["MI", "NORM"])).tolist()
    [[True, False], [False, True]]
    """
    known = [str(label) for label in classes]
    found = y.columns if hasattr(y, "columns") else np.unique(y)
    unknown = sorted({str(label) for label in found} - set(known))
    if unknown:
        raise DataFault(
            f"The network does not know the label {unknown[0]!r}. "
            f"{nearest(unknown[0], known)}"
        )
    if hasattr(y, "columns"):
        table = y.rename(columns=str).reindex(columns=known, fill_value=0)
        of_table: BoolArray = table.to_numpy().astype(bool)
        return of_table
    texts = np.asarray(y).astype(str)
    truth: BoolArray = texts[:, np.newaxis] == np.array(known)  # (n, classes)
    return truth


def scores(clf: Any, X: Any, y: Any) -> dict[str, Any]:
    """Return scores of a classifier on records.

    Parameters
    ----------
    clf : ERTSClassifier
        Fitted.
    X : array-like of shape (n_samples, n_leads, n_times)
        Records.
    y : ndarray of shape (n_samples,), or DataFrame of 0 and 1
        Their labels.

    Returns
    -------
    scores : dict
        Means over the classes of which there are records with and without
        (``macro_auc``, ``macro_average_precision``); macro-F1, accuracy (all labels
        right); and ``per_class``, a dictionary for each.
    """
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    truth = indicator(y, clf.classes_)
    proba = clf.predict_proba(X)
    predicted = clf.predict(X)
    chosen = (
        predicted.astype(bool)
        if predicted.ndim == 2
        else predicted[:, np.newaxis] == np.asarray(clf.classes_)
    )
    rows = []
    for k, label in enumerate(clf.classes_):
        own, said, p = truth[:, k], chosen[:, k], proba[:, k]
        is_both = 0 < own.sum() < len(own)
        rows.append(
            {
                "class": str(label),
                "records": int(own.sum()),
                "auc": float(roc_auc_score(own, p)) if is_both else None,
                "average_precision": float(average_precision_score(own, p))
                if is_both
                else None,
                "f1": float(f1_score(own, said, zero_division=0)),
                "sensitivity": _share(said & own, own),
                "specificity": _share(~said & ~own, ~own),
            }
        )
    there = [row for row in rows if row["records"]]
    return {
        "n_records": len(truth),
        "macro_auc": _mean(row["auc"] for row in rows),
        "macro_average_precision": _mean(row["average_precision"] for row in rows),
        "macro_f1": _mean(row["f1"] for row in there),
        "accuracy": float((chosen == truth).all(axis=1).mean()),
        "per_class": rows,
    }


def _share(part: BoolArray, of: BoolArray) -> float | None:
    n = int(of.sum())
    return float(part.sum() / n) if n else None


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
