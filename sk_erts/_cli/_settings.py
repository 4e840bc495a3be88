"""What a command was told, on the command line and in a TOML file."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sk_erts._cli._errors import DataFault, Fault
from sk_erts._cli._estimator_options import parameters
from sk_erts._lib.names import nearest

__all__ = ["Settings", "read_toml", "to_toml"]

# How records are read, and by which name of the loader.
READING = ("labels", "folds", "leads", "on_error")
NAMES = ("data", *READING, "fs", "duration", "filter", "read", "output")
# What `fit` writes for others to read, and does not read itself.
WRITTEN = ("records", "versions")


@dataclass
class Settings:
    """What a training was told.

    Attributes
    ----------
    data : str or None
        Kind and place of the records.
    reading : dict of str to object
        Parameters of the loader.
    fs, duration : float or None
        Rate in Hz and length in seconds that records are brought to.
    filters : tuple of str
        Filters that are run over them.
    output : str or None
        Folder that is written.
    parameters : dict of str to object
        Of the estimator, as texts or values.
    records : dict of str to object
        As `fit` wrote how records come to the network.
    """

    data: str | None = None
    reading: dict[str, Any] = field(default_factory=dict)
    fs: float | None = None
    duration: float | None = None
    filters: tuple[str, ...] = ()
    output: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)

    def under(self, above: Settings) -> Settings:
        """Return these settings, with what others say in their place."""
        return Settings(
            above.data or self.data,
            self.reading | above.reading,
            self.fs if above.fs is None else above.fs,
            self.duration if above.duration is None else above.duration,
            above.filters or self.filters,
            above.output or self.output,
            self.parameters | above.parameters,
            self.records,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what `of_dict` makes the same settings of."""
        told: dict[str, Any] = {"data": self.data, "fs": self.fs}
        told |= {"duration": self.duration, "filter": list(self.filters) or None}
        told |= {name: _simple(value) for name, value in self.parameters.items()}
        told["read"] = self.reading or None
        return {name: value for name, value in told.items() if value is not None}

    @classmethod
    def of_dict(cls, told: Mapping[str, Any], source: str) -> Settings:
        """Return settings from a TOML file.

        Parameters
        ----------
        told : mapping of str to object
            What the file holds.
        source : str
            The file, for errors.

        Returns
        -------
        settings : Settings
            The same.

        Raises
        ------
        Fault
            If a name is unknown; the nearest one is named.
        """
        told = {name.replace("-", "_"): value for name, value in told.items()}
        for name in told:
            valid = {*NAMES, *WRITTEN, *parameters()}
            if name not in valid and "__" not in name:
                raise Fault(
                    f"{source}: there is no setting {name!r}. "
                    f"{nearest(name, valid - set(WRITTEN))}"
                )
        found = cls(
            told.get("data"),
            dict(_table(told, "read", source)),
            _number(told, "fs", source),
            _number(told, "duration", source),
            tuple(_list(told.get("filter", ()))),
            told.get("output"),
            {
                name: value
                for name, value in told.items()
                if name not in (*NAMES, *WRITTEN)
            },
            dict(_table(told, "records", source)),
        )
        found.reading |= {name: told[name] for name in READING if name in told}
        return found


def _simple(value: Any) -> Any:
    """Return a number for a text that is one; what TOML has no word for stays text."""
    try:
        number = ast.literal_eval(str(value))
    except (SyntaxError, ValueError):
        return value
    return number if isinstance(number, bool | int | float) else value


def _table(told: Mapping[str, Any], name: str, source: str) -> Mapping[str, Any]:
    found = told.get(name, {})
    if not isinstance(found, Mapping):
        raise Fault(f"{source}: {name!r} must be a table [{name}]. Got {found!r}.")
    return found


def _number(told: Mapping[str, Any], name: str, source: str) -> float | None:
    found = told.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Fault(f"{source}: {name!r} must be a number. Got {found!r} instead.")
    return float(found)


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def read_toml(path: Path) -> Settings:
    """Read settings.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    settings : Settings
        What it says.

    Raises
    ------
    Fault
        If there is no such file, it is no TOML, or a name in it is unknown.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataFault(f"There is no file {path}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Fault(f"{path} is no TOML: {error}.") from error
    return Settings.of_dict(told, str(path))


def to_toml(told: Mapping[str, Any]) -> str:
    """Return a dictionary as TOML; what is None is left out.

    Parameters
    ----------
    told : mapping of str to object
        Numbers, texts, lists of them, and one level of dictionaries.

    Returns
    -------
    text : str
        Tables come last.

    Examples
    --------
    >>> from sk_erts._cli._settings import to_toml
    >>> print(to_toml({"read": {"folds": [1, 2]}, "lr": 0.01, "module": "resnet1d"}))
    lr = 0.01
    module = "resnet1d"
    <BLANKLINE>
    [read]
    folds = [1, 2]
    """
    plain = {k: v for k, v in told.items() if not isinstance(v, Mapping)}
    lines = [f"{k} = {_toml(v)}" for k, v in plain.items() if v is not None]
    for name, table in told.items():
        if isinstance(table, Mapping):
            own = {k: v for k, v in table.items() if v is not None}
            lines += [
                "",
                f"[{name}]",
                *(f"{_key(k)} = {_toml(v)}" for k, v in own.items()),
            ]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    """Return a value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case Mapping():
            return (
                f"{{{', '.join(f'{_key(k)} = {_toml(v)}' for k, v in value.items())}}}"
            )
    return json.dumps(str(value), ensure_ascii=False)


def _key(name: Any) -> str:
    text = str(name)
    is_bare = text.replace("_", "").replace("-", "").isalnum() and text.isascii()
    return text if is_bare else json.dumps(text, ensure_ascii=False)
