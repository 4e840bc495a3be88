"""A fitted classifier as one file, and back, without running any code."""

from __future__ import annotations

import os
from numbers import Real
from typing import Any, Self, TypeVar

import numpy as np
from sklearn.utils.validation import check_is_fitted
from skorch.history import History

from sk_erts._network.bounded import no_larger_than
from sk_erts._training.about import known_of
from sk_erts._training.archive import CANNOT_BE_MADE, read_archive, write_archive
from sk_erts._training.net import ERTSNet
from sk_erts._training.objects import Foreign, foreign_in, made, named
from sk_erts._training.run import Trained
from sk_erts._training.weights import KeepsWeights, made_from, net_of
from sk_erts.exceptions import ArchiveError
from sk_erts.selection import Judge, SelectionHistory, Status
from sk_erts.selection._signal_scores import SignalScores

__all__ = ["Saves", "as_it_is", "as_it_was", "estimator_in", "fill", "story_of"]

Estimator = TypeVar("Estimator")
WHAT = "classifier"
# Of `Trained`, what is written as it is, and its type.
AS_IT_IS: dict[str, Any] = {
    "n_trained": np.ndarray,
    "effective_epochs": Real,
    "scoring_passes": Real,
    "time_s": Real,
    "fingerprint": str,
    "rows": np.ndarray,
    "memory": dict,
}


class Saves(KeepsWeights):
    """Write all of a fitted classifier to a file, and read it; a mixin."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the classifier to a file: parameters, network, story and all.

        The file is there wholly, or as it was before. In it are tensors (safetensors)
        and JSON, which can run nothing, whoever wrote it; a pickle can. No record is in
        it. Classes and functions of this package, torch's optimisers, skorch's
        callbacks and scikit-learn's splitters are written by name, with their
        parameters; of anything else only the name is, and `load` asks for it.

        Parameters
        ----------
        path : str or path-like
            The file, usually with the suffix ``.sk_erts``.

        Raises
        ------
        ValueError
            If a class is no text, number or bool, or something of the training cannot
            be written so.
        OSError
            If the file cannot be written; the one of before is left.

        See Also
        --------
        load : Reads it.
        save_weights : Writes the network alone, for fine-tuning and for others.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier(module__width=4, max_epochs=1, random_state=0)
        >>> path = tempfile.mkdtemp() + "/first.sk_erts"
        >>> clf.fit(X, y).save(path)
        >>> other = ERTSClassifier.load(path)
        >>> np.array_equal(other.predict_proba(X), clf.predict_proba(X))
        True
        >>> other.selection_
        SelectionHistory(1 epoch, 40 records, 100 % kept, warm-up 1)
        """
        check_is_fitted(self)
        if not isinstance(self._trained.history, SelectionHistory):
            raise ValueError(
                f"{type(self).__name__} was loaded from {self._loaded_from}, which "
                "holds no story of its training that could be saved. Use save_weights."
            )
        trained = self._trained
        names = getattr(self, "feature_names_in_", None)
        signals = trained.signals
        state = {
            "params": {
                name: named(value) for name, value in self._shallow_params().items()
            },
            "known": self._told()
            | {"feature_names": None if names is None else list(map(str, names))},
            "net": trained.net.state(),
            "judge": named(trained.judge),
            "signals": signals
            and {
                "estimator": named(signals.estimator),
                "fitted": {
                    name: value
                    for name, value in vars(signals.estimator).items()
                    if name.endswith("_") and not name.startswith("_")
                },
                "scores": signals.scores,
            },
            "history": vars(trained.history),
            **as_it_is(trained),
        }
        write_archive(path, WHAT, state)

    @classmethod
    def load(cls, path: str | os.PathLike[str], **params: Any) -> Self:
        """Read a classifier that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file. Nothing in it is run, whoever wrote it.
        **params : object
            Parameters of the classifier that the file can only name, such as a network
            of your own: ``module=MyNetwork``. Others may be given too, and take the
            place of those in the file, such as ``device="cpu"``.

        Returns
        -------
        clf : ERTSClassifier
            Like the one that was saved, to the bit.

        Raises
        ------
        ArchiveError
            If the file is cut short, damaged, of another kind or of a later version, or
            the network is not the one of the file.
        ValueError
            If the file names something from elsewhere that is not given.
        OSError
            If there is no such file.
        """
        state = read_archive(path, WHAT)
        try:
            with no_larger_than(state["net"]["module"].values()):
                judge = made(state["judge"])
            if not isinstance(judge, Judge | Foreign):
                raise ValueError(f"{judge!r} is no judge")
        except CANNOT_BE_MADE as error:
            raise ArchiveError(f"{os.fspath(path)} is damaged: {error}.") from error
        clf = estimator_in(cls, os.fspath(path), state, params)
        clf._take_over(os.fspath(path), state, judge)
        return clf

    def _shallow_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)
        return params

    def _take_over(self, path: str, state: dict[str, Any], judge: Any) -> None:
        """Become what was saved."""
        known = known_of(path, state.get("known"))
        with made_from(path, ArchiveError):
            plan, stand_in, net = net_of(self, known, state["net"]["module"])
        try:
            fill(net, state["net"])
            signals = state["signals"]
            if signals is not None:
                estimator = made(signals["estimator"])
                vars(estimator).update(signals["fitted"])
                signals = SignalScores(estimator, signals["scores"])
            trained = Trained(
                net=net,
                task=known.task,
                judge=plan.judge if any(foreign_in(judge)) else judge,
                signals=signals,
                history=story_of(state["history"]),
                calibrated=known.calibrated,
                **as_it_was(state),
            )
        except CANNOT_BE_MADE as error:
            raise ArchiveError(
                f"{path} does not fit the network of {type(self).__name__}, "
                f"{type(net.module_).__name__}: {error}"
            ) from error
        checked = type(self)(**self._shallow_params())
        checked._seen = known.seen
        if known.feature_names is not None:
            checked.__dict__["feature_names_in_"] = np.asarray(known.feature_names)
        self._publish(trained, stand_in.records, checked)


