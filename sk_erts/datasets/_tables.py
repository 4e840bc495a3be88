"""What tables do not tell of themselves: frequency, unit and leads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isclose
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_frequency, refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts.datasets._channels import Channel
from sk_erts.datasets._units import millivolts
from sk_erts.exceptions import RecordError

__all__ = ["check_unit", "columns_as_channels", "frequency"]

# Times are rounded when they are written.
_SAME_FREQUENCY = 0.01


def check_unit(owner: str, unit: Any) -> None:
    """Raise if the parameter `unit` is no voltage.

    Parameters
    ----------
    owner : str
        Whose parameter it is.
    unit : str
        The parameter.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(unit, str) or millivolts(unit) is None:
        refuse(owner, "unit", "be 'V', 'mV', 'uV' or 'nV'", repr(unit))


def frequency(owner: str, name: str, given: Any, found: float | None) -> float:
    """Return the sampling frequency of a table.

    Parameters
    ----------
    owner : str
        Function that reads it.
    name : str
        The file.
    given : float or None
        Its parameter `fs`.
    found : float or None
        What the file says.

    Returns
    -------
    fs : float
        In Hz.

    Raises
    ------
    ValueError
        If what is given is no frequency.
    RecordError
        If neither is known, or they differ by more than one in a hundred.
    """
    if given is None and found is None:
        raise RecordError(
            f"{name}: the sampling frequency must be known. Got none from the file; "
            f"pass fs=... to {owner}, in Hz."
        )
    if given is None or found is None:
        return check_frequency(owner, given) if found is None else float(found)
    if not isclose(check_frequency(owner, given), found, rel_tol=_SAME_FREQUENCY):
        raise RecordError(
            f"{name}: the file says {found:g} Hz. Got fs={given} instead; leave it "
            "out, or mend the file."
        )
    return float(given)


def columns_as_channels(
    table: Array, names: Sequence[str], units: Sequence[str], fs: float
) -> list[Channel]:
    """Return the columns of a table as channels.

    Parameters
    ----------
    table : ndarray of shape (n_times, n_leads)
        Real numbers.
    names, units : sequence of n_leads str
        Of the columns.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    channels : list of Channel
        One for each column.
    """
    return [
        Channel(name, unit, fs, partial(_column, table, k))
        for k, (name, unit) in enumerate(zip(names, units, strict=True))
    ]


def _column(table: Array, k: int) -> FloatArray:
    return np.asarray(table[:, k], dtype=np.float64)
