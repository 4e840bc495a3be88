"""What all networks with a pooled linear head have in common."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from sk_erts.models._padding import steps_after

__all__ = ["PooledNetwork"]


class Strided(Protocol):
    """Feature maps of records, over steps of a constant distance."""

    @property
    def stride(self) -> int:
        """Time steps of a record for each of its feature maps."""

    def __call__(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, leads, times) to (n, channels, steps), zero behind each record."""


class PooledNetwork(nn.Module):
    """Feature maps, averaged over the steps of each record and mapped to logits.

    Attributes
    ----------
    features : module with a stride
        Maps records to feature maps.
    head : PooledLinear, or another module
        Maps these to logits; takes the steps of records as a second argument.
    """

    features: Strided
    head: nn.Module

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map records to logits.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends; what stands behind is not seen. By default all
            records fill the tensor.

        Returns
        -------
        logits : tensor of shape (n, classes)
            One per class.
        """
        steps = None if lengths is None else self.feature_lengths(lengths)
        logits: torch.Tensor = self.head(self.features(x, lengths), steps)
        return logits

    def feature_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return how many steps of the feature maps belong to records.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            Time steps of their feature maps.
        """
        return steps_after(self.features.stride, lengths)
