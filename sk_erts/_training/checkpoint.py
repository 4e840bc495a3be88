"""Trainings that survive whatever ends them: written down, and taken up again."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from sk_erts._lib.checks import check_number, refuse
from sk_erts._lib.warn import warn_caller
from sk_erts._lib.whole import unfinished_name
from sk_erts._records.divide import FitData
from sk_erts._training.archive import read_archive, write_archive
from sk_erts._training.callback_state import shows_only
from sk_erts._training.plan import Plan
from sk_erts._training.run import Run
from sk_erts.exceptions import ArchiveError, CheckpointWarning

__all__ = ["Checkpoint", "Keeper", "checkpoints_inside", "keeper_of", "train_kept"]

WHAT = "checkpoint"
NEW, LAST, BEFORE = "new.safetensors", "last.safetensors", "before_last.safetensors"
# What a training may go on with otherwise: it changes nothing of what comes out.
FREE = frozenset({"verbose"})
# What of the data has to be the same, and how it is said.
DATA = {
    "records": "it has other records or labels",
    "reports": "it has other reports",
    "validation": "it sets other records aside",
    "weights": "its records have other weights",
}


class Checkpoint:
    """Where a training is written down, and how often.

    Given to ``fit(X, y, checkpoint=...)``, as a folder alone may be. After ``kill -9``,
    a power cut or a crash, the same `fit` with ``resume=True`` goes on after the last
    epoch that was written, and ends with the same network and the same story as a
    training that nobody broke off, to the bit on one thread of one processor.

    Parameters
    ----------
    folder : str or path-like
        It is made if it is not there. In it stand the last checkpoint and the one
        before; each is there wholly or not at all.
    every_min : float, default=0
        Minutes between two checkpoints, at least; by default each epoch ends with one.
        The end of the training is always written.

    Raises
    ------
    ValueError
        If `every_min` is no number of at least 0.

    Examples
    --------
    >>> import tempfile
    >>> from sk_erts import Checkpoint, ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=2, random_state=0)
    >>> kept = Checkpoint(tempfile.mkdtemp(), every_min=10)
    >>> len(clf.fit(X, y, checkpoint=kept, resume=True).history_)
    2
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, every_min: float = 0.0
    ) -> None:
        check_number(type(self).__name__, "every_min", every_min, least=0)
        if not os.fspath(folder):
            refuse(self, "folder", "name a folder", "''")
        # Also good in a worker process, which may be somewhere else.
        self.folder = Path(folder).expanduser().absolute()
        self.every_min = every_min

    def __repr__(self) -> str:
        return f"Checkpoint({os.fspath(self.folder)!r}, every_min={self.every_min!r})"


