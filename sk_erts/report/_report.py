"""All that goes into a report: figures first, then a page of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sk_erts._lib.checks import check_choices, check_count, check_number
from sk_erts._lib.typing import FloatArray
from sk_erts.attribution import METHODS
from sk_erts.metrics import expected_calibration_error
from sk_erts.report._bootstrap import Measured, bootstrap
from sk_erts.report._card import limits
from sk_erts.report._curves import pr_curves, roc_curves
from sk_erts.report._explanations import explanation_table
from sk_erts.report._gallery import audit, choose
from sk_erts.report._origin import (
    cost,
    network,
    parameters,
    selection_table,
    versions,
)
from sk_erts.report._packed import pack_records
from sk_erts.report._page import Report
from sk_erts.report._render import render
from sk_erts.report._subgroups import as_columns, subgroups
from sk_erts.report._subject import (
    Subject,
    group_codes,
    record_names,
    subject_of,
)
from sk_erts.report._tables import (
    calibration_table,
    class_table,
    confusion_table,
    gallery_table,
    parameter_table,
    subgroup_table,
)

__all__ = ["report"]

OWNER = "report"


def report(
    clf: Any,
    X: Any,
    y: Any,
    *,
    path: str | os.PathLike[str] | None = None,
    title: str | None = None,
    fs: float | None = None,
    lead_names: Sequence[str] | None = None,
    groups: Any = None,
    metadata: Any = None,
    names: Any = None,
    n_records: int = 24,
    methods: str | Sequence[str] = ("gradcam",),
    signal_quality: Any = None,
    n_explained: int = 8,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = 0,
) -> Report:
    r"""Write one page about a classifier: how good, how sure, on whom, and why.

    The page is a single file that loads nothing: open it without a network, send it,
    print it.

    Parameters
    ----------
    clf : ERTSClassifier, DeepEnsemble, Pipeline or search
        Fitted. Of a pipeline or search, the classifier that it ends in is told of, on
        the records as it gets them.
    X : array-like of shape (n_samples, n_leads, n_times), Dataset or collection
        Records that it was not trained on, as its `predict` takes them.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Their labels, as in `fit`.
    path : str or path-like, optional
        Where to write the page; by default it is returned alone.
    title : str, optional
        By default the name of the network.
    fs : float, optional
        Sampling frequency in Hz of `X`, by default what `X` tells of itself; without
        one, time is told in samples.
    lead_names : sequence of str, optional
        By default what `X` tells, or the twelve standard leads, or numbers.
    groups : array-like of shape (n_samples,), optional
        Whom each record is of, such as a patient. Intervals then come from drawing
        patients; by default from drawing records.
    metadata : DataFrame or dict of str to array-like, optional
        One row, or value, for each record: age, sex, site, device. Each column divides
        the records into subgroups, many different numbers in bins: give codes as text.
    names : array-like of shape (n_samples,), optional
        What records are called; by default their rows.
    n_records : int, default=24
        Records in the gallery: best, worst and most suspicious, a third each.
    methods : str or sequence of str, default=("gradcam",)
        Keys of :data:`sk_erts.attribution.METHODS`, whose maps, of each class against
        its strongest rival, are shown and checked.
    signal_quality : array-like of shape (n_samples,) or estimator, optional
        Lets bad signals count as suspicious; see :meth:`ERTSClassifier.audit`.
    n_explained : int, default=8
        Records, drawn at random, whose maps are checked; 0 checks nothing. This takes
        the longest: some 120 predictions of each of them, by each method and by chance.
    n_bootstrap : int, default=1000
        Samples that intervals come from.
    level : float, default=0.95
        Of the intervals, between 0 and 1.
    random_state : int, RandomState instance or None, default=0
        Draws samples and records.

    Returns
    -------
    page : Report
        Shows itself in a notebook; ``page.save(path)`` writes it, ``page.tables`` has
        the figures as data frames.

    Raises
    ------
    ValueError
        If an argument is not what it must be: labels that the classifier does not
        know, or another number of labels, groups, names or rows than of records.
    TypeError
        If `clf` does not end in a classifier that explains.
    NotFittedError
        If it is not fitted.
    ImportError
        If jinja2 is not installed.

    See Also
    --------
    sk_erts.metrics.evaluate_explanations : The checks of the maps.
    sk_erts.plotting.SelectionDisplay : More of the selection.

    Notes
    -----
    Each class is set against all others, at the decision of ``clf.predict``, whose
    thresholds count. Intervals go from the quantile :math:`(1 - l) / 2` to
    :math:`(1 + l) / 2` of samples with replacement of groups (percentile bootstrap
    [1]_); a sample in which a figure is not defined, say because it lacks the class, is
    left out, and the page says how many were. What is not defined at all is shown as a
    dash. The calibration error has the interval of its own function, from drawing
    records.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", 1993,
       doi:10.1201/9780429246593.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.report import report
    >>> kinds = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB")}
    >>> X, y = make_ecg(60, random_state=0, **kinds)
    >>> X_test, y_test = make_ecg(40, random_state=1, **kinds)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=2, random_state=0).fit(X, y)
    >>> page = report(clf, X_test, y_test, fs=100, n_records=6, n_explained=2)
    >>> page.tables["classes"].index.tolist()
    ['BBB', 'NORM', 'macro average']
    >>> page.html[:15]
    '<!doctype html>'
    """
    check_count(OWNER, "n_records", n_records, least=0)
    check_count(OWNER, "n_explained", n_explained, least=0)
    check_count(OWNER, "n_bootstrap", n_bootstrap)
    check_number(OWNER, "level", level, above=0, below=1)
    methods = (methods,) if isinstance(methods, str) else methods
    methods = check_choices(OWNER, "methods", methods, METHODS)
    rng = check_random_state(random_state)
    subject = subject_of(clf, X, y, fs, lead_names)
    decisions = subject.decisions
    codes = group_codes(groups, len(decisions))
    called = record_names(names, len(decisions))
    table = as_columns(metadata, len(decisions))
    parts = subgroups(table)
    everyone = np.arange(len(decisions))
    whole, *of_parts = bootstrap(
        decisions,
        codes,
        [everyone, *(part.rows for part in parts)],
        n_bootstrap,
        level,
        rng,
    )
    calibration = expected_calibration_error(
        subject.y,
        decisions.proba,
        labels=None if decisions.several else subject.clf.classes_,
        n_bins=10,
        level=level,
        n_resamples=n_bootstrap,
        random_state=rng,
    )
    audited = audit(subject, signal_quality)
    suspicion: FloatArray = audited["suspicion"].to_numpy(dtype=float)
    chosen = choose(decisions, suspicion, n_records)
    explanations, why_not = explanation_table(subject, methods, n_explained, rng)
    counts = decisions.true.sum(axis=0)
    tables = {
        "parameters": parameter_table(parameters(subject)),
        "classes": class_table(subject.classes, decisions, whole),
        "confusion": confusion_table(subject.classes, decisions),
        "calibration": calibration_table(calibration),
        "subgroups": subgroup_table(parts, of_parts, decisions),
        "selection": selection_table(subject),
        "explanations": explanations,
        "gallery": gallery_table(chosen, subject, called, audited),
    }
    seen = bool((audited["source"] == "training").any())
    title = network(subject).split(",")[0] if title is None else str(title)
    page = render(
        title=title,
        subject=subject,
        measured=whole,
        tables=tables,
        calibration=calibration,
        curves=_curves(subject, whole),
        gallery=pack_records(subject, chosen, methods, called, suspicion),
        facts=_facts(subject, codes, groups is not None, n_bootstrap, level),
        limits=list(
            limits(
                classes=subject.classes,
                counts=counts,
                seen_in_training=seen,
                has_groups=groups is not None,
                has_metadata=bool(parts),
                calibration_error=calibration.error,
            )
        ),
        seen_in_training=seen,
        n_explained=n_explained,
        why_no_explanations=why_not,
    )
    shown = {name: own for name, own in tables.items() if own is not None}
    made = Report(page, shown, title)
    if path is not None:
        made.save(path)
    return made


def _curves(subject: Subject, measured: Measured) -> dict[str, Any]:
    given = subject.classes, subject.decisions, measured.value
    return {"roc": roc_curves(*given), "pr": pr_curves(*given)}


def _facts(
    subject: Subject, codes: Any, has_groups: bool, n_bootstrap: int, level: float
) -> dict[str, Any]:
    """Return what stands in running text."""
    records = subject.records
    return {
        "network": network(subject),
        "n_records": len(records),
        "n_groups": int(codes.max()) + 1 if has_groups else None,
        "n_leads": records.n_leads,
        "n_times": records.n_times,
        "same_length": records.lengths is None,
        "fs": subject.fs,
        "several": subject.decisions.several,
        "n_bootstrap": n_bootstrap,
        "level": level,
        "steps": subject.steps,
        "cost": cost(subject),
        "n_members": len(subject.members),
        "versions": versions(),
        "n_right": int(subject.decisions.right().sum()),
    }
