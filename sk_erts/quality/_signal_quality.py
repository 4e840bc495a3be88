"""One number for the quality of a signal, and the reason for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sk_erts._lib.checks import check_choices, check_frequency
from sk_erts._lib.lead_names import standard_spelling
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.quality._baseline import baseline_wander_of
from sk_erts.quality._contrast import noise_to_peak_of
from sk_erts.quality._flat import flat_share_of
from sk_erts.quality._floor import (
    high_frequency_floor_of,
    noise_burst_of,
    noisiest_second_of,
)
from sk_erts.quality._limb_leads import (
    LIMB_LEADS,
    check_different_leads,
    check_limb_leads,
    limb_disagreement_of,
)
from sk_erts.quality._motion import motion_burst_of
from sk_erts.quality._no_beats import no_beats_of
from sk_erts.quality._stacks import as_stacks
from sk_erts.quality._view import Measure, View

__all__ = ["SignalQuality", "signal_quality"]


@dataclass(frozen=True)
class _Scaled:
    """A measure, and the difference from 0 that means nothing, in its unit."""

    measure: Measure
    resolution: float


MEASURES: Mapping[str, _Scaled] = {
    "high_frequency_floor": _Scaled(high_frequency_floor_of, 1e-4),
    "noisiest_second": _Scaled(noisiest_second_of, 1e-4),
    "noise_burst": _Scaled(noise_burst_of, 0.1),
    "motion_burst": _Scaled(motion_burst_of, 1e-2),
    "noise_to_peak": _Scaled(noise_to_peak_of, 1e-3),
    "baseline_wander": _Scaled(baseline_wander_of, 1e-2),
    "flat_share": _Scaled(flat_share_of, 1e-2),
    "no_beats": _Scaled(no_beats_of, 1e-2),
    "limb_disagreement": _Scaled(limb_disagreement_of, 1e-2),
}
DEFAULT = (
    "high_frequency_floor",
    "noisiest_second",
    "noise_to_peak",
    "baseline_wander",
    "motion_burst",
    "flat_share",
    "no_beats",
)
# A measure that is the same in nearly all records would make a mountain of rounding.
LEAST_SCALE = 0.25
# Between median and upper quartile of a normal distribution.
QUARTILE = 0.6744897501960817


class SignalQuality(TransformerMixin, BaseEstimator):
    r"""Score the signal of records against that of others, without any labels.

    Each measure is compared with what it is in the records of `fit`, most of which
    are taken to be good. The worst measures decide. New here.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    measures : sequence of str, default=None
        Functions of :mod:`sk_erts.quality` to join. None is
        ``high_frequency_floor``, ``noisiest_second``, ``noise_to_peak``,
        ``baseline_wander``, ``motion_burst``, ``flat_share`` and ``no_beats``, and
        ``limb_disagreement`` if `lead_names` contain the six limb leads.
    lead_names : sequence of n_leads str, default=None
        Names of the leads, in their order. Only ``limb_disagreement`` needs them.

    Attributes
    ----------
    measures_ : tuple of n_measures str
        What is joined.
    centre_ : ndarray of shape (n_measures,), dtype float64
        Medians of the logarithms of the measures.
    scale_ : ndarray of shape (n_measures,), dtype float64
        Their upper quartiles minus their medians, as standard deviations of a normal
        distribution; at least 0.25.
    n_leads_in_ : int
        Number of leads of a record.

    See Also
    --------
    signal_quality : The same in one call.

    Notes
    -----
    With :math:`m_k` a measure of a record and :math:`\epsilon_k` its resolution (0.1 µV
    for noise, 10 µV for wander and motion, 0.1 % for ``noise_to_peak``, 1 % for
    ``flat_share``, ``no_beats`` and ``limb_disagreement``, 0.1 for ``noise_burst``),

    .. math:: z_k = \frac{\log(m_k + \epsilon_k) - c_k}{s_k}, \qquad
              q = -\log \frac1K \sum_k \exp z_k

    where :math:`c_k` is the median of the logarithm in the records of `fit` and
    :math:`s_k` the distance from there to the upper quartile, over 0.674. Up to a
    quarter of them may be bad. The soft maximum of :math:`z` was chosen on half of
    PTB-XL; the page on reliability has the figures of the other half.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.quality import SignalQuality
    >>> X, _ = make_ecg(40, noise=0, random_state=0)
    >>> rng = np.random.default_rng(0)
    >>> X += rng.normal(scale=0.01, size=X.shape)  # of the recorder
    >>> quality = SignalQuality(fs=100).fit(X)
    >>> bad = X[:3].copy()
    >>> bad[0] += rng.normal(scale=0.2, size=bad[0].shape)
    >>> bad[1] += np.sin(np.arange(1000) / 40)
    >>> bad[2, :5] = 0
    >>> quality.reasons(bad).tolist()
    ['high_frequency_floor', 'baseline_wander', 'flat_share']
    >>> bool((quality.score_samples(bad) < quality.score_samples(X).min()).all())
    True

    As a table, with a column for each measure:

    >>> quality.set_output(transform="pandas").transform(bad).idxmax(axis=1).to_list()
    ['high_frequency_floor', 'baseline_wander', 'flat_share']
    """

    def __init__(
        self,
        fs: float,
        *,
        measures: Sequence[str] | None = None,
        lead_names: Sequence[str] | None = None,
    ) -> None:
        self.fs = fs
        self.measures = measures
        self.lead_names = lead_names

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what the measures are in most records.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or \
                (n_samples, n_times), or list of arrays of shape (n_leads, n_times)
            Records in mV; two dimensions are one lead.
        y : object, optional
            Not used.

        Returns
        -------
        self : SignalQuality
            The fitted object.

        Raises
        ------
        ValueError
            If a parameter or a record is not what it must be.
        """
        measures = self._check_measures()
        values, n_leads = self._measure(X, measures)
        low, high = np.quantile(values, [0.5, 0.75], axis=0)
        self.measures_ = measures
        self.centre_: FloatArray = low
        self.scale_: FloatArray = np.maximum((high - low) / QUARTILE, LEAST_SCALE)
        self.n_leads_in_ = n_leads
        return self

    def deviations(self, X: Any) -> FloatArray:
        """Return how far each measure of each record is from what is usual.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or \
                (n_samples, n_times), or list of arrays of shape (n_leads, n_times)
            Records in mV, with as many leads as in `fit`.

        Returns
        -------
        z : ndarray of shape (n_samples, n_measures), dtype float64
            In robust standard deviations of the logarithm; higher is worse. Columns
            are in the order of `measures_`.

        Raises
        ------
        ValueError
            If a record is not what it must be.
        """
        check_is_fitted(self)
        values, _ = self._measure(X, self.measures_, self.n_leads_in_)
        return (values - self.centre_) / self.scale_

    def transform(self, X: Any) -> FloatArray:
        """Return a table of the measures: `deviations`, as a step of a pipeline.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or \
                (n_samples, n_times), or list of arrays of shape (n_leads, n_times)
            Records in mV, with as many leads as in `fit`.

        Returns
        -------
        z : ndarray of shape (n_samples, n_measures), dtype float64
            Higher is worse; a data frame after ``set_output(transform="pandas")``.

        Raises
        ------
        ValueError
            If a record is not what it must be.
        """
        return self.deviations(X)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the columns, which are those of the measures.

        Parameters
        ----------
        input_features : object, optional
            Not used.

        Returns
        -------
        names : ndarray of shape (n_measures,), dtype object
            In the order of `measures_`.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return np.array(self.measures_, dtype=object)

    def score_samples(self, X: Any) -> FloatArray:
        """Return the quality of each record.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or \
                (n_samples, n_times), or list of arrays of shape (n_leads, n_times)
            Records in mV, with as many leads as in `fit`.

        Returns
        -------
        quality : ndarray of shape (n_samples,), dtype float64
            Higher is better; 0 where all measures are at their medians.

        Raises
        ------
        ValueError
            If a record is not what it must be.
        """
        z = self.deviations(X)
        quality: FloatArray = np.log(z.shape[1]) - logsumexp(z, axis=1)
        return quality

    def reasons(self, X: Any) -> Array:
        """Return the name of the measure that is worst in each record.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or \
                (n_samples, n_times), or list of arrays of shape (n_leads, n_times)
            Records in mV, with as many leads as in `fit`.

        Returns
        -------
        names : ndarray of shape (n_samples,), dtype str
            Good records have a worst measure too: look at their quality first.

        Raises
        ------
        ValueError
            If a record is not what it must be.
        """
        worst = self.deviations(X).argmax(axis=1)
        names: Array = np.array(self.measures_)[worst]
        return names

    def _check_measures(self) -> tuple[str, ...]:
        """Return the names of the measures, checked with all that they need."""
        check_frequency(self, self.fs)
        leads: tuple[str, ...] = ()
        if self.lead_names is not None:
            leads = check_different_leads(self, self.lead_names)
        has_limb_leads = set(LIMB_LEADS) <= set(leads)
        if self.measures is None:
            return (*DEFAULT, "limb_disagreement") if has_limb_leads else DEFAULT
        measures = check_choices(self, "measures", self.measures, MEASURES)
        if "limb_disagreement" in measures:
            check_limb_leads(self, leads)
        return measures

    def _measure(
        self, X: Any, measures: tuple[str, ...], n_leads: int | None = None
    ) -> tuple[FloatArray, int]:
        """Return logarithms of the measures (n, n_measures), and the leads."""
        leads = () if self.lead_names is None else standard_spelling(self.lead_names)
        if n_leads is None and leads:
            n_leads = len(leads)
        stacks = as_stacks(type(self).__name__, X, float(self.fs), n_leads)
        chosen = [MEASURES[name] for name in measures]
        rows = []
        for stack in stacks:
            view = View(stack, float(self.fs), leads)
            values = [np.log(own.measure(view) + own.resolution) for own in chosen]
            rows.append(np.stack(values, axis=1))
        return np.concatenate(rows).astype(np.float64), stacks[0].shape[1]


def signal_quality(
    X: Any, fs: float, lead_names: Sequence[str] | None = None
) -> FloatArray:
    """Return the quality of the signal of each record, relative to the others.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
            or list of arrays of shape (n_leads, n_times)
        Records in mV, most of them good; two dimensions are one lead.
    fs : float
        Sampling frequency in Hz.
    lead_names : sequence of n_leads str, default=None
        Names of the leads, in their order; with them, contradictions between the limb
        leads count too.

    Returns
    -------
    quality : ndarray of shape (n_samples,), dtype float64
        Higher is better; as `SignalQuality.score_samples` of the records of `fit`.

    Raises
    ------
    ValueError
        If a parameter or a record is not what it must be.

    See Also
    --------
    SignalQuality : Scores new records, and gives reasons.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.quality import signal_quality
    >>> X, _ = make_ecg(20, noise=0, random_state=0)
    >>> X[7] += np.random.default_rng(0).normal(scale=0.3, size=X[7].shape)
    >>> int(signal_quality(X, fs=100).argmin())
    7
    """
    quality = SignalQuality(fs, lead_names=lead_names).fit(X)
    return quality.score_samples(X)
