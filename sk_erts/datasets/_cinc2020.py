"""PhysioNet/CinC Challenges 2020 and 2021, read from their folders."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sk_erts._lib.checks import check_choice, check_choices
from sk_erts._records.ragged import stack_if_equal
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.datasets._many import read_many
from sk_erts.datasets._options import check_reading, check_standard_leads
from sk_erts.datasets._paths import find_headers, without_parts
from sk_erts.datasets._records import Record, check_on_error, standard_leads
from sk_erts.exceptions import RecordError, RecordNotFoundError

# What the names of records begin with.
SOURCES: Mapping[str, str] = {
    "A": "CPSC 2018",
    "Q": "CPSC 2018, extra",
    "I": "St Petersburg INCART",
    "S": "PTB",
    "HR": "PTB-XL",
    "E": "Georgia",
    "JS": "Chapman-Shaoxing and Ningbo",
}

# SNOMED CT codes of each class; any other code is OTHER.
CLASS_CODES: Mapping[str, frozenset[str]] = {
    "NORM": frozenset({"426783006"}),  # sinus rhythm
    "AF": frozenset(
        {
            "164889003",  # atrial fibrillation
            "164890007",  # atrial flutter
            "195080001",  # fibrillation and flutter
            "282825002",  # paroxysmal
            "314208002",  # rapid
            "426749004",  # chronic
        }
    ),
    "LBBB": frozenset(
        {
            "164909002",  # left bundle branch block
            "733534002",  # complete
            "251120003",  # incomplete
        }
    ),
    "RBBB": frozenset(
        {
            "59118001",  # right bundle branch block
            "713427006",  # complete
            "713426002",  # incomplete
        }
    ),
    "ST": frozenset(
        {
            "429622005",  # depression
            "164931005",  # elevation
            "164930006",  # interval abnormal
            "55930002",  # changes
        }
    ),
    "AVB": frozenset(
        {
            "233917008",  # atrioventricular block
            "270492004",  # first degree
            "195042002",  # second degree
            "54016002",  # Mobitz I
            "426183003",  # Mobitz II
            "27885002",  # third degree
        }
    ),
    "PVC": frozenset(
        {
            "427172004",  # premature ventricular contractions
            "17338001",  # ventricular premature beats
            "164884008",  # ventricular ectopics
        }
    ),
}
CLASSES = (*CLASS_CODES, "OTHER")

_REMARK = re.compile(r"\s*(Age|Sex|Dx):(.*)", re.IGNORECASE)
_CODE = re.compile(r"\d+")


@dataclass(frozen=True)
class _Case:
    """A record with what its header tells of the patient."""

    record: Record
    age: float
    sex: str
    codes: tuple[str, ...]


def load_cinc2020(
    folder: str | os.PathLike[str],
    *,
    sources: Iterable[str] | None = None,
    labels: str = "classes",
    leads: Iterable[str | int] | str | int | None = None,
    missing: str = "raise",
    on_error: str = "raise",
    allow_flat: bool = False,
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load twelve-lead records of the CinC challenges 2020 and 2021.

    Parameters
    ----------
    folder : str or path-like
        Folder that holds the records, at any depth, as ``.hea`` with ``.mat`` or
        ``.dat`` [1]_, [2]_.
    sources : iterable of str, default=None
        Which collections to read, by what the names of their records begin with: A
        (CPSC 2018), Q (its extra set), I (St Petersburg), S (PTB), HR (PTB-XL), E
        (Georgia), JS (Chapman-Shaoxing and Ningbo). None reads all.
    labels : {"classes", "codes"}, default="classes"
        Eight classes (NORM, AF with flutter, LBBB, RBBB, ST for changes of the ST
        segment, AVB for atrioventricular block of any degree, PVC, OTHER), or one
        label for every SNOMED CT code that occurs.
    leads : iterable of str or int, str or int, default=None
        Leads to read, in this order, by their name or their number in
        ``STANDARD_LEADS``; None reads all twelve, and refuses records of others. What
        is wrong with others does not matter.
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

        data : ndarray of shape (n_samples, n_leads, n_times), dtype float32
            Signals in mV. If lengths differ, an object array of shape (n_samples,).
        target : ndarray of shape (n_samples, n_labels), dtype int64
            1 where a record has a label. A record without any code has none, not even
            OTHER.
        target_names : list of n_labels str
            Labels, in the order of the columns.
        lead_names : tuple of n_leads str
            ``STANDARD_LEADS``, the order of the leads, or `leads` by name.
        fs : int, float or ndarray of shape (n_samples,)
            Sampling frequency in Hz; an array if the records differ.
        groups : ndarray of shape (n_samples,), dtype str
            Names of the records: the challenges tell no patients.
        metadata : pandas.DataFrame of n_samples rows
            Indexed by record: ``source``, ``age`` (years), ``sex``, ``codes`` (tuple),
            ``fs``, ``n_times``.
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
        If the folder is absent, holds no record of these sources, or a signal file is
        absent.
    RecordError
        If a record is cut short, lacks its ``Dx`` line, or is otherwise bad.

    References
    ----------
    .. [1] E. Perez Alday et al., "Classification of 12-lead ECGs: the PhysioNet/
       Computing in Cardiology Challenge 2020", Physiological Measurement 41(12), 2020,
       doi:10.1088/1361-6579/abc960
    .. [2] M. Reyna et al., "Will two do? Varying dimensions in electrocardiography: the
       PhysioNet/Computing in Cardiology Challenge 2021", CinC 2021,
       doi:10.23919/CinC53138.2021.9662687

    Examples
    --------
    >>> from sk_erts.datasets import load_cinc2020
    >>> load_cinc2020("not/here")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: There is no folder not/here. ...
    """
    check_on_error(on_error, "load_cinc2020")
    check_labels(labels)
    names_wanted = check_standard_leads("load_cinc2020", leads)
    how = check_reading(
        "load_cinc2020", leads=names_wanted, allow_flat=allow_flat, missing=missing
    )
    paths = _find(Path(folder), _check_sources(sources))
    convert = partial(_case_of, lead_names=names_wanted)
    many = read_many(paths, convert, how=how, on_error=on_error, n_jobs=n_jobs)
    cases = many.found
    import pandas as pd

    target, target_names = _encode([case.codes for case in cases], labels)
    data = stack_if_equal([case.record.signal for case in cases])
    if return_X_y:
        return data, target
    names = np.array([Path(case.record.name).name for case in cases])
    fs = np.array([case.record.fs for case in cases])
    metadata = pd.DataFrame(
        {
            "source": [SOURCES.get(_prefix(name), "") for name in names],
            "age": [case.age for case in cases],
            "sex": [case.sex for case in cases],
            "codes": [case.codes for case in cases],
            "fs": fs,
            "n_times": [case.record.signal.shape[1] for case in cases],
        },
        index=pd.Index(names, name="record"),
    )
    return Bunch(
        data=data,
        target=target,
        target_names=target_names,
        lead_names=names_wanted or STANDARD_LEADS,
        fs=fs if len(set(fs)) > 1 else fs[0].item(),
        groups=names,
        metadata=metadata,
        skipped=many.skipped,
        missing=many.missing,
        DESCR=(
            "PhysioNet/CinC Challenge 2020/2021 (doi:10.1088/1361-6579/abc960): "
            f"{len(names)} twelve-lead ECG records, in mV, of "
            f"{', '.join(sorted(set(metadata['source'])))}.\n"
            f"Target: {len(target_names)} {labels}, several per record."
        ),
    )


