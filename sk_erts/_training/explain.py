"""Why, asked of what a classifier is the last step of."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

import numpy as np
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sk_erts._lib.typing import Array

__all__ = ["explain"]


def explain(estimator: Any, X: Any, *args: Any, **params: Any) -> Array:
    """Explain the classifier at the end of a pipeline, or of a search.

    The steps before it transform the records, and its `explain` returns their maps.

    Parameters
    ----------
    estimator : estimator
        Fitted: an :class:`ERTSClassifier` or another estimator with ``explain(X)``, a
        ``Pipeline`` whose last step is one, or a search, such as ``GridSearchCV``,
        that found one. They may be nested.
    X : array-like or list of n_samples records
        What the estimator was fitted on.
    *args, **params : object
        For the classifier's `explain`: `method`, `target`, and so on.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Over leads and time of the *transformed* records; see
        :meth:`ERTSClassifier.explain`.

    Warns
    -----
    UserWarning
        If these have another number of time steps than those of `X`, so that maps do
        not lie over them.

    Raises
    ------
    TypeError
        If what comes last has no `explain`.

    See Also
    --------
    ERTSClassifier.explain : The methods and their parameters.

    Examples
    --------
    >>> import sk_erts
    >>> from sklearn.pipeline import make_pipeline
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.preprocessing import BandPass
    >>> X, y = make_ecg(40, n_leads=2, duration_s=2, random_state=0)
    >>> clf = sk_erts.ERTSClassifier(module__width=4, max_epochs=2, random_state=0)
    >>> pipe = make_pipeline(BandPass(fs=100), clf).fit(X, y)
    >>> sk_erts.explain(pipe, X[:3]).shape
    (3, 200)
    >>> sk_erts.explain(pipe, X[:3], "gradcam", target="NORM", signed=True).shape
    (3, 200)

    Where the time axis changes, take the transformed records for figures:

    >>> import warnings
    >>> from sk_erts.preprocessing import Resample
    >>> pipe = make_pipeline(Resample(fs_in=100, fs_out=50), clf).fit(X, y)
    >>> with warnings.catch_warnings(action="ignore"):
    ...     maps = sk_erts.explain(pipe, X[:3])
    >>> pipe[:-1].transform(X[:3]).shape, maps.shape
    ((3, 2, 100), (3, 100))
    """
    transformed, last = X, estimator
    while not hasattr(last, "explain"):
        if isinstance(last, Pipeline):
            check_is_fitted(last)
            transformed = _before_last(last, transformed)
            last = last.steps[-1][1]
        elif hasattr(last, "best_estimator_"):
            last = last.best_estimator_
        else:
            _refuse(estimator, last)
    maps: Array = last.explain(transformed, *args, **params)
    if not _has_time_axis_of(X, transformed):
        warnings.warn(
            "Maps are over the time axis of the transformed records, "
            f"{_said(_lengths(transformed))} time steps, and not of X, "
            f"{_said(_lengths(X))}. For figures take pipeline[:-1].transform(X).",
            UserWarning,
            stacklevel=2,
        )
    return maps


def _before_last(pipeline: Pipeline, X: Any) -> Any:
    """Return what the last step of a pipeline gets."""
    return pipeline[:-1].transform(X) if len(pipeline) > 1 else X


def _refuse(estimator: Any, last: Any) -> NoReturn:
    """Raise for what cannot be explained."""
    if isinstance(last, BaseSearchCV):
        check_is_fitted(last)
        advice = "Fit the search with refit=True."
    else:
        advice = "ERTSClassifier has one."
    whose = type(estimator).__name__
    if last is not estimator:
        end = repr(last) if isinstance(last, str) else type(last).__name__
        whose += f" that ends in {end}"
    raise TypeError(
        "The 'estimator' of explain must have a method 'explain', be a Pipeline whose "
        f"last step has one, or a search that found one. Got a {whose} instead. "
        f"{advice}"
    )


def _has_time_axis_of(X: Any, transformed: Any) -> bool:
    """Return whether maps of transformed records lie over the records themselves."""
    if transformed is X or not (_is_known(X) and _is_known(transformed)):
        return True
    before, after = _shape_of(X), _shape_of(transformed)
    # Flat records that are made what they were.
    if len(before) == 2 and len(after) == 3 and before[1] == after[1] * after[2]:
        return True
    return _lengths(X) == _lengths(transformed)


def _is_known(X: Any) -> bool:
    """Return whether the shapes of records can be told without reading them."""
    return hasattr(X, "shape") or isinstance(X, list | tuple)


def _shape_of(X: Any) -> tuple[int, ...]:
    """Return the shape of records; an empty one of a list, which may have none."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    return shape


def _lengths(X: Any) -> list[int]:
    """Return the different numbers of time steps, sorted."""
    shape = _shape_of(X)
    if len(shape) > 1:
        return [shape[-1]]
    return sorted({np.shape(record)[-1] for record in X})


def _said(lengths: list[int]) -> str:
    first, last = lengths[0], lengths[-1]
    return str(first) if first == last else f"{first} to {last}"
