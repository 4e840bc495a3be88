"""The command ``sk-erts audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._console import Out
from sk_erts._cli._explain import draw_record, file_name, label_like
from sk_erts._cli._folder import Saved
from sk_erts._cli._options import (
    DATA_HELP,
    Debug,
    Folds,
    Json,
    Labels,
    Leads,
    Model,
    OnError,
    Read,
    reading_of,
)
from sk_erts._lib.optional import import_optional

__all__ = ["audit"]


def audit(
    run: Model,
    data: Annotated[
        str | None,
        typer.Argument(metavar="DATA", help=f"{DATA_HELP} By default the trained."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder of the table and figures; by default RUN/audit.",
        ),
    ] = None,
    figures: Annotated[
        int, typer.Option(min=0, help="Draw so many, the most suspicious first.")
    ] = 0,
    top: Annotated[int, typer.Option(min=0, help="Rows to show here.")] = 10,
    labels: Labels = None,
    folds: Folds = None,
    leads: Leads = None,
    on_error: OnError = None,
    read: Read = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Rank records by how likely their label is wrong, for a person to look through.

    audit.csv has a row per record, the most suspicious first, with empty columns
    'verdict' and 'remark' to fill in. It is no list of records to delete: what is rare
    or hard is suspicious too.
    """
    if figures:
        import_optional("matplotlib", extra="plot", purpose="sk-erts audit --figures")
    out = Out(json)
    with out.telling_warnings():
        saved = Saved.load(run)
        found = saved.read(data, reading_of(labels, folds, leads, on_error, read), out)
        with out.doing("Looking for labels that are contradicted"):
            table = _table(saved, found)
        folder = saved.path.with_suffix("") if saved.path.is_file() else saved.path
        folder = output or folder / "audit"
        folder.mkdir(parents=True, exist_ok=True)
        table["figure"] = ""
        for rank in out.along(range(min(figures, len(table))), "Drawing"):
            row = table.loc[rank]
            name = f"{rank + 1:03d}_{file_name(row['record'])}.png"
            label = str(row["label"])
            is_absent = label.startswith("not ") and label not in map(
                str, saved.clf.classes_
            )
            draw_record(
                saved,
                found.X[int(row["row"])],
                folder / name,
                target=label_like(saved.clf, label[4:] if is_absent else label),
                contrast="rival",
                true=row["label"],
            )
            table.loc[rank, "figure"] = name
        table.to_csv(folder / "audit.csv", index=False)
    shown = table.head(top)
    columns = ["rank", "record", "label", "predicted", "suspicion", "reason", "support"]
    out.give(
        {
            "table": str(folder / "audit.csv"),
            "n_records": len(table),
            "n_suspicious": int((table["suspicion"] > 0.5).sum()),
            "records": shown[[*columns, "contradicted_at", "figure"]].to_dict(
                "records"
            ),
        }
    )
    out.table(columns, shown[columns].astype(object).itertuples(index=False))
    out.say(
        f"{int((table['suspicion'] > 0.5).sum()):,} of {len(table):,} records are more "
        f"likely of another class. All: {folder / 'audit.csv'}"
    )


def _table(saved: Saved, found: Any) -> Any:
    """Return the table of ``clf.audit``, with names, and columns to fill in."""
    table = saved.clf.audit(found.X, found.labels("audit"), evidence=True)
    rows = table["record"].to_numpy()
    table.insert(0, "rank", range(1, len(table) + 1))
    table["record"] = found.names[rows]
    table.insert(2, "row", rows)
    fs = saved.recipe.fs
    if fs is not None:
        at = table["contradicted_at"]
        table["contradicted_at"] = (at / fs).where(at >= 0).round(3)
    table["verdict"] = ""
    table["remark"] = ""
    return table