def check_labels(labels: Any) -> None:
    """Raise if there are no such labels.

    Parameters
    ----------
    labels : {"classes", "codes"}
        The parameter.
    """
    check_choice("load_cinc2020", "labels", labels, ("classes", "codes"))


def _check_sources(sources: Any) -> frozenset[str]:
    if sources is None:
        return frozenset(SOURCES)
    wanted = [sources] if isinstance(sources, str) else sources
    return frozenset(check_choices("load_cinc2020", "sources", wanted, SOURCES))


def _find(root: Path, sources: frozenset[str]) -> list[Path]:
    """Return the paths, without extension, of the records of some sources."""
    if not root.is_dir():
        raise RecordNotFoundError(
            f"There is no folder {root}. The 'folder' parameter of load_cinc2020 must "
            "name the folder that holds the records: unpack them from PhysioNet and "
            "pass that folder."
        )
    found = without_parts(find_headers(root))
    wanted = [path for path in found if _prefix(path.name) in sources]
    if not wanted:
        raise RecordNotFoundError(
            f"{root} holds {len(found)} headers, but none whose name begins with "
            f"{', '.join(sorted(sources))}, as records of these sources do."
        )
    return wanted


def _prefix(name: str) -> str:
    """Return the letters that a record's name begins with."""
    letters = re.match(r"[A-Z]*", name)
    return letters.group() if letters else ""


def _case_of(record: Record, lead_names: tuple[str, ...] | None) -> _Case:
    """Return a record with its leads in the order that is wanted, and its patient."""
    leads = standard_leads(record, lead_names)
    remarks = {}
    for line in record.comments:
        found = _REMARK.fullmatch(line)
        if found:
            remarks[found.group(1).lower()] = found.group(2).strip()
    if "dx" not in remarks:
        raise RecordError(
            f"{record.name}.hea: there must be a line '# Dx:' with the diagnoses. It "
            "may be empty; restore the header."
        )
    codes = [code.strip() for code in remarks["dx"].split(",") if code.strip()]
    bad = [code for code in codes if not _CODE.fullmatch(code)]
    if bad:
        raise RecordError(
            f"{record.name}.hea: the line '# Dx:' must hold SNOMED CT codes, numbers "
            f"parted by commas. Got {bad[0]!r} instead."
        )
    return _Case(
        Record(
            record.name,
            leads,
            lead_names or STANDARD_LEADS,
            record.fs,
            record.comments,
        ),
        _years(remarks.get("age", "")),
        remarks.get("sex", "").lower(),
        tuple(codes),
    )


def _years(text: str) -> float:
    """Return an age, NaN if it is unknown."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def _encode(
    codes: list[tuple[str, ...]], labels: str
) -> tuple[NDArray[np.int64], list[str]]:
    """Return an indicator matrix (n, n_labels) and the names of its columns."""
    if labels == "codes":
        label_of = {code: code for record in codes for code in record}
        names = sorted(label_of, key=int)
    else:
        label_of = {
            code: name for name, members in CLASS_CODES.items() for code in members
        }
        names = list(CLASSES)
    column = {name: k for k, name in enumerate(names)}
    target = np.zeros((len(codes), len(names)), dtype=np.int64)
    for row, record in zip(target, codes, strict=True):
        for code in record:
            row[column[label_of.get(code, "OTHER")]] = 1
    return target, names
