"""How focused is a map? Scores of class activation maps, higher is better.

Every measure takes signed maps ``S`` of shape (n_samples, n_times), the weighted
sum of the feature maps before Grad-CAM's rectification, and returns one score per
map. ``A = max(S, 0)`` is the Grad-CAM map. A map without any positive evidence
scores 0 in each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sk_erts._lib.names import nearest
from sk_erts._lib.typing import BoolArray, FloatArray
from sk_erts.selection._judge import Judge, Known
from sk_erts.selection._rounding import is_level
from sk_erts.selection._share import share_below

FocusMeasure = Callable[[FloatArray], FloatArray]


def top_mass(maps: FloatArray) -> FloatArray:
    r"""Return the share of attention in the most attended tenth of the record.

    .. math:: f = \sum_{t:\,a_t \ge Q_{90}(a)} a_t, \qquad a = A / \sum_t A_t

    This is the focus score as published [1]_: 1 for a spike, 0.1 for a uniform map
    (among equal values exactly a tenth of the time steps, rounded up, counts).

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Between 0 (no positive evidence) and 1.

    References
    ----------
    .. [1] Dangeti, Gu, Weng, Gowda, arXiv:2606.12252, 2026.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import top_mass
    >>> top_mass(np.array([[0, 5, 0, 0, 0, 0, 0, 0, 0, 0], [1.0] * 10])).tolist()
    [1.0, 0.1]
    """
    positive = np.maximum(maps, 0)
    return _ratio(_top_tenth(positive).sum(axis=1), positive.sum(axis=1))


def top_mean(maps: FloatArray) -> FloatArray:
    r"""Return the mean of the top tenth of the map scaled to [0, 1].

    .. math:: f = \operatorname{mean}\, \text{top}_{10\%}
              \frac{A - \min A}{\max A - \min A}

    The quantity of the code released with [1]_; a broad plateau scores high. A map
    that is the same everywhere, but for rounding, scores 0.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Between 0 and 1.

    References
    ----------
    .. [1] Dangeti, Gu, Weng, Gowda, arXiv:2606.12252, 2026.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import top_mean
    >>> top_mean(np.array([[0, 5, 0, 0], [1.0, 1.0, 1.0, 1.0]])).tolist()
    [1.0, 0.0]
    """
    positive = np.maximum(maps, 0)
    low, high = positive.min(axis=1), positive.max(axis=1)
    spread = high - low
    # Scaled to [0, 1], rounding alone would look like any map.
    spread[[is_level(row) for row in positive]] = 0
    scores: FloatArray = _ratio(_top_tenth(positive).mean(axis=1) - low, spread)
    return scores.clip(0, 1)


def entropy(maps: FloatArray) -> FloatArray:
    r"""Return how far the entropy of attention is below that of a uniform map.

    .. math:: f = 1 + \frac{\sum_t a_t \log a_t}{\log n_\text{times}},
              \qquad a = A / \sum_t A_t

    Shannon's entropy [1]_, turned so that 1 is a spike and 0 a uniform map.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Between 0 and 1.

    References
    ----------
    .. [1] C. E. Shannon, Bell System Technical Journal 27(3), 1948,
       10.1002/j.1538-7305.1948.tb01338.x.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import entropy
    >>> entropy(np.array([[0, 5, 0, 0], [1.0, 1.0, 1.0, 1.0]])).tolist()
    [1.0, 0.0]
    """
    share, any_evidence = _shares(maps)
    if maps.shape[1] == 1:
        return any_evidence.astype(share.dtype)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    scores = 1 + (share * logs).sum(axis=1) / np.log(maps.shape[1])
    return np.where(any_evidence, np.maximum(scores, 0), 0)


def gini(maps: FloatArray) -> FloatArray:
    r"""Return the Gini coefficient of attention over time.

    .. math:: f = \frac{2 \sum_i i\, A_{(i)}}{n \sum_t A_t} - \frac{n + 1}{n},
              \qquad A_{(1)} \le \dots \le A_{(n)}

    A measure of sparsity with the properties that [1]_ asks for: 0 for a uniform
    map, ``1 - 1 / n_times`` for a spike.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Between 0 and 1.

    References
    ----------
    .. [1] N. Hurley, S. Rickard, "Comparing measures of sparsity", IEEE Trans.
       Information Theory 55(10), 2009, 10.1109/TIT.2009.2027527.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import gini
    >>> gini(np.array([[0, 5, 0, 0], [1.0, 1.0, 1.0, 1.0]])).tolist()
    [0.75, 0.0]
    """
    share, any_evidence = _shares(maps)
    n_times = maps.shape[1]
    rank = np.arange(1, n_times + 1)
    scores = 2 * (np.sort(share, axis=1) * rank).sum(axis=1) / n_times
    scores = scores - (n_times + 1) / n_times
    return np.where(any_evidence, np.maximum(scores, 0), 0)


def strength(maps: FloatArray) -> FloatArray:
    r"""Return the mean of the positive evidence, :math:`f = \frac1n \sum_t A_t`.

    In units of the logit: behind a pooled linear head, the mean of the signed map
    is the logit without its bias, divided by the number of time steps. New here;
    the class activation map it averages is that of [1]_.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        At least 0.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import strength
    >>> strength(np.array([[0.0, 6.0, -4.0, 0.0]])).tolist()
    [1.5]
    """
    scores: FloatArray = np.maximum(maps, 0).mean(axis=1)
    return scores


def positive_share(maps: FloatArray) -> FloatArray:
    r"""Return how much of all evidence speaks for the class.

    .. math:: f = \frac{\sum_t \max(S_t, 0)}{\sum_t |S_t|}

    New here; 1 where nothing speaks against the class, 0 where nothing speaks for
    it. The signed map is that of [1]_ before its rectification.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Between 0 and 1.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import positive_share
    >>> positive_share(np.array([[0.0, 6.0, -2.0, 0.0]])).tolist()
    [0.75]
    """
    return _ratio(np.maximum(maps, 0).sum(axis=1), np.abs(maps).sum(axis=1))


def support(maps: FloatArray) -> FloatArray:
    r"""Return the share of the record in which the evidence is for the class.

    .. math:: f = \frac1n \sum_t [S_t > 0]

    Of the map of a label against its strongest rival, the share of the time steps at
    which the label is ahead. New here; the signed map is that of [1]_ before its
    rectification.

    Parameters
    ----------
    maps : ndarray of shape (n_samples, n_times)
        Signed class activation maps.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Between 0 and 1.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import support
    >>> support(np.array([[0.1, 6.0, -2.0, 0.3]])).tolist()
    [0.75]
    """
    scores: FloatArray = (maps > 0).mean(axis=1)
    return scores


class MapMeasure(Judge):
    """Judge a record by a measure of the map of its label.

    Parameters
    ----------
    measure : callable
        Maps signed maps (n_samples, n_times) to scores (n_samples,).

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import top_mass
    >>> from sk_erts.selection import Known, MapMeasure
    >>> known = Known(np.array([0]), np.ones((1, 1)), maps=np.array([[0.0, 5, 0, 0]]))
    >>> MapMeasure(top_mass).score(known).tolist()
    [1.0]
    """

    reads = frozenset({"maps"})
    shown_as = "focus (score of the map)"

    def __init__(self, measure: FocusMeasure) -> None:
        self.measure = measure

    def _described(self) -> str:
        return "The function given as 'focus'"

    def _score(self, known: Known) -> Any:
        return self.measure(np.asarray(known.maps))


class Evidence(MapMeasure):
    r"""Judge a record by the evidence for its label against its strongest rival.

    What is measured is the Grad-CAM map of the difference between the logits of the
    label :math:`y` and of the most probable other class :math:`r`; behind a pooled
    linear head, with its weights :math:`w` and biases :math:`b`,

    .. math:: E_t = \sum_k (w_{yk} - w_{rk})\, a_{kt} + b_y - b_r ,

    which costs nothing beside the look. Of several labels it is the least certain one,
    against its wrong state. A score counts as the mean over all looks at the record,
    training steps included: one look is worth much less.

    Parameters
    ----------
    measure : callable
        Maps signed maps (n_samples, n_times) to scores (n_samples,) in [0, 1], such
        as :func:`~sk_erts.attribution.support`, which is ``focus="support"``, or
        :func:`~sk_erts.attribution.positive_share`, which is ``focus="balance"``.

    See Also
    --------
    Reliability : The same question to the probabilities.
    MapMeasure : The map of the label alone, as in the paper.

    Notes
    -----
    The map of a difference of logits is that of a counterfactual explanation in [1]_;
    to judge labels by it is new here.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import support
    >>> from sk_erts.selection import Evidence, Known
    >>> maps = np.array([[0.5, 0.1, -0.2, 0.3]])
    >>> known = Known(np.array([0]), np.array([[0.6, 0.4]]), maps=maps)
    >>> Evidence(support).score(known).tolist()
    [0.75]
    """

    against_rival = True
    averaged = True
    softens = True
    shown_as = "evidence for the label"

    def share_doubted(self, scores: FloatArray) -> float:
        """Return the share of candidates whose label is contradicted.

        Parameters
        ----------
        scores : ndarray of shape (n_records,)
            Of the candidates, as `score` returned them.

        Returns
        -------
        share : float
            That of those below 1/3, of which another class was ahead in two thirds;
            at most 0.5.
        """
        return share_below(scores, CONTRADICTED)


#: Below this another class was on average ahead in two thirds of the record.
CONTRADICTED = 1 / 3

#: Measures of the map of a label against its strongest rival.
EVIDENCE: dict[str, FocusMeasure] = {"support": support, "balance": positive_share}

FOCUS_MEASURES: dict[str, FocusMeasure] = {
    measure.__name__: measure
    for measure in (top_mass, top_mean, entropy, gini, strength, positive_share)
}


def get_focus_measure(focus: str | FocusMeasure) -> FocusMeasure:
    """Return the focus measure of a name; a callable is returned as it is.

    Parameters
    ----------
    focus : str or callable
        A key of ``FOCUS_MEASURES``, or a function from signed maps of shape
        (n_samples, n_times) to scores of shape (n_samples,).

    Returns
    -------
    measure : callable
        The function.

    Raises
    ------
    ValueError
        If no measure has this name; the nearest one is named.

    Examples
    --------
    >>> from sk_erts.attribution import get_focus_measure
    >>> get_focus_measure("top_mas")
    Traceback (most recent call last):
    ...
    ValueError: No focus measure is named 'top_mas'. Did you mean 'top_mass'?
    """
    if callable(focus):
        return focus
    if not isinstance(focus, str):
        raise ValueError(
            "A focus measure must be a name or a function of signed maps. Got "
            f"{focus!r} instead."
        )
    if focus not in FOCUS_MEASURES:
        raise ValueError(
            f"No focus measure is named {focus!r}. {nearest(focus, FOCUS_MEASURES)}"
        )
    return FOCUS_MEASURES[focus]


def _top_tenth(maps: FloatArray) -> FloatArray:
    """Return the largest tenth of each map, rounded up, of shape (n, tenth)."""
    n_top = -(-maps.shape[1] // 10)
    return np.partition(maps, -n_top, axis=1)[:, -n_top:]


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, and give 0 where there is nothing to divide by."""
    return np.divide(
        numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0
    )


def _shares(maps: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return positive maps that sum to one, and whether they had anything in them."""
    positive = np.maximum(maps, 0)
    total = positive.sum(axis=1, keepdims=True)
    return _ratio(positive, np.broadcast_to(total, maps.shape)), total[:, 0] > 0
