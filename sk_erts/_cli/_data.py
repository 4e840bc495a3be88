"""Records by kind and place: ``ptbxl:FOLDER``, ``npz:FILE``, ``synthetic`` ..."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._cli._errors import DataFault, Fault
from sk_erts._cli._files import (
    OF_TABLES,
    group_of,
    has_headers,
    known_of,
    read_files,
)
from sk_erts._cli._values import value_of
from sk_erts._lib.names import nearest
from sk_erts._lib.typing import Array

__all__ = [
    "KINDS",
    "Data",
    "absolute",
    "kind_of",
    "read_data",
    "reading_value",
    "to_reading",
]


Reader = Callable[[str, dict[str, Any], float | None], "Data"]


@dataclass
class Data:
    """Records as they were read.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_leads, n_times), or of objects
        In mV; an object array of arrays (n_leads, n_times) if lengths differ.
    y : ndarray, DataFrame or None
        Labels; a data frame of 0 and 1, with the labels as columns, for several.
    names : ndarray of shape (n_samples,), dtype str
        Of the records.
    groups : ndarray of shape (n_samples,) or None
        Patients.
    fs : float, ndarray of shape (n_samples,) or None
        Sampling frequency in Hz, if it is known.
    lead_names : tuple of str or None
        Of the leads, if they are known.
    metadata : DataFrame or None
        What else is known of the records, a row each.
    n_skipped : int
        Records left out because they cannot be read.
    """

    X: Any
    y: Any
    names: Array
    groups: Array | None = None
    fs: Any = None
    lead_names: tuple[str, ...] | None = None
    metadata: Any = None
    n_skipped: int = 0

    def __len__(self) -> int:
        return len(self.X)

    def labels(self, command: str) -> Any:
        """Return the labels, or raise if there are none."""
        if self.y is None:
            raise DataFault(
                f"{command} needs labels, and these records come without. Name a "
                "table with --labels, or put an array 'y' into the npz file."
            )
        return self.y

    def at(self, rows: Any) -> Data:
        """Return some of the records, by their place."""
        y = self.y
        if y is not None:
            y = y.iloc[rows] if hasattr(y, "iloc") else y[rows]
        meta = self.metadata
        return Data(
            self.X[rows],
            y,
            self.names[rows],
            None if self.groups is None else self.groups[rows],
            self.fs[rows] if isinstance(self.fs, np.ndarray) else self.fs,
            self.lead_names,
            None if meta is None else meta.iloc[rows],
        )


@dataclass(frozen=True)
class Kind:
    """A kind of data.

    Attributes
    ----------
    read : callable
        Returns `Data` of a place, with the parameters of the loader, and the sampling
        frequency that is wanted, in Hz or None.
    loader : str
        Function of `sk_erts.datasets` whose parameters may be given.
    place : str
        What stands behind the colon: "FOLDER", "FILE", or "N" for a number.
    keeps : tuple of str
        Parameters that say what labels and signals mean: new records are read with
        those of the training.
    own : tuple of str
        Parameters that are given, where there is no loader.
    """

    read: Reader
    loader: str | None
    place: str = "FOLDER"
    keeps: tuple[str, ...] = ("leads", "missing", "allow_flat")
    own: tuple[str, ...] = ()

    def takes(self) -> set[str]:
        """Return the names of the parameters of reading."""
        if self.loader is None:
            return set(self.own)
        from sk_erts import datasets

        signature = inspect.signature(getattr(datasets, self.loader))
        names = {
            name
            for name, own in signature.parameters.items()
            if own.kind is own.KEYWORD_ONLY or self.place == "N"
        }
        return names - {"return_X_y", "return_evidence", "out"} | set(self.own)


def kind_of(spec: str) -> tuple[str, str]:
    """Return kind and place of data.

    Parameters
    ----------
    spec : str
        Such as ``"npz:train.npz"``.

    Returns
    -------
    kind, place : str
        A key of `KINDS`, and what stands behind the colon.

    Raises
    ------
    Fault
        If there is no such kind, or no place where one is needed.

    Examples
    --------
    >>> from sk_erts._cli._data import kind_of
    >>> kind_of("npz:train.npz")
    ('npz', 'train.npz')
    >>> kind_of("ptb-xl:data")
    Traceback (most recent call last):
    ...
    sk_erts._cli._errors.Fault: There is no kind of data 'ptb-xl'. Did you mean 'ptbxl'?
    """
    name, _, place = spec.partition(":")
    if name not in KINDS:
        advice = nearest(name, KINDS)
        if Path(spec).exists():
            is_file = Path(spec).is_file()
            advice = f"Write {'npz' if is_file else 'files'}:{spec}, if it is one."
        raise Fault(f"There is no kind of data {name!r}. {advice}")
    needed = KINDS[name].place
    if not place and needed != "N":
        raise Fault(f"{name} must be {name}:{needed}. Got {spec!r} instead.")
    return name, place


def absolute(spec: str) -> str:
    """Return the same data by a place that is good everywhere."""
    name, place = kind_of(spec)
    if KINDS[name].place == "N" or not place:
        return spec
    return f"{name}:{Path(place).expanduser().resolve()}"


def to_reading(spec: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of reading as the loader takes them.

    Parameters
    ----------
    spec : str
        The data.
    given : mapping of str to object
        Texts as on the command line, or values as in a TOML file, by name.

    Returns
    -------
    params : dict of str to object
        By name.

    Raises
    ------
    Fault
        If this kind of data takes no such parameter.
    """
    name, _ = kind_of(spec)
    takes = KINDS[name].takes()
    for own in given:
        if own not in takes:
            raise Fault(
                f"{name} is read without a parameter {own!r}. {nearest(own, takes)}"
            )
    return {own: reading_value(own, value) for own, value in given.items()}


