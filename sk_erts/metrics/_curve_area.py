"""The area under a curve of deletion or insertion."""

from __future__ import annotations

import numpy as np
from scipy.integrate import trapezoid

from sk_erts._lib.checks import as_numbers, refuse
from sk_erts._lib.typing import FloatArray

__all__ = ["curve_area"]


def curve_area(fractions: FloatArray, scores: FloatArray) -> FloatArray:
    r"""Return the mean height of curves, by trapezoids.

    .. math:: A = \frac{1}{f_K - f_0} \sum_{k=1}^{K}
              (f_k - f_{k-1}) \frac{s_k + s_{k-1}}{2}

    Parameters
    ----------
    fractions : ndarray of shape (n_points,)
        Where the curves were measured, in ascending order.
    scores : ndarray of shape (n_samples, n_points)
        Their heights.

    Returns
    -------
    areas : ndarray of shape (n_samples,), dtype float64
        In units of the scores, between the lowest and the highest of each curve; low
        is good for deletion, high for insertion.

    Raises
    ------
    ValueError
        If the two do not fit, or the fractions do not ascend.

    See Also
    --------
    deletion_curve, insertion_curve : Such curves.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import curve_area
    >>> curve_area(np.array([0.0, 0.5, 1.0]), np.array([[1.0, 0.5, 0.0]])).tolist()
    [0.5]
    """
    owner = "curve_area"
    x = as_numbers(owner, "fractions", fractions).astype(np.float64, copy=False)
    y = as_numbers(owner, "scores", scores).astype(np.float64, copy=False)
    if x.ndim != 1 or len(x) < 2 or (np.diff(x) < 0).any() or x[0] == x[-1]:
        refuse(
            owner,
            "fractions",
            "ascend from one number to a higher one",
            f"shape {x.shape}" if x.ndim != 1 else str(x.tolist()),
        )
    if y.ndim != 2 or y.shape[1] != len(x):
        refuse(
            owner, "scores", f"be of shape (n_samples, {len(x)})", f"shape {y.shape}"
        )
    areas: FloatArray = trapezoid(y, x, axis=1) / (x[-1] - x[0])
    return areas
