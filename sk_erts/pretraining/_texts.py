"""Reports and prompts, checked on their way in."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np

__all__ = ["SECTIONS", "check_prompts", "check_texts", "texts_of"]

#: Of a structured report, in their order.
SECTIONS = ("definition", "appearance", "observations", "verdict")
N_NAMED = 5


def texts_of(reports: Any, owner: object) -> list[str]:
    """Return one text for each record.

    Parameters
    ----------
    reports : sequence of str, or data frame with some of the columns `SECTIONS`
        As `fit` was given them.
    owner : object
        Whose reports they are, for errors.

    Returns
    -------
    texts : list of str
        Sections follow each other.

    Raises
    ------
    ValueError
        If one is missing, empty or no text.
    """
    name = type(owner).__name__
    if reports is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None: fit(X, "
            "reports), with one text for each record."
        )
    columns = getattr(reports, "columns", None)
    if columns is not None:
        return _joined(reports, name)
    return check_texts(reports, owner, "reports")


def check_texts(texts: Any, owner: object, argument: str) -> list[str]:
    """Return texts as a list.

    Parameters
    ----------
    texts : sequence of str
        One or more. Of a pandas series, errors name the rows by its index.
    owner : object
        Whose they are, for errors: an estimator, or the name of a function.
    argument : str
        What they were given as, for errors.

    Returns
    -------
    texts : list of str
        The same.

    Raises
    ------
    ValueError
        If they are one text instead of several, or one is missing, empty or no text.
    """
    name = owner if isinstance(owner, str) else type(owner).__name__
    if isinstance(texts, str):
        raise ValueError(
            f"The {argument!r} of {name} must be a sequence of texts. Got one text: "
            "give [text]."
        )
    try:
        if isinstance(texts, bytes | Mapping | Set):  # no texts in an order
            raise TypeError
        found = list(texts)
    except TypeError:
        raise ValueError(
            f"The {argument!r} of {name} must be a sequence of texts. Got "
            f"{type(texts).__name__} instead."
        ) from None
    shape = getattr(texts, "shape", np.shape(np.asarray(found, dtype=object)))
    if len(shape) > 1:
        raise ValueError(
            f"The {argument!r} of {name} must be one-dimensional, a text for each "
            f"record. Got the shape {shape}."
        )
    if not found:
        raise ValueError(f"The {argument!r} of {name} must hold a text. Got none.")
    # A list has an index too, its method.
    index = getattr(texts, "index", None)
    index = range(len(found)) if index is None or callable(index) else index
    rows = list(zip(index, found, strict=True))
    wrong = [row for row, text in rows if not isinstance(text, str)]
    if wrong:
        kinds = sorted({type(x).__name__ for x in found if not isinstance(x, str)})
        raise ValueError(
            f"The {argument!r} of {name} must be texts. Got {', '.join(kinds)} in "
            f"{_rows(wrong)}: leave these records out, or write what there is."
        )
    empty = [row for row, text in rows if not text.strip()]
    if empty:
        raise ValueError(
            f"The {argument!r} of {name} must hold words. Got empty texts in "
            f"{_rows(empty)}: leave these records out."
        )
    return [str(text) for text in found]


def check_prompts(prompts: Any, owner: object) -> list[list[str]]:
    """Return the sentences that stand for each class.

    Parameters
    ----------
    prompts : mapping of class to str or sequence of str, or sequence of str
        A sequence's sentences are the classes themselves.
    owner : object
        Whose they are, for errors.

    Returns
    -------
    sentences : list of list of str
        Of each class, in the order given.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or one has no sentence.
    """
    name = type(owner).__name__
    if not isinstance(prompts, Mapping):
        prompts = dict(enumerate(check_texts(prompts, owner, "prompts")))
    if len(prompts) < 2:
        raise ValueError(
            f"The 'prompts' of {name} must tell two classes or more apart. Got "
            f"{len(prompts)}."
        )
    return [
        check_texts([own] if isinstance(own, str) else own, owner, f"prompts[{key!r}]")
        for key, own in prompts.items()
    ]


def _joined(frame: Any, name: str) -> list[str]:
    """Return the sections of each row as one text."""
    known = [section for section in SECTIONS if section in frame.columns]
    if not known:
        raise ValueError(
            f"The 'reports' of {name}, a data frame, must have some of the columns "
            f"{list(SECTIONS)!r}. Got {list(map(str, frame.columns))!r} instead."
        )
    rows = frame[known].to_numpy(dtype=object)
    wrong = [
        i for i, row in enumerate(rows) if not all(isinstance(own, str) for own in row)
    ]
    if wrong:
        raise ValueError(
            f"The 'reports' of {name} must be texts in all of {known!r}. Got something "
            f"else in {_rows(wrong)}: a section without words is ''."
        )
    texts = ["\n".join(part.strip() for part in row if part.strip()) for row in rows]
    empty = [i for i, text in enumerate(texts) if not text]
    if empty:
        raise ValueError(
            f"The 'reports' of {name} must hold words. Got rows without any: "
            f"{_rows(empty)}. Leave these records out."
        )
    return texts


def _rows(rows: list[Any]) -> str:
    named = ", ".join(map(str, rows[:N_NAMED]))
    more = len(rows) - N_NAMED
    return f"rows {named}" + (f" and {more} more" if more > 0 else "")
