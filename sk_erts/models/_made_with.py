"""What a registered network was made with, noted as it is made."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from torch import nn

from sk_erts.models._registry import MODELS

__all__ = ["as_plain", "made_with", "note_parameters", "registered_name"]

NOTED = "_made_with"
NAMES: dict[Any, str] = {network: name for name, network in MODELS.items()}


class NotPlainError(ValueError):
    """Raise for a parameter that cannot be written as text."""


def registered_name(network: Any) -> str | None:
    """Return the name under which a class of networks is registered.

    Parameters
    ----------
    network : class or object
        What may be one.

    Returns
    -------
    name : str or None
        None if it is not registered; nor are classes that inherit from one that is.
    """
    try:
        return NAMES.get(network)
    except TypeError:  # what has no hash
        return None


def note_parameters(network: type[nn.Module]) -> None:
    """Let all networks of a class note what they are made with.

    Parameters
    ----------
    network : class
        Its constructor is wrapped, under the same signature.
    """
    init = network.__init__
    signature = inspect.signature(init)

    @functools.wraps(init)
    def noting(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        # A constructor that calls that of a base class is the one that counts.
        if NOTED not in self.__dict__:
            self.__dict__[NOTED] = None
            try:
                given = signature.bind(self, *args, **kwargs)
            except TypeError:
                pass  # the constructor says what is wrong
            else:
                given.apply_defaults()
                _, *values = given.arguments.items()
                self.__dict__[NOTED] = as_plain(dict(values))
        init(self, *args, **kwargs)

    network.__init__ = noting  # type: ignore[method-assign]


def made_with(module: nn.Module) -> dict[str, Any] | None:
    """Return what a registered network was made with.

    Parameters
    ----------
    module : Module
        The network.

    Returns
    -------
    parameters : dict of str to object, or None
        All parameters of its constructor, as JSON has them. None if the network is not
        registered, or made with something that is no text, number or list.

    Examples
    --------
    >>> from sk_erts.models import ResNet1d18
    >>> from sk_erts.models._made_with import made_with
    >>> made_with(ResNet1d18(12, 5, width=8))["width"]
    8
    """
    if registered_name(type(module)) is None:
        return None
    parameters: dict[str, Any] | None = module.__dict__.get(NOTED)
    return parameters


def as_plain(value: Any) -> Any:
    """Return a value in the types of JSON, and a registered network as its name.

    Parameters
    ----------
    value : object
        A parameter, or a dictionary of them.

    Returns
    -------
    value : object
        None if it cannot be written so.
    """
    try:
        return _plain(value)
    except NotPlainError:
        return None


def _plain(value: Any) -> Any:
    """Return a value in the types of JSON, or raise."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [_plain(part) for part in value]
    name = registered_name(value)
    if name is None:
        raise NotPlainError
    return name


for _network in MODELS.values():
    if isinstance(_network, type):
        note_parameters(_network)
