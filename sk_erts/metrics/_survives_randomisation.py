"""Whether a map stays the same when the network is randomised."""

from __future__ import annotations

import numpy as np
from sklearn.utils import Bunch, check_random_state

from sk_erts._lib.checks import check_choice, check_count, check_number, refuse
from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.metrics._map_agreement import AGREEMENTS, check_pair
from sk_erts.metrics._ranking import RandomState

__all__ = ["survives_randomisation"]


def survives_randomisation(
    maps: FloatArray,
    randomised_maps: FloatArray,
    *,
    measure: str = "spearman",
    threshold: float = 0.5,
    n_shuffles: int = 100,
    random_state: RandomState = None,
) -> Bunch:
    """Report whether maps stay the same when the weights or labels are randomised.

    A map that survives does not depend on what the network has learned, and so cannot
    explain it [1]_.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        Maps of the trained network.
    randomised_maps : ndarray of the shape of `maps`
        Maps of the same records by the same method, from a network with random
        weights, or from one that was trained on shuffled labels.
    measure : {"spearman", "pearson", "cosine", "top_overlap"}, default="spearman"
        See `map_agreement`.
    threshold : float, default=0.5
        A median agreement above this is survival; above -1 and up to 1.
    n_shuffles : int, default=100
        Number of shuffles of the records for the comparison.
    random_state : int, RandomState instance or None, default=None
        Shuffles.

    Returns
    -------
    report : :class:`~sklearn.utils.Bunch`
        With the attributes:

        survives : bool
            Whether the median agreement is above the threshold; False is good.
        median : float
            Median over the records, those without an agreement left out.
        agreement : ndarray of shape (n_samples,), dtype float64
            Agreement of each record with itself; NaN as in `map_agreement`.
        null : ndarray of shape (n_shuffles, n_samples), dtype float64
            Agreement of the map of each record with the randomised map of another.
        null_median : float
            Median of all of these.
        p_value : float
            Share of shuffles, the given order among them, whose median agreement is
            at least that of the given order.

    Raises
    ------
    ValueError
        If an argument is not what it must be, there are fewer than two records, or no
        record has two maps that can be compared.

    See Also
    --------
    map_agreement : Agreement of two sets of maps.

    Notes
    -----
    An agreement of 0 is not what chance gives. Maps are smooth in time, fade at the
    ends of a record, and the beats of many records stand at like places; two maps of
    different records and different networks agree through this alone. The fair
    comparison is the map of one record with the randomised map of another: this null
    distribution keeps all that maps have in common and breaks only what belongs to the
    record. Read `median` beside `null_median`:

    - both low: the map depends on the weights, as it should;
    - high and low: the map draws the record whatever the weights, like a detector of
      edges (a small `p_value` says that this is no chance, however weak it is);
    - both high: the map is the same for all records and weights.

    Each shuffle brings every record to another one.

    References
    ----------
    .. [1] J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018,
       arXiv:1810.03292.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.metrics import survives_randomisation
    >>> rng = np.random.default_rng(0)
    >>> maps = rng.normal(size=(20, 50))
    >>> survives_randomisation(maps, rng.normal(size=(20, 50)), random_state=0).survives
    False
    >>> report = survives_randomisation(maps, maps + 0.1, random_state=0)
    >>> report.survives, round(report.median, 6), round(report.p_value, 2)
    (True, 1.0, 0.01)
    """
    owner = "survives_randomisation"
    check_choice(owner, "measure", measure, AGREEMENTS)
    first, second = check_pair(
        owner, ("maps", "randomised_maps"), maps, randomised_maps
    )
    check_number(owner, "threshold", threshold, above=-1, most=1)
    check_count(owner, "n_shuffles", n_shuffles)
    if len(first) < 2:
        refuse(owner, "maps", "hold at least two records to compare", "one")

    of = AGREEMENTS[measure]
    rows, randomised = of.rows(first), of.rows(second)
    agreement = of.compare(rows, randomised)
    if np.isnan(agreement).all():
        refuse(
            owner,
            "maps",
            "hold a record whose two maps can be compared",
            "constant maps alone",
        )
    rng = check_random_state(random_state)
    shuffles = [_to_another(len(rows), rng) for _ in range(n_shuffles)]
    null = np.stack([of.compare(rows, randomised[other]) for other in shuffles])
    median = _median(agreement)
    # A shuffle can bring together only maps that cannot be compared: its median is
    # NaN, and counts on the side of caution.
    as_high = [not _median(shuffled) < median for shuffled in null]
    return Bunch(
        survives=median > threshold,
        median=median,
        agreement=agreement,
        null=null,
        null_median=_median(null),
        p_value=(1 + sum(as_high)) / (1 + n_shuffles),
    )


def _to_another(n: int, rng: np.random.RandomState) -> IntArray:
    """Draw a partner for each of n records, never the record itself."""
    circle = rng.permutation(n)
    partners = np.empty_like(circle)
    partners[circle] = np.roll(circle, 1)
    return partners


def _median(agreement: FloatArray) -> float:
    """Median of what could be compared; NaN if that is nothing."""
    known = agreement[~np.isnan(agreement)]
    return float(np.median(known)) if known.size else float("nan")
