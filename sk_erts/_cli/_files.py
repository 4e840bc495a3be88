"""A folder of files, in whatever formats, with a table of labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._cli._errors import DataFault, Fault
from sk_erts._lib.names import nearest
from sk_erts._records.ragged import stack_if_equal

__all__ = [
    "OF_TABLES",
    "find_files",
    "group_of",
    "has_headers",
    "known_of",
    "read_files",
]

# What `read_any` tells formats by, if it does not look inside.
ENDINGS = (".csv", ".dcm", ".edf", ".mat", ".rec", ".scp", ".tsv", ".txt", ".xml")
# Parameters of files that do not say it themselves.
OF_TABLES = ("fs", "unit", "lead_names")
OF_LABELS = ("labels", "name_column", "label_column")


def has_headers(folder: Path) -> bool:
    """Return whether there is a WFDB record in a folder, at any depth."""
    return next(folder.rglob("*.hea"), None) is not None


def find_files(folder: Path, labels: Any) -> dict[str, Path]:
    """Return files that may be recordings, by name without ending.

    Parameters
    ----------
    folder : Path
        Where they are, at any depth.
    labels : path-like or None
        A table that is none of them.

    Returns
    -------
    files : dict of str to Path
        Sorted.

    Raises
    ------
    DataFault
        If there is none, or two have one name.
    """
    table = None if labels is None else Path(labels).resolve()
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in ENDINGS or path.resolve() == table:
            continue
        if path.stem in found:
            raise DataFault(
                f"{found[path.stem]} and {path} have one name. Read them one folder "
                "at a time."
            )
        found[path.stem] = path
    if not found:
        raise DataFault(
            f"There is no recording in {folder}: no WFDB header, no file that ends in "
            f"{', '.join(ENDINGS)}."
        )
    return found


def read_files(folder: Path, params: dict[str, Any]) -> dict[str, Any]:
    """Read recordings in other formats than WFDB.

    Parameters
    ----------
    folder : Path
        Where they are.
    params : dict of str to object
        Of `read_records` and `read_any`.

    Returns
    -------
    found : dict of str to object
        ``X``, ``y``, ``names``, ``fs``, ``lead_names`` and ``n_skipped``, as `Data`
        has them.

    Raises
    ------
    DataFault
        If a recording, or the one that a label names, is not there; or they have
        different leads.
    """
    from sk_erts.datasets._label_table import labels_by_record

    params = dict(params)
    skips = params.pop("on_error", "raise") == "skip"
    labels, name_column, label_column = (params.pop(own, None) for own in OF_LABELS)
    files = find_files(folder, labels)
    n_skipped = 0
    label_of = None
    if labels is not None:
        label_of = labels_by_record(labels, name_column, label_column, files)
        label_of = {_stem(name, files): label for name, label in label_of.items()}
        absent = [name for name in label_of if name not in files]
        if absent and not skips:
            raise DataFault(
                f"{labels} names {len(absent)} records that are not in {folder}, among "
                f"them {', '.join(absent[:3])}. Add them, take out their labels, or "
                "pass --on-error skip."
            )
        n_skipped = len(absent)
        files = {name: path for name, path in files.items() if name in label_of}
    records = {}
    for name, record in _records(files, params, skips):
        if record is None:
            n_skipped += 1
        else:
            records[name] = record
    if not records:
        raise DataFault(f"None of the recordings in {folder} can be read.")
    leads = next(iter(records.values())).lead_names
    for name, record in records.items():
        if record.lead_names != leads:
            raise DataFault(
                f"{files[name]} has the leads {', '.join(record.lead_names)}, and the "
                f"first record has {', '.join(leads)}. Choose those that all have with "
                "--leads."
            )
    rates = np.array([record.fs for record in records.values()])
    return {
        "X": stack_if_equal([record.signal for record in records.values()]),
        "y": None
        if label_of is None
        else np.array([label_of[name] for name in records]),
        "names": np.array(list(records)),
        "fs": rates if len(set(rates)) > 1 else float(rates[0]),
        "lead_names": tuple(leads),
        "n_skipped": n_skipped,
    }


def _records(
    files: dict[str, Path], params: dict[str, Any], skips: bool
) -> Iterator[tuple[str, Any]]:
    """Read one file after the other; None for one that is left out."""
    from sk_erts.datasets import read_any
    from sk_erts.exceptions import RecordError

    for name, path in files.items():
        own = dict(params)
        if path.suffix.lower() not in (".csv", ".tsv", ".txt", ".mat"):
            own = {k: v for k, v in own.items() if k not in OF_TABLES}
        try:
            yield name, read_any(path, **own)
        except RecordError:
            if not skips:
                raise
            yield name, None
        except TypeError as error:
            raise Fault(f"{path.name} is read without such a parameter: {error}") from (
                error
            )


def _stem(name: str, files: dict[str, Path]) -> str:
    """Return the name of a file that a table calls with its ending."""
    if name in files:
        return name
    last = name.replace("\\", "/").rpartition("/")[2]
    stem, _, ending = last.rpartition(".")
    return (
        stem
        if f".{ending.lower()}" in (*ENDINGS, ".hea", ".dat") and stem in files
        else last
    )


def known_of(params: dict[str, Any], names: list[str]) -> Any:
    """Return what a table of labels tells of records beside the labels.

    Parameters
    ----------
    params : dict of str to object
        ``labels``, the file; ``name_column``, if it has more than two columns.
    names : list of str
        Of the records.

    Returns
    -------
    known : DataFrame or None
        A row for each record; None if the table has names and labels alone.
    """
    column = params.get("name_column")
    if column is None:
        return None
    import pandas as pd

    table = pd.read_csv(params["labels"], encoding="utf-8-sig")
    files = {name: Path(name) for name in names}
    table.index = pd.Index([_stem(str(name), files) for name in table[column]])
    others = [n for n in table.columns if n not in (column, params.get("label_column"))]
    return table.loc[names, others] if others else None


def group_of(known: Any, column: str | None, source: str) -> Any:
    """Return patients from a column of a table.

    Parameters
    ----------
    known : DataFrame or None
        Of `known_of`.
    column : str or None
        Its name.
    source : str
        The table, for errors.

    Returns
    -------
    groups : ndarray of shape (n_samples,) or None
        None without a column.
    """
    if column is None:
        return None
    columns = [] if known is None else list(known.columns)
    if column not in columns:
        advice = nearest(column, columns) if columns else "It has no further columns."
        raise Fault(f"{source} has no column {column!r} of patients. {advice}")
    return known[column].to_numpy()
