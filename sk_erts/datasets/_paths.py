"""Which records a folder or a list of paths holds."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sk_erts._lib.checks import refuse
from sk_erts.datasets._header import parts_of
from sk_erts.exceptions import RecordNotFoundError

__all__ = ["ENDINGS", "as_paths", "bare", "find_headers", "without_parts"]

# What the name of a record may end with: its header, or a signal file.
ENDINGS = (".hea", ".mat", ".dat")


def bare(path: str | os.PathLike[str]) -> Path:
    """Return the path of a record without the ending of one of its files.

    Parameters
    ----------
    path : path-like
        With or without an ending.

    Returns
    -------
    path : Path
        Without; a record whose name ends like a file keeps its name.
    """
    path = Path(path)
    has_ending = path.suffix in ENDINGS and not Path(f"{path}.hea").is_file()
    return path.with_suffix("") if has_ending else path


def as_paths(owner: object, paths: Any) -> list[Path]:
    """Return the parameter `paths`, a sequence of paths, without endings.

    Parameters
    ----------
    owner : str or object
        Whose parameter it is.
    paths : iterable of path-like
        The parameter.

    Returns
    -------
    paths : list of Path
        At least one.
    """
    wanted = "hold a path or more"
    if isinstance(paths, str | os.PathLike):
        advice = f"For one record write [{os.fspath(paths)!r}]."
        refuse(owner, "paths", f"{wanted}, in a list", repr(paths), advice)
    found = list(paths) if isinstance(paths, Iterable) else [paths]
    if not found:
        refuse(owner, "paths", wanted, "none")
    for path in found:
        if not isinstance(path, str | os.PathLike):
            refuse(owner, "paths", wanted, repr(path))
    return [bare(path) for path in found]


def find_headers(root: Path, pattern: str = "*.hea") -> list[Path]:
    """Return the records below a folder.

    Parameters
    ----------
    root : Path
        The folder.
    pattern : str
        What their headers are called.

    Returns
    -------
    paths : list of Path
        Without extension, in the order of their names.

    Raises
    ------
    RecordNotFoundError
        If the folder holds no header.
    """
    found = sorted(root.rglob(pattern), key=lambda path: (path.name, path))
    if not found:
        raise RecordNotFoundError(f"The folder {root} holds no header (.hea).")
    return [path.with_suffix("") for path in found]


def without_parts(paths: Iterable[Path]) -> list[Path]:
    """Return records but for those that are segments of another one of them.

    Parameters
    ----------
    paths : iterable of Path
        Records, without extension.

    Returns
    -------
    paths : list of Path
        In their order. Layouts, which hold no samples, are segments as well.
    """
    every = list(paths)
    parts = {path.parent / name for path in every for name in parts_of(f"{path}.hea")}
    return [path for path in every if path not in parts]
