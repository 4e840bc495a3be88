"""One class per record, or several labels: the two tasks and what differs in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, column_or_1d
from torch import nn
from torch.nn import functional

from sk_erts._lib.names import nearest
from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray

__all__ = [
    "OneClass",
    "SeveralLabels",
    "Task",
    "check_labels",
    "doubts_of_labels",
    "make_task",
]

ClassWeight = str | Mapping[Any, float] | None
Loss = Callable[[torch.Tensor], torch.Tensor]
EFFECTIVE_NUMBER_BETA = 0.9999
# From so many columns and rows on, one label in each row is no chance.
FEWEST_ONE_HOT = (3, 10)


@dataclass(frozen=True)
class Doubts:
    """What is doubted of records: their label, or the least certain of several.

    Attributes
    ----------
    label, predicted : ndarray of shape (n,)
        What was given, and what the network says instead, or too.
    confidence : ndarray of shape (n,)
        Probability of the label.
    proba : ndarray of shape (n, n_rivals)
        What the network gives it and its rivals.
    """

    label: Array
    predicted: Array
    confidence: FloatArray
    proba: FloatArray


class Task(ABC):
    """What the labels mean: how they are encoded, predicted, scored and weighed.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, in the order of the network's outputs.
    """

    criterion: type[nn.Module]
    nonlinearity: Callable[[torch.Tensor], torch.Tensor]

    def __init__(self, classes: Array) -> None:
        self.classes = classes

    @property
    def n_classes(self) -> int:
        """Number of classes or labels."""
        return len(self.classes)

    @property
    def n_outputs(self) -> int:
        """Number of the network's outputs."""
        return self.n_classes

    @property
    def n_remembered(self) -> int:
        """Numbers that are summed up over all looks at a record."""
        return self.n_classes

    def check_same(self, other: Task) -> None:
        """Refuse a task other than this one, of the first fit.

        Parameters
        ----------
        other : Task
            Of the labels at hand.

        Raises
        ------
        ValueError
            If it is of another kind, or has other classes.
        """
        same = type(other) is type(self)
        if not (same and np.array_equal(other.classes, self.classes)):
            raise ValueError(
                "With warm_start=True, y must hold the classes of the first fit, "
                f"{self.classes.tolist()!r}. Got {other.classes.tolist()!r} instead."
            )

    def index_of(self, target: Any) -> int:
        """Return the output of a class label.

        Parameters
        ----------
        target : object
            One of the classes.

        Returns
        -------
        index : int
            Its place among them.

        Raises
        ------
        ValueError
            If it is none of them.
        """
        # Whether a missing value is equal to anything is missing too.
        is_it = False if _is_missing(target) else self.classes == target
        matches = np.flatnonzero(is_it)
        if len(matches) != 1:
            names = [str(label) for label in self.classes]
            raise ValueError(
                f"The target {target!r} is none of the classes seen in fit. "
                f"{nearest(str(target), names)}"
            )
        return int(matches[0])

    @abstractmethod
    def with_classes(self, classes: Any) -> Task:
        """Return the same task with all classes there will be."""

    @abstractmethod
    def encode(self, y: Any) -> Array:
        """Return labels as the network's criterion wants them."""

    @abstractmethod
    def codes_of(self, proba: FloatArray) -> IntArray:
        """Return the encoded labels that probabilities (n, n_classes) speak for."""

    @abstractmethod
    def codes_at(self, proba: FloatArray, thresholds: FloatArray) -> IntArray:
        """Return the encoded labels that probabilities speak for, class by class.

        Parameters
        ----------
        proba : ndarray of shape (n, n_classes)
            Probabilities.
        thresholds : ndarray of shape (n_classes,)
            From which on a class is predicted; NaN where it has none of its own.
        """

    @abstractmethod
    def decided_classes(self, name: str) -> list[Any]:
        """Return the classes that one number is for, given as the parameter `name`.

        Raises
        ------
        ValueError
            If it cannot be for all.
        """

    @abstractmethod
    def is_of_class(self, codes: Array) -> BoolArray:
        """Return whether records are of each class, (n, n_classes)."""

    @abstractmethod
    def codes_of_classes(self, index: IntArray) -> Array:
        """Return the encoded labels of records that are of one class each, (n,)."""

    @abstractmethod
    def labels(self, codes: Array) -> Array:
        """Return the labels that encoded ones stand for."""

    def decode(self, proba: FloatArray, thresholds: FloatArray | None = None) -> Array:
        """Return the labels that probabilities (n, n_classes) speak for."""
        if thresholds is not None:
            return self.labels(self.codes_at(proba, thresholds))
        return self.labels(self.codes_of(proba))

    @abstractmethod
    def probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Return probabilities (n, n_classes) in double precision."""

    @abstractmethod
    def log_probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Return their logarithms, from the logits themselves."""

    @abstractmethod
    def confidence(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the probability (n,) of the truth, given encoded labels."""

    @abstractmethod
    def direction(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the weights of the logits (n, n_classes) that speak for the truth."""

    @abstractmethod
    def contrast(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the weights (n, n_classes) of what sets the truth off from its rival.

        The rival of a class is the most probable other one; of several labels it is
        the wrong state of the one whose state is the least certain.
        """

    @abstractmethod
    def off_rival(self, logits: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
        """Return the weights (n, n_classes) of what sets one class off from its rival.

        Parameters
        ----------
        logits : tensor of shape (n, n_classes)
            Say which other class is the most probable; a label's is its absence.
        towards : tensor of shape (n, n_classes)
            One-hot rows.
        """

    @abstractmethod
    def softened_losses(
        self,
        loss: Loss,
        codes: torch.Tensor,
        doubt: torch.Tensor,
        proba: torch.Tensor,
    ) -> torch.Tensor:
        """Return losses of labels moved towards probabilities.

        Parameters
        ----------
        loss : callable
            From encoded labels of the shape of `codes` to losses.
        codes : tensor of shape (n,) or (n, n_labels)
            Encoded labels.
        doubt : tensor of shape (n,)
            How far each is moved: 0 not at all, 1 wholly.
        proba : tensor of shape (n, n_classes)
            Where to.
        """

    @abstractmethod
    def doubts(self, codes: Array, believed: FloatArray, proba: FloatArray) -> Doubts:
        """Return what is doubted of each record.

        Parameters
        ----------
        codes : ndarray of shape (n,) or (n, n_labels)
            Encoded labels.
        believed : ndarray of shape (n, n_classes)
            Probabilities by which the labels are judged.
        proba : ndarray of shape (n, n_classes)
            Those by which classes are predicted.
        """

    @abstractmethod
    def strata(self, codes: Array) -> IntArray:
        """Return a number (n,) for each record by which a split is stratified."""

    @abstractmethod
    def weights(self, codes: Array, class_weight: ClassWeight) -> FloatArray:
        """Return what each element of the loss weighs, (n,) or (n, n_classes)."""

    def _weights_by_name(self, class_weight: Mapping[Any, float]) -> FloatArray:
        """Return the weights of a dictionary in the order of the classes."""
        known = self.classes.tolist()
        unknown = [label for label in class_weight if label not in known]
        # A fold may lack a class; a misspelt one leaves another class without weight.
        if unknown and not set(known) <= set(class_weight):
            raise ValueError(
                f"The 'class_weight' parameter names the classes {unknown!r}, which "
                f"are not in y. The classes of y are {known!r}."
            )
        return np.array([class_weight.get(label, 1.0) for label in known])


class OneClass(Task):
    """One class per record: softmax, cross-entropy."""

    criterion = nn.CrossEntropyLoss
    nonlinearity = nn.Softmax(dim=1)

    def with_classes(self, classes: Any) -> OneClass:
        """Return the task with these classes, sorted."""
        return OneClass(np.unique(column_or_1d(classes)))

    def encode(self, y: Any) -> Array:
        """Return class indices (n,)."""
        _refuse_missing(y)
        y = column_or_1d(y)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        codes = np.searchsorted(self.classes, y).clip(max=self.n_classes - 1)
        wrong = self.classes[codes] != y
        if np.any(wrong):
            raise ValueError(
                f"y holds the labels {np.unique(y[wrong]).tolist()!r}, which were not "
                f"seen in fit. The classes are {self.classes.tolist()!r}."
            )
        result: Array = codes.astype(np.int64)
        return result

    def codes_of(self, proba: FloatArray) -> IntArray:
        """Return the most probable class of each record."""
        codes: IntArray = proba.argmax(axis=1)
        return codes

    def codes_at(self, proba: FloatArray, thresholds: FloatArray) -> IntArray:
        """Return the class that is furthest above its threshold, in proportion.

        Where none is, it is the most probable of the classes that have no threshold,
        and of all if each has one.
        """
        has_own = ~np.isnan(thresholds)
        times = np.where(has_own, proba / np.where(has_own, thresholds, 1), -np.inf)
        is_above = (times >= 1).any(axis=1)
        others = proba if has_own.all() else np.where(has_own, -np.inf, proba)
        codes: IntArray = np.where(
            is_above, times.argmax(axis=1), others.argmax(axis=1)
        )
        return codes

    def decided_classes(self, name: str) -> list[Any]:
        """Return the second of two classes."""
        if self.n_classes != 2:
            one = self.classes[-1].item()
            raise ValueError(
                f"'{name}' must name the class it is for, since a record is of one of "
                f"{self.n_classes} classes and not all can be found at once: give a "
                f"dictionary such as {{{one!r}: 0.9}}. Got one number."
            )
        return [self.classes[1]]

    def is_of_class(self, codes: Array) -> BoolArray:
        """Return the class of each record, one-hot."""
        is_of: BoolArray = codes[:, None] == np.arange(self.n_classes)
        return is_of

    def codes_of_classes(self, index: IntArray) -> Array:
        """Return the classes themselves."""
        return index.astype(np.int64)

    def labels(self, codes: Array) -> Array:
        """Return the class labels."""
        labels: Array = self.classes[codes]
        return labels

    def probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the softmax of the logits."""
        return functional.softmax(logits.double(), dim=1)

    def log_probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of the softmax of the logits."""
        return functional.log_softmax(logits.double(), dim=1) + 0.0  # no -0.0

    def confidence(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the probability of the true class."""
        return functional.softmax(logits, dim=1).gather(1, codes[:, None])[:, 0]

    def direction(self, codes: torch.Tensor) -> torch.Tensor:
        """Return one-hot rows."""
        return functional.one_hot(codes, self.n_classes).float()

    def contrast(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return 1 for the true class and -1 for the most probable other one."""
        return self.off_rival(logits, self.direction(codes))

    def off_rival(self, logits: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
        """Return 1 for the class and -1 for the most probable other one."""
        rival = logits.masked_fill(towards > 0, -torch.inf).argmax(dim=1)
        return towards - self.direction(rival)

    def softened_losses(
        self,
        loss: Loss,
        codes: torch.Tensor,
        doubt: torch.Tensor,
        proba: torch.Tensor,
    ) -> torch.Tensor:
        """Return the mean of the losses of all classes, by their new probabilities.

        Of cross-entropy it is that with soft labels; it needs of a loss nothing but
        what it says of one class.
        """
        losses = (1 - doubt) * loss(codes)
        for k in range(self.n_classes):
            losses = losses + doubt * proba[:, k] * loss(torch.full_like(codes, k))
        return losses

    def doubts(self, codes: Array, believed: FloatArray, proba: FloatArray) -> Doubts:
        """Return the class of each record, and what all classes got."""
        confidence = believed[np.arange(len(codes)), codes]
        return Doubts(self.labels(codes), self.decode(proba), confidence, proba)

    def strata(self, codes: Array) -> IntArray:
        """Return the class."""
        return codes.astype(np.int64)

    def weights(self, codes: Array, class_weight: ClassWeight) -> FloatArray:
        """Return the weight of each record's class."""
        if class_weight is None:
            return np.ones(len(codes))
        if isinstance(class_weight, Mapping):
            by_class = self._weights_by_name(class_weight)
        else:
            counts = np.bincount(codes, minlength=self.n_classes)
            balance = {
                "balanced": _balanced_weights,
                "effective": _effective_number_weights,
            }[class_weight]
            by_class = balance(counts)
        weights: FloatArray = by_class[codes]
        return weights


class SeveralLabels(Task):
    """Any number of labels per record: sigmoids, binary cross-entropy."""

    criterion = nn.BCEWithLogitsLoss
    nonlinearity = nn.Sigmoid()

    def with_classes(self, classes: Any) -> SeveralLabels:
        """Return the task with these labels, in the order given."""
        return SeveralLabels(np.asarray(classes))

    def encode(self, y: Any) -> Array:
        """Return an indicator matrix (n, n_labels) in float32.

        The columns of a data frame are put in the order of the labels.
        """
        if hasattr(y, "columns") and not np.array_equal(y.columns, self.classes):
            if sorted(map(str, y.columns)) != sorted(map(str, self.classes)):
                raise ValueError(
                    f"The columns of y must be the labels seen in fit, "
                    f"{self.classes.tolist()!r}. Got {list(y.columns)!r} instead."
                )
            y = y[self.classes.tolist()]
        _refuse_missing(y)
        y = check_array(y, dtype="numeric", input_name="y", accept_sparse="csr")
        y = y.toarray() if hasattr(y, "toarray") else y
        if y.shape[1] != self.n_classes or not np.isin(y, (0, 1)).all():
            raise ValueError(
                "y must be an indicator matrix of zeros and ones with one column for "
                f"each of the {self.n_classes} labels seen in fit. Got the shape "
                f"{y.shape} and the values {np.unique(y)[:5].tolist()!r} instead."
            )
        codes: Array = y.astype(np.float32)
        return codes

    def codes_of(self, proba: FloatArray) -> IntArray:
        """Return an indicator matrix of what is above one half."""
        return (proba > 0.5).astype(np.int64)

    def codes_at(self, proba: FloatArray, thresholds: FloatArray) -> IntArray:
        """Return an indicator matrix: from the threshold on, or above one half."""
        above = np.where(np.isnan(thresholds), proba > 0.5, proba >= thresholds)
        return above.astype(np.int64)

    def decided_classes(self, name: str) -> list[Any]:
        """Return all labels."""
        return list(self.classes)

    def is_of_class(self, codes: Array) -> BoolArray:
        """Return the indicator matrix."""
        is_of: BoolArray = codes > 0
        return is_of

    def codes_of_classes(self, index: IntArray) -> Array:
        """Return an indicator matrix with one label per record."""
        codes: Array = np.eye(self.n_classes, dtype=np.float32)[index]
        return codes

    def labels(self, codes: Array) -> Array:
        """Return the indicator matrix in whole numbers."""
        return codes.astype(np.int64)

    def probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the sigmoid of each logit."""
        return logits.double().sigmoid()

    def log_probability(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of the sigmoid of each logit."""
        return functional.logsigmoid(logits.double()) + 0.0  # no -0.0

    def confidence(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the geometric mean of the probabilities of the true states."""
        log_true = functional.logsigmoid(torch.where(codes > 0, logits, -logits))
        return log_true.mean(dim=1).exp()

    def direction(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the mean of the true labels; of the absence of all if none is."""
        n_true = codes.sum(dim=1, keepdim=True)
        absence = torch.full_like(codes, -1 / self.n_classes)
        return torch.where(n_true > 0, codes / n_true.clamp(min=1), absence)

    def contrast(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return 1 or -1, as its true state is, for the least certain label."""
        signs = 2 * codes - 1
        worst = (signs * logits).argmin(dim=1)
        return signs * functional.one_hot(worst, self.n_classes)

    def off_rival(self, logits: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
        """Return 1 for the label: what is against it speaks for its absence."""
        return towards

    def softened_losses(
        self,
        loss: Loss,
        codes: torch.Tensor,
        doubt: torch.Tensor,
        proba: torch.Tensor,
    ) -> torch.Tensor:
        """Return the losses of an indicator matrix with shares in it."""
        share = doubt[:, None]
        return loss((1 - share) * codes + share * proba)

    def doubts(self, codes: Array, believed: FloatArray, proba: FloatArray) -> Doubts:
        """Return the least certain label of each record, and its two states."""
        rows = np.arange(len(codes))
        worst = np.where(codes > 0, believed, 1 - believed).argmin(axis=1)
        names = np.array([[f"not {name}", f"{name}"] for name in self.classes])
        given = codes[rows, worst].astype(int)
        likely, yes = proba[rows, worst], believed[rows, worst]
        return Doubts(
            names[worst, given],
            names[worst, (likely > 0.5).astype(int)],
            np.where(given, yes, 1 - yes),
            np.stack([1 - likely, likely], axis=1),
        )

    def strata(self, codes: Array) -> IntArray:
        """Return the rarest label of each record."""
        rarity = codes / np.maximum(codes.sum(axis=0), 1)
        return np.where(codes.any(axis=1), rarity.argmax(axis=1), -1)

    def weights(self, codes: Array, class_weight: ClassWeight) -> FloatArray:
        """Return the weight of each label, or of each of its two states."""
        if class_weight is None:
            return np.ones(len(codes))
        if isinstance(class_weight, Mapping):
            by_label = self._weights_by_name(class_weight)
            return np.broadcast_to(by_label, codes.shape).copy()
        columns = [OneClass(np.unique(column)) for column in codes.T]
        return np.stack(
            [
                task.weights(task.encode(column), class_weight)
                for task, column in zip(columns, codes.T, strict=True)
            ],
            axis=1,
        )


def check_labels(y: Any) -> None:
    """Refuse what holds no label for each of several records.

    Parameters
    ----------
    y : object
        What was given as labels.

    Raises
    ------
    ValueError
        If it is no sequence, its parts have different shapes, or they are bytes or
        text among other labels.

    Examples
    --------
    >>> from sk_erts._records.task import check_labels
    >>> check_labels({"a": 1})
    Traceback (most recent call last):
    ...
    ValueError: y must be an array or a list with a label for each record. Got dict
    instead.
    """
    if y is None or hasattr(y, "tocsr"):
        return
    wanted = "y must be an array or a list with a label for each record."
    is_one = isinstance(y, str | bytes | Mapping | Set) or getattr(y, "ndim", 1) == 0
    if is_one or not (hasattr(y, "__len__") or hasattr(y, "__array__")):
        raise ValueError(f"{wanted} Got {type(y).__name__} instead.")
    try:
        labels = np.asarray(y)
    except ValueError:  # numpy makes no array of them
        raise ValueError(f"{wanted} Got labels of different shapes instead.") from None
    if labels.dtype.kind == "S":
        raise ValueError(
            "y must hold text, numbers or bools. Got bytes instead: pass "
            "numpy.asarray(y).astype(str)."
        )
    if labels.dtype.kind == "O":
        kinds = {isinstance(one, str) for one in labels.ravel() if not _is_missing(one)}
        if len(kinds) > 1:
            raise ValueError(
                "y must hold text alone, or none: classes are sorted. Got text among "
                "other labels instead: pass [str(label) for label in y]."
            )


def make_task(y: Any) -> Task:
    """Read from training labels which task they describe.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Class labels of any kind, or an indicator matrix. The columns of a data
        frame name the labels.

    Returns
    -------
    task : Task
        Knows the classes.

    Raises
    ------
    ValueError
        If `y` holds no classes: continuous values, missing ones, or several
        columns that are no indicators.
    """
    _refuse_missing(y)
    if not hasattr(y, "tocsr"):
        assert_all_finite(np.asarray(y), input_name="y")
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        n_labels = y.shape[1] if hasattr(y, "shape") else len(y[0])
        columns = np.asarray(getattr(y, "columns", np.arange(n_labels)))
        return SeveralLabels(columns)
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"y must hold one class per record or be an indicator matrix. Got {kind} "
            "instead."
        )
    return OneClass(np.unique(column_or_1d(y, warn=True)))


def doubts_of_labels(task: Task, y: Any, codes: Array) -> Iterator[str]:
    """Say what of training labels is hardly meant.

    Parameters
    ----------
    task : Task
        What they were taken for.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        As the user gave them.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        The same, encoded.

    Yields
    ------
    doubt : str
        Sentences that follow the name of the estimator, with what to do.

    Raises
    ------
    ValueError
        If there are not two classes.
    """
    if task.n_classes < 2 and codes.ndim == 1:
        raise ValueError(
            "y must hold two classes or more. Got one class, "
            f"{task.classes.tolist()[0]!r}, in all {len(codes)} records: a classifier "
            "has nothing to tell apart. To partial_fit, pass all 'classes'."
        )
    fewest_columns, fewest_rows = FEWEST_ONE_HOT
    if (
        codes.ndim == 2
        and codes.shape[1] >= fewest_columns
        and len(codes) >= fewest_rows
        and (codes.sum(axis=1) == 1).all()
    ):
        one_class = (
            "y.idxmax(axis=1)"
            if hasattr(y, "idxmax")
            else "y.argmax(axis=1)"
            if hasattr(y, "argmax")
            else "numpy.argmax(y, axis=1)"
        )
        yield (
            f"y is an indicator matrix, taken for {codes.shape[1]} labels of which a "
            "record may have several or none, and each row has exactly one. If that "
            f"is the class of the record, pass {one_class}."
        )


def _refuse_missing(y: Any) -> None:
    """Raise for a label that is None or NaN, and name the record."""
    if hasattr(y, "tocsr") or y is None:
        return
    # A list of strings and NaN would become one of strings.
    labels = np.asarray(y, dtype=object if isinstance(y, list | tuple) else None)
    if labels.dtype.kind == "f":
        missing = np.isnan(labels)
    elif labels.dtype.kind == "O":
        flat = [_is_missing(label) for label in labels.ravel()]
        missing = np.array(flat, dtype=bool).reshape(labels.shape)
    else:
        return
    rows = np.flatnonzero(missing.reshape(len(missing), -1).any(axis=1))
    if len(rows):
        what = "None" if labels[missing][0] is None else "NaN"
        others = f" and {len(rows) - 1} others" if len(rows) > 1 else ""
        raise ValueError(
            f"Input y contains {what}, in record {rows[0]}{others}. Give each record a "
            "label, or leave it out."
        )


def _is_missing(label: Any) -> bool:
    """Return whether a label is None, NaN, or what pandas has for them."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(label, float | np.floating) and bool(np.isnan(label))


def _balanced_weights(counts: IntArray) -> FloatArray:
    """Weigh classes by the inverse of their number, as scikit-learn does.

    Classes without records, which scikit-learn refuses, weigh nothing that counts.
    """
    weights: FloatArray = counts.sum() / ((counts > 0).sum() * np.maximum(counts, 1))
    return weights


def _effective_number_weights(counts: IntArray) -> FloatArray:
    r"""Weigh classes by the inverse of their effective number.

    .. math:: w_c \propto \frac{1 - \beta}{1 - \beta^{n_c}}, \qquad \beta = 0.9999

    Cui et al., "Class-balanced loss based on effective number of samples", CVPR 2019,
    arXiv:1901.05555. The weights have the mean 1 over the classes.
    """
    effective = (1 - EFFECTIVE_NUMBER_BETA ** np.maximum(counts, 1)) / (
        1 - EFFECTIVE_NUMBER_BETA
    )
    weights: FloatArray = 1 / effective
    weights = weights * (len(counts) / weights.sum())
    return weights
