"""The folder that `fit` writes, and the other commands take."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sk_erts._cli._console import Out
from sk_erts._cli._data import Data
from sk_erts._cli._errors import Fault, ModelFault
from sk_erts._cli._kinds import KINDS, absolute, kind_of, read_data
from sk_erts._cli._recipe import Recipe
from sk_erts._cli._settings import Settings, read_toml, to_toml
from sk_erts._lib.version import package_version

__all__ = ["Saved", "TrainingFolder", "versions"]

MODEL, RUN, SELECTION, CHECKPOINT = (
    "model.sk_erts",
    "run.toml",
    "selection.csv",
    "checkpoint",
)
HEAD = """\
# Written by sk-erts. The same training again:
#     sk-erts fit --config run.toml --output FOLDER
"""


def versions() -> dict[str, str]:
    """Return the versions of all that a result may depend on."""
    found = {"python": platform.python_version(), "sk_erts": package_version()}
    for name in ("torch", "skorch", "numpy", "scipy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


class TrainingFolder:
    """Where a training goes.

    Parameters
    ----------
    path : path-like
        The folder; it is made when there is something to write.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def checkpoint(self) -> Path:
        """Folder of the training as it goes."""
        return self.path / CHECKPOINT

    def check(self, *, resume: bool) -> None:
        """Raise if there is a training that is not to be taken up."""
        if self.path.exists() and not self.path.is_dir():
            raise Fault(f"--output must be a folder. {self.path} is a file.")
        is_taken = (self.path / MODEL).exists() or any(self.checkpoint.glob("*.*"))
        if is_taken and not resume:
            raise Fault(
                f"{self.path} holds a training already. Go on with it by --resume, or "
                "name another folder by --output."
            )

    def settings(self) -> Settings:
        """Return what the training there was told; nothing if there is none."""
        path = self.path / RUN
        return read_toml(path) if path.exists() else Settings()

    def write_settings(self, settings: Settings, recipe: Recipe) -> None:
        """Write down what makes the training what it is, before it begins."""
        told = settings.to_dict()
        told["data"] = absolute(str(settings.data))
        table = told.get("read")
        if table and kind_of(told["data"])[0] == "files" and "labels" in table:
            place = Path(str(table["labels"])).expanduser().resolve()
            told["read"] = {**table, "labels": str(place)}
        told["records"] = {
            "lead_names": recipe.lead_names,
            "fs": recipe.fs,
            "filters": recipe.filters,
            "n_times": recipe.n_times,
        }
        told["versions"] = versions()
        self.path.mkdir(parents=True, exist_ok=True)
        text = f"{HEAD}{to_toml(told)}\n"
        (self.path / RUN).write_text(text, encoding="utf-8")

    def write(self, clf: Any, data: Data) -> None:
        """Write the trained network, and what became of each record."""
        clf.save(self.path / MODEL)
        table = _selection_table(clf, data)
        table.to_csv(self.path / SELECTION, index=False)


def _selection_table(clf: Any, data: Data) -> Any:
    """Return in how many epochs each record was trained, softened and so on."""
    import pandas as pd

    story = clf.selection_.to_frame()
    counts = pd.crosstab(story["record"], story["status"], dropna=False)
    counts.columns = [str(name).replace(" ", "_") for name in counts.columns]
    counts.insert(0, "label", texts_of(data.y))
    last = story[story["epoch"] == story["epoch"].max()].set_index("record")
    counts[["confidence", "focus"]] = last[["confidence", "focus"]]
    counts.insert(0, "record", data.names)
    return counts


def texts_of(y: Any) -> list[str]:
    """Return labels as texts; several of a record are joined.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), or DataFrame of 0 and 1
        Labels.

    Returns
    -------
    texts : list of str
        One for each record.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_erts._cli._folder import texts_of
    >>> texts_of(pd.DataFrame({"MI": [1, 0, 1], "HYP": [1, 0, 0]}))
    ['MI;HYP', '', 'MI']
    """
    if not hasattr(y, "columns"):
        return [str(label) for label in y]
    names = [str(name) for name in y.columns]
    return [
        ";".join(name for name, has in zip(names, row, strict=True) if has)
        for row in y.to_numpy()
    ]


