"""Warnings that point at the user's own line."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn_caller"]


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn where the package was called, however deep inside this is noticed.

    Parameters
    ----------
    message : str
        What is doubtful, and what to do.
    category : class
        A warning.

    Examples
    --------
    >>> import warnings
    >>> from sk_erts._lib.warn import warn_caller
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     warn_caller("Mind the step.", UserWarning)
    >>> print(told[0].message)
    Mind the step.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_ours(names: dict[str, object]) -> bool:
    return str(names.get("__name__", "")).partition(".")[0] == "sk_erts"
