"""Public functions of methods: one signature, and the words that all of them share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Protocol

from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._method import Method

__all__ = ["Function", "as_function", "name_of"]

# What functions do not have, such as most of them a layer, is left out.
SHARED = """
Parameters
----------
module : Module
    Maps records (n, leads, times) to logits (n, classes).
X : ndarray of shape (n_samples, n_leads, n_times)
    Records, in the unit that the network was trained with.
target : int or ndarray of shape (n_samples,), optional
    Index of the class to explain, one for all records or one for each; by default the
    class with the highest logit.
layer : str, optional
    Dotted name of the submodule to explain; see `GradCAM`.
baseline : float or array-like broadcastable to (n_leads, n_times), default=0
    Record that stands for no evidence.
signed : bool, default=False
    Keep evidence against the class, as negative values.
resample : bool, default=True
    Interpolate the maps to `n_times` steps; else they have the steps of the feature
    maps.
batch_size : int, default=256
    Records that go through the network at once; it bounds the memory and does not
    change the maps.
verbose : bool, default=False
    Whether to show a progress bar.

Returns
-------
maps : ndarray of shape (n_samples, {axes}), dtype float32
    In units of the logit; at least 0 unless `signed`.

Raises
------
ImportError
    If captum is not installed; it comes with the extra ``attribution``.
ValueError
    If `X` is not three-dimensional, or a target is no class of the network.

Examples
--------
>>> import numpy as np
>>> from sk_erts.attribution import {name}
>>> from sk_erts.models import ResNet1d
>>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
>>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
>>> {name}(network, X).shape
(5, {shape})
"""
SECTIONS = (
    "Parameters",
    "Returns",
    "Raises",
    "Warns",
    "See Also",
    "Notes",
    "References",
    "Examples",
)


class Function(Protocol):
    """The one signature; parameters of the method stand before `signed`."""

    def __call__(
        self,
        module: nn.Module,
        X: FloatArray,
        target: int | IntArray | None = None,
        *,
        signed: bool = False,
        resample: bool = True,
        batch_size: int = 256,
        verbose: bool = False,
        **method_params: Any,
    ) -> FloatArray:
        """Return the maps; `resample` is a parameter of maps over time alone."""


def name_of(method: type[Method]) -> str:
    """Return the name that a method gave itself, not that of its parent.

    Parameters
    ----------
    method : type
        Has the attribute `name`.

    Returns
    -------
    name : str
        That of its function too.
    """
    return str(vars(method)["name"])


def as_function(
    method: type[Method], finish: Callable[..., Any] | None = None
) -> Function:
    """Return the public function of a method.

    Parameters
    ----------
    method : type
        Has a `name`, and a docstring of what is particular: a summary, its parameters,
        notes, references. What it says of something that all share stands instead of
        the shared words; the type of a parameter or result is not repeated.
    finish : callable, optional
        Maps the method when it has explained all records, their maps, and parameters
        of its own, by keyword, to what is returned. The function gets these too.

    Returns
    -------
    function : callable
        Belongs to the module of the method, where it has to be bound to its name.
    """
    name = name_of(method)
    own = _parameters(method, skip=1)
    more = _parameters(finish, skip=2) if finish else {}
    signature = _signature(method, [*own.values(), *more.values()])
    if finish:
        returned = inspect.signature(finish).return_annotation
        signature = signature.replace(return_annotation=returned)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        bound.apply_defaults()
        given = bound.arguments
        explain = method(given.pop("module"), **{key: given.pop(key) for key in own})
        rest = {key: given.pop(key) for key in more}
        maps = explain_array(explain, **given)
        return finish(explain, maps, **rest) if finish else maps

    function.__module__ = method.__module__
    function.__name__ = function.__qualname__ = name
    function.__doc__ = _docstring(method, signature)
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def _parameters(
    function: Callable[..., Any], skip: int
) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function without the first, by keyword."""
    found = list(inspect.signature(function).parameters.values())[skip:]
    return {
        parameter.name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in found
    }


def _signature(method: type[Method], own: list[inspect.Parameter]) -> inspect.Signature:
    """Return the one signature with parameters of a method."""
    shared = inspect.signature(Function.__call__)
    _, *parameters, _ = shared.parameters.values()
    if method.axes != "times":
        parameters = [each for each in parameters if each.name != "resample"]
    at = [each.name for each in parameters].index("signed")
    return shared.replace(parameters=[*parameters[:at], *own, *parameters[at:]])


def _docstring(method: type[Method], signature: inspect.Signature) -> str | None:
    """Return what a method says of itself, amid what all share."""
    if method.__doc__ is None:  # python -OO
        return None
    axes = method.axes.split(", ")
    words = {
        "{name}": name_of(method),
        "{axes}": ", ".join(f"n_{axis}" for axis in axes),
        "{shape}": ", ".join({"leads": "2", "times": "160"}[axis] for axis in axes),
    }
    _, shared = _sections(re.sub("{[a-z]+}", lambda found: words[found[0]], SHARED))
    summary, own = _sections(method.__doc__)
    parameters = _entries(shared["Parameters"], own.get("Parameters"))
    raises = _entries(shared["Raises"], own.get("Raises"))
    if not issubclass(method, CaptumMethod):
        del raises["ImportError"]
    texts = shared | own
    texts["Parameters"] = "\n".join(
        parameters[name] for name in signature.parameters if name in parameters
    )
    texts["Returns"] = "\n".join(
        _entries(shared["Returns"], own.get("Returns")).values()
    )
    texts["Raises"] = "\n".join(raises.values())
    written = [
        f"{title}\n{'-' * len(title)}\n{texts[title]}"
        for title in SECTIONS
        if title in texts
    ]
    return "\n\n".join([summary, *written])


def _sections(docstring: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the sections of a docstring, and these by title."""
    summary, *rest = re.split(
        r"^(\w[\w ]*)\n-+\n", inspect.cleandoc(docstring), flags=re.MULTILINE
    )
    texts = map(str.strip, rest[1::2])
    return summary.strip(), dict(zip(rest[::2], texts, strict=True))


def _entries(shared: str, own: str | None) -> dict[str, str]:
    """Return the entries of a section by name: shared types, but own words."""
    heads: dict[str, str] = {}
    texts: dict[str, str] = {}
    for section in (shared, own or ""):
        # Each begins at the margin.
        for entry in re.findall(r"^\S.*(?:\n .*)*", section, flags=re.MULTILINE):
            head, _, text = entry.partition("\n")
            name = head.partition(" :")[0]
            heads.setdefault(name, head)
            texts[name] = text
    return {name: f"{heads[name]}\n{text}" for name, text in texts.items()}
