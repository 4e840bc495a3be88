"""What happens to the score when evidence is taken away, or brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from sk_erts._lib.checks import as_numbers, check_choice, refuse
from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray
from sk_erts.plotting._divide import divide

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FaithfulnessDisplay"]

# Told apart by all kinds of colour vision; by their dashes and marks also in grey.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_MARKS = ("o", "s", "^", "D", "v", "P")
_GREY_DASHES = ("--", ":", "-.")

_INTERVALS = {
    "standard error": "mean and standard error",
    "bootstrap": "mean and 95% bootstrap interval",
}
_N_RESAMPLES = 1000


class FaithfulnessDisplay:
    """Show deletion and insertion curves of one or more methods.

    In a deletion curve the samples that a map names first are taken away first: the
    faster the score falls, the more faithful is the map. In an insertion curve they
    are brought back first: the faster the score rises, the better. Curves are means
    over records, with an interval; the area under each is in the legend. Orders that
    tell nothing, such as a random one, are grey and dashed.

    Parameters
    ----------
    fractions : array-like of shape (n_fractions,)
        Shares of the record that are taken away or brought back, rising, from 0 to 1.
    deletion, insertion : mapping of str to array-like (n_samples, n_fractions), \
            optional
        Scores of the records by the name of the method. At least one of the two.
    interval : {"standard error", "bootstrap"}, default="standard error"
        What is shaded: a standard error on either side of the mean, or the middle 95%
        of the means of 1,000 samples of records with replacement. For a single
        record nothing is.
    references : sequence of str, default=("random", "inverted")
        Names that are drawn in grey dashes, if they occur.
    score_name : str, default="probability of the class"
        What the scores are, for the axis.
    random_state : int, RandomState instance or None, default=0
        Source of randomness of the bootstrap.

    Attributes
    ----------
    means : dict of str to dict of str to ndarray of shape (n_fractions,)
        By panel ("deletion", "insertion") and name.
    bounds : dict of str to dict of str to ndarray of shape (2, n_fractions)
        Lower and upper bound of the interval, likewise.
    areas : dict of str to dict of str to float
        Areas under the means by the trapezoidal rule, likewise.
    lines_ : dict of str to dict of str to Line2D
        The means.
    axes_ : dict of str to Axes
        The panels.
    figure_ : Figure
        The figure that holds them.

    Raises
    ------
    ValueError
        If shapes do not fit together, or values are not finite.

    See Also
    --------
    ECGDisplay : Show a record with its map.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting import FaithfulnessDisplay
    >>> fractions = np.linspace(0, 1, 5)
    >>> scores = {
    ...     "gradcam": [[0.9, 0.3, 0.1, 0.1, 0.1], [0.8, 0.4, 0.2, 0.1, 0.1]],
    ...     "random": [[0.9, 0.7, 0.5, 0.3, 0.1], [0.8, 0.6, 0.5, 0.4, 0.1]],
    ... }
    >>> display = FaithfulnessDisplay.from_arrays(fractions, deletion=scores)
    >>> {name: round(area, 3) for name, area in display.areas["deletion"].items()}
    {'gradcam': 0.269, 'random': 0.494}
    """

    def __init__(
        self,
        fractions: Any,
        deletion: Mapping[str, Any] | None = None,
        insertion: Mapping[str, Any] | None = None,
        *,
        interval: str = "standard error",
        references: Sequence[str] = ("random", "inverted"),
        score_name: str = "probability of the class",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.fractions = _check_fractions(fractions)
        check_choice(self, "interval", interval, _INTERVALS)
        given = {"deletion": deletion, "insertion": insertion}
        self.scores = {
            panel: {
                name: _check_scores(values, len(self.fractions), panel, name)
                for name, values in curves.items()
            }
            for panel, curves in given.items()
            if curves
        }
        if not self.scores:
            raise ValueError(
                "The 'deletion' or the 'insertion' of FaithfulnessDisplay must hold at "
                "least one curve. Got none in either instead."
            )
        self.interval = interval
        self.references = tuple(references)
        self.score_name = score_name
        self.random_state = random_state
        rng = check_random_state(random_state)
        self.means: dict[str, dict[str, FloatArray]] = {}
        self.bounds: dict[str, dict[str, FloatArray]] = {}
        self.areas: dict[str, dict[str, float]] = {}
        for panel, curves in self.scores.items():
            means = {name: values.mean(axis=0) for name, values in curves.items()}
            self.means[panel] = means
            self.areas[panel] = {
                name: _area(self.fractions, mean) for name, mean in means.items()
            }
            self.bounds[panel] = {
                name: _bounds(values, interval, rng) for name, values in curves.items()
            }

    @classmethod
    def from_arrays(
        cls,
        fractions: Any,
        deletion: Mapping[str, Any] | None = None,
        insertion: Mapping[str, Any] | None = None,
        *,
        interval: str = "standard error",
        references: Sequence[str] = ("random", "inverted"),
        score_name: str = "probability of the class",
        random_state: int | np.random.RandomState | None = 0,
        ax: Axes | None = None,
    ) -> FaithfulnessDisplay:
        """Show curves at hand.

        Parameters
        ----------
        fractions : array-like of shape (n_fractions,)
            Shares of the record that are taken away or brought back, rising.
        deletion, insertion : mapping of str to array-like (n_samples, n_fractions), \
                optional
            Scores of the records by the name of the method.
        interval : {"standard error", "bootstrap"}, default="standard error"
            What is shaded.
        references : sequence of str, default=("random", "inverted")
            Names that are drawn in grey dashes, if they occur.
        score_name : str, default="probability of the class"
            What the scores are, for the axis.
        random_state : int, RandomState instance or None, default=0
            Source of randomness of the bootstrap.
        ax : Axes, optional
            Where to plot; for both kinds of curves it is divided. By default a new
            figure.

        Returns
        -------
        display : FaithfulnessDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If shapes do not fit together, or values are not finite.
        """
        display = cls(
            fractions,
            deletion,
            insertion,
            interval=interval,
            references=references,
            score_name=score_name,
            random_state=random_state,
        )
        return display.plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        methods: Sequence[str] = ("gradcam",),
        *,
        n_steps: int = 20,
        window: int = 1,
        baseline: Any = 0.0,
        interval: str = "standard error",
        random_state: int | np.random.RandomState | None = 0,
        ax: Axes | None = None,
    ) -> FaithfulnessDisplay:
        """Show the curves of attribution methods of a fitted classifier.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`, with one class per record.
        X : ndarray of shape (n_samples, n_leads, n_times)
            Records, as in `fit`.
        y : array-like of shape (n_samples,), optional
            The class of each record that is explained; by default the most probable.
        methods : sequence of str, default=("gradcam",)
            Keys of :data:`sk_erts.attribution.METHODS`. A random order and the
            inverted one of the first method are drawn beside them.
        n_steps : int, default=20
            Number of steps from the whole record to the empty one.
        window : int, default=1
            Neighbouring time steps that are removed together.
        baseline : float, array-like or "mean", default=0.0
            What a removed sample is replaced by, in the unit of `X`.
        interval : {"standard error", "bootstrap"}, default="standard error"
            What is shaded.
        random_state : int, RandomState instance or None, default=0
            Of the random order and the bootstrap.
        ax : Axes, optional
            Where to plot; it is divided. By default a new figure.

        Returns
        -------
        display : FaithfulnessDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If there is no such method, or records and classes are not as in `fit`.
        """
        from sk_erts.metrics import deletion_curve, insertion_curve

        labels = estimator.predict(X) if y is None else np.asarray(y)
        classes = np.asarray(estimator.classes_).tolist()
        target = np.array([classes.index(label) for label in labels.tolist()])
        rng = check_random_state(random_state)
        maps = {name: estimator.explain(X, name, target=labels) for name in methods}
        first = next(iter(maps.values()))
        ways = {name: (own, "descending") for name, own in maps.items()}
        ways |= {"random": (first, "random"), "inverted": (first, "ascending")}
        panels = {"deletion": deletion_curve, "insertion": insertion_curve}
        curves: dict[str, dict[str, FloatArray]] = {panel: {} for panel in panels}
        fractions: FloatArray = np.zeros(0)
        for name, (own, order) in ways.items():
            for panel, curve in panels.items():
                fractions, curves[panel][name] = curve(
                    estimator.predict_proba,
                    X,
                    own,
                    target,
                    n_steps=n_steps,
                    window=window,
                    baseline=baseline,
                    order=order,
                    random_state=rng,
                )
        return cls.from_arrays(
            fractions,
            curves["deletion"],
            curves["insertion"],
            interval=interval,
            random_state=rng,
            ax=ax,
        )

    def plot(self, ax: Axes | None = None) -> FaithfulnessDisplay:
        """Draw a panel for each kind of curve.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; for both kinds of curves it is divided. By default a new
            figure.

        Returns
        -------
        self : FaithfulnessDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` cannot be divided.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="FaithfulnessDisplay.plot"
        )
        n_panels = len(self.scores)
        if ax is None:
            size = (5.2 * n_panels, 4.2)
            _, ax = pyplot.subplots(figsize=size, layout="constrained")
        self.figure_ = ax.figure
        panels = (
            [ax] if n_panels == 1 else divide(ax, (1, n_panels), type(self).__name__)
        )
        self.axes_ = dict(zip(self.scores, panels, strict=True))
        self.lines_ = {
            panel: self._plot_panel(axes, panel) for panel, axes in self.axes_.items()
        }
        panels[0].set_ylabel(f"{self.score_name}:\n{_INTERVALS[self.interval]}")
        every = np.concatenate(
            [b.ravel() for bounds in self.bounds.values() for b in bounds.values()]
        )
        low, high = min(0.0, every.min()), max(every.max(), 0.0)
        for axes in panels:  # one scale, so that the two can be compared
            axes.set_ylim(low, low + 1.04 * (high - low) or 1.0)
        return self

    def _plot_panel(self, ax: Axes, panel: str) -> dict[str, Any]:
        """Draw the curves of one kind."""
        lines = {}
        looks = self._looks(panel)
        percent = 100 * self.fractions
        for name, mean in self.means[panel].items():
            low, high = self.bounds[panel][name]
            look = looks[name]
            ax.fill_between(
                percent, low, high, color=look["color"], alpha=0.2, linewidth=0
            )
            (lines[name],) = ax.plot(
                percent,
                mean,
                markersize=4,
                markevery=max(1, len(percent) // 10),
                label=f"{name}: {self.areas[panel][name]:.3f}",
                **look,
            )
        verb = "taken away" if panel == "deletion" else "brought back"
        ax.set(xlim=(0, 100), xlabel=f"samples {verb} (%)")
        n_samples = {len(values) for values in self.scores[panel].values()}
        count = "-".join(str(n) for n in sorted({min(n_samples), max(n_samples)}))
        ax.set_title(f"{panel}, n = {count}", loc="left", fontsize="medium")
        ax.grid(color="#e0e0e0", linewidth=0.6)
        ax.legend(
            title="area under the mean",
            loc="upper right" if panel == "deletion" else "lower right",
            fontsize="small",
            title_fontsize="small",
        )
        return lines

    def _looks(self, panel: str) -> dict[str, dict[str, Any]]:
        """Return colour, dashes and marks of each curve; the same in both panels."""
        names = list(
            dict.fromkeys(n for curves in self.scores.values() for n in curves)
        )
        methods = [name for name in names if name not in self.references]
        looks: dict[str, dict[str, Any]] = {}
        for name in self.scores[panel]:
            if name in self.references:
                k = self.references.index(name) % len(_GREY_DASHES)
                looks[name] = {"color": "#6e6e6e", "linestyle": _GREY_DASHES[k]}
            else:
                k = methods.index(name) % len(_COLORS)
                looks[name] = {"color": _COLORS[k], "marker": _MARKS[k]}
        return looks


def _area(fractions: FloatArray, mean: FloatArray) -> float:
    """Return the area under a curve by the trapezoidal rule."""
    return float(np.sum(np.diff(fractions) * (mean[1:] + mean[:-1]) / 2))


def _bounds(
    scores: FloatArray, interval: str, rng: np.random.RandomState
) -> FloatArray:
    """Return lower and upper bound of the mean over records."""
    n_samples = len(scores)
    mean = scores.mean(axis=0)
    if n_samples == 1:
        return np.stack([mean, mean])
    if interval == "standard error":
        error = scores.std(axis=0, ddof=1) / np.sqrt(n_samples)
        return np.stack([mean - error, mean + error])
    # How often each record is drawn, in each of the resamples.
    chances = np.full(n_samples, 1 / n_samples)
    weights = rng.multinomial(n_samples, chances, size=_N_RESAMPLES) / n_samples
    bounds: FloatArray = np.percentile(weights @ scores, [2.5, 97.5], axis=0)
    return bounds


def _check_fractions(fractions: Any) -> FloatArray:
    """Return the fractions, or raise."""
    values: FloatArray = np.asarray(fractions, dtype=float)
    if (
        values.ndim != 1
        or len(values) < 2
        or not (np.diff(values) > 0).all()
        or not (values[0] >= 0 and values[-1] <= 1)
    ):
        raise ValueError(
            "The 'fractions' of FaithfulnessDisplay must be two or more rising numbers "
            f"from 0 to 1. Got {fractions!r} instead."
        )
    return values


def _check_scores(scores: Any, n_fractions: int, panel: str, name: str) -> FloatArray:
    """Return the scores of one method, or raise."""
    owner, curve = "FaithfulnessDisplay", f"{panel}[{name!r}]"
    values = as_numbers(owner, curve, scores, f"(n_samples, {n_fractions})")
    if values.shape[1] != n_fractions:
        wanted = f"have a column for each of the {n_fractions} fractions"
        refuse(owner, curve, wanted, f"shape {values.shape}")
    return values.astype(np.float64, copy=False)
