"""Records in two dimensions, for what takes no more, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.exceptions import NotFittedError

from sk_erts._lib.checks import check_count, refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.preprocessing._base import RecordTransformer

__all__ = ["Flatten", "Unflatten"]


class Flatten(RecordTransformer):
    """Put the leads of each record one behind the other.

    What takes two dimensions only, as ``permutation_importance``, bagging,
    ``OneVsOneClassifier`` and ``ClassifierChain`` of scikit-learn do, takes such
    records; :class:`Unflatten`, before the classifier, makes them what they were.

    See Also
    --------
    Unflatten : The way back, with examples.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import Flatten
    >>> X = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> Flatten().fit_transform(X).tolist()
    [[1.0, 2.0, 3.0, 4.0]]

    As a data frame it says which lead and time step a column is:

    >>> Flatten().set_output(transform="pandas").fit_transform(X).columns.to_list()
    ['lead0_0', 'lead0_1', 'lead1_0', 'lead1_1']
    """

    set_output = TransformerMixin.set_output  # the result is a table

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the columns: lead and time step, both from 0.

        Parameters
        ----------
        input_features : object, optional
            Not used.

        Returns
        -------
        names : ndarray of shape (n_leads * n_times,), dtype object
            ``"lead0_0"`` and so on; of a data frame of one lead its own names.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted, or records differed in length.
        """
        shape = getattr(self, "_shape", None)
        if shape is None:
            raise NotFittedError(
                "Flatten has no names of columns before it is fitted with records of "
                "one length. Call fit first."
            )
        own: Array | None = getattr(self, "feature_names_in_", None)
        if own is not None:
            return own
        n_leads, n_times = shape
        names = [f"lead{lead}_{t}" for lead in range(n_leads) for t in range(n_times)]
        return np.array(names, dtype=object)

    def _check(self, X: Any, *, reset: bool) -> Any:
        X = super()._check(X, reset=reset)
        if reset:
            is_array = not isinstance(X, list)
            self._shape = (1, *X.shape[1:])[-2:] if is_array else None
        return X

    def _transform(self, X: FloatArray) -> FloatArray:
        return X.reshape(len(X), -1)  # (n, leads, times) -> (n, leads * times)


class Unflatten(RecordTransformer):
    """Make records of several leads from what `Flatten` made of them.

    Records that have `n_leads` leads already are left as they are.

    Parameters
    ----------
    n_leads : int
        Number of leads.
    n_times : int, optional
        Time steps of a lead. With it there may be more columns behind the leads: each
        becomes a further lead, constant over time. So a network sees the labels that
        ``ClassifierChain`` adds. By default all columns belong to the leads.

    See Also
    --------
    Flatten : The way there.

    Notes
    -----
    A column is one sample of one lead. Ensembles must not draw some of the columns:
    leave ``max_features`` of bagging at 1.0. What ``permutation_importance`` shuffles
    is one sample at a time, and few networks miss it;
    :func:`~sk_erts.attribution.occlusion` covers whole windows.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.preprocessing import Flatten, Unflatten
    >>> X, y = make_ecg(40, n_leads=2, duration_s=2, random_state=0)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=2, random_state=0)
    >>> in_two_dimensions = make_pipeline(Unflatten(n_leads=2), clf)
    >>> bagging = BaggingClassifier(in_two_dimensions, n_estimators=2, random_state=0)
    >>> flat = Flatten().fit_transform(X)
    >>> flat.shape
    (40, 400)
    >>> bagging.fit(flat, y).predict(flat).shape
    (40,)
    """

    def __init__(self, n_leads: int, n_times: int | None = None) -> None:
        self.n_leads = n_leads
        self.n_times = n_times

    def _check_parameters(self) -> None:
        check_count(self, "n_leads", self.n_leads)
        if self.n_times is not None:
            check_count(self, "n_times", self.n_times)

    def _transform(self, X: FloatArray) -> FloatArray:
        if X.ndim == 3 and X.shape[1] == self.n_leads > 1:
            return X
        if X.ndim == 3 and X.shape[1] > 1:
            wanted = f"be {X.shape[1]}, the number of leads of X, or X be flat"
            refuse(self, "n_leads", wanted, repr(self.n_leads))
        flat = X.reshape(len(X), -1)  # (n, leads * times), and more
        n_times = self.n_times or self._n_times_of(flat)
        n_signal = self.n_leads * n_times
        if flat.shape[1] < n_signal:
            most = flat.shape[1] // self.n_leads
            wanted = (
                f"be at most {most}, since records have {flat.shape[1]} values for "
                f"{self.n_leads} leads"
            )
            refuse(self, "n_times", wanted, repr(n_times))
        signal = flat[:, :n_signal].reshape(len(X), self.n_leads, n_times)
        further = flat[:, n_signal:, np.newaxis]  # (n, further, 1)
        constant = np.broadcast_to(further, (*further.shape[:2], n_times))
        records: FloatArray = np.concatenate([signal, constant], axis=1)
        return records

    def _n_times_of(self, flat: FloatArray) -> int:
        """Return how long leads are that fill the records."""
        n_values: int = flat.shape[1]
        if n_values % self.n_leads:
            refuse(
                self,
                "n_leads",
                f"divide the {n_values} values of a record",
                repr(self.n_leads),
                "If some of them are no samples, as in a ClassifierChain, give "
                "'n_times' too.",
            )
        return n_values // self.n_leads
