"""What became of the training records, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._optional import import_optional
from sk_erts._typing import FloatArray, IntArray
from sk_erts.selection._ledger import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SelectionDisplay"]

# From the bottom up: face, hatch. They differ in lightness, so also in grey.
_LOOK = {
    Status.TRAINED: ("#08519c", ""),
    Status.REHEARSED: ("#2f78b8", "\\\\\\\\"),
    Status.UNRELIABLE: ("#e6862c", "////"),
    Status.EASY: ("#c6dbef", ""),
    Status.DROPPED: ("#f7f7f7", "...."),
}

# Of a small letter, as a share of the axes' width in a figure of the default size.
_LETTER_WIDTH = 0.0105
# Of a row of small letters, as a share of the height of the upper panel.
_ROW_HEIGHT = 0.085


class SelectionDisplay:
    """Show what became of the training records, and what that cost.

    The upper panel stacks the shares of the records that were trained, rehearsed,
    unreliable, easy and dropped in each epoch; the lower one shows the effective
    epochs so far beside those of training on full data. Use `from_estimator` to make
    one.

    Parameters
    ----------
    shares : array-like of shape (n_epochs, 5)
        Shares of the training records, between 0 and 1: trained, rehearsed,
        unreliable, easy, dropped.
    effective_epochs : array-like of shape (n_epochs,)
        Records trained up to the end of each epoch, divided by the size of the
        training set.
    phases : sequence of str of length n_epochs, optional
        Which part of the schedule each epoch belongs to.
    first_epoch : int, default=1
        Number of the first epoch shown.

    Attributes
    ----------
    epochs : int ndarray of shape (n_epochs,)
        Numbers of the epochs.
    bars_ : dict of str to BarContainer
        The stacked bars of each status that occurs, by its name.
    line_ : Line2D
        The effective epochs.
    ax_ : Axes
        Upper panel, with the shares.
    ax_effective_epochs_ : Axes
        Lower panel.
    figure_ : Figure
        The figure that holds both.

    Raises
    ------
    ValueError
        If the lengths of the arrays differ.

    See Also
    --------
    ECGDisplay : Show a record with its map.
    sk_erts.selection.SelectionHistory : The story of each record.

    Examples
    --------
    >>> from sk_erts.plotting import SelectionDisplay
    >>> shares = [[1, 0, 0, 0, 0], [0.4, 0.1, 0.2, 0.3, 0]]
    >>> display = SelectionDisplay(shares, [1, 1.5], phases=["warm-up", "selection"])
    >>> display.plot().ax_.get_ylabel()
    'training records (%)'
    """

    def __init__(
        self,
        shares: Any,
        effective_epochs: Any,
        *,
        phases: Sequence[str] | None = None,
        first_epoch: int = 1,
    ) -> None:
        self.shares: FloatArray = np.asarray(shares, dtype=float)
        self.effective_epochs: FloatArray = np.asarray(effective_epochs, dtype=float)
        if self.shares.ndim != 2 or self.shares.shape[1] != len(_LOOK):
            raise ValueError(
                "The 'shares' of SelectionDisplay must have the shape (n_epochs, 5), "
                "with the columns trained, rehearsed, unreliable, easy, dropped. Got "
                f"the shape {self.shares.shape} instead."
            )
        n_epochs = len(self.shares)
        if self.effective_epochs.shape != (n_epochs,):
            raise ValueError(
                "The 'effective_epochs' of SelectionDisplay must be one number for "
                f"each of the {n_epochs} epochs of 'shares'. Got the shape "
                f"{self.effective_epochs.shape} instead."
            )
        if phases is not None and len(phases) != n_epochs:
            raise ValueError(
                "The 'phases' of SelectionDisplay must name one phase for each of the "
                f"{n_epochs} epochs of 'shares'. Got {len(phases)} names instead."
            )
        self.phases = [""] * n_epochs if phases is None else list(phases)
        self.epochs: IntArray = np.arange(first_epoch, first_epoch + n_epochs)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None
    ) -> SelectionDisplay:
        """Show the selection of a fitted classifier.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`; after `partial_fit` the epoch of the last call is shown.
        ax : Axes, optional
            Where to plot; it is divided into two panels. By default a new figure.

        Returns
        -------
        display : SelectionDisplay
            Its `figure_` can be saved.

        Raises
        ------
        ValueError
            If the estimator keeps no story of its selection.
        NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> from sk_erts.plotting import SelectionDisplay
        >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier(
        ...     module__width=4, max_epochs=3, warmup_epochs=1, verbose=0
        ... ).fit(X, y)
        >>> display = SelectionDisplay.from_estimator(clf)
        >>> display.phases
        ['warm-up', 'data dropout', 'revision']
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "selection_"):
            raise ValueError(
                "The 'estimator' of SelectionDisplay.from_estimator must have a "
                "'selection_', as ERTSClassifier has. Got "
                f"{type(estimator).__name__} instead; from a pipeline or a search pass "
                "the classifier in it."
            )
        story = estimator.selection_
        shares = np.stack([story.share(status) for status in _LOOK], axis=1)
        trained = np.cumsum(estimator.kept_counts_)
        effective = trained * (estimator.effective_epochs_ / max(trained[-1], 1))
        # A training stopped by hand may end with an epoch that had no batch.
        seen = np.arange(len(shares)) < len(shares) - (shares[-1].sum() == 0)
        # partial_fit tells of its last call, but goes on in the schedule.
        continued = not estimator.warm_start
        before = max(len(estimator.history_) - len(shares), 0) if continued else 0
        phases = [_phase(estimator, before + k, before > 0) for k in range(seen.sum())]
        display = cls(
            shares[seen], effective[seen], phases=phases, first_epoch=before + 1
        )
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> SelectionDisplay:
        """Draw both panels.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; it is divided into two panels. By default a new figure.

        Returns
        -------
        self : SelectionDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not one of a grid of subplots, and so cannot be divided.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="SelectionDisplay.plot"
        )
        if ax is None:
            _, ax = pyplot.subplots(figsize=(7, 5), layout="constrained")
        self.ax_ = ax
        self.figure_ = ax.figure
        self._plot_shares(ax)
        self._plot_effective_epochs(ax)
        return self

    def _plot_shares(self, ax: Axes) -> None:
        """Stack the shares in per cent, and name the phases above them."""
        self.bars_ = {}
        bottom = np.zeros(len(self.epochs))
        for (status, (face, hatch)), share in zip(
            _LOOK.items(), 100 * self.shares.T, strict=True
        ):
            if share.any():
                self.bars_[status.label] = ax.bar(
                    self.epochs,
                    share,
                    width=0.9,
                    bottom=bottom,
                    color=face,
                    hatch=hatch,
                    edgecolor="#404040",
                    linewidth=0.4,
                    label=status.label,
                )
            bottom = bottom + share
        ax.set(
            xlim=(self.epochs[0] - 0.5, self.epochs[-1] + 0.5),
            ylim=(0, 100),
            ylabel="training records (%)",
        )
        n_rows = self._mark_phases(ax)
        ax.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, 1.01 + _ROW_HEIGHT * n_rows),
            ncols=len(_LOOK),
            frameon=False,
        )

    def _plot_effective_epochs(self, ax: Axes) -> None:
        """Add a panel below: the epochs paid for, beside those of full data."""
        cells = ax.get_subplotspec()
        if cells is None:
            raise ValueError(
                "The 'ax' of SelectionDisplay must be one of a grid, which can be "
                "divided. Got axes placed by hand instead; make them by plt.subplots()."
            )
        grid = cells.subgridspec(2, 1, height_ratios=(5, 3), hspace=0.1)
        ax.set_subplotspec(grid[0])
        below = ax.figure.add_subplot(grid[1], sharex=ax)
        self.ax_effective_epochs_ = below
        ax.tick_params(axis="x", labelbottom=False)
        full = np.arange(1, len(self.epochs) + 1)
        below.plot(self.epochs, full, "--", color="#737373", label="full data")
        (self.line_,) = below.plot(
            self.epochs,
            self.effective_epochs,
            "o-",
            color="#08519c",
            markersize=3.5,
            label=f"this training: {self.effective_epochs[-1]:.1f}",
        )
        for edge in self._phase_edges():
            below.axvline(edge, color="#404040", linewidth=0.8)
        locator = import_optional(
            "matplotlib.ticker", extra="plot", purpose="SelectionDisplay.plot"
        ).MaxNLocator(integer=True, min_n_ticks=1)
        below.xaxis.set_major_locator(locator)
        below.set(xlabel="epoch", ylabel="effective epochs", ylim=(0, None))
        below.grid(axis="y", color="#d9d9d9", linewidth=0.6)
        below.legend(loc="upper left", framealpha=1, edgecolor="white")

    def _mark_phases(self, ax: Axes) -> int:
        """Part the phases by lines and name them above, in one row or two."""
        n_epochs = len(self.epochs)
        for edge in self._phase_edges():
            ax.axvline(edge, color="#404040", linewidth=0.8)
        ends = [-1.0, -1.0]  # of the names written so far, in each row
        start = 0
        for name, members in groupby(self.phases):
            count = len(list(members))
            centre = (start + count / 2) / n_epochs
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

    def _phase_edges(self) -> list[float]:
        """Return where one phase ends and another begins, between two epochs."""
        return [
            float(epoch) - 0.5
            for epoch, before, here in zip(
                self.epochs[1:], self.phases, self.phases[1:], strict=False
            )
            if here != before
        ]


def _phase(estimator: Any, epoch: int, endless: bool) -> str:
    """Return what rules in an epoch counted from 0, by the estimator's parameters."""
    policy = estimator.selection
    if policy is None:
        drops = estimator.data_dropout is not None
        focus = estimator.focus is not None
    else:
        drops, focus = True, "focus" in policy.reads
    if not (drops or focus):
        return "full data"
    if epoch < estimator.warmup_epochs:
        return "warm-up"
    if not endless and epoch >= estimator.max_epochs - estimator.revision_epochs:
        return "revision"
    if focus and epoch >= estimator.warmup_epochs + estimator.focus_warmup_epochs:
        return "focus filter"
    if policy is not None and not focus:
        return "selection"
    return "data dropout" if drops else "full data"
