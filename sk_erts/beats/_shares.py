"""How attention is shared between the parts of the beat, and between leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts._lib.checks import as_numbers, check_choice, check_lead_names, refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.beats._many import check_same_length
from sk_erts.beats._segments import SEGMENTS

__all__ = ["lead_shares", "segment_shares"]

MASSES = ("positive", "absolute")


def segment_shares(maps: Any, segments: Any, *, mass: str = "positive") -> Any:
    r"""Return how much attention P, QRS, ST, T and the rest get in each record.

    .. math:: \text{share}_s = \frac{\sum_{t \in s} A_t}{\sum_t A_t}, \qquad
              \text{enrichment}_s = \frac{\text{share}_s}{|s| / n_\text{times}}

    with :math:`A = \max(S, 0)` the positive part of a map, summed over its leads if it
    has any. An enrichment of 1 is what a uniform map gives, however long the segment.

    Parameters
    ----------
    maps : array-like of shape (n, n_times) or (n, n_leads, n_times), or list of arrays
        Signed or rectified maps, whose lengths may differ.
    segments : int array-like of shape (n, n_times), or sequence of n arrays
        Labels 0 to 4 of the time steps, as from `beat_segments`.
    mass : {"positive", "absolute"}, default="positive"
        Whether the positive part of a map counts, or its absolute value.

    Returns
    -------
    shares : pandas.DataFrame of n rows
        One row for each record, in their order. The columns have two levels: "share"
        and "enrichment", and below each other, P, QRS, ST and T. Shares are NaN where
        a map has no mass, enrichment also where a record has no such segment.

    Raises
    ------
    ValueError
        If maps and labels do not fit each other, or are not what they must be.

    See Also
    --------
    beat_segments : Labels the time steps.
    lead_shares : The same for leads.

    Examples
    --------
    The half of the attention is in the QRS complex, a tenth of the time.

    >>> import numpy as np
    >>> from sk_erts.beats import segment_shares
    >>> maps = np.array([[1.0, 1, 1, 1, 9, 1, 1, 1, 1, 1]])
    >>> segments = np.array([[0, 1, 1, 1, 2, 3, 3, 4, 4, 4]])
    >>> shares = segment_shares(maps, segments)
    >>> shares["enrichment"].round(2)
       other     P  QRS    ST     T
    0   0.56  0.56  5.0  0.56  0.56

    By class, with the labels `y` of the records:

    >>> y = np.array(["NORM"])
    >>> shares["share"].groupby(y).mean().round(2)
          other     P  QRS    ST     T
    NORM   0.06  0.17  0.5  0.11  0.17
    """
    import pandas as pd

    owner = "segment_shares"
    check_choice(owner, "mass", mass, MASSES)
    check_same_length(owner, "segments", segments, "maps", maps)
    shapes = ("(n_times,)", "(n_leads, n_times)")
    columns = pd.MultiIndex.from_product([["share", "enrichment"], SEGMENTS])
    rows = np.empty((len(maps), 2, len(SEGMENTS)))
    for i in range(len(maps)):
        own = as_numbers(owner, f"maps[{i}]", maps[i], *shapes)
        over_time = _mass(np.atleast_2d(own), mass).sum(axis=0)  # (n_times,)
        labels = _check_labels(owner, f"segments[{i}]", segments[i], len(over_time))
        rows[i] = _share_and_enrichment(over_time, labels)
    return pd.DataFrame(rows.reshape(len(rows), -1), columns=columns)


def lead_shares(maps: Any, lead_names: Sequence[str], *, mass: str = "positive") -> Any:
    r"""Return how much attention each lead gets in each record.

    .. math:: \text{share}_l = \frac{\sum_t A_{lt}}{\sum_{l', t} A_{l't}}

    with :math:`A = \max(S, 0)`, or :math:`A = |S|` if the absolute mass is asked for.

    Parameters
    ----------
    maps : array-like of shape (n, n_leads, n_times), or list of arrays
        Signed or rectified maps, whose lengths may differ.
    lead_names : sequence of n_leads str
        Names of the leads, in the order of the maps.
    mass : {"positive", "absolute"}, default="positive"
        Whether the positive part of a map counts, or its absolute value.

    Returns
    -------
    shares : pandas.DataFrame of n rows
        One row for each record, one column for each lead. NaN where a map has no
        mass.

    Raises
    ------
    ValueError
        If the maps have other leads than those named, or are not what they must be.

    See Also
    --------
    segment_shares : The same for P, QRS, ST and T.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.beats import lead_shares
    >>> maps = np.array([[[1.0, 2.0], [1.0, -4.0]]])
    >>> lead_shares(maps, ["II", "V1"])
         II    V1
    0  0.75  0.25
    >>> lead_shares(maps, ["II", "V1"], mass="absolute")
          II     V1
    0  0.375  0.625
    """
    import pandas as pd

    owner = "lead_shares"
    check_choice(owner, "mass", mass, MASSES)
    names = check_lead_names(owner, lead_names)
    rows = np.empty((len(maps), len(names)))
    for i in range(len(maps)):
        own = as_numbers(owner, f"maps[{i}]", maps[i], "(n_leads, n_times)")
        check_lead_names(owner, names, len(own), f"maps[{i}]")
        rows[i] = _shares(_mass(own, mass).sum(axis=1))
    return pd.DataFrame(rows, columns=list(names))


def _mass(values: Array, mass: str) -> FloatArray:
    """Return what counts of a map (n_leads, n_times)."""
    exact = values.astype(np.float64)
    counted: FloatArray = np.maximum(exact, 0) if mass == "positive" else np.abs(exact)
    return counted


def _shares(mass: FloatArray) -> FloatArray:
    """Divide by the sum; NaN if there is none."""
    total = mass.sum()
    return mass / total if total > 0 else np.full_like(mass, np.nan)


def _share_and_enrichment(mass: FloatArray, labels: Array) -> FloatArray:
    """Return both of one record, of shape (2, n_segments)."""
    held = np.bincount(labels, weights=mass, minlength=len(SEGMENTS))
    share = _shares(held.astype(np.float64))
    time = np.bincount(labels, minlength=len(SEGMENTS)) / len(labels)
    none = np.full_like(share, np.nan)
    return np.stack([share, np.divide(share, time, out=none, where=time > 0)])


def _check_labels(owner: str, name: str, labels: Any, n_times: int) -> Array:
    array = np.asarray(labels)
    if array.shape != (n_times,):
        wanted = f"have one label for each of the {n_times} time steps of its map"
        refuse(owner, name, wanted, f"shape {array.shape}")
    last = len(SEGMENTS) - 1
    if array.dtype.kind not in "iu" or not np.isin(array, range(last + 1)).all():
        wanted = f"hold ints from 0 to {last}, as beat_segments returns them"
        refuse(owner, name, wanted, np.unique(array).tolist())
    return array
