"""The panel of SelectionDisplay that goes through the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.plotting._selection_panels import EDGE, LOOK
from sk_erts.selection._ledger import CANDIDATES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_effective_epochs", "draw_shares"]

# Of a small letter, as a share of the axes' width in a figure of the default size.
_LETTER_WIDTH = 0.0105
# Of a row of small letters, as a share of the height of the upper panel.
_ROW_HEIGHT = 0.085


def draw_shares(
    ax: Axes, epochs: IntArray, shares: FloatArray, phases: Sequence[str]
) -> tuple[dict[str, Any], Any]:
    """Stack the shares in per cent, and name the phases above them.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    epochs : int ndarray of shape (n_epochs,)
        Their numbers.
    shares : ndarray of shape (n_epochs, 6)
        In the order of `LOOK`.
    phases : sequence of str of length n_epochs
        Their names.

    Returns
    -------
    bars : dict of str to BarContainer
        The bars of each status that occurs, by its name.
    candidates : Line2D
        The trained and the unreliable together.
    """
    bars = {}
    bottom = np.zeros(len(epochs))
    for (status, (face, hatch)), share in zip(
        LOOK.items(), 100 * shares.T, strict=True
    ):
        if share.any():
            bars[status.label] = ax.bar(
                epochs,
                share,
                width=0.9,
                bottom=bottom,
                color=face,
                hatch=hatch,
                label=status.label,
                **EDGE,
            )
        bottom = bottom + share
    columns = [list(LOOK).index(status) for status in CANDIDATES]
    (candidates,) = ax.plot(
        epochs,
        100 * shares[:, columns].sum(axis=1),
        linestyle="none",
        marker="D",
        markersize=4.5,
        color="white",
        markeredgecolor="black",
        markeredgewidth=0.8,
        label="candidates",
        clip_on=False,
        zorder=4,
    )
    ax.set(
        xlim=(epochs[0] - 0.5, epochs[-1] + 0.5),
        ylim=(0, 100),
        ylabel="training records (%)",
    )
    n_rows = _mark_phases(ax, epochs, phases)
    ax.legend(
        handles=[*bars.values(), candidates],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.01 + _ROW_HEIGHT * n_rows),
        ncols=max(len(bars) + 1, 6),
        frameon=False,
        fontsize="small",
        columnspacing=1.2,
        handlelength=1.6,
    )
    return bars, candidates


def draw_effective_epochs(
    ax: Axes,
    above: Axes,
    epochs: IntArray,
    effective_epochs: FloatArray,
    phases: Sequence[str],
) -> Any:
    """Show the epochs paid for, beside those of full data.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    above : Axes
        The shares, whose axis of epochs it takes over.
    epochs : int ndarray of shape (n_epochs,)
        Their numbers.
    effective_epochs : ndarray of shape (n_epochs,)
        Paid for up to the end of each epoch.
    phases : sequence of str of length n_epochs
        Their names.

    Returns
    -------
    line : Line2D
        The effective epochs.
    """
    ax.sharex(above)
    above.tick_params(axis="x", labelbottom=False)
    full = np.arange(1, len(epochs) + 1)
    ax.plot(epochs, full, "--", color="#737373", label="full data")
    (line,) = ax.plot(
        epochs,
        effective_epochs,
        "o-",
        color="#08519c",
        markersize=3.5,
        label=f"this training: {effective_epochs[-1]:.1f}",
    )
    for edge in _phase_edges(epochs, phases):
        ax.axvline(edge, color="#404040", linewidth=0.8)
    locator = import_optional(
        "matplotlib.ticker", extra="plot", purpose="SelectionDisplay.plot"
    ).MaxNLocator(integer=True, min_n_ticks=1)
    ax.xaxis.set_major_locator(locator)
    ax.set(xlabel="epoch", ylabel="effective epochs", ylim=(0, None))
    ax.grid(axis="y", color="#d9d9d9", linewidth=0.6)
    ax.legend(loc="upper left", framealpha=1, edgecolor="white")
    return line


def _mark_phases(ax: Axes, epochs: IntArray, phases: Sequence[str]) -> int:
    """Part the phases by lines and name them above, in one row or two."""
    for edge in _phase_edges(epochs, phases):
        ax.axvline(edge, color="#404040", linewidth=0.8)
    ends = [-1.0, -1.0]  # of the names written so far, in each row
    start = 0
    for name, members in groupby(phases):
        count = len(list(members))
        centre = (start + count / 2) / len(epochs)
        half = _LETTER_WIDTH * len(name) / 2
        row = 0 if centre - half >= ends[0] else 1
        ends[row] = centre + half + _LETTER_WIDTH
        ax.annotate(
            name,
            (centre, 1 + _ROW_HEIGHT * row),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize="small",
        )
        start += count
    return 1 + (ends[1] > 0)


def _phase_edges(epochs: IntArray, phases: Sequence[str]) -> list[float]:
    """Return where one phase ends and another begins, between two epochs."""
    return [
        float(epoch) - 0.5
        for epoch, before, here in zip(epochs[1:], phases, phases[1:], strict=False)
        if here != before
    ]
