"""What `fit` writes, and goes on with."""

import signal
import tomllib

import numpy as np
import pandas as pd
import pytest

from sk_erts import ERTSClassifier
from sk_erts._training.checkpoint import Keeper
from sk_erts.models import ResNet1d
from tests.cli.conftest import PARAMS, WORDS, as_json, error_of, sk_erts


def probabilities(folder, data):
    found = as_json("predict", folder, f"npz:{data}")["predictions"]
    return np.array([list(row["probabilities"].values()) for row in found])


def test_it_trains_what_python_trains(place, train, test, clf):
    given = probabilities(place / "run", place / "test.npz")
    np.testing.assert_array_equal(given, clf.predict_proba(test["X"]))
    other = ERTSClassifier(ResNet1d, **PARAMS).fit(train["X"], train["y"])
    np.testing.assert_array_equal(given, other.predict_proba(test["X"]))


def test_the_run_file_says_how_records_come(place):
    told = tomllib.loads((place / "run" / "run.toml").read_text())
    assert told["data"] == f"npz:{place / 'train.npz'}"
    assert told["records"] == {
        "lead_names": ["II", "V1"],
        "fs": 100.0,
        "filters": [],
        "n_times": 300,
    }
    assert {"torch", "sk_erts", "numpy"} <= set(told["versions"])


def test_the_run_file_does_it_again_with_the_seed_that_was_drawn(place, tmp_path):
    data = f"npz:{place / 'train.npz'}"
    seeds = []
    for name in "ab":
        run = tmp_path / name
        sk_erts("fit", data, "-o", run, *WORDS[:-2], "--max-epochs", 2)
        seeds.append(tomllib.loads((run / "run.toml").read_text())["random_state"])
    assert seeds[0] != seeds[1]
    sk_erts("fit", "--config", tmp_path / "a" / "run.toml", "-o", tmp_path / "again")
    a, b, again = (
        probabilities(tmp_path / name, place / "test.npz")
        for name in ("a", "b", "again")
    )
    np.testing.assert_array_equal(again, a)
    assert not np.array_equal(b, a)


def test_selection_table_counts_epochs(place, train, clf):
    table = pd.read_csv(place / "run" / "selection.csv")
    assert table["record"].tolist() == train["names"].tolist()
    assert table["label"].tolist() == train["y"].tolist()
    taken = table[["trained", "softened", "rehearsed"]].to_numpy().sum()
    assert taken == clf.kept_counts_.sum()
    assert (table.loc[:, "not_looked_at":"softened"].sum(axis=1) == 12).all()


def test_json_tells_what_it_cost(place, tmp_path):
    found = as_json(
        "fit",
        f"npz:{place / 'train.npz'}",
        "-o",
        tmp_path / "run",
        *WORDS,
        "--max-epochs",
        2,
        "--validation-fraction",
        0.2,
        "--early-stopping",
        "best",
    )
    assert found["epochs"] == 2
    assert found["effective_epochs"] == 2
    assert found["classes"] == ["BBB", "NORM"]
    assert 0 <= found["validation_macro_f1"] <= 1


def after_epochs(monkeypatch, n_epochs, do):
    """Do something after some epochs, once these are written down."""
    keep, calls = Keeper.keep, []

    def keep_and_do(self, state, is_the_end):
        keep(self, state, is_the_end)
        calls.append(1)
        if len(calls) == n_epochs:
            do()

    monkeypatch.setattr(Keeper, "keep", keep_and_do)


def test_resume_after_a_fault_ends_as_if_there_was_none(place, tmp_path, monkeypatch):
    def fail():
        raise RuntimeError("power cut")

    words = ("fit", f"npz:{place / 'train.npz'}", "-o", tmp_path / "run", *WORDS)
    with monkeypatch.context() as patch:
        after_epochs(patch, 5, fail)
        told = sk_erts(*words, code=1).stderr.splitlines()[-1]
    assert told == "error: unexpected RuntimeError: power cut (--debug shows where)"
    told = error_of("predict", tmp_path / "run", "synthetic", code=4)
    assert told.endswith(f"sk-erts fit --resume --output {tmp_path / 'run'}.")
    epochs = []
    with monkeypatch.context() as patch:
        after_epochs(patch, 1, lambda: epochs.append(1))
        # All else stands in the folder.
        found = as_json("fit", "--resume", "-o", tmp_path / "run")
    assert found["epochs"] == 12
    np.testing.assert_array_equal(
        probabilities(tmp_path / "run", place / "test.npz"),
        probabilities(place / "run", place / "test.npz"),
    )


