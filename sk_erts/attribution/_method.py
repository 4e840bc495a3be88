"""What all attribution methods share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

from sk_erts._lib.optional import import_optional
from sk_erts._network.untouched import untouched
from sk_erts._records.signals import Signals
from sk_erts.attribution._gradcam import Direction

__all__ = ["Goal", "Method", "import_captum"]


class Method(ABC):
    """Explain batches of records, and leave the network as found.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).

    Attributes
    ----------
    axes : str
        ``"times"`` for maps (n, times), whose steps may be those of a layer, or
        ``"leads, times"`` for maps of the shape of the records.
    """

    axes = "leads, times"

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, batch: Signals, direction: Direction) -> torch.Tensor:
        """Return signed maps.

        Parameters
        ----------
        batch : Signals
            Records on the network's device.
        direction : callable
            Maps the logits (n, classes) to weights of the same shape; the weighted sum
            of a record's logits is what its map explains.

        Returns
        -------
        maps : tensor of shape (n, times) or (n, leads, times)
            According to `axes`.
        """
        # cuDNN cannot differentiate recurrent layers in evaluation mode.
        without_cudnn = torch.backends.cudnn.flags(enabled=False)
        with untouched(self.module), without_cudnn:
            return self._maps(batch, direction).detach()

    def unsigned(self, maps: torch.Tensor) -> torch.Tensor:
        """Return what speaks for the class.

        Parameters
        ----------
        maps : tensor
            Signed maps.

        Returns
        -------
        maps : tensor of the same shape
            At least 0.
        """
        return maps.clamp(min=0)

    def n_at_once(self, batch_size: int) -> int:
        """Return how many records make a batch.

        Parameters
        ----------
        batch_size : int
            Records that may go through the network at once.

        Returns
        -------
        n : int
            At most as many.
        """
        return batch_size

    def takes_lengths(self) -> bool:
        """Return whether a batch may hold records of different lengths.

        Returns
        -------
        takes_lengths : bool
            If not, each record comes alone.
        """
        return False

    def steps(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return where the maps of records of some lengths end.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            Time steps of their maps.
        """
        return lengths

    @abstractmethod
    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        """Return signed maps of a batch; the network is in evaluation mode."""

    def _weights(self, batch: Signals, direction: Direction) -> torch.Tensor:
        """Return the weights of the logits (n, classes) that are explained."""
        with torch.no_grad():
            return direction(batch.logits(self.module))


class Goal(nn.Module):
    """A network with one output per record: the weighted sum of its logits.

    Parameters
    ----------
    module : Module
        The network.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Map records (n, leads, times) and weights (n, classes) to goals (n,)."""
        goals: torch.Tensor = (self.module(x) * weights).sum(dim=1)
        return goals


def import_captum(method: str) -> Any:
    """Import captum's attribution methods.

    Parameters
    ----------
    method : str
        Which method needs them.

    Returns
    -------
    attr : module
        ``captum.attr``.

    Raises
    ------
    ImportError
        If captum is not installed; says how to install it.
    """
    return import_optional(
        "captum.attr", extra="attribution", purpose=f"The method {method!r}"
    )
