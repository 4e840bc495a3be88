"""Which lead, and which part of it, stands where on the paper: no drawing here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sk_erts._lib.checks import check_choice
from sk_erts._lib.names import nearest
from sk_erts.datasets._leads import STANDARD_LEADS

__all__ = ["Cell", "is_grid", "lead_position", "lead_rows"]

# Rows and columns of the layouts for twelve leads; and whether lead II follows below.
_GRIDS = {"3x4": (3, 4, True), "6x2": (6, 2, False)}
_STACKED = "12x1"
_RHYTHM_LEAD = "II"


@dataclass(frozen=True)
class Cell:
    """A stretch of one lead.

    Attributes
    ----------
    lead : int
        Position of the lead in the record.
    start, stop : int
        First time step, and the one after the last.
    """

    lead: int
    start: int
    stop: int


def lead_rows(
    layout: str,
    lead_names: Sequence[str],
    n_times: int,
    lead: str | None = None,
) -> list[list[Cell]]:
    """Divide a record into the rows of a layout.

    Columns follow one another in time, as on the paper of a recorder: the stretch of
    the record that a cell shows is also where it stands from left to right.

    Parameters
    ----------
    layout : {"12x1", "3x4", "6x2"}
        All leads one under another, however many there are; or three rows of four
        quarters and the whole of lead II below; or six rows of two halves.
    lead_names : sequence of str
        Names of the leads, in the order of the record.
    n_times : int
        Time steps of the record.
    lead : str, optional
        A lead to show alone; then the layout must be "12x1".

    Returns
    -------
    rows : list of list of Cell
        From top to bottom, and in them from left to right.

    Raises
    ------
    ValueError
        If the layout is unknown, or leads that it needs are missing.

    Examples
    --------
    >>> from sk_erts.plotting._layouts import lead_rows
    >>> lead_rows("12x1", ["II", "V1"], 1000, lead="V1")
    [[Cell(lead=1, start=0, stop=1000)]]
    >>> from sk_erts.datasets import STANDARD_LEADS
    >>> lead_rows("6x2", STANDARD_LEADS, 1000)[0]
    [Cell(lead=0, start=0, stop=500), Cell(lead=6, start=500, stop=1000)]
    """
    check_choice("ECGDisplay", "layout", layout, (_STACKED, *_GRIDS))
    if lead is not None:
        if layout != _STACKED:
            raise ValueError(
                "The 'lead' of ECGDisplay must be None with a layout of twelve leads. "
                f"Got {lead!r} and the layout {layout!r}; leave one of them out."
            )
        return [[Cell(lead_position(lead, lead_names), 0, n_times)]]
    if layout == _STACKED:
        return [[Cell(k, 0, n_times)] for k in range(len(lead_names))]
    return _grid_rows(layout, lead_names, n_times)


def is_grid(layout: str) -> bool:
    """Return whether a layout has several columns.

    Parameters
    ----------
    layout : str
        Its name.

    Returns
    -------
    is_grid : bool
        True for "3x4" and "6x2".

    Examples
    --------
    >>> from sk_erts.plotting._layouts import is_grid
    >>> is_grid("12x1"), is_grid("3x4")
    (False, True)
    """
    return layout in _GRIDS


def lead_position(lead: str, lead_names: Sequence[str]) -> int:
    """Return where a lead stands in a record; upper and lower case are one.

    Parameters
    ----------
    lead : str
        Name of the lead.
    lead_names : sequence of str
        Names of all leads.

    Returns
    -------
    position : int
        From 0.

    Raises
    ------
    ValueError
        If there is no such lead.

    Examples
    --------
    >>> from sk_erts.plotting._layouts import lead_position
    >>> lead_position("aVR", ["II", "AVR"])
    1
    """
    folded = [name.casefold() for name in lead_names]
    if str(lead).casefold() not in folded:
        raise ValueError(
            "The 'lead' of ECGDisplay must be a lead of the record. Got "
            f"{lead!r} instead. {nearest(str(lead), lead_names)}"
        )
    return folded.index(str(lead).casefold())


def _grid_rows(
    layout: str, lead_names: Sequence[str], n_times: int
) -> list[list[Cell]]:
    """Divide twelve leads into columns of equal duration, in the clinical order."""
    n_rows, n_columns, rhythm = _GRIDS[layout]
    folded = {name.casefold() for name in lead_names}
    missing = [name for name in STANDARD_LEADS if name.casefold() not in folded]
    if missing:
        raise ValueError(
            f"The layout {layout!r} of ECGDisplay must have the twelve standard leads "
            f"in 'lead_names'. {', '.join(missing)} are missing; use layout='12x1' "
            "for other leads."
        )
    if n_times < n_columns:
        raise ValueError(
            f"The record of ECGDisplay must have at least {n_columns} time steps for "
            f"the layout {layout!r}. Got {n_times} instead."
        )
    edges = [round(k * n_times / n_columns) for k in range(n_columns + 1)]
    rows = [
        [
            Cell(
                lead_position(STANDARD_LEADS[column * n_rows + row], lead_names),
                edges[column],
                edges[column + 1],
            )
            for column in range(n_columns)
        ]
        for row in range(n_rows)
    ]
    if rhythm:
        rows.append([Cell(lead_position(_RHYTHM_LEAD, lead_names), 0, n_times)])
    return rows
