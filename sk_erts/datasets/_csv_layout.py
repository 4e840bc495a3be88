"""How a table of text is written: headings, units, and what separates columns."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sk_erts.exceptions import RecordError

__all__ = ["SECONDS", "Layout", "decoded", "layout_of"]

# "II (mV)", "II [mV]", "II_mV".
_WITH_UNIT = re.compile(
    r"(?P<name>.*?)\s*(?:\((?P<a>[^)]*)\)|\[(?P<b>[^\]]*)\]|_(?P<c>[mu]v|m?s))",
    re.IGNORECASE,
)
_TIMES = ("t", "time", "times", "elapsed time")
_COUNTERS = ("", "index", "sample", "samples", "sample #", "unnamed: 0")
SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
}
_MOST_HEADING = 100  # lines, with comments
_MISSING = ("na", "n/a", "#n/a", "nan", "null", "none")
_SPACES = r"\s+"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    n_heading : int
        Lines before the first sample.
    separator, decimal : str
        Between columns, and in numbers.
    names, units : list of str
        Of all columns, as far as the headings tell.
    leads : list of int
        Columns that are no time and no counter.
    clock : int or None
        The column of times, if their unit is known.
    """

    n_heading: int
    separator: str
    decimal: str
    names: list[str]
    units: list[str]
    leads: list[int]
    clock: int | None


def decoded(name: str, data: bytes) -> str:
    """Return the text of a table.

    Parameters
    ----------
    name : str
        The file.
    data : bytes
        What it holds.

    Returns
    -------
    text : str
        What is no Unicode is taken for Latin-1, for the sake of its micro sign.

    Raises
    ------
    RecordError
        If it is no text.
    """
    if data[:2] in _UTF16:
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise RecordError(
            f"{name}: the file must be a table of text. Got bytes that are no text; "
            "read_any tells formats from each other."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def layout_of(name: str, text: str) -> Layout:
    """Read the lines before the first sample.

    Parameters
    ----------
    name : str
        The file.
    text : str
        What it holds.

    Returns
    -------
    layout : Layout
        How it is written.

    Raises
    ------
    RecordError
        If there is no line with a sample.
    """
    # Lines end as they do for pandas, which skips as many as are counted here.
    first = islice(io.StringIO(text, newline=None), _MOST_HEADING)
    lines = [line.rstrip("\n") for line in first]
    top = [k for k, line in enumerate(lines) if _says_something(line)]
    if not top:
        raise RecordError(
            f"{name}: the file must be a table, a row for each sample. Got no row; "
            "restore the file."
        )
    for n_heads, at in enumerate(top[:3]):
        separator = _separator(lines[at])
        cells = _cells(lines[at], separator)
        decimal = "," if separator != "," and "," in lines[at] else "."
        if _are_numbers(cells, decimal):
            heads = [_cells(lines[head], separator) for head in top[:n_heads]]
            _check_widths(name, heads, len(cells))
            names, units = _headings(name, heads, len(cells))
            return _layout(at, separator, decimal, names, units)
    raise RecordError(
        f"{name}: the file must be a table of numbers under one line of headings, or "
        f"two. Got {lines[top[0]][:60]!r} and no numbers below; mend the file."
    )


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _separator(line: str) -> str:
    """Return what separates columns; spaces are a pattern of pandas."""
    for separator in (";", "\t", ","):
        if separator in line:
            return separator
    return _SPACES if len(line.split()) > 1 else ","


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line without quotation marks."""
    # A unit in brackets belongs to the name before it.
    pattern = r"\s+(?![(\[])" if separator == _SPACES else re.escape(separator)
    parts = re.split(pattern, line.strip() if separator == _SPACES else line)
    return [part.strip().strip("'\"").strip() for part in parts]


def _are_numbers(cells: Sequence[str], decimal: str) -> bool:
    """Return whether there are numbers; clocks and empty cells may be among them."""
    bare = cells[1:] if cells[0] == "" else cells
    if len(bare) > 2 and list(bare) == [str(k) for k in range(len(bare))]:
        return False  # how pandas heads columns that have no names
    numbers = [_is_number(cell, decimal) for cell in cells]
    others = [x for x, is_number in zip(cells, numbers, strict=True) if not is_number]
    return any(numbers) and all(not other or ":" in other for other in others)


def _is_number(cell: str, decimal: str = ".") -> bool:
    """Return whether a cell is a number, or says that there is none."""
    if cell.casefold() in _MISSING:
        return True
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return False
    return True


def _check_widths(name: str, heads: Sequence[Sequence[str]], n_columns: int) -> None:
    """Raise if headings cannot be those of the columns below."""
    for cells in heads:
        if len(cells) != n_columns:
            raise RecordError(
                f"{name}: there must be a heading for each of the {n_columns} columns. "
                f"Got {len(cells)} instead, {', '.join(cells)[:60]}; mend the file."
            )


def _headings(
    name: str, heads: Sequence[Sequence[str]], n_columns: int
) -> tuple[list[str], list[str]]:
    """Return the names of columns and their units, from one line or two."""
    names, units = [""] * n_columns, [""] * n_columns
    if heads:
        both = [_divided(cell) for cell in heads[0]]
        names, units = [x for x, _ in both], [unit for _, unit in both]
    for k, cell in enumerate(heads[1] if len(heads) > 1 else []):
        # A sample that is misspelt must not be lost as if it were a unit.
        if cell and (units[k] or _is_number(cell)):
            raise RecordError(
                f"{name}: the line under the headings must hold numbers, or the units "
                f"if the headings do not. Got {cell!r} in it; mend the file."
            )
        units[k] = units[k] or cell.strip("()[]")
    return names, units


def _layout(
    n_heading: int, separator: str, decimal: str, names: list[str], units: list[str]
) -> Layout:
    """Tell leads from times and counters."""
    folded = [name.casefold() for name in names]
    times = [k for k, name in enumerate(folded) if name in _TIMES]
    counters = [k for k, name in enumerate(folded) if any(names) and name in _COUNTERS]
    clocks = [k for k in times if units[k].casefold() in SECONDS]
    return Layout(
        n_heading,
        separator,
        decimal,
        names,
        units,
        leads=[k for k in range(len(names)) if k not in times and k not in counters],
        clock=clocks[0] if clocks else None,
    )


def _divided(heading: str) -> tuple[str, str]:
    """Return name and unit of a heading."""
    found = _WITH_UNIT.fullmatch(heading)
    if found is None:
        return heading, ""
    unit = found["a"] or found["b"] or found["c"] or ""
    return found["name"], unit.strip()
