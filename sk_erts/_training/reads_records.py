"""Records in, checked once and compared with those of fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sk_erts._records.records import Records, as_records, targets_of

__all__ = ["ReadsRecords"]


class ReadsRecords:
    """Check records on their way into an estimator; a mixin."""

    n_leads_in_: int
    n_times_in_: int | None

    def _check_records(self, X: Any, y: Any, checked: Any) -> tuple[Records, Any]:
        """Return checked records, and labels of the same number."""
        y = targets_of(X) if y is None else y
        validate_data(checked, X, y, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        check_consistent_length(records, y)
        records.read_through()
        return records, y

    def _check_new_records(self, X: Any) -> Records:
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        self._check_shape(records)
        return records

    def _check_shape(self, records: Records) -> None:
        """Compare records with those of the first fit."""
        name = type(self).__name__
        if self.n_times_in_ is None:  # fitted on records of any length
            if records.n_leads != self.n_leads_in_:
                raise ValueError(
                    f"X of {name} must hold records of {self.n_leads_in_} leads, as in "
                    f"fit. Got {records.n_leads} leads instead."
                )
            return
        if records.lengths is not None:
            raise ValueError(
                f"{name} was fitted on records of one length, {self.n_times_in_} time "
                f"steps, and X holds records of {records.lengths.min()} to "
                f"{records.n_times}. Use sk_erts.preprocessing.FixLength, here as "
                "before fit."
            )
        got = (records.n_leads, records.n_times)
        expected = (self.n_leads_in_, self.n_times_in_)
        if got != expected:
            raise ValueError(
                f"X has {np.prod(got)} features, but {name} is expecting "
                f"{np.prod(expected)} features as input: {name} was fitted on records "
                f"of shape (n_leads, n_times) = {expected}, and X holds {got}."
            )
