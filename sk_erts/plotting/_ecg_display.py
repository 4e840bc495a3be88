"""A record on ECG paper, with the evidence behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._optional import import_optional
from sk_erts._typing import FloatArray
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.plotting._paper import (
    Strip,
    draw_calibration,
    draw_grid,
    figure_for,
    lead_offsets,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ECGDisplay"]

# One hue from white on; black traces keep a contrast above 5 on the darkest shade.
_SHADES = ("#ffffff", "#4a9bd9")


class ECGDisplay:
    """Show a record on ECG paper, and behind it where the evidence is.

    Leads stand one under another at 25 mm/s and 10 mm/mV: a small box is 0.04 s by
    0.1 mV, a large one 0.2 s by 0.5 mV, and a pulse of 1 mV for 0.2 s stands before
    each lead. A figure of its own has the size of the paper. Use `from_estimator` to
    show what a classifier saw in a record.

    Parameters
    ----------
    signal : array-like of shape (n_leads, n_times) or (n_times,)
        The record in mV.
    heat : array-like of shape (n_times,), optional
        Map of the evidence in time, at least 0, such as Grad-CAM gives.
    fs : float, default=100
        Sampling frequency in Hz.
    lead_names : sequence of str of length n_leads, optional
        By default `STANDARD_LEADS` for twelve leads, else numbers.
    explained : object, optional
        Class that `heat` speaks for.
    heat_unit : str, default="arbitrary unit"
        Unit of `heat`, for the colour bar.
    true_label, predicted : object, optional
        True and predicted class, for the title.
    probability : float, optional
        Probability of the predicted class.

    Attributes
    ----------
    lines_ : list of Line2D
        One trace per lead, raised by `offsets_`.
    offsets_ : ndarray of shape (n_leads,), dtype float64
        Where 0 mV of each lead stands on the vertical axis, in mV.
    heat_ : AxesImage or None
        The heat layer, of shape (1, n_times).
    colorbar_ : Colorbar or None
        The scale of the heat layer.
    ax_ : Axes
        Horizontal unit s, vertical unit mV.
    figure_ : Figure
        The figure that holds it.

    Raises
    ------
    ValueError
        If shapes do not fit together, or values are not finite.

    See Also
    --------
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
    ...     X[0], evidence.mask[0], lead_names=evidence.lead_names, true_label=y[0]
    ... )
    >>> display.plot().ax_.get_title(loc="left")
    'true: PVC'
    """

    def __init__(
        self,
        signal: Any,
        heat: Any = None,
        *,
        fs: float = 100,
        lead_names: Sequence[str] | None = None,
        explained: Any = None,
        heat_unit: str = "arbitrary unit",
        true_label: Any = None,
        predicted: Any = None,
        probability: float | None = None,
    ) -> None:
        self.signal = _check_signal(signal)
        self.heat = None if heat is None else _check_heat(heat, self.signal.shape[1])
        if not fs > 0:
            raise ValueError(
                "The 'fs' of ECGDisplay must be a sampling frequency in Hz, above 0. "
                f"Got {fs!r} instead."
            )
        self.fs = float(fs)
        self.lead_names = _check_names(lead_names, len(self.signal))
        self.explained = explained
        self.heat_unit = heat_unit
        self.true_label = true_label
        self.predicted = predicted
        self.probability = probability

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        record: Any,
        *,
        fs: float = 100,
        lead_names: Sequence[str] | None = None,
        target: Any = None,
        true_label: Any = None,
        ax: Axes | None = None,
        vmax: float | None = None,
    ) -> ECGDisplay:
        """Show a record with the map of a fitted classifier.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`.
        record : array-like of shape (n_leads, n_times) or (n_times,)
            One record in mV, as `fit` was given many of.
        fs : float, default=100
            Sampling frequency in Hz.
        lead_names : sequence of str of length n_leads, optional
            By default `STANDARD_LEADS` for twelve leads, else numbers.
        target : label, optional
            The class to explain; by default the most probable one.
        true_label : label or array-like of labels, optional
            For the title.
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
        >>> display = ECGDisplay.from_estimator(clf, X[0], target="PVC")
        >>> display.colorbar_.ax.get_ylabel()
        'evidence for PVC (Grad-CAM, logit per step)'
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "explain"):
            raise ValueError(
                "The 'estimator' of ECGDisplay.from_estimator must have a method "
                f"'explain', as ERTSClassifier has. Got {type(estimator).__name__} "
                "instead; from a pipeline or a search pass the classifier in it."
            )
        signal = _check_signal(record)
        batch = signal[np.newaxis]  # (1, leads, times)
        proba = estimator.predict_proba(batch)[0]
        likeliest = estimator.classes_[np.argmax(proba)]
        explained = likeliest if target is None else target
        predicted = estimator.predict(batch)[0]
        several = np.ndim(predicted) == 1
        display = cls(
            signal,
            estimator.explain(batch, target=explained)[0],
            fs=fs,
            lead_names=lead_names,
            explained=explained,
            heat_unit="Grad-CAM, logit per step",
            true_label=true_label,
            predicted=estimator.classes_[predicted == 1] if several else predicted,
            probability=None if several else float(proba.max()),
        )
        return display.plot(ax=ax, vmax=vmax)

    def plot(self, ax: Axes | None = None, *, vmax: float | None = None) -> ECGDisplay:
        """Draw paper, heat layer and traces.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot, with its size unchanged; by default a new figure of the
            size of the paper.
        vmax : float, optional
            Evidence of the darkest shade, to compare records; by default the
            greatest in `heat`.

        Returns
        -------
        self : ECGDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        import_optional("matplotlib", extra="plot", purpose="ECGDisplay.plot")
        self.offsets_, bottom, top = lead_offsets(self.signal)
        strip = Strip(self.signal.shape[1] / self.fs, bottom, top)
        self.ax_ = ax = figure_for(strip) if ax is None else ax
        self.figure_ = ax.figure
        draw_grid(ax, strip)
        self.heat_: Any = None
        self.colorbar_: Any = None
        if self.heat is not None:
            self._plot_heat(ax, strip, self.heat, vmax)
        self._plot_traces(ax)
        ax.set_title(self._title(), loc="left", fontsize="medium")
        return self

    def _plot_heat(
        self, ax: Axes, strip: Strip, heat: FloatArray, vmax: float | None
    ) -> None:
        """Lay the map behind all leads, and its scale beside them."""
        colors = import_optional(
            "matplotlib.colors", extra="plot", purpose="ECGDisplay.plot"
        )
        half = 0.5 / self.fs  # a sample stands in the middle of its column
        self.heat_ = ax.imshow(
            heat[np.newaxis],  # (1, times)
            cmap=colors.LinearSegmentedColormap.from_list("evidence", _SHADES),
            vmin=0,
            vmax=vmax or heat.max() or 1,
            aspect=ax.get_aspect(),
            extent=(-half, strip.duration_s - half, strip.bottom_mv, strip.top_mv),
            interpolation="nearest",
            zorder=0,
        )
        ax.set(xlim=strip.xlim, ylim=strip.ylim)
        width = strip.xlim[1] - strip.xlim[0]
        beside = ax.inset_axes((1 + 0.12 / width, 0, 0.12 / width, 1))
        self.colorbar_ = ax.figure.colorbar(
            self.heat_, cax=beside, extend="max" if vmax else "neither"
        )
        of = "" if self.explained is None else f" for {self.explained}"
        self.colorbar_.set_label(f"evidence{of} ({self.heat_unit})")

    def _plot_traces(self, ax: Axes) -> None:
        """Draw pulse, name and trace of each lead."""
        times = np.arange(self.signal.shape[1]) / self.fs
        self.lines_ = []
        for name, lead, offset in zip(
            self.lead_names, self.signal, self.offsets_, strict=True
        ):
            draw_calibration(ax, name, offset)
            self.lines_ += ax.plot(
                times, lead + offset, color="black", linewidth=0.8, zorder=3
            )

    def _title(self) -> str:
        """Return true and predicted class, and the probability of the latter."""
        parts = []
        if self.true_label is not None:
            parts.append(f"true: {_words(self.true_label)}")
        if self.predicted is not None:
            share = "" if self.probability is None else f" ({self.probability:.0%})"
            parts.append(f"predicted: {_words(self.predicted)}{share}")
        return ", ".join(parts)


def _words(label: Any) -> str:
    """Return one label, or several joined."""
    if np.ndim(label) == 0:
        return str(label)
    return " + ".join(map(str, label)) or "nothing"


def _check_signal(signal: Any) -> FloatArray:
    """Return a record as (leads, times), or raise."""
    values: FloatArray = np.asarray(signal, dtype=np.float32)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(
            "The record of ECGDisplay must have the shape (n_leads, n_times) or "
            f"(n_times,). Got the shape {values.shape} instead; from many records "
            "pass one, such as X[0]."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            "The record of ECGDisplay must be finite. Got NaN or infinite values "
            "instead; fill them in before."
        )
    return np.atleast_2d(values)


def _check_heat(heat: Any, n_times: int) -> FloatArray:
    """Return a map as floats, or raise."""
    values: FloatArray = np.asarray(heat, dtype=np.float32)
    if values.shape != (n_times,):
        raise ValueError(
            "The 'heat' of ECGDisplay must have one value for each of the "
            f"{n_times} time steps of the record. Got the shape {values.shape} "
            "instead; 'explain' gives such maps with resample=True."
        )
    if not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError(
            "The 'heat' of ECGDisplay must be finite and at least 0. Got values from "
            f"{values.min():g} to {values.max():g} instead; cut a signed map with "
            "np.maximum(heat, 0)."
        )
    return values


def _check_names(names: Sequence[str] | None, n_leads: int) -> tuple[str, ...]:
    """Return names of the leads, or raise."""
    if names is None:
        if n_leads == len(STANDARD_LEADS):
            return STANDARD_LEADS
        return tuple(str(number) for number in range(1, n_leads + 1))
    if len(names) != n_leads or isinstance(names, str):
        raise ValueError(
            "The 'lead_names' of ECGDisplay must be one name for each of the "
            f"{n_leads} leads of the record. Got {names!r} instead."
        )
    return tuple(names)
