"""How often decisions are wrong, by how many are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sk_erts._lib.optional import import_optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RiskCoverageDisplay"]


class RiskCoverageDisplay:
    """Show how often decisions are wrong if the most uncertain are left to a reader.

    The curve falls to the left where uncertainty tells wrong decisions from right
    ones. Beside it stands the dashed line of an uncertainty that knows nothing; the
    areas under both are in the legend.

    Parameters
    ----------
    curve : :class:`~sklearn.utils.Bunch`
        As :func:`~sk_erts.metrics.risk_coverage` returns it.
    name : str, default="by uncertainty"
        Of the curve, for the legend.

    Attributes
    ----------
    curve : :class:`~sklearn.utils.Bunch`
        As given.
    line_ : Line2D
        The curve.
    chance_ : Line2D
        The dashed line.
    ax_ : Axes
        Where they are drawn.
    figure_ : Figure
        The figure that holds them.

    See Also
    --------
    ReliabilityDisplay : Show whether probabilities are frequencies.

    Examples
    --------
    >>> from sk_erts.plotting import RiskCoverageDisplay
    >>> y = ["AFIB", "NORM", "NORM", "AFIB"]
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    >>> display = RiskCoverageDisplay.from_predictions(y, proba)
    >>> display.line_.get_xdata().tolist()  # per cent of the records
    [25.0, 50.0, 75.0, 100.0]
    """

    def __init__(self, curve: Any, *, name: str = "by uncertainty") -> None:
        self.curve = curve
        self.name = name

    @classmethod
    def from_predictions(
        cls,
        y: Any,
        proba: Any,
        uncertainty: Any = None,
        *,
        labels: Any = None,
        name: str = "by uncertainty",
        ax: Axes | None = None,
    ) -> RiskCoverageDisplay:
        """Show the curve of probabilities at hand.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The class of each record; of several labels, zeros and ones.
        proba : array-like of shape (n_samples, n_classes)
            Probabilities, which decide.
        uncertainty : array-like of shape (n_samples,), optional
            How uncertain each decision is; by default by the probabilities.
        labels : array-like of shape (n_classes,), optional
            The class of each column; by default those of `y`, sorted.
        name : str, default="by uncertainty"
            Of the curve, for the legend.
        ax : Axes, optional
            Where to plot; by default a new figure. A second curve in the same one is
            added to the first.

        Returns
        -------
        display : RiskCoverageDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the arguments do not fit together.
        """
        from sk_erts.metrics import risk_coverage

        curve = risk_coverage(y, proba, uncertainty, labels=labels)
        return cls(curve, name=name).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        uncertainty: Any = None,
        *,
        name: str = "by uncertainty",
        ax: Axes | None = None,
    ) -> RiskCoverageDisplay:
        """Show the curve of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            After `fit`, with `predict_proba` and `classes_`.
        X : array-like
            Records, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels.
        uncertainty : array-like of shape (n_samples,), optional
            How uncertain each decision is; by default by the probabilities.
        name : str, default="by uncertainty"
            Of the curve, for the legend.
        ax : Axes, optional
            Where to plot; by default a new figure.

        Returns
        -------
        display : RiskCoverageDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the labels do not fit the classifier.
        """
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            uncertainty,
            labels=estimator.classes_,
            name=name,
            ax=ax,
        )

    def plot(self, ax: Axes | None = None) -> RiskCoverageDisplay:
        """Draw the curve and that of chance.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; by default a new figure.

        Returns
        -------
        self : RiskCoverageDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="RiskCoverageDisplay.plot"
        )
        if ax is None:
            _, ax = pyplot.subplots(figsize=(5.2, 4.2), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        (line,) = ax.plot(
            100 * self.curve.coverage,
            100 * self.curve.risk,
            drawstyle="steps-post",
            label=f"{self.name}: {self.curve.area:.3f}",
        )
        self.line_ = line
        self.chance_ = ax.axhline(
            100 * self.curve.error,
            color="#6e6e6e",
            linestyle="--",
            label=f"by chance: {self.curve.error:.3f}",
        )
        ax.set(xlim=(0, 100), xlabel="records decided (%)", ylabel="risk: wrong (%)")
        ax.set_ylim(0, None)
        ax.grid(color="#e0e0e0", linewidth=0.6)
        ax.legend(title="area under the curve", fontsize="small", loc="best")
        return self
