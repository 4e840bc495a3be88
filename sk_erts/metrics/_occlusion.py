"""What is said of records from which samples were removed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sk_erts._lib.checks import as_array, as_numbers, check_count, refuse
from sk_erts._lib.names import nearest
from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts.exceptions import DoubtfulInputWarning
from sk_erts.metrics._arrays import check_records
from sk_erts.metrics._ranking import Ranking
from sk_erts.metrics._steps import block_counts

__all__ = ["Baseline", "Occlusion", "Predict", "Target", "occlude"]

Predict = Callable[[FloatArray], Array]
Target = int | IntArray | None
Baseline = float | FloatArray | str


@dataclass(frozen=True)
class Occlusion:
    """Records, and who says what of them when something is missing.

    Attributes
    ----------
    owner : str
        The function that asks, for its errors.
    predict : callable
        From records to scores of shape (k, n_classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records.
    target : int ndarray of shape (n_samples,) or None
        The explained column of each; None for the highest score.
    baseline : ndarray of shape (n_leads, n_times) or None
        What a removed sample is replaced by; None for the mean of its lead.
    batch_size : int
        The most records that are predicted at once.
    """

    owner: str
    predict: Predict
    X: FloatArray
    target: IntArray | None
    baseline: FloatArray | None
    batch_size: int

    def scores(self, ranking: Ranking, first: IntArray, last: IntArray) -> FloatArray:
        """Return the scores of the explained class while samples are missing.

        Parameters
        ----------
        ranking : Ranking
            The order of removal.
        first, last : int ndarray of shape (n_steps,)
            In each step, the ranks that are removed, `last` excluded.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_steps), dtype float64
            As `predict` gives them.
        """
        columns = self._columns
        n_steps = len(first)
        scores = np.empty(len(self.X) * n_steps)
        for start in range(0, len(scores), self.batch_size):
            part = np.arange(start, min(start + self.batch_size, len(scores)))
            record, step = np.divmod(part, n_steps)
            mask = ranking.mask(record, first[step], last[step])
            X = self._without(self.X[record], mask)
            scores[part] = self._ask(X)[np.arange(len(part)), columns[record]]
        return scores.reshape(-1, n_steps)

    def curve(
        self, ranking: Ranking, n_steps: int, *, insert: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Return scores in even steps between whole records and empty ones.

        Parameters
        ----------
        ranking : Ranking
            The order in which samples go, or come.
        n_steps : int
            Number of steps.
        insert : bool, default=False
            Whether samples are put into empty records, and not removed.

        Returns
        -------
        fractions : ndarray of shape (n_steps + 1,), dtype float64
            Share of the blocks that are removed, or there.
        scores : ndarray of shape (n_samples, n_steps + 1), dtype float64
            As `predict` gives them.

        Raises
        ------
        ValueError
            If `n_steps` is no int, or less than 1.
        """
        counts = block_counts(self.owner, n_steps, ranking.n_blocks)
        first, last = np.zeros_like(counts), np.full_like(counts, ranking.n_blocks)
        scores = (
            self.scores(ranking, counts, last)
            if insert
            else self.scores(ranking, first, counts)
        )
        return counts / ranking.n_blocks, scores

    @cached_property
    def _columns(self) -> IntArray:
        """The explained column of each record, of shape (n_samples,)."""
        if self.target is None:
            parts = range(0, len(self.X), self.batch_size)
            asked = [self._ask(self.X[i : i + self.batch_size]) for i in parts]
            highest: IntArray = np.concatenate(asked).argmax(axis=1)
            return highest
        n_classes = self._ask(self.X[:1]).shape[1]
        if self.target.max() >= n_classes:
            refuse(
                self.owner,
                "target",
                f"be a column of the scores, 0 to {n_classes - 1}",
                self.target.max(),
            )
        return self.target

    def _without(self, X: FloatArray, mask: Array) -> FloatArray:
        """Replace the samples under a mask (k, 1 or leads, times) of records."""
        if self.baseline is None:
            return np.where(mask, X.mean(axis=2, keepdims=True), X)
        return np.where(mask, self.baseline, X)

    def _ask(self, X: FloatArray) -> FloatArray:
        """Return the scores (k, n_classes) of records, checked."""
        with warnings.catch_warnings():
            # A record of which all is occluded is flat, and meant to be.
            warnings.simplefilter("ignore", DoubtfulInputWarning)
            answer = self.predict(X)
        said = as_numbers(self.owner, "predict", answer, verb="return")
        if said.ndim != 2 or len(said) != len(X) or said.shape[1] == 0:
            refuse(
                self.owner,
                "predict",
                f"return scores of shape (n_samples, n_classes), here {len(X)} rows",
                f"shape {said.shape}",
            )
        return said


def occlude(
    owner: str,
    predict: Predict,
    X: Any,
    target: Any,
    baseline: Any,
    batch_size: int,
) -> Occlusion:
    """Check what occluded records are made of.

    Parameters
    ----------
    owner : str
        The function that asks.
    predict : callable
        From records to scores of shape (k, n_classes).
    X : array-like of shape (n_samples, n_leads, n_times)
        Records.
    target : int, or int array of shape (n_samples,), or None
        Explained column of the scores.
    baseline : float, array that fits a record, or "mean"
        What a removed sample is replaced by.
    batch_size : int
        The most records that are predicted at once.

    Returns
    -------
    occlusion : Occlusion
        Nothing has been predicted yet.

    Raises
    ------
    ValueError
        If an argument is not what it must be.
    """
    if not callable(predict):
        refuse(
            owner,
            "predict",
            "be a function of records, such as the predict_proba of an estimator",
            repr(predict),
        )
    records = check_records(owner, X)
    return Occlusion(
        owner,
        predict,
        records,
        _check_target(owner, target, len(records)),
        _check_baseline(owner, baseline, records),
        check_count(owner, "batch_size", batch_size),
    )


def _check_target(owner: str, target: Any, n_samples: int) -> IntArray | None:
    """Return the explained column of each record, or None for the highest score."""
    if target is None:
        return None
    wanted = (
        f"be a column of the scores, from 0, or one for each of {n_samples} records"
    )
    columns = as_array(owner, "target", target, wanted)
    if columns.dtype.kind not in "iu" or columns.shape not in [(), (n_samples,)]:
        got = f"{target!r}, of shape {columns.shape} and dtype {columns.dtype}"
        refuse(owner, "target", wanted, got)
    if (columns < 0).any():
        refuse(owner, "target", wanted, str(columns.min()))
    return np.broadcast_to(columns, n_samples).astype(np.intp)


def _check_baseline(owner: str, baseline: Any, X: FloatArray) -> FloatArray | None:
    """Return a baseline of the shape and dtype of a record, or None for the mean."""
    wanted = f"be a number, 'mean', or an array that fits a record {X.shape[1:]}"
    if isinstance(baseline, str):
        if baseline != "mean":
            advice = nearest(baseline, ["mean"])
            refuse(owner, "baseline", wanted, repr(baseline), advice)
        return None
    values = as_numbers(owner, "baseline", baseline)
    try:
        record = np.broadcast_to(values, X.shape[1:])
    except ValueError:
        refuse(owner, "baseline", wanted, f"shape {values.shape}")
    return record.astype(X.dtype)
