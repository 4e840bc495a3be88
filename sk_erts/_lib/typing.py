"""Types that several levels share."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "BoolArray", "FloatArray", "IntArray", "Recordings"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]


class Recordings(Protocol):
    """Anything that holds records and gives one, or several, by index."""

    def __len__(self) -> int:
        """Return the number of records."""

    def __getitem__(self, index: Any) -> Any:
        """Return the record, or the records, at an index."""
