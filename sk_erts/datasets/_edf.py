"""EDF and EDF+, through pyedflib.

pyedflib was chosen because it wraps EDFlib, by the author of EDFbrowser, which checks
headers and sizes before it reads. mne reads EDF too, and is far heavier.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from functools import partial
from typing import Any

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray
from sk_erts.datasets._channels import (
    Channel,
    check_file,
    make_record,
    told_as,
)
from sk_erts.datasets._options import check_reading
from sk_erts.datasets._records import Record
from sk_erts.exceptions import RecordError

__all__ = ["read_edf"]

# What pyedflib raises for a file that is not what it claims to be.
_MALFORMED = (OSError, ValueError, TypeError, IndexError)


def read_edf(
    path: str | os.PathLike[str],
    *,
    leads: str | int | Iterable[str | int] | None = None,
    allow_flat: bool = False,
    missing: str = "raise",
) -> Record:
    """Read a recording in the European Data Format, EDF or EDF+ [1]_.

    Parameters
    ----------
    path : path-like
        The file.
    leads : iterable of str or int, str or int, default=None
        Which signals to read, in this order, by name or number; None for all. Needed
        where breathing, oxygen or the like stands beside the ECG.
    allow_flat : bool, default=False
        Whether a lead may be constant through the whole record.
    missing : {"raise", "interpolate", "cut"}, default="raise"
        What is done with missing samples, as in `read_records`.

    Returns
    -------
    record : Record
        With the attributes ``signal``, an array of shape (n_leads, n_times) and dtype
        float32 in mV, ``lead_names``, ``fs`` in Hz and ``name``, the path without its
        ending. Patient, date and annotations are left out on purpose.

    Raises
    ------
    ImportError
        If pyedflib is not installed; it comes with the extra ``formats``.
    ValueError
        If a parameter is not what it must be.
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is malformed, cut short or has gaps in time; if a lead is absent, no
        voltage or flat; or if leads differ in frequency.

    See Also
    --------
    read_any : Reads files of all formats.

    References
    ----------
    .. [1] Kemp, B. and Olivan, J. (2003). European data format 'plus' (EDF+), an EDF
       alike standard format for the exchange of physiological data. Clinical
       Neurophysiology, 114(9). https://doi.org/10.1016/S1388-2457(03)00123-8

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from pyedflib import EdfWriter
    >>> from sk_erts.datasets import read_edf
    >>> path = os.path.join(tempfile.mkdtemp(), "holter.edf")
    >>> with EdfWriter(path, 1) as writer:
    ...     head = {"label": "ECG II", "dimension": "uV", "sample_frequency": 100}
    ...     head |= {"physical_min": -2000, "physical_max": 2000}
    ...     head |= {"digital_min": -2000, "digital_max": 2000}
    ...     writer.setSignalHeader(0, head)
    ...     writer.writeSamples([1000 * np.sin(np.arange(300))])
    >>> record = read_edf(path)
    >>> record.lead_names, record.fs, record.signal.shape
    (('II',), 100.0, (1, 300))
    """
    pyedflib = import_optional("pyedflib", extra="formats", purpose="read_edf")
    how = check_reading("read_edf", leads=leads, allow_flat=allow_flat, missing=missing)
    name = check_file(path)
    with told_as(f"{name}: the file is no sound EDF", _MALFORMED):
        _check_header(name)
        with pyedflib.EdfReader(name) as file:
            channels = [_channel(file, k) for k in range(file.signals_in_file)]
            return make_record(name, channels, how)


def _check_header(name: str) -> None:
    """Raise if a file has not the size that its header tells, or no time passes in it.

    pyedflib looks at the size too, but prints what it finds.
    """
    with open(name, "rb") as file:
        head = file.read(256)
        n_bytes, n_records, n_signals = (
            int(head[at]) for at in (slice(184, 192), slice(236, 244), slice(252, 256))
        )
        duration_s = float(head[244:252])
        file.seek(256 + 216 * n_signals)
        field = file.read(8 * n_signals)
    n_samples = sum(int(field[k : k + 8]) for k in range(0, 8 * n_signals, 8))
    size, expected = os.path.getsize(name), n_bytes + 2 * n_records * n_samples
    if size != expected:
        raise RecordError(
            f"{name}: the file must have {expected} bytes, as its header says. Got "
            f"{size} instead; restore the file."
        )
    if not 0 < duration_s < math.inf:
        raise RecordError(
            f"{name}: a data record must last some seconds, as its header says. Got "
            f"{duration_s:g} instead; restore the file."
        )


def _channel(file: Any, k: int) -> Channel:
    return Channel(
        name=file.getLabel(k),
        unit=file.getPhysicalDimension(k),
        fs=float(file.getSampleFrequency(k)),
        read=partial(_samples, file, k),
    )


def _samples(file: Any, channel: int) -> FloatArray:
    signal: FloatArray = file.readSignal(channel)
    return signal
