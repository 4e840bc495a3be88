"""Tables of numbers as text, through pandas.

pandas was chosen because it is installed anyway (wfdb needs it), and reads a day of
samples in seconds. What the headings say is read here.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sk_erts._lib.checks import check_lead_names
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._channels import check_file, make_record, told_as
from sk_erts.datasets._csv_layout import SECONDS, Layout, decoded, layout_of
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.datasets._tables import check_unit, columns_as_channels, frequency
from sk_erts.exceptions import RecordError

__all__ = ["read_csv"]

# pandas' own errors are ValueErrors.
_MALFORMED = (ValueError, OverflowError)

# A frequency that is computed from rounded times is rounded if it is this near.
_WHOLE = 1e-3


def read_csv(
    path: str | os.PathLike[str],
    *,
    fs: float | None = None,
    unit: str | None = None,
    lead_names: Iterable[str] | None = None,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    """Read a recording from a table of text, a row for each sample.

    Parameters
    ----------
    path : path-like
        The file. Its columns are separated by commas, semicolons, tabs or spaces.
    fs : float, default=None
        Sampling frequency in Hz. None takes it from a column such as ``time (s)`` or
        ``t_ms``.
    unit : str, default=None
        Unit of the columns whose headings name none, such as "mV" or "uV".
    lead_names : iterable of str, default=None
        Names of the leads, in the order of their columns; None for the headings.
    leads : iterable of str or int, str or int, default=None
        Which leads to read, in this order, by name or number; None for all.
    allow_flat : bool, default=False
        Whether a lead may be constant through the whole record.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with missing samples, as in `read_records`.

    Returns
    -------
    record : Record
        With the attributes ``signal``, an array of shape (n_leads, n_times) and dtype
        float32 in mV, ``lead_names``, ``fs`` in Hz and ``name``, the path without its
        ending.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is no table of numbers; if it tells no frequency, no unit or no names and
        none are given; if its times are not even; or if a lead is absent, no voltage,
        flat or has missing samples.

    See Also
    --------
    read_any : Reads files of all formats.

    Notes
    -----
    A heading may name a unit: ``II (mV)``, ``II [uV]`` or ``II_mV``; so may a second
    line, as PhysioNet's tables have. Columns that count samples (``sample``, ``index``,
    or without a heading, as pandas writes) are left out, and so are times without a
    unit. A frequency from times is rounded if it is within a thousandth of a whole
    number.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sk_erts.datasets import read_csv
    >>> path = os.path.join(tempfile.mkdtemp(), "ecg.csv")
    >>> t = np.arange(500) / 250
    >>> table = np.column_stack([t, np.sin(6 * t), np.cos(6 * t)])
    >>> np.savetxt(
    ...     path, table, delimiter=",", header="time (s),I (mV),II (mV)", comments=""
    ... )
    >>> record = read_csv(path)
    >>> record.lead_names, record.fs, record.signal.shape
    (('I', 'II'), 250.0, (2, 500))
    """
    given = None if lead_names is None else check_lead_names("read_csv", lead_names)
    if unit is not None:
        check_unit("read_csv", unit)
    how = check_reading("read_csv", leads=leads, allow_flat=allow_flat, missing=missing)
    name = check_file(path)
    text = decoded(name, Path(path).read_bytes())
    layout = layout_of(name, text)
    names = _names(name, given, [layout.names[k] for k in layout.leads])
    units = _units(name, names, [layout.units[k] or unit or "" for k in layout.leads])
    columns = _numbers(name, text, layout)
    rate = frequency("read_csv", name, fs, _rate(name, layout, columns))
    table = columns[:, layout.leads]
    channels = columns_as_channels(table, names, units, rate)
    return make_record(name, channels, how)


def _names(
    name: str, given: tuple[str, ...] | None, headings: Sequence[str]
) -> Sequence[str]:
    """Return the names of the leads, given or from the headings."""
    without = len(headings) - sum(map(bool, headings))
    if given is None and without:
        raise RecordError(
            f"{name}: each column must have a heading. Got {without} without one; pass "
            "lead_names=... to read_csv."
        )
    if given is None:
        return headings
    if len(given) != len(headings):
        raise RecordError(
            f"{name}: 'lead_names' must name each of the {len(headings)} columns of "
            f"leads. Got {len(given)} names instead."
        )
    return given


def _units(name: str, names: Sequence[str], units: Sequence[str]) -> Sequence[str]:
    """Return the units of the leads if all are known."""
    without = [lead for lead, unit in zip(names, units, strict=True) if not unit]
    if without:
        raise RecordError(
            f"{name}: the unit of each lead must be known. Got none for "
            f"{', '.join(without)}; pass unit='mV' to read_csv, or what it is."
        )
    return units


def _numbers(name: str, text: str, layout: Layout) -> FloatArray:
    """Return a table of all columns, (n_times, n_columns); NaN in those not needed."""
    import pandas as pd

    clock = set() if layout.clock is None else {layout.clock}
    needed = sorted({*layout.leads, *clock})
    kinds = {k: np.float64 if k in needed else str for k in range(len(layout.names))}
    with told_as(f"{name}: the file is no table of numbers", _MALFORMED):
        # All columns, since a row with one more is an error only then.
        frame = pd.read_csv(
            io.StringIO(text),
            header=None,
            skiprows=layout.n_heading,
            sep=layout.separator,
            decimal=layout.decimal,
            dtype=kinds,
            skipinitialspace=True,
            low_memory=False,
        )
    table = np.full((len(frame), len(layout.names)), np.nan)
    table[:, needed] = frame[needed].to_numpy()
    return table


def _rate(name: str, layout: Layout, columns: FloatArray) -> float | None:
    """Return the sampling frequency that the times tell, if there are times."""
    if layout.clock is None:
        return None
    times = columns[:, layout.clock] * SECONDS[layout.units[layout.clock].casefold()]
    if len(times) < 2:
        return None
    step = (times[-1] - times[0]) / (len(times) - 1)
    # Not "any step is wrong", since no comparison with NaN is true.
    even = step > 0 and (np.abs(np.diff(times) - step) <= step / 2).all()
    if not even:
        raise RecordError(
            f"{name}: times must go up in even steps. Got gaps, or steps back; cut the "
            "table where they are, or take out the column and pass fs=... to read_csv."
        )
    fs = float(1 / step)
    return float(round(fs)) if abs(fs - round(fs)) <= _WHOLE * fs else fs
