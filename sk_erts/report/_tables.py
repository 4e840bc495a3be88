"""The data frames behind a page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sk_erts.report._bootstrap import Measured
from sk_erts.report._performance import MEASURES, Decisions
from sk_erts.report._subgroups import FEWEST, Subgroup
from sk_erts.report._subject import Subject

__all__ = [
    "MEAN",
    "calibration_table",
    "class_table",
    "confusion_table",
    "gallery_table",
    "parameter_table",
    "subgroup_table",
]

MEAN = "macro average"


def parameter_table(rows: Sequence[tuple[str, str, str]]) -> Any:
    """Return the parameters that differ from the defaults, and those."""
    import pandas as pd

    table = pd.DataFrame(rows, columns=["parameter", "value", "default"])
    return table.set_index("parameter")


def class_table(classes: Sequence[str], decisions: Decisions, found: Measured) -> Any:
    """Return a row for each class and one for their mean.

    Besides the figures and their intervals it has the number of records, and that of
    the bootstrap samples in which one of the figures was not defined.
    """
    import pandas as pd

    index = pd.Index([*classes, MEAN], name="class")
    counts = decisions.true.sum(axis=0).tolist()
    columns: dict[str, Any] = {"records": [*counts, len(decisions)]}
    columns |= _figures(found)
    columns["samples_left_out"] = found.n_left_out.max(axis=0)
    return pd.DataFrame(columns, index=index)


def confusion_table(classes: Sequence[str], decisions: Decisions) -> Any:
    """Return how many records of each class were decided to be of each.

    Several labels: how often each was found, missed, said wrongly, and rightly not.
    """
    import pandas as pd

    true, decided = (own.astype(int) for own in (decisions.true, decisions.decided))
    index = pd.Index(classes, name="true")
    if decisions.several:
        both = (true * decided).sum(axis=0)
        missed, wrongly = true.sum(axis=0) - both, decided.sum(axis=0) - both
        rest = len(true) - both - missed - wrongly
        columns = {"found": both, "missed": missed, "wrongly": wrongly, "rest": rest}
        return pd.DataFrame(columns, index=index.rename("label"))
    return pd.DataFrame(true.T @ decided, index=index, columns=list(classes))


def calibration_table(calibration: Any) -> Any:
    """Return the bins of probabilities: mean, how often they came true, how many."""
    import pandas as pd

    names = ("confidence", "frequency", "count")
    table = pd.DataFrame({name: calibration[name] for name in names})
    edges = np.linspace(0, 1, len(table) + 1)
    table.index = pd.Index(
        [f"{a:.2g} to {b:.2g}" for a, b in pairwise(edges)],
        name="probability",
    )
    return table


def subgroup_table(
    parts: Sequence[Subgroup], found: Sequence[Measured], decisions: Decisions
) -> Any:
    """Return the macro averages in each subgroup; None if there is none.

    Of a subgroup of few records nothing is said.
    """
    import pandas as pd

    if not parts:
        return None
    keys = [(part.column, part.name) for part in parts]
    rows = []
    for part, own in zip(parts, found, strict=True):
        figures = {name: values[-1] for name, values in _figures(own).items()}
        if len(part.rows) < FEWEST:
            figures = dict.fromkeys(figures, np.nan)
        n_classes = int(decisions.true[part.rows].any(axis=0).sum())
        rows.append({"records": len(part.rows), "classes": n_classes, **figures})
    index = pd.MultiIndex.from_tuples(keys, names=["column", "group"])
    return pd.DataFrame(rows, index=index)


def gallery_table(
    chosen: Sequence[tuple[int, str]],
    subject: Subject,
    names: Sequence[str],
    audited: Any,
) -> Any:
    """Return the records of the gallery, and why they are in it."""
    import pandas as pd

    rows = [row for row, _ in chosen]
    decisions = subject.decisions
    said = [
        [" + ".join(np.array(subject.classes)[own]) or "none" for own in flags[rows]]
        for flags in (decisions.true, decisions.decided)
    ]
    return pd.DataFrame(
        {
            "name": [names[row] for row in rows],
            "kind": [kind for _, kind in chosen],
            "label": said[0],
            "decided": said[1],
            "confidence": decisions.confidence()[rows],
            "suspicion": audited["suspicion"].to_numpy()[rows],
            "reason": audited["reason"].to_numpy()[rows],
        },
        index=pd.Index(rows, name="row", dtype=int),
    )


def _figures(found: Measured) -> dict[str, Any]:
    """Return figures and ends of intervals by column: each class, then the mean."""
    columns = {}
    for m, name in enumerate(MEASURES):
        columns[name] = found.value[m]
        columns[f"{name}_low"] = found.low[m]
        columns[f"{name}_high"] = found.high[m]
    return columns
