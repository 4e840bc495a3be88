"""Who calls `fit`: the user, or a loop over many fits."""

from __future__ import annotations

import sys
from types import FrameType

__all__ = ["loop_around"]

# What fits many times, and compares or joins what it gets.
LOOPS = ("dask", "distributed", "joblib", "optuna", "ray", "sklearn")
# What of scikit-learn hands one fit on.
NO_LOOPS = ("sklearn.base", "sklearn.pipeline", "sklearn.utils")


def loop_around() -> str | None:
    """Look in the calls that led here for a search, a validation or an ensemble.

    Returns
    -------
    name : str or None
        Of the module that fits many times, the nearest one; None if a training stands
        for itself. A pipeline hands one fit on, and is none.

    Notes
    -----
    Asked when a training is broken off. A worker process has joblib or its like among
    its calls. A loop of the user's own cannot be told from a single call.

    Examples
    --------
    >>> from joblib import Parallel, delayed
    >>> from sk_erts._training.caller import loop_around
    >>> loop_around()
    >>> Parallel()([delayed(loop_around)()])
    ['joblib.parallel']
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if _is_in(LOOPS, name) and not _is_in(NO_LOOPS, name):
            return name
        frame = frame.f_back
    return None


def _is_in(packages: tuple[str, ...], module: str) -> bool:
    """Return whether a module is one of some packages, or lies in one."""
    return any(module == own or module.startswith(f"{own}.") for own in packages)
