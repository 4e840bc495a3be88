"""A fitted classifier as one file: the same to the bit, and no code in it."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.model_selection import KFold
from skorch.callbacks import LRScheduler
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._training.archive import read_archive, write_archive
from sk_erts.augmentation import AddNoise, RandomCrop
from sk_erts.exceptions import ArchiveError
from sk_erts.losses import FocalLoss
from sk_erts.models import FCN1d, ResNet1d
from sk_erts.quality import SignalQuality
from sk_erts.selection import DBPD, FocusFilter, InfoBatch, Rehearsal, Reliability
from tests.conftest import bumps

X, CODES, _ = bumps(72)
Y = np.array(["AFIB", "NORM", "PVC"])[CODES]
SEVERAL = np.stack([CODES == 0, CODES > 0, CODES == 2], axis=1).astype(int)
RAGGED = [record[:, : 40 + i % 5] for i, record in enumerate(X)]
KEPT = Path(__file__).parent / "saved_by_0.1.0.sk_erts"

CASES = {
    "defaults": {},
    "class": {"module": ResNet1d},
    "instance": {"module": FCN1d(2, 3, width=4), "module__width": None},
    "several labels": {"y": SEVERAL},
    "different lengths": {"X": RAGGED},
    "validation": {
        "early_stopping": "best",
        "validation_fraction": KFold(4),
        "calibration__temperature": True,
        "calibration__sensitivity": {"PVC": 0.9},
    },
    "parts": {
        "criterion": FocalLoss,
        "criterion__gamma": 1.0,
        "optimizer": torch.optim.SGD,
        "optimizer__momentum": 0.5,
        "callbacks": [LRScheduler("StepLR", step_size=2)],
        "augment": [AddNoise(0.02), RandomCrop(0.9)],
    },
    "selection": {"selection": Rehearsal(FocusFilter(DBPD(0.6), "support"), 0.1)},
    "InfoBatch": {"selection": InfoBatch()},
    "signals": {"focus": Reliability(SignalQuality(fs=100))},
    "data dropout alone": {"focus": None, "data_dropout": "srd"},
}


def fitted(small, X=X, y=Y, **params):
    given = small | params
    if given.get("module__width", 0) is None:
        given = {k: v for k, v in given.items() if not k.startswith("module__")}
    return ERTSClassifier(**given).fit(X, y), X, y


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_is_what_was_saved(small, tmp_path, name):
    clf, records, y = fitted(small, **CASES[name])
    clf.save(tmp_path / "a")
    other = ERTSClassifier.load(tmp_path / "a")
    for ask in ("predict_proba", "predict", "explain", "focus_score"):
        one, two = (getattr(each, ask)(records) for each in (clf, other))
        assert all(map(np.array_equal, one, two)), ask
    assert clf.audit(records, y).equals(other.audit(records, y))
    for attribute in ("kept_counts_", "effective_epochs_", "scoring_passes_"):
        assert np.array_equal(getattr(clf, attribute), getattr(other, attribute))
    assert clf.fit_time_s_ == other.fit_time_s_
    assert repr(clf.history_) == repr(other.history_)
    assert repr(vars(clf.selection_)) == repr(vars(other.selection_))
    assert np.array_equal(clf.selection_.status, other.selection_.status)
    assert clf.classes_.dtype == other.classes_.dtype
    assert other.get_params().keys() == clf.get_params().keys()


@pytest.mark.parametrize("name", ["defaults", "parts", "selection", "signals"])
def test_a_training_goes_on_from_it_as_from_the_one_that_was_saved(
    small, tmp_path, name
):
    clf, records, y = fitted(small, **CASES[name])
    clf.save(tmp_path / "a")
    other = ERTSClassifier.load(tmp_path / "a")
    for each in (clf, other):
        each.set_params(warm_start=True, max_epochs=2).fit(records, y)
    assert np.array_equal(clf.predict_proba(records), other.predict_proba(records))
    assert np.array_equal(clf.selection_.status, other.selection_.status)


def test_records_and_their_labels_are_not_in_it(small, tmp_path):
    given = {"validation_fraction": (X[:20], Y[:20])}
    clf, _, _ = fitted(small, **given)
    clf.save(tmp_path / "a")
    with safe_open(tmp_path / "a", framework="np") as file:
        sizes = [file.get_tensor(name).size for name in file.keys()]  # noqa: SIM118
    assert max(sizes) < X[:20].size
    with pytest.raises(ValueError, match="'validation_fraction' .*numpy.ndarray"):
        ERTSClassifier.load(tmp_path / "a")
    other = ERTSClassifier.load(tmp_path / "a", validation_fraction=None)
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))


class Own(nn.Module):
    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.linear = nn.Linear(n_leads, n_classes)

    def forward(self, x):
        return self.linear(x.abs().mean(dim=-1))


def own_judge(maps):
    return maps.mean(axis=1)


def test_a_network_of_ones_own_is_named_and_passed_in(small, tmp_path):
    given = {k: v for k, v in small.items() if not k.startswith("module__")}
    clf = ERTSClassifier(Own, **given | {"focus": "reliability"}).fit(X, Y)
    clf.save(tmp_path / "a")
    message = (
        r"not of sk_erts .*'module' \(.*test_saved.Own\).*load\(path, module=...\)"
    )
    with pytest.raises(ValueError, match=message):
        ERTSClassifier.load(tmp_path / "a")
    other = ERTSClassifier.load(tmp_path / "a", module=Own)
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))
    with pytest.raises(ArchiveError, match="does not fit the network .* FCN1d"):
        ERTSClassifier.load(tmp_path / "a", module=FCN1d)


def test_so_is_a_function_inside_of_something(small, tmp_path):
    clf, _, _ = fitted(
        small, focus=own_judge, augment=[AddNoise(0.1), lambda X, rng: X]
    )
    clf.save(tmp_path / "a")
    with pytest.raises(ValueError, match=r"'augment' .*lambda.*'focus' .*own_judge"):
        ERTSClassifier.load(tmp_path / "a")
    other = ERTSClassifier.load(tmp_path / "a", focus=own_judge, augment=None)
    assert np.array_equal(clf.focus_score(X, Y), other.focus_score(X, Y))


def test_parameters_may_take_the_place_of_those_in_the_file(small, tmp_path):
    clf, _, _ = fitted(small)
    clf.save(tmp_path / "a")
    assert ERTSClassifier.load(tmp_path / "a", verbose=2).verbose == 2
    with pytest.raises(ValueError, match="'verbos'"):
        ERTSClassifier.load(tmp_path / "a", verbos=2)


def test_new_records_are_checked_as_by_the_one_that_was_saved(small, tmp_path):
    clf, _, _ = fitted(small)
    clf.save(tmp_path / "a")
    other = ERTSClassifier.load(tmp_path / "a")
    with pytest.raises(ValueError, match="was fitted on records of shape"):
        other.predict(X[:, :1])


def test_what_was_not_fitted_or_has_no_story_is_not_saved(small, tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        ERTSClassifier().save(tmp_path / "a")
    clf, _, _ = fitted(small)
    clf.save_weights(tmp_path / "w")
    loaded = ERTSClassifier(**small).load_weights(tmp_path / "w")
    with pytest.raises(ValueError, match="no story .*Use save_weights"):
        loaded.save(tmp_path / "a")
    loaded.fit(X, Y).save(tmp_path / "a")


class TestWhoeverWroteIt:
    @pytest.fixture
    def state(self, small, tmp_path):
        clf, _, _ = fitted(small)
        clf.save(tmp_path / "a")
        return read_archive(tmp_path / "a", "classifier")

    @pytest.mark.parametrize(
        "told",
        [
            {"@": "object", "of": "os.system", "params": {"command": "touch hacked"}},
            {"@": "name", "of": "builtins.eval"},
            {"@": "name", "of": "sk_erts.models.os"},
            {"@": "object", "of": "sk_erts.selection.as_judge", "params": {}},
            {"@": "object", "of": "sk_erts.selection.DBPD", "params": {"x": 1}},
            {"@": "object"},
        ],
    )
    def test_it_cannot_ask_for_anything_else(self, state, tmp_path, monkeypatch, told):
        monkeypatch.chdir(tmp_path)
        state["params"]["data_dropout"] = told
        write_archive("b", "classifier", state)
        with pytest.raises(ArchiveError, match="b is damaged"):
            ERTSClassifier.load("b")
        assert not Path("hacked").exists()

    def test_functions_are_named_and_never_called(self, state, tmp_path):
        told = {
            "@": "object",
            "of": "sk_erts.models.get_model",
            "params": {"name": "x"},
        }
        state["params"]["module"] = told
        write_archive(tmp_path / "b", "classifier", state)
        with pytest.raises(ArchiveError, match="get_model' is no class"):
            ERTSClassifier.load(tmp_path / "b")

    def test_a_pickle_is_refused(self, tmp_path):
        class Evil:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "hacked",))

        (tmp_path / "p").write_bytes(pickle.dumps(Evil()))
        with pytest.raises(ArchiveError, match="something else"):
            ERTSClassifier.load(tmp_path / "p")
        assert not (tmp_path / "hacked").exists()

    @pytest.mark.parametrize("key", ["net", "history", "known", "params", "rows"])
    def test_what_lacks_a_part_is_refused(self, state, tmp_path, key):
        del state[key]
        write_archive(tmp_path / "b", "classifier", state)
        with pytest.raises((ArchiveError, ValueError), match="b"):
            ERTSClassifier.load(tmp_path / "b")

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("params", [1]),
            ("params", {1: 2}),
            ("params.@", {}),
            ("params.data_dropo`t", "dbpd"),
            ("params.lr", -1),
            ("params.max_effective_epochs", {"@": "name", "of": "torch.optim.SGD"}),
            ("params.confidence_threshold", {"@": "object", "of": 3, "params": 1}),
            ("judge", {"@": "name", "of": "torch.optim.SGD"}),
            ("judge", 1),
            ("known", 1),
            ("known.classes_dtype", "a"),
            ("net", 1),
            ("net.module", []),
            ("net.optimizer", 1),
            ("net.history", 3),
            ("net.history", [{"epoch": 1}]),
            ("net.criterion", 3),
            ("history", 1),
            ("history.status", 1),
            ("history.status", np.zeros(3, dtype=np.int8)),
            ("history.status", np.full((6, 72), 99, dtype=np.int8)),
            ("history.confidence", np.zeros((1, 1), dtype=np.float32)),
            ("history.mean_proba", np.zeros((3, 3), dtype=np.float32)),
            ("history.phases", ("warm-up", "revision")),
            ("history.judged_by", (1,) * 6),
            ("history.first_epoch", {}),
            ("n_trained", 3),
            ("effective_epochs", "many"),
            ("rows", [0, 1]),
            ("memory", None),
            ("signals", 1),
        ],
    )
    def test_a_part_of_another_kind_is_refused(self, state, tmp_path, place, value):
        *names, last = place.split(".")
        part = state
        for name in names:
            part = part[name]
        part[last] = value
        write_archive(tmp_path / "b", "classifier", state)
        with pytest.raises(ValueError, match=re.escape(str(tmp_path / "b"))):
            ERTSClassifier.load(tmp_path / "b")

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("params.module__blocks", (1, 2**31)),
            ("params.module__width", 2**20),
            (
                "params.module",
                {
                    "@": "object",
                    "of": "sk_erts.models.ResNet1d",
                    "params": {"n_leads": 2, "n_classes": 3, "blocks": [2**31]},
                },
            ),
            ("known.n_times", 2**40),
            ("known.n_leads", 2**40),
        ],
        ids=["blocks", "width", "instance", "times", "leads"],
    )
    def test_it_cannot_take_all_memory_or_time(self, state, tmp_path, place, value):
        name, key = place.split(".")
        state[name][key] = value
        write_archive(tmp_path / "b", "classifier", state)
        with pytest.raises(ValueError, match=re.escape(str(tmp_path / "b"))):
            ERTSClassifier.load(tmp_path / "b")

    def test_weights_of_another_shape_are_refused(self, state, tmp_path):
        weights = state["net"]["module"]
        name = next(iter(weights))
        weights[name] = weights[name][:1]
        write_archive(tmp_path / "b", "classifier", state)
        with pytest.raises(ArchiveError, match=f"(?s)does not fit .*{re.escape(name)}"):
            ERTSClassifier.load(tmp_path / "b")


def test_a_file_of_this_version_is_read_by_the_next_ones():
    """It was saved by 0.1.0, and is never written anew."""
    clf = ERTSClassifier.load(KEPT)
    told = json.loads((KEPT.with_suffix(".json")).read_text())
    np.testing.assert_allclose(clf.predict_proba(X[:4]), told["proba"], atol=1e-5)
    assert clf.kept_counts_.tolist() == told["kept_counts"]
    assert clf.selection_.phases == tuple(told["phases"])
    assert clf.lr == told["lr"]