@dataclass
class Saved:
    """A trained classifier, and how records come to it.

    Attributes
    ----------
    path : Path
        Folder of `fit`, or file of ``clf.save``.
    clf : ERTSClassifier
        Fitted.
    settings : Settings
        What the training was told; nothing, of a file alone.
    recipe : Recipe
        Brings records to what the network takes.
    """

    path: Path
    clf: Any
    settings: Settings = field(default_factory=Settings)
    recipe: Recipe = field(default_factory=Recipe)

    @classmethod
    def load(cls, path: Path) -> Saved:
        """Read a training.

        Parameters
        ----------
        path : Path
            Folder or file.

        Returns
        -------
        saved : Saved
            What there is.

        Raises
        ------
        ModelFault
            If there is none.
        """
        if not path.exists():
            raise ModelFault(f"There is no folder or file {path}.")
        file = path / MODEL if path.is_dir() else path
        if not file.is_file():
            unfinished = any((path / CHECKPOINT).glob("*.*"))
            hint = (
                f"The training there is not over: sk-erts fit --resume --output {path}."
                if unfinished
                else "Name a folder that sk-erts fit wrote, or a file of clf.save."
            )
            raise ModelFault(f"{path} holds no {MODEL}. {hint}")
        from sk_erts import ERTSClassifier

        clf = ERTSClassifier.load(file)
        if not path.is_dir():
            return cls(path, clf, recipe=Recipe(n_times=clf.n_times_in_))
        settings = TrainingFolder(path).settings()
        told = settings.records
        leads = told.get("lead_names")
        recipe = Recipe(
            None if leads is None else tuple(leads),
            told.get("fs"),
            tuple(told.get("filters", ())),
            told.get("n_times"),
        )
        return cls(path, clf, settings, recipe)

    def read(self, spec: str | None, reading: dict[str, Any], out: Out) -> Data:
        """Return records, as the network takes them.

        Parameters
        ----------
        spec : str or None
            Kind and place; None is what was trained.
        reading : dict of str to object
            Parameters of the loader, beside those of the training that say what
            signals and labels mean.
        out : Out
            Where to tell of it.

        Returns
        -------
        data : Data
            With `X` as the recipe leaves it.
        """
        trained = self.settings
        if spec is None:
            if trained.data is None:
                raise Fault("Name the records: this model does not tell its own.")
            spec, asked = trained.data, trained.reading | reading
        else:
            kind, _ = kind_of(spec)
            is_same = trained.data is not None and kind_of(trained.data)[0] == kind
            kept = KINDS[kind].keeps if is_same else ()
            asked = {k: v for k, v in trained.reading.items() if k in kept} | reading
        with out.doing(f"Reading {spec}"):
            data = read_data(spec, asked, self.recipe.fs)
            n_filled, n_cut = self.recipe.n_changed_in_length(data)
            data.X = self.recipe.apply(data)
        tell_read(out, data, n_filled, n_cut)
        n_leads = data.X[0].shape[0]
        if n_leads != self.clf.n_leads_in_:
            raise ModelFault(
                f"The network of {self.path} takes {self.clf.n_leads_in_} leads, and "
                f"these records have {n_leads}. Choose them with --leads."
            )
        return data


def tell_read(out: Out, data: Data, n_filled: int, n_cut: int) -> None:
    """Say how many records were read, and what was done to them."""
    told = [f"{len(data):,} records read"]
    if data.n_skipped:
        told.append(f"{data.n_skipped:,} left out that cannot be")
    if n_filled:
        told.append(f"{n_filled:,} filled with zeros")
    if n_cut:
        told.append(f"{n_cut:,} cut")
    out.say(", ".join(told) + ".")
