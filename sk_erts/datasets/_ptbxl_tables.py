"""Read the two tables of PTB-XL."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sk_erts.datasets._scp_labels import TASK_COLUMNS, parse_statements
from sk_erts.exceptions import RecordError, RecordNotFoundError

if TYPE_CHECKING:
    import pandas as pd

_RECORD_COLUMNS = (
    "patient_id",
    "age",
    "sex",
    "report",
    "scp_codes",
    "baseline_drift",
    "static_noise",
    "burst_noise",
    "electrodes_problems",
    "strat_fold",
)


def read_records(folder: Path, path_column: str) -> "pd.DataFrame":
    """Read ``ptbxl_database.csv``.

    Parameters
    ----------
    folder : Path
        The folder of the data set.
    path_column : str
        The column with the records' paths.

    Returns
    -------
    table : pandas.DataFrame
        One row a record, indexed by ``ecg_id``; patients and folds are integers, SCP
        statements are parsed.

    Raises
    ------
    RecordNotFoundError
        If the table is absent.
    RecordError
        If it is no such table.
    """
    path = folder / "ptbxl_database.csv"
    table = _read_csv(path, "ecg_id", [*_RECORD_COLUMNS, path_column])
    repeated = table.index[table.index.duplicated()]
    if len(repeated):
        raise RecordError(
            f"{path}: each ecg_id must stand in one row. "
            f"Got {repeated[0]} more than once instead."
        )
    for column in ("patient_id", "strat_fold", path_column):
        if (empty := table.index[table[column].isna()]).size:
            raise RecordError(
                f"{path}: column {column!r} must be filled. "
                f"Got {empty.size} empty cells instead, first in ecg_id {empty[0]}."
            )
    for column in ("patient_id", "strat_fold"):
        try:
            table[column] = table[column].astype("int64")
        except ValueError as error:
            raise RecordError(f"{path}: column {column!r} must hold ints.") from error
    statements = []
    for ecg_id, text in table["scp_codes"].items():
        try:
            statements.append(parse_statements(text))
        except (ValueError, TypeError) as error:
            raise RecordError(
                f"{path}: 'scp_codes' of ecg_id {ecg_id} must be a dictionary of "
                f"statements and likelihoods. Got {text!r} instead."
            ) from error
    table["scp_codes"] = statements
    return table


def read_label_map(folder: Path, task: str) -> tuple[dict[str, str], set[str]]:
    """Read from ``scp_statements.csv`` which label each statement has in a task.

    Parameters
    ----------
    folder : Path
        The folder of the data set.
    task : {"superclass", "subclass", "statement"}
        Kind of label.

    Returns
    -------
    label_of : dict of str to str
        Labels of the statements that have one.
    codes : set of str
        All statements.

    Raises
    ------
    RecordNotFoundError
        If the table is absent.
    RecordError
        If it is no such table.
    """
    columns = [column for column in TASK_COLUMNS.values() if column is not None]
    # The official table leaves the name of its first column empty.
    table = _read_csv(folder / "scp_statements.csv", 0, ["diagnostic", *columns])
    codes = {str(code) for code in table.index}
    column = TASK_COLUMNS[task]
    if column is None:
        return {code: code for code in codes}, codes
    labels = table.loc[table["diagnostic"] == 1, column].dropna()
    return {str(code): str(label) for code, label in labels.items()}, codes


def _read_csv(path: Path, index: str | int, columns: Sequence[str]) -> "pd.DataFrame":
    """Read a table that must exist and have these columns."""
    import pandas as pd

    if not path.is_file():
        raise RecordNotFoundError(
            f"There is no file {path}. The 'folder' parameter of load_ptbxl must name "
            "the folder that holds ptbxl_database.csv and scp_statements.csv: unpack "
            "PTB-XL from PhysioNet and pass that folder."
        )
    try:
        table = pd.read_csv(path)
    except ValueError as error:  # also pandas' parser errors and undecodable bytes
        raise RecordError(f"{path}: cannot be read as a table: {error}") from error
    wanted = [*([index] if isinstance(index, str) else []), *columns]
    absent = [column for column in wanted if column not in table.columns]
    if absent:
        raise RecordError(
            f"{path}: the table must have the columns {', '.join(wanted)}. "
            f"Missing: {', '.join(absent)}; restore the file."
        )
    return table.set_index(index if isinstance(index, str) else table.columns[index])
