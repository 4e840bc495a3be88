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
from sk_erts.datasets._label_table import labels_by_record
from sk_erts.datasets._many import ManyRecords, read_many
from sk_erts.datasets._options import check_reading, same_leads
from sk_erts.datasets._paths import as_paths, find_headers, without_parts
from sk_erts.datasets._records import Record, check_on_error
from sk_erts.exceptions import RecordError, RecordNotFoundError


def read_records(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    labels: Any = None,
    name_column: str | None = None,
    label_column: str | None = None,
    leads: Iterable[str | int] | str | int | None = None,
    missing: str = "raise",
    assume: Mapping[str, Any] | None = None,
    on_error: str = "raise",
    allow_flat: bool = False,
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Any:
    r"""Read WFDB records from a folder or a list of paths.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        A folder, whose records at any depth are read in the order of their names; or
        paths of records, with or without ``.hea`` or the ending of their signal file.
        Of a record of several segments the whole is read, unless the labels name its
        segments.
    labels : mapping, pandas.Series, pandas.DataFrame or path-like, default=None
        Label of each record by its name; or a table of names and labels, in a data
        frame or a CSV file in UTF-8. A file needs no line of headings if it has two
        columns, names first. Its labels are kept as they are written, ``01`` and ``NA``
        too; if all are plain whole numbers, they are such. A name may have a folder
        before it, and an ending such as ``.hea`` or ``.mat``. Only records with a label
        are read.
    name_column, label_column : str, default=None
        Columns of the table that hold names and labels. Needed if it has more than two;
        else the first holds names and the second labels. The index of a data frame
        holds the names where only `label_column` is given, and where there is but one
        column.
    leads : iterable of str or int, str or int, default=None
        Leads to read, in this order, by name in whatever case, or by number from 0;
        None reads all. What is wrong with others does not matter: they may be blood
        pressure, or flat.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with samples that a record lacks, as those in gaps between
        segments: it is a bad record; straight lines are drawn over them, in leads that
        lack up to half of theirs; or of the record the longest stretch is kept in which
        no lead lacks any. What was done stands in ``missing``.
    assume : mapping, default=None
        What is meant by headers that do not say it, which are bad ones otherwise:
        ``fs``, the sampling frequency in Hz; ``gain``, the steps of the converter per
        mV; ``lead_names``, a name for each signal.
    on_error : {"raise", "skip"}, default="raise"
        Whether a record that cannot be read, or a label without its record, is an
        error, or is left out and listed in ``skipped``.
    allow_flat : bool, default=False
        Whether records are kept of which a lead that is read is constant from end to
        end; else they are bad ones.
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
            Leads, the same in all records, as the first one spells them.
        fs : int, float or ndarray of shape (n_samples,)
            Sampling frequency in Hz; an array if the records differ.
        groups : ndarray of shape (n_samples,), dtype str
            Names of the records.
        metadata : pandas.DataFrame of n_samples rows
            Indexed by record: ``path``, ``fs``, ``n_times``, ``comments``.
        skipped : pandas.DataFrame
            One row per record left out: ``record`` and ``error``.
        missing : pandas.DataFrame
            One row per lead of a record that lacks samples: ``record``, ``lead``,
            ``n_missing`` and ``n_times`` (samples, as recorded), ``share``, and
            ``first``, the time step of the recording that the signal begins with.
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
        If a record is bad, has other leads than the first one, or is a segment of
        another one that is read too; the message names the file, and of a header the
        line.

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

    One lead of a record in which blood pressure stands beside it, and a sample is
    missing:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> steps = np.array([[200, 90], [-32768, 91], [400, 92]], dtype="<i2")
    >>> lines = ["a 2 250 3", "a.dat 16 200/mV 16 0 0 0 0 II", "a.dat 16 1/mmHg 16 0 0"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.hea").write_text("\n".join(lines))
    ...     _ = Path(folder, "a.dat").write_bytes(steps.tobytes())
    ...     data = read_records(folder, leads="II", missing="interpolate")
    >>> data.data.tolist(), data.missing["n_missing"].tolist()
    ([[[1.0, 1.5, 2.0]]], [1])
    """
    check_on_error(on_error, "read_records")
    how = check_reading(
        "read_records",
        leads=leads,
        allow_flat=allow_flat,
        missing=missing,
        assume=assume,
    )
    by_name = _find(paths, with_parts=labels is not None)
    label_of = None
    if labels is not None:
        label_of = labels_by_record(labels, name_column, label_column, by_name)
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
    many = read_many(list(by_name.values()), how=how, on_error=on_error, n_jobs=n_jobs)
    import pandas as pd

    records, names, others = _of_the_same_leads(many, list(by_name), on_error)
    lost += others
    skipped = pd.concat(
        [many.skipped, pd.DataFrame(lost, columns=["record", "error"])],
        ignore_index=True,
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
        missing=many.missing[
            ~many.missing["record"].isin(skipped["record"])
        ].reset_index(drop=True),
        DESCR=f"{len(records)} records of {len(records[0].lead_names)} leads, in mV.",
    )


def _find(paths: Any, *, with_parts: bool) -> dict[str, Path]:
    """Return the paths of records, without extension, by name."""
    if isinstance(paths, str | os.PathLike):
        root = Path(paths)
        if not root.is_dir():
            raise RecordNotFoundError(
                f"There is no folder {root}. Pass a folder of WFDB records, or a list "
                "of paths."
            )
        found = find_headers(root)
        # Labels say whether the wholes or their parts are meant.
        found = found if with_parts else without_parts(found)
    else:
        found = as_paths("read_records", paths)
    by_name: dict[str, Path] = {}
    for path in found:
        if path.name in by_name:
            raise ValueError(
                f"The records {by_name[path.name]} and {path} have one name. Read them "
                "one folder at a time."
            )
        by_name[path.name] = path
    return by_name


def _of_the_same_leads(
    many: ManyRecords, names: list[str], on_error: str
) -> tuple[list[Record], list[str], list[tuple[str, str]]]:
    """Return the records with the leads of the first one, and what of the others."""
    wanted = many.found[0].lead_names
    kept, kept_names, lost = [], [], []
    fine = [name for name, is_fine in zip(names, many.fine, strict=True) if is_fine]
    for record, name in zip(many.found, fine, strict=True):
        if same_leads(record.lead_names, wanted):
            kept.append(record)
            kept_names.append(name)
            continue
        message = (
            f"{record.name}: a record must have the leads of the first one, "
            f"{', '.join(wanted)}. Got {', '.join(record.lead_names)} instead; choose "
            "leads that all records have with 'leads'."
        )
        if on_error == "raise":
            raise RecordError(message)
        lost.append((record.name, message))
    return kept, kept_names, lost
