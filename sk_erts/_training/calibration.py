"""Probabilities set right after a training, and where decisions are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from sk_erts._lib.typing import Array, FloatArray
from sk_erts._lib.warn import warn_caller
from sk_erts._records.task import Task
from sk_erts.exceptions import DoubtfulInputWarning

__all__ = ["Calibrated", "Calibration"]

SHARE = Interval(Real, 0, 1, closed="right")
CONSTRAINTS: dict[str, list[Any]] = {
    "temperature": ["boolean"],
    "sensitivity": [SHARE, Mapping, None],
    "specificity": [SHARE, Mapping, None],
}
# Temperatures that are looked through, as powers of e: from a twentieth to twenty.
LOG_TEMPERATURES = (-3.0, 3.0)
SMALLEST = 1e-300


@dataclass(frozen=True)
class Calibrated:
    """What the validation part said of probabilities and decisions.

    Attributes
    ----------
    temperature : float
        By which logits are divided.
    thresholds : ndarray of shape (n_classes,) or None
        Probability from which on a class is predicted, NaN where none was asked for;
        None if that is so of all.
    """

    temperature: float = 1.0
    thresholds: FloatArray | None = None


class Calibration(BaseEstimator):
    r"""What is done with the probabilities once the network is trained.

    Parameters of the classifier reach it by double underscores, as in
    ``ERTSClassifier(calibration__temperature=True)``. What is asked for is measured on
    the validation part, of which a tenth of the records is made if none is asked for.

    Parameters
    ----------
    temperature : bool, default=False
        Divide all logits by the temperature :math:`T` with the least negative
        log-likelihood [1]_. It moves no record past another one.
    sensitivity : float or dict, optional
        Share of the records of a class that is to be found: it is predicted from the
        highest probability on that finds them. A number is for all labels, or for
        ``classes_[1]`` of two classes; of more classes, or for some labels only, a
        dictionary names them: ``{"MI": 0.95}``.
    specificity : float or dict, optional
        Share of the records without it that is to be spared, likewise: the lowest
        probability that spares them.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017,
       arXiv:1706.04599.
    """

    def __init__(
        self,
        temperature: bool = False,
        sensitivity: float | Mapping[Any, float] | None = None,
        specificity: float | Mapping[Any, float] | None = None,
    ) -> None:
        self.temperature = temperature
        self.sensitivity = sensitivity
        self.specificity = specificity

    @property
    def is_asked_for(self) -> bool:
        """Whether anything is to be measured."""
        points = (self.sensitivity, self.specificity)
        return self.temperature or any(point is not None for point in points)

    def check(self, owner: str) -> None:
        """Refuse what can be refused before anything is known of the classes.

        Parameters
        ----------
        owner : str
            Class of the estimator, for errors.
        """
        params = self.get_params(deep=False)
        validate_parameter_constraints(
            {f"calibration__{name}": allowed for name, allowed in CONSTRAINTS.items()},
            {f"calibration__{name}": value for name, value in params.items()},
            owner,
        )
        for name in ("sensitivity", "specificity"):
            given = getattr(self, name)
            for share in given.values() if isinstance(given, Mapping) else ():
                if not isinstance(share, int | float) or not 0 < share <= 1:
                    raise ValueError(
                        f"The '{name}' of each class in 'calibration__{name}' of "
                        f"{owner} must be a number in (0, 1]. Got {share!r} instead."
                    )

    def points(self, task: Task) -> dict[int, tuple[str, float]]:
        """Return what is asked for of each class, before anything is trained.

        Parameters
        ----------
        task : Task
            Knows the classes.

        Returns
        -------
        points : dict of int to (str, float)
            By the place of the class: "sensitivity" or "specificity", and how much.

        Raises
        ------
        ValueError
            If a name is no class, or a class is to have both.
        """
        points: dict[int, tuple[str, float]] = {}
        for name in ("sensitivity", "specificity"):
            given = getattr(self, name)
            if given is None:
                continue
            if not isinstance(given, Mapping):
                given = dict.fromkeys(
                    task.decided_classes(f"calibration__{name}"), given
                )
            for label, share in given.items():
                k = task.index_of(label)
                if k in points:
                    raise ValueError(
                        f"The class {label!r} must have one operating point. Got a "
                        "'calibration__sensitivity' and a 'calibration__specificity': "
                        "give either."
                    )
                points[k] = (name, float(share))
        return points

    def measure(self, task: Task, logits: torch.Tensor, codes: Array) -> Calibrated:
        """Return temperature and thresholds by records that nobody trained on.

        Parameters
        ----------
        task : Task
            Turns logits into probabilities.
        logits : tensor of shape (n, n_classes)
            What the network says of them.
        codes : ndarray of shape (n,) or (n, n_labels)
            Their encoded labels.

        Returns
        -------
        calibrated : Calibrated
            What was asked for.

        Warns
        -----
        DoubtfulInputWarning
            If no record tells of an operating point; the class is then predicted as
            without one.
        """
        temperature = _temperature(task, logits, codes) if self.temperature else 1.0
        points = self.points(task)
        if not points:
            return Calibrated(temperature)
        proba = task.probability(logits / temperature).numpy()
        is_of = task.is_of_class(codes)
        thresholds = np.full(task.n_classes, np.nan)
        for k, (name, share) in points.items():
            wanted = is_of[:, k] if name == "sensitivity" else ~is_of[:, k]
            if wanted.any():
                thresholds[k] = _threshold(proba[wanted, k], name, share)
            else:
                which = "with" if name == "sensitivity" else "without"
                warn_caller(
                    f"The validation part holds no record {which} the class "
                    f"{task.classes[k]!r}, so that its {name} cannot be set; it is "
                    "predicted as without 'calibration__*'. Set more records aside "
                    "with 'validation_fraction'.",
                    DoubtfulInputWarning,
                )
        return Calibrated(temperature, thresholds)


def _threshold(proba: FloatArray, name: str, share: float) -> float:
    """Return where the share of records is found, or spared, and just so."""
    place = int(np.ceil(share * len(proba) - 1e-9)) - 1
    if name == "sensitivity":
        return float(np.sort(proba)[::-1][place])
    return float(np.nextafter(np.sort(proba)[place], np.inf))


def _temperature(task: Task, logits: torch.Tensor, codes: Array) -> float:
    """Return the temperature with the least negative log-likelihood."""
    truth, logits = torch.from_numpy(codes), logits.double()

    def loss(log_temperature: float) -> float:
        confidence = task.confidence(logits / np.exp(log_temperature), truth)
        return -float(confidence.clamp(min=SMALLEST).log().mean())

    found = minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))
