"""Files and folders that are there wholly, or as they were before."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

__all__ = ["to_disk", "unfinished_name", "whole_file", "whole_folder"]


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes its name when all of it is on the disk.

    It is written beside the place, so that whoever is killed meanwhile, or has no more
    room, leaves the file of before. Its rights are those of that file, or of a new one.

    Parameters
    ----------
    path : str or path-like
        The name.

    Yields
    ------
    file : file
        To be written to, in bytes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # What a link leads to is written, as by any program.
    place = Path(os.path.realpath(path))
    beside = _beside(place)
    with _named(path):
        file = beside.open("xb")
    try:
        with file:
            yield file
            to_disk(file)
        if place.exists():
            shutil.copymode(place, beside)
        os.replace(beside, place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a folder that takes its name when it is filled.

    One of this name gives way then, and is removed last. Whoever is killed between the
    two renamings leaves both of them whole, under hidden names, the old one with
    "before" in it.

    Parameters
    ----------
    path : str or path-like
        The name.

    Yields
    ------
    beside : Path
        The folder to fill, with files that are on the disk.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    place = Path(os.path.realpath(path))
    beside, before = _beside(place), _beside(place, "before-")
    with _named(path):
        beside.mkdir()
    try:
        yield beside
        for folder, _, _ in os.walk(beside):
            _sync_folder(Path(folder))
        if place.exists():
            os.replace(place, before)
        os.replace(beside, place)
    except BaseException:
        if before.exists() and not place.exists():
            os.replace(before, place)
        for left in (beside, before):
            shutil.rmtree(left, ignore_errors=True)
        raise
    _sync_folder(place.parent)
    if before.exists():
        shutil.rmtree(before)


def unfinished_name(name: str) -> str:
    """Return how names of what is still being written for a file begin.

    Parameters
    ----------
    name : str
        Of the file.

    Returns
    -------
    prefix : str
        Hidden.
    """
    return f".{name}-"


def to_disk(file: IO[Any]) -> None:
    """Wait until what was written to a file is on the disk.

    Parameters
    ----------
    file : file
        Open.
    """
    file.flush()
    os.fsync(file.fileno())


def _beside(path: Path, what: str = "") -> Path:
    # A name may have 255 bytes, of which a letter takes up to four.
    name = unfinished_name(path.name[:50]) + what
    return path.with_name(name + secrets.token_hex(4))


@contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an error tell the name that the user gave."""
    try:
        yield
    except OSError as error:
        error.filename = os.fspath(path)
        raise


def _sync_folder(folder: Path) -> None:
    """Let the new name reach the disk too, where folders can be synchronised."""
    if os.name != "posix":
        return
    with suppress(OSError):  # not of every disk, nor by everybody
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
