"""How much denser a map is where the evidence is."""

from __future__ import annotations

from sk_erts._lib.typing import BoolArray, FloatArray
from sk_erts.metrics._arrays import check_evidence, check_maps
from sk_erts.metrics._evidence_mass import mass_inside

__all__ = ["evidence_enrichment"]


def evidence_enrichment(maps: FloatArray, evidence: BoolArray) -> FloatArray:
    r"""Return how much denser maps are inside the evidence than over all.

    .. math:: e = m \Big/ \frac{|E|}{n}

    with the `evidence_mass` :math:`m`, over the share of the record that the evidence
    covers.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps, higher is more evidence.
    evidence : bool ndarray of the shape of `maps`, or (n_samples, n_times)
        Where the evidence is known to be, as in the mask of
        ``make_ecg(return_evidence=True)``.

    Returns
    -------
    ratios : ndarray of shape (n_samples,), dtype float64
        1 is chance, high is good, and the best possible is one over the covered share;
        0 for a map without any positive value, NaN for a record without any evidence.

    Raises
    ------
    ValueError
        If an argument is not what it must be, or the two do not fit.

    See Also
    --------
    evidence_mass : The share itself.

    Notes
    -----
    As the best possible depends on the record, compare maps of the same records.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import evidence_enrichment
    >>> evidence = np.array([[False, True, False, False]])
    >>> evidence_enrichment(np.array([[1.0, 3.0, -2.0, 0.0]]), evidence).tolist()
    [3.0]
    """
    owner = "evidence_enrichment"
    values = check_maps(owner, "maps", maps)
    inside = check_evidence(owner, evidence, values)
    covered: FloatArray = inside.mean(axis=tuple(range(1, inside.ndim)))
    # NaN already where nothing is covered.
    return mass_inside(values, inside) / covered
