"""Download files with pooch: several at once, each whole or not at all."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sk_erts._lib.optional import import_optional
from sk_erts.exceptions import DownloadError

TIMEOUT_S = 30
_CHUNK_SIZE = 2**16  # bytes
_TOO_MANY_REQUESTS = 429


def download(
    registry: Mapping[str, str | None],
    folder: Path,
    base_url: str,
    *,
    function: str,
    n_threads: int,
    n_retries: int,
    verbose: bool,
    check: Callable[[Path, str], object] | None = None,
) -> None:
    """Download files into a folder.

    A file appears under its name when it is whole and has its checksum. If one cannot
    be downloaded, the others that are there stay.

    Parameters
    ----------
    registry : mapping of str to str or None
        SHA-256 checksum of each file by its path below the folder; None if unknown.
    folder : Path
        Where they go.
    base_url : str
        What stands before their paths, without a slash at its end.
    function : str
        What the user called, for messages.
    n_threads : int
        How many files are downloaded at once.
    n_retries : int
        How often a file is asked for again.
    verbose : bool
        Whether to show a progress bar.
    check : callable, optional
        Gets a downloaded file that has no name yet, and its URL; raises if it is not
        what it must be.

    Raises
    ------
    DownloadError
        For the first file that cannot be downloaded.
    ImportError
        If pooch is not installed.
    """
    pooch = import_optional("pooch", extra="fetch", purpose=function)
    requests = import_optional("requests", extra="fetch", purpose=function)
    puller = pooch.create(
        path=folder,
        base_url=base_url,
        registry=dict(registry),
        retry_if_failed=n_retries,
    )
    with (
        ExitStack() as sessions,
        tqdm(total=len(registry), unit="file", disable=not verbose) as bar,
        _quiet(pooch.get_logger()),
    ):
        write = _Writer(requests, sessions, check)
        task = partial(_download_one, puller=puller, write=write, function=function)
        _run_all(task, registry, n_threads, bar)


def _run_all(
    task: Callable[[str], None], names: Iterable[str], n_threads: int, bar: Any
) -> None:
    """Do a task for each name in threads, and no more of them when one fails."""
    stop = threading.Event()

    def attempt(name: str) -> None:
        if stop.is_set():
            return
        try:
            task(name)
        except BaseException:
            stop.set()  # before this thread takes up the next file
            raise

    with ThreadPoolExecutor(n_threads) as threads:
        tasks = [threads.submit(attempt, name) for name in names]
        try:
            for done in as_completed(tasks):
                done.result()
                bar.update()
        finally:  # after Ctrl-C, thousands of files may still be waiting
            stop.set()


class _Writer:
    """Write what a URL holds to a file, for pooch; each thread keeps its connection.

    pooch's own would make a new connection for every file: records are small and many.
    """

    def __init__(
        self,
        requests: Any,
        sessions: ExitStack,
        check: Callable[[Path, str], object] | None,
    ) -> None:
        self.requests = requests
        self.sessions = sessions
        self.check = check
        self._of_thread = threading.local()

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        # pooch makes a file that its owner alone may read; a cache may be shared.
        os.remove(output_file)
        with self._session().get(url, stream=True, timeout=TIMEOUT_S) as response:
            status = response.status_code
            if 400 <= status < 500 and status != _TOO_MANY_REQUESTS:
                raise _RefusedError(f"{status} {response.reason}")
            response.raise_for_status()
            with open(output_file, "xb") as file:
                for chunk in response.iter_content(_CHUNK_SIZE):
                    file.write(chunk)
        if self.check is not None:
            self.check(Path(output_file), url)

    def _session(self) -> Any:
        """Return the session of this thread."""
        if not hasattr(self._of_thread, "session"):
            session = self.sessions.enter_context(self.requests.Session())
            self._of_thread.session = session
        return self._of_thread.session


class _RefusedError(OSError):
    """The server will not send the file; pooch does not ask again after this error."""


def _download_one(name: str, *, puller: Any, write: _Writer, function: str) -> None:
    """Download a file, or say in one message what went wrong."""
    path = puller.abspath / name
    try:
        # Two threads in pooch would get into each other's way.
        path.parent.mkdir(parents=True, exist_ok=True)
        puller.fetch(name, downloader=write)
    except DownloadError:
        raise
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{path} cannot be downloaded from {puller.get_url(name)}: "
            f"{_explain(error, write.requests)} What is whole stays; {function} will "
            "carry on there."
        ) from error


def _explain(error: Exception, requests: Any) -> str:
    """Say what went wrong and what to do."""
    if isinstance(error, _RefusedError):
        return f"the server answered {error}. See whether 'base_url' is right."
    if isinstance(error, requests.HTTPError):
        response = error.response
        answer = f"{response.status_code} {response.reason}"
        return f"the server answered {answer}. Call again later."
    if isinstance(error, requests.Timeout):
        return f"the server was silent for {TIMEOUT_S} s. Call again later."
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before the file was whole. Call again."
    if isinstance(error, requests.ConnectionError):
        reason = getattr(error.args[0], "reason", error) if error.args else error
        return (
            f"there is no connection to the server ({reason}). See whether this "
            "machine is online and 'base_url' is right, and call again."
        )
    if isinstance(error, requests.RequestException):
        return f"{error}. See whether 'base_url' is right."
    if isinstance(error, OSError):
        return (
            f"the file cannot be written ({error.strerror or error}). Make room for "
            "it, or name another folder with 'data_home'."
        )
    return (
        "what came does not have the checksum that SHA256SUMS.txt lists. Call again; "
        "if that does not help, delete SHA256SUMS.txt, which may be of another version."
    )


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from writing a line for every file."""

    def is_worth_a_line(record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO

    logger.addFilter(is_worth_a_line)
    try:
        yield
    finally:
        logger.removeFilter(is_worth_a_line)
