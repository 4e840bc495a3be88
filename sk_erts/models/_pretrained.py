"""A network that begins where another one ended."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from sk_erts._lib.checks import refuse
from sk_erts._network.frozen import as_prefixes
from sk_erts._network.frozen import freeze as freeze_parts
from sk_erts.models._made_with import made_with

__all__ = ["Pretrained"]


class Pretrained:
    """Make networks that begin with the weights of another one.

    Given to :class:`~sk_erts.ERTSClassifier` as `module`, it makes the same network for
    other classes, and for another number of leads, whenever `fit` asks for one: in each
    fold and for each candidate of a search anew. Tensors of other shapes, such as those
    of the last layer, begin anew.

    Parameters
    ----------
    network : Module
        Trained, one of :data:`sk_erts.models.MODELS`; is not changed.
    freeze : str or list of str, optional
        Parts, by their dotted names, that a training is to leave as they are, such as
        ``"features"``; see :func:`load_weights`.
    make : callable, optional
        Makes a network of another class, which takes `n_leads` and `n_classes` like the
        registered ones: a class, or a ``functools.partial`` of it with its parameters.

    Raises
    ------
    ValueError
        If `network` is no Module, or cannot be made again without `make`.

    See Also
    --------
    load_weights : The same from a file, at once.
    sk_erts.pretraining.ECGTextPretrainer.to_classifier : Trains what comes out of it.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import Pretrained, ResNet1d
    >>> trained = ResNet1d(n_leads=12, n_classes=5, width=4)
    >>> network = Pretrained(trained)(n_leads=12, n_classes=2)
    >>> torch.equal(network.features[0].weight, trained.features[0].weight)
    True
    >>> network.head.linear.weight.shape
    torch.Size([2, 32])
    """

    def __init__(
        self,
        network: Any,
        freeze: str | Iterable[str] | None = None,
        make: Callable[..., nn.Module] | None = None,
    ) -> None:
        if not isinstance(network, nn.Module):
            got = getattr(network, "__name__", type(network).__name__)
            refuse(self, "network", "be a Module that was trained", got)
        if make is None and made_with(network) is None:
            wanted = (
                "be given for a network that is none of sk_erts.models, such as "
                f"make={type(network).__name__}"
            )
            refuse(self, "make", wanted, "None")
        self.network: nn.Module = network
        self.freeze = freeze
        self.make = make

    def __call__(self, n_leads: int, n_classes: int) -> nn.Module:
        """Return a network, filled with all tensors that fit.

        Parameters
        ----------
        n_leads, n_classes : int
            Of the records and labels.

        Returns
        -------
        network : Module
            In training mode, but for what is frozen.

        Raises
        ------
        ValueError
            If nothing fits, or `freeze` names no part.
        """
        sizes = {"n_leads": n_leads, "n_classes": n_classes}
        if self.make is not None:
            network = self.make(**sizes)
        else:
            own = made_with(self.network)
            assert own is not None
            network = type(self.network)(**{**own, **sizes})
        state = network.state_dict()
        fitting = {
            name: value
            for name, value in self.network.state_dict().items()
            if name in state and state[name].shape == value.shape
        }
        if not fitting:
            wanted = f"have tensors that fit the {type(network).__name__} made here"
            refuse(self, "network", wanted, type(self.network).__name__)
        network.load_state_dict(copy.deepcopy(fitting), strict=False)
        prefixes = as_prefixes("Pretrained", self.freeze)
        freeze_parts("Pretrained", network, prefixes, but=state.keys() - fitting)
        return network

    def __repr__(self) -> str:
        freeze = "" if self.freeze is None else f", freeze={self.freeze!r}"
        return f"Pretrained({type(self.network).__name__}{freeze})"
