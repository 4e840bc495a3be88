"""Annotations of beats, as an annotator's file holds them."""

import os
import warnings
from collections.abc import Collection

import numpy as np

from sk_erts._lib.typing import IntArray
from sk_erts.datasets._damage import reading
from sk_erts.datasets._wfdb import import_wfdb
from sk_erts.exceptions import RecordError

__all__ = ["read_beats"]

END_MARK = b"\0\0"


def read_beats(
    path: str, symbols: Collection[str], n_times: int
) -> tuple[list[str], IntArray]:
    """Return the annotated beats of a record.

    Parameters
    ----------
    path : str
        The record's path without extension; the annotations are in ``.atr``.
    symbols : collection of str
        Which annotations are beats; other remarks are left out.
    n_times : int
        Length of the record.

    Returns
    -------
    found : list of n_beats str
        Symbol of each beat.
    samples : ndarray of shape (n_beats,), dtype int64
        Time step of each.

    Raises
    ------
    RecordNotFoundError
        If there is no such file.
    RecordError
        If it is malformed or cut short, holds no beat, or one outside the record.
    """
    file = f"{path}.atr"
    with reading(file, "the file of annotations"):
        _check_end(file)
        with warnings.catch_warnings():
            # wfdb calls pandas in a way that recent versions deprecate, and numpy in
            # one that it warns of when a file is damaged.
            warnings.simplefilter("ignore")
            annotation = import_wfdb().rdann(path, "atr")
        rows = [k for k, x in enumerate(annotation.symbol) if x in symbols]
        found = [str(annotation.symbol[k]) for k in rows]
        samples = np.asarray(annotation.sample, dtype=np.int64)[rows]
    if not found:
        raise RecordError(
            f"{file}: there must be a beat or more. Got {len(annotation.symbol)} "
            "annotations and no beat instead; restore the file, or leave the record "
            "out."
        )
    if samples.min() < 0 or samples.max() >= n_times:
        raise RecordError(
            f"{file}: all beats must lie in the record, in time steps 0 to "
            f"{n_times - 1}. Got {samples.min()} to {samples.max()} instead; restore "
            "the file, or the record."
        )
    return found, samples


def _check_end(file: str) -> None:
    """Raise if the mark is missing that annotations end with: they were cut short."""
    size = os.stat(file).st_size
    with open(file, "rb") as opened:
        opened.seek(max(0, size - len(END_MARK)))
        is_whole = opened.read() == END_MARK and size % len(END_MARK) == 0
    if not is_whole:
        raise RecordError(
            f"{file}: the annotations must end with two bytes of 0. Got {size} bytes "
            "without them instead: they are cut short; restore the file, or leave the "
            "record out."
        )