def estimator_in(
    cls: type[Estimator], path: str, state: dict[str, Any], params: dict[str, Any]
) -> Estimator:
    """Return an estimator with the parameters of a file, not fitted yet.

    Parameters
    ----------
    cls : class
        Of the estimator.
    path : str
        The file, for errors.
    state : dict
        What it holds: the net, which bounds what may be made, and ``"params"``.
    params : dict of str to object
        What takes the place of parameters in the file.

    Returns
    -------
    estimator : estimator
        Of that class.

    Raises
    ------
    ArchiveError
        If a parameter cannot be made.
    ValueError
        If one is from elsewhere and is not given.
    """
    try:
        with no_larger_than(state["net"]["module"].values()):
            found = {name: made(told) for name, told in state["params"].items()}
    except CANNOT_BE_MADE as error:
        raise ArchiveError(f"{path} is damaged: {error}.") from error
    found |= params
    asked = {
        name: ", ".join(own.name for own in foreign_in(value))
        for name, value in found.items()
        if any(foreign_in(value))
    }
    if asked:
        told = "; ".join(f"{name!r} ({what})" for name, what in asked.items())
        advice = ", ".join(f"{name}=..." for name in asked)
        raise ValueError(
            f"{path} names what is not of sk_erts and is not in it: {told}. Pass it: "
            f"{cls.__name__}.load(path, {advice}); None, where nothing will be trained "
            "with it."
        )
    with made_from(path, ArchiveError):
        return cls(**found)


def fill(net: ERTSNet, state: dict[str, Any]) -> None:
    """Load what was saved of a net, or raise if it is none."""
    if not isinstance(state["history"], History):
        raise ValueError("the history of the net is none")
    net.load(state)


def as_it_is(trained: Trained) -> dict[str, Any]:
    """Return what of a training is written as it is."""
    return {name: getattr(trained, name) for name in AS_IT_IS}


def as_it_was(state: dict[str, Any]) -> dict[str, Any]:
    """Return what `as_it_is` has written, or raise if it is of another type."""
    for name, kind in AS_IT_IS.items():
        if not isinstance(state[name], kind):
            raise ValueError(f"{name!r} is of type {type(state[name]).__name__}")
    return {name: state[name] for name in AS_IT_IS}


def story_of(told: dict[str, Any]) -> SelectionHistory:
    """Return the story of a training, or raise if it is none."""
    history = SelectionHistory(**told)
    status = _table("status", history.status, "i")
    n_epochs, n_samples = status.shape
    for name in ("confidence", "focus"):
        if _table(name, getattr(history, name), "f").shape != status.shape:
            raise ValueError(f"{name!r} of the story has another shape than 'status'")
    if status.size and not 0 <= status.min() <= status.max() < len(Status):
        raise ValueError("the story holds a status that is none")
    proba = history.mean_proba
    if proba is not None and len(_table("mean_proba", proba, "f")) != n_samples:
        raise ValueError("the story holds probabilities of other records")
    for name in ("phases", "judged_by"):
        words: Any = getattr(history, name)
        sound = isinstance(words, tuple) and all(isinstance(w, str) for w in words)
        if not sound or len(words) not in (0, n_epochs):
            raise ValueError(f"{name!r} of the story is no word for each epoch")
    if type(history.first_epoch) is not int:
        raise ValueError("the story has no first epoch")
    return history


def _table(name: str, value: Any, kind: str) -> Any:
    """Return an array of two dimensions, or raise if it is none."""
    if not isinstance(value, np.ndarray) or (value.ndim, value.dtype.kind) != (2, kind):
        raise ValueError(f"{name!r} of the story is no table of numbers")
    return value
