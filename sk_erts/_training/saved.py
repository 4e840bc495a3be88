"""A fitted classifier as one file, and back, without running any code."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._records.divide import FitData
from sk_erts._training.about import known_of
from sk_erts._training.archive import read_archive, write_archive
from sk_erts._training.build import make_net
from sk_erts._training.chance import Chance
from sk_erts._training.objects import foreign_in, made, named
from sk_erts._training.plan import make_plan
from sk_erts._training.run import Trained
from sk_erts._training.weights import KeepsWeights, stand_in_of
from sk_erts.exceptions import ArchiveError
from sk_erts.selection import SelectionHistory
from sk_erts.selection._signal_scores import SignalScores

__all__ = ["Saves"]

WHAT = "classifier"
# Of `Trained`, what is written as it is.
AS_IT_IS = (
    "n_trained",
    "effective_epochs",
    "scoring_passes",
    "time_s",
    "fingerprint",
    "rows",
    "memory",
)


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
            **{name: getattr(trained, name) for name in AS_IT_IS},
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
            found = {name: made(told) for name, told in state["params"].items()}
            judge = made(state["judge"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveError(f"{os.fspath(path)} is damaged: {error}.") from error
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
                f"{os.fspath(path)} names what is not of sk_erts and is not in it: "
                f"{told}. Pass it: {cls.__name__}.load(path, {advice}); None, where "
                "nothing will be trained with it."
            )
        clf = cls(**found)
        clf._take_over(os.fspath(path), state, judge)
        return clf

    def _shallow_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)
        return params

    def _take_over(self, path: str, state: dict[str, Any], judge: Any) -> None:
        """Become what was saved."""
        known = known_of(path, state.get("known"))
        plan = make_plan(self)
        stand_in = stand_in_of(known, self)
        data = FitData(known.task, stand_in, None, len(stand_in), fingerprint="")
        with Chance(plan.seed, plan.device).lent():
            net = make_net(plan, data)
        try:
            net.load(state["net"])
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
                history=SelectionHistory(**state["history"]),
                calibrated=known.calibrated,
                **{name: state[name] for name in AS_IT_IS},
            )
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ArchiveError(
                f"{path} does not fit the network of {type(self).__name__}, "
                f"{type(net.module_).__name__}: {error}"
            ) from error
        checked = type(self)(**self._shallow_params())
        checked._seen = known.seen
        if known.feature_names is not None:
            checked.__dict__["feature_names_in_"] = np.asarray(known.feature_names)
        self._publish(trained, stand_in.records, checked)
