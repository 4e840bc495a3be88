"""Parts of a network that a training leaves as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from sk_erts._lib.checks import refuse
from sk_erts._lib.names import nearest

if TYPE_CHECKING:
    Normalisation = _NormBase
else:
    Normalisation = object

__all__ = ["as_prefixes", "freeze"]


class _KeepsStatistics(Normalisation):
    """Stay in evaluation mode, whatever the network around is put in.

    All that trains or looks at networks goes by `training`: estimates of statistics
    are made anew of layers in training mode only.
    """

    def train(self, mode: bool = True) -> Any:
        return super().train(False)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The class is made on the fly: copies and pickles name what it is made of.
        return _blank, (type(self).__mro__[2],), self.__dict__.copy()


_CLASSES: dict[type[nn.Module], type[nn.Module]] = {}


def _keeping(layer: type[nn.Module]) -> type[nn.Module]:
    """Return a class of normalisation layers whose statistics stay."""
    if layer not in _CLASSES:
        names = {"__module__": layer.__module__, "__doc__": layer.__doc__}
        bases = (_KeepsStatistics, layer)
        _CLASSES[layer] = type(f"Frozen{layer.__name__}", bases, names)
    return _CLASSES[layer]


def _blank(layer: type[nn.Module]) -> nn.Module:
    frozen = _keeping(layer)
    return frozen.__new__(frozen)


def as_prefixes(owner: object, given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the parameter `freeze`.

    Parameters
    ----------
    owner : str
        Whose parameter it is.
    given : str, iterable of str or None
        Dotted names of parts, or parameters.

    Returns
    -------
    prefixes : tuple of str
        The same.
    """
    if given is None:
        return ()
    is_one = isinstance(given, str) or not isinstance(given, Iterable)
    names: tuple[Any, ...] = (given,) if is_one else tuple(given)
    if not names or not all(isinstance(name, str) and name for name in names):
        wanted = "be the dotted name of a part of the network, or a list of them"
        refuse(owner, "freeze", wanted, repr(given))
    return names


def freeze(
    owner: object,
    module: nn.Module,
    prefixes: Iterable[str],
    but: Collection[str] = (),
) -> None:
    """Let a training leave parts of a network as they are, in place.

    Their parameters want no gradient, and their normalisation layers stay in
    evaluation mode. Copies and pickles of the network keep it so.

    Parameters
    ----------
    owner : str
        Whose parameter `freeze` it is, for errors.
    module : Module
        The network.
    prefixes : iterable of str
        Dotted names of parts, or of parameters.
    but : collection of str, default=()
        Parameters that are trained all the same.

    Raises
    ------
    ValueError
        If there is nothing of a name, or nothing would be left to train.

    Examples
    --------
    >>> from torch import nn
    >>> from sk_erts._network.frozen import freeze
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    >>> freeze("an example", network, ["0", "1"])
    >>> [p.requires_grad for p in network.parameters()]
    [False, False, False, False, True, True]
    >>> network.train()[1].training
    False
    """
    names = [name for name, _ in module.named_parameters()]
    parts = {name for name, _ in module.named_modules() if name}
    for prefix in prefixes:
        if not any(_is_under(name, prefix) for name in names):
            wanted = f"name parts of {type(module).__name__} that have parameters"
            refuse(owner, "freeze", wanted, repr(prefix), nearest(prefix, parts))
        for name, parameter in module.named_parameters():
            if _is_under(name, prefix) and name not in but:
                parameter.requires_grad_(False)
        for name, part in module.named_modules():
            if _is_under(name, prefix) and _has_statistics(part):
                part.eval()
                part.__class__ = _keeping(type(part))
    if not any(parameter.requires_grad for parameter in module.parameters()):
        wanted = f"leave something of {type(module).__name__} to train"
        refuse(owner, "freeze", wanted, repr(list(prefixes)))


def _is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _has_statistics(part: nn.Module) -> bool:
    return (
        isinstance(part, _NormBase)
        and part.track_running_stats
        and not isinstance(part, _KeepsStatistics)
    )
