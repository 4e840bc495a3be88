"""Double-underscore parameters of parts on a plain scikit-learn estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from sk_erts._lib.names import nearest

__all__ = ["Parts", "SkorchEstimator", "accepted_names"]

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

# The name of ``**skorch_params`` itself, which scikit-learn's checks set like any
# other; `fit` refuses it.
REST = frozenset({"skorch_params"})


@dataclass(frozen=True)
class Parts:
    """Parameters of the parts of a skorch net.

    Attributes
    ----------
    params : dict of str to object
        By name, with double underscores.
    owner : str
        Class of the estimator that has them, for errors.
    """

    params: dict[str, Any] = field(default_factory=dict)
    owner: str = "ERTSClassifier"

    def of(self, prefix: str) -> dict[str, Any]:
        """Return those behind a prefix, and without it."""
        start = f"{prefix}__"
        return {
            name.removeprefix(start): value
            for name, value in self.params.items()
            if name.startswith(start)
        }

    def check(self, takes: dict[str, Callable[..., Any]]) -> None:
        """Refuse names that would reach nothing, before anything is trained.

        Parameters
        ----------
        takes : dict of str to callable
            What each prefix's parameters are for; other prefixes are not judged.

        Raises
        ------
        ValueError
            If a name is misspelt, or set by the estimator itself.
        """
        for name in self.params:
            prefix, _, rest = name.partition("__")
            if name in RESERVED:
                raise ValueError(
                    f"The parameter {name!r} is set by {self.owner} itself. Use "
                    f"{RESERVED[name]!r} instead."
                )
            valid = accepted_names(takes[prefix]) if prefix in takes else None
            if valid and prefix == "optimizer":
                valid = valid | {"param_groups"}  # skorch's own, for parts of a network
            if valid is not None and rest.split("__")[0] not in valid:
                raise ValueError(
                    f"The parameter {name!r} of {self.owner} reaches nothing: "
                    f"{_name_of(takes[prefix])} has no parameter {rest!r}. "
                    f"{nearest(rest, valid)}"
                )


class SkorchEstimator(BaseEstimator):
    """Take ``module__width=16`` and the like in ``__init__`` and ``set_params``.

    They are kept apart from the explicit parameters, cloned and searched with them,
    and judged in ``fit``.

    Attributes
    ----------
    NESTED : dict of str to type
        Parameters that are estimators, and that are None until one of theirs is set;
        or, if the constructor has none of this name, reached by double underscores
        alone.
    MOVED : dict of str to str
        Where parameters of earlier versions went.
    """

    NESTED: ClassVar[dict[str, Callable[[], BaseEstimator]]] = {}
    MOVED: ClassVar[dict[str, str]] = {}

    _double_underscored: dict[str, Any]

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
        for name, make in self.NESTED.items() if deep else ():
            if params.get(name) is None:
                defaults = make().get_params()
                params |= {f"{name}__{key}": value for key, value in defaults.items()}
        return params | self._double_underscored

    def set_params(self, **params: Any) -> SkorchEstimator:
        """Set parameters, those with double underscores among them.

        What the constructor was given is judged too, as `fit` judges it.

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
            elif value is None and name in self.NESTED:
                own -= {nested for nested in own if _is_of(name, nested)}
        self._check_names([*self._double_underscored, *params], own | REST)
        super().set_params(**{k: v for k, v in params.items() if k in own})
        replaced = self.NESTED.keys() & params.keys()
        before = {  # what is set later counts, by whichever way
            name: value
            for name, value in self._double_underscored.items()
            if name not in params and not any(_is_of(n, name) for n in replaced)
        }
        kept_apart = {k: v for k, v in params.items() if k not in own}
        self._double_underscored = before | kept_apart
        return self

    def nested(self, name: str) -> Any:
        """Return a parameter that is an estimator, with what was set of it.

        Parameters
        ----------
        name : str
            A key of `NESTED`.

        Returns
        -------
        estimator : estimator
            A copy.

        Raises
        ------
        ValueError
            If it has no such parameter.
        """
        given = getattr(self, name, None)
        made = self.NESTED[name]() if given is None else type(given)(**_shallow(given))
        own = {k: v for k, v in self._double_underscored.items() if _is_of(name, k)}
        for key in own:
            if not self._takes(key):
                raise ValueError(self._unknown(key))
        return made.set_params(**{k.removeprefix(f"{name}__"): own[k] for k in own})

    def parts(self) -> Parts:
        """Return the parameters of the net's parts.

        Returns
        -------
        parts : Parts
            Without those of `NESTED`.

        Raises
        ------
        ValueError
            If one belongs to no part.
        """
        self._check_names(self._double_underscored)
        of_net = {
            name: value
            for name, value in self._double_underscored.items()
            if not any(_is_of(nested, name) for nested in self.NESTED)
        }
        return Parts(of_net, type(self).__name__)

    def _check_names(self, names: Iterable[str], own: Set[str] = frozenset()) -> None:
        """Raise for a name that is neither a parameter here nor one of a part."""
        for name in names:
            if name in self.MOVED or not (name in own or self._takes(name)):
                raise ValueError(self._unknown(name))

    def _takes(self, name: str) -> bool:
        """Return whether a name that is no parameter here is one of a part."""
        prefix, separator, rest = name.partition("__")
        if prefix in self.NESTED:
            return rest in self.NESTED[prefix]().get_params()
        return bool(separator and prefix in PREFIXES)

    def _unknown(self, name: str) -> str:
        owner = type(self).__name__
        if name in self.MOVED:
            return (
                f"The parameter {name!r} of {owner} has moved: give {self.MOVED[name]}."
            )
        misspelt = {own for own in self._double_underscored if not self._takes(own)}
        valid = {*self.get_params(), *(f"{p}__*" for p in PREFIXES)} - misspelt
        return (
            f"Invalid parameter {name!r} for estimator {owner}. {nearest(name, valid)}"
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


def _is_of(prefix: str, name: str) -> bool:
    return name.startswith(f"{prefix}__")


def _shallow(estimator: BaseEstimator) -> dict[str, Any]:
    params: dict[str, Any] = estimator.get_params(deep=False)
    return params
