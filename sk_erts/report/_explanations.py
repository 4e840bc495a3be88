"""Are the maps true? A few records, all measures."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts.metrics import evaluate_explanations
from sk_erts.report._subject import Subject

__all__ = ["explanation_table"]


def explanation_table(
    subject: Subject,
    methods: Sequence[str],
    n_explained: int,
    rng: np.random.RandomState,
) -> tuple[Any, str]:
    """Measure maps of records drawn at random.

    Parameters
    ----------
    subject : Subject
        Of the report.
    methods : sequence of str
        Attribution methods.
    n_explained : int
        Records; 0 measures nothing.
    rng : RandomState
        Draws them, and what the measures draw.

    Returns
    -------
    table : pandas.DataFrame or None
        As `evaluate_explanations` returns it.
    why_not : str
        Why there is none.
    """
    if n_explained == 0:
        return None, "They were not asked for (n_explained=0)."
    if not hasattr(subject.clf, "net_"):
        return None, "They are made for one network, and this is an ensemble."
    if subject.records.lengths is not None:
        return None, "They are made for records of one length."
    n = min(n_explained, len(subject.records))
    if n < 2:
        return None, "They compare maps of different records, and this is one."
    rows = np.sort(rng.choice(len(subject.records), size=n, replace=False))
    with warnings.catch_warnings():
        # Columns of a data frame are told by their place.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        table = evaluate_explanations(
            subject.clf,
            subject.records.take(rows),
            methods={name: {"contrast": "rival"} for name in methods},  # those shown
            random_state=rng,
        )
    return table, ""
