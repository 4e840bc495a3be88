"""The mean attribution of each class in each segment of a beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray
from sk_erts.plotting._beat_tables import (
    check_are_beats,
    check_beats,
    check_estimators,
    check_names,
    rows_of_classes,
)
from sk_erts.plotting._heat import AGAINST_SHARE, HeatScale, heat_scale
from sk_erts.plotting._side_by_side import side_by_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ClassAverageDisplay"]

# Room in a figure of its own, in inches: for each row, and around the table.
_ROW_IN, _AROUND_IN, _WIDTH_IN = 0.55, 1.3, 8.5
# A mean beat fills as much of its row.
_BEAT_SHARE = 0.8

_MINUS = "\N{MINUS SIGN}"


class ClassAverageDisplay:
    """Show where in the beat the evidence for each class is, on average.

    A row for each class and a column for each segment of the beat, with the mean
    attribution as colour. The mean beat of each class can stand over its row, all on
    one scale; without beats the numbers stand in the cells.

    Parameters
    ----------
    table : DataFrame or array-like of shape (n_classes, n_segments)
        Mean attributions; NaN where there is none. The index of a data frame names
        the classes, its columns the segments.
    class_names : sequence of length n_classes, optional
        By default the index of the data frame, or numbers from 1.
    segment_names : sequence of length n_segments, optional
        By default the columns of the data frame, or numbers from 1.
    beats : array-like of shape (n_classes, n_times), optional
        Mean beat of each class, from the begin of the first segment to the end of the
        last one.
    unit : str, default="arbitrary unit"
        Unit of the attributions, for the colour bar.

    Attributes
    ----------
    heat_ : AxesImage
        The table, of shape (n_classes, n_segments).
    colorbar_ : Colorbar
        Its scale, centred on 0 if there are negative values.
    lines_ : list of Line2D
        One beat for each class; empty without beats.
    texts_ : list of Text
        The numbers in the cells; empty with beats, but for the signs of those that
        are against the class.
    ax_ : Axes
        Horizontal the segments, vertical the classes.
    figure_ : Figure
        The figure that holds it.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    See Also
    --------
    BeatAttributionDisplay : Show the average beat of one class with its map.
    ECGDisplay : Show one record with its map.

    Examples
    --------
    >>> from sk_erts.plotting import ClassAverageDisplay
    >>> display = ClassAverageDisplay.from_arrays(
    ...     [[0.1, 0.9, 0.2], [0.1, 0.2, 0.7]],
    ...     class_names=["PVC", "STE"],
    ...     segment_names=["P", "QRS", "T"],
    ... )
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['PVC', 'STE']
    """

    def __init__(
        self,
        table: Any,
        *,
        class_names: Sequence[Any] | None = None,
        segment_names: Sequence[Any] | None = None,
        beats: Any = None,
        unit: str = "arbitrary unit",
    ) -> None:
        self.table: FloatArray = np.asarray(table, dtype=float)
        if self.table.ndim != 2 or self.table.size == 0:
            raise ValueError(
                "The 'table' of ClassAverageDisplay must have the shape (n_classes, "
                f"n_segments). Got the shape {self.table.shape} instead."
            )
        n_classes, n_segments = self.table.shape
        is_frame = hasattr(table, "columns")
        self.class_names = check_names(
            table.index if is_frame and class_names is None else class_names,
            n_classes,
            "class_names",
        )
        self.segment_names = check_names(
            table.columns if is_frame and segment_names is None else segment_names,
            n_segments,
            "segment_names",
        )
        self.beats = None if beats is None else check_beats(beats, n_classes)
        self.unit = unit

    @classmethod
    def from_arrays(
        cls,
        table: Any,
        *,
        class_names: Sequence[Any] | None = None,
        segment_names: Sequence[Any] | None = None,
        beats: Any = None,
        unit: str = "arbitrary unit",
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> ClassAverageDisplay:
        """Show a table of mean attributions.

        Parameters
        ----------
        table : DataFrame or array-like of shape (n_classes, n_segments)
            Mean attributions; NaN where there is none.
        class_names : sequence of length n_classes, optional
            By default the index of the data frame, or numbers from 1.
        segment_names : sequence of length n_segments, optional
            By default the columns of the data frame, or numbers from 1.
        beats : array-like of shape (n_classes, n_times), optional
            Mean beat of each class.
        unit : str, default="arbitrary unit"
            Unit of the attributions.
        ax : Axes, optional
            Where to plot; by default a new figure.
        vmax : float, optional
            Attribution of the darkest shade; by default the greatest in the table.

        Returns
        -------
        display : ClassAverageDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the shapes do not fit together.
        """
        display = cls(
            table,
            class_names=class_names,
            segment_names=segment_names,
            beats=beats,
            unit=unit,
        )
        return display.plot(ax=ax, vmax=vmax)

    @classmethod
    def from_attributions(
        cls,
        attributions: Any,
        y: Any,
        *,
        n_segments: int = 11,
        beats: Any = None,
        fs: float | None = None,
        unit: str = "arbitrary unit",
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> ClassAverageDisplay:
        """Average the attributions of beats, and show them.

        Parameters
        ----------
        attributions : ndarray of shape (n_beats, n_times) or (n_beats, n_leads, \
                n_times)
            One map for each beat.
        y : array-like of shape (n_beats,)
            Class of each beat.
        n_segments : int, default=11
            Parts of equal length that the beat is cut in.
        beats : ndarray of shape (n_beats, n_times) or (n_beats, n_leads, n_times), \
                optional
            The beats themselves, whose mean stands over each row; of several leads the
            first.
        fs : float, optional
            Sampling frequency in Hz, to tell beats from whole records.
        unit : str, default="arbitrary unit"
            Unit of the attributions.
        ax : Axes, optional
            Where to plot; by default a new figure.
        vmax : float, optional
            Attribution of the darkest shade; by default the greatest in the table.

        Returns
        -------
        display : ClassAverageDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the shapes do not fit together, or maps are longer than a beat of 3 s.

        Warns
        -----
        DoubtfulInputWarning
            If maps have more than 600 samples, and `fs` is not given.
        """
        check_are_beats(np.shape(attributions), fs)
        display = cls._averaged(attributions, y, n_segments, beats, unit)
        return display.plot(ax=ax, vmax=vmax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        method: str = "integrated_gradients",
        n_segments: int = 11,
        fs: float | None = None,
        unit: str = "arbitrary unit",
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> ClassAverageDisplay:
        """Explain beats by a fitted classifier, and show the averages per class.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`, with one class per beat.
        X : ndarray of shape (n_beats, n_leads, n_times)
            Beats, as in `fit`.
        y : array-like of shape (n_beats,), optional
            The class of each beat that is explained; by default the most probable.
        method : str, default="integrated_gradients"
            A key of :data:`sk_erts.attribution.METHODS`; its map is signed.
        n_segments : int, default=11
            Parts of equal length that the beat is cut in.
        fs : float, optional
            Sampling frequency in Hz, to tell beats from whole records.
        unit : str, default="arbitrary unit"
            Unit of the attributions.
        ax : Axes, optional
            Where to plot; by default a new figure.
        vmax : float, optional
            Attribution of the darkest shade; by default the greatest in the table.

        Returns
        -------
        display : ClassAverageDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If there is no such method, beats and classes are not as in `fit`, or beats
            are longer than 3 s.

        Warns
        -----
        DoubtfulInputWarning
            If beats have more than 600 samples, and `fs` is not given.
        """
        check_are_beats(np.shape(X), fs)
        labels = estimator.predict(X) if y is None else np.asarray(y)
        return cls.from_attributions(
            estimator.explain(X, method, target=labels, signed=True),
            labels,
            n_segments=n_segments,
            beats=X,
            # Of beats that are none it has been told.
            fs=fs or np.shape(X)[-1],
            unit=unit,
            ax=ax,
            vmax=vmax,
        )

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any],
        X: Any,
        y: Any,
        *,
        classes: Any = None,
        method: str = "integrated_gradients",
        n_segments: int = 11,
        fs: float | None = None,
        unit: str = "arbitrary unit",
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> dict[str, ClassAverageDisplay]:
        """Explain beats by several classifiers, and show the averages side by side.

        All have one scale of colour, so that the same shade is the same attribution.

        Parameters
        ----------
        estimators : mapping of str to ERTSClassifier
            After `fit`, by the names that stand above their tables.
        X : ndarray of shape (n_beats, n_leads, n_times)
            Beats, as in `fit`.
        y : array-like of shape (n_beats,)
            The class of each beat that is explained.
        classes : label or sequence of labels, optional
            Whose beats are explained and shown; by default those of all classes.
        method : str, default="integrated_gradients"
            A key of :data:`sk_erts.attribution.METHODS`; its map is signed. Integrated
            gradients go from a flat line to the beat.
        n_segments : int, default=11
            Parts of equal length that the beat is cut in.
        fs : float, optional
            Sampling frequency in Hz, to tell beats from whole records.
        unit : str, default="arbitrary unit"
            Unit of the attributions.
        ax : Axes, optional
            Where to plot; it is divided. By default a new figure.
        vmax : float, optional
            Attribution of the darkest shade; by default the greatest in the tables.

        Returns
        -------
        displays : dict of str to ClassAverageDisplay
            One of each estimator, in the same order; they share ``figure_`` and
            ``colorbar_``.

        Raises
        ------
        ValueError
            If there is no estimator or no such method, a class has no beats, beats and
            classes are not as in `fit`, or beats are longer than 3 s.

        Warns
        -----
        DoubtfulInputWarning
            If beats have more than 600 samples, and `fs` is not given.
        """
        check_estimators(estimators)
        check_are_beats(np.shape(X), fs)
        labels = np.asarray(y)
        if classes is not None:
            rows = rows_of_classes(labels, classes)
            X, labels = np.asarray(X)[rows], labels[rows]
        displays = {}
        for name, estimator in estimators.items():
            maps = estimator.explain(X, method, target=labels, signed=True)
            displays[name] = cls._averaged(maps, labels, n_segments, X, unit)
        side_by_side(displays, ax, vmax)
        return displays

    @classmethod
    def _averaged(
        cls, attributions: Any, y: Any, n_segments: int, beats: Any, unit: str
    ) -> ClassAverageDisplay:
        """Average attributions and beats by class; nothing is drawn."""
        from sk_erts.beats import segment_means

        table = segment_means(attributions, y, n_segments)
        means = None
        if beats is not None:
            first = np.asarray(beats)
            first = first[:, 0] if first.ndim == 3 else first  # (n_beats, times)
            of_class = [np.asarray(y) == label for label in table.index]
            means = np.stack([first[own].mean(axis=0) for own in of_class])
        return cls(table, beats=means, unit=unit)

    def plot(
        self, ax: Axes | None = None, *, vmax: float | None = None
    ) -> ClassAverageDisplay:
        """Draw the table, and beats or numbers on it.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; by default a new figure.
        vmax : float, optional
            Attribution of the darkest shade; by default the greatest in the table.

        Returns
        -------
        self : ClassAverageDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `vmax` is not above 0.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="ClassAverageDisplay.plot"
        )
        scale = heat_scale(self.table, vmax, "ClassAverageDisplay")
        if ax is None:
            size = (_WIDTH_IN, _ROW_IN * len(self.table) + _AROUND_IN)
            _, ax = pyplot.subplots(figsize=size, layout="constrained")
        self._draw(ax, scale)
        self.colorbar_ = ax.figure.colorbar(self.heat_, ax=ax, extend=scale.extend)
        self.colorbar_.set_label(self._scale_in_words(scale))
        return self

    def _draw(self, ax: Axes, scale: HeatScale) -> None:
        """Draw all but the scale of colour."""
        n_classes, n_segments = self.table.shape
        self.ax_ = ax
        self.figure_ = ax.figure
        self.heat_ = ax.imshow(
            self.table, aspect="auto", interpolation="nearest", **scale.options
        )
        ax.set_facecolor("#d9d9d9")  # of cells without a value
        ax.set_xticks(range(n_segments), self.segment_names)
        ax.set_yticks(range(n_classes), self.class_names)
        ax.set_xlabel("segment of the beat")
        ax.tick_params(length=0)
        ax.hlines(
            np.arange(1, n_classes) - 0.5, -0.5, n_segments - 0.5, "#808080", lw=1
        )
        self.lines_ = [] if self.beats is None else self._plot_beats(ax, self.beats)
        self.texts_ = self._write_cells(ax, scale)

    def _scale_in_words(self, scale: HeatScale) -> str:
        """Return what the colour bar says."""
        marked = self.beats is not None and scale.signed
        against = f"; {_MINUS} below 0" if marked else ""
        return f"mean attribution\n({self.unit}){against}"

    def _plot_beats(self, ax: Axes, beats: FloatArray) -> list[Any]:
        """Lay each beat over its row; one scale and one zero line for all rows."""
        n_segments = self.table.shape[1]
        places = (np.arange(beats.shape[1]) + 0.5) / beats.shape[1] * n_segments - 0.5
        height = float(np.ptp(beats)) or 1.0
        middle = (float(beats.max()) + float(beats.min())) / 2
        lines = []
        for row, beat in enumerate(beats):
            raised = row - _BEAT_SHARE * (beat - middle) / height
            lines += ax.plot(places, raised, color="black", linewidth=1.2)
        return lines

    def _write_cells(self, ax: Axes, scale: HeatScale) -> list[Any]:
        """Write the numbers; over beats only a sign, which colour in grey is not."""
        digits = max(0, 1 - int(np.floor(np.log10(scale.limit))))
        texts = []
        for (row, column), value in np.ndenumerate(self.table):
            if self.beats is None and np.isfinite(value):
                words, place = _number(float(value), digits), (column, row)
            elif self.beats is not None and value < -AGAINST_SHARE * scale.limit:
                words, place = _MINUS, (column + 0.4, row + 0.33)
            else:
                continue
            text = ax.text(*place, words, ha="center", va="center", fontsize="small")
            texts.append(text)
        return texts


def _number(value: float, digits: int) -> str:
    """Return a number as the scale beside the table writes it."""
    return f"{value:.{digits}f}".replace("-", _MINUS)
