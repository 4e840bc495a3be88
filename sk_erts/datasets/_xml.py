"""XML files of electrocardiographs, read without their namespaces."""

from __future__ import annotations

import os
from math import isfinite
from pathlib import Path
from xml.etree import ElementTree

from sk_erts.datasets._channels import check_file, told_as
from sk_erts.exceptions import RecordError

__all__ = ["as_number", "read_xml"]

# A wrong encoding is one of the last two.
_MALFORMED = (ElementTree.ParseError, ValueError, LookupError)


def read_xml(path: str | os.PathLike[str], root: str) -> ElementTree.Element:
    """Read an XML file whose outermost element is known.

    Parameters
    ----------
    path : path-like
        The file.
    root : str
        Name that its outermost element must have.

    Returns
    -------
    tree : Element
        Names of elements and attributes have lost their namespaces.

    Raises
    ------
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is no XML, defines entities of its own, or has another root.
    """
    name = check_file(path)
    data = Path(path).read_bytes()
    # No electrocardiograph defines entities; a file that grows without end does.
    if b"<!ENTITY" in data:
        raise RecordError(
            f"{name}: an ECG must not define XML entities. Got some instead; do not "
            "trust this file."
        )
    with told_as(f"{name}: the file is no well-formed XML", _MALFORMED):
        tree = ElementTree.fromstring(data)
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    if tree.tag != root:
        raise RecordError(
            f"{name}: the outermost element must be {root}. Got {tree.tag} instead; "
            "read_any tells formats from each other."
        )
    return tree


def as_number(name: str, what: str, text: str | None) -> float:
    """Return a number that a file holds as text.

    Parameters
    ----------
    name : str
        The file.
    what : str
        What the number is, as a message says it.
    text : str or None
        The text; None if it is absent.

    Returns
    -------
    value : float
        Finite.

    Raises
    ------
    RecordError
        If it is absent or no finite number.
    """
    try:
        # Some exports follow the language of their machine.
        value = float((text or "").strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise RecordError(
            f"{name}: {what} must be a finite number. Got {text!r} instead; restore "
            "the file."
        )
    return value
