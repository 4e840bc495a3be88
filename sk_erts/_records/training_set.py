"""Records with labels and weights, fetched a batch at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, default_collate

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._records.records import Records
from sk_erts._records.signals import Signals

__all__ = ["TrainingSet", "collate"]

PROCESSOR = torch.device("cpu")


class TrainingSet(Dataset[Any]):
    """Records with their labels and weights, fetched a batch at a time.

    Parameters
    ----------
    records : Records
        Where the signals are.
    rows : int ndarray of shape (n_samples,)
        Which of them belong to this set.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Encoded labels of the rows.
    weights : ndarray of shape (n_samples,) or (n_samples, n_labels)
        What each row, or each of its labels, weighs in the loss.
    """

    def __init__(
        self, records: Records, rows: IntArray, codes: Array, weights: FloatArray
    ) -> None:
        self.records = records
        self.rows = rows
        self.codes = codes
        self.weights = weights.astype(np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(
        self, index: list[int] | IntArray
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Return a batch: signals, weights and positions, and the encoded labels."""
        index = np.asarray(index)
        signals = self.signals(index)
        batch = {
            "X": signals.x,
            "weight": torch.from_numpy(self.weights[index]),
            "index": torch.from_numpy(index),
        }
        if signals.lengths is not None:
            batch["lengths"] = signals.lengths
        return batch, torch.from_numpy(self.codes[index])

    def __getitem__(
        self, index: int | IntArray
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Return the batch of an index array; a single index is a batch of one."""
        return self.__getitems__(np.atleast_1d(index))

    def signals(self, index: IntArray, device: torch.device = PROCESSOR) -> Signals:
        """Return the records at positions of this set, as a network gets them."""
        return self.records.signals(self.rows[index], device)


def collate(batch: Any) -> Any:
    """Leave what was fetched as a batch alone; stack what came as single items.

    Parameters
    ----------
    batch : tuple or list
        What the loader fetched.

    Returns
    -------
    batch : tuple
        Of tensors.
    """
    return batch if isinstance(batch, tuple) else default_collate(batch)
