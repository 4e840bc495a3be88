"""Keep batch normalisation's idea of the data that of all data."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sk_erts._network.untouched import untouched

__all__ = ["has_statistics", "renewed_statistics", "unmoved_statistics"]


def has_statistics(module: nn.Module) -> bool:
    """Return whether a network has layers with running means and variances.

    Parameters
    ----------
    module : Module
        The network.

    Returns
    -------
    has_statistics : bool
        True if a batch-normalisation layer in training mode tracks them.
    """
    return bool(_layers(module))


def _layers(module: nn.Module) -> list[_BatchNorm]:
    return [
        part
        for part in module.modules()
        if isinstance(part, _BatchNorm) and part.track_running_stats and part.training
    ]


@contextmanager
def renewed_statistics(module: nn.Module) -> Iterator[bool]:
    """Estimate running means and variances anew from the batches seen inside.

    Steps on selected records leave the statistics of hard records in the
    normalisation layers, with which the network then misjudges all others; how much
    it matters on PTB-XL is measured in ``benchmarks/normalisation.py``. Layers that
    are in evaluation mode on entry (frozen ones) are left alone; so are all if an
    exception leaves the block.

    Parameters
    ----------
    module : Module
        The network. Inside, everything but these layers is in evaluation mode.

    Yields
    ------
    renews : bool
        False if the network has no such layers.

    Notes
    -----
    The statistics are the plain average over the batches, as in [1]_.

    References
    ----------
    .. [1] Y. Wu, J. Johnson, "Rethinking 'batch' in BatchNorm", 2021,
       arXiv:2105.07576.
    """
    layers = _layers(module)
    momenta = [layer.momentum for layer in layers]
    before = [copy.deepcopy(layer.state_dict()) for layer in layers]
    with untouched(module):
        try:
            for layer in layers:
                layer.train()
                layer.reset_running_stats()
                layer.momentum = None  # a cumulative average
            yield bool(layers)
        except BaseException:
            for layer, state in zip(layers, before, strict=True):
                layer.load_state_dict(state)
            raise
        finally:
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum


@contextmanager
def unmoved_statistics(module: nn.Module) -> Iterator[None]:
    """Let running means and variances learn nothing of the batches seen inside.

    Parameters
    ----------
    module : Module
        The network; batches are normalised by themselves, as in any training step.

    Yields
    ------
    None
    """
    layers = _layers(module)
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
