"""Methods that captum computes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch

from sk_erts._records.signals import Signals
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Goal, Method, import_captum

__all__ = ["CaptumMethod"]


class CaptumMethod(Method):
    """A method that captum computes, which need not be installed."""

    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        return Signals(self._values(batch, direction))

    @abstractmethod
    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        """Return signed maps (n, leads, times) of records of one length."""

    def _captum(self, algorithm: str) -> Any:
        """Return one of captum's algorithms, for what is explained of the network."""
        return getattr(import_captum(self.name), algorithm)(Goal(self.module))
