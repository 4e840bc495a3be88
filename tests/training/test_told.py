"""What is told of a training in files, and what of records is told to the user."""

import functools
import inspect
import types
import warnings

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold
from torch import nn

from sk_erts import Checkpoint, ERTSClassifier
from sk_erts._records.divide import divide
from sk_erts._records.records import RaggedRecords, Records
from sk_erts._records.task import make_task
from sk_erts._training import checkpoint as checkpoints
from sk_erts._training import weights
from sk_erts._training.checkpoint import Keeper, _digest, _identity, _told, keeper_of
from sk_erts._training.weights import (
    Absent,
    _parameters,
    made_from,
)
from sk_erts.exceptions import (
    ArchiveError,
    CheckpointWarning,
    DoubtfulInputWarning,
    WeightsError,
)
from sk_erts.models._registry import MODELS
from sk_erts.models._weights import path_of
from sk_erts.selection import DBPD
from tests.models.tiny import make_tiny


class Holds:
    def __init__(self, **inside):
        vars(self).update(inside)


def function(x):
    return x


class TestTexts:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "None"),
            (True, "True"),
            (1, "1"),
            (0.1, "0.1"),
            ("a", "'a'"),
            (np.float64(0.5), "np.float64(0.5)"),
            ([1, "a"], "list(1, 'a')"),
            ((), "tuple()"),
            ({2, 1}, "set(1, 2)"),
            (frozenset("ba"), "frozenset('a', 'b')"),
            ({"a": [1], 2: None}, "{'a': list(1), 2: None}"),
            (np.random.RandomState(0), "RandomState"),
            (np.random.default_rng(3), "Generator"),
            (torch.device("cpu"), "cpu"),
            (function, f"{__name__}.function"),
            (torch.optim.AdamW, "torch.optim.adamw.AdamW"),
            (
                DBPD(0.4),
                "sk_erts.selection._data_dropout.DBPD({'threshold': 0.4})",
            ),
            (Holds(a=1), f"{__name__}.Holds({{'a': 1}})"),
            (object(), "builtins.object({})"),
            (
                functools.partial(function, 1, b=2),
                f"functools.partial(tuple({__name__}.function, tuple(1), {{'b': 2}}))",
            ),
        ],
    )
    def test_of_anything(self, value, text):
        assert _told(value) == text

    def test_of_arrays_it_is_their_values_type_and_shape(self):
        one = np.arange(6)
        texts = [
            _told(one),
            _told(one.reshape(2, 3)),
            _told(one.astype(np.int32)),
            _told(one + 1),
            _told(one.astype(object)),
        ]
        assert len(set(texts)) == 5
        assert texts[0] == _told(one.copy()) == _told(np.repeat(one, 2)[::2])
        assert texts[0].startswith("array(6,) ")
        assert texts[1].startswith("array(2, 3) ")
        assert _told(np.array(["a", None])) == _told(np.array(["a", None]))

    def test_of_a_network_it_is_its_parts_and_weights(self):
        network, other = nn.Linear(2, 2), nn.Linear(2, 2)
        assert _told(network) != _told(other)
        other.load_state_dict(network.state_dict())
        assert _told(network) == _told(other)
        assert _told(network).startswith(f"{network} ")
        assert _told(nn.ReLU()) != _told(nn.Tanh())

    def test_a_digest_is_of_all_arrays_in_their_order(self):
        one, two = np.arange(3), np.arange(3, 6)
        texts = {_digest(one), _digest(one, two), _digest(two, one), _digest()}
        assert len(texts) == 4
        assert all(len(text) == 16 for text in texts)
        assert _digest([0, 1, 2]) == _digest(one)

    def test_what_two_trainings_have_in_common(self):
        def identity(y=(0, 1) * 6, share=0.25, weight=None, **params):
            X = np.arange(48, dtype=np.float32).reshape(12, 1, 4)
            task = make_task(np.array(y))
            data = divide(
                Records(X),
                task.encode(np.array(y)),
                task,
                validation=share,
            )
            if weight is not None:
                data.train.weights = np.full(len(data.train), weight)
            return _identity(data, params)

        same = identity()
        assert set(same) == {"records", "validation", "weights"}
        assert same == identity(verbose=3)
        assert identity(lr=0.1) == same | {"lr": "0.1"}
        assert identity(y=(1, 0) * 6)["records"] != same["records"]
        assert identity(share=None)["validation"] == ""
        assert identity(weight=2.0)["weights"] != same["weights"]


