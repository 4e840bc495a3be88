"""Texts that a user's own model wrote, in place of built ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from sk_erts._lib.checks import check_choice, check_choices, refuse
from sk_erts.pretraining._sections import SECTIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["own_texts"]


def own_texts(
    owner: object, texts: Any, database: pd.DataFrame
) -> Callable[[int], dict[str, str]]:
    """Return a function from a record's place to the sections that a user gave.

    Parameters
    ----------
    owner : object
        Whose parameter `texts` is.
    texts : callable, pandas.DataFrame or None
        As in `structured_reports`.
    database : pandas.DataFrame
        One row per record.

    Returns
    -------
    given : callable
        Takes the place of a row of `database`, and returns the texts of sections.

    Raises
    ------
    ValueError
        If `texts` is none of the three, or speaks of other rows or sections.
    """
    if texts is None:
        return lambda k: {}
    if hasattr(texts, "columns") and hasattr(texts, "index"):
        if strange := [row for row in texts.index if row not in database.index]:
            got = f"the row(s) {', '.join(map(str, strange[:5]))}"
            refuse(owner, "texts", "have rows of 'database' only", got)
        if not texts.index.is_unique:
            refuse(owner, "texts", "have one row per record", "repeated rows")
        names = [str(name) for name in texts.columns]
        check_choices(owner, "texts", names, SECTIONS)
        by_row = dict(zip(texts.index, texts.to_dict("records"), strict=True))
        return lambda k: _check_sections(
            owner, by_row.get(database.index[k], {}), database.index[k]
        )
    if not callable(texts):
        got = f"an object of type {type(texts).__name__}"
        refuse(owner, "texts", "be None, a function of a row, or a DataFrame", got)
    return lambda k: _check_sections(owner, texts(database.iloc[k]), database.index[k])


def _check_sections(owner: object, sections: Any, row: object) -> dict[str, str]:
    """Return the sections that are given, or raise."""
    import pandas as pd

    if not isinstance(sections, Mapping):
        wanted = "give a dictionary of sections for each row"
        refuse(owner, "texts", wanted, f"{sections!r} for row {row}")
    found = {}
    for name, text in sections.items():
        check_choice(owner, "texts", name, SECTIONS)
        if text is None or text is pd.NA or (isinstance(text, float) and isnan(text)):
            continue
        if not isinstance(text, str):
            got = f"{text!r} as {name} of row {row}"
            refuse(owner, "texts", "give sections as strings", got)
        found[name] = text.strip()
    return found
