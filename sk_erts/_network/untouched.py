"""Look at a network without leaving a trace in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["device_of", "seeded", "untouched"]


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode and leave it afterwards as it was.

    Training flags of every submodule and torch's generators are restored, also
    after an exception. Gradients are not written by what runs inside as long as it
    uses ``torch.autograd.grad``.

    Parameters
    ----------
    module : Module
        The network.

    Yields
    ------
    None
    """
    flags = [(part, part.training) for part in module.modules()]
    with _generators_restored(device_of(module)):
        module.eval()
        try:
            yield
        finally:
            for part, training in flags:
                part.training = training


@contextmanager
def _generators_restored(device: torch.device) -> Iterator[None]:
    """Give torch's generators back in the state that they are in now.

    Parameters
    ----------
    device : torch.device
        Its generator is restored beside the processor's.

    Yields
    ------
    None
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators and give them back as they were.

    Parameters
    ----------
    seed : int
        Where to begin.
    device : torch.device
        Its generator is seeded beside the processor's; those of other devices are
        not touched.

    Yields
    ------
    None
    """
    with _generators_restored(device):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def device_of(module: nn.Module) -> torch.device:
    """Return where a network's parameters lie; the processor if it has none.

    Parameters
    ----------
    module : Module
        The network.

    Returns
    -------
    device : torch.device
        The device of its first parameter.
    """
    parameter = next(module.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