class TestCheckpoints:
    def test_it_says_what_it_is(self, tmp_path):
        assert repr(Checkpoint("/a/b")) == "Checkpoint('/a/b', every_min=0.0)"
        assert repr(Checkpoint("/a", every_min=2)) == "Checkpoint('/a', every_min=2)"

    def test_its_folder_is_the_same_wherever_a_process_is(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert Checkpoint("a/b").folder == tmp_path / "a" / "b"
        assert Checkpoint("~/a").folder == tmp_path / "home" / "a"

    def test_it_is_somewhere(self):
        with pytest.raises(ValueError, match="'folder' .* of Checkpoint must name a f"):
            Checkpoint("")

    @pytest.mark.parametrize("wrong", [-1, "1", None])
    def test_minutes_that_are_none(self, wrong):
        with pytest.raises(ValueError, match="'every_min' .* of Checkpoint"):
            Checkpoint("a", every_min=wrong)

    def test_nowhere(self):
        assert keeper_of(None, False) is None
        with pytest.raises(ValueError, match="resume=True must know where"):
            keeper_of(None, True)
        with pytest.raises(ValueError, match="must be a folder or a Checkpoint. Got 3"):
            keeper_of(3, False)

    @pytest.mark.parametrize("kind", [str, lambda path: path, Checkpoint])
    def test_somewhere(self, tmp_path, kind):
        keeper = keeper_of(kind(tmp_path / "a" / "b"), True)
        assert keeper.folder == tmp_path / "a" / "b"
        assert keeper.folder.is_dir()
        assert keeper.every_s == 0

    def test_what_was_not_finished_is_cleared_away_and_nothing_else(self, tmp_path):
        for name in (".new.safetensors-1", ".last.safetensors-1", "mine"):
            (tmp_path / name).write_text("")
        Keeper(Checkpoint(tmp_path, every_min=2), resume=False)
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == [".last.safetensors-1", "mine"]

    def kept(self, folder, **params):
        keeper = Keeper(Checkpoint(folder, **params), resume=True)
        keeper._identity, keeper._chosen = {"lr": "1"}, {"seed": 7}
        return keeper

    def test_the_last_one_and_the_one_before(self, tmp_path):
        keeper = self.kept(tmp_path)
        for n in range(3):
            keeper.keep(lambda n=n: {"n": n}, False)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["before_last.safetensors", "last.safetensors"]
        found = [
            checkpoints.read_archive(tmp_path / name, checkpoints.WHAT)
            for name in names
        ]
        assert [each["run"]["n"] for each in found] == [1, 2]
        assert found[1] == {"identity": {"lr": "1"}, "seed": 7, "run": {"n": 2}}
        assert Keeper(Checkpoint(tmp_path), resume=True)._found == found[1]

    def test_so_many_minutes_apart_but_the_end_always(self, tmp_path, monkeypatch):
        keeper = self.kept(tmp_path, every_min=2)
        written, now = [], [0.0]
        monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(
            checkpoints,
            "write_archive",
            lambda path, what, state: written.append(now[0]) or path.write_text(""),
        )
        for now[0] in (1.0, 120.0, 121.0, 122.0, 240.0, 241.0):
            keeper.keep(dict, False)
        keeper.keep(dict, True)
        assert written == [1.0, 121.0, 241.0, 241.0]

    def test_a_full_disk_is_told_once(self, tmp_path, monkeypatch):
        keeper = self.kept(tmp_path)

        def full(*_):
            raise OSError("no space left")

        monkeypatch.setattr(checkpoints, "write_archive", full)
        with pytest.warns(CheckpointWarning, match=r"cannot be written \(no space"):
            keeper.keep(dict, False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            keeper.keep(dict, True)

    @pytest.mark.parametrize(
        ("theirs", "message"),
        [
            ({"lr": "2"}, "than this fit: 'lr' was 2 and is 1. Fit with the same"),
            ({}, "'lr' was not there and is 1"),
            ({"lr": "1", "old": "3"}, "'old' was 3 and is not there"),
            ({"lr": "1", "records": "x"}, "fit: it has other records or labels. Fit"),
            (
                {"lr": "2", "validation": "x", "weights": "y"},
                "fit: it sets other records aside; 'lr' was 2 and is 1",
            ),
            ({"lr": "1", "weights": "y"}, "its records have other weights"),
        ],
    )
    def test_what_is_not_the_same(self, tmp_path, theirs, message):
        with pytest.raises(ValueError, match=message):
            self.kept(tmp_path)._compare(theirs)
        assert self.kept(tmp_path)._compare({"lr": "1"}) is None


class TestFiles:
    def test_what_is_not_there_says_so(self):
        absent = Absent("w.file", "no story")
        with pytest.raises(
            AttributeError, match="from w.file, which holds no story, .*"
        ):
            absent.status  # noqa: B018 - it is asked for
        with pytest.raises(AttributeError, match="^__deepcopy__$"):
            absent.__deepcopy__  # noqa: B018

    def test_a_file_of_which_nothing_can_be_made_is_named(self):
        for error in (TypeError("x"), KeyError("x"), MemoryError("x")):
            message = "^my.file tells of a classifier that cannot be made: .*x"
            with (
                pytest.raises(ArchiveError, match=message),
                made_from("my.file", ArchiveError),
            ):
                raise error
        own = ArchiveError("mine")
        with pytest.raises(ArchiveError) as raised, made_from("f", ArchiveError):
            raise own
        assert raised.value is own
        with pytest.raises(KeyboardInterrupt), made_from("f", ArchiveError):
            raise KeyboardInterrupt

    @pytest.mark.parametrize("n_times", [None, 9])
    def test_noise_to_try_a_network_out(self, n_times):
        records = weights.noise_of_shape(3, n_times, ERTSClassifier())
        assert (len(records), records.n_leads) == (2, 3)
        if n_times is None:
            assert records.lengths.tolist() == [100, 80]
        else:
            assert records.lengths is None
            assert records.n_times == 9
        first, second = records.arrays(np.arange(2))
        assert first.dtype == np.float32
        assert first.std() > 0.5
        assert not np.array_equal(first[:, :9], second[:, :9])
        again = weights.noise_of_shape(3, n_times, ERTSClassifier()).arrays(
            np.arange(2)
        )
        np.testing.assert_array_equal(again[0], first)


class TestParameters:
    """What a file tells of a network, and a classifier does not."""

    def of(self, module="resnet1d", given=(), told=None, **file):
        told = {"n_leads": 2, "n_times": 9, "n_classes": 3} | (told or {})
        usual = {
            "path": "my.file",
            "network": "resnet1d",
            "made_by": path_of(MODELS["resnet1d"]),
            "parameters": told,
        }
        found = types.SimpleNamespace(**usual | file)
        return _parameters(found, module, dict(given))

    def test_what_is_as_usual_or_told_to_every_network_is_left_out(self):
        assert self.of() == {}
        width = inspect.signature(MODELS["resnet1d"]).parameters["width"].default
        assert self.of(told={"width": width}) == {}
        assert self.of(told={"width": width + 1}) == {"module__width": width + 1}

    def test_a_list_is_a_tuple_again(self):
        assert self.of(told={"blocks": [1, 1]}) == {"module__blocks": (1, 1)}

    @pytest.mark.parametrize("module", ["resnet1d", MODELS["resnet1d"]])
    def test_what_is_given_may_be_the_same_and_nothing_else(self, module):
        told = {"width": 5, "blocks": [1, 1]}
        given = {"module__width": 5, "module__other": 1, "optimizer__width": 7}
        found = self.of(module, given, told)
        assert found == {"module__blocks": (1, 1)}
        message = (
            r"my.file holds a 'resnet1d' with width=5; ERTSClassifier has "
            r"module__width=6. Leave it out"
        )
        with pytest.raises(WeightsError, match=message):
            self.of(module, {"module__width": 6}, told)

    @pytest.mark.parametrize("module", ["lstm1d", MODELS["lstm1d"], nn.Linear])
    def test_another_network_is_named(self, module):
        here = "torch.nn.modules.linear.Linear" if module is nn.Linear else "lstm1d"
        message = (
            f"my.file holds the network 'resnet1d'; the 'module' of ERTSClassifier is "
            f"'{here}'. Use ERTSClassifier\\('resnet1d'\\)"
        )
        with pytest.raises(WeightsError, match=message):
            self.of(module)
        with pytest.raises(WeightsError, match=r"'mine.Own'; .* is '.*'\.$"):
            self.of(module, network=None, made_by="mine.Own")

    def test_an_instance_has_its_parameters(self):
        network = make_tiny("resnet1d", 2)
        assert self.of(network, told={"width": 5}) == {}
        with pytest.raises(WeightsError, match="holds the network 'resnet1d'"):
            self.of(make_tiny("lstm1d", 2))

    def test_of_a_network_of_ones_own_nothing_is_told(self):
        own = {"network": None, "made_by": path_of(nn.Linear), "parameters": None}
        assert self.of(nn.Linear, **own) == {}
        assert self.of(parameters=None) == {}

    def test_of_a_function_nothing_is_known(self):
        assert self.of(make_tiny, told={"width": 5}) == {}


class TestShapes:
    """Records that are not as in fit."""

    def clf(self, n_leads=2, n_times=8):
        clf = ERTSClassifier()
        clf.n_leads_in_, clf.n_times_in_ = n_leads, n_times
        return clf

    def records(self, *shape):
        return Records(np.zeros((3, *shape), dtype=np.float32))

    def ragged(self, n_leads, *lengths):
        return RaggedRecords(
            [np.zeros((n_leads, n), dtype=np.float32) for n in lengths]
        )

    def test_what_fits(self):
        assert self.clf()._check_shape(self.records(2, 8)) is None
        anything = self.clf(n_times=None)
        assert anything._check_shape(self.records(2, 5)) is None
        assert anything._check_shape(self.ragged(2, 5, 9)) is None

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            (
                (2, 9),
                r"X has 18 features, but ERTSClassifier is expecting 16 .*\(2, 9\)",
            ),
            ((3, 8), r"X has 24 features, .* = \(2, 8\), and X holds \(3, 8\)\.$"),
            ((8, 2), r"X holds \(8, 2\)\. Pass X.transpose\(0, 2, 1\)\.$"),
        ],
    )
    def test_another_shape(self, shape, message):
        with pytest.raises(ValueError, match=message):
            self.clf()._check_shape(self.records(*shape))

    def test_several_lengths_instead_of_one(self):
        message = "of one length, 8 time steps, and X holds records of 5 to 9. Use"
        with pytest.raises(ValueError, match=message):
            self.clf()._check_shape(self.ragged(2, 5, 9))

    def test_other_leads_of_any_length(self):
        clf = self.clf(n_times=None)
        with pytest.raises(ValueError, match=r"of 2 leads, as in fit. Got 3 leads ins"):
            clf._check_shape(self.ragged(3, 5, 9))
        with pytest.raises(ValueError, match=r"Got 9 leads instead\. Pass X.transpose"):
            clf._check_shape(self.records(9, 2))

    def test_doubts_name_who_has_them(self):
        with pytest.warns(DoubtfulInputWarning, match="^ERTSClassifier: strange$"):
            self.clf()._tell(["strange"])

    def test_what_sets_records_aside_is_left_as_it_is(self):
        clf, task = self.clf(), make_task(np.arange(3))
        for own in (0.3, KFold(2), None, [([0], [1])], (np.arange(2), np.arange(1))):
            assert clf._check_validation(own, self.records(2, 8), task) is own

    def test_records_from_elsewhere(self):
        clf, y = self.clf(), np.array([5, 7, 9])
        task, records = make_task(y), self.records(2, 8)
        X = np.random.default_rng(0).normal(size=(3, 2, 8))
        found = clf._check_validation((X, y[::-1]), records, task)
        assert found.codes.tolist() == [2, 1, 0]
        assert found.weights.tolist() == [1, 1, 1]
        assert found.rows.tolist() == [0, 1, 2]
        np.testing.assert_allclose(found.records.take(np.arange(3)), X, rtol=1e-6)
        for wrong in (X[..., :7], X[:, :1]):
            message = rf"\(2, 8\)\. Got \({wrong.shape[1]}, {wrong.shape[2]}\) instead"
            with pytest.raises(ValueError, match=message):
                clf._check_validation((wrong, y), records, task)
        with pytest.raises(ValueError, match="inconsistent numbers"):
            clf._check_validation((X, y[:2]), records, task)
        any_length = self.ragged(2, 8, 5)
        with pytest.raises(ValueError, match=r"\(2, None\)\. Got \(2, 8\) instead"):
            clf._check_validation((X, y), any_length, task)


