"""What an exit code means, and what an error says in one line."""

from __future__ import annotations

from enum import IntEnum

from sk_erts.exceptions import (
    ArchiveError,
    DownloadError,
    NonFiniteLossError,
    RecordError,
    RecordNotFoundError,
    WeightsError,
)

__all__ = ["DataFault", "ExitCode", "Fault", "ModelFault", "code_of", "message_of"]


class ExitCode(IntEnum):
    """What a program that calls the command can tell apart."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    DATA = 3
    MODEL = 4
    TRAINING = 5
    STOPPED = 130


class Fault(Exception):
    """Raise for what the user can mend: an option, a parameter, a value.

    Examples
    --------
    >>> from sk_erts._cli._errors import Fault, code_of
    >>> int(code_of(Fault("--output is missing")))
    2
    """

    code = ExitCode.USAGE


class DataFault(Fault):
    """Raise for records, labels or files that cannot be read."""

    code = ExitCode.DATA


class ModelFault(Fault):
    """Raise for a saved training that cannot be read, or does not fit the records."""

    code = ExitCode.MODEL


# The first that fits counts: most of these are a ValueError or an OSError as well.
_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (KeyboardInterrupt, ExitCode.STOPPED),
    (NonFiniteLossError, ExitCode.TRAINING),
    (ArchiveError, ExitCode.MODEL),
    (WeightsError, ExitCode.MODEL),
    (RecordError, ExitCode.DATA),
    (RecordNotFoundError, ExitCode.DATA),
    (DownloadError, ExitCode.DATA),
    (OSError, ExitCode.DATA),
    (ImportError, ExitCode.USAGE),
    (ValueError, ExitCode.USAGE),
)


def code_of(error: BaseException) -> ExitCode:
    """Return the exit code that an error ends the command with.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    code : ExitCode
        `UNEXPECTED`, if it is none of those that tell a user what to do.
    """
    if isinstance(error, Fault):
        return error.code
    if hasattr(error, "format_message"):  # typer's own, of the command line
        return ExitCode.USAGE
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.UNEXPECTED


def message_of(error: BaseException) -> str:
    r"""Return an error in one line.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    message : str
        What it says; of one that nobody foresaw, its type too, and how to see more.

    Examples
    --------
    >>> from sk_erts._cli._errors import message_of
    >>> message_of(ImportError("It needs typer.\nInstall it."))
    'It needs typer. Install it.'
    >>> message_of(KeyError("gain"))
    "unexpected KeyError: 'gain' (--debug shows where)"
    """
    told = error.format_message() if hasattr(error, "format_message") else str(error)
    line = " ".join(told.split())
    match code_of(error):
        case ExitCode.UNEXPECTED:
            return f"unexpected {type(error).__name__}: {line} (--debug shows where)"
        case ExitCode.STOPPED:
            return line or "stopped by hand."
    return line or type(error).__name__
