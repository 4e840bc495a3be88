"""PhysioNet/CinC Challenge 2017, read from its folder."""

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sk_erts._records.ragged import stack_if_equal
from sk_erts.datasets._many import read_many
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record, check_on_error
from sk_erts.exceptions import RecordError, RecordNotFoundError

# The third correction of the labels comes first.
TABLES = ("REFERENCE-v3.csv", "REFERENCE.csv")
CLASSES = ("A", "N", "O", "~")
FS = 300

# Where records may lie below the folder, with the first three letters of their name.
# PhysioNet's archive unpacks to the first, its web folders are the others. The copies
# in "validation" are left alone.
PLACES = ("", "{:.3}", "training/{:.3}")


def load_cinc2017(
    folder: str | os.PathLike[str],
    *,
    missing: str = "raise",
    on_error: str = "raise",
    allow_flat: bool = False,
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load the CinC 2017 challenge: single-lead rhythms of 9 to 61 s.

    Parameters
    ----------
    folder : str or path-like
        Folder that holds ``REFERENCE-v3.csv`` (or the older ``REFERENCE.csv``) [1]_,
        and the records beside it, as in PhysioNet's archive, or in ``A00``,
        ``training/A00`` and so on, as on its web pages.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with samples that a record lacks, see `read_records`.
    on_error : {"raise", "skip"}, default="raise"
        Whether a record that cannot be read is an error, or is left out and listed in
        ``skipped``.
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

        data : object ndarray of shape (n_samples,)
            Signals in mV, each of shape (1, n_times) and dtype float32. Lengths
            differ; if they do not, one array of shape (n_samples, 1, n_times).
        target : ndarray of shape (n_samples,), dtype str
            A (atrial fibrillation), N (normal), O (other rhythm) or ~ (too noisy).
        target_names : list of str
            These four.
        lead_names : tuple of str
            ``("I",)``: the device records between both hands.
        fs : int
            300 Hz.
        groups : ndarray of shape (n_samples,), dtype str
            Names of the records: the challenge tells no patients.
        metadata : pandas.DataFrame of n_samples rows
            Indexed by record: ``n_times`` and ``duration_s``.
        skipped : pandas.DataFrame
            One row per record left out: ``record`` and ``error``.
        missing : pandas.DataFrame
            One row per lead of a record that lacks samples, see `read_records`.
        DESCR : str
            What this is, in a few lines.
    (data, target) : tuple
        If ``return_X_y`` is true.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, or no record can be read.
    RecordNotFoundError
        If the folder, the table of labels or a record that it names is absent.
    RecordError
        If a label is unknown, or a record is cut short or otherwise bad.

    References
    ----------
    .. [1] G. Clifford et al., "AF classification from a short single lead ECG
       recording", Computing in Cardiology 2017, doi:10.22489/CinC.2017.065-469

    Examples
    --------
    >>> from sk_erts.datasets import load_cinc2017
    >>> load_cinc2017("not/here")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: not/here: there is no REFERENCE-v3.csv ...
    """
    check_on_error(on_error, "load_cinc2017")
    how = check_reading("load_cinc2017", allow_flat=allow_flat, missing=missing)
    root = Path(folder)
    labels = read_labels(root)
    many = read_many(
        [_find(root, name) for name in labels],
        _checked,
        how=how,
        on_error=on_error,
        n_jobs=n_jobs,
    )
    import pandas as pd

    names = np.array(list(labels))[many.fine]
    target = np.array(list(labels.values()))[many.fine]
    data = stack_if_equal([record.signal for record in many.found])
    if return_X_y:
        return data, target
    n_times = [record.signal.shape[1] for record in many.found]
    return Bunch(
        data=data,
        target=target,
        target_names=list(CLASSES),
        lead_names=("I",),
        fs=FS,
        groups=names,
        metadata=pd.DataFrame(
            {"n_times": n_times, "duration_s": np.array(n_times) / FS},
            index=pd.Index(names, name="record"),
        ),
        skipped=many.skipped,
        missing=many.missing,
        DESCR=(
            "PhysioNet/CinC Challenge 2017 (Clifford et al., "
            f"doi:10.22489/CinC.2017.065-469): {len(names)} single-lead records of "
            f"{min(n_times) / FS:.0f} to {max(n_times) / FS:.0f} s at {FS} Hz, in mV.\n"
            "Target: A atrial fibrillation, N normal, O other rhythm, ~ too noisy."
        ),
    )


def _find(root: Path, name: str) -> Path:
    """Return the path of a record without extension, beside the table if it is lost."""
    places = [root / place.format(name) / name for place in PLACES]
    return next((path for path in places if Path(f"{path}.hea").is_file()), places[0])


def _checked(record: Record) -> Record:
    """Return a record if it is one of the challenge."""
    if record.fs != FS or len(record.signal) != 1:
        raise RecordError(
            f"{record.name}: a record of CinC 2017 must have one lead at {FS} Hz. Got "
            f"{len(record.signal)} at {record.fs} Hz instead."
        )
    return record


def read_labels(root: Path) -> dict[str, str]:
    """Read the table of labels.

    Parameters
    ----------
    root : Path
        Folder of the table.

    Returns
    -------
    labels : dict of str to str
        Label of each record, in the order of the table. No name holds a folder.

    Raises
    ------
    RecordNotFoundError
        If there is no table.
    RecordError
        If it is no such table.
    """
    tables = [root / name for name in TABLES if (root / name).is_file()]
    if not tables:
        raise RecordNotFoundError(
            f"{root}: there is no {TABLES[0]} or {TABLES[1]}. The 'folder' parameter "
            "of load_cinc2017 must name the folder of the training set: unpack it from "
            "PhysioNet and pass that folder."
        )
    labels: dict[str, str] = {}
    # What is not UTF-8 is no such label, and named with its line below.
    with tables[0].open(newline="", encoding="utf-8-sig", errors="replace") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if not row:
                continue
            name = row[0].strip()
            if len(row) != 2 or row[1].strip() not in CLASSES or name in labels:
                raise RecordError(
                    f"{tables[0]}, line {number}: there must be a record, named once, "
                    f"and one of {', '.join(CLASSES)}. Got {','.join(row)!r} instead."
                )
            if Path(name).name != name or "\\" in name or name in ("", ".."):
                raise RecordError(
                    f"{tables[0]}, line {number}: records must be named without a "
                    f"folder. Got {name!r} instead."
                )
            labels[name] = row[1].strip()
    if not labels:
        raise RecordError(f"{tables[0]}: the table names no record; restore the file.")
    return labels
