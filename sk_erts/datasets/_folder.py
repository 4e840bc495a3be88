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


def read_records(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    labels: Any = None,
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
        paths of records, with or without ``.hea``.
    labels : mapping, pandas.Series or path-like, default=None
        Label of each record by its name, without folder; or a table in a CSV file whose
        first two columns are name and label, with a line of headings. Only records with
        a label are read.
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
        can be read.
    RecordNotFoundError
        If the folder, the table, a record, or the record of a label is absent.
    RecordError
        If a record is bad, or has other leads than the first one.

    See Also
    --------
    RecordArray : Reads records when they are asked for.

    Examples
    --------
    >>> from sk_erts.datasets import read_records
    >>> read_records("not/here")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: There is no folder not/here. ...
    """
    check_on_error(on_error, "read_records")
    by_name = _find(paths)
    label_of = None if labels is None else _labels(labels)
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
        bare = path.with_suffix("") if path.suffix == ".hea" else path
        if bare.name in by_name:
            raise ValueError(
                f"The records {by_name[bare.name]} and {bare} have one name. Read them "
                "one folder at a time."
            )
        by_name[bare.name] = bare
    return by_name


def _labels(labels: Any) -> dict[str, Any]:
    """Return labels by the name of their record."""
    import pandas as pd

    if isinstance(labels, str | os.PathLike):
        if not Path(labels).is_file():
            raise RecordNotFoundError(
                f"There is no file {labels}. The 'labels' of read_records may be a CSV "
                "table of names and labels."
            )
        table = pd.read_csv(labels, dtype={0: str})
        if table.shape[1] < 2:
            raise RecordError(
                f"{labels}: the table must have two columns, name and label. Got "
                f"{table.shape[1]} instead."
            )
        labels = table.set_index(table.columns[0])[table.columns[1]]
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
            "be a mapping from names to labels, a Series or a CSV file, and not empty"
        )
        refuse("read_records", "labels", wanted, repr(labels))
    unlabelled = [name for name, label in labels.items() if pd.isna(label)]
    if unlabelled:
        raise RecordError(
            f"The 'labels' of read_records have none for {unlabelled[0]!r}. Fill it, "
            "or take the record out."
        )
    return {str(name): label for name, label in labels.items()}


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
