"""Which groups of records metadata tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sk_erts._lib.checks import refuse
from sk_erts._lib.typing import IntArray

__all__ = ["FEWEST", "Subgroup", "as_columns", "subgroups"]

OWNER = "report"
# Of fewer records nothing is said.
FEWEST = 10
# A column of more different numbers is binned, one of more different words shortened.
MOST_NUMBERS, MOST_WORDS = 6, 8
AGES = (40, 60, 80)
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Subgroup:
    """Records that have something in common.

    Attributes
    ----------
    column, name : str
        What they have in common.
    rows : int ndarray
        Which records they are.
    """

    column: str
    name: str
    rows: IntArray


def as_columns(metadata: Any, n_samples: int) -> Any:
    """Return metadata as a data frame with one row for each record, or raise.

    Parameters
    ----------
    metadata : DataFrame, mapping of str to array-like, or None
        What was given.
    n_samples : int
        Number of records.

    Returns
    -------
    table : pandas.DataFrame
        Its rows are numbered; no column if nothing was given.

    Raises
    ------
    ValueError
        If it is something else, or has another number of rows.
    """
    import pandas as pd

    if metadata is None:
        return pd.DataFrame(index=range(n_samples))
    if isinstance(metadata, Mapping):
        for name, column in metadata.items():
            length = len(column) if np.ndim(column) == 1 else None
            if length != n_samples:
                wanted = f"hold one value for each of the {n_samples} records"
                got = repr(column) if length is None else f"{length} values"
                refuse(OWNER, f"metadata[{name}]", wanted, got)
        columns = {name: np.asarray(column) for name, column in metadata.items()}
        return pd.DataFrame(columns, index=range(n_samples))
    if not isinstance(metadata, pd.DataFrame):
        wanted = "be a data frame or a dictionary of columns"
        refuse(OWNER, "metadata", wanted, type(metadata).__name__)
    if len(metadata) != n_samples:
        wanted = f"have one row for each of the {n_samples} records"
        refuse(OWNER, "metadata", wanted, f"{len(metadata)} rows")
    return metadata.reset_index(drop=True)


def subgroups(table: Any) -> list[Subgroup]:
    """Return the groups that each column divides the records into.

    Parameters
    ----------
    table : pandas.DataFrame
        As `as_columns` returns it.

    Returns
    -------
    groups : list of Subgroup
        Ages below 40, 60 and 80 and above, of a column named age; quarters of other
        columns of many numbers; else the values themselves, from the most frequent on,
        of which the eighth and all later ones are put together. Records without a
        value come last.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_erts.report._subgroups import subgroups
    >>> table = pd.DataFrame({"age": [30, 85, 59, None, 41, 62, 77, 20]})
    >>> [(group.name, group.rows.tolist()) for group in subgroups(table)][:3]
    [('under 40', [0, 7]), ('40 to 59', [2, 4]), ('60 to 79', [5, 6])]
    """
    found = []
    for k, column in enumerate(table.columns):
        names = _names(table.iloc[:, k], str(column))
        found += [
            Subgroup(str(column), name, np.flatnonzero(names == name))
            for name in names.cat.categories
            if (names == name).any()
        ]
    return found


def _names(column: Any, name: str) -> Any:
    """Return the group of each record, as an ordered categorical of strings."""
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(column)
    if is_number and not pd.api.types.is_bool_dtype(column):
        column = column.astype(float)
        column = column.where(np.isfinite(column))
        if column.nunique() > MOST_NUMBERS:
            return _with_unknown(_binned(column, name))
        order = sorted(column.dropna().unique())
        words = column.map(lambda value: f"{value:g}", na_action="ignore")
        return _with_unknown(words, [f"{value:g}" for value in order])
    words = column.astype(object).map(str, na_action="ignore")
    counts = words.value_counts()
    order = counts.index.tolist()
    if len(order) > MOST_WORDS:
        rest = order[MOST_WORDS - 1 :]
        others = f"{len(rest)} others"
        words = words.where(~words.isin(rest), others)
        order = [*order[: MOST_WORDS - 1], others]
    return _with_unknown(words, order)


def _binned(column: Any, name: str) -> Any:
    import pandas as pd

    if name.casefold().startswith("age"):
        edges = [-np.inf, *AGES, np.inf]
        between = [f"{low} to {high - 1}" for low, high in pairwise(AGES)]
        names = [f"under {AGES[0]}", *between, f"{AGES[-1]} and over"]
        return pd.cut(column, edges, right=False, labels=names)
    found = pd.qcut(column, 4, duplicates="drop", labels=False)
    bounds = column.groupby(found).agg(["min", "max"])
    said = {
        number: f"{low:.6g} to {high:.6g}" if low < high else f"{low:.6g}"
        for number, low, high in bounds.itertuples()
    }
    return pd.Series(pd.Categorical(found.map(said), [*dict.fromkeys(said.values())]))


def _with_unknown(words: Any, order: Any = None) -> Any:
    """Return an ordered categorical in which what is missing has a name."""
    import pandas as pd

    if order is None:
        order = [str(name) for name in words.cat.categories]
        words = words.astype(object)
    if words.isna().any():
        words = words.where(words.notna(), UNKNOWN)
        order = [*(name for name in order if name != UNKNOWN), UNKNOWN]
    return pd.Series(pd.Categorical(words, categories=order))
