"""The command ``sk-erts fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._console import Out
from sk_erts._cli._errors import ExitCode, Fault
from sk_erts._cli._estimator_options import given_parameters, to_values
from sk_erts._cli._folder import TrainingFolder, tell_read
from sk_erts._cli._kinds import read_data, to_reading
from sk_erts._cli._options import (
    DATA_HELP,
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
from sk_erts._cli._settings import Settings, read_toml
from sk_erts._cli._values import pairs

__all__ = ["fit"]

LARGEST_SEED = 2**31


def fit(
    ctx: typer.Context,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help=DATA_HELP)] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML file with the same names; the command line wins. The run.toml "
            "of another training is one.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            metavar="",
            help="Go on with the training in the folder, if there is one.",
        ),
    ] = False,
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
    """Train a network, and write all of it to a folder.

    The folder is what evaluate, predict, explain, audit and report take. After Ctrl-C,
    a kill or a power cut, sk-erts fit --resume --output FOLDER goes on after the last
    whole epoch.
    """
    out = Out(json)
    asked = Settings(
        data,
        reading_of(labels, folds, leads, on_error, read),
        fs,
        duration,
        tuple(filter_ or ()),
        None if output is None else str(output),
        given_parameters(ctx) | pairs("--set", set_ or []),
    )
    settings = _settings(asked, config, resume)
    folder = TrainingFolder(str(settings.output))
    folder.check(resume=resume)
    clf = classifier_of(settings.parameters)
    to_reading(str(settings.data), settings.reading)  # what is misspelt is told first
    with out.telling_warnings():
        with out.doing(f"Reading {settings.data}"):
            records = read_data(str(settings.data), settings.reading, settings.fs)
            y = records.labels("fit")
            recipe, X = Recipe.for_training(
                records, settings.fs, settings.duration, settings.filters
            )
        tell_read(out, records, *recipe.n_changed_in_length(records))
        folder.write_settings(settings, recipe)
        clf.fit(
            X, y, groups=records.groups, checkpoint=folder.checkpoint, resume=resume
        )
        folder.write(clf, records)
    _tell(out, folder, clf)
    from sk_erts.exceptions import FitInterruptedWarning

    if out.has_warned(FitInterruptedWarning):
        out.say(f"To go on: sk-erts fit --resume --output {folder.path}")
        raise typer.Exit(ExitCode.STOPPED)


def _settings(asked: Settings, config: Path | None, resume: bool) -> Settings:
    """Return what the command line and a file say, with a seed."""
    settings = asked
    if config is not None:
        settings = read_toml(config).under(settings)
    if settings.output is None:
        raise Fault("fit needs a folder to write to: --output FOLDER.")
    if resume:
        settings = TrainingFolder(settings.output).settings().under(settings)
    if settings.data is None:
        raise Fault(f"fit needs records to train on. {DATA_HELP}")
    if "random_state" not in settings.parameters:
        # Drawn here, so that run.toml tells how to do the same again.
        from numpy.random import SeedSequence

        seed = int(SeedSequence().generate_state(1)[0]) % LARGEST_SEED
        settings.parameters["random_state"] = seed
    return settings


def classifier_of(given: dict[str, Any]) -> Any:
    """Return a classifier, whose parameters are judged before anything is read."""
    values = to_values(given)
    from sk_erts import ERTSClassifier
    from sk_erts._training.plan import make_plan

    clf = ERTSClassifier(**values)
    make_plan(clf)
    return clf


def _tell(out: Out, folder: TrainingFolder, clf: Any) -> None:
    """Tell what was trained, and what it cost."""
    n_samples = clf.selection_.status.shape[1]
    n_epochs = len(clf.kept_counts_)
    kept = float(clf.kept_counts_.sum() / (n_samples * n_epochs)) if n_epochs else None
    found = {
        "folder": str(folder.path),
        "n_records": n_samples,
        "classes": [str(label) for label in clf.classes_],
        "epochs": n_epochs,
        "effective_epochs": float(clf.effective_epochs_),
        "scoring_passes": float(clf.scoring_passes_),
        "fit_time_s": float(clf.fit_time_s_),
        "kept": kept,
    }
    last = clf.history_[-1] if len(clf.history_) else {}
    if "valid_f1" in last:
        found["validation_macro_f1"] = float(last["valid_f1"])
    out.give(found)
    facts = {
        "classes": found["classes"],
        "epochs": n_epochs,
        "effective epochs": f"{clf.effective_epochs_:.1f}",
        "scoring passes": f"{clf.scoring_passes_:.1f}",
        "time": f"{clf.fit_time_s_:.1f} s",
        "records kept": "-" if kept is None else f"{kept:.0%}",
    }
    if "validation_macro_f1" in found:
        facts["validation macro-F1"] = found["validation_macro_f1"]
    out.facts(facts | {"written to": str(folder.path)})
    out.say(f"Next: sk-erts evaluate {folder.path} DATA, or predict, explain, audit.")
