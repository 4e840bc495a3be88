"""Keep batch normalisation's idea of the data that of all data."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sk_erts._input import TrainingSet
from sk_erts._typing import IntArray
from sk_erts.attribution._untouched import device_of, untouched

__all__ = ["renew_statistics"]


def renew_statistics(
    module: nn.Module, training_set: TrainingSet, batches: list[IntArray]
) -> bool:
    """Estimate running means and variances anew from records drawn at random.

    Steps on selected records leave the statistics of hard records in the
    normalisation layers, with which the network then misjudges all others; how much
    it matters on PTB-XL is measured in ``benchmarks/normalisation.py``. Weights,
    generators, training flags and layers in evaluation mode (frozen ones) are left
    alone; so is everything if a batch fails.

    Parameters
    ----------
    module : Module
        The network.
    training_set : TrainingSet
        Its records.
    batches : list of int ndarray
        Positions of the records to look at.

    Returns
    -------
    renewed : bool
        False if the network has no such layers, and nothing was done.

    Notes
    -----
    The statistics are the plain average over the batches, as in [1]_.

    References
    ----------
    .. [1] Y. Wu, J. Johnson, "Rethinking 'batch' in BatchNorm", 2021,
       arXiv:2105.07576.
    """
    layers = [
        part
        for part in module.modules()
        if isinstance(part, _BatchNorm) and part.track_running_stats and part.training
    ]
    if not layers:
        return False
    momenta = [layer.momentum for layer in layers]
    before = [copy.deepcopy(layer.state_dict()) for layer in layers]
    with untouched(module), torch.no_grad():
        try:
            for layer in layers:
                layer.train()
                layer.reset_running_stats()
                layer.momentum = None  # a cumulative average
            for index in batches:
                x = torch.from_numpy(training_set.signals(index))
                module(x.to(device_of(module)))
        except BaseException:
            for layer, state in zip(layers, before, strict=True):
                layer.load_state_dict(state)
            raise
        finally:
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum
    return True
