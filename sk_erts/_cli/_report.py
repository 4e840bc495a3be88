"""The command ``sk-erts report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._console import Out
from sk_erts._cli._errors import Fault
from sk_erts._cli._folder import Saved
from sk_erts._cli._options import (
    Debug,
    Folds,
    Json,
    Labels,
    Leads,
    Model,
    OnError,
    Read,
    Records,
    reading_of,
)
from sk_erts._lib.names import nearest

__all__ = ["report"]

USUAL = ("age", "sex", "site", "device", "source")


def report(
    run: Model,
    data: Records,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="By default RUN/report.html."
        ),
    ] = None,
    subgroups: Annotated[
        str | None,
        typer.Option(
            metavar="age,sex",
            help="Columns of what is known of the records, to divide them by; by "
            f"default those of {', '.join(USUAL)} that there are.",
        ),
    ] = None,
    labels: Labels = None,
    folds: Folds = None,
    leads: Leads = None,
    on_error: OnError = None,
    read: Read = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write one HTML file: scores, curves, calibration, subgroups, maps of records."""
    out = Out(json)
    with out.telling_warnings():
        saved = Saved.load(run)
        found = saved.read(data, reading_of(labels, folds, leads, on_error, read), out)
        y = found.labels("report")
        folder = saved.path if saved.path.is_dir() else saved.path.parent
        path = output or folder / "report.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = _subgroups(found.metadata, subgroups)
        from sk_erts.report import report as write_report

        with out.doing("Writing the report"):
            write_report(
                saved.clf,
                found.X,
                y,
                path=path,
                fs=saved.recipe.fs,
                groups=found.groups,
                names=found.names,
                lead_names=saved.recipe.lead_names,
                metadata=metadata,
            )
    out.give({"report": str(path), "n_records": len(found)})
    out.facts({"report": str(path), "records": len(found)})


def _subgroups(metadata: Any, asked: str | None) -> Any:
    """Return the columns that records are divided by; None if there are none."""
    known = [] if metadata is None else [str(name) for name in metadata.columns]
    if asked is None:
        names = [name for name in USUAL if name in known]
    else:
        names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in known:
            advice = nearest(name, known) if known else "Nothing is known of them."
            raise Fault(f"There is no column {name!r} of these records. {advice}")
    return metadata[names] if names else None
