"""Matrices of MATLAB, through scipy.

scipy was chosen because it is installed anyway. It reads all files but those of
MATLAB's version 7.3, which are HDF5; these are refused, and the message says what makes
MATLAB write others.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_lead_names
from sk_erts._lib.typing import Array
from sk_erts.datasets._channels import (
    check_file,
    make_record,
    told_as,
)
from sk_erts.datasets._mat_check import numeric_variables
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.datasets._tables import check_unit, columns_as_channels, frequency
from sk_erts.exceptions import RecordError

__all__ = ["read_mat"]

# What scipy raises for a file that is not what it claims to be, besides its own error.
_MALFORMED = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NameError,  # a local variable of its own that it has not set
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_mat(
    path: str | os.PathLike[str],
    *,
    lead_names: Iterable[str],
    unit: str,
    fs: float | None = None,
    variable: str | None = None,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    """Read a recording from a matrix in a file of MATLAB.

    Parameters
    ----------
    path : path-like
        The file.
    lead_names : iterable of str
        Names of the leads, in the order of the matrix.
    unit : str
        Unit of the numbers, such as "mV" or "uV"; the file does not tell it.
    fs : float, default=None
        Sampling frequency in Hz. None reads it from a variable ``fs`` of the file.
    variable : str, default=None
        Name of the matrix. None is ``val``, as PhysioNet writes, or the only one with
        two dimensions of which one is as long as `lead_names`.
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
        If it is malformed or cut short; if it tells no frequency and none is given; if
        there is no such matrix, or several; or if a lead is absent, flat or has missing
        samples.

    See Also
    --------
    read_any : Reads files of all formats.
    read_records : Reads such a matrix if a WFDB header lies beside it.

    Notes
    -----
    Leads may be rows or columns; if both are as many as the names, they are rows.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from sk_erts.datasets import read_mat
    >>> path = os.path.join(tempfile.mkdtemp(), "ecg.mat")
    >>> savemat(path, {"ecg": 500 * np.sin(np.arange(600.0)).reshape(2, 300)})
    >>> record = read_mat(path, lead_names=["I", "II"], unit="uV", fs=250)
    >>> record.lead_names, record.fs, record.signal.shape
    (('I', 'II'), 250.0, (2, 300))
    """
    names = check_lead_names("read_mat", lead_names)
    check_unit("read_mat", unit)
    how = check_reading("read_mat", leads=leads, allow_flat=allow_flat, missing=missing)
    name = check_file(path)
    from scipy.io.matlab import MatReadError, loadmat  # slow, and seldom needed

    damage = (*_MALFORMED, MatReadError)
    with told_as(f"{name}: the file is no sound MATLAB file", damage):
        held = _variables(name, path, loadmat)
    fs = frequency("read_mat", name, fs, _scalar(held))
    matrix = _matrix(name, held, variable, len(names))
    channels = columns_as_channels(matrix, names, [unit] * len(names), fs)
    return make_record(name, channels, how)


def _variables(
    name: str, path: str | os.PathLike[str], loadmat: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    """Return what a file holds by its names."""
    data = Path(path).read_bytes()
    if b"MATLAB 7.3" in data[:128]:
        raise RecordError(
            f"{name}: the file must be of MATLAB's version 7 or older. Got 7.3, which "
            "is HDF5; write it anew with save(..., '-v7')."
        )
    # Version 4 begins with a number in which there is a 0, later ones with text. There
    # is nothing in it that scipy trusts blindly.
    wanted = None if 0 in data[:4] else numeric_variables(name, data)
    with warnings.catch_warnings():
        # Variables with one name and the like: what is read is checked here.
        warnings.simplefilter("ignore", UserWarning)
        found = loadmat(io.BytesIO(data), variable_names=wanted)
    return {key: value for key, value in found.items() if not key.startswith("__")}


def _scalar(held: Mapping[str, Any]) -> float | None:
    """Return the sampling frequency that a file holds, if it does."""
    for key, value in held.items():
        if key.casefold() == "fs" and _is_real(value) and value.size == 1:
            return float(value.item())
    return None


def _is_real(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf"


def _matrix(
    name: str, held: Mapping[str, Any], variable: str | None, n_leads: int
) -> Array:
    """Return the wanted matrix, (n_times, n_leads)."""
    fitting = [
        key
        for key, value in held.items()
        if _is_real(value) and value.ndim == 2 and n_leads in value.shape
    ]
    if variable is None and "val" in fitting:
        variable = "val"
    if variable is None and len(fitting) == 1:
        (variable,) = fitting
    if variable not in fitting:
        shapes = [f"{key} {getattr(value, 'shape', '')}" for key, value in held.items()]
        raise RecordError(
            f"{name}: there must be one matrix of numbers with {n_leads} rows or "
            f"columns, as there are lead names, or 'variable' must name it. Got "
            f"{', '.join(shapes) or 'nothing'} instead."
        )
    matrix: Array = held[variable]
    return matrix.T if matrix.shape[0] == n_leads else matrix
