"""What a text on the command line, or in a TOML file, stands for."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from sk_erts._cli._errors import Fault
from sk_erts._lib.names import nearest

__all__ = ["pairs", "value_of"]

_WORDS: dict[str, Any] = {"none": None, "true": True, "false": False}


def value_of(text: Any, modules: Sequence[str] = ()) -> Any:
    """Return the value that a text stands for.

    Parameters
    ----------
    text : str or object
        ``0.2``, ``true``, ``none``, ``(5, 3)``, ``dbpd``; or the name of a class, or a
        call of one, such as ``RandomCrop(0.5)``. What is no text is returned as it is.
    modules : sequence of str
        Modules whose public names may be used so. Nothing else can be called.

    Returns
    -------
    value : object
        The text itself, if it is nothing else.

    Raises
    ------
    Fault
        If something is called that is in none of the modules.

    Examples
    --------
    >>> from sk_erts._cli._values import value_of
    >>> value_of("0.2"), value_of("none"), value_of("(5, 3)"), value_of("dbpd")
    (0.2, None, (5, 3), 'dbpd')
    >>> value_of("SRD(decay=0.9)", ["sk_erts.selection"])
    SRD(decay=0.9)
    """
    if not isinstance(text, str):
        return text
    word = text.strip()
    if word.casefold() in _WORDS:
        return _WORDS[word.casefold()]
    try:
        tree = ast.parse(word, mode="eval").body
    except (SyntaxError, ValueError):
        return text
    if isinstance(tree, ast.Name):
        return _found(tree.id, modules, default=text)
    try:
        return _built(tree, modules)
    except _NoValueError:
        return text


class _NoValueError(Exception):
    """A text that is no value but only a text."""


def _built(tree: ast.expr, modules: Sequence[str]) -> Any:
    """Return what an expression of literals, names and calls stands for."""
    if isinstance(tree, ast.Call):
        if not isinstance(tree.func, ast.Name):
            raise _NoValueError
        make = _found(tree.func.id, modules, default=None)
        if make is None:
            known = sorted(_names(modules))
            advice = nearest(tree.func.id, known) if known else ""
            raise Fault(
                f"{ast.unparse(tree)!r} calls {tree.func.id}, which is not known "
                f"here. {advice}".rstrip()
            )
        if any(keyword.arg is None for keyword in tree.keywords):
            raise _NoValueError
        given = {str(k.arg): _built(k.value, modules) for k in tree.keywords}
        try:
            return make(*(_built(own, modules) for own in tree.args), **given)
        except TypeError as error:
            raise Fault(f"{ast.unparse(tree)!r} is no good call: {error}.") from error
    if isinstance(tree, ast.Name):
        return _found(tree.id, modules, default=tree.id)
    if isinstance(tree, ast.List | ast.Tuple):
        parts = [_built(own, modules) for own in tree.elts]
        return parts if isinstance(tree, ast.List) else tuple(parts)
    try:
        return ast.literal_eval(tree)
    except ValueError as error:
        raise _NoValueError from error


def _found(name: str, modules: Sequence[str], default: Any) -> Any:
    """Return a public class or function of one of several modules."""
    for module in modules:
        found = getattr(importlib.import_module(module), name, None)
        if callable(found) and not name.startswith("_"):
            return found
    return default


def _names(modules: Sequence[str]) -> Iterable[str]:
    for module in modules:
        yield from getattr(importlib.import_module(module), "__all__", ())


def pairs(option: str, words: Iterable[str]) -> dict[str, str]:
    """Return what ``NAME=VALUE`` says, of an option given several times.

    Parameters
    ----------
    option : str
        Its name, for errors.
    words : iterable of str
        What it was given.

    Returns
    -------
    pairs : dict of str to str
        Values, as text, by name.

    Raises
    ------
    Fault
        If there is no equals sign.

    Examples
    --------
    >>> from sk_erts._cli._values import pairs
    >>> pairs("--set", ["module__width=16"])
    {'module__width': '16'}
    """
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise Fault(f"{option} must be NAME=VALUE. Got {word!r} instead.")
        found[name.strip().replace("-", "_")] = value
    return found
