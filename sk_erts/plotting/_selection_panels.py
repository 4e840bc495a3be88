"""The panels of SelectionDisplay that tell of classes and of single records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.selection._ledger import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EDGE", "LOOK", "draw_candidates", "draw_classes", "draw_put_aside"]

# From the bottom up: face, hatch. They differ in lightness, so also in grey.
LOOK = {
    Status.TRAINED: ("#08519c", ""),
    Status.REHEARSED: ("#2f78b8", "\\\\\\\\"),
    Status.SOFTENED: ("#f0b060", "xxxx"),
    Status.UNRELIABLE: ("#e6862c", "////"),
    Status.EASY: ("#c6dbef", ""),
    Status.DROPPED: ("#f7f7f7", "...."),
}
EDGE: dict[str, Any] = {"edgecolor": "#404040", "linewidth": 0.4}


def draw_classes(
    ax: Axes, names: Sequence[str], counts: IntArray, shares: FloatArray
) -> dict[str, Any]:
    """Stack for each class what became of its records.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    names : sequence of str of length n_classes
        Of the classes, the first one on top.
    counts : int ndarray of shape (n_classes,)
        Records of each class.
    shares : ndarray of shape (n_classes, n_statuses)
        In the order of `LOOK`.

    Returns
    -------
    bars : dict of str to BarContainer
        The bars of each status that occurs, by its name.
    """
    bars = {}
    left = np.zeros(len(names))
    places = np.arange(len(names))
    for (status, (face, hatch)), share in zip(
        LOOK.items(), 100 * shares.T, strict=True
    ):
        if share.any():
            bars[status.label] = ax.barh(
                places,
                share,
                left=left,
                height=0.75,
                color=face,
                hatch=hatch,
                label=status.label,
                **EDGE,
            )
        left = left + share
    labels = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
    ax.set_yticks(places, labels)
    ax.set(xlim=(0, 100), xlabel="records of the class, mean over epochs (%)")
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(bars),
        frameon=False,
        fontsize="small",
        columnspacing=1.2,
        handlelength=1.6,
    )
    return bars


def draw_candidates(
    ax: Axes,
    confidence: FloatArray,
    focus: FloatArray,
    status: IntArray,
    epoch: int | None,
    judged_by: str,
) -> dict[str, Any]:
    """Show the focus of candidates over their confidence.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    confidence, focus : ndarray of shape (n_candidates,)
        Their scores.
    status : int ndarray of shape (n_candidates,)
        What became of them, values of `Status`.
    epoch : int or None
        Number of the epoch, from 1; None if no candidate was ever judged by its focus.
    judged_by : str
        What the focus is, in words.

    Returns
    -------
    points : dict of str to PathCollection
        The trained and the doubted.
    """
    points = {}
    doubted = (
        Status.SOFTENED if (status == Status.SOFTENED).any() else Status.UNRELIABLE
    )
    for verdict, marker, size in ((Status.TRAINED, "o", 14), (doubted, "^", 30)):
        chosen = status == verdict
        points[verdict.label] = ax.scatter(
            confidence[chosen],
            focus[chosen],
            s=size,
            marker=marker,
            color=LOOK[verdict][0],
            edgecolors="#202020" if marker == "^" else "white",
            linewidths=0.5,
            label=f"{verdict.label} ({chosen.sum()})",
        )
    ax.set(
        xlabel="confidence (probability of the true class)",
        ylabel=judged_by or "focus",
    )
    if epoch is None:
        ax.set_title("no candidate was judged by its focus", fontsize="medium")
        return points
    ax.set_title(f"candidates of epoch {epoch}", loc="left", fontsize="medium")
    ax.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
        handletextpad=0.2,
    )
    return points


def draw_put_aside(
    ax: Axes, names: Sequence[str], counts: IntArray, n_epochs: int, n_tied: int
) -> Any:
    """Show in how many epochs the records most often doubted were so.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    names : sequence of str of length n_records
        Of the records, most often doubted first.
    counts : int ndarray of shape (n_records,)
        In how many epochs.
    n_epochs : int
        Epochs in which any record was.
    n_tied : int
        Records not shown that were as often as the last one.

    Returns
    -------
    bars : BarContainer
        One for each record.
    """
    face, hatch = LOOK[Status.UNRELIABLE]
    places = np.arange(len(names))
    bars = ax.barh(places, counts, height=0.75, color=face, hatch=hatch, **EDGE)
    ax.bar_label(bars, padding=3, fontsize="small")
    ax.set_yticks(places, list(names))
    ax.set_ylim(max(len(names), 1) - 0.5, -0.5)
    ax.set(
        xlim=(0, 1.1 * max(n_epochs, 1)),
        xlabel=f"epochs in which the record was doubted (of {n_epochs})",
    )
    ax.locator_params(axis="x", integer=True)
    if n_tied:
        last = counts == counts[-1]
        ax.set_title(
            f"{last.sum() + n_tied} records share {counts[-1]} of {n_epochs} epochs: "
            f"the first {last.sum()} of them are shown",
            loc="left",
            fontsize="medium",
        )
    if not len(names):
        ax.set_title("no record was doubted", fontsize="medium")
    return bars
