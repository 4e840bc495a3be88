"""How often probabilities come true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ReliabilityDisplay"]

_Z = 1.959964  # of the normal distribution, for an interval of 95 %
_LARGEST = 120.0  # area of the mark of the fullest bin, in square points


class ReliabilityDisplay:
    """Show how often probabilities come true, bin by bin.

    One class per record: probabilities of the most probable class, and how often it is
    right. Several labels: the probabilities of all labels, and how often they are
    present. Above the diagonal a network is less sure than it could be, below it is too
    sure. The area of a mark is the number of probabilities in its bin, the bar
    Wilson's 95 % interval of the frequency [1]_.

    Parameters
    ----------
    calibration : :class:`~sklearn.utils.Bunch`
        As :func:`~sk_erts.metrics.expected_calibration_error` returns it.

    Attributes
    ----------
    calibration : :class:`~sklearn.utils.Bunch`
        As given.
    bounds : ndarray of shape (2, n_bins)
        Ends of the intervals; NaN for empty bins.
    marks_ : PathCollection
        The bins.
    ax_ : Axes
        Where they are drawn.
    figure_ : Figure
        The figure that holds them.

    See Also
    --------
    RiskCoverageDisplay : Show whether probabilities tell good decisions from bad ones.
    sklearn.calibration.CalibrationDisplay : The same for one of two classes.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical
       inference", Journal of the American Statistical Association 22(158), 1927,
       doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> from sk_erts.plotting import ReliabilityDisplay
    >>> y = ["AFIB", "NORM", "NORM", "AFIB"]
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    >>> display = ReliabilityDisplay.from_predictions(y, proba, n_bins=2)
    >>> display.marks_.get_offsets().data.round(2).tolist()
    [[0.75, 0.5]]
    """

    def __init__(self, calibration: Any) -> None:
        self.calibration = calibration
        self.bounds = _wilson(calibration.frequency, calibration.count)

    @classmethod
    def from_predictions(
        cls,
        y: Any,
        proba: Any,
        *,
        n_bins: int = 15,
        labels: Any = None,
        random_state: int | np.random.RandomState | None = 0,
        ax: Axes | None = None,
    ) -> ReliabilityDisplay:
        """Show the bins of probabilities at hand.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The class of each record; of several labels, zeros and ones.
        proba : array-like of shape (n_samples, n_classes)
            Probabilities.
        n_bins : int, default=15
            Bins of equal width between 0 and 1.
        labels : array-like of shape (n_classes,), optional
            The class of each column; by default those of `y`, sorted.
        random_state : int, RandomState instance or None, default=0
            Of the bootstrap that gives the error its interval.
        ax : Axes, optional
            Where to plot; by default a new figure.

        Returns
        -------
        display : ReliabilityDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the arguments do not fit together.
        """
        from sk_erts.metrics import expected_calibration_error

        found = expected_calibration_error(
            y, proba, n_bins=n_bins, labels=labels, random_state=random_state
        )
        return cls(found).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_bins: int = 15,
        random_state: int | np.random.RandomState | None = 0,
        ax: Axes | None = None,
    ) -> ReliabilityDisplay:
        """Show the bins of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            After `fit`, with `predict_proba` and `classes_`.
        X : array-like
            Records that it was not fitted on.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels.
        n_bins : int, default=15
            Bins of equal width between 0 and 1.
        random_state : int, RandomState instance or None, default=0
            Of the bootstrap that gives the error its interval.
        ax : Axes, optional
            Where to plot; by default a new figure.

        Returns
        -------
        display : ReliabilityDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the labels do not fit the classifier.
        """
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            n_bins=n_bins,
            labels=estimator.classes_,
            random_state=random_state,
            ax=ax,
        )

    def plot(self, ax: Axes | None = None) -> ReliabilityDisplay:
        """Draw the bins beside the diagonal.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; by default a new figure.

        Returns
        -------
        self : ReliabilityDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="ReliabilityDisplay.plot"
        )
        if ax is None:
            _, ax = pyplot.subplots(figsize=(4.6, 4.6), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        found = self.calibration
        full = found.count > 0
        x, y, count = (
            values[full] for values in (found.confidence, found.frequency, found.count)
        )
        low, high = self.bounds[:, full]
        ax.plot([0, 1], [0, 1], color="#6e6e6e", linestyle="--", linewidth=1)
        ax.vlines(x, low, high, color="#0072b2", linewidth=1.2)
        area = _LARGEST * count / count.max()
        self.marks_ = ax.scatter(x, y, s=area, color="#0072b2", zorder=3)
        ax.set(
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
            xlabel="probability, mean of the bin",
            ylabel="how often it came true",
        )
        ax.set_title(
            f"calibration error {found.error:.3f} ({found.low:.3f} to {found.high:.3f})"
            f", n = {count.sum()}",
            loc="left",
            fontsize="medium",
        )
        ax.grid(color="#e0e0e0", linewidth=0.6)
        return self


def _wilson(frequency: FloatArray, count: IntArray) -> FloatArray:
    """Return the ends of Wilson's interval of shares; NaN where nothing was counted."""
    n = np.maximum(count, 1)
    middle = (frequency + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    root = np.sqrt(frequency * (1 - frequency) / n + _Z**2 / (4 * n**2))
    half = _Z * root / (1 + _Z**2 / n)
    return np.stack([middle - half, middle + half])
