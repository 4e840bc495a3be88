"""Judges by name."""

from __future__ import annotations

from typing import Any

from sk_erts._lib.names import nearest
from sk_erts.selection._focus_measures import (
    EVIDENCE,
    FOCUS_MEASURES,
    Evidence,
    MapMeasure,
)
from sk_erts.selection._judge import Judge
from sk_erts.selection._reliability import Reliability

__all__ = ["JUDGES", "as_judge"]

#: Judges without parameters of their own, by the name that `focus` may have.
JUDGES: dict[str, Judge] = {
    "reliability": Reliability(),
    **{name: Evidence(measure) for name, measure in EVIDENCE.items()},
    **{name: MapMeasure(measure) for name, measure in FOCUS_MEASURES.items()},
}


def as_judge(focus: Any) -> Judge:
    """Return the judge that something given as `focus` stands for.

    Parameters
    ----------
    focus : str, callable or Judge
        A key of ``JUDGES``, a function from signed maps (n, times) to scores (n,),
        or a judge.

    Returns
    -------
    judge : Judge
        The judge itself, if it was one.

    Raises
    ------
    ValueError
        If it stands for none; the nearest name is named.

    Examples
    --------
    >>> from sk_erts.selection import as_judge
    >>> as_judge("reliabilty")
    Traceback (most recent call last):
    ...
    ValueError: No judge is named 'reliabilty'. Did you mean 'reliability'?
    """
    if isinstance(focus, Judge):
        return focus
    if isinstance(focus, type):
        raise ValueError(
            f"What candidates are judged by must be an object, not a class. Got "
            f"{focus.__name__}: give {focus.__name__}()."
        )
    if callable(focus):
        return MapMeasure(focus)
    if not isinstance(focus, str):
        raise ValueError(
            "What candidates are judged by must be a name, a function of signed maps "
            f"or a Judge. Got {focus!r} instead."
        )
    if focus not in JUDGES:
        raise ValueError(f"No judge is named {focus!r}. {nearest(focus, JUDGES)}")
    return JUDGES[focus]
