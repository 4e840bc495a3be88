"""What is wrong with one record's files becomes one kind of error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = ["LARGEST_HEADER", "lies_beside", "read_text", "reading"]

# No header has as many bytes; whatever has is no header, and is not loaded.
LARGEST_HEADER = 16 * 2**20

# What a library raises on a file that is not what it claims to be. It does not say
# which, so it is all but what is about this process: memory, signals, its own bugs in
# what it imports.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,  # fsspec, for names that look like addresses
    LookupError,
    OSError,
    RuntimeError,  # also the sound library's
    TypeError,
    ValueError,
)


@contextmanager
def reading(path: str, what: str) -> Iterator[None]:
    """Turn whatever another library makes of a damaged file into `RecordError`.

    Parameters
    ----------
    path : str
        The file, or the record, that is read meanwhile.
    what : str
        What it should hold: ``"the signal file"``.

    Raises
    ------
    RecordNotFoundError
        If a file is not there.
    RecordError
        If anything else is wrong.
    """
    try:
        yield
    except (RecordError, RecordNotFoundError):
        raise
    except FileNotFoundError as error:
        raise RecordNotFoundError(
            f"{path}: {what} is not there. Restore the record, or leave it out."
        ) from error
    except _DAMAGE as error:
        raise RecordError(
            f"{path}: {what} must be readable as what it claims to be. Got "
            f"{type(error).__name__} instead, {str(error) or 'without a word'}; "
            "restore the file, or leave the record out."
        ) from error


def read_text(path: str) -> str:
    """Return the text of a header.

    Parameters
    ----------
    path : str
        The file, ``.hea`` included.

    Returns
    -------
    text : str
        Decoded as UTF-8, or as Latin-1 where it is none: a unit may be µV.

    Raises
    ------
    RecordNotFoundError
        If there is none.
    RecordError
        If it cannot be read, or is no header by its size.
    """
    try:
        with reading(path, "the header"):
            size = os.stat(path).st_size
            if size > LARGEST_HEADER:
                raise RecordError(
                    f"{path}: a header must have at most {LARGEST_HEADER} bytes. Got "
                    f"{size} instead; restore the file."
                )
            with open(path, "rb") as file:
                content = file.read()
    except RecordNotFoundError as error:
        raise RecordNotFoundError(
            f"{path}: there is no such header. Restore the record, or leave it out."
        ) from error.__cause__
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def lies_beside(name: str) -> bool:
    """Return whether the name of a file leads to no other folder.

    Parameters
    ----------
    name : str
        As a header has it.

    Returns
    -------
    lies_beside : bool
        False for a path, for ``..`` and for what is no name on any system.
    """
    is_path = "/" in name or "\\" in name or name in ("", ".", "..")
    return name.isprintable() and not is_path
