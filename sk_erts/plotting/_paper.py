"""ECG paper: boxes, calibration pulse, and room for the leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sk_erts._optional import import_optional
from sk_erts._typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Strip", "draw_calibration", "draw_grid", "figure_for", "lead_offsets"]

SPEED_MM_PER_S = 25.0
GAIN_MM_PER_MV = 10.0

# Side of the boxes.
SMALL_S, SMALL_MV = 0.04, 0.1
LARGE_S, LARGE_MV = 0.2, 0.5

# Left of the record: name of the lead, then the pulse.
_MARGIN_S = 1.2
_PULSE_S = (-0.5, -0.4, -0.4, -0.2, -0.2, -0.1)
_PULSE_MV = (0, 0, 1, 1, 0, 0)

# Around the paper, for labels: left, right, bottom, top.
_BORDER_MM = (4.0, 27.0, 17.0, 11.0)
# A short record is enlarged to a width, a long one shrunk.
_WIDTH_MM = (140.0, 500.0)
_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Strip:
    """A piece of ECG paper.

    Attributes
    ----------
    duration_s : float
        Length of the record in s.
    bottom_mv, top_mv : float
        Vertical limits in mV.
    """

    duration_s: float
    bottom_mv: float
    top_mv: float

    @property
    def xlim(self) -> tuple[float, float]:
        """Begin and end in s, on lines of large boxes."""
        n_boxes = np.ceil(round(self.duration_s / LARGE_S, 6))
        return -_MARGIN_S, float(n_boxes) * LARGE_S

    @property
    def ylim(self) -> tuple[float, float]:
        """Lower and upper end in mV."""
        return self.bottom_mv, self.top_mv

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the paper in mm."""
        width = SPEED_MM_PER_S * (self.xlim[1] - self.xlim[0])
        return width, GAIN_MM_PER_MV * (self.top_mv - self.bottom_mv)


def lead_offsets(signal: FloatArray) -> tuple[FloatArray, float, float]:
    """Stack leads so that neighbours do not touch, on lines of large boxes.

    Parameters
    ----------
    signal : ndarray of shape (n_leads, n_times)
        In mV.

    Returns
    -------
    offsets : ndarray of shape (n_leads,)
        Where 0 mV of each lead stands, in mV; 0 for the last one.
    bottom, top : float
        Room for all of them, in mV.
    """
    # The pulse needs 1 mV above the line; a lead of wild noise may touch others.
    above = np.clip(signal.max(axis=1), 1.0, 3.0) + SMALL_MV
    below = np.clip(-signal.min(axis=1), 0.2, 3.0) + SMALL_MV
    gaps = _whole_boxes(below[:-1] + above[1:])
    offsets: FloatArray = np.append(np.cumsum(gaps[::-1])[::-1], 0.0)
    return (
        offsets,
        -float(_whole_boxes(below[-1])),
        float(offsets[0] + _whole_boxes(above[0])),
    )


def figure_for(strip: Strip) -> Axes:
    """Make a figure in which the strip has the size of paper.

    Parameters
    ----------
    strip : Strip
        Records below 4.4 s are enlarged, such above 19 s shrunk.

    Returns
    -------
    ax : Axes
        Fills the figure but for a border for the labels.
    """
    pyplot = import_optional("matplotlib.pyplot", extra="plot", purpose="A figure")
    paper = np.array(strip.size_mm)
    paper *= np.clip(paper[0], *_WIDTH_MM) / paper[0]
    left, right, bottom, top = _BORDER_MM
    size = paper + np.array([left + right, bottom + top])
    figure = pyplot.figure(figsize=size / _MM_PER_INCH)
    ax: Axes = figure.add_axes((*((left, bottom) / size), *(paper / size)))
    return ax


def draw_grid(ax: Axes, strip: Strip) -> None:
    """Draw boxes, a scale in seconds, and what a box means.

    Parameters
    ----------
    ax : Axes
        Gets the limits of the strip, and one length for 1 mm in both directions.
    strip : Strip
        What to cover.
    """
    (left, right), (bottom, top) = strip.xlim, strip.ylim
    for name, step_s, step_mv, color, width in (
        ("small boxes", SMALL_S, SMALL_MV, "#f0c4c4", 0.35),
        ("large boxes", LARGE_S, LARGE_MV, "#dc9292", 0.7),
    ):
        x = np.arange(round(left / step_s), round(right / step_s) + 1) * step_s
        y = np.arange(round(bottom / step_mv), round(top / step_mv) + 1) * step_mv
        for lines in (
            ax.vlines(x, bottom, top, colors=color, label=f"{name}, s"),
            ax.hlines(y, left, right, colors=color, label=f"{name}, mV"),
        ):
            lines.set(linewidth=width, zorder=1)
    ax.set(
        xlim=(left, right),
        ylim=(bottom, top),
        xlabel=f"time (s), at {SPEED_MM_PER_S:g} mm/s and {GAIN_MM_PER_MV:g} mm/mV",
        yticks=[],
    )
    step = max(1, round(right / 20))
    ax.set_xticks(np.arange(0, right + 0.01, step if right > 2 else LARGE_S))
    ax.set_aspect(GAIN_MM_PER_MV / SPEED_MM_PER_S)


def draw_calibration(ax: Axes, name: str, offset: float) -> None:
    """Draw the pulse of 1 mV for 0.2 s before a lead, and the lead's name.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    name : str
        Of the lead.
    offset : float
        Where 0 mV of the lead stands, in mV.
    """
    height = np.array(_PULSE_MV) + offset
    ax.plot(_PULSE_S, height, color="black", linewidth=0.8, zorder=3)
    ax.text(
        0.1 - _MARGIN_S, offset + 0.5, name, va="center", fontweight="bold", zorder=3
    )


def _whole_boxes(height: FloatArray) -> FloatArray:
    """Round heights in mV up to large boxes."""
    height = np.asarray(height, dtype=float)
    boxes: FloatArray = np.ceil(np.round(height / LARGE_MV, 6)) * LARGE_MV
    return boxes
