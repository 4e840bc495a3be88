"""The command ``sk-erts explain``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from sk_erts._cli._console import Out
from sk_erts._cli._data import Data
from sk_erts._cli._errors import DataFault
from sk_erts._cli._folder import Saved, texts_of
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
from sk_erts._cli._predict import labels_of
from sk_erts._cli._values import pairs, value_of
from sk_erts._lib.names import nearest
from sk_erts._lib.optional import import_optional

__all__ = ["draw_record", "explain", "file_name", "label_like"]


def explain(
    run: Model,
    data: Records,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder of the figures and maps; by default RUN/explain.",
        ),
    ] = None,
    records: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Names of the records to explain."),
    ] = None,
    first: Annotated[
        int,
        typer.Option(min=1, help="How many to explain, where none are named."),
    ] = 5,
    method: Annotated[
        str,
        typer.Option(help="Way to explain, a key of sk_erts.attribution.METHODS."),
    ] = "gradcam",
    target: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="Class to explain; by default the predicted one."
        ),
    ] = None,
    contrast: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="What it is set against: 'rival', the most probable other class of "
            "each record, or a class.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Parameter of the method, such as n_steps=64. May be repeated.",
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
    """Show what in a record speaks for a class: a figure per record, and the maps.

    maps.npz holds maps, records (names), predicted, target, contrast, method and fs.
    """
    import_optional("matplotlib", extra="plot", purpose="sk-erts explain")
    out = Out(json)
    with out.telling_warnings():
        saved = Saved.load(run)
        clf = saved.clf
        found = saved.read(data, reading_of(labels, folds, leads, on_error, read), out)
        chosen = found.at(_rows(found, records, first))
        asked = {
            "target": label_like(clf, target),
            "contrast": contrast if contrast == "rival" else label_like(clf, contrast),
        }
        params = {k: value_of(v) for k, v in pairs("--set", set_ or []).items()}
        with out.doing(f"Explaining {len(chosen)} records by {method}"):
            maps = clf.explain(chosen.X, method, **asked, **params)
            predicted = labels_of(clf.predict(chosen.X), clf.classes_)
        folder = saved.path.with_suffix("") if saved.path.is_file() else saved.path
        folder = output or folder / "explain"
        folder.mkdir(parents=True, exist_ok=True)
        given = {
            k: v or "" for k, v in {"target": target, "contrast": contrast}.items()
        }
        _save_maps(
            folder / "maps.npz",
            maps,
            records=chosen.names,
            predicted=np.array(predicted),
            method=method,
            fs=np.nan if saved.recipe.fs is None else saved.recipe.fs,
            **given,
        )
        figures = []
        truth = None if chosen.y is None else _truth(chosen.y)
        for i in out.along(range(len(chosen)), "Drawing"):
            path = folder / f"{file_name(chosen.names[i])}.png"
            true = None if truth is None else truth[i]
            draw_record(saved, chosen.X[i], path, method=method, true=true, **asked)
            figures.append(path)
    rows = [
        {"record": str(name), "predicted": label, "figure": str(path)}
        for name, label, path in zip(chosen.names, predicted, figures, strict=True)
    ]
    out.give({"maps": str(folder / "maps.npz"), "records": rows})
    out.table(["record", "predicted", "figure"], [list(row.values()) for row in rows])
    out.say(f"Maps: {folder / 'maps.npz'}")


def _rows(data: Data, records: str | None, first: int) -> Any:
    """Return which records are meant."""
    if records is None:
        return np.arange(min(first, len(data)))
    place = {name: i for i, name in enumerate(data.names.tolist())}
    wanted = [name.strip() for name in records.split(",")]
    for name in wanted:
        if name not in place:
            raise DataFault(f"There is no record {name!r}. {_near(name, place)}")
    return np.array([place[name] for name in wanted])


def _near(name: str, names: Any) -> str:
    """Return advice that is short where there are many names."""
    advice = nearest(name, names)
    return advice if len(advice) < 200 else f"There are {len(names):,}."


def label_like(clf: Any, text: str | None) -> Any:
    """Return the class that a text names, of the kind that the classifier has.

    Parameters
    ----------
    clf : ERTSClassifier
        Fitted.
    text : str or None
        On the command line.

    Returns
    -------
    label : label or None
        The text itself, if no class is called so; the classifier says what is wrong.
    """
    for label in clf.classes_:
        if str(label) == text:
            return label
    return text


def _truth(y: Any) -> list[Any]:
    """Return what stands in a title for the true labels of each record."""
    if not hasattr(y, "columns"):
        return list(y)
    return [text.split(";") if text else [] for text in texts_of(y)]


def draw_record(
    saved: Saved,
    record: Any,
    path: Path,
    *,
    method: str = "gradcam",
    target: Any = None,
    contrast: Any = None,
    true: Any = None,
) -> None:
    """Write a figure of a record with its map.

    Parameters
    ----------
    saved : Saved
        The training.
    record : ndarray of shape (n_leads, n_times)
        The record, as the network takes it.
    path : Path
        The file.
    method, target, contrast : str, label or None
        See ``clf.explain``.
    true : label or list of labels, optional
        For the title.
    """
    import matplotlib

    matplotlib.use("Agg")  # figures go to files: no screen is needed
    from matplotlib import pyplot as plt

    from sk_erts.plotting import ECGDisplay

    display = ECGDisplay.from_estimator(
        saved.clf,
        record,
        method=method,
        fs=saved.recipe.fs,
        lead_names=saved.recipe.lead_names,
        target=target,
        contrast=contrast,
        true_label=true,
    )
    figure: Any = display.figure_
    figure.savefig(path, dpi=120)
    plt.close(figure)


def file_name(record: str) -> str:
    """Return a name of a file for a record.

    Examples
    --------
    >>> from sk_erts._cli._explain import file_name
    >>> file_name("hosp/a 1:77")
    'hosp_a_1_77'
    """
    return re.sub(r"[^\w.-]+", "_", record)


def _save_maps(path: Path, maps: Any, **others: Any) -> None:
    """Write maps, an array or one array for each record."""
    if maps.dtype == object:
        own = {f"map_{i}": one for i, one in enumerate(maps)}
        np.savez_compressed(path, **own, **others)
    else:
        np.savez_compressed(path, maps=maps, **others)
