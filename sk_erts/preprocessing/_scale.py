"""Bring records to a common scale."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._lib.checks import check_choice
from sk_erts._lib.typing import FloatArray
from sk_erts.preprocessing._base import N_AT_ONCE, RecordTransformer

__all__ = ["Standardize"]


class Standardize(RecordTransformer):
    """Subtract a mean and divide by a standard deviation.

    Voltage is evidence: hypertrophy and low voltage are told by amplitude, which only
    ``per="dataset"`` leaves in the records.

    Parameters
    ----------
    per : {"dataset", "record", "lead"}, default="dataset"
        One mean and deviation for all records, learned in `fit`; one for each record;
        or one for each lead of each record. A record, or a lead, that is flat becomes
        zero.

    Attributes
    ----------
    mean_ : float
        Of all samples in `fit`, with ``per="dataset"``.
    scale_ : float
        Their standard deviation; 1 if they are all equal.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import Standardize
    >>> X = np.array([[[0.0, 2.0]], [[0.0, 4.0]]])
    >>> Standardize(per="record").fit_transform(X).tolist()
    [[[-1.0, 1.0]], [[-1.0, 1.0]]]
    >>> scaled = Standardize().fit_transform(X)
    >>> bool(np.ptp(scaled[1]) > np.ptp(scaled[0]))
    True
    """

    def __init__(self, per: str = "dataset") -> None:
        self.per = per

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn mean and deviation, if they are those of all records.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                or list of arrays of shape (n_leads, n_times)
            Records.
        y : object, optional
            Not used.

        Returns
        -------
        self : object
            The transformer.

        Raises
        ------
        ValueError
            If a parameter or a record is not what it must be.
        """
        self._check_parameters()
        X = self._check(X, reset=True)
        if self.per == "dataset":
            pieces = (
                X
                if isinstance(X, list)
                else (X[i : i + N_AT_ONCE] for i in range(0, len(X), N_AT_ONCE))
            )
            self.mean_, self.scale_ = _mean_and_deviation(pieces)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn should know."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.per == "dataset"
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is nothing to learn, or it was learned."""
        return self.per != "dataset" or hasattr(self, "scale_")

    def _check_parameters(self) -> None:
        check_choice(self, "per", self.per, ("dataset", "record", "lead"))

    def _transform(self, X: FloatArray) -> FloatArray:
        if self.per == "dataset":
            check_is_fitted(self)
            return (X - self.mean_) / self.scale_
        axes = (-1,) if self.per == "lead" else tuple(range(1, X.ndim))
        mean = X.mean(axis=axes, keepdims=True, dtype=np.float64)
        deviation = X.std(axis=axes, keepdims=True, dtype=np.float64)
        # What is flat has a deviation of rounding errors.
        is_flat = deviation <= 1e-6 * np.maximum(abs(mean), 1e-30)
        scaled: FloatArray = np.where(
            is_flat, 0, (X - mean) / np.where(is_flat, 1, deviation)
        )
        return scaled


def _mean_and_deviation(pieces: Any) -> tuple[float, float]:
    """Return mean and standard deviation of all samples, read piece by piece."""
    count, mean, squares = 0, 0.0, 0.0
    for piece in pieces:
        n, own = piece.size, float(piece.mean(dtype=np.float64))
        spread = float(piece.var(dtype=np.float64)) * n
        # Chan, Golub, LeVeque: moments of a union from those of its parts.
        squares += spread + (own - mean) ** 2 * count * n / (count + n)
        mean += (own - mean) * n / (count + n)
        count += n
    deviation = float(np.sqrt(squares / count))
    return mean, deviation if deviation > 0 else 1.0
