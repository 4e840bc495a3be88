"""The commands, and what becomes of their errors."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sk_erts._cli._audit import audit
from sk_erts._cli._benchmark import benchmark
from sk_erts._cli._console import tell_error
from sk_erts._cli._errors import ExitCode, code_of, message_of
from sk_erts._cli._estimator_options import TrainingCommand
from sk_erts._cli._evaluate import evaluate
from sk_erts._cli._explain import explain
from sk_erts._cli._fetch import fetch
from sk_erts._cli._fit import fit
from sk_erts._cli._info import info
from sk_erts._cli._predict import predict
from sk_erts._cli._report import report
from sk_erts._lib.version import package_version

__all__ = ["app"]


class Commands(TyperGroup):
    """End with a code that means something, and with one line where it is an error."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end the process."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            ended = super().main(
                args=args,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except Exception as error:
            if "--debug" in words:
                traceback.print_exc()
            code = code_of(error)
            tell_error(code, message_of(error), as_json="--json" in words)
        else:
            code = ExitCode(ended) if isinstance(ended, int) else ExitCode.OK
        sys.exit(int(code))


app = typer.Typer(
    name="sk-erts",
    cls=Commands,
    no_args_is_help=True,
    help=(
        "Train networks on electrocardiograms with fewer records, and ask them why."
        "\n\nDATA is a kind and a place: ptbxl:FOLDER, cinc2017:FOLDER, "
        "cinc2020:FOLDER, mitbih:FOLDER, files:FOLDER, npz:FILE or synthetic."
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sk-erts {package_version()}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            help="Show the version and exit.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


def _paragraphs(docstring: str | None) -> str:
    """Return a docstring with a line for each paragraph: the terminal breaks them."""
    paragraphs = (docstring or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


for command in (fit, evaluate, predict, explain, audit, report, fetch, benchmark, info):
    cls = TrainingCommand if command in (fit, benchmark) else None
    app.command(cls=cls, help=_paragraphs(command.__doc__))(command)
