"""PTB-XL, read from its folder."""

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sk_erts._lib.checks import check_choice
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.datasets._many import ManyRecords, read_many
from sk_erts.datasets._options import Reading, check_reading, check_standard_leads
from sk_erts.datasets._ptbxl_selection import (
    PATH_COLUMNS,
    check_selection,
    select_records,
)
from sk_erts.datasets._records import check_on_error, leads_of_length
from sk_erts.exceptions import RecordNotFoundError

_DURATION_S = 10


@overload
def load_ptbxl(
    folder: str | os.PathLike[str],
    *,
    fs: int = ...,
    task: str = ...,
    folds: Iterable[int] | None = ...,
    single_label: bool | str = ...,
    min_likelihood: float = ...,
    leads: Iterable[str | int] | str | int | None = ...,
    missing: str = ...,
    on_error: str = ...,
    allow_flat: bool = ...,
    n_jobs: int | None = ...,
    return_X_y: Literal[False] = ...,
) -> Bunch: ...


@overload
def load_ptbxl(
    folder: str | os.PathLike[str],
    *,
    fs: int = ...,
    task: str = ...,
    folds: Iterable[int] | None = ...,
    single_label: bool | str = ...,
    min_likelihood: float = ...,
    leads: Iterable[str | int] | str | int | None = ...,
    missing: str = ...,
    on_error: str = ...,
    allow_flat: bool = ...,
    n_jobs: int | None = ...,
    return_X_y: Literal[True],
) -> tuple[NDArray[np.float32], NDArray[Any]]: ...


@overload
def load_ptbxl(
    folder: str | os.PathLike[str],
    *,
    fs: int = ...,
    task: str = ...,
    folds: Iterable[int] | None = ...,
    single_label: bool | str = ...,
    min_likelihood: float = ...,
    leads: Iterable[str | int] | str | int | None = ...,
    missing: str = ...,
    on_error: str = ...,
    allow_flat: bool = ...,
    n_jobs: int | None = ...,
    return_X_y: bool,
) -> Bunch | tuple[NDArray[np.float32], NDArray[Any]]: ...


