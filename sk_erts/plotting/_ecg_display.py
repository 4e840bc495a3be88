"""A record on ECG paper, with the evidence behind it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._lib.checks import check_frequency
from sk_erts._lib.optional import import_optional
from sk_erts.exceptions import DoubtfulInputWarning
from sk_erts.plotting._explained import explained_by
from sk_erts.plotting._heat import evidence_label, heat_scale
from sk_erts.plotting._heat_layer import (
    beside_mm,
    draw_colorbar,
    draw_heat,
    wrapped_label,
)
from sk_erts.plotting._layouts import Cell
from sk_erts.plotting._paper import (
    MILLIVOLT,
    draw_calibration,
    draw_grid,
    figure_for,
    mark_change,
    write_name,
)
from sk_erts.plotting._record import as_heat, as_record, name_leads
from sk_erts.plotting._sheet import lay_out
from sk_erts.plotting._title import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ECGDisplay"]


class ECGDisplay:
    """Show a record on ECG paper, and behind it where the evidence is.

    The paper runs at 25 mm/s and 10 mm/mV: a small box is 0.04 s by 0.1 mV, a large
    one 0.2 s by 0.5 mV, and a pulse of 1 mV for 0.2 s stands before each row. A figure
    of its own has the size of the paper. Use `from_arrays` for a record and a map at
    hand, `from_estimator` to show what a classifier saw in a record.

    Parameters
    ----------
    signal : array-like of shape (n_leads, n_times) or (n_times,)
        The record, in `unit`.
    heat : array-like of shape (n_times,) or (n_leads, n_times), optional
        Map of the evidence in time, or in each lead and time. If it has negative
        values its scale is centred on 0, orange is evidence against the class, and
        bars below it say so in grey, where it exceeds a tenth of the scale.
    fs : float, optional
        Sampling frequency in Hz. Without it the axis of time is in samples.
    lead_names : sequence of str of length n_leads, optional
        By default `STANDARD_LEADS` for twelve leads, else numbers.
    unit : str, default="mV"
        Unit of `signal`. For any other than "mV", such as "standardised", the boxes
        take a height that fits the record, which the label of the axis tells; so they
        do, with a warning, where a record cannot be in mV.
    explained : object, optional
        Class that `heat` speaks for.
    heat_unit : str, default="arbitrary unit"
        Unit of `heat`, for the colour bar.
    true_label, predicted : label or array-like of labels, optional
        True and predicted class, for the title.
    probability : float or mapping of label to float, optional
        Probability of the predicted class; or of each class, then the title gives that
        of the true class too.

    Attributes
    ----------
    lines_ : list of Line2D
        One trace per cell of the layout, from left to right and from top to bottom,
        raised by the offset of its row.
    offsets_ : ndarray of shape (n_rows,), dtype float64
        Where 0 of each row stands on the vertical axis, in `unit`.
    heat_ : AxesImage or None
        The heat layer, of shape (1, n_times), or for a map of leads (n_boxes, n_times)
        with a row for each small box upwards.
    colorbar_ : Colorbar or None
        The scale of the heat layer.
    ax_ : Axes
        Horizontal unit s, or samples without `fs`; vertical unit that of the signal.
    figure_ : Figure
        The figure that holds it.

    Raises
    ------
    ValueError
        If shapes do not fit together, or values are not finite.

    See Also
    --------
    BeatAttributionDisplay : Show the average beat with its average map.
    SelectionDisplay : Show what became of the training records.
    sk_erts.attribution.gradcam : Maps of any network.

    Examples
    --------
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.plotting import ECGDisplay
    >>> X, y, evidence = make_ecg(
    ...     1, n_leads=2, duration_s=3, classes=["PVC"], random_state=0,
    ...     return_evidence=True,
    ... )
    >>> display = ECGDisplay(
    ...     X[0], evidence.mask[0], fs=100, lead_names=evidence.lead_names,
    ...     true_label=y[0],
    ... )
    >>> display.plot().ax_.get_title(loc="left")
    'true: PVC'
    """

    def __init__(
        self,
        signal: Any,
        heat: Any = None,
        *,
        fs: float | None = None,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        explained: Any = None,
        heat_unit: str = "arbitrary unit",
        true_label: Any = None,
        predicted: Any = None,
        probability: float | Mapping[Any, float] | None = None,
    ) -> None:
        owner = type(self).__name__
        self.signal = as_record(owner, "signal", signal)
        n_leads, n_times = self.signal.shape
        self.heat = None if heat is None else as_heat(owner, heat, (n_leads, n_times))
        self.fs = None if fs is None else check_frequency(owner, fs)
        self.lead_names = name_leads(owner, lead_names, n_leads)
        self.unit = unit
        self.explained = explained
        self.heat_unit = heat_unit
        self.true_label = true_label
        self.predicted = predicted
        self.probability = probability

    @classmethod
    def from_arrays(
        cls,
        signal: Any,
        heat: Any = None,
        *,
        fs: float | None = None,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        explained: Any = None,
        heat_unit: str = "arbitrary unit",
        true_label: Any = None,
        predicted: Any = None,
        probability: float | Mapping[Any, float] | None = None,
        layout: str = "12x1",
        lead: str | None = None,
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> ECGDisplay:
        """Show a record, with a map of it if there is one.

        Parameters
        ----------
        signal : array-like of shape (n_leads, n_times) or (n_times,)
            The record, in `unit`.
        heat : array-like of shape (n_times,) or (n_leads, n_times), optional
            Map of the evidence in time, or in each lead and time.
        fs : float, optional
            Sampling frequency in Hz. Without it the axis of time is in samples.
        lead_names : sequence of str of length n_leads, optional
            By default `STANDARD_LEADS` for twelve leads, else numbers.
        unit : str, default="mV"
            Unit of `signal`, such as "standardised".
        explained : object, optional
            Class that `heat` speaks for.
        heat_unit : str, default="arbitrary unit"
            Unit of `heat`, for the colour bar.
        true_label, predicted : label or array-like of labels, optional
            True and predicted class, for the title.
        probability : float or mapping of label to float, optional
            Probability of the predicted class, or of each class.
        layout : {"12x1", "3x4", "6x2"}, default="12x1"
            Where leads stand, as in `plot`.
        lead : str, optional
            Name of a lead to show alone.
        ax : Axes, optional
            Where to plot; by default a new figure of the size of the paper.
        vmax : float, optional
            Evidence of the darkest shade; by default the greatest in the map.

        Returns
        -------
        display : ECGDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If shapes do not fit together, or the layout needs other leads.

        Examples
        --------
        >>> from sk_erts.datasets import make_ecg
        >>> from sk_erts.plotting import ECGDisplay
        >>> X, y = make_ecg(1, random_state=0)
        >>> display = ECGDisplay.from_arrays(
        ...     X[0], fs=100, layout="3x4", true_label=y[0]
        ... )
        >>> len(display.lines_)  # twelve quarters, and the rhythm strip
        13
        """
        display = cls(
            signal,
            heat,
            fs=fs,
            lead_names=lead_names,
            unit=unit,
            explained=explained,
            heat_unit=heat_unit,
            true_label=true_label,
            predicted=predicted,
            probability=probability,
        )
        return display.plot(ax=ax, layout=layout, lead=lead, vmax=vmax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        record: Any,
        *,
        method: str = "gradcam",
        fs: float | None = None,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        target: Any = None,
        contrast: Any = None,
        true_label: Any = None,
        layout: str = "12x1",
        lead: str | None = None,
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> ECGDisplay:
        """Show a record with the map of a fitted classifier.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`.
        record : array-like of shape (n_leads, n_times) or (n_times,)
            One record, as `fit` was given many of.
        method : str, default="gradcam"
            Attribution method, which ``estimator.explain`` is asked for.
        fs : float, optional
            Sampling frequency in Hz. Without it the axis of time is in samples.
        lead_names : sequence of str of length n_leads, optional
            By default `STANDARD_LEADS` for twelve leads, else numbers.
        unit : str, default="mV"
            Unit of the record, such as "standardised".
        target : label, optional
            The class to explain; by default the most probable one.
        contrast : "rival" or label, optional
            What it is set against: ``"rival"`` is the most probable other class, which
            the colour bar names, or of several labels the absence of this one.
        true_label : label or array-like of labels, optional
            For the title.
        layout : {"12x1", "3x4", "6x2"}, default="12x1"
            Where leads stand, as in `plot`.
        lead : str, optional
            Name of a lead to show alone.
        ax : Axes, optional
            Where to plot; by default a new figure of the size of the paper.
        vmax : float, optional
            Evidence of the darkest shade; by default the greatest in the map.

        Returns
        -------
        display : ECGDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the estimator gives no maps, or the record is not one as in `fit`.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> from sk_erts.plotting import ECGDisplay
        >>> X, y = make_ecg(30, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier(module__width=4, max_epochs=2, verbose=0).fit(X, y)
        >>> display = ECGDisplay.from_estimator(clf, X[0], fs=100, target="PVC")
        >>> print(display.colorbar_.ax.get_ylabel())
        evidence for PVC (Grad-CAM, logit per step)
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "explain"):
            raise ValueError(
                "The 'estimator' of ECGDisplay.from_estimator must have a method "
                f"'explain', as ERTSClassifier has. Got {type(estimator).__name__} "
                "instead; from a pipeline or a search pass the classifier in it."
            )
        signal = as_record(cls.__name__, "record", record)
        batch = signal[np.newaxis]  # (1, leads, times)
        proba = estimator.predict_proba(batch)[0]
        likeliest = estimator.classes_[np.argmax(proba)]
        explained = likeliest if target is None else target
        predicted = estimator.predict(batch)[0]
        several = np.ndim(predicted) == 1
        heat, heat_unit = explained_by(
            estimator, batch, method, explained, contrast=contrast
        )
        if contrast is not None:
            others = np.where(estimator.classes_ == explained, -np.inf, proba)
            rival = estimator.classes_[np.argmax(others)]
            if isinstance(contrast, str) and contrast == "rival":
                contrast = f"no {explained}" if several else rival
            explained = f"{explained} over {contrast}"
        return cls.from_arrays(
            signal,
            heat,
            fs=fs,
            lead_names=lead_names,
            unit=unit,
            explained=explained,
            heat_unit=heat_unit,
            true_label=true_label,
            predicted=estimator.classes_[predicted == 1] if several else predicted,
            probability=dict(zip(estimator.classes_, proba.tolist(), strict=True)),
            layout=layout,
            lead=lead,
            ax=ax,
            vmax=vmax,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        layout: str = "12x1",
        lead: str | None = None,
        vmax: float | None = None,
    ) -> ECGDisplay:
        """Draw paper, heat layer and traces.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot, with its size unchanged; by default a new figure of the
            size of the paper.
        layout : {"12x1", "3x4", "6x2"}, default="12x1"
            All leads one under another, however many there are; three rows of four
            leads and the whole of lead II below; or six rows of two leads. Columns
            follow one another in time, and in the order I to III, aVR to aVF, V1 to
            V3, V4 to V6: of 10 s each lead shows 2.5 s, or 5 s with two columns.
        lead : str, optional
            Name of a lead to show alone.
        vmax : float, optional
            Evidence of the darkest shade, to compare records; by default the
            greatest in `heat`, whether it is shown or not.

        Returns
        -------
        self : ECGDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the layout is unknown, or needs leads that the record does not have.
        """
        import_optional("matplotlib", extra="plot", purpose="ECGDisplay.plot")
        sheet = lay_out(self.signal, self.fs, self.unit, self.lead_names, layout, lead)
        strip = sheet.strip
        if self.unit == MILLIVOLT.unit and strip.gain != MILLIVOLT:
            usual = float(np.median(np.ptp(self.signal, axis=1)))
            warnings.warn(
                f"The record of ECGDisplay is drawn as if in mV, and its usual lead "
                f"spans {usual:.3g} mV, which no heart gives. It may be in microvolt: "
                "pass X / 1000, or its 'unit'. The boxes take a height that fits.",
                DoubtfulInputWarning,
                stacklevel=2,
            )
        scale = None if self.heat is None else heat_scale(self.heat, vmax, "ECGDisplay")
        label = []
        if scale is not None:
            words = evidence_label(self.explained, self.heat_unit, scale.signed)
            label = wrapped_label(words, strip)
        to_scale = ax is None and strip.magnification == 1
        if ax is None:
            ax = figure_for(strip, beside_mm(label))
        self.ax_ = ax
        self.figure_ = ax.figure
        self.offsets_ = sheet.offsets
        draw_grid(ax, strip, to_scale=to_scale)
        self.heat_: Any = None
        self.colorbar_: Any = None
        if self.heat is not None and scale is not None:
            self.heat_ = draw_heat(ax, sheet, self.heat, scale)
            self.colorbar_ = draw_colorbar(ax, strip, self.heat_, scale, label)
        self.lines_: list[Any] = []
        for row, names, offset in zip(
            sheet.rows, sheet.names, sheet.offsets, strict=True
        ):
            draw_calibration(ax, offset, strip.gain, strip.clock)
            for cell, place in zip(row, names, strict=True):
                self._plot_trace(ax, cell, offset, sheet.rate)
                write_name(ax, self.lead_names[cell.lead], place, sheet.names_beside)
            for cell in row[1:]:
                mark_change(ax, (cell.start - 0.5) / sheet.rate, offset, strip.gain)
        ax.set_title(
            title_of(self.true_label, self.predicted, self.probability),
            loc="left",
            fontsize="medium",
        )
        return self

    def _plot_trace(self, ax: Axes, cell: Cell, offset: float, rate: float) -> None:
        """Draw what a cell shows of a lead, at its time in the record."""
        self.lines_ += ax.plot(
            np.arange(cell.start, cell.stop) / rate,
            self.signal[cell.lead, cell.start : cell.stop] + offset,
            color="black",
            linewidth=0.8,
            zorder=3,
        )
