"""Batches as a network gets them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sk_erts._lib.typing import IntArray

__all__ = ["Signals", "batches", "inside", "takes_lengths"]


@dataclass(frozen=True)
class Signals:
    """Records of a batch, and where each of them ends.

    Attributes
    ----------
    x : tensor of shape (n, n_leads, n_times)
        The records, with padding behind the shorter ones.
    lengths : int tensor of shape (n,) or None
        Time steps of each record; None where all fill the tensor.
    """

    x: torch.Tensor
    lengths: torch.Tensor | None = None

    def logits(self, module: nn.Module) -> torch.Tensor:
        """Return what a network says of the records.

        Parameters
        ----------
        module : Module
            Takes `lengths` if there are any.

        Returns
        -------
        logits : tensor of shape (n, n_classes)
            As it returns them.
        """
        said: torch.Tensor = (
            module(self.x)
            if self.lengths is None
            else module(self.x, lengths=self.lengths)
        )
        return said


def batches(n_samples: int, batch_size: int) -> list[IntArray]:
    """Return the positions of all records in pieces.

    Parameters
    ----------
    n_samples : int
        Number of records.
    batch_size : int
        Positions per piece; the last one may have fewer.

    Returns
    -------
    pieces : list of int ndarray
        Together ``0, ..., n_samples - 1``.
    """
    return [
        np.arange(start, min(start + batch_size, n_samples))
        for start in range(0, n_samples, batch_size)
    ]


def inside(lengths: torch.Tensor, n_steps: int) -> torch.Tensor:
    """Return which steps of padded records are theirs.

    Parameters
    ----------
    lengths : int tensor of shape (n,)
        Steps of each record.
    n_steps : int
        Steps of the padded tensor.

    Returns
    -------
    mask : bool tensor of shape (n, n_steps)
        True up to the length of a record.
    """
    return torch.arange(n_steps, device=lengths.device) < lengths[:, None]


def takes_lengths(module: nn.Module) -> bool:
    """Return whether a network can leave the padding behind short records aside.

    Parameters
    ----------
    module : Module
        The network.

    Returns
    -------
    takes_lengths : bool
        True if its forward has a parameter `lengths`, and it tells those of its
        feature maps in `feature_lengths`.
    """
    return "lengths" in inspect.signature(module.forward).parameters and callable(
        getattr(module, "feature_lengths", None)
    )