def load_ptbxl(
    folder: str | os.PathLike[str],
    *,
    fs: int = 100,
    task: str = "superclass",
    folds: Iterable[int] | None = None,
    single_label: bool | str = False,
    min_likelihood: float = 0,
    leads: Iterable[str | int] | str | int | None = None,
    missing: str = "raise",
    on_error: str = "raise",
    allow_flat: bool = False,
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Bunch | tuple[NDArray[np.float32], NDArray[Any]]:
    r"""Load PTB-XL, twelve-lead ECG of 10 s with the statements of cardiologists.

    Parameters
    ----------
    folder : str or path-like
        Folder of the data set as PhysioNet lays it out [2]_: ``ptbxl_database.csv``,
        ``scp_statements.csv`` and the records that the first one names.
    fs : {100, 500}, default=100
        Sampling frequency in Hz of the records to read.
    task : {"superclass", "subclass", "statement"}, default="superclass"
        Labels: the five diagnostic superclasses CD, HYP, MI, NORM, STTC; the
        diagnostic subclasses; or all SCP statements, form and rhythm included.
    folds : iterable of int, default=None
        Official folds to read, out of 1 to 10; None reads all. The authors advise 1 to
        8 for training, 9 for validation, 10 for the test.
    single_label : bool or {"unique", "likeliest"}, default=False
        False keeps all records, also those without any label of the task, whose row of
        the target is all zero. True or "unique" keeps the records that have exactly
        one label. "likeliest" keeps those that have one likelier than their others.
    min_likelihood : float, default=0
        Percentage; a statement of lower likelihood does not count. The data set gives
        0 for an unknown likelihood, always so for form and rhythm: those count.
    leads : iterable of str or int, str or int, default=None
        Leads to read, in this order, by their name or their number in
        ``STANDARD_LEADS``; None reads all twelve, and refuses records of others. What
        is wrong with others does not matter.
    missing : {"raise", "interpolate"}, default="raise"
        What is done with samples that a record lacks, see `read_records`.
    on_error : {"raise", "skip"}, default="raise"
        Whether a record that cannot be read is an error, or is left out and listed in
        ``skipped``.
    allow_flat : bool, default=False
        Whether records are kept of which a lead is constant from end to end; else they
        are bad ones.
    n_jobs : int, default=None
        Number of processes that read; None is one. A second one first spends seconds on
        imports.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes:

        data : ndarray of shape (n_samples, n_leads, n_times), dtype float32
            Signals in mV; ``n_times`` is 1000 or 5000.
        target : ndarray of shape (n_samples, n_labels), dtype int64
            1 where a record has a label, else 0. With ``single_label``, the labels
            themselves, of shape (n_samples,), dtype str.
        target_names : list of n_labels str
            All labels of the task, sorted, also those that no record read has.
        lead_names : tuple of n_leads str
            ``STANDARD_LEADS``, the order of the leads, or `leads` by name.
        fs : int
            Sampling frequency in Hz.
        groups : ndarray of shape (n_samples,), dtype int64
            Patients, for splitters such as
            :class:`~sklearn.model_selection.GroupKFold`.
        folds : ndarray of shape (n_samples,), dtype int64
            Official folds.
        metadata : pandas.DataFrame of n_samples rows
            The table of records, indexed by ``ecg_id``: age, sex, report, remarks on
            signal quality and all else; ``scp_codes`` as dictionaries.
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
        If a parameter is not what it must be, or selects no record.
    RecordNotFoundError
        If the folder, a table or a selected record is absent; checked before reading.
    RecordError
        If a table lacks a column or holds what it cannot, or if a record is cut short,
        misses samples, or has other leads, frequency or length.

    See Also
    --------
    make_ecg : Make synthetic records whose evidence is known.

    Notes
    -----
    A label is as likely as the likeliest of its statements; an unknown likelihood
    ranks below all known ones. "likeliest" leaves out records whose highest likelihood
    belongs to several labels, as any choice between them would be a guess.

    References
    ----------
    .. [1] Wagner et al., "PTB-XL, a large publicly available electrocardiography
       dataset", Scientific Data 7:154 (2020), doi:10.1038/s41597-020-0495-6
    .. [2] Wagner et al., "PTB-XL, a large publicly available electrocardiography
       dataset", PhysioNet (2022), doi:10.13026/kfzx-aw45

    Examples
    --------
    >>> from sk_erts.datasets import load_ptbxl
    >>> load_ptbxl("not/here")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: There is no folder not/here. ...

    A folder with two synthetic records reads like the real one:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sk_erts.datasets import STANDARD_LEADS, make_ecg
    >>> X, _ = make_ecg(n_samples=2, random_state=0)
    >>> names = ["00001_lr", "00002_lr"]
    >>> rows = pd.DataFrame({"ecg_id": [1, 2], "patient_id": [7, 8], "age": 60,
    ...     "sex": 1, "report": "", "strat_fold": [1, 9], "filename_lr": names,
    ...     "scp_codes": ["{'NORM': 100.0}", "{'IMI': 80.0}"], "baseline_drift": "",
    ...     "static_noise": "", "burst_noise": "", "electrodes_problems": ""})
    >>> statements = pd.DataFrame({"diagnostic": 1, "diagnostic_class": ["NORM", "MI"],
    ...     "diagnostic_subclass": ["NORM", "IMI"]}, index=["NORM", "IMI"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, x in zip(names, X):
    ...         file = f"{name}.dat 16 1000/mV 16 0 0 0 0"
    ...         header = "\n".join(
    ...             [f"{name} 12 100 1000", *(f"{file} {k}" for k in STANDARD_LEADS)])
    ...         samples = (x.T * 1000).round().astype("<i2").tobytes()
    ...         _ = Path(folder, f"{name}.hea").write_text(header)
    ...         _ = Path(folder, f"{name}.dat").write_bytes(samples)
    ...     rows.to_csv(Path(folder, "ptbxl_database.csv"), index=False)
    ...     statements.to_csv(Path(folder, "scp_statements.csv"))
    ...     ptbxl = load_ptbxl(folder, folds=[9], single_label=True)
    >>> ptbxl.data.shape, ptbxl.target.tolist(), ptbxl.groups.tolist()
    ((1, 12, 1000), ['MI'], [8])
    """
    check_on_error(on_error, "load_ptbxl")
    wanted_folds = check_selection(fs, task, folds, single_label, min_likelihood)
    lead_names = check_standard_leads("load_ptbxl", leads)
    # What is cut is no longer a record of 10 s.
    check_choice("load_ptbxl", "missing", missing, ("raise", "interpolate"))
    how = check_reading(
        "load_ptbxl", leads=lead_names, allow_flat=allow_flat, missing=missing
    )
    root = Path(folder)
    if not root.is_dir():
        raise RecordNotFoundError(
            f"There is no folder {root}. The 'folder' parameter of load_ptbxl must "
            "name the folder that holds ptbxl_database.csv: unpack PTB-XL from "
            "PhysioNet and pass that folder."
        )
    fs = int(fs)  # 100.0 is as good
    table, target, target_names = select_records(
        root, fs, task, wanted_folds, single_label, min_likelihood
    )
    many = _read_all(
        root,
        list(table[PATH_COLUMNS[fs]]),
        fs,
        lead_names,
        how=how,
        on_error=on_error,
        n_jobs=n_jobs,
    )
    data, table, target = many.found, table[many.fine], target[many.fine]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=target_names,
        lead_names=lead_names or STANDARD_LEADS,
        fs=fs,
        groups=table["patient_id"].to_numpy(copy=True),
        folds=table["strat_fold"].to_numpy(copy=True),
        metadata=table,
        skipped=many.skipped,
        missing=many.missing,
        DESCR=(
            f"PTB-XL (Wagner et al. 2020, doi:10.1038/s41597-020-0495-6): {len(data)} "
            f"twelve-lead ECG records of {_DURATION_S} s at {fs} Hz, in mV.\n"
            f"Target: {task}, single_label={single_label!r}, "
            f"min_likelihood={min_likelihood}, folds={wanted_folds or 'all'}.\n"
            "Split by 'folds' or 'groups' (patients), not by record."
        ),
    )


def _read_all(
    root: Path,
    names: Sequence[str],
    fs: int,
    lead_names: tuple[str, ...] | None,
    *,
    how: Reading,
    on_error: str,
    n_jobs: int | None,
) -> ManyRecords:
    """Read the records: (n, leads, times) in mV."""
    absent = [
        name
        for name in names
        if not all(os.path.isfile(f"{root / name}{end}") for end in (".hea", ".dat"))
    ]
    if absent and on_error == "raise":
        raise RecordNotFoundError(
            f"{len(absent)} of the {len(names)} selected records at {fs} Hz lack their "
            f".hea or .dat file in {root}, among them {', '.join(absent[:3])}. Fetch "
            "the missing files, or select other records with 'folds' or 'fs'."
        )
    n_times = _DURATION_S * fs
    shape = len(names), len(lead_names or STANDARD_LEADS), n_times
    return read_many(
        [root / name for name in names],
        partial(leads_of_length, fs=fs, n_times=n_times, lead_names=lead_names),
        how=how,
        on_error=on_error,
        n_jobs=n_jobs,
        into=np.empty(shape, dtype=np.float32),
    )