@pytest.mark.usefixtures("key_works")
def test_ctrl_c_keeps_the_network_and_can_go_on(place, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        after_epochs(patch, 5, lambda: signal.raise_signal(signal.SIGINT))
        ended = sk_erts(
            "fit",
            f"npz:{place / 'train.npz'}",
            "-o",
            tmp_path / "run",
            *WORDS,
            code=130,
        )
    assert "warning: fit was stopped by hand after 4 of 12 epochs" in ended.stderr
    assert f"sk-erts fit --resume --output {tmp_path / 'run'}" in ended.stderr
    before = probabilities(tmp_path / "run", place / "test.npz")
    sk_erts("fit", "--resume", "-o", tmp_path / "run")
    after = probabilities(tmp_path / "run", place / "test.npz")
    whole = probabilities(place / "run", place / "test.npz")
    assert not np.array_equal(before, whole)
    np.testing.assert_array_equal(after, whole)


def test_a_folder_is_not_written_over(place):
    words = ("fit", f"npz:{place / 'train.npz'}", "-o", place / "run", *WORDS)
    assert "holds a training already" in error_of(*words, code=2)


def test_another_training_is_not_gone_on_with(place):
    told = sk_erts("fit", "--resume", "-o", place / "run", "--lr", 0.1, code=2).stderr
    assert "'lr' was 0.01 and is 0.1" in told


def test_the_command_line_wins_over_the_file(place, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(
        f'data = "npz:{place / "train.npz"}"\nmax-epochs = 5\nbatch_size = 16\n'
        'module__width = 4\nfocus = "none"\nduration = 2\n'
    )
    run = tmp_path / "run"
    found = as_json("fit", "--config", config, "-o", run, "--max-epochs", 1)
    assert found["epochs"] == 1
    loaded = ERTSClassifier.load(run / "model.sk_erts")
    assert loaded.batch_size == 16
    assert loaded.focus is None
    assert loaded.n_times_in_ == 200


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("max_epoch = 3", "no setting 'max_epoch'. Did you mean 'max_epochs'?"),
        ("duraton = 3", "no setting 'duraton'. Did you mean 'duration'?"),
        ("fs = 'fast'", "'fs' must be a number. Got 'fast' instead."),
        ("lr =", "is no TOML"),
    ],
)
def test_a_bad_line_of_the_file(tmp_path, line, says):
    config = tmp_path / "run.toml"
    config.write_text(line)
    words = ("fit", "synthetic", "-o", tmp_path / "run", "--config", config)
    assert says in error_of(*words, code=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--focus-treshold", 0.1], "--focus-threshold"),
        (["--set", "module__widht=3"], "Did you mean 'width'?"),
        (["--set", "modul__width=3"], "modul__width"),
        (["--set", "width"], "--set must be NAME=VALUE. Got 'width' instead."),
        (["--lr", "-1"], "'lr' parameter of ERTSClassifier must be"),
        (["--module", "resnet2d"], "resnet1d"),
        (["--augment", "RandomCrpo(0.5)"], "Did you mean 'RandomCrop'?"),
        (["--read", "noise=0.1", "--read", "nois=0"], "Did you mean 'noise'?"),
    ],
)
def test_what_is_misspelt_is_told_before_anything_is_read(
    tmp_path, monkeypatch, words, says
):
    monkeypatch.setattr(
        "sk_erts._cli._fit.read_data", lambda *args: pytest.fail("it was read")
    )
    told = error_of("fit", "synthetic", "-o", tmp_path / "run", *words, code=2)
    assert says in told
    assert not (tmp_path / "run").exists()


def test_objects_are_named_and_called(place, tmp_path):
    sk_erts(
        "fit",
        f"npz:{place / 'train.npz'}",
        "-o",
        tmp_path,
        *WORDS,
        "--max-epochs",
        1,
        "--augment",
        "RandomCrop(0.25)",
        "--optimizer",
        "SGD",
        "--data-dropout",
        "SRD(decay=0.9)",
        "--warmup-epochs",
        "(1, 0)",
    )
    told = ERTSClassifier.load(tmp_path / "model.sk_erts").get_params()
    assert told["augment"].share == 0.25
    assert told["optimizer"].__name__ == "SGD"
    assert told["data_dropout"].decay == 0.9
    assert told["warmup_epochs"] == (1, 0)


def test_several_labels_keep_their_names(place, tmp_path, train):
    y = np.column_stack([train["y"] == "BBB", train["X"][:, 0].max(axis=1) > 1])
    data = tmp_path / "several.npz"
    np.savez(data, X=train["X"], y=y.astype(int), label_names=["BBB", "TALL"], fs=100)
    run = tmp_path / "run"
    found = as_json("fit", f"npz:{data}", "-o", run, *WORDS, "--max-epochs", 4)
    assert found["classes"] == ["BBB", "TALL"]
    scored = as_json("evaluate", run, f"npz:{data}")
    assert [row["records"] for row in scored["per_class"]] == y.sum(axis=0).tolist()
    audited = as_json("audit", run)
    assert {row["label"].removeprefix("not ") for row in audited["records"]} <= {
        "BBB",
        "TALL",
    }
    rows = as_json("predict", run, f"npz:{data}")["predictions"]
    for row in rows:
        above = [name for name, p in row["probabilities"].items() if p > 0.5]
        assert row["predicted"] == ";".join(above)
