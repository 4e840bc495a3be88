"""The command ``sk-erts evaluate``."""

from __future__ import annotations

from sk_erts._cli._console import Out
from sk_erts._cli._folder import Saved
from sk_erts._cli._options import (
    Debug,
    Folds,
    Json,
    Labels,
    Leads,
    Model,
    OnError,
    Read,
    Records,
    reading_of,
)
from sk_erts._cli._scores import scores

__all__ = ["evaluate"]


def evaluate(
    run: Model,
    data: Records,
    labels: Labels = None,
    folds: Folds = None,
    leads: Leads = None,
    on_error: OnError = None,
    read: Read = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score a trained network on labelled records: AUC, F1, each class by itself."""
    out = Out(json)
    with out.telling_warnings():
        saved = Saved.load(run)
        found = saved.read(data, reading_of(labels, folds, leads, on_error, read), out)
        scored = scores(saved.clf, found.X, found.labels("evaluate"))
    out.give(scored)
    headings = ["class", "records", "AUC", "AP", "F1", "sensitivity", "specificity"]
    out.table(headings, (list(row.values()) for row in scored["per_class"]))
    out.tell()
    out.facts(
        {
            "macro-AUC": scored["macro_auc"],
            "macro average precision (AP)": scored["macro_average_precision"],
            "macro-F1": scored["macro_f1"],
            "accuracy": scored["accuracy"],
        }
    )
