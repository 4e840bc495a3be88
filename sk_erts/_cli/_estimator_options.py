"""The estimator's parameters as options, with help from its docstring."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from sk_erts._cli._errors import Fault
from sk_erts._cli._values import value_of
from sk_erts._lib.names import nearest

__all__ = ["TrainingCommand", "given_parameters", "parameters", "to_values"]

# What cannot be said in a word, or is the command's own business.
NOT_OFFERED = frozenset({"callbacks", "verbose", "warm_start"})
# Where the classes are found that a parameter may name.
MODULES = {
    "module": ("sk_erts.models",),
    "data_dropout": ("sk_erts.selection",),
    "focus": ("sk_erts.selection",),
    "selection": ("sk_erts.selection",),
    "looks": ("sk_erts.selection",),
    "optimizer": ("torch.optim",),
    "criterion": ("sk_erts.losses", "torch.nn"),
    "augment": ("sk_erts.augmentation",),
    "validation_fraction": ("sklearn.model_selection",),
}
PANEL = "Parameters of ERTSClassifier"
KEY = "sk_erts.parameters"


@dataclass(frozen=True)
class Parameter:
    """A parameter of the estimator, as its docstring tells of it."""

    name: str
    kind: str
    default: str
    text: str


@cache
def parameters() -> dict[str, Parameter]:
    """Return the estimator's parameters by name.

    The file is read, not imported: torch takes seconds, and help should not.

    Returns
    -------
    parameters : dict of str to Parameter
        Those that the command line offers.

    Examples
    --------
    >>> from sk_erts._cli._estimator_options import parameters
    >>> parameters()["lr"].default
    '0.001'
    """
    spec = find_spec("sk_erts._classifier")
    if spec is None or spec.origin is None:
        raise Fault("The source of ERTSClassifier is not there to be read.")
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "ERTSClassifier":
            told = _told(ast.get_docstring(node) or "")
            return {
                name: Parameter(name, *told.get(name, ("", ""))[:1], default, text)
                for name, default in _defaults(node).items()
                if name not in NOT_OFFERED
                for text in [told.get(name, ("", ""))[1]]
            }
    raise Fault("The source of ERTSClassifier has no such class.")


def _defaults(node: ast.ClassDef) -> dict[str, str]:
    """Return the defaults of a class's constructor as they are written."""
    init = next(
        own
        for own in node.body
        if isinstance(own, ast.FunctionDef) and own.name == "__init__"
    )
    by_place = init.args.args[-len(init.args.defaults) :]
    written = [
        *zip(by_place, init.args.defaults, strict=True),
        *zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True),
    ]
    found = {}
    for argument, default in written:
        text = "" if default is None else ast.unparse(default)
        found[argument.arg] = text.strip("'")
    return found


def _told(docstring: str) -> dict[str, tuple[str, str]]:
    """Return kind and text of each parameter of a numpydoc docstring."""
    section = docstring.partition("Parameters\n----------\n")[2]
    section = re.split(r"\n\n\w[\w ]*\n-+\n", section, maxsplit=1)[0]
    found = {}
    for entry in re.split(r"\n(?=\S)", section):
        head, _, text = entry.partition("\n")
        name, _, kind = head.partition(" : ")
        found[name] = kind, _readable(text)
    return found


def _readable(text: str) -> str:
    """Return a paragraph of a docstring without its markup."""
    text = re.sub(r":math:`([^`]*)`", lambda m: m[1].replace("\\", ""), text)
    text = re.sub(r":\w+:`~?([^`]*)`", lambda m: m[1].rpartition(".")[2], text)
    text = re.sub(r"`+|\[\d+\]_", "", text)
    return " ".join(text.split())


class TrainingCommand(TyperCommand):
    """A command that takes each parameter of the estimator as an option."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the command's own parameters, and the estimator's."""
        return [*super().get_params(ctx), *_options()]


@cache
def _options() -> tuple[Any, ...]:
    """Return typer's options for the estimator's parameters."""

    def keep(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> None:
        if value is not None:
            ctx.meta.setdefault(KEY, {})[str(param.name)] = value

    def take(**given: Any) -> None:
        pass

    options = [
        inspect.Parameter(
            own.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    metavar="VALUE",
                    help=_help(own),
                    callback=keep,
                    expose_value=False,
                    rich_help_panel=PANEL,
                ),
            ],
        )
        for own in parameters().values()
    ]
    take.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    take.__annotations__ = {own.name: own.annotation for own in options}
    app = typer.Typer(add_completion=False)
    app.command()(take)
    named = {own.name for own in options}
    return tuple(own for own in typer.main.get_command(app).params if own.name in named)


def _help(parameter: Parameter) -> str:
    """Return the help of an option; what looks like markup is none."""
    text = f"{parameter.text} Default: {parameter.default}."
    return re.sub(r"\[(?=[a-zA-Z/#@])", r"\\[", text)


def given_parameters(ctx: typer.Context) -> dict[str, str]:
    """Return what was given on the command line for the estimator.

    Parameters
    ----------
    ctx : Context
        Of a `TrainingCommand`.

    Returns
    -------
    given : dict of str to str
        As text, by name.
    """
    return dict(ctx.meta.get(KEY, {}))


def to_values(given: dict[str, Any]) -> dict[str, Any]:
    """Return the estimator's parameters as the estimator takes them.

    Parameters
    ----------
    given : dict of str to object
        Texts as on the command line, or values as in a TOML file.

    Returns
    -------
    values : dict of str to object
        By name.

    Raises
    ------
    Fault
        If there is no such parameter.

    Examples
    --------
    >>> from sk_erts._cli._estimator_options import to_values
    >>> to_values({"max_epochs": "20", "module__width": "16"})
    {'max_epochs': 20, 'module__width': 16}
    """
    known = parameters()
    for name in given:
        if name not in known and "__" not in name:
            raise Fault(
                f"ERTSClassifier has no parameter {name!r} that could be set here. "
                f"{nearest(name, known)}"
            )
    return {
        name: value_of(value, MODULES.get(name, MODULES.get(name.split("__")[0], ())))
        for name, value in given.items()
    }
