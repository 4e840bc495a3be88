"""ECG paper: boxes, calibration pulse, and room for the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "MILLIVOLT",
    "SECONDS",
    "Clock",
    "Gain",
    "Strip",
    "choose_gain",
    "clock_for",
    "draw_calibration",
    "draw_grid",
    "figure_for",
    "mark_change",
    "row_offsets",
    "write_name",
]

SPEED_MM_PER_S = 25.0

# Sides of the boxes: small ones are 1 mm wide and high on paper, large ones 5 mm.
SMALL_S, LARGE_S = 0.04, 0.2
SMALL_PER_LARGE = 5

# Left of the record stand the lead's name, if it is not beside its trace, and the
# pulse, which ends 0.1 s before the record.
MARGIN_S = {"names": 1.2, "no names": 0.6}
_PULSE_S = (-0.5, -0.4, -0.4, -0.2, -0.2, -0.1)
_PULSE_BOXES = 10

# A lead between the two peaks fills about as many small boxes.
_USUAL_BOXES = 15
# No heart gives the usual lead more between the two peaks.
_MOST_MV = 20

# Of a record whose sampling frequency is not known.
_USUAL_LARGE_BOXES = 50

# Around the paper, for labels: left, bottom, top; and the least on the right.
_BORDER_MM = (4.0, 17.0, 11.0)
_RIGHT_MM = 6.0
# A short record is enlarged to a width, a long one shrunk.
_WIDTH_MM = (140.0, 500.0)
_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Gain:
    """What a box means upwards.

    Attributes
    ----------
    small : float
        Height of a small box, in the unit of the signal.
    unit : str
        Of the signal.
    """

    small: float
    unit: str

    @property
    def large(self) -> float:
        """Height of a large box."""
        return round(self.small * SMALL_PER_LARGE, 12)

    @property
    def pulse(self) -> float:
        """Height of the calibration pulse."""
        return round(self.small * _PULSE_BOXES, 12)


MILLIVOLT = Gain(0.1, "mV")


@dataclass(frozen=True)
class Clock:
    """What a box means from left to right.

    Attributes
    ----------
    large : float
        Width of a large box, in the unit.
    unit : str
        "s"; or "samples", if the sampling frequency is not known.
    """

    large: float
    unit: str

    @property
    def small(self) -> float:
        """Width of a small box."""
        return self.large / SMALL_PER_LARGE

    @property
    def per_s(self) -> float:
        """Units in the five large boxes that are 1 s on paper."""
        return self.large / LARGE_S


SECONDS = Clock(LARGE_S, "s")


@dataclass(frozen=True)
class Strip:
    """A piece of ECG paper.

    Attributes
    ----------
    duration : float
        Length of the record, in the unit of the clock.
    bottom, top : float
        Vertical limits, in the unit of the signal.
    gain : Gain
        What a box means upwards.
    margin_s : float
        Room left of the record, in s of the paper.
    clock : Clock
        What a box means from left to right.
    """

    duration: float
    bottom: float
    top: float
    gain: Gain = MILLIVOLT
    margin_s: float = MARGIN_S["names"]
    clock: Clock = SECONDS

    @property
    def xlim(self) -> tuple[float, float]:
        """Begin and end, on lines of large boxes."""
        n_boxes = np.ceil(round(self.duration / self.clock.large, 6))
        return -self.margin_s * self.clock.per_s, float(n_boxes) * self.clock.large

    @property
    def ylim(self) -> tuple[float, float]:
        """Lower and upper end."""
        return self.bottom, self.top

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the paper in mm."""
        width = SPEED_MM_PER_S * (self.xlim[1] - self.xlim[0]) / self.clock.per_s
        return width, (self.top - self.bottom) / self.gain.small

    @property
    def magnification(self) -> float:
        """Size in a figure of its own, in sizes of the paper."""
        return float(np.clip(self.size_mm[0], *_WIDTH_MM)) / self.size_mm[0]


