"""The list of checksums that every project of PhysioNet has."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath, PureWindowsPath

from sk_erts.exceptions import DownloadError

CHECKSUMS = "SHA256SUMS.txt"
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S.*)")


def read_checksums(path: Path, source: str) -> dict[str, str]:
    r"""Read a list of checksums.

    Parameters
    ----------
    path : Path
        The list: in each line a SHA-256 checksum and the path of a file.
    source : str
        What error messages call the list.

    Returns
    -------
    checksums : dict of str to str
        Checksum of each file, by its path below the list's folder.

    Raises
    ------
    DownloadError
        If it is no such list, or a path leads out of the list's folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sk_erts.datasets._checksums import read_checksums
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "SHA256SUMS.txt")
    ...     _ = path.write_text("0" * 64 + " ../secret\n")
    ...     read_checksums(path, "the list")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.DownloadError: the list, line 1: files must lie in the folder ...
    """
    checksums: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise DownloadError(
                f"{source}, line {number}: there must be a SHA-256 checksum and a path."
                f" Got {line[:80]!r} instead; see with a browser what the server sends."
            )
        if _leads_out(found.group(2)):
            raise DownloadError(
                f"{source}, line {number}: files must lie in the folder of the list. "
                f"Got {found.group(2)!r} instead; do not trust this server."
            )
        checksums[str(PurePosixPath(found.group(2)))] = found.group(1).lower()
    if not checksums:
        raise DownloadError(
            f"{source}: the list names no file; see with a browser what the server "
            "sends."
        )
    return checksums


def find_missing(
    folder: Path, names: Iterable[str], checksums: Mapping[str, str], n_threads: int
) -> list[str]:
    """Return the files that are not there or do not have their checksum.

    Parameters
    ----------
    folder : Path
        Where the files are looked for.
    names : iterable of str
        Their paths below the folder.
    checksums : mapping of str to str
        Their SHA-256 checksums.
    n_threads : int
        Number of threads that read.

    Returns
    -------
    missing : list of str
        Out of `names`.
    """
    paths = list(names)
    with ThreadPoolExecutor(n_threads) as threads:
        found = threads.map(lambda name: _digest(folder / name), paths)
        return [
            name
            for name, digest in zip(paths, found, strict=True)
            if digest != checksums[name]
        ]


def _leads_out(name: str) -> bool:
    """Tell whether a path leaves its folder, on this system or another."""
    # Windows takes "/" for "\\" as well, so that its rules are the stricter ones.
    path = PureWindowsPath(name)
    return bool(path.drive or path.root or ".." in path.parts)


def _digest(path: Path) -> str | None:
    """Return the checksum of a file, None if it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
