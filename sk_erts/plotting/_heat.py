"""The colours of evidence, which all figures of maps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.checks import check_number
from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "AGAINST_SHARE",
    "HeatScale",
    "evidence_label",
    "heat_scale",
    "mark_against",
]

# Blue and orange are told apart by all kinds of colour vision. Their darkest shades
# leave black traces a contrast above 5.
_AGAINST, _NONE, _FOR = "#e98b36", "#ffffff", "#4a9bd9"

# Evidence weaker than this share of the scale is not marked as being against.
AGAINST_SHARE = 0.1


class HeatScale:
    """Colour map and limits of a map.

    Parameters
    ----------
    limit : float
        Value of the darkest shade, above 0.
    signed : bool
        Whether the scale goes from ``-limit`` to ``limit``, else from 0.
    cut : bool
        Whether values beyond the limit may occur.
    """

    def __init__(self, limit: float, signed: bool, cut: bool) -> None:
        self.limit, self.signed, self.cut = limit, signed, cut

    @property
    def options(self) -> dict[str, Any]:
        """Keywords for the artist that shows the map."""
        colors = import_optional("matplotlib.colors", extra="plot", purpose="A map")
        shades = [_AGAINST, _NONE, _FOR] if self.signed else [_NONE, _FOR]
        return {
            "cmap": colors.LinearSegmentedColormap.from_list("evidence", shades),
            "vmin": -self.limit if self.signed else 0.0,
            "vmax": self.limit,
        }

    @property
    def extend(self) -> str:
        """Which ends of the colour bar are open."""
        return ("both" if self.signed else "max") if self.cut else "neither"


def heat_scale(heat: FloatArray, vmax: float | None, owner: str) -> HeatScale:
    """Choose the scale of a map: centred on zero if it has negative values.

    Parameters
    ----------
    heat : ndarray
        The map; NaN where there is none.
    vmax : float or None
        Value of the darkest shade; None for the greatest distance from 0.
    owner : str
        Whose parameter `vmax` is, for the error message.

    Returns
    -------
    scale : HeatScale
        One for all leads.

    Raises
    ------
    ValueError
        If `vmax` is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting._heat import heat_scale
    >>> scale = heat_scale(np.array([-3.0, 1.0]), None, "a figure")
    >>> scale.signed, scale.limit
    (True, 3.0)
    """
    if vmax is not None:
        check_number(owner, "vmax", vmax, above=0)
    known = heat[np.isfinite(heat)]
    greatest = float(np.abs(known).max()) if known.size else 0.0
    signed = bool((known < 0).any())
    return HeatScale(vmax or greatest or 1.0, signed, vmax is not None)


def evidence_label(explained: Any, unit: str, signed: bool) -> str:
    """Return what the colour bar says.

    Parameters
    ----------
    explained : object or None
        The class that the map speaks for.
    unit : str
        Unit of the map.
    signed : bool
        Whether it has values below 0.

    Returns
    -------
    label : str
        Such as "evidence for PVC (logit per step)".

    Examples
    --------
    >>> from sk_erts.plotting._heat import evidence_label
    >>> evidence_label("PVC", "logit", signed=True)
    'evidence for (+) or against (-, barred) PVC (logit)'
    """
    if signed:
        of = "" if explained is None else f" {explained}"
        return f"evidence for (+) or against (-, barred){of} ({unit})"
    of = "" if explained is None else f" for {explained}"
    return f"evidence{of} ({unit})"


def mark_against(
    ax: Axes,
    times: FloatArray,
    row: FloatArray,
    scale: HeatScale,
    span: tuple[float, float],
) -> Any:
    """Bar the stretches whose evidence is against the class.

    Orange and blue look alike in grey; the bars tell them apart.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    times : ndarray of shape (n_times,)
        In s.
    row : ndarray of shape (n_times,)
        The map.
    scale : HeatScale
        Says how weak evidence is not worth a bar.
    span : tuple of (float, float)
        Lower and upper edge of the bars.

    Returns
    -------
    bars : PolyCollection
        Empty if nothing is against.
    """
    against = row < -AGAINST_SHARE * scale.limit
    # A sample stands in the middle of its step, so that a single one has a bar too.
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.5
    turns = np.flatnonzero(np.diff(against, prepend=False, append=False))
    bottom, top = span
    collections = import_optional(
        "matplotlib.collections", extra="plot", purpose="A map"
    )
    corners = []
    for first, after in turns.reshape(-1, 2):
        left, right = times[first] - half, times[after - 1] + half
        corners.append([(left, bottom), (right, bottom), (right, top), (left, top)])
    bars = collections.PolyCollection(
        corners,
        facecolor="#303030",
        edgecolor="none",
        label="against",
        zorder=2,
        antialiased=False,
    )
    ax.add_collection(bars, autolim=False)
    return bars
