"""The command ``sk-erts info``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from sk_erts._cli._console import Out
from sk_erts._cli._folder import Saved, versions
from sk_erts._cli._options import Debug, Json

__all__ = ["info"]

EXTRAS = {
    "plot": ("matplotlib",),
    "attribution": ("captum",),
    "fetch": ("pooch", "requests"),
    "beats": ("sleepecg",),
    "formats": ("pydicom", "pyedflib"),
    "onnx": ("onnx", "onnxscript"),
    "report": ("jinja2", "matplotlib"),
}


def info(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Folder of fit, or a saved model."),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell versions, device and threads; or what a saved training holds."""
    out = Out(json)
    with out.telling_warnings():
        found = _of_machine() if run is None else _of_training(run)
    out.give(found)
    out.facts({k: v for k, v in found.items() if not isinstance(v, dict)})
    for title, facts in found.items():
        if isinstance(facts, dict):
            out.tell(f"\n{title}")
            # Parameters as one writes them, not as one reads amounts.
            exact = title == "parameters"
            out.facts({f"  {k}": str(v) if exact else v for k, v in facts.items()})


def _of_machine() -> dict[str, Any]:
    """Return what there is to train with."""
    import torch

    gpu = torch.cuda.is_available()
    device = {
        "device": torch.cuda.get_device_name(0) if gpu else "cpu",
        "threads": torch.get_num_threads(),
    }
    extras = {
        name: "installed"
        if all(find_spec(package) for package in packages)
        else f'pip install "sk-erts[{name}]"'
        for name, packages in EXTRAS.items()
    }
    return {"versions": versions(), "machine": device, "extras": extras}


def _of_training(run: Path) -> dict[str, Any]:
    """Return what a saved training holds."""
    saved = Saved.load(run)
    clf, recipe = saved.clf, saved.recipe
    network = clf.net_.module_
    changed = {
        name: value if isinstance(value, bool | int | float | str) else _called(value)
        for name, value in clf.get_params(deep=False).items()
        if value is not None and name not in ("verbose", "warm_start")
    }
    return {
        "model": str(saved.path),
        "data": saved.settings.data,
        "classes": [str(label) for label in clf.classes_],
        "network": type(network).__name__,
        "weights": sum(own.numel() for own in network.parameters()),
        "records": {
            "leads": recipe.lead_names or clf.n_leads_in_,
            "sampling frequency (Hz)": recipe.fs,
            "filters": recipe.filters or None,
            "time steps": recipe.n_times,
        },
        "training": {
            "epochs": len(clf.kept_counts_),
            "effective epochs": float(clf.effective_epochs_),
            "scoring passes": float(clf.scoring_passes_),
            "time (s)": float(clf.fit_time_s_),
        },
        "parameters": changed,
    }


def _called(value: Any) -> str:
    """Return the name of a class or function; what else it is, as it shows itself."""
    return getattr(value, "__name__", None) or repr(value)
