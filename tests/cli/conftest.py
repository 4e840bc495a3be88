"""A training that many tests of the command share, and a way to run it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sk_erts._cli._app import app
from sk_erts.datasets import make_ecg

# Fixtures that these tests share with those of the loaders.
from tests.datasets.conftest import tiny, tiny_table, write_mat_record  # noqa: F401

KINDS = {"n_leads": 2, "classes": ("NORM", "BBB"), "duration_s": 3}
PLANTED = (3, 11, 20, 34, 47)
# The same on the command line and in Python.
WORDS = [
    *("--module", "ResNet1d", "--set", "module__width=8"),
    *("--set", "module__blocks=(1, 1)", "--max-epochs", "12"),
    *("--batch-size", "8", "--lr", "0.01", "--random-state", "0"),
]
PARAMS = {
    "module__width": 8,
    "module__blocks": (1, 1),
    "max_epochs": 12,
    "batch_size": 8,
    "lr": 0.01,
    "random_state": 0,
}


def arrays(path):
    """Return the arrays of an npz file by name."""
    with np.load(path) as archive:
        return dict(archive)


def sk_erts(*words, code=0):
    """Run the command in this process; return what ended, if it ended as it should."""
    ended = CliRunner().invoke(
        app, [str(word) for word in words], env={"COLUMNS": "80"}, prog_name="sk-erts"
    )
    assert ended.exit_code == code, ended.output
    assert "Traceback" not in ended.output
    return ended


def as_json(*words, code=0):
    """Run the command with --json; return what it gives."""
    return json.loads(sk_erts(*words, "--json", code=code).stdout)


def error_of(*words, code):
    """Run the command; return its error, which must be all it says, in one line."""
    ended = sk_erts(*words, code=code)
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Return a folder with train.npz, test.npz, and a training in run."""
    folder = tmp_path_factory.mktemp("cli")
    X, y = make_ecg(60, random_state=0, **KINDS)
    for i in PLANTED:
        y[i] = "BBB" if y[i] == "NORM" else "NORM"
    names = [f"a{i}" for i in range(60)]
    leads = ["II", "V1"]
    np.savez(folder / "train.npz", X=X, y=y, names=names, fs=100, lead_names=leads)
    X, y = make_ecg(30, random_state=1, **KINDS)
    np.savez(folder / "test.npz", X=X, y=y, fs=100, lead_names=leads)
    sk_erts("fit", f"npz:{folder / 'train.npz'}", "-o", folder / "run", *WORDS)
    return folder


@pytest.fixture(scope="session")
def train(place):
    return arrays(place / "train.npz")


@pytest.fixture(scope="session")
def test(place):
    return arrays(place / "test.npz")


@pytest.fixture(scope="session")
def clf(place):
    """Return the classifier that `fit` saved."""
    from sk_erts import ERTSClassifier

    return ERTSClassifier.load(place / "run" / "model.sk_erts")
