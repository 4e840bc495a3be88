"""What became of the training records, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_erts._lib.checks import check_choice
from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.plotting._divide import divide
from sk_erts.plotting._selection_epochs import (
    draw_effective_epochs,
    draw_shares,
)
from sk_erts.plotting._selection_panels import (
    LOOK,
    draw_candidates,
    draw_classes,
    draw_put_aside,
)
from sk_erts.plotting._selection_tables import (
    candidates_by,
    class_shares,
    members,
    most_put_aside,
)
from sk_erts.selection._ledger import SelectionHistory, Status, is_doubted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SelectionDisplay"]

# Panels that `plot` draws, and what "all" draws.
KINDS = ("epochs", "classes", "focus", "put_aside")
_FIGURE_SIZE = {"epochs": (7, 5), "all": (15, 9)}
_OTHER_SIZE = (7, 4)

# Phases in which nobody is put aside or easy.
_ON_ALL = {"warm-up", "revision", "full data"}


class SelectionDisplay:
    """Show what became of the training records, and what that cost.

    The panel of epochs stacks the shares of the records that were trained, rehearsed,
    softened, unreliable, easy and dropped: the first three are kept. Diamonds give the
    candidates, which are the trained and the doubted, be they softened or unreliable.
    Below it are the effective epochs so far, beside those of training on full data.
    Other panels show what became of each class, the scores of the candidates, and the
    records most often doubted.
    Use `from_estimator` to make one.

    Parameters
    ----------
    shares : array-like of shape (n_epochs, 6)
        Shares of the training records, between 0 and 1: trained, rehearsed, softened,
        unreliable, easy, dropped.
    effective_epochs : array-like of shape (n_epochs,)
        Records trained up to the end of each epoch, divided by the size of the
        training set.
    phases : sequence of str of length n_epochs, optional
        Which part of the schedule each epoch belongs to.
    first_epoch : int, default=1
        Number of the first epoch shown.
    story : SelectionHistory, optional
        The story of each record in these epochs, for the other panels.
    y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
        Labels of the records in `story`.
    class_names : sequence of length n_labels, optional
        Names of the columns of `y`, if it has several.

    Attributes
    ----------
    epochs : int ndarray of shape (n_epochs,)
        Numbers of the epochs.
    bars_ : dict of str to BarContainer
        The stacked bars of each status that occurs, by its name.
    candidates_line_ : Line2D
        The share of candidates in each epoch, in per cent.
    line_ : Line2D
        The effective epochs.
    class_shares_ : ndarray of shape (n_classes, 6)
        What the panel of classes shows, in the order of `shares`.
    class_bars_ : dict of str to BarContainer
        Its bars, by status.
    points_ : dict of str to PathCollection
        Focus over confidence, of the trained and of the doubted.
    put_aside_ : int ndarray of shape (n_records,)
        Rows of ``X`` most often doubted.
    put_aside_bars_ : BarContainer
        In how many epochs they were.
    ax_ : Axes
        The panel, or the first one; of epochs the upper half.
    ax_effective_epochs_ : Axes
        The lower half of the panel of epochs.
    axes_ : dict of str to Axes
        The panels by kind.
    figure_ : Figure
        The figure that holds them.

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
    >>> shares = [[1, 0, 0, 0, 0, 0], [0.4, 0.1, 0, 0.2, 0.3, 0]]
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
        story: SelectionHistory | None = None,
        y: Any = None,
        class_names: Sequence[Any] | None = None,
    ) -> None:
        self.shares: FloatArray = np.asarray(shares, dtype=float)
        self.effective_epochs: FloatArray = np.asarray(effective_epochs, dtype=float)
        if self.shares.ndim != 2 or self.shares.shape[1] != len(LOOK):
            raise ValueError(
                "The 'shares' of SelectionDisplay must have the shape (n_epochs, 6), "
                "with the columns trained, rehearsed, softened, unreliable, easy, "
                f"dropped. Got the shape {self.shares.shape} instead."
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
        if story is not None and len(story.status) != n_epochs:
            raise ValueError(
                f"The 'story' of SelectionDisplay must tell of the {n_epochs} epochs "
                f"of 'shares'. Got {len(story.status)} epochs instead."
            )
        self.phases = [""] * n_epochs if phases is None else list(phases)
        self.story = story
        self.y = y
        self.class_names = class_names
        self.epochs: IntArray = np.arange(first_epoch, first_epoch + n_epochs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        y: Any = None,
        *,
        kind: str = "epochs",
        n_records: int = 10,
        ax: Axes | None = None,
    ) -> SelectionDisplay:
        """Show the selection of a fitted classifier.

        Parameters
        ----------
        estimator : ERTSClassifier
            After `fit`; after `partial_fit` the epoch of the last call is shown.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            The labels that `fit` was given. The panel of classes needs them, the list
            of records names them.
        kind : {"epochs", "classes", "focus", "put_aside", "all"}, default="epochs"
            Which panel, as in `plot`.
        n_records : int, default=10
            How many records "put_aside" lists at most.
        ax : Axes, optional
            Where to plot; for "epochs" and "all" it is divided. By default a new
            figure.

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
        ...     module__width=4, max_epochs=3, warmup_epochs=1, looks__first_step=0
        ... ).fit(X, y)
        >>> display = SelectionDisplay.from_estimator(clf)
        >>> display.phases
        ['warm-up', 'reliability filter', 'reliability filter']
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
        shares = np.stack([story.share(status) for status in LOOK], axis=1)
        trained = np.cumsum(estimator.kept_counts_)
        effective = trained * (estimator.effective_epochs_ / max(trained[-1], 1))
        # A training stopped by hand may end with an epoch that had no batch.
        seen = np.arange(len(shares)) < len(shares) - (shares[-1].sum() == 0)
        n_seen = int(seen.sum())
        display = cls(
            shares[seen],
            effective[seen],
            phases=story.phases[:n_seen],
            first_epoch=story.first_epoch,
            story=replace(
                story,
                status=story.status[seen],
                confidence=story.confidence[seen],
                focus=story.focus[seen],
                phases=story.phases[:n_seen],
                judged_by=story.judged_by[:n_seen],
            ),
            y=y,
            class_names=estimator.classes_ if np.ndim(y) == 2 else None,
        )
        return display.plot(ax=ax, kind=kind, n_records=n_records)

    def plot(
        self, ax: Axes | None = None, *, kind: str = "epochs", n_records: int = 10
    ) -> SelectionDisplay:
        """Draw one of the panels, or all.

        Parameters
        ----------
        ax : Axes, optional
            Where to plot; for "epochs" and "all" it is divided. By default a new
            figure.
        kind : {"epochs", "classes", "focus", "put_aside", "all"}, default="epochs"
            Shares and effective epochs; what became of each class, on average over
            the epochs in which a selection ruled; focus over confidence of the
            candidates that were judged last; or the records most often doubted;
            its title tells how many more were so as often as the last one.
        n_records : int, default=10
            How many records "put_aside" lists at most.

        Returns
        -------
        self : SelectionDisplay
            With the artists as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the panel needs a `story` or `y` that is not there, or `ax` is not one
            of a grid of subplots, and so cannot be divided.
        """
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plot", purpose="SelectionDisplay.plot"
        )
        check_choice(self, "kind", kind, (*KINDS, "all"))
        if ax is None:
            size = _FIGURE_SIZE.get(kind, _OTHER_SIZE)
            _, ax = pyplot.subplots(figsize=size, layout="constrained")
        self.ax_ = ax
        self.figure_ = ax.figure
        kinds = KINDS if kind == "all" else (kind,)
        panels = divide(ax, (2, 2), type(self).__name__) if kind == "all" else [ax]
        self.axes_ = dict(zip(kinds, panels, strict=True))
        for name, panel in self.axes_.items():
            self._plot_panel(name, panel, n_records)
        return self

    def _plot_panel(self, kind: str, ax: Axes, n_records: int) -> None:
        """Draw one panel."""
        match kind:
            case "epochs":
                self._plot_epochs(ax)
            case "classes":
                self._plot_classes(ax)
            case "focus":
                self._plot_focus(ax)
            case "put_aside":
                self._plot_put_aside(ax, n_records)

    def _plot_epochs(self, ax: Axes) -> None:
        """Divide the axes in two: shares, and what they cost."""
        upper, lower = divide(
            ax, (2, 1), type(self).__name__, height_ratios=(5, 3), hspace=0.1
        )
        self.bars_, self.candidates_line_ = draw_shares(
            upper, self.epochs, self.shares, self.phases
        )
        self.ax_effective_epochs_ = lower
        self.line_ = draw_effective_epochs(
            lower, upper, self.epochs, self.effective_epochs, self.phases
        )

    def _plot_classes(self, ax: Axes) -> None:
        """Show what became of each class while a selection ruled."""
        story = self._story("classes")
        if self.y is None:
            raise ValueError(
                "The 'y' of SelectionDisplay must be given for the panel of classes. "
                "Got None instead; pass the labels that 'fit' was given."
            )
        chosen = [phase not in _ON_ALL for phase in self.phases]
        status = story.status[chosen] if any(chosen) else story.status
        names, membership = members(self.y, self.class_names, status.shape[1])
        membership &= (status != Status.NOT_LOOKED_AT).any(axis=0)[:, np.newaxis]
        self.class_shares_ = class_shares(status, membership, list(LOOK))
        self.class_bars_ = draw_classes(
            ax, names, membership.sum(axis=0), self.class_shares_
        )

    def _plot_focus(self, ax: Axes) -> None:
        """Show both scores of those whom the reliability filter judged last."""
        story = self._story("focus")
        epoch, rows = candidates_by(story.status, story.confidence, story.focus)
        at = 0 if epoch is None else epoch
        self.points_ = draw_candidates(
            ax,
            story.confidence[at, rows],
            story.focus[at, rows],
            story.status[at, rows],
            None if epoch is None else int(self.epochs[epoch]),
            story.judged_by[at] if len(story.judged_by) else "focus",
        )

    def _plot_put_aside(self, ax: Axes, n_records: int) -> None:
        """List the records that were doubted in most epochs."""
        story = self._story("put_aside")
        rows, counts, n_tied = most_put_aside(story.status, n_records)
        if self.y is None:
            labels = [""] * len(rows)
        else:
            names, membership = members(self.y, self.class_names, story.status.shape[1])
            labels = [
                ": " + " + ".join(np.array(names)[membership[row]]) for row in rows
            ]
        self.put_aside_ = rows
        n_epochs = int(is_doubted(story.status).any(axis=1).sum())
        self.put_aside_bars_ = draw_put_aside(
            ax,
            [f"record {row}{label}" for row, label in zip(rows, labels, strict=True)],
            counts,
            n_epochs,
            n_tied,
        )

    def _story(self, kind: str) -> SelectionHistory:
        """Return the story of the records, or raise."""
        if self.story is None:
            raise ValueError(
                "The 'story' of SelectionDisplay must be a SelectionHistory for the "
                f"panel {kind!r}. Got None instead; use from_estimator, or pass the "
                "'selection_' of a classifier."
            )
        return self.story
