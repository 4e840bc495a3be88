"""A network that has forgotten what it learned."""

from __future__ import annotations

import copy

import torch
from torch import nn

from sk_erts._network.untouched import device_of, seeded

__all__ = ["randomise_weights"]


def randomise_weights(module: nn.Module, random_state: int = 0) -> nn.Module:
    """Return a copy of a network with weights as before any training.

    A map that stays the same for it does not tell what the network learned [1]_.

    Parameters
    ----------
    module : Module
        The network; left as found.
    random_state : int, default=0
        Determines the weights.

    Returns
    -------
    module : Module
        The copy. Layers are initialised by their own `reset_parameters`; parameters
        that belong to no such layer have their values shuffled.

    See Also
    --------
    sk_erts.metrics.survives_randomisation : Says whether maps are the same.

    References
    ----------
    .. [1] J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018,
       arXiv:1810.03292.

    Examples
    --------
    >>> from sk_erts.attribution import randomise_weights
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> other = randomise_weights(network)
    >>> bool((other.head.linear.weight == network.head.linear.weight).all())
    False
    """
    other = copy.deepcopy(module)
    done: set[int] = set()
    with seeded(random_state, device_of(module)), torch.no_grad():
        for part in other.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
                done |= {id(parameter) for parameter in part.parameters(recurse=False)}
        for parameter in other.parameters():
            if id(parameter) not in done:
                order = torch.randperm(parameter.numel(), device=parameter.device)
                parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
    return other
