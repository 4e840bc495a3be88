"""Records as they were read, whatever the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sk_erts._cli._errors import DataFault
from sk_erts._lib.typing import Array

__all__ = ["Data"]


@dataclass
class Data:
    """Records as they were read.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_leads, n_times), or of objects
        In mV; an object array of arrays (n_leads, n_times) if lengths differ.
    y : ndarray, DataFrame or None
        Labels; a data frame of 0 and 1, with the labels as columns, for several.
    names : ndarray of shape (n_samples,), dtype str
        Of the records.
    groups : ndarray of shape (n_samples,) or None
        Patients.
    fs : float, ndarray of shape (n_samples,) or None
        Sampling frequency in Hz, if it is known.
    lead_names : tuple of str or None
        Of the leads, if they are known.
    metadata : DataFrame or None
        What else is known of the records, a row each.
    n_skipped : int
        Records left out because they cannot be read.
    """

    X: Any
    y: Any
    names: Array
    groups: Array | None = None
    fs: Any = None
    lead_names: tuple[str, ...] | None = None
    metadata: Any = None
    n_skipped: int = 0

    def __len__(self) -> int:
        return len(self.X)

    def labels(self, command: str) -> Any:
        """Return the labels, or raise if there are none."""
        if self.y is None:
            raise DataFault(
                f"{command} needs labels, and these records come without. Name a "
                "table with --labels, or put an array 'y' into the npz file."
            )
        return self.y

    def at(self, rows: Any) -> Data:
        """Return some of the records, by their place."""
        y = self.y
        if y is not None:
            y = y.iloc[rows] if hasattr(y, "iloc") else y[rows]
        meta = self.metadata
        return Data(
            self.X[rows],
            y,
            self.names[rows],
            None if self.groups is None else self.groups[rows],
            self.fs[rows] if isinstance(self.fs, np.ndarray) else self.fs,
            self.lead_names,
            None if meta is None else meta.iloc[rows],
        )
