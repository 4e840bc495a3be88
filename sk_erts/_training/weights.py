"""Weights of a trained classifier, out to files that others can read, and in."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, cast

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sk_erts._network.bounded import no_larger_than
from sk_erts._network.network import Network
from sk_erts._records.divide import FitData
from sk_erts._records.records import Records, as_records
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.about import Known, about, known_of
from sk_erts._training.archive import CANNOT_BE_MADE
from sk_erts._training.build import make_net
from sk_erts._training.chance import Chance
from sk_erts._training.export import export_network
from sk_erts._training.net import ERTSNet
from sk_erts._training.plan import Plan, make_plan
from sk_erts._training.predicts import Predicts
from sk_erts._training.run import Trained
from sk_erts.exceptions import WeightsError
from sk_erts.models import get_model
from sk_erts.models._made_with import as_plain, registered_name
from sk_erts.models._weights import (
    WeightsFile,
    differences,
    listed,
    path_of,
    read_weights,
    save_weights,
)

__all__ = ["KeepsWeights", "made_from", "net_of", "noise_of_shape"]

# What `fit` tells of a training, and no file does.
OF_A_TRAINING = (
    "history_",
    "kept_counts_",
    "effective_epochs_",
    "scoring_passes_",
    "fit_time_s_",
)
# What a network is told, and not asked for.
TOLD = ("n_leads", "n_times", "n_classes")
# Of the records by which a network for records of any length is tried out.
SOME_LENGTHS = (100, 80)


@dataclass(frozen=True)
class Absent:
    """Stand where something would be that a file does not hold, and say so.

    Parameters
    ----------
    path : str
        The file.
    what : str
        What is not there.

    Examples
    --------
    >>> from sk_erts._training.weights import Absent
    >>> Absent("w.safetensors", "no history of a selection").status
    Traceback (most recent call last):
    ...
    AttributeError: ERTSClassifier was loaded from w.safetensors, which holds no history
    of a selection, and so no 'status'. It is there after fit.
    """

    path: str
    what: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by copies and pickles
            raise AttributeError(name)
        raise AttributeError(
            f"ERTSClassifier was loaded from {self.path}, which holds {self.what}, and "
            f"so no {name!r}. It is there after fit."
        )


class KeepsWeights(Predicts):
    """Write the network to a file, for this package or for others; read it again.

    A mixin of `ERTSClassifier`, which has the attributes.
    """

    module: Any
    _double_underscored: dict[str, Any]
    _loaded_from: str
    _publish: Callable[..., Any]
    set_params: Callable[..., Any]

    def __getattr__(self, name: str) -> Any:
        path = self.__dict__.get("_loaded_from")
        if name in OF_A_TRAINING and path is not None:
            raise AttributeError(
                f"{type(self).__name__} was loaded from {path}, which holds nothing of "
                f"its training: there is a {name!r} only after fit."
            )
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def save_weights(self, path: str | PathLike[str]) -> None:
        """Write the network to a file, with what it was trained on.

        The file is in the safetensors format: numbers and text, in which nothing can be
        run. Beside the weights it tells name and parameters of the network, classes and
        kind of task, leads in their order and sampling frequency where `X` told them,
        the unit, the length and typical amplitude of the records, and temperature and
        thresholds of a calibration. No record is in it, and no history of the training.

        Parameters
        ----------
        path : str or path-like
            The file, usually with the suffix ``.safetensors``.

        Raises
        ------
        ValueError
            If a class is no text, number or bool.

        See Also
        --------
        sk_erts.models.load_weights : Reads the network alone, to train it on other
            records.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier(module__width=4, max_epochs=1, random_state=0)
        >>> path = tempfile.mkdtemp() + "/w.safetensors"
        >>> clf.fit(X, y).save_weights(path)
        >>> other = ERTSClassifier().load_weights(path)
        >>> np.array_equal(other.predict_proba(X), clf.predict_proba(X))
        True
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        feature_names = None if names is None else list(map(str, names))
        told = self._told() | {"feature_names": feature_names}
        save_weights(self.net_.module_, path, told)

    def load_weights(self, path: str | PathLike[str]) -> Any:
        """Predict and explain like the classifier that wrote a file.

        Afterwards the classifier is fitted: it checks new records as the other one did,
        and with ``warm_start=True`` `fit` goes on from it. What the file tells of a
        registered network becomes ``module__*``. The story of its training is not in
        the file: there are no `history_`, `kept_counts_`, `effective_epochs_`,
        `scoring_passes_` and `fit_time_s_`, and whatever `selection_` is asked for is
        an error that says so; `focus_score` and `audit` go by the network as it is.

        Parameters
        ----------
        path : str or path-like
            What `save_weights` wrote.

        Returns
        -------
        self : ERTSClassifier
            With the network of the file.

        Raises
        ------
        WeightsError
            If the file is cut short or of another format, was not written by a
            classifier, or holds another network than `module` and ``module__*`` are.
            Nothing is changed then.
        FileNotFoundError
            If there is no such file.

        See Also
        --------
        sk_erts.models.load_weights : Other numbers of leads or classes.
        """
        file = read_weights(path)
        known = known_of(file.path, file.about)
        params = _parameters(file, self.module, self._double_underscored)
        trial = copy.copy(self)
        trial._double_underscored = {**self._double_underscored, **params}
        with made_from(file.path, WeightsError):
            plan, stand_in, net = net_of(trial, known, file.tensors)
        if said := differences(file, net.module_.state_dict()):
            raise WeightsError(
                f"{file.path} does not fit the network of {type(self).__name__}, "
                f"{type(net.module_).__name__}: {listed(said)}."
            )
        net.module_.load_state_dict(file.tensors)
        trial._seen = known.seen
        trial.__dict__.pop("feature_names_in_", None)
        if known.feature_names is not None:
            trial.__dict__["feature_names_in_"] = known.feature_names
        with made_from(file.path, WeightsError):
            self.set_params(**params)
        self._publish(_trained(file, known, net, plan), stand_in.records, trial)
        for name in OF_A_TRAINING:
            self.__dict__.pop(name, None)
        self._loaded_from = file.path
        return self

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the network as an ONNX model, which runs without Python or torch.

        Its input ``"X"`` (n, n_leads, n_times) holds any number of records in float32,
        as `predict_proba` gets them; its output ``"proba"`` (n, n_classes) the
        probabilities: within 1e-4 those of `predict_proba`. Nothing checks the records.
        The metadata of the model tell what they must be: ``leads`` in their order and
        ``fs`` where `X` of `fit` told them, ``unit``, ``n_leads`` and ``n_times``; and
        ``classes``, in the order of the output, ``task``, ``temperature``, by which
        logits have been divided, and the ``thresholds`` of a calibration. What is no
        text is JSON.

        What a pipeline does before the classifier is not in the model.

        Parameters
        ----------
        path : str or path-like
            The file, usually with the suffix ``.onnx``.

        Raises
        ------
        ImportError
            If the extra ``onnx`` is not installed.
        ValueError
            If torch finds no ONNX model of the network, or a class is no text, number
            or bool.

        Examples
        --------
        >>> import tempfile
        >>> import onnxruntime
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier("fcn1d", module__width=4, max_epochs=1).fit(X, y)
        >>> path = tempfile.mkdtemp() + "/network.onnx"
        >>> clf.export_onnx(path)
        >>> session = onnxruntime.InferenceSession(path)
        >>> (proba,) = session.run(["proba"], {"X": X[:5]})
        >>> bool(abs(proba - clf.predict_proba(X[:5])).max() < 1e-4)
        True
        """
        check_is_fitted(self)
        trained = self._trained
        export_network(
            self.net_.module_,
            trained.task.nonlinearity,
            path,
            temperature=trained.calibrated.temperature,
            n_leads=self.n_leads_in_,
            n_times=self.n_times_in_,
            told=self._told(),
        )

    def _told(self) -> dict[str, Any]:
        """Return what files tell beside the network."""
        sizes = {"n_leads": self.n_leads_in_, "n_times": self.n_times_in_}
        return about(self._trained, self._seen) | sizes


def net_of(
    estimator: Any, known: Known, tensors: Mapping[str, torch.Tensor]
) -> tuple[Plan, TrainingSet, ERTSNet]:
    """Return a classifier's net, no larger than the tensors that it is to hold.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds the parameters.
    known : Known
        What a file tells of records and classes.
    tensors : mapping of str to tensor
        The weights that the file holds.

    Returns
    -------
    plan : Plan
        What the parameters ask for.
    stand_in : TrainingSet
        Records of the shape that the network is for.
    net : ERTSNet
        With random weights.
    """
    plan = make_plan(estimator)
    stand_in = stand_in_of(known, estimator)
    data = FitData(known.task, stand_in, None, len(stand_in), fingerprint="")
    with Chance(plan.seed, plan.device).lent(), no_larger_than(tensors.values()):
        return plan, stand_in, make_net(plan, data)


@contextmanager
def made_from(path: str, kind: type[ValueError]) -> Iterator[None]:
    """Name a file of which nothing can be made that works.

    Parameters
    ----------
    path : str
        The file.
    kind : type
        Of the error that is raised.
    """
    try:
        yield
    except kind:
        raise
    except CANNOT_BE_MADE as error:
        raise kind(
            f"{path} tells of a classifier that cannot be made: {error}"
        ) from error


def _trained(file: WeightsFile, known: Known, net: ERTSNet, plan: Plan) -> Trained:
    """Return what would be left of a training that nothing is known of."""
    is_free = Network(net.module_, plan.cam_layer).linear is not None
    judge = plan.settled(maps_are_free=is_free).judge
    measures = getattr(judge, "signal_quality", None) is not None
    signals = Absent(file.path, "no quality of the signals of fit")
    return Trained(
        net=net,
        task=known.task,
        judge=judge,
        signals=signals if measures else None,
        history=cast(Any, Absent(file.path, "no history of a selection")),
        n_trained=np.zeros(0, dtype=np.int64),
        effective_epochs=math.nan,
        scoring_passes=math.nan,
        time_s=math.nan,
        fingerprint="",
        rows=np.zeros(0, dtype=np.int64),
        memory={},
        calibrated=known.calibrated,
    )


def stand_in_of(known: Known, estimator: Any) -> TrainingSet:
    """Return two records of noise of the shape of those that were trained on."""
    records = noise_of_shape(known.n_leads, known.n_times, estimator)
    codes = known.task.codes_of_classes(np.array([0, known.task.n_classes - 1]))
    return TrainingSet(records, np.arange(2), codes, np.ones(2))


def noise_of_shape(n_leads: int, n_times: int | None, estimator: Any) -> Records:
    """Return two records of noise; of two lengths, where there is no one length."""
    lengths = SOME_LENGTHS if n_times is None else (n_times, n_times)
    rng = np.random.default_rng(0)
    noise = [
        rng.normal(size=(n_leads, length)).astype(np.float32) for length in lengths
    ]
    return as_records(noise if n_times is None else np.stack(noise), estimator)


def _parameters(
    file: WeightsFile, module: Any, double_underscored: dict[str, Any]
) -> dict[str, Any]:
    """Return the parameters ``module__*`` that a file tells and a classifier lacks."""
    own = get_model(module) if isinstance(module, str) else module
    is_made = isinstance(own, nn.Module)
    own = type(own) if is_made else own
    if isinstance(own, type):
        name = registered_name(own)
        if path_of(own) != file.made_by and (name is None or name != file.network):
            here, there = name or path_of(own), file.network or file.made_by
            advice = (
                f" Use ERTSClassifier({there!r})." if file.network is not None else ""
            )
            raise WeightsError(
                f"{file.path} holds the network {there!r}; the 'module' of "
                f"ERTSClassifier is {here!r}.{advice}"
            )
    if file.network is None or file.parameters is None or is_made:
        return {}
    given = {
        name.removeprefix("module__"): value
        for name, value in double_underscored.items()
        if name.startswith("module__")
    }
    if registered_name(own) != file.network:  # a function: its parameters are its own
        return {}
    for name, value in given.items():
        if name in file.parameters and as_plain(value) != file.parameters[name]:
            raise WeightsError(
                f"{file.path} holds a {file.network!r} with "
                f"{name}={file.parameters[name]!r}; "
                f"ERTSClassifier has module__{name}={value!r}. Leave it out."
            )
    usual = {
        name: as_plain(parameter.default)
        for name, parameter in inspect.signature(own).parameters.items()
        if parameter.default is not parameter.empty
    }
    return {
        f"module__{name}": tuple(value) if isinstance(value, list) else value
        for name, value in file.parameters.items()
        if name not in (*TOLD, *given) and value != usual.get(name)
    }
