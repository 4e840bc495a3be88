"""What goes to the terminal, and what to programs."""

from __future__ import annotations

import json
import math
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from sk_erts._cli._errors import ExitCode

__all__ = ["Out", "shown", "tell_error"]

_NUMBER = re.compile(r"-|-?[\d,.]+%?")


class Out:
    """Where a command writes to.

    Results go to stdout: tables for people, or JSON and nothing else. What is said
    meanwhile goes to stderr.

    Parameters
    ----------
    as_json : bool
        Whether a program reads stdout.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._stdout = Console(highlight=False)
        self._stderr = Console(highlight=False, stderr=True)
        self._warned: set[type[Warning]] = set()

    def say(self, text: str) -> None:
        """Say to a person what is going on."""
        self._stderr.print(Text(text), soft_wrap=not self._stderr.is_terminal)

    def give(self, result: dict[str, Any]) -> None:
        """Give a program what the command found; nothing to people.

        Parameters
        ----------
        result : dict
            Of numbers, arrays, texts and the like.
        """
        if self.as_json:
            sys.stdout.write(json.dumps(_plain(result), ensure_ascii=False) + "\n")

    def tell(self, text: str = "") -> None:
        """Tell a person what was found; nothing to programs."""
        if not self.as_json:
            self._stdout.print(Text(text), soft_wrap=not self._stdout.is_terminal)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
    ) -> None:
        """Show a person a table: texts to the left, numbers to the right.

        Parameters
        ----------
        columns : sequence of str
            Headings.
        rows : iterable of sequences
            Cells; numbers are shown by `shown`.
        """
        if self.as_json:
            return
        cells = [list(row) for row in rows]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for k, name in enumerate(columns):
            of_numbers = all(_NUMBER.fullmatch(shown(row[k])) for row in cells)
            table.add_column(
                Text(name),
                justify="right" if of_numbers and cells else "left",
                overflow="fold",  # nothing is lost, however narrow
            )
        for row in cells:
            table.add_row(*(Text(shown(cell)) for cell in row))
        self._stdout.print(table)

    def facts(self, facts: dict[str, Any]) -> None:
        """Show a person names and what they stand for, one a line."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column()
        table.add_column(overflow="fold")
        for name, fact in facts.items():
            table.add_row(Text(name), Text(shown(fact)))
        self._stdout.print(table)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show a person, who sees the terminal, that something is being done."""
        if self._stderr.is_terminal:
            with self._stderr.status(Text(f"{what} ...")):
                yield
        else:
            yield

    def along(self, items: Sequence[Any], what: str) -> Iterable[Any]:
        """Go along items behind a bar that says how long it still takes."""
        return track(
            items, what, console=self._stderr, disable=not self._stderr.is_terminal
        )

    @contextmanager
    def telling_warnings(self) -> Iterator[None]:
        """Write warnings as one line each."""

        def show(
            message: Warning | str, category: type[Warning], *where: Any, **more: Any
        ) -> None:
            self._warned.add(category)
            self.say(f"warning: {' '.join(str(message).split())}")

        with warnings.catch_warnings():
            warnings.filterwarnings("default", category=UserWarning)
            warnings.showwarning = show
            yield

    def has_warned(self, category: type[Warning]) -> bool:
        """Return whether there was a warning of a kind."""
        return any(issubclass(own, category) for own in self._warned)


def tell_error(code: ExitCode, message: str, *, as_json: bool) -> None:
    """Write an error in one line; to programs as JSON too.

    Parameters
    ----------
    code : ExitCode
        What the command ends with.
    message : str
        One line.
    as_json : bool
        Whether a program reads stdout.
    """
    console = Console(highlight=False, stderr=True)
    line = Text.assemble(("error: ", "bold red"), message)
    console.print(line, soft_wrap=True)
    Out(as_json).give({"error": message, "exit_code": int(code)})


def shown(value: Any) -> str:
    """Return what a person reads in a cell.

    Parameters
    ----------
    value : object
        A number, text, bool, None, or several of them.

    Returns
    -------
    text : str
        Numbers with three digits behind the point.

    Examples
    --------
    >>> from sk_erts._cli._console import shown
    >>> shown(0.12345), shown(1374), shown(None), shown(("I", "II"))
    ('0.123', '1,374', '-', 'I, II')
    """
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return "-" if math.isnan(value) else f"{value:.3f}"
        case list() | tuple():
            return ", ".join(map(shown, value))
    return str(value)


def _plain(value: Any) -> Any:
    """Return what JSON can hold; what is no number becomes null."""
    match value:
        case dict():
            return {str(key): _plain(own) for key, own in value.items()}
        case list() | tuple():
            return [_plain(own) for own in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
    if hasattr(value, "tolist"):  # of NumPy
        return _plain(value.tolist())
    return str(value)
