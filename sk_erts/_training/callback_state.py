"""What skorch's callbacks have learned so far."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from skorch.callbacks import (
    Callback,
    MlflowLogger,
    NeptuneLogger,
    PrintLog,
    SacredLogger,
    TensorBoard,
    WandbLogger,
)

from sk_erts._training.progress import ProgressCallback

__all__ = ["load_callback", "shows_only", "state_of_callback", "without_name"]

# What these have seen changes nothing; a training may go on with another `verbose`.
SHOWS_ONLY = (
    MlflowLogger,
    NeptuneLogger,
    PrintLog,
    ProgressCallback,
    SacredLogger,
    TensorBoard,
    WandbLogger,
)


def shows_only(callback: Any) -> bool:
    """Return whether a callback tells others of a training, and changes nothing.

    It is no part of what a checkpoint holds: some have connections, which cannot be
    written, and keys of accounts, which must not be.

    Parameters
    ----------
    callback : Callback or (str, Callback)
        Anybody's, with its name or without.

    Returns
    -------
    shows_only : bool
        True for those of skorch that log, and this package's progress bar.
    """
    return isinstance(without_name(callback), SHOWS_ONLY)


def without_name(callback: Any) -> Any:
    """Return a callback of a list of them, where skorch takes pairs with a name too.

    Parameters
    ----------
    callback : Callback or (str, Callback)
        Anybody's; the pair may be a list.

    Returns
    -------
    callback : Callback
        Itself.
    """
    return callback[1] if isinstance(callback, tuple | list) else callback


def state_of_callback(callback: Callback) -> dict[str, Any]:
    """Return what a callback has set in a training: attributes with an underscore.

    Parameters
    ----------
    callback : Callback
        Anybody's.

    Returns
    -------
    state : dict of str to object
        Copies. Of an attribute that has a state of its own, such as a scheduler of
        the learning rate, that state. Classes and functions are no state: a callback
        that begins has them from its parameters.
    """
    return {
        name: copy.deepcopy(value.state_dict() if _has_state(value) else value)
        for name, value in vars(callback).items()
        if name.endswith("_") and not name.startswith("_") and not _is_code(value)
    }


def load_callback(callback: Callback, state: dict[str, Any]) -> None:
    """Go on from where `state_of_callback` was called.

    Parameters
    ----------
    callback : Callback
        One that has begun, and so has made what has a state of its own.
    state : dict of str to object
        As `state_of_callback` returned it.
    """
    for name, value in copy.deepcopy(state).items():
        own: Any = getattr(callback, name, None)
        if _has_state(own):
            own.load_state_dict(value)
        else:
            setattr(callback, name, value)


def _is_code(value: Any) -> bool:
    return isinstance(value, type) or inspect.isroutine(value)


def _has_state(value: Any) -> bool:
    return hasattr(value, "load_state_dict") and not isinstance(value, type)
