"""The MIT-BIH Arrhythmia Database, downloaded from PhysioNet."""

import os
from collections.abc import Iterable
from typing import Any

from sk_erts.datasets._mitbih import (
    DS1,
    DS2,
    check_parameters,
    check_records,
    load_mitbih,
)
from sk_erts.datasets._physionet import PHYSIONET, Project
from sk_erts.datasets._records import check_on_error


def fetch_mitbih(
    *,
    records: str | Iterable[str] | None = None,
    window_s: tuple[float, float] = (0.25, 0.45),
    classes: str = "aami",
    leads: Iterable[str] = ("MLII",),
    on_error: str = "raise",
    allow_flat: bool = False,
    return_X_y: bool = False,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    n_jobs: int | None = None,
    n_retries: int = 3,
    verbose: bool = False,
    base_url: str = PHYSIONET,
) -> Any:
    """Download records of the MIT-BIH Arrhythmia Database and load their beats.

    A record takes some 2 MB.

    Parameters
    ----------
    records : {"ds1", "ds2"} or iterable of str, default=None
        Names of records, or one half of de Chazal's division; None is both.
    window_s : pair of float, default=(0.25, 0.45)
        Seconds before and after the annotated R peak.
    classes : {"aami", "symbols"}, default="aami"
        Five classes, or the symbols of the annotators.
    leads : iterable of str, default=("MLII",)
        Leads to read, in this order.
    on_error : {"raise", "skip"}, default="raise"
        Whether a record that cannot be read is an error, or is left out and listed in
        ``skipped``.
    allow_flat : bool, default=False
        Whether to read records in which a lead is constant from begin to end.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.
    data_home : path-like, default=None
        Folder of the cache; None is the environment variable ``SK_ERTS_DATA_HOME`` or,
        without it, ``sk_erts`` in the system's folder for caches.
    download_if_missing : bool, default=True
        Whether to download what the cache lacks; if not, that is an error.
    n_jobs : int, default=None
        Number of threads that download and of processes that read; None is one. The
        files are small, and several at once come much faster.
    n_retries : int, default=3
        How often a file is asked for again if the connection breaks or its checksum is
        wrong: after 1 s, 2 s and so on.
    verbose : bool, default=False
        Whether to show a progress bar of the files to download.
    base_url : str, default="https://physionet.org/files"
        Server to download from; a mirror must have the same folders.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        What `load_mitbih` returns.
    (data, target) : tuple
        If ``return_X_y`` is true.

    Raises
    ------
    ValueError
        If a parameter is not what it must be; before anything is downloaded.
    DownloadError
        If a file cannot be downloaded. What is whole stays; the next call carries on.
    RecordNotFoundError
        If the cache lacks a file and `download_if_missing` is false, or PhysioNet does
        not list it.
    ImportError
        If pooch is needed and not installed: ``pip install "sk-erts[fetch]"``.

    See Also
    --------
    load_mitbih : Reads the same files from any folder.

    Notes
    -----
    Files have in the cache the paths that they have at PhysioNet; `load_mitbih`
    reads ``mitdb/1.0.0`` there as well.

    A file in the cache counts if its checksum is the one in ``SHA256SUMS.txt``; if all
    files count, the server is not asked. The list comes from the same server, once. It
    shows that a file is damaged, not who made it: that both are PhysioNet's is vouched
    for by HTTPS alone.

    Examples
    --------
    An empty cache, and no leave to download:

    >>> import tempfile
    >>> from sk_erts.datasets import fetch_mitbih
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetch_mitbih(data_home=folder, download_if_missing=False)
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: ...lacks files that fetch_mitbih needs...
    """
    check_on_error(on_error, "fetch_mitbih")
    lead_names = check_parameters(window_s, classes, leads)
    names = check_records(records)
    if names is None:
        names = sorted(DS1 + DS2)
    project = Project(
        "mitdb/1.0.0",
        "fetch_mitbih",
        data_home=data_home,
        download_if_missing=download_if_missing,
        n_jobs=n_jobs,
        n_retries=n_retries,
        verbose=verbose,
        base_url=base_url,
    )
    project.fetch(f"{name}{end}" for name in names for end in (".hea", ".dat", ".atr"))
    return load_mitbih(
        project.folder,
        records=names,
        window_s=window_s,
        classes=classes,
        leads=lead_names,
        on_error=on_error,
        allow_flat=allow_flat,
        n_jobs=n_jobs,
        return_X_y=return_X_y,
    )
