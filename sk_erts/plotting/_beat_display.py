"""The average beat with the average map behind it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.checks import check_frequency, refuse
from sk_erts._lib.optional import import_optional
from sk_erts.plotting._divide import divide
from sk_erts.plotting._explained import explained_by
from sk_erts.plotting._heat import HeatScale, evidence_label, heat_scale, mark_against
from sk_erts.plotting._paper import LARGE_S, choose_gain
from sk_erts.plotting._record import as_heat, as_record, name_leads

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BeatAttributionDisplay"]

# Where the waves of a usual beat are, in s from the R peak.
_USUAL_WINDOWS = {
    "P": (-0.20, -0.08),
    "QRS": (-0.05, 0.05),
    "ST": (0.05, 0.15),
    "T": (0.15, 0.36),
}

# Room of a panel in inches, and the most columns.
_PANEL_IN, _MOST_COLUMNS = (2.4, 2.1), 4
# Of the colour bar's label, beside each row of panels.
_LETTERS_PER_ROW = 22


class BeatAttributionDisplay:
    """Show the average beat, and behind it where the evidence is on average.

    One panel for each lead, with time from the R peak on; twelve leads stand in the
    clinical order of columns. Lines lie 0.2 s and 0.5 mV apart, as those of large
    boxes. All panels have one scale of amplitude and one of colour.

    Parameters
    ----------
    beat : array-like of shape (n_leads, n_times) or (n_times,)
        The average beat, in `unit`.
    heat : array-like of shape (n_times,) or (n_leads, n_times)
        The average map, in time or in each lead and time.
    before_s : float
        Time from the first sample to the R peak, in s.
    fs : float, default=100
        Sampling frequency in Hz.
    lead_names : sequence of str of length n_leads, optional
        By default `STANDARD_LEADS` for twelve leads, else numbers.
    unit : str, default="mV"
        Unit of `beat`, such as "standardised".
    explained : object, optional
        Class that `heat` speaks for.
    heat_unit : str, default="arbitrary unit"
        Unit of `heat`, for the colour bar.
    windows : mapping of str to (float, float), optional
        Begin and end of each wave in s from the R peak. By default those of a usual
        beat: P from -0.20 to -0.08, QRS to 0.05 on either side, ST to 0.15 and T to
        0.36. They are marks for the eye, not measured in the beat.

    Attributes
    ----------
    lines_ : list of Line2D
        One trace per lead.
    heat_ : list of AxesImage
        The map behind each lead.
    colorbar_ : Colorbar
        Their one scale, centred on 0 if there are negative values.
    axes_ : list of Axes
        One panel per lead, in the order of the leads.
    figure_ : Figure
        The figure that holds them.

    Raises
    ------
    ValueError
        If shapes do not fit together, or values are not finite.

    See Also
    --------
    ClassAverageDisplay : Show the segments of the beat for all classes.
    ECGDisplay : Show one record with its map.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting import BeatAttributionDisplay
    >>> times = np.arange(-30, 50) / 100
    >>> beat = np.exp(-((times / 0.02) ** 2))
    >>> display = BeatAttributionDisplay.from_arrays(
    ...     beat, np.abs(beat), before_s=0.3, lead_names=["II"], explained="PVC"
    ... )
    >>> display.axes_[0].get_xlabel()
    'time from R (s)'
    """

    def __init__(
        self,
        beat: Any,
        heat: Any,
        *,
        before_s: float,
        fs: float = 100,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        explained: Any = None,
        heat_unit: str = "arbitrary unit",
        windows: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        owner = type(self).__name__
        self.beat = as_record(owner, "beat", beat)
        n_leads, n_times = self.beat.shape
        self.heat = as_heat(owner, heat, (n_leads, n_times))
        self.fs = check_frequency(owner, fs)
        if not 0 <= before_s < n_times / self.fs:
            wanted = (
                "be the time from the first sample of the beat to its R peak, below "
                f"{n_times / self.fs:g} s"
            )
            refuse(owner, "before_s", wanted, repr(before_s))
        self.before_s = float(before_s)
        self.lead_names = name_leads(owner, lead_names, n_leads)
        self.unit = unit
        self.explained = explained
        self.heat_unit = heat_unit
        self.windows = dict(_USUAL_WINDOWS if windows is None else windows)

    @classmethod
    def from_arrays(
        cls,
        beat: Any,
        heat: Any,
        *,
        before_s: float,
        fs: float = 100,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        explained: Any = None,
        heat_unit: str = "arbitrary unit",
        windows: Mapping[str, tuple[float, float]] | None = None,
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> BeatAttributionDisplay:
        """Show an average beat with an average map.

        Parameters
        ----------
        beat : array-like of shape (n_leads, n_times) or (n_times,)
            The average beat, in `unit`.
        heat : array-like of shape (n_times,) or (n_leads, n_times)
            The average map.
        before_s : float
            Time from the first sample to the R peak, in s.
        fs : float, default=100
            Sampling frequency in Hz.
        lead_names : sequence of str of length n_leads, optional
            By default `STANDARD_LEADS` for twelve leads, else numbers.
        unit : str, default="mV"
            Unit of `beat`.
        explained : object, optional
            Class that `heat` speaks for.
        heat_unit : str, default="arbitrary unit"
            Unit of `heat`, for the colour bar.
        windows : mapping of str to (float, float), optional
            Begin and end of each wave in s from the R peak.
        ax : Axes, optional
            Where to plot; for several leads it is divided. By default a new figure.
        vmax : float, optional
            Evidence of the darkest shade; by default the greatest in the map.

        Returns
        -------
        display : BeatAttributionDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If shapes do not fit together, or values are not finite.
        """
        display = cls(
            beat,
            heat,
            before_s=before_s,
            fs=fs,
            lead_names=lead_names,
            unit=unit,
            explained=explained,
            heat_unit=heat_unit,
            windows=windows,
        )
        return display.plot(ax=ax, vmax=vmax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        record: Any,
        *,
        method: str = "gradcam",
        target: Any = None,
        peaks: Any = None,
        before_s: float = 0.3,
        after_s: float = 0.5,
        fs: float = 100,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> BeatAttributionDisplay:
        """Explain a record by a fitted classifier, and show the average of its beats.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`, with one class per record.
        record : ndarray of shape (n_leads, n_times)
            One record, as `fit` was given many of.
        method : str, default="gradcam"
            A key of :data:`sk_erts.attribution.METHODS`.
        target : label, optional
            The class to explain; by default the most probable one.
        peaks : int array-like of shape (n_beats,), optional
            Samples of the R peaks; by default `sk_erts.beats.r_peaks` finds them.
        before_s, after_s : float, default=0.3 and 0.5
            Begin and end of the beat, in s from the R peak.
        fs : float, default=100
            Sampling frequency in Hz.
        lead_names : sequence of str of length n_leads, optional
            By default `STANDARD_LEADS` for twelve leads, else numbers.
        unit : str, default="mV"
            Unit of `record`.
        ax : Axes, optional
            Where to plot; for several leads it is divided. By default a new figure.
        vmax : float, optional
            Evidence of the darkest shade; by default the greatest in the map.

        Returns
        -------
        display : BeatAttributionDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If there is no such method, the record is not as in `fit`, or no whole beat
            is found in it.
        """
        from sk_erts.beats import beat_average, r_peaks

        signal = as_record(cls.__name__, "record", record)
        X = signal[np.newaxis]
        label = estimator.predict(X)[0] if target is None else target
        heat, heat_unit = explained_by(estimator, X, method, label)
        found = r_peaks(signal, fs) if peaks is None else np.asarray(peaks)
        beat, average = (
            beat_average(values, found, fs, before_s, after_s)
            for values in (signal, heat)
        )
        if beat.n_beats == 0:
            raise ValueError(
                f"The record of {cls.__name__} must hold a beat from {before_s:g} s "
                f"before its R peak to {after_s:g} s after it. Got {len(found)} peaks "
                "and no such beat instead; give 'peaks', or a shorter window."
            )
        return cls.from_arrays(
            beat.mean,
            average.mean,
            before_s=before_s,
            fs=fs,
            lead_names=lead_names,
            unit=unit,
            explained=label,
            heat_unit=heat_unit,
            ax=ax,
            vmax=vmax,
        )

    def plot(
        self, ax: Axes | None = None, *, vmax: float | None = None
    ) -> BeatAttributionDisplay:
        """Draw a panel for each lead.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; for several leads it is divided. By default a new figure.
        vmax : float, optional
            Evidence of the darkest shade; by default the greatest in the map.

        Returns
        -------
        self : BeatAttributionDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `vmax` is not above 0, or `ax` cannot be divided.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="BeatAttributionDisplay.plot"
        )
        scale = heat_scale(self.heat, vmax, "BeatAttributionDisplay")
        n_leads = len(self.beat)
        n_rows = -(-n_leads // _MOST_COLUMNS)
        n_columns = -(-n_leads // n_rows)
        if ax is None:
            size = np.array(_PANEL_IN) * (n_columns, n_rows) + (1.8, 0.6)
            _, ax = pyplot.subplots(figsize=tuple(size), layout="constrained")
        self.figure_ = ax.figure
        panels = (
            [ax]
            if n_leads == 1
            else divide(ax, (n_rows, n_columns), type(self).__name__)
        )
        # Leads go down the columns, as on paper.
        order = [k % n_rows * n_columns + k // n_rows for k in range(n_leads)]
        self.axes_ = [panels[place] for place in order]
        for place in set(range(len(panels))) - set(order):
            panels[place].remove()
        self.lines_: list[Any] = []
        self.heat_: list[Any] = []
        bottom, top = self._limits()
        for k, panel in enumerate(self.axes_):
            self._plot_panel(panel, k, scale, (bottom, top))
            if order[k] // n_columns == n_rows - 1 or k == n_leads - 1:
                panel.set_xlabel("time from R (s)")
                panel.tick_params(axis="x", labelbottom=True)
            if order[k] % n_columns == 0:
                panel.set_ylabel(self.unit)
        self.colorbar_ = ax.figure.colorbar(
            self.heat_[0], ax=self.axes_, extend=scale.extend
        )
        label = evidence_label(self.explained, self.heat_unit, scale.signed)
        lines = textwrap.wrap(label, _LETTERS_PER_ROW * n_rows)
        self.colorbar_.set_label("\n".join(lines))
        return self

    def _limits(self) -> tuple[float, float]:
        """Return limits for all panels on lines, with room above for the windows."""
        large = choose_gain(self.beat, self.unit).large
        bottom = np.floor(self.beat.min() / large - 0.2) * large
        top = np.ceil(self.beat.max() / large + 0.2) * large
        return float(bottom), float(top + 0.14 * (top - bottom))

    def _plot_panel(
        self, ax: Axes, lead: int, scale: HeatScale, limits: tuple[float, float]
    ) -> None:
        """Draw lines, map, windows and trace of one lead."""
        n_times = self.beat.shape[1]
        times = np.arange(n_times) / self.fs - self.before_s
        half = 0.5 / self.fs
        xlim = (times[0] - half, times[-1] + half)
        heat = self.heat if self.heat.ndim == 1 else self.heat[lead]
        self.heat_.append(
            ax.imshow(
                heat[np.newaxis],  # (1, times)
                aspect="auto",
                extent=(*xlim, *limits),
                interpolation="nearest",
                zorder=0,
                **scale.options,
            )
        )
        large = choose_gain(self.beat, self.unit).large
        first, last = np.ceil(xlim[0] / LARGE_S), np.floor(xlim[1] / LARGE_S)
        ax.set_xticks(np.arange(first, last + 1) * LARGE_S)
        highest = np.floor(limits[1] / large) * large
        ax.set_yticks(np.arange(limits[0], highest + large / 2, large))
        if len(ax.get_yticks()) > 6:
            ax.set_yticks(ax.get_yticks()[::2])
        ax.grid(color="#dc9292", linewidth=0.5, zorder=1)
        ax.set_axisbelow(False)
        ax.axvline(0, color="#606060", linewidth=0.7, linestyle=":", zorder=2)
        if scale.signed:
            height = 0.025 * (limits[1] - limits[0])
            span = (limits[0], limits[0] + height)
            mark_against(ax, times, heat, scale, span)
        self.lines_ += ax.plot(
            times, self.beat[lead], color="black", linewidth=1.2, zorder=3
        )
        self._mark_windows(ax, xlim, limits)
        ax.set(xlim=xlim, ylim=limits)
        ax.set_title(
            self.lead_names[lead], loc="left", fontsize="medium", fontweight="bold"
        )
        ax.label_outer()

    def _mark_windows(
        self, ax: Axes, xlim: tuple[float, float], limits: tuple[float, float]
    ) -> None:
        """Write the names of the waves above, each over a line of its length."""
        height = limits[1] - limits[0]
        level = limits[1] - 0.11 * height
        for name, (first, last) in self.windows.items():
            begin, end = max(first, xlim[0]), min(last, xlim[1])
            if begin >= end:
                continue
            gap = 0.006  # neighbours do not run into one
            ax.plot(
                [begin + gap, end - gap],
                [level, level],
                color="#303030",
                linewidth=2.0,
                solid_capstyle="butt",
                label=f"window {name}",
                zorder=3,
            )
            ax.text(
                (begin + end) / 2,
                level + 0.015 * height,
                name,
                ha="center",
                va="bottom",
                fontsize="x-small",
                zorder=3,
            )
