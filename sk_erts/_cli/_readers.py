"""One reader for each kind of data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._cli._data import Data
from sk_erts._cli._errors import DataFault, Fault
from sk_erts._cli._files import (
    OF_TABLES,
    group_of,
    has_headers,
    known_of,
    read_files,
)

__all__ = [
    "Reader",
    "by_beat",
    "by_index",
    "folder_of",
    "make_synthetic",
    "read_folder",
    "read_npz",
    "read_ptbxl",
]

#: Of a place, with the parameters of the loader and the rate wanted, in Hz or None.
Reader = Callable[[str, dict[str, Any], float | None], Data]


def folder_of(loader: str, names: Callable[[Any], Any]) -> Reader:
    """Return a reader of a folder through one of the package's loaders."""

    def read(place: str, params: dict[str, Any], fs: float | None) -> Data:
        from sk_erts import datasets

        found = getattr(datasets, loader)(place, **params)
        return _data_of(found, names(found))

    return read


def read_ptbxl(place: str, params: dict[str, Any], fs: float | None) -> Data:
    """Read PTB-XL, at 500 Hz for whoever wants more than 100."""
    from sk_erts.datasets import load_ptbxl

    rate = 100 if fs is None or fs <= 100 else 500
    found: Any = load_ptbxl(place, **{"fs": rate, **params})
    return _data_of(found, found.metadata.index)


def read_folder(place: str, params: dict[str, Any], fs: float | None) -> Data:
    """Read a folder of files of any format, with a table of labels if there is one."""
    folder = Path(place).expanduser()
    if not folder.is_dir():
        raise DataFault(f"There is no folder {folder}.")
    params = dict(params)
    group_column = params.pop("group_column", None)
    if has_headers(folder):
        if extra := [name for name in OF_TABLES if name in params]:
            raise Fault(
                f"WFDB headers in {folder} tell {extra[0]!r} themselves; --read assume="
                "... is for those that do not."
            )
        data = folder_of("read_records", by_index)(place, params, fs)
    else:
        data = Data(**read_files(folder, params))
    if "labels" in params:
        known = known_of(params, data.names.tolist())
        data.groups = group_of(known, group_column, str(params["labels"]))
        data.metadata = known
    elif group_column is not None:
        raise Fault("group_column is a column of --labels, which is not given.")
    return data


def _data_of(found: Any, names: Any) -> Data:
    """Return what a loader found."""
    import pandas as pd

    names = np.asarray(names).astype(str)
    y = found.target
    if y is not None and y.ndim == 2:
        y = pd.DataFrame(y, columns=list(found.target_names))
    groups = getattr(found, "groups", None)
    if groups is not None and np.array_equal(np.asarray(groups).astype(str), names):
        groups = None  # nobody tells the patients
    return Data(
        found.data,
        y,
        names,
        groups,
        found.fs,
        tuple(found.lead_names),
        getattr(found, "metadata", None),
        len(found.skipped),
    )


def by_index(found: Any) -> Any:
    """Name records as the table does."""
    return found.metadata.index


def by_beat(found: Any) -> Any:
    """Name beats by record and sample."""
    table = found.metadata
    return table["record"].astype(str) + ":" + table["sample"].astype(str)


NPZ = ("X", "y", "groups", "names", "fs", "lead_names", "label_names")


def read_npz(place: str, params: dict[str, Any], fs: float | None) -> Data:
    """Read a file of numpy's that holds the arrays `NPZ`."""
    import zipfile

    import pandas as pd

    path = Path(place).expanduser()
    if not path.is_file():
        raise DataFault(f"There is no file {path}.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            held = {name: archive[name] for name in archive.files if name in NPZ}
            others = sorted(set(archive.files) - set(NPZ))
    except (AttributeError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataFault(f"{path} is no npz file that can be read: {error}") from error
    if "X" not in held:
        raise DataFault(
            f"{path} must hold an array 'X' of records (n, n_leads, n_times) in mV; "
            f"'y', {', '.join(map(repr, NPZ[2:]))} if there are any. It holds "
            f"{', '.join(map(repr, others)) or 'nothing'}."
        )
    X = held["X"]
    X = X[:, np.newaxis] if X.ndim == 2 else X  # (n, times) -> (n, 1, times)
    for name in ("y", "groups", "names"):
        if name in held and len(held[name]) != len(X):
            raise DataFault(
                f"{path}: {name!r} must have one entry for each of the {len(X)} "
                f"records. Got {len(held[name])} instead."
            )
    y = held.get("y")
    if y is not None and y.ndim == 2:
        y = pd.DataFrame(y, columns=held.get("label_names", np.arange(y.shape[1])))
    leads = params.get("lead_names", held.get("lead_names"))
    rate = params.get("fs", held.get("fs"))
    return Data(
        X,
        y,
        held.get("names", np.arange(len(X))).astype(str),
        held.get("groups"),
        None if rate is None else _rate(path, rate),
        None if leads is None else tuple(str(lead) for lead in leads),
    )


def _rate(path: Path, rate: Any) -> Any:
    """Return a sampling frequency, or one for each record."""
    rate = np.asarray(rate)
    if rate.dtype.kind not in "iuf" or rate.ndim > 1 or not (rate > 0).all():
        raise DataFault(
            f"{path}: 'fs' must be a sampling frequency in Hz, or one for each record. "
            f"Got {rate.tolist()!r} instead."
        )
    return float(rate) if rate.ndim == 0 else rate.astype(float)


def make_synthetic(place: str, params: dict[str, Any], fs: float | None) -> Data:
    """Make as many records as the place says, instead of reading any."""
    from sk_erts.datasets import STANDARD_LEADS, make_ecg

    if place and not place.isdigit():
        raise Fault(f"synthetic:N makes N records. Got {place!r} instead.")
    asked: dict[str, Any] = {"random_state": 0}
    asked |= {"n_samples": int(place)} if place else {}
    asked |= {} if fs is None else {"fs": fs}
    params = {**asked, **params}
    X, y, evidence = make_ecg(**params, return_evidence=True)
    return Data(
        X,
        y,
        np.arange(len(X)).astype(str),
        fs=float(params.get("fs", 100)),
        lead_names=evidence.lead_names or STANDARD_LEADS,
    )
