"""What all transformers of records share: how records come in, and go out."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_erts._lib.orientation import tell_if_transposed
from sk_erts._lib.typing import Array, FloatArray
from sk_erts._records.ragged import as_list, is_ragged, stack_if_equal

__all__ = ["RecordTransformer"]

# Records that are transformed at once: scipy works in double precision on copies.
N_AT_ONCE = 256


class RecordTransformer(TransformerMixin, BaseEstimator):
    """Transform each record by itself; the base of the transformers.

    Subclasses say in `_transform` what becomes of a stack of records.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check records and parameters; there is nothing to learn.

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
        self._check(X, reset=True)
        return self

    def transform(self, X: Any) -> Array:
        """Transform records.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                or list of arrays of shape (n_leads, n_times)
            Records; two dimensions are one lead.

        Returns
        -------
        X : ndarray
            Of as many dimensions as they came in, float32 unless they came in float64;
            an object array of arrays if lengths differ.

        Raises
        ------
        ValueError
            If a parameter or a record is not what it must be.

        Warns
        -----
        DoubtfulInputWarning
            If records seem to be (n_times, n_leads).
        """
        check_is_fitted(self)
        self._check_parameters()
        X = self._check(X, reset=False)
        if isinstance(X, list):
            return self._transform_list(X)
        if X.ndim == 3:
            tell_if_transposed(type(self).__name__, "X", X)
        pieces = [
            self._transform(X[start : start + N_AT_ONCE]).astype(X.dtype, copy=False)
            for start in range(0, len(X), N_AT_ONCE)
        ]
        return np.concatenate(pieces)

    def set_output(self, *, transform: Any = None) -> Self:
        """Leave records arrays, whatever container is asked for: they are no table.

        So a pipeline that ends in a table, such as one with `Flatten` or
        :class:`~sk_erts.quality.SignalQuality`, can be told its container at once.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            Not used.

        Returns
        -------
        self : object
            The transformer.
        """
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn should know: nothing is learned from records."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        """Return True: nothing is learned from records."""
        return True

    def _check(self, X: Any, *, reset: bool) -> Any:
        """Return checked records, as an array or a list."""
        name = type(self).__name__
        if is_ragged(X):
            return as_list(X, name)
        X = validate_data(
            self, X, reset=reset, dtype="numeric", allow_nd=True, ensure_min_features=1
        )
        if X.ndim > 3 or 0 in X.shape:
            raise ValueError(
                f"X of {name} must have the shape (n_samples, n_leads, n_times), or "
                f"(n_samples, n_times) for one lead. Got {X.shape} instead."
            )
        return _as_float(X)

    def _transform_list(self, records: list[FloatArray]) -> Array:
        """Transform records whose lengths differ."""
        done = [
            self._transform(record[np.newaxis])[0].astype(record.dtype, copy=False)
            for record in records
        ]
        return stack_if_equal(done)

    def _check_parameters(self) -> None:
        """Raise if a parameter is not what it must be."""

    @abstractmethod
    def _transform(self, X: FloatArray) -> FloatArray:
        """Return what becomes of records (n, n_times) or (n, n_leads, n_times)."""


def _as_float(X: Array) -> FloatArray:
    """Return an array in single precision, unless it is in double already."""
    return X.astype(np.float64 if X.dtype == np.float64 else np.float32, copy=False)
