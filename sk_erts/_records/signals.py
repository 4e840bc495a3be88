"""A batch along time, and where each of its rows ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._records.ragged import by_length

__all__ = ["Signals", "batches", "inside"]


@dataclass(frozen=True)
class Signals:
    """Records of a batch, or what a network makes of them along time.

    Nobody else asks whether rows differ in length: what depends on it is here.

    Attributes
    ----------
    x : tensor of shape (n, ..., n_times)
        Records, feature maps or maps of evidence, with padding behind shorter ones.
    lengths : int tensor of shape (n,) or None
        Time steps of each row; None where all fill the tensor.
    """

    x: torch.Tensor
    lengths: torch.Tensor | None = None

    @property
    def arguments(self) -> tuple[torch.Tensor, ...]:
        """What a network is called with: lengths only where rows differ."""
        return (self.x,) if self.lengths is None else (self.x, self.lengths)

    @property
    def n_steps(self) -> int | torch.Tensor:
        """Time steps of each row, to divide by: a number, or a column (n, 1)."""
        return self.x.shape[-1] if self.lengths is None else self.lengths[:, None]

    def first(self, n: int) -> Signals:
        """Return the first `n` rows."""
        return Signals(self.x[:n], None if self.lengths is None else self.lengths[:n])

    def filled(self, n: int) -> Signals:
        """Return `n` rows, at least as many as there are: after the last, all again."""
        rows = torch.arange(n, device=self.x.device) % len(self.x)
        lengths = self.lengths
        return Signals(self.x[rows], None if lengths is None else lengths[rows])

    def clean(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the shape of `x`, with zeros behind each row."""
        if self.lengths is None:
            return values
        mask = inside(self.lengths, values.shape[-1])  # (n, times)
        return values * mask.reshape(len(mask), *[1] * (values.ndim - 2), -1)

    def alone(self) -> Signals:
        """Return a single row as if nobody had padded it."""
        (only,) = self.rows()
        return only

    def rows(self) -> list[Signals]:
        """Return batches of one length: all rows, or each one without its padding."""
        if self.lengths is None:
            return [self]
        return [
            Signals(own[None, ..., :end])
            for own, end in zip(self.x, self.lengths.tolist(), strict=True)
        ]

    def measured_by(self, measure: Callable[[FloatArray, IntArray], Array]) -> Array:
        """Return what a function of rows (m, n_times) and positions says of each."""
        values = self.x.float().cpu().numpy()
        if self.lengths is None:
            return np.asarray(measure(values, np.arange(len(values))))
        return by_length(measure, values, self.lengths.cpu().numpy())


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
