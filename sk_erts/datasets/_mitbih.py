"""Beats of the MIT-BIH Arrhythmia Database, read from its folder."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sk_erts._lib.checks import check_choice, is_number, refuse
from sk_erts._lib.lead_names import standard_spelling
from sk_erts.datasets._annotations import read_beats
from sk_erts.datasets._many import read_many
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record, check_on_error
from sk_erts.exceptions import RecordError, RecordNotFoundError

_OWNER = "load_mitbih"

FS = 360

# De Chazal's division by patient, without the four records of pacemakers.
DS1 = (
    *("101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122"),
    *("124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230"),
)
DS2 = (
    *("100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210"),
    *("212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234"),
)
SPLITS: Mapping[str, tuple[str, ...]] = {"ds1": DS1, "ds2": DS2}

# Annotated beats in the classes of ANSI/AAMI EC57.
AAMI: Mapping[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
AAMI_CLASSES = ("N", "S", "V", "F", "Q")

# These two records are of the same person.
SAME_PATIENT = {"202": "201"}


@dataclass(frozen=True)
class _Beats:
    """The beats of one record."""

    signals: NDArray[np.float32]  # (n_beats, n_leads, n_times)
    symbols: list[str]
    samples: NDArray[np.int64]
    n_cut: int  # beats whose window would leave the record


def load_mitbih(
    folder: str | os.PathLike[str],
    *,
    records: str | Iterable[str] | None = None,
    window_s: tuple[float, float] = (0.25, 0.45),
    classes: str = "aami",
    leads: Iterable[str] = ("MLII",),
    on_error: str = "raise",
    allow_flat: bool = False,
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load single beats of the MIT-BIH Arrhythmia Database.

    Parameters
    ----------
    folder : str or path-like
        Folder of the database as PhysioNet lays it out [1]_: ``.hea``, ``.dat`` and
        ``.atr`` of each record.
    records : {"ds1", "ds2"} or iterable of str, default=None
        Names of records, or one half of de Chazal's division by patients [2]_: train on
        "ds1", test on "ds2". None reads those of both that are in the folder.
    window_s : pair of float, default=(0.25, 0.45)
        Seconds before and after the annotated R peak.
    classes : {"aami", "symbols"}, default="aami"
        The five classes of ANSI/AAMI EC57 (N, S, V, F, Q), or the symbols of the
        annotators.
    leads : iterable of str, default=("MLII",)
        Leads to read, in this order, by name in whatever case; every record must have
        them. Not by number: that would be another lead in another record.
    on_error : {"raise", "skip"}, default="raise"
        Whether a record that cannot be read is an error, or is left out and listed in
        ``skipped``.
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

        data : ndarray of shape (n_beats, n_leads, n_times), dtype float32
            Signals in mV; the R peak is at time step ``r_peak``.
        target : ndarray of shape (n_beats,), dtype str
            Class of each beat.
        target_names : list of str
            All classes.
        lead_names : tuple of str
            `leads`.
        fs : int
            360 Hz.
        r_peak : int
            Time step of the R peak.
        groups : ndarray of shape (n_beats,), dtype str
            Patients, by their first record: 201 and 202 are one.
        metadata : pandas.DataFrame of n_beats rows
            ``record``, ``sample`` (of the R peak) and ``symbol``.
        skipped : pandas.DataFrame
            One row per record left out: ``record`` and ``error``.
        n_cut : int
            Beats left out because their window begins before the record or ends after
            it.
        DESCR : str
            What this is, in a few lines.
    (data, target) : tuple
        If ``return_X_y`` is true.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, or no record can be read.
    RecordNotFoundError
        If the folder, a record or its annotations are absent.
    RecordError
        If a record lacks a lead, has no annotated beat, or is cut short or otherwise
        bad.

    References
    ----------
    .. [1] G. Moody, R. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE Eng.
       in Med. and Biol. 20(3), 2001, doi:10.1109/51.932724
    .. [2] P. de Chazal et al., "Automatic classification of heartbeats using ECG
       morphology and heartbeat interval features", IEEE Trans. Biomed. Eng. 51(7),
       2004, doi:10.1109/TBME.2004.827359

    Examples
    --------
    >>> from sk_erts.datasets import load_mitbih
    >>> load_mitbih("not/here")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: There is no folder not/here. ...
    """
    check_on_error(on_error, "load_mitbih")
    lead_names = check_parameters(window_s, classes, leads)
    before, after = _check_window(window_s)
    root = Path(folder)
    names = _names(root, check_records(records))
    many = read_many(
        [root / name for name in names],
        partial(_cut_beats, before=before, after=after),
        how=check_reading(_OWNER, leads=lead_names, allow_flat=allow_flat),
        on_error=on_error,
        n_jobs=n_jobs,
    )
    import pandas as pd

    found: list[_Beats] = many.found
    data = np.concatenate([beats.signals for beats in found])
    symbols = [symbol for beats in found for symbol in beats.symbols]
    labels = [AAMI[symbol] for symbol in symbols] if classes == "aami" else symbols
    target = np.array(labels, dtype=str)
    if return_X_y:
        return data, target
    kept = [name for name, is_fine in zip(names, many.fine, strict=True) if is_fine]
    of_record = np.repeat(kept, [len(beats.symbols) for beats in found])
    n_cut = sum(beats.n_cut for beats in found)
    return Bunch(
        data=data,
        target=target,
        target_names=list(AAMI_CLASSES if classes == "aami" else AAMI),
        lead_names=lead_names,
        fs=FS,
        r_peak=before,
        groups=np.array([SAME_PATIENT.get(name, name) for name in of_record]),
        metadata=pd.DataFrame(
            {
                "record": of_record,
                "sample": np.concatenate([beats.samples for beats in found]),
                "symbol": symbols,
            }
        ),
        skipped=many.skipped,
        n_cut=n_cut,
        DESCR=(
            "MIT-BIH Arrhythmia Database (Moody and Mark 2001, "
            f"doi:10.1109/51.932724): {len(data)} beats of {len(kept)} records, leads "
            f"{', '.join(lead_names)}, {before + after} time steps at {FS} Hz, in mV; "
            f"{n_cut} beats too near an end of their record are left out.\n"
            f"Target: {classes}. Split by 'groups' (patients), not by beat."
        ),
    )