class Keeper:
    """Write one training down, or take it up where it was.

    Parameters
    ----------
    checkpoint : Checkpoint
        Where, and how often.
    resume : bool
        Whether to take it up, if there is anything.

    Raises
    ------
    ValueError
        If there is a training in the folder, and it is not to be taken up.
    ArchiveError
        If what there is cannot be read.
    """

    def __init__(self, checkpoint: Checkpoint, *, resume: bool) -> None:
        self.folder = checkpoint.folder
        self.every_s = 60 * checkpoint.every_min
        self._written_at = -np.inf
        self._has_warned = False
        self._identity: dict[str, Any] = {}
        there = _trainings_in(checkpoint, resume)
        self.folder.mkdir(parents=True, exist_ok=True)
        for unfinished in self.folder.glob(f"{unfinished_name(NEW)}*"):
            unfinished.unlink()
        self._found = _newest_of(there) if there else None

    def planned(self, plan: Plan) -> Plan:
        """Return the plan with what the training that is taken up has drawn or found.

        Parameters
        ----------
        plan : Plan
            As the parameters say; without a `random_state` its seed is a new one, and
            ``steps__precision="auto"`` is what pays here.

        Returns
        -------
        plan : Plan
            The same otherwise.
        """
        if self._found is None:
            return plan
        chosen = self._found.get("precision", plan.precision)
        return replace(plan, seed=self._found["seed"], precision=chosen)

    def begin(self, run: Run, params: Mapping[str, Any]) -> None:
        """Take the training up, or write down that it has begun.

        Parameters
        ----------
        run : Run
            Of the plan and the records of this `fit`.
        params : mapping of str to object
            The estimator's parameters, and what else has to be the same.

        Raises
        ------
        ValueError
            If the checkpoint is of other records, labels or parameters; what differs is
            named.
        ArchiveError
            If something of the run cannot be written without code, such as an attribute
            of a callback.
        OSError
            If the folder cannot be written to.
        """
        self._identity = _identity(run.data, params)
        self._chosen = {"seed": run.plan.seed, "precision": run.plan.precision}
        if self._found is None:
            self._write(run.state())
            return
        self._compare(self._found["identity"])
        run.load(self._found["run"])
        self._found = None

    def keep(self, state: Callable[[], dict[str, Any]], is_the_end: bool) -> None:
        """Write the training down, if it is time.

        Parameters
        ----------
        state : callable
            Returns that of the run.
        is_the_end : bool
            Whether there is no later time.

        Warns
        -----
        CheckpointWarning
            If it cannot be written; the last good one stays, and the training goes on.
        """
        if not is_the_end and time.monotonic() - self._written_at < self.every_s:
            return
        try:
            self._write(state())
        except OSError as error:
            if not self._has_warned:
                is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
                advice = "Make room there" if is_full else "See what is wrong there"
                warn_caller(
                    f"The checkpoint in {self.folder} cannot be written ({error}). The "
                    f"training goes on; the last one that could be is left. {advice}: "
                    "the next epoch tries again.",
                    CheckpointWarning,
                )
            self._has_warned = True

    def _write(self, state: dict[str, Any]) -> None:
        last, before = self.folder / LAST, self.folder / BEFORE
        whole = {"identity": self._identity, **self._chosen, "run": state}
        # Whoever is killed between two of these lines leaves the newest one whole.
        write_archive(self.folder / NEW, WHAT, whole)
        if last.exists():
            os.replace(last, before)
        os.replace(self.folder / NEW, last)
        self._written_at = time.monotonic()

    def _compare(self, theirs: dict[str, Any]) -> None:
        ours = self._identity
        names = [*ours, *(name for name in theirs if name not in ours)]
        names = [name for name in names if ours.get(name) != theirs.get(name)]
        of_data = [DATA[name] for name in names if name in DATA]
        # Who gives other records has another division of them in any case.
        different = of_data[:1] + [
            f"{name!r} was {theirs.get(name, 'not there')} and is "
            f"{ours.get(name, 'not there')}"
            for name in names
            if name not in DATA
        ]
        if different:
            raise ValueError(
                f"The 'checkpoint' {self.folder} is of another training than this fit: "
                f"{'; '.join(different)}. Fit with the same, or name another folder."
            )


def keeper_of(checkpoint: Any, resume: bool) -> Keeper | None:
    """Return what keeps a training, as the arguments of `fit` say.

    Parameters
    ----------
    checkpoint : str, path-like, Checkpoint or None
        Where to keep it; None is nowhere.
    resume : bool
        Whether to take it up.

    Returns
    -------
    keeper : Keeper or None
        None without a checkpoint.

    Raises
    ------
    ValueError
        If there is nothing to resume from, or `checkpoint` is no folder.
    """
    if checkpoint is None:
        if resume:
            raise ValueError(
                "fit with resume=True must know where the training is kept. Got no "
                "'checkpoint': name its folder, as in the fit that was broken off."
            )
        return None
    return Keeper(_as_checkpoint(checkpoint), resume=resume)


def checkpoints_inside(checkpoint: Any, n: int, resume: bool) -> list[Checkpoint]:
    """Return a place for each of several trainings, in one folder.

    Parameters
    ----------
    checkpoint : str, path-like or Checkpoint
        The folder, and how often each is written down.
    n : int
        Number of trainings.
    resume : bool
        Whether they are to be taken up.

    Returns
    -------
    checkpoints : list of Checkpoint
        Folders ``"0"``, ``"1"``, ... in it.

    Raises
    ------
    ValueError
        If `checkpoint` is no folder, or holds trainings that are not to be taken up.
    """
    own = _as_checkpoint(checkpoint)
    places = [
        Checkpoint(own.folder / str(i), every_min=own.every_min) for i in range(n)
    ]
    for place in places:  # all of them before the first is trained
        _trainings_in(place, resume)
    return places


