"""Feature maps of networks that do not name any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["check_maps", "graph_from", "last_layer_with_time"]

# Layers whose output is (n, channels, times).
TIME_LAST = (
    nn.Conv1d,
    nn.ConvTranspose1d,
    nn.BatchNorm1d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.MaxPool1d,
    nn.AvgPool1d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveMaxPool1d,
)


@contextmanager
def graph_from(module: nn.Module, layer: str) -> Iterator[list[torch.Tensor]]:
    """Let the graph of a forward pass begin at the output of a layer.

    Parameters
    ----------
    module : Module
        Is called inside, without gradients.
    layer : str
        Dotted name of one of its submodules.

    Yields
    ------
    found : list of tensor
        After the call the layer's output (n, channels, times); empty if it was not
        reached.
    """
    found: list[torch.Tensor] = []

    def begin(_module: nn.Module, _inputs: object, output: object) -> torch.Tensor:
        z = check_maps(output, f"{type(module).__name__}.{layer}")
        torch.set_grad_enabled(True)
        found[:] = [z.detach().requires_grad_()]
        # A copy goes on, so that in-place layers after this one work.
        return found[0].clone()

    hook = module.get_submodule(layer).register_forward_hook(begin)
    try:
        with torch.no_grad():
            yield found
    finally:
        hook.remove()


def last_layer_with_time(module: nn.Module, x: torch.Tensor) -> str:
    """Name the last submodule that returns (n, channels, more than one time).

    Convolutions, their normalisation and pooling have time last; what follows
    them without parameters (activations, dropout) and keeps their shape does too.
    Of anything else, such as attention or batch-first recurrence, it is not known.

    Parameters
    ----------
    module : Module
        The network.
    x : tensor of shape (n, leads, times)
        Records to try it on.

    Returns
    -------
    layer : str
        Its dotted name.

    Raises
    ------
    ValueError
        If there is none.
    """
    order: list[tuple[str, int]] = []
    shape: list[torch.Size] = []

    def remember(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(part: nn.Module, _inputs: object, output: object) -> None:
            if not isinstance(output, torch.Tensor) or output.ndim != 3:
                return
            follows = [output.shape] == shape and not list(part.parameters())
            if isinstance(part, TIME_LAST) or follows:
                shape[:] = [output.shape]
                order.append((name, output.shape[-1]))

        return hook

    leaves = [
        (name, part)
        for name, part in module.named_modules()
        if name and not any(part.children())
    ]
    hooks = [part.register_forward_hook(remember(name)) for name, part in leaves]
    try:
        with torch.no_grad():
            module(x)
    finally:
        for hook in hooks:
            hook.remove()
    longest = max((n_times for _, n_times in order), default=0)
    with_time = [name for name, n_times in order if n_times > 1 or longest == 1]
    if not with_time:
        raise ValueError(
            f"No submodule of {type(module).__name__} returns feature maps of shape "
            "(n, channels, times), so there is nothing to explain. Name one with "
            "'cam_layer', or give the module 'features' and 'head'."
        )
    return with_time[-1]


def check_maps(z: object, where: str) -> torch.Tensor:
    """Refuse feature maps without a time axis.

    Parameters
    ----------
    z : object
        What a layer returned.
    where : str
        Which one, for the error.

    Returns
    -------
    z : tensor of shape (n, channels, times)
        The same.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(z, torch.Tensor) or z.ndim != 3:
        got = f"shape {tuple(z.shape)}" if isinstance(z, torch.Tensor) else type(z)
        raise ValueError(
            f"{where} must return feature maps of shape (n, channels, times) for "
            f"Grad-CAM. Got {got} instead; name another layer with 'cam_layer'."
        )
    return z
