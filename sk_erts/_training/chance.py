"""The generators of a training: NumPy's own, and torch's, which it lends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from sk_erts._network.untouched import seeded

__all__ = ["Chance"]


class Chance:
    """Everything random in a training, from one seed.

    Parameters
    ----------
    seed : int
        Where to begin.
    device : torch.device
        Whose generator is lent beside the processor's.
    rank : int, default=0
        Of several processes that choose alike, each draws its own dropout.

    Attributes
    ----------
    numpy : Generator
        For order, selection and augmentation.
    """

    def __init__(self, seed: int, device: torch.device, rank: int = 0) -> None:
        self.numpy = np.random.default_rng(seed)
        self.device = device
        self._seed = seed + rank
        self._rank = rank
        self._torch: list[torch.Tensor] = []
        self._is_lent = False

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let torch's generators go on from where this training left them.

        Yields
        ------
        None
            Outside, they are as they were.
        """
        with seeded(self._seed, self.device):
            self._give()
            self._is_lent = True
            try:
                yield
            finally:
                self._torch = self._taken()
                self._is_lent = False

    def state(self) -> dict[str, Any]:
        """Return where the generators are.

        Returns
        -------
        state : dict
            Of numbers and tensors.
        """
        return {
            "numpy": self.numpy.bit_generator.state,
            "torch": self._taken() if self._is_lent else self._copies(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was called.

        Parameters
        ----------
        state : dict
            As `state` returned it.
        """
        self.numpy.bit_generator.state = state["numpy"]
        # What is written down is of the first process; the others begin anew.
        if self._rank == 0:
            self._torch = [part.clone() for part in state["torch"]]

    def _copies(self) -> list[torch.Tensor]:
        return [state.clone() for state in self._torch]

    def _taken(self) -> list[torch.Tensor]:
        on_device = self.device.type == "cuda"
        return [
            torch.get_rng_state(),
            *([torch.cuda.get_rng_state(self.device)] if on_device else []),
        ]

    def _give(self) -> None:
        if not self._torch:
            return  # they have just been seeded
        torch.set_rng_state(self._torch[0])
        for state in self._torch[1:]:
            torch.cuda.set_rng_state(state, self.device)
