"""What a trained classifier knows beside its network, as text, and back."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from sk_erts._lib.typing import Array
from sk_erts._records.seen import Seen
from sk_erts._records.task import OneClass, SeveralLabels, Task
from sk_erts._training.calibration import Calibrated
from sk_erts._training.run import Trained
from sk_erts.exceptions import WeightsError

__all__ = ["Known", "about", "about_records", "known_of", "records_of"]

UNIT = "mV"
TASKS: dict[str, type[Task]] = {
    "one class": OneClass,
    "several labels": SeveralLabels,
}
# Of one record: twelve leads of a day at 250 Hz are fewer.
MOST_VALUES = 2**28
# Kinds of arrays whose values text can hold.
KINDS = "biufUO"


@dataclass(frozen=True)
class Known:
    """What a classifier knows beside its network.

    Attributes
    ----------
    task : Task
        Meaning of the labels.
    seen : Seen
        Figures of the records.
    calibrated : Calibrated
        What is made of the logits.
    n_leads : int
        Leads of a record.
    n_times : int or None
        Time steps of a record; None if they differed.
    feature_names : ndarray of str or None
        Names of the columns of a data frame.
    """

    task: Task
    seen: Seen
    calibrated: Calibrated
    n_leads: int
    n_times: int | None
    feature_names: Array | None


def about(trained: Trained, seen: Seen) -> dict[str, Any]:
    """Return what a training knows beside its network, in the types of JSON.

    Parameters
    ----------
    trained : Trained
        What it left behind.
    seen : Seen
        Figures of its records.

    Returns
    -------
    about : dict of str to object
        What `known_of` reads.

    Raises
    ------
    ValueError
        If a class is no text, finite number or bool.
    """
    task, calibrated = trained.task, trained.calibrated
    classes = task.classes.tolist()
    wrong = [label for label in classes if not _is_plain(label)]
    if wrong or task.classes.dtype.kind not in KINDS:
        raise ValueError(
            "The classes of ERTSClassifier must be text, finite numbers or bools to be "
            f"written to a file. Got {wrong or classes!r}: fit with str(label)."
        )
    thresholds = calibrated.thresholds
    return {
        "task": next(name for name, kind in TASKS.items() if type(task) is kind),
        "classes": classes,
        "classes_dtype": task.classes.dtype.str,
        **about_records(seen),
        "temperature": float(calibrated.temperature),
        "thresholds": None if thresholds is None else list(map(_number, thresholds)),
        "n_epochs": trained.n_epochs,
    }


def about_records(seen: Seen) -> dict[str, Any]:
    """Return figures of records in the types of JSON.

    Parameters
    ----------
    seen : Seen
        The figures.

    Returns
    -------
    about : dict of str to object
        What `records_of` reads.
    """
    return {
        "leads": None if seen.lead_names is None else list(map(str, seen.lead_names)),
        "fs": seen.fs,
        "unit": UNIT,
        "amplitude": _number(seen.amplitude),
        "largest": _number(seen.largest),
    }


def records_of(path: str, told: dict[str, Any]) -> tuple[Seen, int, int | None]:
    """Return what a file tells of records.

    Parameters
    ----------
    path : str
        The file, for errors.
    told : dict
        What `about_records` returned, with ``"n_leads"`` and ``"n_times"``.

    Returns
    -------
    seen : Seen
        The figures.
    n_leads : int
        Leads of a record.
    n_times : int or None
        Time steps of a record; None if they differed.

    Raises
    ------
    WeightsError
        If something is not what it must be.
    """
    reader = _Reader(path, told)
    unit = reader.field("unit", str)
    if unit != UNIT:
        reader.refuse("unit", f"be {UNIT!r}")
    leads = reader.field("leads", list, None)
    fs = reader.field("fs", float, None)
    amplitude, largest = (
        reader.field(name, float, None) for name in ("amplitude", "largest")
    )
    n_leads, n_times = reader.field("n_leads", int), reader.field("n_times", int, None)
    for name, size in (("n_leads", n_leads), ("n_times", n_times)):
        if size is not None and size < 1:
            reader.refuse(name, "be at least 1")
    if n_leads * (n_times or 1) > MOST_VALUES:
        reader.refuse("n_times", f"make records of at most {MOST_VALUES} values")
    if leads is not None and len(leads) != n_leads:
        reader.refuse("leads", f"name {n_leads} leads")
    seen = Seen(
        math.nan if amplitude is None else amplitude,
        math.nan if largest is None else largest,
        fs,
        None if leads is None else tuple(leads),
    )
    return seen, n_leads, n_times


def known_of(path: str, told: dict[str, Any] | None) -> Known:
    """Return what a file tells of a classifier.

    Parameters
    ----------
    path : str
        The file, for errors.
    told : dict or None
        What `about` returned, with ``"n_leads"``, ``"n_times"`` and
        ``"feature_names"``.

    Returns
    -------
    known : Known
        The same.

    Raises
    ------
    WeightsError
        If it tells nothing, or something is not what it must be.
    """
    if not isinstance(told, dict) or "classes" not in told:
        raise WeightsError(
            f"{path} holds a network, but not what a classifier knows of its records "
            "and classes: write it with ERTSClassifier.save_weights. To train from "
            "these weights, give ERTSClassifier(sk_erts.models.load_weights(...))."
        )
    reader = _Reader(path, told)
    kind = reader.field("task", str)
    if kind not in TASKS:
        reader.refuse("task", f"be one of {sorted(TASKS)!r}")
    seen, n_leads, n_times = records_of(path, told)
    classes = _classes(reader)
    thresholds = reader.numbers("thresholds")
    if thresholds is not None and len(thresholds) != len(classes):
        reader.refuse("thresholds", f"hold one for each of {len(classes)} classes")
    temperature = reader.field("temperature", float)
    if not temperature > 0:
        reader.refuse("temperature", "be above 0")
    names = reader.field("feature_names", list, None)
    return Known(
        TASKS[kind](classes),
        seen,
        Calibrated(temperature, thresholds),
        n_leads,
        n_times,
        None if names is None else np.array(names, dtype=object),
    )


class _Reader:
    """Read fields of a dictionary that somebody else may have written."""

    def __init__(self, path: str, told: dict[str, Any]) -> None:
        self.path = path
        self.told = told

    def field(self, name: str, kind: type, *others: None) -> Any:
        """Return a field of a type, or one of some other values."""
        value: Any = self.told.get(name)
        if value is None and others:
            return None
        if kind is float and type(value) is int:
            value = float(value)
        sound = type(value) is kind
        if sound and isinstance(value, float):
            sound = math.isfinite(value)
        if not sound:
            self.refuse(name, f"be of type {kind.__name__}")
        return value

    def numbers(self, name: str) -> Any:
        """Return a list of numbers as an array, NaN where there is none."""
        values = self.field(name, list, None)
        if values is None:
            return None
        if not all(value is None or type(value) in (int, float) for value in values):
            self.refuse(name, "hold numbers")
        return np.array([math.nan if value is None else value for value in values])

    def refuse(self, name: str, wanted: str) -> None:
        """Raise for a field that is not what it must be."""
        raise WeightsError(
            f"The field {name!r} of {self.path} must {wanted}. Got "
            f"{self.told.get(name)!r} instead."
        )


def _classes(reader: _Reader) -> Array:
    """Return the classes as the array that they were."""
    labels, name = reader.field("classes", list), reader.field("classes_dtype", str)
    if re.fullmatch(rf"[<>|=]?[{KINDS}][0-9]*", name) is None:
        reader.refuse("classes_dtype", "be a type that 'classes' have")
    try:
        dtype = np.dtype(name)
        array = np.array(labels, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        reader.refuse("classes_dtype", "be a type that 'classes' have")
    kept = array.tolist() == labels and dtype.kind in KINDS
    if not labels or array.ndim != 1 or not kept or not all(map(_is_plain, labels)):
        reader.refuse("classes", f"be text, numbers or bools of the type {name!r}")
    if len(set(map(json.dumps, labels))) < len(labels):
        reader.refuse("classes", "differ from each other")
    return array


def _is_plain(label: Any) -> bool:
    if isinstance(label, float):
        return bool(np.isfinite(label))
    return isinstance(label, str | int | bool)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
