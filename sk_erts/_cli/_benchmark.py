"""The command ``sk-erts benchmark``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._compare import SCHEMES, compared, draw_figures, train_and_test
from sk_erts._cli._console import Out
from sk_erts._cli._errors import Fault
from sk_erts._cli._estimator_options import given_parameters
from sk_erts._cli._folder import tell_read
from sk_erts._cli._kinds import read_data
from sk_erts._cli._options import (
    DATA_HELP,
    RECORDS,
    Debug,
    Duration,
    Filter,
    Folds,
    Json,
    Labels,
    Leads,
    OnError,
    Rate,
    Read,
    Set,
    reading_of,
)
from sk_erts._cli._recipe import Recipe
from sk_erts._cli._settings import Settings
from sk_erts._cli._values import pairs
from sk_erts._lib.optional import import_optional

__all__ = ["benchmark"]

USUAL = {
    "module": "ResNet1d",
    "module__width": 16,
    "max_epochs": 20,
    "batch_size": 32,
    "lr": 3e-3,
    "random_state": 0,
}
QUICK = USUAL | {"module__width": 4, "max_epochs": 10, "batch_size": 8}
N_QUICK = 100


def benchmark(
    ctx: typer.Context,
    data: Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP)] = "synthetic",
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", metavar="", help="Half a minute, on few records: to look at."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Draw three figures there."
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Records to test on; by default fold 9 of PTB-XL, clean records of "
            "synthetic, else a quarter of the records, no patient of it in the rest.",
            rich_help_panel=RECORDS,
        ),
    ] = None,
    test_folds: Annotated[
        str | None,
        typer.Option(
            metavar="9",
            help="Folds of PTB-XL to test on.",
            rich_help_panel=RECORDS,
        ),
    ] = None,
    set_: Set = None,
    labels: Labels = None,
    folds: Folds = None,
    leads: Leads = None,
    on_error: OnError = None,
    read: Read = None,
    fs: Rate = None,
    duration: Duration = None,
    filter_: Filter = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare full data, DBPD, ERTS and the control on the same records.

    The same network is trained four times: on all records in every epoch; on those it
    still finds hard (progressive data dropout, DBPD); on the hard ones, with labels
    softened where the record contradicts them (ERTS); and, as the control, on all of
    them for no more gradients than ERTS took ("shorter").
    """
    if output is not None:
        import_optional(
            "matplotlib", extra="plot", purpose="sk-erts benchmark --output"
        )
    out = Out(json)
    asked = Settings(data, reading_of(labels, folds, leads, on_error, read), fs)
    given = (QUICK if quick else USUAL) | given_parameters(ctx)
    given |= pairs("--set", set_ or [])
    if given.get("max_effective_epochs") is not None:
        raise Fault(
            "--max-effective-epochs is what the control is given; leave it out."
        )
    with out.telling_warnings():
        with out.doing(f"Reading {data}"):
            train, tests = train_and_test(
                asked, test, test_folds, N_QUICK if quick else None, read_data
            )
            recipe, train.X = Recipe.for_training(
                train, fs, duration, tuple(filter_ or ())
            )
            tests.X = recipe.apply(tests)
        tell_read(out, train, 0, 0)
        out.say(f"Training on {len(train):,} records, testing on {len(tests):,}.")
        rows = []
        fitted: dict[str, Any] = {}
        for scheme in SCHEMES:
            out.say(f"{scheme} ...")
            rows.append(compared(scheme, given, train, tests, fitted))
        figures = (
            {}
            if output is None
            else draw_figures(fitted["ERTS"], train, tests, recipe, output)
        )
    out.give(
        {
            "n_train": len(train),
            "n_test": len(tests),
            "schemes": rows,
            "figures": figures,
        }
    )
    out.table(
        ["scheme", "macro-AUC", "macro-F1", "EE", "passes", "time (s)", "kept"],
        (
            [
                row["scheme"],
                row["macro_auc"],
                row["macro_f1"],
                *(
                    f"{row[name]:.1f}"
                    for name in ("effective_epochs", "scoring_passes", "fit_time_s")
                ),
                f"{row['kept']:.0%}",
            ]
            for row in rows
        ),
    )
    out.tell()
    out.tell("EE: effective epochs, how often the training set was learned from.")
    out.tell("Passes: how often it was only looked at, at a fifth of the cost.")
    out.tell("Shorter: full data, for as many gradients as ERTS took; the control.")
    out.tell("One run each, by chance better or worse: compare several seeds.")
    for told, path in figures.items():
        out.tell(f"{told}: {path}")
