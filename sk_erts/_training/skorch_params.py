"""skorch's double-underscore parameters on a plain scikit-learn estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator

from sk_erts._lib.names import nearest

__all__ = ["SkorchEstimator", "accepted_names"]

PREFIXES = (
    "module",
    "criterion",
    "optimizer",
    "iterator_train",
    "iterator_valid",
    "callbacks",
)
# The estimator sets these itself, from the parameter named here.
RESERVED = {
    "iterator_train__batch_size": "batch_size",
    "iterator_train__shuffle": "random_state",
    "iterator_train__sampler": "selection",
    "iterator_train__batch_sampler": "selection",
    "iterator_train__drop_last": "batch_size",
    "iterator_valid__shuffle": "validation_fraction",
    "criterion__reduction": "sample_weight",
    "criterion__weight": "class_weight",
    "criterion__pos_weight": "class_weight",
}


class SkorchEstimator(BaseEstimator):
    """Take ``module__width=16`` and the like in ``__init__`` and ``set_params``.

    They are kept apart from the explicit parameters, cloned and searched with them,
    and judged in ``fit`` by `check_skorch_params`.
    """

    _skorch_params: dict[str, Any]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those with double underscores among them.

        Parameters
        ----------
        deep : bool, default=True
            Whether to descend into parameters that are estimators.

        Returns
        -------
        params : dict of str to object
            By name.
        """
        params: dict[str, Any] = super().get_params(deep=deep)
        return params | self._skorch_params

    def set_params(self, **params: Any) -> SkorchEstimator:
        """Set parameters, those with double underscores among them.

        Parameters
        ----------
        **params : object
            By name.

        Returns
        -------
        self : estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If a name is no parameter; the nearest one is named.
        """
        own = set(super().get_params(deep=True))
        for name, value in params.items():
            if hasattr(value, "get_params") and not isinstance(value, type):
                own |= {f"{name}__{nested}" for nested in value.get_params()}
        for name in params:
            if not (name in own or self._takes(name)):
                raise ValueError(self._unknown(name))
        super().set_params(**{k: v for k, v in params.items() if k in own})
        self._skorch_params.update({k: v for k, v in params.items() if k not in own})
        return self

    def skorch_params(self, prefix: str | None = None) -> dict[str, Any]:
        """Return the double-underscore parameters.

        Parameters
        ----------
        prefix : str, optional
            Only those behind this prefix, and without it.

        Returns
        -------
        params : dict of str to object
            By name.
        """
        if prefix is None:
            return dict(self._skorch_params)
        start = f"{prefix}__"
        return {
            name.removeprefix(start): value
            for name, value in self._skorch_params.items()
            if name.startswith(start)
        }

    def check_skorch_params(self, takes: dict[str, Callable[..., Any]]) -> None:
        """Refuse names that would reach nothing, before anything is trained.

        Parameters
        ----------
        takes : dict of str to callable
            What each prefix's parameters are for.

        Raises
        ------
        ValueError
            If a name is misspelt, or set by the estimator itself.
        """
        for name in self._skorch_params:
            prefix, separator, rest = name.partition("__")
            if not separator or prefix not in PREFIXES:
                raise ValueError(self._unknown(name))
            if name in RESERVED:
                raise ValueError(
                    f"The parameter {name!r} is set by {type(self).__name__} itself. "
                    f"Use {RESERVED[name]!r} instead."
                )
            valid = accepted_names(takes[prefix]) if prefix in takes else None
            if valid and prefix == "optimizer":
                valid = valid | {"param_groups"}  # skorch's own, for parts of a network
            if valid is not None and rest.split("__")[0] not in valid:
                raise ValueError(
                    f"The parameter {name!r} of {type(self).__name__} reaches nothing: "
                    f"{_name_of(takes[prefix])} has no parameter {rest!r}. "
                    f"{nearest(rest, valid)}"
                )

    def _takes(self, name: str) -> bool:
        prefix, separator, _ = name.partition("__")
        return name in self._skorch_params or bool(separator and prefix in PREFIXES)

    def _unknown(self, name: str) -> str:
        valid = {*super().get_params(deep=False), *(f"{p}__*" for p in PREFIXES)}
        return (
            f"Invalid parameter {name!r} for estimator {type(self).__name__}. "
            f"{nearest(name, valid)}"
        )


def accepted_names(target: Callable[..., Any]) -> set[str] | None:
    """Return the keyword arguments of a callable; None if it takes any.

    Parameters
    ----------
    target : callable
        A class or a function.

    Returns
    -------
    names : set of str or None
        Without ``self``.
    """
    names: set[str] = set()
    for step in _constructors(target):
        parameters = inspect.signature(step).parameters.values()
        names |= {
            p.name
            for p in parameters
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name != "self"
        }
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            return names
    return None


def _constructors(target: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return what takes the arguments: a function, or a class's and its bases' init."""
    if not inspect.isclass(target):
        return [target]
    classes = [cls for cls in target.__mro__ if "__init__" in vars(cls)]
    return [vars(cls)["__init__"] for cls in classes if cls is not object] or [target]


def _name_of(target: Callable[..., Any]) -> str:
    return getattr(target, "__name__", None) or type(target).__name__
