"""From memory to the device of the network."""

from __future__ import annotations

import torch

__all__ = ["sent_to"]


def sent_to(x: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Return a tensor on a device, without waiting for a GPU that is at work.

    To a GPU it goes from memory that is pinned, which alone can be read while the
    processor goes on.

    Parameters
    ----------
    x : tensor
        Anywhere.
    device : torch.device or str
        Where it is needed.

    Returns
    -------
    x : tensor
        The same one, if it is there.
    """
    device = torch.device(device)
    if device.type == "cuda" and x.device.type == "cpu":
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)
