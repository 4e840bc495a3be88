"""Records by kind and place: ``ptbxl:FOLDER``, ``npz:FILE``, ``synthetic`` ..."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sk_erts._cli._data import Data
from sk_erts._cli._errors import Fault
from sk_erts._cli._files import OF_TABLES
from sk_erts._cli._readers import (
    Reader,
    by_beat,
    by_index,
    folder_of,
    make_synthetic,
    read_folder,
    read_npz,
    read_ptbxl,
)
from sk_erts._cli._values import value_of
from sk_erts._lib.names import nearest

__all__ = [
    "KINDS",
    "absolute",
    "kind_of",
    "read_data",
    "reading_value",
    "to_reading",
]


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
    >>> from sk_erts._cli._kinds import kind_of
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
    >>> from sk_erts._cli._kinds import reading_value
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


KINDS: dict[str, Kind] = {
    "ptbxl": Kind(
        read_ptbxl,
        "load_ptbxl",
        keeps=("task", "single_label", "min_likelihood", "leads", "missing"),
    ),
    "cinc2017": Kind(
        folder_of("load_cinc2017", by_index),
        "load_cinc2017",
        keeps=("missing", "allow_flat"),
    ),
    "cinc2020": Kind(
        folder_of("load_cinc2020", by_index),
        "load_cinc2020",
        keeps=("labels", "leads", "missing", "allow_flat"),
    ),
    "mitbih": Kind(
        folder_of("load_mitbih", by_beat),
        "load_mitbih",
        keeps=("window_s", "classes", "leads", "allow_flat"),
    ),
    "files": Kind(
        read_folder,
        "read_records",
        keeps=("leads", "missing", "allow_flat", "assume", *OF_TABLES),
        own=(*OF_TABLES, "group_column"),
    ),
    "npz": Kind(
        read_npz, None, "FILE", keeps=("lead_names",), own=("fs", "lead_names")
    ),
    "synthetic": Kind(
        make_synthetic,
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
