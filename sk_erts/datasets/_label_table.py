"""Labels of records by their names, from mappings and tables."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._lib.checks import refuse
from sk_erts.datasets._paths import ENDINGS
from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = ["labels_by_record"]

# What a column of labels is most likely called.
LABEL_WORDS = ("label", "labels", "class", "target", "diagnosis", "rhythm", "y")
NAME_INDEX = "name of the record (index)"
LARGEST_INT = np.iinfo(np.int64).max


def labels_by_record(
    labels: Any,
    name_column: str | None,
    label_column: str | None,
    records: Container[str],
) -> dict[str, Any]:
    """Return the label of each record that is named.

    Parameters
    ----------
    labels : mapping, pandas.Series, pandas.DataFrame or path-like
        As `read_records` takes them.
    name_column, label_column : str or None
        Columns of the table.
    records : container of str
        Names of the records that are there.

    Returns
    -------
    label_of : dict of str to label
        By the name of the record, without folder and ending if it is there. Those of a
        file are str, or int if all of them are whole numbers in their plain spelling.

    Raises
    ------
    ValueError
        If `labels`, or a column, is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If the table is malformed, does not tell which columns count, has no headings
        where it needs them, or a label is missing or not one value.

    Examples
    --------
    >>> from sk_erts.datasets._label_table import labels_by_record
    >>> labels_by_record({"hosp/a1.hea": "AFIB", "b2": "NORM"}, None, None, ["a1"])
    {'a1': 'AFIB', 'b2': 'NORM'}
    """
    by_called = _labels(_as_series(labels, name_column, label_column, records))
    label_of = _by_record(by_called, records)
    if isinstance(labels, str | os.PathLike) and all(map(_is_int, label_of.values())):
        return {name: int(label) for name, label in label_of.items()}
    return label_of


def _as_series(
    labels: Any,
    name_column: str | None,
    label_column: str | None,
    records: Container[str],
) -> Any:
    """Return labels in a table as a Series by name; others as they are."""
    import pandas as pd

    source = "labels"
    if isinstance(labels, str | os.PathLike):
        source = os.fspath(labels)
        has_columns = name_column is not None or label_column is not None
        labels = _read_table(Path(labels), records, has_columns)
    elif not isinstance(labels, pd.DataFrame):
        if name_column is not None or label_column is not None:
            refuse("read_records", "labels", "be a table to have columns", repr(labels))
        if isinstance(labels, pd.Series):
            _check_headings([labels.index.name], source, records)
        return labels
    else:
        _check_headings([*labels.columns, labels.index.name], source, records)
        if name_column is None and (labels.shape[1] == 1 or label_column is not None):
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
        likely = _likely_columns(labels, records)
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


def _read_table(path: Path, records: Container[str], has_columns: bool) -> Any:
    """Return a table of text as it is written, under its headings or without any."""
    import pandas as pd

    if not path.is_file():
        raise RecordNotFoundError(
            f"There is no file {path}. The 'labels' of read_records may be a CSV "
            "table of names and labels."
        )
    # "NA" and "None" are labels, 01 is none of the codes that 1 is.
    options: dict[str, Any] = {
        "dtype": str,
        "keep_default_na": False,
        "encoding": "utf-8-sig",
    }
    try:
        lines = pd.read_csv(path, header=None, **options)
        is_plain = lines.shape[1] == 2 and not has_columns
        if is_plain and _begins_with_a_record(lines, records):
            return lines.map(_stripped)
        _check_headings(lines.iloc[0], os.fspath(path), records)
        return pd.read_csv(path, **options).map(_stripped)
    except UnicodeDecodeError as error:
        raise RecordError(
            f"{path}: the table must be a text file in UTF-8. Got the byte "
            f"{error.object[error.start]:#04x} that is none of it instead: save it "
            "as UTF-8, or pass pandas.read_csv(..., encoding='latin-1', dtype=str) if "
            "it is in Latin-1."
        ) from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise RecordError(
            f"{path}: the file must be a CSV table of names and labels. Got one that "
            f"pandas says this of instead: {str(error).strip()!r}. Mend it, or pass a "
            "data frame."
        ) from error


def _begins_with_a_record(rows: Any, records: Container[str]) -> bool:
    """Return whether the first of all lines of two columns is no line of headings.

    It names a record that is there; or one that is not, with a label that others have.
    """
    called, label = map(_stripped, rows.iloc[0])
    return _name_of(called, records) in records or label in set(
        rows.iloc[1:, 1].map(_stripped)
    )


def _check_headings(headings: Any, source: str, records: Container[str]) -> None:
    """Raise if what should be headings is a record, which would be lost."""
    named = [
        heading
        for heading in headings
        if isinstance(heading, str) and _name_of(_stripped(heading), records) in records
    ]
    if named:
        raise RecordError(
            f"{source}: the table must begin with a line of headings. Got the record "
            f"{named[0]!r} in their place, whose label would be lost: add a line such "
            "as 'name,label', or read a data frame with pandas.read_csv(..., "
            "header=None)."
        )


def _stripped(text: Any) -> Any:
    """Return text without the blanks around it; what is missing as it is."""
    return text.strip() if isinstance(text, str) else text


def _likely_columns(table: Any, records: Container[str]) -> str:
    """Return what to write for the columns that most likely hold names and labels."""

    def n_found(names: Any) -> int:
        return sum(_name_of(str(name), records) in records for name in names)

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
    kinds: dict[str, Any] = {}
    for name, label in labels.items():
        if not pd.api.types.is_scalar(label):
            raise RecordError(
                f"The 'labels' of read_records must be one value per record, a text or "
                f"a number. Got {label!r} for {name!r} instead: of several labels, "
                "read the records without, and give fit an indicator matrix."
            )
        if pd.isna(label) or label == "":
            raise RecordError(
                f"The 'labels' of read_records have none for {name!r}. Fill it, or "
                "take the record out."
            )
        kinds.setdefault(_kind(label), label)
    if len(kinds) > 1:
        one, other, *_ = kinds.values()
        raise RecordError(
            "The 'labels' of read_records must be all text, all numbers or all "
            f"true or false. Got {one!r} and {other!r} instead, which one array cannot "
            "hold as they are: write them alike."
        )
    return {str(name): label for name, label in labels.items()}


def _kind(label: Any) -> str:
    """Return what an array must hold to keep a label as it is."""
    if isinstance(label, bool | np.bool_):
        return "bool"
    return "number" if isinstance(label, Real) else type(label).__name__


def _is_int(label: Any) -> bool:
    """Return whether text is a whole number in its plain spelling, not 01 or +1."""
    digits = label.removeprefix("-")
    plain: bool = digits.isascii() and digits.isdigit() and str(int(label)) == label
    return plain and int(digits) <= LARGEST_INT


def _by_record(labels: Mapping[str, Any], records: Container[str]) -> dict[str, Any]:
    """Return labels by the name of their record, without folder and ending."""
    found: dict[str, Any] = {}
    for called, label in labels.items():
        name = _name_of(called, records)
        if name in found:
            raise RecordError(
                f"The 'labels' of read_records name {name!r} twice, as {called!r} too. "
                "Name each record once."
            )
        found[name] = label
    return found


def _name_of(called: str, records: Container[str]) -> str:
    """Return the name of the record that is meant; itself if there is none."""
    if called in records:
        return called
    last = called.strip().replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    has_ending = f"{dot}{ending}".casefold() in ENDINGS and last not in records
    bare = stem if has_ending else last
    return bare if bare in records else called