def _trainings_in(checkpoint: Checkpoint, resume: bool) -> list[Path]:
    """Return the files of a training, the newest first, if they may be there."""
    paths = [checkpoint.folder / name for name in (NEW, LAST, BEFORE)]
    there = [path for path in paths if path.exists()]
    if there and not resume:
        raise ValueError(
            f"The 'checkpoint' {checkpoint.folder} of fit holds a training already. "
            "Pass resume=True to go on with it, or name another folder."
        )
    return there


def _as_checkpoint(checkpoint: Any) -> Checkpoint:
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    if not isinstance(checkpoint, str | os.PathLike):
        raise ValueError(
            "The 'checkpoint' of fit must be a folder or a Checkpoint. Got "
            f"{checkpoint!r} instead."
        )
    return Checkpoint(checkpoint)


def train_kept(run: Run, keeper: Keeper | None, params: Mapping[str, Any]) -> None:
    """Train to the end, from where a checkpoint is, and write down how it goes.

    Parameters
    ----------
    run : Run
        That has not begun.
    keeper : Keeper or None
        None writes nothing.
    params : mapping of str to object
        The estimator's parameters, and what else has to be the same.

    Raises
    ------
    ValueError
        If the checkpoint is of another training.
    """
    if keeper is None:
        run.begin()
        run.train()
        return
    run.begin(lambda: keeper.begin(run, params))
    run.train(keep=keeper.keep)


def _newest_of(paths: list[Path]) -> dict[str, Any]:
    """Return the last good checkpoint, and say if the last one is not good."""
    for path in paths:
        try:
            found: dict[str, Any] = read_archive(path, WHAT)
        except ArchiveError as error:
            if path is paths[-1]:
                raise
            warn_caller(f"{error} The one before is used.", CheckpointWarning)
        else:
            return found
    raise AssertionError("no paths")


def _identity(data: FitData, params: Mapping[str, Any]) -> dict[str, str]:
    """Return, as text, all that a training has to have in common with another."""
    valid = data.valid
    callbacks = params.get("callbacks")
    if isinstance(callbacks, list):
        heard = [own for own in callbacks if not shows_only(own)]
        params = {**params, "callbacks": heard or None}
    return {
        "records": data.fingerprint,
        "validation": "" if valid is None else _digest(valid.rows, valid.codes),
        "weights": _digest(data.train.rows, data.train.weights),
        **{name: _told(value) for name, value in params.items() if name not in FREE},
    }


def _told(value: Any) -> str:
    """Return a text that is the same for what does the same, in another process too."""
    match value:
        case None | bool() | int() | float() | str() | np.generic():
            return repr(value)
        case np.ndarray():
            return f"array{value.shape} {_digest(value)}"
        case np.random.RandomState() | np.random.Generator():
            return type(value).__name__
        case Mapping():
            inside = ", ".join(f"{key!r}: {_told(own)}" for key, own in value.items())
            return f"{{{inside}}}"
        case list() | tuple() | set() | frozenset():
            own = map(_told, value)
            inside = ", ".join(own if isinstance(value, list | tuple) else sorted(own))
            return f"{type(value).__name__}({inside})"
        case nn.Module():
            weights = [part.cpu().numpy() for part in value.state_dict().values()]
            return f"{value} {_digest(*weights)}"
    if hasattr(value, "__qualname__"):  # a class or a function
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, torch.device):
        return str(value)
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    is_estimator = hasattr(value, "get_params")
    params = value.get_params(deep=False) if is_estimator else _inside(value)
    return f"{name}({_told(params)})"


def _inside(value: Any) -> Any:
    """Return what an object is made of."""
    if isinstance(value, partial):
        return value.func, value.args, value.keywords
    return getattr(value, "__dict__", {})


def _digest(*arrays: Any) -> str:
    """Return a short text for arrays."""
    found = hashlib.sha256()
    for array in arrays:
        own = np.ascontiguousarray(array)
        found.update(f"{own.shape}{own.dtype}".encode())
        found.update(repr(own.tolist()).encode() if own.dtype == object else own.data)
    return found.hexdigest()[:16]
