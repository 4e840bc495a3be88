"""Errors and warnings of the package; each is a standard one as well."""

__all__ = [
    "ArchiveError",
    "CheckpointWarning",
    "DoubtfulInputWarning",
    "DownloadError",
    "ExplanationWarning",
    "FitInterruptedWarning",
    "IncompleteAttributionWarning",
    "NonFiniteLossError",
    "ProcessLostError",
    "RecordError",
    "RecordNotFoundError",
    "WeightsError",
    "WeightsWarning",
]


class RecordError(ValueError):
    """Raise for a recording or label table that cannot be read as what it claims.

    The message names the file, what was expected of it, and what it holds.

    Examples
    --------
    >>> raise RecordError("00001_lr: expected 1000 samples, got 998")
    Traceback (most recent call last):
    ...
    sk_erts.exceptions.RecordError: 00001_lr: expected 1000 samples, got 998
    """


class RecordNotFoundError(FileNotFoundError):
    """Raise for a folder, record or label table that is not where it must be.

    Examples
    --------
    >>> issubclass(RecordNotFoundError, FileNotFoundError)
    True
    """


class DownloadError(OSError):
    """Raise for a file that cannot be downloaded, or is not what it must be.

    The message names the file and its URL, and says what to do.

    Examples
    --------
    >>> issubclass(DownloadError, OSError)
    True
    """


class ProcessLostError(RuntimeError):
    """Raise when of several processes that train together one does not answer.

    Examples
    --------
    >>> issubclass(ProcessLostError, RuntimeError)
    True
    """


class NonFiniteLossError(ValueError):
    """Raise when the training loss is no longer a finite number.

    Examples
    --------
    >>> issubclass(NonFiniteLossError, ValueError)
    True
    """


class DoubtfulInputWarning(UserWarning):
    """Warn that records or labels are hardly what was meant, and what to write.

    Examples
    --------
    >>> issubclass(DoubtfulInputWarning, UserWarning)
    True
    """


class ExplanationWarning(UserWarning):
    """Warn that a network has no feature maps over time, and what is explained instead.

    Parameters
    ----------
    *args : object
        Of the warning.
    instead : str, optional
        Name of the method that stands in for the one asked for.

    Examples
    --------
    >>> issubclass(ExplanationWarning, UserWarning)
    True
    """

    def __init__(self, *args: object, instead: str | None = None) -> None:
        super().__init__(*args)
        self.instead = instead


class FitInterruptedWarning(UserWarning):
    """Warn that ``fit`` was stopped by hand and which network was kept.

    Examples
    --------
    >>> issubclass(FitInterruptedWarning, UserWarning)
    True
    """


class IncompleteAttributionWarning(UserWarning):
    """Warn that maps do not sum to what they should explain.

    Examples
    --------
    >>> issubclass(IncompleteAttributionWarning, UserWarning)
    True
    """


class WeightsError(ValueError):
    """Raise for a file of weights that cannot be used.

    The message names the file, what was expected of it, and what it holds.

    Examples
    --------
    >>> issubclass(WeightsError, ValueError)
    True
    """


class WeightsWarning(UserWarning):
    """Warn that not all weights of a file fit a network, and which begin anew.

    Examples
    --------
    >>> issubclass(WeightsWarning, UserWarning)
    True
    """


class ArchiveError(ValueError):
    """Raise for a file of a training that cannot be read, or written without code.

    The message names the file, what was expected of it, and what it holds.

    Examples
    --------
    >>> issubclass(ArchiveError, ValueError)
    True
    """


class CheckpointWarning(UserWarning):
    """Warn that a training could not be written down, or the last one is not good.

    Examples
    --------
    >>> issubclass(CheckpointWarning, UserWarning)
    True
    """
