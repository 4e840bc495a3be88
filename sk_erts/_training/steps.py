"""What training steps tell of their records, for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._network.network import Network
from sk_erts._records.signals import Signals
from sk_erts._training.scorer import Scorer
from sk_erts.selection import Ledger

__all__ = ["Steps"]


class Steps:
    """Listen to the steps of a training, and write down what they said when asked.

    Not after each step: that would wait for a GPU.

    Parameters
    ----------
    scorer : Scorer
        Turns logits and feature maps into scores.
    ledger : Ledger
        Where they are written.
    hears : bool
        Whether steps tell of the records as they are; not if these are changed on
        their way.
    wants_maps : callable
        Says whether the maps of a step will be judged.
    """

    def __init__(
        self,
        scorer: Scorer,
        ledger: Ledger,
        *,
        hears: bool,
        wants_maps: Callable[[], bool],
    ) -> None:
        self.scorer = scorer
        self.ledger = ledger
        self.hears = hears
        self.wants_maps = wants_maps
        self._waiting: list[tuple[IntArray, torch.Tensor, Signals | None]] = []
        self._index: IntArray | None = None
        self._n_in_all = 0
        self._maps: Signals | None = None
        self._hook: Any = None

    def listen(self, network: Network) -> None:
        """Hear the feature maps of steps on their way through a closed-form head."""
        if self.hears and self.scorer.maps_are_free:
            self._hook = network.module.head.register_forward_hook(self._look)  # type: ignore[union-attr]

    def stop(self) -> None:
        """Leave no hook behind."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def begin(self, index: IntArray | None, n_in_all: int = 0) -> None:
        """Note whose step is being taken, and by how many; None is nobody's."""
        self._index = index
        self._n_in_all = n_in_all
        self._maps = None

    def end(self, logits: torch.Tensor) -> int:
        """Keep what a step said, and return of how many records."""
        if self._index is None:
            return 0
        index, self._index = self._index, None
        # What several processes did alike, one of them tells.
        is_share = len(index) < self._n_in_all
        if is_share or self.scorer.processes.is_first:
            self._waiting.append((index, logits.detach(), self._maps))
        return self._n_in_all

    def write_down(self, until: int) -> None:
        """Put what steps said into the ledger.

        Parameters
        ----------
        until : int
            Last epoch in which it may be used.
        """
        for steps in self.scorer.processes.gathered(self._heard):
            for index, found in steps:
                self.ledger.note(index, found, until)
        self._waiting.clear()

    def _heard(self) -> list[tuple[IntArray, dict[str, FloatArray]]]:
        """Return the scores that this process's steps told."""
        heard = []
        for index, logits, maps in self._waiting:
            found = self.scorer.believed(logits, index)
            if maps is not None:
                proba = found["proba"]
                found["focus"] = self.scorer.judging.of_maps(maps, index, proba)
            if not self.hears:  # of a changed record no score may be used
                del found["confidence"]
            heard.append((index, found))
        return heard

    def _look(
        self, head: Any, inputs: tuple[torch.Tensor, ...], logits: torch.Tensor
    ) -> None:
        """Keep the maps of a training step as they pass the head."""
        if self._index is None or not self.wants_maps():
            return
        with torch.no_grad():
            z = Signals(*(part.detach() for part in inputs if part is not None))
            judging = self.scorer.judging
            self._maps = self.scorer.cam.in_closed_form(
                z,
                judging.direction(self._index, z.x.device)(logits.detach()),
                bias=judging.judge.against_rival,
            )
