"""A fitted pretrainer as one file: the same to the bit, and no report in it."""

import copy
import json
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._training.archive import read_archive, write_archive
from sk_erts.exceptions import ArchiveError
from sk_erts.models import FCN1d, PooledLinear, ResNet1d
from sk_erts.pretraining import ECGTextPretrainer
from sk_erts.selection import DBPD
from tests.pretraining.conftest import OF_NETWORK, SECRET, make, pairs

X, REPORTS = pairs()
RAGGED = [record[:, : 40 + i % 5] for i, record in enumerate(X)]


class Own(nn.Module):
    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Conv1d(n_leads, 4, 3)
        self.head = PooledLinear(4, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


CASES = {
    "tiny": lambda: make(),
    "class": lambda: make(module=ResNet1d, data_dropout=DBPD(0.5)),
    "instance": lambda: ECGTextPretrainer(FCN1d(2, 16, width=4), **OF_NETWORK),
    "wasserstein": lambda: make(distance="wasserstein", focus=None),
    "cosine": lambda: make(distance="cosine", data_dropout=None),
    "no masks": lambda: make(masked_signal=0, masked_words=0, views=0, divergence=0),
    "parts": lambda: make(optimizer=torch.optim.SGD, optimizer__momentum=0.5),
}


def answers(pretrainer, X=X):
    """Return what every method says."""
    prompts = {"a": REPORTS[0], "b": [REPORTS[1], "Unheard of."]}
    said = {
        "transform": pretrainer.transform(X),
        "embed_text": pretrainer.embed_text(REPORTS),
        "similarity": pretrainer.similarity(X, REPORTS[:9]),
        "proba": pretrainer.predict_proba_zero_shot(X, prompts),
        "maps": pretrainer.explain(X, REPORTS[0], contrast=REPORTS[1]),
        "names": pretrainer.get_feature_names_out(),
        "kept": pretrainer.kept_counts_,
        "status": pretrainer.selection_.status,
        "costs": [
            pretrainer.effective_epochs_,
            pretrainer.scoring_passes_,
            pretrainer.fit_time_s_,
        ],
        "shape": [pretrainer.n_leads_in_, pretrainer.n_times_in_],
        "stories": repr([pretrainer.history_, vars(pretrainer.selection_)]),
    }
    if pretrainer.distance != "cosine":
        said["uncertainty"] = pretrainer.uncertainty(X)
    return said


def assert_same(one, other):
    for name, value in one.items():
        same = map(np.array_equal, value, other[name])
        assert len(value) == len(other[name]), name
        assert all(same), name


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_is_what_was_saved(tmp_path, name):
    pretrainer = CASES[name]().fit(X, REPORTS)
    pretrainer.save(tmp_path / "a")
    other = ECGTextPretrainer.load(tmp_path / "a")
    assert_same(answers(pretrainer), answers(other))
    assert other.get_params().keys() == pretrainer.get_params().keys()


def test_of_different_lengths_too(tmp_path):
    pretrainer = make().fit(RAGGED, REPORTS)
    pretrainer.save(tmp_path / "a")
    other = ECGTextPretrainer.load(tmp_path / "a")
    assert_same(answers(pretrainer, RAGGED), answers(other, RAGGED))
    assert not hasattr(other, "n_features_in_")


@pytest.fixture(scope="module")
def path(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "a.sk_erts"
    fitted.save(path)
    return path


def test_it_is_saved_again_as_it_was(fitted, path, tmp_path):
    other = ECGTextPretrainer.load(path)
    other.save(tmp_path / "b")
    assert_same(answers(fitted), answers(ECGTextPretrainer.load(tmp_path / "b")))


def test_its_classifier_is_that_of_the_one_that_was_saved(fitted, path):
    y = np.arange(48) % 2
    params = {"max_epochs": 2, "random_state": 0, "verbose": 0}
    one, other = (
        each.to_classifier(**params).fit(X, y).predict_proba(X)
        for each in (fitted, ECGTextPretrainer.load(path))
    )
    np.testing.assert_array_equal(one, other)


def test_a_fit_after_loading_is_that_of_a_new_one(fitted, path):
    other = ECGTextPretrainer.load(path)
    np.testing.assert_array_equal(
        other.fit(X, REPORTS).transform(X), fitted.transform(X)
    )


class TestNothingOfAPatientIsInIt:
    """Neither in the file nor in a pickle; pieces of words are, on purpose."""

    @pytest.fixture(params=["file", "pickle", "state", "loaded"])
    def whole(self, request, fitted, path):
        if request.param == "file":
            return path.read_bytes()
        if request.param == "state":
            return pickle.dumps(vars(fitted))
        if request.param == "loaded":
            return pickle.dumps(ECGTextPretrainer.load(path))
        return pickle.dumps(fitted)

    def test_no_sentence(self, whole):
        assert b"##" in whole  # the word pieces are
        for text in (SECRET, SECRET.lower(), REPORTS[0], REPORTS[5]):
            words = text.split()
            for i in range(len(words) - 1):
                for code in ("utf-8", "utf-16-le", "utf-32-le"):
                    assert " ".join(words[i : i + 2]).encode(code) not in whole

    def test_no_sentence_in_pieces(self, whole, fitted):
        """As numbers it could be read by whoever has the word pieces."""
        numbers = fitted.net_.criterion_.text.prepared([SECRET]).pieces[0]
        assert len(numbers) > 6
        for dtype in ("<i2", "<i4", "<i8", "<f4"):
            assert numbers.astype(dtype)[:6].tobytes() not in whole
        assert json.dumps(numbers[:6].tolist()).encode() not in whole

    def test_no_record(self, whole):
        for row in (0, 5, 47):
            for dtype in ("<f2", "<f4", "<f8"):
                assert X[row, 0, 10:18].astype(dtype).tobytes() not in whole

    def test_which_report_a_record_had_is_not_in_it_either(self, whole):
        _, codes = np.unique(REPORTS, return_inverse=True)
        for dtype in ("<i1", "<i2", "<i4", "<i8"):
            assert codes[:24].astype(dtype).tobytes() not in whole


def test_nothing_of_them_is_kept_by_the_estimator(fitted):
    assert fitted.net_.criterion_.prepared is None
    assert len(fitted.net_.task.classes) == 0
    tensors = [v for v in vars(fitted.net_.criterion_).values() if torch.is_tensor(v)]
    assert tensors == []
    twin = copy.deepcopy(fitted)
    assert_same(answers(fitted), answers(twin))


class TestWhatIsOfSomebodyElse:
    def test_a_network_of_ones_own_is_named_and_passed_in(self, tmp_path):
        pretrainer = ECGTextPretrainer(Own, **OF_NETWORK).fit(X, REPORTS)
        pretrainer.save(tmp_path / "a")
        message = r"not of sk_erts .*'module' \(.*pairs.Own\).*, module=...\)"
        with pytest.raises(ValueError, match=message):
            ECGTextPretrainer.load(tmp_path / "a")
        other = ECGTextPretrainer.load(tmp_path / "a", module=Own)
        assert_same(answers(pretrainer), answers(other))
        with pytest.raises(ArchiveError, match="does not fit the encoders of ECGText"):
            ECGTextPretrainer.load(tmp_path / "a", module=FCN1d)

    def test_parameters_may_take_the_place_of_those_in_the_file(self, fitted, path):
        other = ECGTextPretrainer.load(path, verbose=2, device="cpu")
        assert (other.verbose, other.device) == (2, "cpu")
        assert next(other.net_.module_.parameters()).device.type == "cpu"
        assert np.array_equal(other.transform(X), fitted.transform(X))
        with pytest.raises(ValueError, match="'verbos'"):
            ECGTextPretrainer.load(path, verbos=2)
        with pytest.raises(ValueError, match="must name a device of this machine"):
            ECGTextPretrainer.load(path, device="gpu")

    def test_others_do_not_fit(self, path):
        for params in ({"n_dims": 16}, {"module__width": 8}, {"masked_signal": 0}):
            with pytest.raises(ArchiveError, match="does not fit|cannot|fit"):
                ECGTextPretrainer.load(path, **params)

    def test_a_classifier_is_no_pretrainer(self, path, small, tmp_path):
        with pytest.raises(ArchiveError, match="pretrainer"):
            ERTSClassifier.load(path)
        ERTSClassifier(**small).fit(X, np.arange(48) % 2).save(tmp_path / "c")
        with pytest.raises(ArchiveError, match="classifier"):
            ECGTextPretrainer.load(tmp_path / "c")


def test_new_records_are_checked_as_by_the_one_that_was_saved(path):
    other = ECGTextPretrainer.load(path)
    with pytest.raises(ValueError, match="was fitted on records of shape"):
        other.transform(X[:, :1])


def test_names_of_features_are_checked_as_by_the_one_that_was_saved(tmp_path):
    frame = pd.DataFrame(X[:, 0], columns=[f"t{i}" for i in range(64)])
    pretrainer = make(max_epochs=1).fit(frame, REPORTS)
    pretrainer.save(tmp_path / "a")
    other = ECGTextPretrainer.load(tmp_path / "a")
    assert other.feature_names_in_.tolist() == frame.columns.tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        other.transform(frame.rename(columns={"t0": "other"}))


class TestWhoeverWroteIt:
    @pytest.fixture
    def state(self, path):
        return read_archive(path, "pretrainer")

    def test_cut_short_anywhere_it_is_told_so(self, path, tmp_path):
        whole = path.read_bytes()
        for n in [*range(0, 200, 20), len(whole) // 2, len(whole) - 1]:
            (tmp_path / "b").write_bytes(whole[:n])
            with pytest.raises(ArchiveError, match="b"):
                ECGTextPretrainer.load(tmp_path / "b")

    def test_a_flipped_bit_of_its_text_is_no_crash(self, path, tmp_path):
        """Elsewhere, in the numbers, it cannot be seen."""
        whole = bytearray(path.read_bytes())
        n_text = int.from_bytes(whole[:8], "little")
        refused = 0
        places = np.linspace(8, n_text, 40).astype(int)
        for place in places:
            changed = whole.copy()
            changed[place] ^= 8
            (tmp_path / "b").write_bytes(changed)
            try:
                found = ECGTextPretrainer.load(tmp_path / "b")
            except ValueError as error:
                refused += str(tmp_path / "b") in str(error)
            else:
                assert np.isfinite(found.transform(X[:2])).all()
        assert refused > 20

    def test_a_pickle_is_refused(self, tmp_path):
        class Evil:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "hacked",))

        (tmp_path / "p").write_bytes(pickle.dumps(Evil()))
        with pytest.raises(ArchiveError, match="something else"):
            ECGTextPretrainer.load(tmp_path / "p")
        assert not (tmp_path / "hacked").exists()

    def test_no_file(self, tmp_path):
        with pytest.raises(OSError, match="nowhere"):
            ECGTextPretrainer.load(tmp_path / "nowhere")

    @pytest.mark.parametrize(
        "key", ["net", "history", "known", "params", "rows", "text", "n_trained"]
    )
    def test_what_lacks_a_part_is_refused(self, state, tmp_path, key):
        del state[key]
        self.refused(state, tmp_path)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("text", 1),
            ("text", ""),
            ("text", "{}"),
            ("params", [1]),
            ("params.lr", -1),
            ("params.n_dims", 1),
            ("params.text", 3),
            ("params.distance", "far"),
            ("params.data_dropout", {"@": "name", "of": "builtins.eval"}),
            ("known", 1),
            ("known.n_leads", 0),
            ("known.n_leads", "2"),
            ("known.unit", "V"),
            ("known.feature_names", 3),
            ("known.feature_names", ["t0"]),
            ("net", 1),
            ("net.module", []),
            ("net.criterion", 3),
            ("net.criterion", {}),
            ("net.history", [{"epoch": 1}]),
            ("history", 1),
            ("history.status", np.full((4, 48), 99, dtype=np.int8)),
            ("history.mean_proba", np.zeros((3, 2), dtype=np.float32)),
            ("n_trained", 3),
            ("effective_epochs", "many"),
        ],
    )
    def test_a_part_of_another_kind_is_refused(self, state, tmp_path, place, value):
        *names, last = place.split(".")
        part = state
        for name in names:
            part = part[name]
        part[last] = value
        self.refused(state, tmp_path)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("params.module__width", 2**20),
            ("params.module__blocks", (1, 2**31)),
            ("params.n_dims", 2**30),
            ("known.n_times", 2**40),
            ("known.n_leads", 2**40),
        ],
    )
    def test_it_cannot_take_all_memory_or_time(self, state, tmp_path, place, value):
        name, key = place.split(".")
        state[name][key] = value
        self.refused(state, tmp_path)

    def test_word_pieces_that_go_on_and_on_are_refused(self, state, tmp_path):
        told = json.loads(state["text"])
        vocabulary = told["model"]["vocab"]
        vocabulary |= {f"more{i}": 10**6 + i for i in range(5)}
        vocabulary |= {f"even more{i}": len(vocabulary) + i for i in range(5000)}
        state["text"] = json.dumps(told)
        self.refused(state, tmp_path)

    def test_weights_of_another_shape_are_refused(self, state, tmp_path):
        for part in ("module", "criterion"):
            weights = dict(state["net"][part])
            name = next(iter(weights))
            changed = {**state, "net": {**state["net"], part: weights}}
            weights[name] = torch.zeros(3, 3)
            self.refused(changed, tmp_path)

    def refused(self, state, tmp_path):
        path = tmp_path / "b"
        write_archive(path, "pretrainer", state)
        with pytest.raises(ArchiveError, match=re.escape(str(path))):
            ECGTextPretrainer.load(path)


def test_the_file_of_before_is_left_if_it_cannot_be_written(
    fitted, path, tmp_path, monkeypatch
):
    shutil.copy(path, tmp_path / "a")
    before = (tmp_path / "a").read_bytes()
    with pytest.raises(OSError, match="nowhere"):
        fitted.save(tmp_path / "nowhere" / "a")
    monkeypatch.setattr(fitted.net_, "history", object(), raising=False)
    with pytest.raises(ArchiveError):
        fitted.save(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before
