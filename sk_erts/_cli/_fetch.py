"""The command ``sk-erts fetch``."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._console import Out
from sk_erts._cli._errors import Fault
from sk_erts._cli._kinds import reading_value
from sk_erts._cli._options import Debug, Folds, Json, Read
from sk_erts._cli._values import pairs
from sk_erts._lib.names import nearest
from sk_erts._lib.optional import import_optional

__all__ = ["fetch"]

# Name on the command line: function of sk_erts.datasets, kind of data, and where in the
# cache the files are.
SETS = {
    "ptbxl": ("fetch_ptbxl", "ptbxl", "ptb-xl/1.0.3"),
    "cinc2017": ("fetch_cinc2017", "cinc2017", "challenge-2017/1.0.0"),
    "cpsc2018": (
        "fetch_cpsc2018",
        "cinc2020",
        "challenge-2021/1.0.3/training/cpsc_2018",
    ),
    "georgia": ("fetch_georgia", "cinc2020", "challenge-2021/1.0.3/training/georgia"),
    "mitbih": ("fetch_mitbih", "mitbih", "mitdb/1.0.0"),
}


def fetch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=f"One of {', '.join(SETS)}.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder of the cache; by default $SK_ERTS_DATA_HOME, or sk_erts in "
            "the system's folder for caches.",
        ),
    ] = None,
    folds: Folds = None,
    n_jobs: Annotated[int, typer.Option(min=1, help="Downloads at the same time.")] = 4,
    read: Read = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Download recordings from PhysioNet, as far as they are wanted.

    Files whose checksum is right are not asked for again: a download that broke off
    goes on where it was.
    """
    out = Out(json)
    if name not in SETS:
        raise Fault(f"There is no data set {name!r} to fetch. {nearest(name, SETS)}")
    import_optional("pooch", extra="fetch", purpose="sk-erts fetch")
    function, kind, place = SETS[name]
    from sk_erts import datasets
    from sk_erts.datasets._physionet import PHYSIONET, Project

    fetcher = getattr(datasets, function)
    given: dict[str, Any] = {"folds": folds} if folds else {}
    given |= pairs("--read", read or [])
    takes = set(inspect.signature(fetcher).parameters) - {"return_X_y", "data_home"}
    for own in given:
        if own not in takes:
            raise Fault(f"{function} has no parameter {own!r}. {nearest(own, takes)}")
    params = {own: reading_value(own, value) for own, value in given.items()}
    with out.telling_warnings():
        found = fetcher(
            **{"data_home": output, "n_jobs": n_jobs, "verbose": sys.stderr.isatty()}
            | params
        )
    cache = Project(
        place,
        function,
        data_home=output,
        download_if_missing=False,
        n_jobs=1,
        n_retries=0,
        verbose=False,
        base_url=PHYSIONET,
    )
    spec = f"{kind}:{os.fspath(cache.folder)}"
    out.give({"data": spec, "n_records": len(found.data)})
    out.facts({"records": len(found.data), "data": spec})