def check_parameters(window_s: Any, classes: Any, leads: Any) -> tuple[str, ...]:
    """Return the leads, or raise for the first parameter that is not what it must be.

    Parameters
    ----------
    window_s : pair of float
        As in `load_mitbih`.
    classes : {"aami", "symbols"}
        As in `load_mitbih`.
    leads : iterable of str
        As in `load_mitbih`.

    Returns
    -------
    lead_names : tuple of str
        The leads.
    """
    check_choice(_OWNER, "classes", classes, ("aami", "symbols"))
    _check_window(window_s)
    lead_names = (leads,) if isinstance(leads, str) else tuple(leads)
    if not lead_names:
        refuse(_OWNER, "leads", "name a lead", repr(leads))
    return standard_spelling(lead_names)


def _check_window(window_s: Any) -> tuple[int, int]:
    """Return the time steps before and from the R peak on."""
    wanted = "be two numbers of seconds, at least one of them above 0 and none below"
    try:
        before, after = window_s
        fine = all(is_number(t) and t >= 0 for t in (before, after))
    except (TypeError, ValueError):
        fine = False
    if not fine or round(before * FS) + round(after * FS) < 1:
        refuse(_OWNER, "window_s", wanted, repr(window_s))
    return round(before * FS), round(after * FS)


def check_records(records: Any) -> list[str] | None:
    """Return the names of records that a parameter stands for, or raise.

    Parameters
    ----------
    records : {"ds1", "ds2"}, iterable of str or None
        As in `load_mitbih`.

    Returns
    -------
    names : list of str or None
        The names; None is left as it is.
    """
    if records is None:
        return None
    if isinstance(records, str):
        if records not in SPLITS:
            wanted = "be 'ds1', 'ds2' or a list of names"
            refuse(_OWNER, "records", wanted, repr(records))
        return list(SPLITS[records])
    names = [str(name) for name in records]
    if not names or any(Path(name).name != name for name in names):
        refuse(_OWNER, "records", "hold names of records in the folder", repr(names))
    return names


def _names(root: Path, wanted: list[str] | None) -> list[str]:
    """Return the names of the records to read."""
    if not root.is_dir():
        raise RecordNotFoundError(
            f"There is no folder {root}. The 'folder' parameter of load_mitbih must "
            "name the folder of the database: unpack it from PhysioNet and pass that "
            "folder."
        )
    if wanted is not None:
        return wanted
    both = sorted(DS1 + DS2)
    names = [name for name in both if (root / f"{name}.hea").is_file()]
    if not names:
        raise RecordNotFoundError(
            f"{root} holds none of the 44 records of DS1 and DS2. Unpack the "
            "database there, or name others with 'records'."
        )
    return names


def _cut_beats(record: Record, before: int, after: int) -> _Beats:
    """Cut the beats of one record around their annotations."""
    if record.fs != FS:
        raise RecordError(
            f"{record.name}: a record of MIT-BIH must have {FS} Hz. Got {record.fs} Hz "
            "instead."
        )
    symbols, samples = read_beats(record.name, AAMI, record.signal.shape[1])
    inside = (samples >= before) & (samples + after <= record.signal.shape[1])
    samples = samples[inside]
    window = samples[:, np.newaxis] + np.arange(-before, after)  # (n_beats, times)
    return _Beats(
        np.ascontiguousarray(record.signal[:, window].transpose(1, 0, 2)),
        [symbol for symbol, fits in zip(symbols, inside, strict=True) if fits],
        samples,
        int((~inside).sum()),
    )
