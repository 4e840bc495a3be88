"""Two collections of the PhysioNet/CinC Challenge 2021, downloaded from PhysioNet."""

import os
from typing import Any

from sk_erts.datasets._cinc2020 import check_labels, load_cinc2020
from sk_erts.datasets._physionet import PHYSIONET, Project
from sk_erts.datasets._records import check_on_error

CHALLENGE_2021 = "challenge-2021/1.0.3"


def fetch_georgia(
    *,
    labels: str = "classes",
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
    """Download the Georgia records in the CinC 2021 challenge and load them.

    The 10,344 twelve-lead records take some 1.2 GB.

    Parameters
    ----------
    labels : {"classes", "codes"}, default="classes"
        Eight classes, or one label for every SNOMED CT code that occurs.
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
        What `load_cinc2020` returns.
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
    load_cinc2020 : Reads the same files from any folder.

    Notes
    -----
    Files have in the cache the paths that they have at PhysioNet; `load_cinc2020`
    reads ``challenge-2021/1.0.3/training/georgia`` there as well.

    A file in the cache counts if its checksum is the one in ``SHA256SUMS.txt``; if all
    files count, the server is not asked. The list comes from the same server, once. It
    shows that a file is damaged, not who made it: that both are PhysioNet's is vouched
    for by HTTPS alone.

    Examples
    --------
    An empty cache, and no leave to download:

    >>> import tempfile
    >>> from sk_erts.datasets import fetch_georgia
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetch_georgia(data_home=folder, download_if_missing=False)
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: ...lacks files that fetch_georgia needs...
    """
    check_on_error(on_error, "fetch_georgia")
    check_labels(labels)
    project = Project(
        CHALLENGE_2021,
        "fetch_georgia",
        data_home=data_home,
        download_if_missing=download_if_missing,
        n_jobs=n_jobs,
        n_retries=n_retries,
        verbose=verbose,
        base_url=base_url,
    )
    folder = "training/georgia"
    project.fetch(project.files(folder, ".hea", ".mat"))
    return load_cinc2020(
        project.folder / folder,
        sources="E",
        labels=labels,
        on_error=on_error,
        allow_flat=allow_flat,
        n_jobs=n_jobs,
        return_X_y=return_X_y,
    )


def fetch_cpsc2018(
    *,
    labels: str = "classes",
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
    """Download the records of CPSC 2018 in the CinC 2021 challenge and load them.

    The 6,877 twelve-lead records take some 1.3 GB.

    Parameters
    ----------
    labels : {"classes", "codes"}, default="classes"
        Eight classes, or one label for every SNOMED CT code that occurs.
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
        What `load_cinc2020` returns.
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
    load_cinc2020 : Reads the same files from any folder.

    Notes
    -----
    Files have in the cache the paths that they have at PhysioNet; `load_cinc2020`
    reads ``challenge-2021/1.0.3/training/cpsc_2018`` there as well.

    A file in the cache counts if its checksum is the one in ``SHA256SUMS.txt``; if all
    files count, the server is not asked. The list comes from the same server, once. It
    shows that a file is damaged, not who made it: that both are PhysioNet's is vouched
    for by HTTPS alone.

    Examples
    --------
    An empty cache, and no leave to download:

    >>> import tempfile
    >>> from sk_erts.datasets import fetch_cpsc2018
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetch_cpsc2018(data_home=folder, download_if_missing=False)
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordNotFoundError: ...lacks files that fetch_cpsc2018 needs...
    """
    check_on_error(on_error, "fetch_cpsc2018")
    check_labels(labels)
    project = Project(
        CHALLENGE_2021,
        "fetch_cpsc2018",
        data_home=data_home,
        download_if_missing=download_if_missing,
        n_jobs=n_jobs,
        n_retries=n_retries,
        verbose=verbose,
        base_url=base_url,
    )
    folder = "training/cpsc_2018"
    project.fetch(project.files(folder, ".hea", ".mat"))
    return load_cinc2020(
        project.folder / folder,
        sources="A",
        labels=labels,
        on_error=on_error,
        allow_flat=allow_flat,
        n_jobs=n_jobs,
        return_X_y=return_X_y,
    )
