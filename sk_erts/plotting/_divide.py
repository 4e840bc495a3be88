"""Several panels where one was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["divide"]


def divide(ax: Axes, shape: tuple[int, int], owner: str, **options: Any) -> list[Axes]:
    """Divide axes into a grid of which they become the first.

    Parameters
    ----------
    ax : Axes
        One of a grid of subplots.
    shape : tuple of (int, int)
        Rows and columns.
    owner : str
        Class that was given the axes, for the error message.
    **options : object
        For the grid, such as the ratios of heights.

    Returns
    -------
    axes : list of Axes
        Row by row; `ax` is the first.

    Raises
    ------
    ValueError
        If `ax` was placed by hand.
    """
    cells = ax.get_subplotspec()
    if cells is None:
        raise ValueError(
            f"The 'ax' of {owner} must be one of a grid, which can be "
            "divided. Got axes placed by hand instead; make them by plt.subplots()."
        )
    grid = cells.subgridspec(*shape, **options)
    ax.set_subplotspec(grid[0])
    others = range(1, shape[0] * shape[1])
    return [ax, *(ax.figure.add_subplot(grid[k]) for k in others)]
