"""Choose records of PTB-XL, and give them labels, by its two tables."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sk_erts._lib.checks import check_choice, check_number, is_int, refuse
from sk_erts.datasets._ptbxl_tables import read_label_map, read_records
from sk_erts.datasets._scp_labels import TASK_COLUMNS, choose_single, label_likelihoods
from sk_erts.exceptions import RecordError

if TYPE_CHECKING:
    import pandas as pd

_OWNER = "load_ptbxl"

PATH_COLUMNS = {100: "filename_lr", 500: "filename_hr"}
_SINGLE_LABEL: Mapping[bool | str, str | None] = {
    False: None,
    True: "unique",
    "unique": "unique",
    "likeliest": "likeliest",
}


def check_selection(
    fs: Any, task: Any, folds: Any, single_label: Any, min_likelihood: Any
) -> list[int] | None:
    """Return the folds, or raise for the first parameter that is not what it must be.

    Parameters
    ----------
    fs : {100, 500}
        As in `load_ptbxl`.
    task : {"superclass", "subclass", "statement"}
        As in `load_ptbxl`.
    folds : iterable of int or None
        As in `load_ptbxl`.
    single_label : bool or {"unique", "likeliest"}
        As in `load_ptbxl`.
    min_likelihood : float
        As in `load_ptbxl`.

    Returns
    -------
    folds : list of int or None
        Sorted, without repetitions; None is all.
    """
    _check_parameters(fs, task, single_label, min_likelihood)
    return _check_folds(folds)


def select_records(
    root: Path,
    fs: int,
    task: str,
    folds: list[int] | None,
    single_label: bool | str,
    min_likelihood: float,
) -> "tuple[pd.DataFrame, NDArray[Any], list[str]]":
    """Choose records by the tables alone.

    Parameters
    ----------
    root : Path
        Folder of the tables.
    fs : {100, 500}
        As in `load_ptbxl`, checked; so are the others.
    task : {"superclass", "subclass", "statement"}
        Kind of label.
    folds : list of int or None
        Folds to choose from; None is all.
    single_label : bool or {"unique", "likeliest"}
        Which records to keep.
    min_likelihood : float
        Percentage.

    Returns
    -------
    table : pandas.DataFrame of n_samples rows
        The chosen rows of the table of records.
    target : ndarray of shape (n_samples, n_labels) or (n_samples,)
        Labels, as `load_ptbxl` returns them.
    target_names : list of n_labels str
        All labels of the task, sorted.

    Raises
    ------
    ValueError
        If no record is chosen.
    RecordNotFoundError
        If a table is absent.
    RecordError
        If a table is not what it must be.
    """
    table = read_records(root, PATH_COLUMNS[fs])
    label_of, codes = read_label_map(root, task)
    _check_codes(table["scp_codes"], codes, root)
    if folds is not None:
        present = sorted(set(table["strat_fold"]))
        table = table[table["strat_fold"].isin(folds)]
        if table.empty:
            advice = f"{root} has records of folds {present}."
            refuse(_OWNER, "folds", "select records", folds, advice)
    target_names = sorted(set(label_of.values()))
    likelihoods = label_likelihoods(
        list(table["scp_codes"]), label_of, target_names, min_likelihood
    )
    single = _SINGLE_LABEL[single_label]
    if single is None:
        return table, (likelihoods >= 0).astype(np.int64), target_names
    kept, label = choose_single(likelihoods, single)
    if not kept.any():
        raise ValueError(
            f"The 'single_label' parameter of load_ptbxl is {single_label!r}, but "
            f"none of the {len(table)} selected records has such a label for the "
            f"{task!r} task. Lower min_likelihood, add folds, or pass False."
        )
    return table[kept], np.array(target_names)[label[kept]], target_names


def _check_codes(statements: Iterable[Any], codes: set[str], root: Path) -> None:
    """Raise if a record has a statement that the table of statements lacks."""
    unknown = sorted({code for record in statements for code in record} - codes)
    if unknown:
        raise RecordError(
            f"{root / 'scp_statements.csv'}: the table must list every statement of "
            f"ptbxl_database.csv. Missing: {', '.join(unknown[:5])}; take both tables "
            "from the same version of PTB-XL."
        )


def _check_parameters(
    fs: Any, task: Any, single_label: Any, min_likelihood: Any
) -> None:
    """Raise for the first parameter that is not what it must be."""
    if fs not in tuple(PATH_COLUMNS):
        refuse(_OWNER, "fs", "be 100 or 500", repr(fs))
    check_choice(_OWNER, "task", task, TASK_COLUMNS)
    if not isinstance(single_label, bool | str) or single_label not in _SINGLE_LABEL:
        wanted = "be a bool, 'unique' or 'likeliest'"
        refuse(_OWNER, "single_label", wanted, repr(single_label))
    check_number(_OWNER, "min_likelihood", min_likelihood, least=0, most=100)


def _check_folds(folds: Any) -> list[int] | None:
    """Return the folds as a list, or raise."""
    if folds is None:
        return None
    wanted = "be None or an iterable of ints in [1, 10], at least one"
    if isinstance(folds, str) or not np.iterable(folds):
        refuse(_OWNER, "folds", wanted, repr(folds))
    numbers = list(folds)
    fine = [is_int(fold) and 1 <= fold <= 10 for fold in numbers]
    if not fine or not all(fine):
        refuse(_OWNER, "folds", wanted, repr(numbers))
    return sorted({int(fold) for fold in numbers})
