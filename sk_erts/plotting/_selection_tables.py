"""What the panels of SelectionDisplay show, counted from the story of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray
from sk_erts.selection._ledger import CANDIDATES, Status, is_doubted

__all__ = ["candidates_by", "class_shares", "members", "most_put_aside"]


def class_shares(
    status: IntArray, membership: BoolArray, statuses: Sequence[Status]
) -> FloatArray:
    """Return what became of the records of each class, on average over epochs.

    Parameters
    ----------
    status : int ndarray of shape (n_epochs, n_samples)
        Values of `Status`.
    membership : bool ndarray of shape (n_samples, n_classes)
        Whose records count for each class.
    statuses : sequence of Status
        The columns.

    Returns
    -------
    shares : ndarray of shape (n_classes, len(statuses)), dtype float64
        Shares of the looks at records of a class, 0 where there were none.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting._selection_tables import class_shares
    >>> from sk_erts.selection import Status
    >>> status = np.array([[Status.TRAINED, Status.EASY, Status.NOT_LOOKED_AT]])
    >>> one_class = np.ones((3, 1), dtype=bool)
    >>> class_shares(status, one_class, [Status.TRAINED, Status.EASY])
    array([[0.5, 0.5]])
    """
    counts = np.stack(
        [(status == each).sum(axis=0) @ membership for each in statuses], axis=1
    )  # (classes, statuses)
    shares: FloatArray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def candidates_by(
    status: IntArray, confidence: FloatArray, focus: FloatArray
) -> tuple[int | None, IntArray]:
    """Return the last epoch that judged candidates by their focus, and who they were.

    Parameters
    ----------
    status : int ndarray of shape (n_epochs, n_samples)
        Values of `Status`.
    confidence, focus : ndarray of shape (n_epochs, n_samples)
        NaN where unknown.

    Returns
    -------
    epoch : int or None
        From 0; None if there was no such epoch.
    rows : int ndarray
        The candidates of it whose scores are known.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting._selection_tables import candidates_by
    >>> from sk_erts.selection import Status
    >>> status = np.array([[Status.TRAINED, Status.UNRELIABLE, Status.EASY]])
    >>> epoch, rows = candidates_by(status, np.ones((1, 3)), np.ones((1, 3)))
    >>> epoch, rows.tolist()
    (0, [0, 1])
    """
    known = np.isfinite(confidence) & np.isfinite(focus)
    known &= np.isin(status, CANDIDATES)
    # In a revision all are trained, whatever their focus; so one must be doubted.
    judged = np.flatnonzero(is_doubted(status).any(axis=1))
    if not judged.size:
        return None, np.array([], dtype=int)
    return int(judged[-1]), np.flatnonzero(known[judged[-1]])


def most_put_aside(status: IntArray, n_records: int) -> tuple[IntArray, IntArray, int]:
    """Return the records that were doubted in most epochs.

    Parameters
    ----------
    status : int ndarray of shape (n_epochs, n_samples)
        Values of `Status`.
    n_records : int
        How many at most.

    Returns
    -------
    rows : int ndarray of shape (n,)
        Most often doubted first; of equals the first in ``X``.
    counts : int ndarray of shape (n,)
        In how many epochs, above 0.
    n_tied : int
        Records left out that were doubted as often as the last one: that these are
        listed and not those means nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting._selection_tables import most_put_aside
    >>> from sk_erts.selection import Status
    >>> status = np.array([[1, 3, 3, 3], [2, 2, 3, 2]])
    >>> rows, counts, n_tied = most_put_aside(status, 2)
    >>> rows.tolist(), counts.tolist(), n_tied
    ([2, 1], [2, 1], 1)
    """
    counts = is_doubted(status).sum(axis=0)
    rows = np.argsort(-counts, kind="stable")[:n_records]
    rows = rows[counts[rows] > 0]
    shown = counts[rows]
    last = shown[-1:]  # empty if nobody was
    n_tied = int(np.isin(counts, last).sum() - np.isin(shown, last).sum())
    return rows, shown, n_tied


def members(
    y: Any, class_names: Sequence[Any] | None, n_samples: int
) -> tuple[list[str], BoolArray]:
    """Return the classes in `y`, and which records belong to each.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels, or for several labels per record an indicator of 0 and 1.
    class_names : sequence or None
        Names of the columns of an indicator; by default their numbers.
    n_samples : int
        Records in the story.

    Returns
    -------
    names : list of str
        Of the classes.
    membership : bool ndarray of shape (n_samples, n_classes)
        Whether a record belongs to a class.

    Raises
    ------
    ValueError
        If `y` does not fit the story or the names.

    Examples
    --------
    >>> from sk_erts.plotting._selection_tables import members
    >>> names, membership = members(["PVC", "NORM"], None, 2)
    >>> names, membership.tolist()
    (['NORM', 'PVC'], [[False, True], [True, False]])
    """
    labels: Array = np.asarray(y)
    if labels.ndim not in (1, 2) or len(labels) != n_samples:
        raise ValueError(
            "The 'y' of SelectionDisplay must be the labels that 'fit' was given, one "
            f"row for each of the {n_samples} records. Got the shape {labels.shape} "
            "instead."
        )
    if labels.ndim == 1:
        found = np.unique(labels)
        return [str(name) for name in found], labels[:, np.newaxis] == found
    names = range(labels.shape[1]) if class_names is None else class_names
    if len(names) != labels.shape[1]:
        raise ValueError(
            "The 'class_names' of SelectionDisplay must name each of the "
            f"{labels.shape[1]} columns of 'y'. Got {len(names)} names instead."
        )
    return [str(name) for name in names], labels == 1
