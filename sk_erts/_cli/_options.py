"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._values import pairs

__all__ = [
    "Debug",
    "Duration",
    "Filter",
    "Folds",
    "Json",
    "Labels",
    "Leads",
    "Model",
    "OnError",
    "Rate",
    "Read",
    "Records",
    "Set",
    "reading_of",
]

DATA_HELP = (
    "Records: ptbxl:FOLDER, cinc2017:FOLDER, cinc2020:FOLDER, mitbih:FOLDER, "
    "files:FOLDER, npz:FILE, or synthetic."
)
RECORDS = "Records"

Json = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Write JSON to stdout, and nothing else there."
    ),
]
Debug = Annotated[
    bool, typer.Option("--debug", metavar="", help="Show where an error arose.")
]
Model = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of fit, or a saved model.")
]
Records = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP)]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="CSV table of names and labels, for files; 'classes' or 'codes' for "
        "cinc2020.",
        rich_help_panel=RECORDS,
    ),
]
Folds = Annotated[
    str | None,
    typer.Option(
        metavar="1-8", help="Official folds of PTB-XL.", rich_help_panel=RECORDS
    ),
]
Leads = Annotated[
    str | None,
    typer.Option(
        metavar="I,II,V1", help="Leads to read, in this order.", rich_help_panel=RECORDS
    ),
]
OnError = Annotated[
    str | None,
    typer.Option(
        metavar="skip",
        help="Leave out records that cannot be read; else they are an error.",
        rich_help_panel=RECORDS,
    ),
]
Read = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="Any other parameter of the loader in sk_erts.datasets, such as "
        "single_label=true. May be repeated.",
        rich_help_panel=RECORDS,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--fs",
        metavar="HZ",
        help="Sampling frequency to bring records to; by default their own.",
        rich_help_panel=RECORDS,
    ),
]
Duration = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Length to cut records, or fill them with zeros, to.",
        rich_help_panel=RECORDS,
    ),
]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="NAME",
        help="BandPass, Notch or RemoveBaseline, such as 'BandPass(low=0.5, high=40)'. "
        "May be repeated.",
        rich_help_panel=RECORDS,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Parameter of a part, such as module__width=16. May be repeated.",
    ),
]


def reading_of(
    labels: str | None,
    folds: str | None,
    leads: str | None,
    on_error: str | None,
    read: list[str] | None,
) -> dict[str, Any]:
    """Return the parameters of reading that were given on the command line."""
    named = {"labels": labels, "folds": folds, "leads": leads, "on_error": on_error}
    return {name: value for name, value in named.items() if value is not None} | pairs(
        "--read", read or []
    )