def reading_value(name: str, text: Any) -> Any:
    """Return the value of a parameter of reading, as a loader takes it.

    Examples
    --------
    >>> from sk_erts._cli._data import reading_value
    >>> reading_value("folds", "1-3,9"), reading_value("leads", "I,V1")
    ([1, 2, 3, 9], ('I', 'V1'))
    """
    return _READ_AS.get(name, value_of)(text)


def read_data(
    spec: str, given: Mapping[str, Any] | None = None, fs: float | None = None
) -> Data:
    """Read records.

    Parameters
    ----------
    spec : str
        Kind and place.
    given : mapping of str to object, optional
        Parameters of the loader.
    fs : float, optional
        Sampling frequency in Hz that is wanted in the end, for data that come in
        several.

    Returns
    -------
    data : Data
        The records.

    Raises
    ------
    Fault
        If the kind or a parameter is unknown.
    """
    name, place = kind_of(spec)
    return KINDS[name].read(place, to_reading(spec, given or {}), fs)


def _folds(text: Any) -> Any:
    """Return numbers from ``"1-8"`` or ``"1,2,9"``."""
    if not isinstance(text, str):
        return [text] if isinstance(text, int) else text
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or not (last.isdigit() if dash else True):
            raise Fault(f"Folds must be like 1-8 or 1,2,9. Got {text!r} instead.")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def _several(text: Any) -> Any:
    """Return names from ``"I,II,V1"``."""
    if not isinstance(text, str):
        return text
    value = value_of(text)
    if not isinstance(value, str):
        return value
    return [part.strip() for part in text.split(",")]


def _folder_of(loader: str, names: Callable[[Any], Any]) -> Reader:
    """Return a reader of a folder through one of the package's loaders."""

    def read(place: str, params: dict[str, Any], fs: float | None) -> Data:
        from sk_erts import datasets

        found = getattr(datasets, loader)(place, **params)
        return _data_of(found, names(found))

    return read


def _read_ptbxl(place: str, params: dict[str, Any], fs: float | None) -> Data:
    from sk_erts.datasets import load_ptbxl

    # The records at 500 Hz are there for whoever wants more than 100.
    rate = 100 if fs is None or fs <= 100 else 500
    found: Any = load_ptbxl(place, **{"fs": rate, **params})
    return _data_of(found, found.metadata.index)


def _read_files(place: str, params: dict[str, Any], fs: float | None) -> Data:
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
        data = _folder_of("read_records", _index)(place, params, fs)
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


def _index(found: Any) -> Any:
    return found.metadata.index


def _beat_names(found: Any) -> Any:
    table = found.metadata
    return table["record"].astype(str) + ":" + table["sample"].astype(str)


NPZ = ("X", "y", "groups", "names", "fs", "lead_names", "label_names")


def _read_npz(place: str, params: dict[str, Any], fs: float | None) -> Data:
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


def _make_synthetic(place: str, params: dict[str, Any], fs: float | None) -> Data:
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


KINDS: dict[str, Kind] = {
    "ptbxl": Kind(
        _read_ptbxl,
        "load_ptbxl",
        keeps=("task", "single_label", "min_likelihood", "leads", "missing"),
    ),
    "cinc2017": Kind(
        _folder_of("load_cinc2017", _index),
        "load_cinc2017",
        keeps=("missing", "allow_flat"),
    ),
    "cinc2020": Kind(
        _folder_of("load_cinc2020", _index),
        "load_cinc2020",
        keeps=("labels", "leads", "missing", "allow_flat"),
    ),
    "mitbih": Kind(
        _folder_of("load_mitbih", _beat_names),
        "load_mitbih",
        keeps=("window_s", "classes", "leads", "allow_flat"),
    ),
    "files": Kind(
        _read_files,
        "read_records",
        keeps=("leads", "missing", "allow_flat", "assume", *OF_TABLES),
        own=(*OF_TABLES, "group_column"),
    ),
    "npz": Kind(
        _read_npz, None, "FILE", keeps=("lead_names",), own=("fs", "lead_names")
    ),
    "synthetic": Kind(
        _make_synthetic,
        "make_ecg",
        "N",
        keeps=("n_leads", "fs", "duration_s", "classes"),
    ),
}

# Parameters that are written in a way of their own.
_READ_AS: dict[str, Callable[[Any], Any]] = {
    "folds": _folds,
    "leads": _several,
    "lead_names": _several,
    "sources": _several,
    "classes": lambda text: _several(text) if "," in str(text) else value_of(text),
    "labels": lambda text: text,
    "name_column": lambda text: text,
    "group_column": lambda text: text,
    "label_column": lambda text: text,
}
