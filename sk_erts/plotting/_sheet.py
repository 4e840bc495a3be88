"""A record laid out on paper: where everything stands, before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sk_erts._lib.typing import FloatArray
from sk_erts.plotting._layouts import Cell, is_grid, lead_rows
from sk_erts.plotting._paper import (
    MARGIN_S,
    Gain,
    Strip,
    choose_gain,
    clock_for,
    row_offsets,
)

__all__ = ["Sheet", "lay_out"]

# Room for a name beside its trace: its width in s, its height and distance in boxes.
_NAME_S, _NAME_BOXES, _NAME_GAP = 0.45, 4, 1
# A tall beginning does not lift the name out of its row.
_HIGHEST_NAME_BOXES = 25


@dataclass(frozen=True)
class Sheet:
    """A record laid out on paper.

    Attributes
    ----------
    strip : Strip
        The paper.
    rows : list of list of Cell
        What stands where, from top to bottom and from left to right.
    names : list of list of tuple of (float, float)
        Where the name of each cell's lead stands: time and height.
    offsets : ndarray of shape (n_rows,)
        Where 0 of each row stands.
    edges : ndarray of shape (n_rows + 1,)
        Where rows begin and end, from top to bottom.
    rate : float
        Samples in a unit of the axis of time.
    """

    strip: Strip
    rows: list[list[Cell]]
    names: list[list[tuple[float, float]]]
    offsets: FloatArray
    edges: FloatArray
    rate: float

    @property
    def names_beside(self) -> bool:
        """Whether names stand above the traces, else in the margin."""
        return self.strip.margin_s == MARGIN_S["no names"]

    def bands(self, heat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Cut a map into what stands behind each row.

        Parameters
        ----------
        heat : ndarray of shape (n_times,) or (n_leads, n_times)
            The map.

        Returns
        -------
        bands : ndarray of shape (n_bands, n_times)
            A map in time alone is one band, behind all rows.
        edges : ndarray of shape (n_bands + 1,)
            Where they begin and end, from top to bottom.
        """
        if heat.ndim == 1:
            return heat[np.newaxis], self.edges[[0, -1]]  # (1, times)
        bands = [
            np.concatenate([heat[cell.lead, cell.start : cell.stop] for cell in row])
            for row in self.rows
        ]
        return np.stack(bands), self.edges  # (rows, times)

    def picture(self, heat: FloatArray) -> FloatArray:
        """Return a map as an image that fills the paper.

        Parameters
        ----------
        heat : ndarray of shape (n_times,) or (n_leads, n_times)
            The map.

        Returns
        -------
        picture : ndarray of shape (1, n_times) or (n_boxes, n_times)
            From top to bottom, a row for each small box if bands differ.
        """
        bands, edges = self.bands(heat)
        if len(bands) == 1:
            return bands
        boxes = np.round(-np.diff(edges) / self.strip.gain.small).astype(int)
        return np.repeat(bands, boxes, axis=0)  # (boxes upwards, times)


def lay_out(
    signal: FloatArray,
    fs: float | None,
    unit: str,
    lead_names: Sequence[str],
    layout: str,
    lead: str | None,
) -> Sheet:
    """Find a place for each lead and each name, so that rows do not touch.

    Parameters
    ----------
    signal : ndarray of shape (n_leads, n_times)
        The record, in `unit`.
    fs : float or None
        Sampling frequency in Hz; None makes the axis of time one of samples.
    unit : str
        Of the record.
    lead_names : sequence of str
        One for each lead.
    layout : {"12x1", "3x4", "6x2"}
        As in `ECGDisplay.plot`.
    lead : str or None
        A lead to show alone.

    Returns
    -------
    sheet : Sheet
        Where everything stands.

    Raises
    ------
    ValueError
        If the layout is unknown, or leads that it needs are missing.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.plotting._sheet import lay_out
    >>> sheet = lay_out(np.zeros((2, 500)), 100, "mV", ["II", "V1"], "12x1", None)
    >>> sheet.offsets.tolist(), sheet.strip.duration
    ([1.5, 0.0], 5.0)
    """
    n_times = signal.shape[1]
    rows = lead_rows(layout, lead_names, n_times, lead)
    gain, clock = choose_gain(signal, unit), clock_for(n_times, fs)
    rate = 1.0 if fs is None else fs
    per_s = clock.per_s
    beside = is_grid(layout)
    margin_s = MARGIN_S["no names" if beside else "names"]
    lows, highs, names = [], [], []
    for row in rows:
        traces = [signal[cell.lead, cell.start : cell.stop] for cell in row]
        lows.append(min(trace.min() for trace in traces))
        highs.append(max(trace.max() for trace in traces))
        if beside:
            heights = [_name_height(trace, rate * per_s, gain) for trace in traces]
            highs[-1] = max(highs[-1], max(heights) + _NAME_BOXES * gain.small)
            starts = [cell.start / rate + 0.06 * per_s for cell in row]
        else:
            heights, starts = [gain.pulse / 2], [(0.1 - margin_s) * per_s]
        names.append(list(zip(starts, heights, strict=True)))
    offsets, edges = row_offsets(np.array(lows), np.array(highs), gain)
    ends = float(edges[-1]), float(edges[0])
    strip = Strip(n_times / rate, *ends, gain, margin_s, clock)
    raised = [
        [(time, height + float(offset)) for time, height in row]
        for row, offset in zip(names, offsets, strict=True)
    ]
    return Sheet(strip, rows, raised, offsets, edges, rate)


def _name_height(trace: FloatArray, fs: float, gain: Gain) -> float:
    """Return where a name is above the beginning of its trace."""
    begin = trace[: max(1, round(_NAME_S * fs))]
    boxes = np.clip(begin.max() / gain.small, 2, _HIGHEST_NAME_BOXES) + _NAME_GAP
    return float(boxes) * gain.small
