"""A project of PhysioNet in a cache on disk."""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from joblib import effective_n_jobs

from sk_erts._lib.checks import check_count, refuse
from sk_erts._lib.optional import import_optional
from sk_erts.datasets._checksums import CHECKSUMS, find_missing, read_checksums
from sk_erts.datasets._download import download
from sk_erts.exceptions import RecordNotFoundError

PHYSIONET = "https://physionet.org/files"
HOME_VARIABLE = "SK_ERTS_DATA_HOME"


class Project:
    """One version of one project, of which files are fetched when they are wanted.

    The cache holds files at the paths that they have at PhysioNet.

    Parameters
    ----------
    path : str
        Name and version at PhysioNet, such as ``"mitdb/1.0.0"``.
    function : str
        What the user called, for messages.
    data_home : path-like or None
        Folder of the cache; None is the default.
    download_if_missing : bool
        Whether to download what the cache lacks.
    n_jobs : int or None
        Number of threads.
    n_retries : int
        How often a file is asked for again.
    verbose : bool
        Whether to show a progress bar.
    base_url : str
        Server to download from.

    Attributes
    ----------
    folder : Path
        The project's folder in the cache.
    """

    def __init__(
        self,
        path: str,
        function: str,
        *,
        data_home: str | os.PathLike[str] | None,
        download_if_missing: bool,
        n_jobs: int | None,
        n_retries: int,
        verbose: bool,
        base_url: str,
    ) -> None:
        _check_options(function, n_retries, base_url)
        self.path = path
        self.function = function
        self.folder = _home(data_home, function) / path
        self.download_if_missing = download_if_missing
        self.n_threads = effective_n_jobs(n_jobs)
        self.n_retries = n_retries
        self.verbose = verbose
        self.base_url = f"{base_url.rstrip('/')}/{path}"

    @cached_property
    def checksums(self) -> dict[str, str]:
        """Checksums of all files of the project, by path."""
        target = self.folder / CHECKSUMS
        if not target.is_file():
            self._need([CHECKSUMS])
            self._download({CHECKSUMS: None}, verbose=False, check=read_checksums)
        return read_checksums(target, str(target))

    def files(self, folder: str, *endings: str) -> list[str]:
        """Return the project's files below a folder.

        Parameters
        ----------
        folder : str
            Path of the folder.
        *endings : str
            How their names end.

        Returns
        -------
        names : list of str
            Sorted paths below the project's folder.
        """
        return sorted(
            name
            for name in self.checksums
            if name.startswith(f"{folder}/") and name.endswith(endings)
        )

    def fetch(self, names: Iterable[str]) -> None:
        """See that files are in the cache, whole and right.

        Parameters
        ----------
        names : iterable of str
            Paths below the project's folder.

        Raises
        ------
        RecordNotFoundError
            If the project has no such file, or the cache has it not and nothing may be
            downloaded.
        DownloadError
            If a file cannot be downloaded.
        """
        wanted = list(dict.fromkeys(names))
        unknown = [name for name in wanted if name not in self.checksums]
        if unknown or not wanted:
            raise RecordNotFoundError(
                f"{self.folder / CHECKSUMS} must list all files that {self.function} "
                f"needs. Missing: {', '.join(unknown[:3]) or 'all of them'}. See "
                f"whether {self.base_url} has them; if so, delete {CHECKSUMS} and call "
                "again."
            )
        missing = find_missing(self.folder, wanted, self.checksums, self.n_threads)
        if missing:
            self._need(missing)
            registry = {name: self.checksums[name] for name in missing}
            self._download(registry, verbose=self.verbose)

    def _need(self, missing: list[str]) -> None:
        """Raise if nothing may be downloaded."""
        if not self.download_if_missing:
            n_others = max(0, len(missing) - 3)
            others = f" and {n_others} others" if n_others else ""
            raise RecordNotFoundError(
                f"{self.folder} lacks files that {self.function} needs, or holds them "
                f"damaged: {', '.join(missing[:3])}{others}. Pass "
                "download_if_missing=True, or name the folder of a complete cache with "
                "'data_home'."
            )

    def _download(
        self, registry: Mapping[str, str | None], *, verbose: bool, check: Any = None
    ) -> None:
        download(
            registry,
            self.folder,
            self.base_url,
            function=self.function,
            n_threads=self.n_threads,
            n_retries=self.n_retries,
            verbose=verbose,
            check=check,
        )


def _home(data_home: str | os.PathLike[str] | None, function: str) -> Path:
    """Return the folder of the cache."""
    named = data_home or os.environ.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser()
    pooch = import_optional(
        "pooch", extra="fetch", purpose=f"{function} without 'data_home'"
    )
    return Path(pooch.os_cache("sk_erts"))


def _check_options(function: str, n_retries: Any, base_url: Any) -> None:
    """Raise for the first option that is not what it must be."""
    check_count(function, "n_retries", n_retries, 0)
    is_url = isinstance(base_url, str) and base_url.startswith(("https://", "http://"))
    if not is_url:
        wanted = "begin with https:// or http://"
        refuse(function, "base_url", wanted, repr(base_url))
