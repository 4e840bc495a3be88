"""Types that several levels share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["Array", "Backbone", "BoolArray", "FloatArray", "IntArray", "Recordings"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]


class Backbone(Protocol):
    """A network that names its feature maps; this gets the fast Grad-CAM.

    One that also leaves padding aside takes `lengths` (n,) as a second argument of
    ``forward``, ``features`` and ``head``, and has `feature_lengths`.
    """

    def features(self, x: torch.Tensor, *lengths: torch.Tensor) -> torch.Tensor:
        """Map records (n, leads, times) to feature maps (n, channels, times)."""

    def head(self, z: torch.Tensor, *lengths: torch.Tensor) -> torch.Tensor:
        """Map feature maps (n, channels, times) to logits (n, classes)."""

    def feature_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return the steps of feature maps (n,) of records of some lengths (n,)."""


class Recordings(Protocol):
    """Anything that holds records and gives one, or several, by index."""

    def __len__(self) -> int:
        """Return the number of records."""

    def __getitem__(self, index: Any) -> Any:
        """Return the record, or the records, at an index."""