def choose_gain(signal: FloatArray, unit: str) -> Gain:
    """Choose what a small box means: 0.1 mV, or a fitting step of any other unit.

    Parameters
    ----------
    signal : ndarray of shape (n_leads, n_times)
        In the unit.
    unit : str
        "mV" gives the gain of ECG paper, if the usual lead can be in mV: below 20
        between its two peaks.

    Returns
    -------
    gain : Gain
        Else such that the usual lead fills about 15 small boxes of 1, 2 or 5 times a
        power of ten.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting._paper import choose_gain
    >>> choose_gain(np.array([[0.0, 7.0]]), "standardised")
    Gain(small=0.5, unit='standardised')
    >>> choose_gain(np.array([[0.0, 7.0]]), "mV")
    Gain(small=0.1, unit='mV')
    """
    usual = float(np.median(np.ptp(signal, axis=1)))
    if unit == MILLIVOLT.unit and usual < _MOST_MV:
        return MILLIVOLT
    return Gain(_round_step(usual / _USUAL_BOXES) if usual else 0.1, unit)


def clock_for(n_times: int, fs: float | None) -> Clock:
    """Choose what a large box means from left to right.

    Parameters
    ----------
    n_times : int
        Samples of the record.
    fs : float or None
        Sampling frequency in Hz, if it is known.

    Returns
    -------
    clock : Clock
        Seconds; else samples, such that the record fills about 50 large boxes, as one
        of 10 s does.

    Examples
    --------
    >>> from sk_erts.plotting._paper import clock_for
    >>> clock_for(5000, None), clock_for(5000, 500)
    (Clock(large=100.0, unit='samples'), Clock(large=0.2, unit='s'))
    """
    if fs is not None:
        return SECONDS
    return Clock(max(1.0, _round_step(n_times / _USUAL_LARGE_BOXES)), "samples")


def row_offsets(
    lows: FloatArray, highs: FloatArray, gain: Gain = MILLIVOLT
) -> tuple[FloatArray, FloatArray]:
    """Stack rows so that neighbours do not touch, on lines of large boxes.

    Parameters
    ----------
    lows, highs : ndarray of shape (n_rows,)
        Least and greatest value in each row, in the unit of the signal.
    gain : Gain, optional
        What a box means upwards.

    Returns
    -------
    offsets : ndarray of shape (n_rows,)
        Where 0 of each row stands; 0 for the last one.
    edges : ndarray of shape (n_rows + 1,)
        Where rows begin and end from top to bottom, on lines of small boxes.
    """
    # The pulse needs ten boxes above the line; wild noise may touch other rows.
    above = np.clip(highs / gain.small, _PULSE_BOXES, 30) + 1
    below = np.clip(-lows / gain.small, 2, 30) + 1
    gaps = _whole_boxes(below[:-1] + above[1:])
    zeros = np.append(np.cumsum(gaps[::-1])[::-1], 0.0)
    between = (zeros[:-1] - below[:-1] + zeros[1:] + above[1:]) / 2
    edges = [
        zeros[0] + _whole_boxes(above[0]),
        *np.round(between),
        -_whole_boxes(below[-1]),
    ]
    return zeros * gain.small, np.array(edges, dtype=float) * gain.small


def figure_for(strip: Strip, beside_mm: float = 0.0) -> Axes:
    """Make a figure in which the strip has the size of paper.

    Parameters
    ----------
    strip : Strip
        Records below about 4.5 s are enlarged, such above 19 s shrunk.
    beside_mm : float, default=0.0
        Room for a colour bar and its label on the right, in mm.

    Returns
    -------
    ax : Axes
        Fills the figure but for a border for the labels.
    """
    pyplot = import_optional("matplotlib.pyplot", extra="plot", purpose="A figure")
    paper = np.array(strip.size_mm) * strip.magnification
    left, bottom, top = _BORDER_MM
    right = max(beside_mm, _RIGHT_MM)
    size = paper + np.array([left + right, bottom + top])
    figure = pyplot.figure(figsize=size / _MM_PER_INCH)
    ax: Axes = figure.add_axes((*((left, bottom) / size), *(paper / size)))
    return ax


def draw_grid(ax: Axes, strip: Strip, *, to_scale: bool) -> None:
    """Draw boxes, a scale in seconds, and what a box means.

    Parameters
    ----------
    ax : Axes
        Gets the limits of the strip, and one length for 1 mm in both directions.
    strip : Strip
        What to cover.
    to_scale : bool
        Whether 1 mm of the strip is 1 mm of the figure, so that its label may say so.
    """
    (left, right), (bottom, top) = strip.xlim, strip.ylim
    gain, clock = strip.gain, strip.clock
    for name, wide, step, color, width in (
        ("small boxes", clock.small, gain.small, "#f0c4c4", 0.35),
        ("large boxes", clock.large, gain.large, "#dc9292", 0.7),
    ):
        x = np.arange(round(left / wide), round(right / wide) + 1) * wide
        y = np.arange(round(bottom / step), round(top / step) + 1) * step
        for lines in (
            ax.vlines(x, bottom, top, colors=color, label=f"{name}, {clock.unit}"),
            ax.hlines(y, left, right, colors=color, label=f"{name}, {gain.unit}"),
        ):
            lines.set(linewidth=width, zorder=1)
    ax.set(
        xlim=(left, right),
        ylim=(bottom, top),
        xlabel=_scale_in_words(gain, clock, to_scale),
        yticks=[],
    )
    right_s = right / clock.per_s
    step_s = max(1, round(right_s / 20)) if right_s > 2 else LARGE_S
    ax.set_xticks(np.arange(0, right_s + 0.01, step_s) * clock.per_s)
    ax.set_aspect(clock.per_s / (gain.small * SPEED_MM_PER_S))