@pytest.mark.parametrize("ask", ["focus_score", "audit"])
def test_as_many_labels_as_records(ask, monkeypatch):
    X = np.zeros((3, 2, 8), dtype=np.float32)
    clf = ERTSClassifier()
    monkeypatch.setattr(clf, "_check_new_records", Records)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[3, 2\]"):
        getattr(clf, ask)(X, [0, 1])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("explain", {"method": "gradcam", "signed": False, "resample": True}),
        ("explain", {"target": None, "contrast": None}),
        ("predict_uncertainty", {"n_samples": 30, "random_state": 0}),
        ("focus_score", {"y": None}),
        ("audit", {"y": None, "signal_quality": None, "evidence": False}),
    ],
)
def test_what_is_asked_for_by_default(method, expected):
    """These are promised: to change one changes people's results."""
    found = inspect.signature(getattr(ERTSClassifier, method)).parameters
    assert {name: found[name].default for name in expected} == expected


class TestExplained:
    """Which logits `explain` explains, by what is asked for."""

    logits = torch.tensor([[3.0, 1, 2], [0, 1, 2], [5, 4, 0]])
    index = np.array([0, 1, 2])

    def of(self, y, target=None, contrast=None):
        clf = ERTSClassifier()
        clf._trained = types.SimpleNamespace(task=make_task(np.asarray(y)))
        direction = clf._explained(target, contrast, 3)
        return direction(self.logits, self.index).tolist()

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, [[1, 0, 0], [0, 0, 1], [1, 0, 0]]),
            ({"target": "b"}, [[0, 1, 0]] * 3),
            ({"target": ["b", "a", "c"]}, [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
            ({"contrast": "b"}, [[1, -1, 0], [0, -1, 1], [1, -1, 0]]),
            (
                {"target": "b", "contrast": ["a", "c", "b"]},
                [[-1, 1, 0], [0, 1, -1], [0, 0, 0]],
            ),
            ({"contrast": "rival"}, [[1, 0, -1], [0, -1, 1], [1, -1, 0]]),
            (
                {"target": "c", "contrast": "rival"},
                [[-1, 0, 1], [0, -1, 1], [-1, 0, 1]],
            ),
        ],
    )
    def test_of_one_class(self, given, expected):
        assert self.of(["a", "b", "c"], **given) == expected

    @pytest.mark.parametrize("name", ["target", "contrast"])
    @pytest.mark.parametrize("given", [["a", "b"], [["a"], ["b"], ["c"]]])
    def test_not_one_of_each(self, name, given):
        shape = str(np.shape(given)).replace("(", r"\(").replace(")", r"\)")
        message = f"The '{name}' of explain .* of the 3 records. Got the shape {shape}"
        with pytest.raises(ValueError, match=message):
            self.of(["a", "b", "c"], **{name: given})
