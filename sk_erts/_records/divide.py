"""Training data, checked and divided once, before anything is built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray
from sk_erts._records.records import Records
from sk_erts._records.task import ClassWeight, Task
from sk_erts._records.training_set import TrainingSet

__all__ = ["FitData", "divide", "fingerprint"]

# Enough to tell two data sets apart; more would have to be read from a disk.
N_FINGERPRINTED = 16


@dataclass(frozen=True)
class FitData:
    """What ``fit`` trains and validates on.

    Attributes
    ----------
    task : Task
        Meaning of the labels.
    train, valid : TrainingSet
        The parts; `valid` is None where nothing is set aside.
    n_samples : int
        Number of records that ``fit`` was given.
    fingerprint : str
        Of the records and labels that ``fit`` was given.
    """

    task: Task
    train: TrainingSet
    valid: TrainingSet | None
    n_samples: int
    fingerprint: str


def divide(
    records: Records,
    codes: Array,
    task: Task,
    *,
    sample_weight: Any = None,
    class_weight: ClassWeight = None,
    groups: Any = None,
    validation: Any = None,
    random_state: int = 0,
) -> FitData:
    """Weigh the records and set some aside for validation.

    Parameters
    ----------
    records : Records
        All of them.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Their encoded labels.
    task : Task
        Meaning of the labels.
    sample_weight : array-like of shape (n_samples,), optional
        Records of weight zero are left out, as if they had not been given.
    class_weight : str or dict, optional
        Weight of the classes.
    groups : array-like of shape (n_samples,), optional
        Records of one group, say a patient, stay on one side.
    validation : float, splitter, iterable of pairs or TrainingSet, optional
        Share to set aside, or what makes the split; None sets nothing aside. Records
        from elsewhere are taken as they are.
    random_state : int, default=0
        Seed of a random split.

    Returns
    -------
    data : FitData
        Its parts do not overlap.

    Raises
    ------
    ValueError
        If weights are negative or all zero, or a split leaves a part empty.
    """
    elsewhere = validation if isinstance(validation, TrainingSet) else None
    validation = None if elsewhere is not None else validation
    weights = _weights(records, codes, task, sample_weight, class_weight)
    counts: BoolArray = np.asarray(weights.reshape(len(weights), -1).any(axis=1))
    if not counts.any():
        raise ValueError(
            "All weights of sample_weight are zero: there is nothing to train on."
        )
    if groups is not None:
        check_consistent_length(codes, groups)
        groups = np.asarray(groups)
    rows = _split(task.strata(codes), counts, groups, validation, random_state)
    inside, outside = (part[counts[part]] for part in rows)
    for name, part in (("training", inside), ("validation", outside)):
        if len(part) == 0 and (name == "training" or validation is not None):
            raise ValueError(
                f"The split by 'validation_fraction' leaves no record in the {name} "
                "part whose weight is not zero."
            )
    # Not by batch: a batch of light records alone must stay light.
    weights /= weights[inside].mean()

    def part_of(chosen: IntArray) -> TrainingSet:
        return TrainingSet(records, chosen, codes[chosen], weights[chosen])

    valid = part_of(outside) if len(outside) else elsewhere
    return FitData(
        task, part_of(inside), valid, len(records), fingerprint(records, codes)
    )


def fingerprint(records: Records, codes: Array) -> str:
    """Return what tells whether records and labels are those of another time.

    Parameters
    ----------
    records : Records
        Some of them are read, spread over all.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Their encoded labels, of which each counts.

    Returns
    -------
    fingerprint : str
        Another one for another number, order or labels of the records.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._records.divide import fingerprint
    >>> from sk_erts._records.records import Records
    >>> records = Records(np.zeros((3, 1, 5)))
    >>> codes = np.array([0, 1, 1])
    >>> fingerprint(records, codes) == fingerprint(records, codes[::-1])
    False
    """
    digest = hashlib.blake2b(np.ascontiguousarray(codes).tobytes(), digest_size=16)
    n_read = min(N_FINGERPRINTED, len(records))
    for row in np.linspace(0, len(records) - 1, n_read).astype(np.int64):
        digest.update(records.take(np.array([row])).tobytes())
    return digest.hexdigest()


def _weights(
    records: Records,
    codes: Array,
    task: Task,
    sample_weight: Any,
    class_weight: ClassWeight,
) -> FloatArray:
    """Return weights (n,) or (n, n_labels), classes counted where weight is left."""
    X_shape = np.empty((len(records), 0), dtype=np.float64)
    by_record = _check_sample_weight(sample_weight, X_shape, ensure_non_negative=True)
    counted = by_record > 0
    some = task.weights(codes[counted], class_weight)
    by_class = np.zeros((len(codes), *some.shape[1:]))
    by_class[counted] = some
    weights: FloatArray = by_class * by_record.reshape(-1, *[1] * (some.ndim - 1))
    return weights


def _split(
    strata: IntArray,
    counts: BoolArray,
    groups: Any,
    validation: Any,
    random_state: int,
) -> tuple[IntArray, IntArray]:
    """Return rows of the training and of the validation part.

    A splitter and pairs of indices speak of the rows of ``X``; a random share is one
    of the records that count.
    """
    everything = np.arange(len(strata))
    counting = np.flatnonzero(counts)
    if validation is None:
        return everything, everything[:0]
    if hasattr(validation, "split"):
        pair = next(iter(validation.split(everything, strata, groups)))
    elif not isinstance(validation, float):
        pair = next(iter(validation), None) if _iterates(validation) else validation
    elif groups is not None:
        splitter = GroupShuffleSplit(1, test_size=validation, random_state=random_state)
        pair = next(splitter.split(everything, strata, groups))
    else:
        inside, outside = _random_split(strata[counting], validation, random_state)
        pair = counting[inside], counting[outside]
    inside, outside = _as_rows(pair)
    both = np.concatenate([inside, outside])
    within = both.min(initial=0) >= 0 and both.max(initial=0) < len(strata)
    if not within or len(np.unique(both)) < len(both):
        raise ValueError(
            "The split by 'validation_fraction' must give each row of X to one part at "
            f"most, and only rows in [0, {len(strata)}). Got {len(inside)} and "
            f"{len(outside)} rows, {len(np.unique(both))} different ones, from "
            f"{both.min(initial=0)} to {both.max(initial=-1)}."
        )
    return inside, outside


def _iterates(validation: Any) -> bool:
    return isinstance(validation, Iterable) and getattr(validation, "ndim", 1) != 0


def _as_rows(pair: Any) -> tuple[IntArray, IntArray]:
    """Return the two parts of a split as rows of ``X``."""
    try:
        inside, outside = (np.asarray(part) for part in pair)
    except (TypeError, ValueError):
        inside = outside = np.zeros((1, 1))
    for part in (inside, outside):
        if part.ndim != 1 or (len(part) and part.dtype.kind not in "iu"):
            raise ValueError(
                "The split by 'validation_fraction' must be a pair of indices, the "
                "rows of X to train on and those to set aside. Got "
                f"{shorten(repr(pair), 80)} instead."
            )
    return inside.astype(np.int64), outside.astype(np.int64)


def _random_split(
    strata: IntArray, fraction: float, random_state: int
) -> tuple[IntArray, IntArray]:
    """Divide at random, in the proportions of the classes where they allow it."""
    _, counts = np.unique(strata, return_counts=True)
    n_outside = int(np.ceil(fraction * len(strata)))
    can_stratify = counts.min() >= 2 and len(counts) <= n_outside <= len(strata) - len(
        counts
    )
    inside, outside = train_test_split(
        np.arange(len(strata)),
        test_size=fraction,
        stratify=strata if can_stratify else None,
        random_state=random_state,
    )
    return np.sort(inside), np.sort(outside)
