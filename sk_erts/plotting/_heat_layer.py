"""A map behind the traces on ECG paper, and its scale beside the paper."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.plotting._heat import HeatScale, mark_against
from sk_erts.plotting._paper import Strip
from sk_erts.plotting._sheet import Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["beside_mm", "draw_colorbar", "draw_heat", "wrapped_label"]

# Room for the colour bar with its numbers, and for each line of its label.
_BAR_MM, _LINE_MM = 22.0, 5.0
_LETTER_MM, _SHORTEST_LINE = 2.1, 16
# Distance from the paper, and width, in s of the paper.
_BAR_S = 0.12


def draw_heat(ax: Axes, sheet: Sheet, heat: FloatArray, scale: HeatScale) -> Any:
    """Lay a map behind all leads.

    Parameters
    ----------
    ax : Axes
        With the paper.
    sheet : Sheet
        Where leads stand.
    heat : ndarray of shape (n_times,) or (n_leads, n_times)
        The map.
    scale : HeatScale
        Its colours.

    Returns
    -------
    image : AxesImage
        The map; evidence against the class is barred too.
    """
    strip = sheet.strip
    half = 0.5 / sheet.rate  # a sample stands in the middle of its column
    image = ax.imshow(
        sheet.picture(heat),
        aspect=ax.get_aspect(),
        extent=(-half, strip.duration - half, strip.bottom, strip.top),
        interpolation="nearest",
        zorder=0,
        **scale.options,
    )
    if scale.signed:
        bands, edges = sheet.bands(heat)
        times = np.arange(bands.shape[1]) / sheet.rate
        for band, bottom in zip(bands, edges[1:], strict=True):
            span = (bottom, bottom + strip.gain.small)
            mark_against(ax, times, band, scale, span)
    ax.set(xlim=strip.xlim, ylim=strip.ylim)
    return image


def wrapped_label(label: str, strip: Strip) -> list[str]:
    """Break a label into lines no longer than the paper is high.

    Parameters
    ----------
    label : str
        What the colour bar says.
    strip : Strip
        The paper.

    Returns
    -------
    lines : list of str
        At least 16 letters long where words allow, so that few are enough.

    Examples
    --------
    >>> from sk_erts.plotting._heat_layer import wrapped_label
    >>> from sk_erts.plotting._paper import Strip
    >>> wrapped_label("evidence for PVC (logit)", Strip(10, -0.5, 1.5))
    ['evidence for PVC', '(logit)']
    """
    height_mm = strip.size_mm[1] * strip.magnification
    return textwrap.wrap(label, max(_SHORTEST_LINE, int(height_mm / _LETTER_MM)))


def beside_mm(lines: Sequence[str]) -> float:
    """Return the room that a colour bar and its label need.

    Parameters
    ----------
    lines : sequence of str
        Of the label; none without a colour bar.

    Returns
    -------
    beside_mm : float
        Width in mm.

    Examples
    --------
    >>> from sk_erts.plotting._heat_layer import beside_mm
    >>> beside_mm([]), beside_mm(["evidence"])
    (0.0, 27.0)
    """
    return _BAR_MM + _LINE_MM * len(lines) if lines else 0.0


def draw_colorbar(
    ax: Axes, strip: Strip, image: Any, scale: HeatScale, lines: Sequence[str]
) -> Any:
    """Draw the scale of a map on the right of the paper.

    Parameters
    ----------
    ax : Axes
        With the paper.
    strip : Strip
        The paper.
    image : AxesImage
        The map.
    scale : HeatScale
        Its colours.
    lines : sequence of str
        Of the label.

    Returns
    -------
    colorbar : Colorbar
        As high as the paper.
    """
    width_s = (strip.xlim[1] - strip.xlim[0]) / strip.clock.per_s
    beside = ax.inset_axes((1 + _BAR_S / width_s, 0, _BAR_S / width_s, 1))
    colorbar = ax.figure.colorbar(image, cax=beside, extend=scale.extend)
    colorbar.set_label("\n".join(lines))
    return colorbar
