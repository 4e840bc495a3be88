"""Records in, checked once and compared with those of fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sk_erts._lib.typing import Array
from sk_erts._lib.warn import warn_caller
from sk_erts._records.records import Records, as_records, targets_of
from sk_erts._records.seen import Seen, doubts_of_training
from sk_erts._records.task import Task, check_labels, doubts_of_labels
from sk_erts._records.training_set import TrainingSet
from sk_erts.exceptions import DoubtfulInputWarning

__all__ = ["ReadsRecords"]

TURN = " Pass X.transpose(0, 2, 1)."


class ReadsRecords:
    """Check records on their way into an estimator; a mixin."""

    n_leads_in_: int
    n_times_in_: int | None
    _seen: Seen

    def _check_records(
        self, X: Any, y: Any, checked: Any, before: Any = None
    ) -> tuple[Records, Any]:
        """Return checked records, and labels of the same number.

        What is hardly meant is told; if there was a fit before, so is what does not
        go with its records. What has been seen is written on `checked`.
        """
        y = targets_of(X) if y is None else y
        check_labels(y)
        validate_data(checked, X, y, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        check_consistent_length(records, y)
        overview = records.read_through()
        checked._seen = Seen.of(X, overview)
        if before is None:
            self._tell(doubts_of_training(X, records, overview))
        else:
            self._check_shape(records)
            self._tell(self._seen.doubts(checked._seen, overview))
            checked._seen = self._seen
        return records, y

    def _check_new_records(self, X: Any) -> Records:
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        self._check_shape(records)
        overview = records.glance()
        self._tell(self._seen.doubts(Seen.of(X, overview), overview))
        return records

    def _encode(self, task: Task, y: Any) -> Array:
        """Return encoded training labels, and tell what of them is hardly meant."""
        codes = task.encode(y)
        self._tell(doubts_of_labels(task, y, codes))
        return codes

    def _tell(self, doubts: Iterable[str]) -> None:
        for doubt in doubts:
            warn_caller(f"{type(self).__name__}: {doubt}", DoubtfulInputWarning)

    def _check_shape(self, records: Records) -> None:
        """Compare records with those of the first fit."""
        name = type(self).__name__
        if self.n_times_in_ is None:  # fitted on records of any length
            if records.n_leads != self.n_leads_in_:
                raise ValueError(
                    f"X of {name} must hold records of {self.n_leads_in_} leads, as in "
                    f"fit. Got {records.n_leads} leads instead."
                    + (TURN if records.n_times == self.n_leads_in_ else "")
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
                + (TURN if got == expected[::-1] else "")
            )

    def _check_validation(self, validation: Any, records: Records, task: Task) -> Any:
        """Return what sets records aside, or records from elsewhere, checked."""
        if not isinstance(validation, tuple) or not _holds_records(validation[0]):
            return validation
        X, y = validation
        own = as_records(X, self)
        check_labels(y)
        check_consistent_length(own, y)
        shape, expected = (
            (part.n_leads, None if part.lengths is not None else part.n_times)
            for part in (own, records)
        )
        if shape != expected:
            raise ValueError(
                "The records of the 'validation_fraction' parameter of ERTSClassifier "
                f"must have the shape (n_leads, n_times) of those of fit, {expected}. "
                f"Got {shape} instead."
            )
        return TrainingSet(own, np.arange(len(own)), task.encode(y), np.ones(len(own)))


def _holds_records(part: Any) -> bool:
    """Tell records from the indices of a split."""
    try:
        return np.ndim(part) >= 2
    except ValueError:  # records of different lengths
        return True
