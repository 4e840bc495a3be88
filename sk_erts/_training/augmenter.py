"""Augmentation of batches on their way to a training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from sk_erts._lib.typing import FloatArray
from sk_erts._records.training_set import TrainingSet

__all__ = ["Augment", "Augmenter"]

CPU = torch.device("cpu")

Augment = Callable[[FloatArray, np.random.Generator], FloatArray]


class Augmenter:
    """Change the signals of training batches, and nothing else of them.

    Parameters
    ----------
    steps : sequence of callable
        Each maps records (n, n_leads, n_times) and a generator to changed records,
        which may have fewer time steps.
    rng : Generator
        Draws the changes.
    """

    is_trying = False  # errors of a step are told with its name

    def __init__(self, steps: Sequence[Augment], rng: np.random.Generator) -> None:
        self.steps = steps
        self.rng = rng

    def __call__(self, inputs: dict[str, Any]) -> None:
        """Change a batch.

        Parameters
        ----------
        inputs : dict
            With signals ``"X"``, and ``"lengths"`` where these differ: then records
            are changed one by one, so that nothing reaches the padding or leaves it.

        Raises
        ------
        ValueError
            If a step returns another number of records or leads, or longer records.
        """
        x = inputs["X"].numpy()
        if "lengths" not in inputs:
            inputs["X"] = torch.from_numpy(self._changed(x))
            return
        lengths = inputs["lengths"].tolist()
        for row, n_times in enumerate(lengths):
            own = self._changed(x[row : row + 1, :, :n_times])[0]
            lengths[row] = own.shape[-1]
            x[row, :, : lengths[row]] = own
            x[row, :, lengths[row] :] = 0
        inputs["X"] = inputs["X"][..., : max(lengths)]
        inputs["lengths"] = torch.tensor(lengths)

    def try_out(self, training_set: TrainingSet, batch_size: int) -> None:
        """Change copies of a batch, so that what cannot work fails now.

        Parameters
        ----------
        training_set : TrainingSet
            Where the records are.
        batch_size : int
            How many of them.

        Raises
        ------
        ValueError
            If a step fails, or returns something else than records.
        """
        batch = training_set.signals(np.arange(min(batch_size, len(training_set))), CPU)
        inputs = {"X": batch.x.clone()}
        if batch.lengths is not None:
            inputs["lengths"] = batch.lengths
        # Another generator: what is drawn in the training stays the same.
        trial = Augmenter(self.steps, np.random.default_rng(0))
        trial.is_trying = True
        trial(inputs)

    def _changed(self, X: FloatArray) -> FloatArray:
        for step in self.steps:
            try:
                changed = np.asarray(step(X, self.rng), dtype=np.float32)
            except Exception as error:
                if not self.is_trying:
                    raise
                raise ValueError(
                    f"The 'augment' function {step!r} must take records and a "
                    f"generator, and return records. Given the shape {X.shape}, it "
                    f"fails with {type(error).__name__}: {error}"
                ) from error
            same = changed.ndim == 3 and changed.shape[:2] == X.shape[:2]
            if not (same and 0 < changed.shape[2] <= X.shape[2]):
                raise ValueError(
                    f"The 'augment' function {step!r} must return records of the shape "
                    f"it got, {X.shape}, or shorter ones. Got {changed.shape} instead."
                )
            X = changed
        return X
