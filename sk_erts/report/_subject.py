"""What a report is about: a classifier, records, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sk_erts._lib.checks import check_frequency, check_lead_names, is_number, refuse
from sk_erts._lib.lead_names import STANDARD_LEADS
from sk_erts._lib.typing import Array, BoolArray, IntArray
from sk_erts._records.records import Records, as_records
from sk_erts.preprocessing import Resample, SelectLeads
from sk_erts.report._performance import Decisions

__all__ = ["Subject", "group_codes", "record_names", "subject_of"]

OWNER = "report"


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Attributes
    ----------
    clf : classifier
        The last step, which explains.
    steps : tuple of str
        Names of the classes of the transformers before it.
    X : array-like or collection
        The records that it gets.
    records : Records
        The same, to take some of them.
    y : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Their labels, the columns in the order of the classes.
    classes : tuple of str
        Names of the classes.
    decisions : Decisions
        What was decided of the records.
    fs : float or None
        Sampling frequency in Hz of what the classifier gets.
    lead_names : tuple of str
        Names of its leads.
    """

    clf: Any
    steps: tuple[str, ...]
    X: Any
    records: Records
    y: Array
    classes: tuple[str, ...]
    decisions: Decisions
    fs: float | None
    lead_names: tuple[str, ...]

    @property
    def members(self) -> list[Any]:
        """The classifiers that were trained: of an ensemble several."""
        return list(getattr(self.clf, "estimators_", [self.clf]))


def subject_of(clf: Any, X: Any, y: Any, fs: Any, lead_names: Any) -> Subject:
    """Check what `report` was given, and ask the classifier.

    Parameters
    ----------
    clf : estimator
        Fitted.
    X : array-like or collection
        Records.
    y : array-like
        Their labels.
    fs : float or None
        Sampling frequency in Hz of `X`.
    lead_names : sequence of str or None
        Leads of `X`.

    Returns
    -------
    subject : Subject
        What a report is about.

    Raises
    ------
    ValueError
        If records or labels are not what they must be.
    TypeError
        If `clf` does not end in a classifier that explains.
    NotFittedError
        If it is not fitted.
    """
    rate: Any = getattr(X, "fs", None) if fs is None else check_frequency(OWNER, fs)
    names = getattr(X, "lead_names", None) if lead_names is None else lead_names
    steps: list[Any] = []
    last = clf
    while not hasattr(last, "explain"):
        if isinstance(last, Pipeline):
            check_is_fitted(last)
            before = [step for _, step in last.steps[:-1] if hasattr(step, "transform")]
            X = last[:-1].transform(X) if before else X
            steps += before
            last = last.steps[-1][1]
        elif hasattr(last, "best_estimator_"):
            last = last.best_estimator_
        else:
            _refuse_estimator(clf, last)
    check_is_fitted(last)
    for step in steps:
        rate = step.fs_out if isinstance(step, Resample) else rate
        names = step.names if isinstance(step, SelectLeads) else names
    records = as_records(X, last)
    _check_number(y, len(records))
    classes = np.asarray(last.classes_)
    true, labels = _truth(y, classes)
    proba = np.asarray(last.predict_proba(X), dtype=np.float64)
    predicted = np.asarray(last.predict(X))
    several = true.ndim == 2 and predicted.ndim == 2
    if predicted.ndim != np.ndim(labels):
        wanted = f"have {predicted.ndim} dimension(s), as in fit"
        refuse(OWNER, "y", wanted, f"shape {labels.shape}")
    decided = predicted > 0 if several else predicted[:, np.newaxis] == classes
    return Subject(
        clf=last,
        steps=tuple(type(step).__name__ for step in steps),
        X=X,
        records=records,
        y=labels,
        classes=tuple(str(name) for name in classes),
        decisions=Decisions(true, decided, proba, several),
        fs=float(rate) if is_number(rate) else None,
        lead_names=_lead_names(names, lead_names is not None, records.n_leads, steps),
    )


