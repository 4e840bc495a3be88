"""Whether two sets of maps of the same records say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sk_erts._lib.checks import check_choice, refuse
from sk_erts._lib.typing import FloatArray
from sk_erts.metrics._arrays import check_maps

__all__ = ["AGREEMENTS", "Agreement", "check_pair", "map_agreement"]

Rows = Callable[[FloatArray], FloatArray]
Compare = Callable[[FloatArray, FloatArray], FloatArray]


def map_agreement(
    maps: FloatArray, others: FloatArray, *, measure: str = "spearman"
) -> FloatArray:
    """Return how far two sets of maps agree, record by record.

    Two sets may come from networks trained with other seeds, from two methods of
    attribution, or from a network before and after its weights or labels were
    randomised [1]_.

    Parameters
    ----------
    maps, others : ndarray of shape (n_samples, n_times) or \
            (n_samples, n_leads, n_times)
        Maps of the same records, higher is more evidence.
    measure : {"spearman", "pearson", "cosine", "top_overlap"}, default="spearman"
        Correlation of ranks, where equal values share theirs; correlation of values;
        cosine of the angle, which sees also the sign; or intersection over union of
        the top tenths, where equal values at the edge share the places that are left.

    Returns
    -------
    agreement : ndarray of shape (n_samples,), dtype float64
        Between -1 and 1; 1 is the same map, and "top_overlap" is at least 0. NaN where
        a map has no order, being constant, and no direction, being zero ("cosine").

    Raises
    ------
    ValueError
        If an argument is not what it must be, or the two do not fit.

    See Also
    --------
    survives_randomisation : The same against maps of a network with other weights.

    Notes
    -----
    Chance is 0, but 1/19 for "top_overlap": of two tenths drawn at random, a tenth of
    each is in both.

    Maps are smooth in time, so that two that have nothing to do with each other can
    agree by far more than independent values would. Compare with the maps of other
    records, as `survives_randomisation` does.

    References
    ----------
    .. [1] J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018,
       arXiv:1810.03292.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import map_agreement
    >>> maps = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> map_agreement(maps, maps**2).round(6).tolist()
    [1.0]
    >>> map_agreement(maps, -maps, measure="pearson").round(6).tolist()
    [-1.0]
    """
    owner = "map_agreement"
    check_choice(owner, "measure", measure, AGREEMENTS)
    first, second = check_pair(owner, ("maps", "others"), maps, others)
    agreement = AGREEMENTS[measure]
    return agreement.compare(agreement.rows(first), agreement.rows(second))


def check_pair(
    owner: str, names: tuple[str, str], maps: Any, others: Any
) -> tuple[FloatArray, FloatArray]:
    """Return two sets of maps of the same shape.

    Parameters
    ----------
    owner : str
        The function that they were given to.
    names : tuple of two str
        Its parameters.
    maps, others : array-like of shape (n_samples, [n_leads,] n_times)
        Maps.

    Returns
    -------
    maps, others : ndarray of shape (n_samples, [n_leads,] n_times), dtype float64
        The maps.

    Raises
    ------
    ValueError
        If they do not have the same shape.
    """
    first = check_maps(owner, names[0], maps)
    second = check_maps(owner, names[1], others)
    if first.shape != second.shape:
        wanted = f"have the shape of {names[0]!r}, {first.shape}"
        refuse(owner, names[1], wanted, f"shape {second.shape}")
    return first, second


@dataclass(frozen=True)
class Agreement:
    """A measure of agreement in two halves: what is done to a map, and to a pair.

    Attributes
    ----------
    rows : callable
        From maps (n, ...) to rows (n, n_values) that can be compared; NaN where there
        is nothing to compare.
    compare : callable
        From two such arrays to (n,).
    """

    rows: Rows
    compare: Compare


def _flat(maps: FloatArray) -> FloatArray:
    """One row of values for each record."""
    return maps.reshape(len(maps), -1)


def _unit(rows: FloatArray) -> FloatArray:
    """Scale rows to length 1; NaN for those of zeros."""
    highest = np.abs(rows).max(axis=1, keepdims=True)
    # The squares of very small or very large values are out of a float's range.
    scaled = np.divide(
        rows, highest, out=np.full(rows.shape, np.nan), where=highest > 0
    )
    unit: FloatArray = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


def _centred(rows: FloatArray) -> FloatArray:
    """Rows of mean 0 and length 1; NaN for constant ones."""
    varies = rows.min(axis=1, keepdims=True) < rows.max(axis=1, keepdims=True)
    centred = rows - rows.mean(axis=1, keepdims=True)
    return _unit(np.where(varies, centred, 0))


def _ranks(maps: FloatArray) -> FloatArray:
    """Rows of centred ranks of length 1; NaN for constant maps."""
    return _centred(rankdata(_flat(maps), axis=1))


def _top_tenth(maps: FloatArray) -> FloatArray:
    """How far each value belongs to the top tenth, rounded up; NaN for constant maps.

    Values that tie at the edge share the places that are left, so that the order in
    time does not decide and each row sums to the tenth.
    """
    rows = _flat(maps)
    n_top = -(-rows.shape[1] // 10)
    edge = np.partition(rows, -n_top, axis=1)[:, -n_top, np.newaxis]
    above, tied = rows > edge, rows == edge
    left = n_top - above.sum(axis=1, keepdims=True)
    belongs = above + tied * (left / tied.sum(axis=1, keepdims=True))
    return np.where(tied.all(axis=1, keepdims=True), np.nan, belongs)


def _cosine(first: FloatArray, second: FloatArray) -> FloatArray:
    """Inner products of rows of length 1."""
    cosines: FloatArray = np.clip(np.einsum("nt,nt->n", first, second), -1, 1)
    return cosines


def _overlap(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union of rows of memberships."""
    both = np.minimum(first, second).sum(axis=1)
    either = np.maximum(first, second).sum(axis=1)
    overlap: FloatArray = both / either
    return overlap


AGREEMENTS: dict[str, Agreement] = {
    "spearman": Agreement(_ranks, _cosine),
    "pearson": Agreement(lambda maps: _centred(_flat(maps)), _cosine),
    "cosine": Agreement(lambda maps: _unit(_flat(maps)), _cosine),
    "top_overlap": Agreement(_top_tenth, _overlap),
}
