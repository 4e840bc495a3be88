"""Choose leads, and derive those that two others determine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_choices, check_lead_names
from sk_erts._lib.lead_names import standard_spelling
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets import STANDARD_LEADS
from sk_erts.preprocessing._base import RecordTransformer

__all__ = ["SelectLeads"]

# Einthoven and Goldberger: the limb leads as weights of I and II.
FROM_I_AND_II = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


class SelectLeads(RecordTransformer):
    r"""Keep some leads, in the order asked for.

    A limb lead that the records lack is derived from I and II: :math:`III = II - I`,
    :math:`aVR = -(I + II) / 2`, :math:`aVL = I - II / 2`, :math:`aVF = II - I / 2`.

    Parameters
    ----------
    names : sequence of str
        Leads to keep; upper and lower case of the standard leads are one.
    lead_names : sequence of str, default=STANDARD_LEADS
        Leads of the records, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.preprocessing import SelectLeads
    >>> X = np.array([[[1.0, 2.0], [3.0, 3.0]]])  # leads I and II
    >>> SelectLeads(["II", "III"], lead_names=["I", "II"]).fit_transform(X).tolist()
    [[[3.0, 3.0], [2.0, 1.0]]]
    """

    def __init__(
        self, names: Sequence[str], lead_names: Sequence[str] = STANDARD_LEADS
    ) -> None:
        self.names = names
        self.lead_names = lead_names

    def _check_parameters(self) -> None:
        present = standard_spelling(check_lead_names(self, self.lead_names))
        derived = FROM_I_AND_II if {"I", "II"} <= set(present) else {}
        known = [*present, *(lead for lead in derived if lead not in present)]
        names = self.names
        if not isinstance(names, str) and np.iterable(names):
            names = standard_spelling(names)
        check_choices(self, "names", names, known)

    def _check(self, X: Any, *, reset: bool) -> Any:
        X = super()._check(X, reset=reset)
        n_leads = len(X[0]) if isinstance(X, list) or X.ndim == 3 else 1
        check_lead_names(self, self.lead_names, n_leads, "X")
        return X

    def _transform(self, X: FloatArray) -> FloatArray:
        if X.ndim == 2:
            X = X[:, np.newaxis, :]  # (n, 1, times)
        present = standard_spelling(self.lead_names)
        # A lead as a weighted sum of those that are there.
        weights = np.zeros((len(self.names), len(present)), dtype=X.dtype)
        for row, lead in zip(weights, standard_spelling(self.names), strict=True):
            if lead in present:
                row[present.index(lead)] = 1
            else:
                row[[present.index("I"), present.index("II")]] = FROM_I_AND_II[lead]
        chosen: FloatArray = np.einsum("kl,nlt->nkt", weights, X)
        return chosen
