"""What all attribution methods share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import nn

from sk_erts._lib.optional import import_optional
from sk_erts._network.logits import logits_of
from sk_erts._network.network import Network
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
    name : str
        What the method is called; its function is, too.
    axes : str
        ``"times"`` for maps (n, times), whose steps may be those of a layer, or
        ``"leads, times"`` for maps of the shape of the records.
    takes_lengths : bool
        Whether a batch may hold records of different lengths; else each comes alone.
    span : tuple of (float, float)
        Where the first and last step of maps over time stand, in records.
    """

    name: ClassVar[str]
    axes: ClassVar[str] = "leads, times"
    takes_lengths: bool = False

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.network = Network(module)

    def __call__(self, batch: Signals, direction: Direction) -> Signals:
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
        maps : Signals
            Of shape (n, times) or (n, leads, times), according to `axes`.
        """
        # cuDNN cannot differentiate recurrent layers in evaluation mode.
        without_cudnn = torch.backends.cudnn.flags(enabled=False)
        with untouched(self.module), without_cudnn:
            maps = self._maps(batch, direction)
        return Signals(maps.x.detach(), maps.lengths)

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

    @property
    def span(self) -> tuple[float, float]:
        """Where the first and last step of maps over time stand, in records."""
        return 0.0, 1.0

    @abstractmethod
    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        """Return signed maps of a batch; the network is in evaluation mode."""

    def _weights(self, batch: Signals, direction: Direction) -> torch.Tensor:
        """Return the weights of the logits (n, classes) that are explained."""
        with torch.no_grad():
            return direction(self.network.logits(batch))


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
        goals: torch.Tensor = (logits_of(self.module(x)) * weights).sum(dim=1)
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
