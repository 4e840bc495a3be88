"""A fitted pretrainer as one file, and back, without running any code."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._network.bounded import no_larger_than
from sk_erts._records.divide import FitData
from sk_erts._records.seen import Seen
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.about import about_records, records_of
from sk_erts._training.archive import CANNOT_BE_MADE, read_archive, write_archive
from sk_erts._training.calibration import Calibrated
from sk_erts._training.chance import Chance
from sk_erts._training.objects import named
from sk_erts._training.plan import Plan
from sk_erts._training.run import Trained
from sk_erts._training.saved import as_it_is, as_it_was, estimator_in, fill, story_of
from sk_erts._training.weights import made_from, noise_of_shape
from sk_erts.exceptions import ArchiveError
from sk_erts.pretraining._pair_run import PairNet, PairPlan, make_pair_net
from sk_erts.pretraining._pairs import Pairs
from sk_erts.pretraining._text_encoders import TextEncoder

__all__ = ["SavesPairs"]

WHAT = "pretrainer"


class SavesPairs:
    """Write all of a fitted pretrainer to a file, and read it; a mixin."""

    _trained: Trained
    _seen: Seen
    _plan: Callable[[], Plan]
    _pair_plan: Callable[[Callable[[], TextEncoder]], PairPlan]
    _text_encoder: Callable[..., TextEncoder]
    _publish: Callable[..., Any]
    get_params: Callable[..., dict[str, Any]]
    net_: PairNet
    n_leads_in_: int
    n_times_in_: int | None
    n_dims: int

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the pretrainer to a file: parameters, both encoders, story and all.

        The file is there wholly, or as it was before; in it are tensors (safetensors)
        and JSON, which can run nothing. No record is in it and no report, but the
        pieces of words that the reports were cut into, whole words among them. A text
        encoder of transformers is named, and not in it.

        Parameters
        ----------
        path : str or path-like
            The file, usually with the suffix ``.sk_erts``.

        Raises
        ------
        ValueError
            If something of the training cannot be written so.
        OSError
            If the file cannot be written; the one of before is left.

        See Also
        --------
        load : Reads it.
        """
        check_is_fitted(self)
        trained = self._trained
        names = getattr(self, "feature_names_in_", None)
        state = {
            "params": {
                name: named(value)
                for name, value in self.get_params(deep=False).items()
            },
            "known": {
                **about_records(self._seen),
                "n_leads": self.n_leads_in_,
                "n_times": self.n_times_in_,
                "feature_names": None if names is None else list(map(str, names)),
            },
            "text": self.net_.criterion_.text.told,
            "net": trained.net.state(),
            "history": vars(trained.history),
            **as_it_is(trained),
        }
        write_archive(path, WHAT, state)

    @classmethod
    def load(cls, path: str | os.PathLike[str], **params: Any) -> Self:
        """Read a pretrainer that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file. Nothing in it is run, whoever wrote it.
        **params : object
            Parameters that the file can only name, such as a network of your own, or
            that take the place of those in the file, such as ``device="cpu"``.

        Returns
        -------
        pretrainer : ECGTextPretrainer
            Like the one that was saved, to the bit.

        Raises
        ------
        ArchiveError
            If the file is cut short, damaged, of another kind or of a later version, or
            the encoders are not those of the file.
        ValueError
            If the file names something from elsewhere that is not given.
        OSError
            If there is no such file.
        """
        where = os.fspath(path)
        state = read_archive(path, WHAT)
        pretrainer = estimator_in(cls, where, state, params)
        pretrainer._take_over(where, state)
        return pretrainer

    def _take_over(self, path: str, state: dict[str, Any]) -> None:
        """Become what was saved."""
        with made_from(path, ArchiveError):
            seen, n_leads, n_times = records_of(path, state["known"])
            names = state["known"]["feature_names"]
            if names is not None:
                names = np.array([str(name) for name in names], dtype=object)
                if len(names) != n_leads * (n_times or 0):
                    raise ValueError("it names another number of features")
            records = noise_of_shape(n_leads, n_times, self)
            task = Pairs(np.array(["a", "b"], dtype=object), self.n_dims)
            pair = TrainingSet(records, np.arange(2), np.arange(2), np.ones(2))
            data = FitData(task, pair, None, len(pair), fingerprint="")
            plan = self._plan()
            pairs = self._pair_plan(lambda: self._text_encoder(told=state["text"]))
            net_state = state["net"]
            tensors = [*net_state["module"].values(), *net_state["criterion"].values()]
            with Chance(plan.seed, plan.device).lent(), no_larger_than(tensors):
                net = make_pair_net(plan, data, pairs)
        net.criterion_.prepared = None
        net.task = Pairs(task.classes[:0], self.n_dims)
        try:
            fill(net, net_state)
            trained = Trained(
                net=net,
                task=net.task,
                judge=plan.judge,
                signals=None,
                history=story_of(state["history"]),
                calibrated=Calibrated(),
                **as_it_was(state),
            )
        except CANNOT_BE_MADE as error:
            raise ArchiveError(
                f"{path} does not fit the encoders of {type(self).__name__}: {error}"
            ) from error
        checked = type(self)(**self.get_params(deep=False))
        checked._seen = seen
        if names is not None:
            checked.__dict__["feature_names_in_"] = names
        self._publish(trained, records, checked)
