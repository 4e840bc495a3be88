"""Full data, DBPD, ERTS and the control, side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._cli._data import Data
from sk_erts._cli._errors import Fault
from sk_erts._cli._estimator_options import to_values
from sk_erts._cli._kinds import kind_of
from sk_erts._cli._recipe import Recipe
from sk_erts._cli._scores import scores
from sk_erts._cli._settings import Settings

__all__ = ["SCHEMES", "compared", "draw_figures", "train_and_test"]

# What tells them apart; all else is the same.
SCHEMES: dict[str, dict[str, Any]] = {
    "full data": {"data_dropout": None, "focus": None},
    "DBPD": {"focus": None, "confidence_threshold": 0.3},
    "ERTS": {},
    "shorter": {"data_dropout": None, "focus": None},
}
# Real data are not clean: some records are spoilt, some labels are wrong.
SPOILT = {"noise": 0.2, "label_noise": 0.15}
N_TRAIN, N_TEST = 1000, 600
OF_TRAINING = ("noise", "label_noise", "n_samples", "random_state")


def train_and_test(
    asked: Settings,
    test: str | None,
    test_folds: str | None,
    n_most: int | None,
    read: Callable[..., Data],
) -> tuple[Data, Data]:
    """Return records to train on, and others to test on.

    Parameters
    ----------
    asked : Settings
        Data, and how they are read.
    test, test_folds : str or None
        What to test on.
    n_most : int or None
        How many records to train on at most, and how many to test on.
    read : callable
        Reads data.

    Returns
    -------
    train, test : Data
        With labels.
    """
    spec = str(asked.data)
    kind, place = kind_of(spec)
    reading = dict(asked.reading)
    if test_folds is not None and (kind != "ptbxl" or test is not None):
        raise Fault("--test-folds is for ptbxl, and without --test.")
    if test is not None:
        train, tests = read(spec, reading, asked.fs), read(test, {}, asked.fs)
    elif kind == "ptbxl":
        quick = n_most is not None
        folds = reading.pop("folds", "1" if quick else "1-8")
        train = read(spec, reading | {"folds": folds}, asked.fs)
        tests = read(spec, reading | {"folds": test_folds or "9"}, asked.fs)
    elif kind == "synthetic":
        clean = {k: v for k, v in reading.items() if k not in OF_TRAINING}
        n_train = int(place) if place.isdigit() else n_most or N_TRAIN
        train = read(spec, SPOILT | {"n_samples": n_train} | reading, asked.fs)
        clean |= {"n_samples": n_most or N_TEST, "random_state": 1}
        tests = read("synthetic", clean, asked.fs)
    else:
        whole = read(spec, reading, asked.fs)
        whole.labels("benchmark")
        rows, others = _divided(whole)
        train, tests = whole.at(rows), whole.at(others)
    train.labels("benchmark")
    tests.labels("benchmark")
    few = slice(n_most)
    return train.at(few), tests.at(few)


def _divided(data: Data) -> tuple[Any, Any]:
    """Return rows to train on, and a quarter to test on."""
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    if data.groups is not None:
        divide = GroupShuffleSplit(1, test_size=0.25, random_state=0)
        rows, others = next(divide.split(data.names, groups=data.groups))
        return rows, others
    several = hasattr(data.y, "columns")
    rows, others = train_test_split(
        np.arange(len(data)),
        test_size=0.25,
        random_state=0,
        stratify=None if several else data.y,
    )
    return rows, others


def compared(
    scheme: str, given: dict[str, Any], train: Data, test: Data, fitted: dict[str, Any]
) -> dict[str, Any]:
    """Return what a scheme reaches, and what it costs.

    Parameters
    ----------
    scheme : str
        A key of `SCHEMES`.
    given : dict of str to object
        The estimator's parameters.
    train, test : Data
        Records with labels.
    fitted : dict of str to ERTSClassifier
        Classifiers so far, by scheme; this one is added.

    Returns
    -------
    row : dict
        Scores and costs.
    """
    from sk_erts import ERTSClassifier

    spent = fitted["ERTS"].effective_epochs_ if scheme == "shorter" else None
    values = to_values(given) | {"max_effective_epochs": spent} | SCHEMES[scheme]
    clf = fitted[scheme] = ERTSClassifier(**values).fit(
        train.X, train.y, groups=train.groups
    )
    scored = scores(clf, test.X, test.y)
    n_looked_at = len(train) * len(clf.kept_counts_)
    return {
        "scheme": scheme,
        "macro_auc": scored["macro_auc"],
        "macro_f1": scored["macro_f1"],
        "effective_epochs": float(clf.effective_epochs_),
        "scoring_passes": float(clf.scoring_passes_),
        "fit_time_s": float(clf.fit_time_s_),
        "kept": float(clf.kept_counts_.sum() / n_looked_at),
    }


def draw_figures(
    clf: Any, train: Data, test: Data, recipe: Recipe, folder: Path
) -> dict[str, str]:
    """Show what ERTS trained and doubted, and what it saw in one test record.

    Parameters
    ----------
    clf : ERTSClassifier
        Fitted.
    train, test : Data
        Records with labels.
    recipe : Recipe
        Of the records.
    folder : Path
        Where the figures go.

    Returns
    -------
    figures : dict of str to str
        What each shows, and its file.
    """
    import matplotlib

    matplotlib.use("Agg")  # figures go to files: no screen is needed
    from matplotlib import pyplot as plt

    from sk_erts.plotting import ECGDisplay, SelectionDisplay

    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, tuple[str, Any]] = {}
    about: dict[str, Any] = {"fs": recipe.fs, "lead_names": recipe.lead_names}
    drawn["What was trained, epoch by epoch"] = (
        "selection.png",
        SelectionDisplay.from_estimator(clf),
    )
    i = _record_to_show(clf, test)
    drawn[f"What the network saw in test record {test.names[i]}"] = (
        "explanation.png",
        ECGDisplay.from_estimator(clf, test.X[i], true_label=_label(test, i), **about),
    )
    # Of the training, the record whose label was doubted most: where it speaks for the
    # label, and where for what the network takes it for.
    row = clf.audit(train.X, train.y).loc[0]
    k, label = int(row["record"]), row["label"]
    if label not in clf.classes_:  # of several labels, the absence of one
        label = str(label).removeprefix("not ")
    drawn[f"Why the label of training record {train.names[k]} was doubted"] = (
        "doubted.png",
        ECGDisplay.from_estimator(
            clf,
            train.X[k],
            target=label,
            contrast="rival",
            true_label=_label(train, k),
            **about,
        ),
    )
    written = {}
    for told, (name, display) in drawn.items():
        display.figure_.savefig(folder / name, dpi=150)
        plt.close(display.figure_)
        written[told] = str(folder / name)
    return written


def _label(data: Data, i: int) -> Any:
    """Return what stands in a title for the true labels of a record."""
    if hasattr(data.y, "columns"):
        return [str(name) for name, has in data.y.iloc[i].items() if has]
    return data.y[i]


def _record_to_show(clf: Any, test: Data) -> int:
    """Return a record of a class with a short evidence, well recognised."""
    names = [str(label) for label in clf.classes_]
    column = names.index("PVC") if "PVC" in names else 0
    if hasattr(test.y, "columns"):
        is_own = test.y.iloc[:, column].to_numpy().astype(bool)
    else:
        is_own = np.asarray(test.y) == clf.classes_[column]
    rows = np.flatnonzero(is_own) if is_own.any() else np.arange(len(test))
    proba = clf.predict_proba(test.X[rows])[:, column]
    return int(rows[np.argmax(proba)])
