"""Any WFDB records, with the labels that somebody gives them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sk_erts._lib.checks import refuse
from sk_erts._records.ragged import stack_if_equal
from sk_erts.datasets._records import check_on_error, read_many
from sk_erts.exceptions import RecordError, RecordNotFoundError

# What the name of a record may end with in a table: its header, or a signal file.
ENDINGS = (".hea", ".mat", ".dat")
# What a column of labels is most likely called.
LABEL_WORDS = ("label", "labels", "class", "target", "diagnosis", "rhythm", "y")
NAME_INDEX = "name of the record (index)"


def read_records(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    labels: Any = None,
    name_column: str | None = None,
    label_column: str | None = None,
    on_error: str = "raise",
    allow_flat: bool = False,
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Any:
    """Read WFDB records from a folder or a list of paths.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        A folder, whose records at any depth are read in the order of their names; or
        paths of records, with or without ``.hea`` or the ending of their signal file.
    labels : mapping, pandas.Series, pandas.DataFrame or path-like, default=None
        Label of each record by its name; or a table of names and labels, in a data
        frame or a CSV file with a line of headings. A name may have a folder before it,
        and an ending such as ``.hea`` or ``.mat``. Only records with a label are read.
    name_column, label_column : str, default=None
        Columns of the table that hold names and labels. Needed if it has more than two;
        else the first holds names and the second labels. The index of a data frame
        holds the names where only `label_column` is given, and where there is but one
        column.
    on_error : {"raise", "skip"}, default="raise"
        Whether a record that cannot be read, or a label without its record, is an
        error, or is left out and listed in ``skipped``.
    allow_flat : bool, default=False
        Whether records are kept of which a lead is constant from end to end; else they
        are bad ones.
    n_jobs : int, default=None
        Number of processes that read; None is one.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes:

        data : ndarray of shape (n_samples, n_leads, n_times), dtype float32
            Signals in mV. If lengths differ, an object array of shape (n_samples,).
        target : ndarray of shape (n_samples,) or None
            Labels.
        target_names : list or None
            All labels, sorted.
        lead_names : tuple of str
            Leads, the same in all records.
        fs : int, float or ndarray of shape (n_samples,)
            Sampling frequency in Hz; an array if the records differ.
        groups : ndarray of shape (n_samples,), dtype str
            Names of the records.
        metadata : pandas.DataFrame of n_samples rows
            Indexed by record: ``path``, ``fs``, ``n_times``, ``comments``.
        skipped : pandas.DataFrame
            One row per record left out: ``record`` and ``error``.
        DESCR : str
            What this is, in a line.
    (data, target) : tuple
        If ``return_X_y`` is true.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, two records have one name, or no record
        can be read. `RecordError`, if a table does not tell which of its columns count.
    RecordNotFoundError
        If the folder, the table, a record, or the record of a label is absent.
    RecordError
        If a record is bad, or has other leads than the first one.

    See Also
    --------
    RecordArray : Reads records when they are asked for.

    Examples
    --------
    With a table of more columns than two, say ``file,patient,label``, one writes
    ``read_records(folder, labels="l.csv", name_column="file", label_column="label")``.

    >>> from sk_erts.datasets import read_records
    >>> read_records("not/here")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: There is no folder not/here. ...
    """
    check_on_error(on_error, "read_records")
    by_name = _find(paths)
    label_of = None
    if labels is not None:
        table = _as_series(labels, name_column, label_column, by_name)
        label_of = _by_record(_labels(table), by_name)
    elif name_column is not None or label_column is not None:
        refuse("read_records", "labels", "be a table to have columns", "None")
    lost: list[tuple[str, str]] = []
    if label_of is not None:
        absent = [name for name in label_of if name not in by_name]
        if absent and on_error == "raise":
            raise RecordNotFoundError(
                f"The 'labels' of read_records name {len(absent)} records that are not "
                f"there, among them {', '.join(absent[:3])}. Add the records, take out "
                "their labels, or pass on_error='skip'."
            )
        lost = [(name, "the labels name it, but it is not there") for name in absent]
        by_name = {name: path for name, path in by_name.items() if name in label_of}
        if not by_name:
            raise ValueError("None of the records of read_records has a label.")
    records, fine, skipped = read_many(
        list(by_name.values()),
        on_error=on_error,
        allow_flat=allow_flat,
        n_jobs=n_jobs,
    )
    names = [name for name, is_fine in zip(by_name, fine, strict=True) if is_fine]
    import pandas as pd

    records, names, others = _of_the_same_leads(records, names, on_error)
    lost += others
    skipped = pd.concat(
        [skipped, pd.DataFrame(lost, columns=["record", "error"])], ignore_index=True
    )
    data = stack_if_equal([record.signal for record in records])
    target = None if label_of is None else np.array([label_of[name] for name in names])
    if return_X_y:
        return data, target
    fs = np.array([record.fs for record in records])
    return Bunch(
        data=data,
        target=target,
        target_names=None if target is None else np.unique(target).tolist(),
        lead_names=records[0].lead_names,
        fs=fs if len(set(fs)) > 1 else fs[0].item(),
        groups=np.array(names),
        metadata=pd.DataFrame(
            {
                "path": [record.name for record in records],
                "fs": fs,
                "n_times": [record.signal.shape[1] for record in records],
                "comments": [record.comments for record in records],
            },
            index=pd.Index(names, name="record"),
        ),
        skipped=skipped,
        DESCR=f"{len(records)} records of {len(records[0].lead_names)} leads, in mV.",
    )


def _find(paths: Any) -> dict[str, Path]:
    """Return the paths of records, without extension, by name."""
    if isinstance(paths, str | os.PathLike):
        root = Path(paths)
        if not root.is_dir():
            raise RecordNotFoundError(
                f"There is no folder {root}. Pass a folder of WFDB records, or a list "
                "of paths."
            )
        found = sorted(root.rglob("*.hea"), key=lambda path: (path.name, path))
        if not found:
            raise RecordNotFoundError(f"The folder {root} holds no header (.hea).")
    else:
        found = [Path(path) for path in paths]
        if not found:
            refuse("read_records", "paths", "hold a path or more", "none")
    by_name: dict[str, Path] = {}
    for path in found:
        bare = path.with_suffix("") if _has_ending(path) else path
        if bare.name in by_name:
            raise ValueError(
                f"The records {by_name[bare.name]} and {bare} have one name. Read them "
                "one folder at a time."
            )
        by_name[bare.name] = bare
    return by_name


def _has_ending(path: Path) -> bool:
    """Return whether the path of a record ends as that of one of its files."""
    return path.suffix in ENDINGS and not Path(f"{path}.hea").is_file()


def _as_series(
    labels: Any,
    name_column: str | None,
    label_column: str | None,
    by_name: Mapping[str, Path],
) -> Any:
    """Return labels in a table as a Series by name; others as they are."""
    import pandas as pd

    source = "labels"
    if isinstance(labels, str | os.PathLike):
        source = os.fspath(labels)
        if not Path(labels).is_file():
            raise RecordNotFoundError(
                f"There is no file {labels}. The 'labels' of read_records may be a CSV "
                "table of names and labels."
            )
        dtype: Any = {0 if name_column is None else name_column: str}
        labels = pd.read_csv(labels, dtype=dtype)
    elif not isinstance(labels, pd.DataFrame):
        if name_column is not None or label_column is not None:
            refuse("read_records", "labels", "be a table to have columns", repr(labels))
        return labels
    elif name_column is None and (labels.shape[1] == 1 or label_column is not None):
        labels = labels.rename_axis("index").reset_index(names=NAME_INDEX)
        name_column = NAME_INDEX
    if name_column is None and label_column is None and labels.shape[1] == 2:
        name_column, label_column = labels.columns
    elif name_column == NAME_INDEX and label_column is None:
        label_column = labels.columns[1]
    columns = [column for column in labels.columns if column != NAME_INDEX]
    if labels.shape[1] < 2:
        raise RecordError(
            f"{source}: the table must have two columns, name and label. Got "
            f"{labels.shape[1]} instead."
        )
    if name_column is None or label_column is None:
        likely = _likely_columns(labels, by_name)
        raise RecordError(
            f"{source}: the table has the columns {', '.join(map(repr, columns))}, and "
            "read_records must be told which of them hold names and labels. Write "
            f"read_records(..., {likely})."
        )
    for parameter, column in [
        ("name_column", name_column),
        ("label_column", label_column),
    ]:
        if column not in labels.columns:
            wanted = f"be a column of the table, {', '.join(map(repr, columns))}"
            refuse("read_records", parameter, wanted, repr(column))
    return labels.set_index(name_column)[label_column]


def _likely_columns(table: Any, by_name: Mapping[str, Path]) -> str:
    """Return what to write for the columns that most likely hold names and labels."""

    def n_found(names: Any) -> int:
        return sum(_name_of(str(name), by_name) in by_name for name in names)

    columns = list(table.columns)
    best = max(columns, key=lambda column: n_found(table[column]))
    in_index = n_found(table.index) > n_found(table[best])
    others = [column for column in columns if in_index or column != best]
    called = [column for column in others if str(column).casefold() in LABEL_WORDS]
    labels = f"label_column={(called or others[-1:])[0]!r}"
    return labels if in_index else f"name_column={best!r}, {labels}"


def _labels(labels: Any) -> dict[str, Any]:
    """Return labels by what they call their record."""
    import pandas as pd

    if isinstance(labels, pd.Series):
        doubled = labels.index[labels.index.duplicated()]
        if len(doubled):
            raise RecordError(
                f"The 'labels' of read_records name {doubled[0]!r} twice. Name each "
                "record once."
            )
        labels = labels.to_dict()
    if not isinstance(labels, Mapping) or not labels:
        wanted = (
            "be a mapping from names to labels, a Series, a data frame or a CSV file, "
            "and not empty"
        )
        refuse("read_records", "labels", wanted, repr(labels))
    unlabelled = [name for name, label in labels.items() if pd.isna(label)]
    if unlabelled:
        raise RecordError(
            f"The 'labels' of read_records have none for {unlabelled[0]!r}. Fill it, "
            "or take the record out."
        )
    return {str(name): label for name, label in labels.items()}


def _by_record(
    labels: Mapping[str, Any], by_name: Mapping[str, Path]
) -> dict[str, Any]:
    """Return labels by the name of their record, without folder and ending."""
    found: dict[str, Any] = {}
    for called, label in labels.items():
        name = _name_of(called, by_name)
        if name in found:
            raise RecordError(
                f"The 'labels' of read_records name {name!r} twice, as {called!r} too. "
                "Name each record once."
            )
        found[name] = label
    return found


def _name_of(called: str, by_name: Mapping[str, Path]) -> str:
    """Return the name of the record that is meant; itself if there is none."""
    if called in by_name:
        return called
    last = called.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    bare = stem if f"{dot}{ending}" in ENDINGS and last not in by_name else last
    return bare if bare in by_name else called


def _of_the_same_leads(
    records: list[Any], names: list[str], on_error: str
) -> tuple[list[Any], list[str], list[tuple[str, str]]]:
    """Return the records with the leads of the first one, and what of the others."""
    wanted = records[0].lead_names
    kept, kept_names, lost = [], [], []
    for record, name in zip(records, names, strict=True):
        if record.lead_names == wanted:
            kept.append(record)
            kept_names.append(name)
            continue
        message = (
            f"{record.name}: a record must have the leads of the first one, "
            f"{', '.join(wanted)}. Got {', '.join(record.lead_names)} instead."
        )
        if on_error == "raise":
            raise RecordError(message)
        lost.append((record.name, message))
    return kept, kept_names, lost