def draw_calibration(
    ax: Axes, offset: float, gain: Gain = MILLIVOLT, clock: Clock = SECONDS
) -> None:
    """Draw the pulse of ten small boxes for 0.2 s before a row.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    offset : float
        Where 0 of the row stands.
    gain : Gain, optional
        In mV the pulse is 1 mV, which needs no words; else its height is written.
    clock : Clock, optional
        What a box means from left to right.
    """
    times = np.array(_PULSE_S) * clock.per_s
    height = np.array([0, 0, gain.pulse, gain.pulse, 0, 0]) + offset
    ax.plot(times, height, color="black", linewidth=0.8, zorder=3)
    if gain != MILLIVOLT:
        ax.text(
            (times[2] + times[3]) / 2,
            offset + gain.pulse / 2,
            f"{gain.pulse:g}",
            ha="center",
            va="center",
            fontsize="small",
            zorder=3,
        )


def write_name(ax: Axes, name: str, place: tuple[float, float], beside: bool) -> None:
    """Write the name of a lead.

    Parameters
    ----------
    ax : Axes
        Where to write.
    name : str
        Of the lead.
    place : tuple of (float, float)
        When it begins, and its height.
    beside : bool
        Whether it stands above its trace, else level with the pulse.
    """
    effects = import_optional(
        "matplotlib.patheffects", extra="plot", purpose="A figure"
    )
    ax.text(
        *place,
        name,
        va="bottom" if beside else "center",
        fontweight="bold",
        zorder=4,
        # Names above a trace stay legible where a neighbour is tall.
        path_effects=[effects.withStroke(linewidth=2, foreground="white")],
    )


def mark_change(ax: Axes, time: float, offset: float, gain: Gain) -> None:
    """Mark where one lead of a row ends and the next begins.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    time : float
        Between the last sample of the one and the first of the other.
    offset : float
        Where 0 of the row stands.
    gain : Gain
        What a box means upwards.
    """
    boxes = np.array([-5, 2.5])  # leaves the trace alone
    ax.vlines(
        [time, time],
        offset + boxes * gain.small,
        offset + (boxes + 2.5) * gain.small,
        colors="black",
        linewidth=0.8,
        label="next lead",
        zorder=3,
    )


def _scale_in_words(gain: Gain, clock: Clock, to_scale: bool) -> str:
    """Return the label of the axis of time: no claim in mm that does not hold."""
    in_unit = gain.unit if gain.unit == MILLIVOLT.unit else f"({gain.unit})"
    box = f"a large box is {clock.large:g} {clock.unit} by {gain.large:g} {in_unit}"
    if clock != SECONDS:
        return f"time (samples, as 'fs' is not given); {box}"
    if to_scale and gain == MILLIVOLT:
        return f"time (s), at {SPEED_MM_PER_S:g} mm/s and {1 / gain.small:g} mm/mV"
    speed = f", at {SPEED_MM_PER_S:g} mm/s" if to_scale else ""
    return f"time (s){speed}; {box}"


def _round_step(step: float) -> float:
    """Return the nearest of 1, 2 and 5 times a power of ten."""
    steps = 10.0 ** np.floor(np.log10(step)) * np.array([1, 2, 5, 10])
    nearest = steps[np.argmin(np.abs(np.log(steps / step)))]
    return float(f"{nearest:.1g}")


def _whole_boxes(height: FloatArray) -> FloatArray:
    """Round numbers of small boxes up to large boxes."""
    height = np.asarray(height, dtype=float)
    boxes: FloatArray = np.ceil(np.round(height / SMALL_PER_LARGE, 6)) * SMALL_PER_LARGE
    return boxes
