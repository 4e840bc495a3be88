"""What was trained, how, and what it cost, as a fitted classifier tells."""

from __future__ import annotations

import inspect
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts._lib.version import package_version
from sk_erts.report._subject import Subject
from sk_erts.selection import Status

__all__ = ["STATUSES", "cost", "network", "parameters", "selection_table", "versions"]

PACKAGES = ("torch", "skorch", "scikit-learn", "numpy")
# From the bottom of a bar to its top.
STATUSES = (
    Status.TRAINED,
    Status.REHEARSED,
    Status.SOFTENED,
    Status.UNRELIABLE,
    Status.EASY,
    Status.DROPPED,
)
LONGEST_VALUE = 120


def parameters(subject: Subject) -> list[tuple[str, str, str]]:
    """Return the parameters that are not the defaults of their class.

    Parameters
    ----------
    subject : Subject
        Of the report.

    Returns
    -------
    rows : list of (name, value, default)
        As they are written; the default is empty of a parameter of a part.
    """
    clf = subject.clf
    own = _differing(clf)
    inner = getattr(clf, "estimator", None)
    if inner is not None and hasattr(inner, "get_params"):
        own = [row for row in own if row[0] != "estimator"]
        own += [(f"estimator__{row[0]}", row[1], row[2]) for row in _differing(inner)]
    return own


def network(subject: Subject) -> str:
    """Return the name and size of the network.

    Parameters
    ----------
    subject : Subject
        Of the report.

    Returns
    -------
    said : str
        Such as "ResNet1d, 12,345 weights".
    """
    first = subject.members[0]
    if not hasattr(first, "net_"):
        return type(first).__name__
    module = first.net_.module_
    n_weights = sum(weight.numel() for weight in module.parameters())
    said = f"{type(module).__name__}, {n_weights:,} weights"
    n_members = len(subject.members)
    return said if n_members == 1 else f"{n_members} times {said}"


def cost(subject: Subject) -> dict[str, Any]:
    """Return what the training cost, summed over all members.

    Parameters
    ----------
    subject : Subject
        Of the report.

    Returns
    -------
    cost : dict of str to object
        ``n_records``, ``n_epochs``, ``effective_epochs``, ``scoring_passes`` and
        ``time_s``; empty if nothing is known.
    """
    members = [own for own in subject.members if hasattr(own, "selection_")]
    if not members:
        return {}
    status = members[0].selection_.status
    return {
        "n_records": int((status != Status.NOT_LOOKED_AT).any(axis=0).sum()),
        "n_epochs": sum(len(own.selection_.status) for own in members),
        "effective_epochs": sum(float(own.effective_epochs_) for own in members),
        "scoring_passes": sum(float(own.scoring_passes_) for own in members),
        "time_s": sum(float(own.fit_time_s_) for own in members),
    }


def selection_table(subject: Subject) -> Any:
    """Return what became of the training records, epoch by epoch.

    Parameters
    ----------
    subject : Subject
        Of the report; of an ensemble its first member is told of.

    Returns
    -------
    table : pandas.DataFrame or None
        By epoch: phase, the share of the records looked at with each status, and the
        effective epochs so far. None if there is no such story.
    """
    import pandas as pd

    first = subject.members[0]
    if not hasattr(first, "selection_"):
        return None
    story = first.selection_
    n_epochs = len(story.status)
    trained: FloatArray = np.cumsum(first.kept_counts_)
    per_record = first.effective_epochs_ / max(trained[-1], 1)
    columns: dict[str, Any] = {"phase": list(story.phases) or [""] * n_epochs}
    columns |= {status.label: story.share(status) for status in STATUSES}
    columns["effective epochs"] = trained * per_record
    epochs = pd.RangeIndex(
        story.first_epoch, story.first_epoch + n_epochs, name="epoch"
    )
    table = pd.DataFrame(columns, index=epochs)
    # A training stopped by hand may end with an epoch that had no batch.
    return table[table[[status.label for status in STATUSES]].sum(axis=1) > 0]


def versions() -> dict[str, str]:
    """Return the versions of what made the report.

    Returns
    -------
    versions : dict of str to str
        By package.
    """
    found = {"sk-erts": package_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found | {"Python": platform.python_version()}


def _differing(estimator: Any) -> list[tuple[str, str, str]]:
    """Return parameters of an estimator that its signature has other defaults for."""
    signature = inspect.signature(type(estimator)).parameters
    rows = []
    for name, value in estimator.get_params(deep=False).items():
        if name not in signature:
            rows.append((name, _written(value), ""))
        elif _written(value) != (default := _written(signature[name].default)):
            rows.append((name, _written(value), default))
    return rows


def _written(value: Any) -> str:
    """Return a value in few words."""
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__name__
    said = " ".join(repr(value).split())
    return said if len(said) <= LONGEST_VALUE else said[: LONGEST_VALUE - 1] + "…"
