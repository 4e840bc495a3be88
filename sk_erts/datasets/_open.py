"""Records in files of whatever kind, opened and not read."""

from __future__ import annotations

import os
from typing import Any

from sk_erts.datasets._npz import is_npz, open_npz
from sk_erts.datasets._packed import open_npy
from sk_erts.datasets._shards import ShardedRecords

__all__ = ["open_records"]


def open_records(path: str | os.PathLike[str]) -> Any:
    """Open what `to_memmap` or `to_shards` wrote, or an archive of `numpy.savez`.

    Parameters
    ----------
    path : path-like
        The file or folder. Of an archive (``.npz``) the array ``X`` is opened, or its
        only one, in the numbers it is stored in; labels beside it are
        ``numpy.load(path)["y"]``.

    Returns
    -------
    X : memmap of shape (n_samples, n_leads, n_times), PackedRecords, ShardedRecords \
            or ndarray
        Nothing is read yet, unless it is an archive that is compressed, which is
        loaded whole. All can be fitted, divided and explained. Records of an archive
        may have the shape (n_samples, n_times).

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    ValueError
        If it is no such file, or an archive of several arrays and none is ``X``; a
        `RecordError` if a folder is none of `to_shards`, or not whole.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sk_erts.datasets import make_ecg, open_records
    >>> X, y = make_ecg(4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder, "h.npz"), X=X, y=y)
    ...     opened = open_records(Path(folder, "h.npz"))
    ...     print(type(opened).__name__, opened.shape)
    memmap (4, 12, 1000)
    >>> open_records("not/here.npy")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'not/here.npy'
    """
    if os.path.isdir(path):
        return ShardedRecords(path)
    if is_npz(path):
        return open_npz(path)
    return open_npy(path)
