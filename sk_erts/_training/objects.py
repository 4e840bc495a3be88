"""Parameters that are objects, as names and numbers: written and made without code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import sklearn.model_selection
import skorch.callbacks
import torch
from torch import nn

import sk_erts.attribution
import sk_erts.augmentation
import sk_erts.losses
import sk_erts.models
import sk_erts.quality
import sk_erts.selection
from sk_erts.models._made_with import made_with

__all__ = ["Foreign", "foreign_in", "made", "named"]

MARK = "@"
# Whose classes and functions a file may name: it can ask for nothing else.
PACKAGES: tuple[ModuleType, ...] = (
    sk_erts.attribution,
    sk_erts.augmentation,
    sk_erts.losses,
    sk_erts.models,
    sk_erts.quality,
    sk_erts.selection,
    sklearn.model_selection,
    skorch.callbacks,
    torch.optim,
)


class Foreign:
    """Stand where a file cannot say what there was.

    Parameters
    ----------
    name : str
        Class or function of what there was.
    """

    def __init__(self, name: str) -> None:
        self.name = name


def named(value: Any) -> Any:
    """Return a parameter as numbers, texts, lists and dictionaries.

    Parameters
    ----------
    value : object
        Objects and classes of scikit-learn's, skorch's, torch's and this package's
        public modules are named, with their own parameters; of all others no more than
        the name is left, and of arrays nothing, since they may be records.

    Returns
    -------
    told : object
        What `made` reads.

    Examples
    --------
    >>> from sk_erts._training.objects import made, named
    >>> from sk_erts.selection import DBPD
    >>> named(DBPD(0.4))["of"]
    'sk_erts.selection.DBPD'
    >>> made(named(DBPD(0.4)))
    DBPD(threshold=0.4)
    """
    match value:
        case None | bool() | int() | float() | str() | np.bool_() | np.number():
            return value
        case list() | tuple():
            return type(value)(map(named, value))
        case Mapping() if MARK not in value:
            return {key: named(own) for key, own in value.items()}
        case torch.device():
            return str(value)
    name = _names().get(id(value))
    if name is not None:
        return {MARK: "name", "of": name}
    name = _names().get(id(type(value)))
    params = None if name is None else _params_of(value)
    if params is not None:
        told = {MARK: "object", "of": name, "params": named(params)}
        if isinstance(value, nn.Module):  # a training begins with its weights
            told["tensors"] = dict(value.state_dict())
        return told
    own = value if hasattr(value, "__qualname__") else type(value)
    return {MARK: "foreign", "of": f"{own.__module__}.{own.__qualname__}"}


def made(told: Any) -> Any:
    """Return the parameter that `named` was given.

    Parameters
    ----------
    told : object
        As `named` returned it, or as somebody else wrote it.

    Returns
    -------
    value : object
        With a `Foreign` wherever the file cannot say what there was.

    Raises
    ------
    ValueError
        If something is named that no file may ask for, or cannot be made so.
    """
    if isinstance(told, list | tuple):
        return type(told)(map(made, told))
    if not isinstance(told, dict):
        return told
    if MARK not in told:
        return {key: made(own) for key, own in told.items()}
    if told[MARK] == "foreign":
        return Foreign(told["of"])
    found = _named_objects().get(told["of"])
    if found is None:
        raise ValueError(f"{told['of']!r} is nothing that a file may name")
    if told[MARK] == "name":
        return found
    if not inspect.isclass(found):
        raise ValueError(f"{told['of']!r} is no class")
    params = made(told["params"])
    if any(foreign_in(params)):
        return Foreign(told["of"])
    value = found(**params)
    if isinstance(value, nn.Module) and "tensors" in told:  # older files have none
        value.load_state_dict(told["tensors"])
    return value


def foreign_in(value: Any) -> Iterator[Foreign]:
    """Yield what a file could not say.

    Parameters
    ----------
    value : object
        As `made` returned it.

    Yields
    ------
    foreign : Foreign
        Wherever it stands.
    """
    if isinstance(value, Foreign):
        yield value
    if isinstance(value, list | tuple):
        for own in value:
            yield from foreign_in(own)
    if isinstance(value, Mapping):
        yield from foreign_in(list(value.values()))


@cache
def _named_objects() -> dict[str, Any]:
    """Return all that a file may name, by name."""
    return {
        f"{package.__name__}.{name}": found
        for package in PACKAGES
        for name in getattr(package, "__all__", dir(package))
        if callable(found := vars(package).get(name)) and not name.startswith("_")
    }


@cache
def _names() -> dict[int, str]:
    return {id(value): name for name, value in reversed(_named_objects().items())}


def _params_of(value: Any) -> dict[str, Any] | None:
    """Return what an object can be made of again; None if that cannot be told."""
    if isinstance(value, nn.Module) and (params := made_with(value)) is not None:
        return params
    if hasattr(value, "get_params"):
        params = value.get_params(deep=False)
        return dict(params)
    own = inspect.signature(type(value)).parameters
    if all(hasattr(value, name) for name in own):
        return {name: getattr(value, name) for name in own}
    return None