def group_codes(groups: Any, n_samples: int) -> IntArray:
    """Return the group of each record, numbered from 0, or raise.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        What was given; None makes each record a group.
    n_samples : int
        Number of records.

    Returns
    -------
    codes : int ndarray of shape (n_samples,)
        In the order in which groups come.

    Raises
    ------
    ValueError
        If there is not one group for each record.
    """
    import pandas as pd

    if groups is None:
        return np.arange(n_samples)
    _check_length("groups", groups, n_samples)
    codes: IntArray = pd.factorize(pd.Series(groups))[0]
    if (codes < 0).any():
        wanted = "name a group for each record"
        got = f"none for record {int(np.argmax(codes < 0))}"
        refuse(OWNER, "groups", wanted, got, "Give it one of its own.")
    return codes


def record_names(names: Any, n_samples: int) -> list[str]:
    """Return what records are called, by default by their row.

    Parameters
    ----------
    names : array-like of shape (n_samples,) or None
        What was given.
    n_samples : int
        Number of records.

    Returns
    -------
    names : list of str
        One for each record.

    Raises
    ------
    ValueError
        If their number is another.
    """
    if names is None:
        return [str(row) for row in range(n_samples)]
    _check_length("names", names, n_samples)
    return [str(name) for name in np.asarray(names).tolist()]


def _check_length(name: str, values: Any, n_samples: int) -> None:
    wanted = f"hold one value for each of the {n_samples} records"
    if isinstance(values, str) or np.ndim(values) != 1:
        refuse(OWNER, name, wanted, f"{type(values).__name__}")
    if len(values) != n_samples:
        refuse(OWNER, name, wanted, f"{len(values)} values")


def _check_number(y: Any, n_samples: int) -> None:
    """Refuse what is not as many labels as records."""
    if y is None or isinstance(y, str) or np.ndim(y) == 0:
        wanted = f"hold the labels of the {n_samples} records"
        refuse(OWNER, "y", wanted, "None" if y is None else type(y).__name__)
    if len(y) != n_samples:
        wanted = f"hold one label, or row of labels, for each of {n_samples} records"
        refuse(OWNER, "y", wanted, f"{len(y)} of them")


def _truth(y: Any, classes: Array) -> tuple[BoolArray, Array]:
    """Return which class each record has, and labels in the order of the classes."""
    if hasattr(y, "columns") and np.ndim(y) == 2:
        missing = sorted(set(map(str, classes)) ^ set(map(str, y.columns)))
        if missing:
            wanted = f"have the columns {classes.tolist()!r}, as in fit"
            refuse(OWNER, "y", wanted, f"{list(y.columns)!r}")
        by_name = {str(name): name for name in y.columns}
        y = y[[by_name[str(name)] for name in classes]]
    labels = np.asarray(y)
    if labels.ndim == 2:
        if labels.shape[1] != len(classes) or not np.isin(labels, (0, 1)).all():
            wanted = f"hold zeros and ones in {len(classes)} columns, as in fit"
            refuse(OWNER, "y", wanted, f"shape {labels.shape}")
        return labels.astype(bool), labels
    codes = {label: k for k, label in enumerate(classes.tolist())}
    unknown = [label for label in labels.tolist() if label not in codes]
    if labels.ndim != 1 or unknown:
        wanted = f"hold classes that the classifier knows, {classes.tolist()!r}"
        got = repr(unknown[0]) if unknown else f"shape {labels.shape}"
        refuse(OWNER, "y", wanted, got, "Leave the records of others out.")
    own = np.array([codes[label] for label in labels.tolist()])
    return own[:, np.newaxis] == np.arange(len(classes)), labels


def _lead_names(
    names: Any, asked: bool, n_leads: int, steps: list[Any]
) -> tuple[str, ...]:
    """Return a name for each lead that the classifier gets."""
    if names is not None and (len(names) == n_leads or (asked and not steps)):
        return check_lead_names(OWNER, names, n_leads)
    if n_leads == len(STANDARD_LEADS):
        return tuple(STANDARD_LEADS)
    return tuple(f"lead {number}" for number in range(1, n_leads + 1))


def _refuse_estimator(clf: Any, last: Any) -> None:
    """Raise for what is no classifier that explains."""
    advice = "ERTSClassifier is one."
    if isinstance(last, BaseSearchCV):
        check_is_fitted(last)
        advice = "Fit the search with refit=True."
    ends = "" if last is clf else f" that ends in {type(last).__name__}"
    raise TypeError(
        "The 'clf' of report must be a classifier with a method 'explain', or a "
        f"Pipeline or search that ends in one. Got {type(clf).__name__}{ends} "
        f"instead. {advice}"
    )
