"""Tables of several networks beside each other, on one scale of colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sk_erts._lib.optional import import_optional
from sk_erts.plotting._divide import divide
from sk_erts.plotting._heat import heat_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sk_erts.plotting._class_average_display import ClassAverageDisplay

__all__ = ["side_by_side"]

# Room in a figure of its own, in inches: for each row and panel, and around them.
_ROW_IN, _PANEL_IN, _AROUND_IN = 0.7, 4.6, (1.6, 1.4)


def side_by_side(
    displays: Mapping[str, ClassAverageDisplay], ax: Axes | None, vmax: float | None
) -> None:
    """Draw displays of one shape in a row, each below its name.

    Parameters
    ----------
    displays : mapping of str to ClassAverageDisplay
        Not drawn yet, with the same classes and segments.
    ax : Axes or None
        Where to plot; it is divided. None is a new figure.
    vmax : float or None
        Attribution of the darkest shade; None is the greatest in the tables.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If `vmax` is not above 0, or `ax` cannot be divided.
    """
    owner = "ClassAverageDisplay"
    pyplot = import_optional(
        "matplotlib.pyplot", extra="plot", purpose=f"{owner}.from_estimators"
    )
    tables = np.stack([display.table for display in displays.values()])
    scale = heat_scale(tables, vmax, owner)
    if ax is None:
        size = np.array([_PANEL_IN * len(tables), _ROW_IN * tables.shape[1]])
        size += _AROUND_IN
        _, ax = pyplot.subplots(figsize=tuple(size), layout="constrained")
    panels = divide(ax, (1, len(tables)), owner)
    for k, (name, display) in enumerate(displays.items()):
        display._draw(panels[k], scale)
        panels[k].set_title(name)
        if k:
            panels[k].tick_params(labelleft=False)
    first = next(iter(displays.values()))
    colorbar = ax.figure.colorbar(first.heat_, ax=panels, extend=scale.extend, pad=0.02)
    colorbar.set_label(first._scale_in_words(scale))
    for display in displays.values():
        display.colorbar_ = colorbar
