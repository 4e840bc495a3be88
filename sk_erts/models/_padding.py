"""Layers that leave the padding behind short records as it is: zero."""

import torch
from torch import nn

__all__ = ["normalise", "steps_after"]


def steps_after(stride: int, lengths: torch.Tensor) -> torch.Tensor:
    """Return how many steps a centred convolution makes of records of some lengths.

    Parameters
    ----------
    stride : int
        Of the convolution, whose kernel is odd and padded by half of it.
    lengths : int tensor of shape (n,)
        Steps that go in.

    Returns
    -------
    lengths : int tensor of shape (n,)
        Steps that come out.
    """
    return (lengths + stride - 1) // stride


def normalise(
    norm: nn.Module, z: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """Normalise the steps that belong to records, and set all others to zero.

    So padding has no part in means and variances, and the next convolution finds
    behind a record what it finds behind the longest: zeros.

    Parameters
    ----------
    norm : Module
        Batch normalisation.
    z : tensor of shape (n, channels, times)
        What to normalise.
    mask : bool tensor of shape (n, times) or None
        Which steps belong to records; None is all.

    Returns
    -------
    z : tensor of shape (n, channels, times)
        Normalised.
    """
    if mask is None:
        whole: torch.Tensor = norm(z)
        return whole
    if not norm.training:
        masked: torch.Tensor = norm(z) * mask[:, None]
        return masked
    steps = norm(z.transpose(1, 2)[mask])  # (steps of all records, channels)
    result: torch.Tensor = steps.new_zeros(len(z), z.shape[2], z.shape[1])
    result[mask] = steps  # (n, times, channels)
    return result.transpose(1, 2)
