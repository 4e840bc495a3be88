"""What a training is put together from, each by itself and without a network."""

import json
import logging
import math
import threading
import types
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.seen import Seen
from sk_erts._records.task import OneClass, SeveralLabels
from sk_erts._training import export, progress
from sk_erts._training.about import MOST_VALUES, about, known_of
from sk_erts._training.archive import (
    ArchiveError,
    read_archive,
    write_archive,
)
from sk_erts._training.augmenter import Augmenter
from sk_erts._training.calibration import Calibrated, Calibration
from sk_erts._training.callback import AfterEpoch, SelectionCallback, StopWhenOver
from sk_erts._training.callback_state import load_callback, state_of_callback
from sk_erts._training.caller import LOOPS, NO_LOOPS, loop_around
from sk_erts._training.chance import Chance
from sk_erts._training.explain import _has_time_axis_of
from sk_erts._training.how_sure import Uncertainty, _drops
from sk_erts._training.loss import FunctionLoss, as_criterion, check_losses
from sk_erts._training.objects import Foreign, foreign_in, made, named
from sk_erts._training.plan import Plan, make_plan
from sk_erts._training.progress import ProgressCallback
from sk_erts._training.rate import LR_SCHEDULES, RateCallback
from sk_erts._training.skorch_params import Parts, SkorchEstimator, accepted_names
from sk_erts._training.validation import ValidationCallback
from sk_erts.exceptions import DoubtfulInputWarning, WeightsError
from sk_erts.selection import DBPD

LN2 = math.log(2)
ABC = np.array(["a", "b", "c"])


# ------------------------------------------------------------------------------- about

SEEN = Seen(0.25, 3.0, 500.0, ("I", "II"))
TOLD = {
    "task": "one class",
    "classes": ["a", "b", "c"],
    "classes_dtype": "<U1",
    "leads": ["I", "II"],
    "fs": 500.0,
    "unit": "mV",
    "amplitude": 0.25,
    "largest": 3.0,
    "temperature": 1.5,
    "thresholds": [0.5, None, 0.25],
    "n_epochs": 7,
}
OF_FILE = TOLD | {"n_leads": 2, "n_times": 100, "feature_names": None}


def trained(classes=ABC, kind=OneClass, **calibrated):
    return types.SimpleNamespace(
        task=kind(classes), calibrated=Calibrated(**calibrated), n_epochs=7
    )


class TestAbout:
    def test_all_that_is_told(self):
        told = about(trained(temperature=1.5, thresholds=[0.5, math.nan, 0.25]), SEEN)
        assert told == TOLD
        assert json.loads(json.dumps(told, allow_nan=False)) == told

    def test_what_is_not_known_is_none(self):
        told = about(trained(kind=SeveralLabels), Seen(math.nan, math.inf, None, None))
        assert told["task"] == "several labels"
        assert told["temperature"] == 1.0
        for name in ("amplitude", "largest", "fs", "leads", "thresholds"):
            assert told[name] is None

    @pytest.mark.parametrize(
        "classes",
        [
            np.array([1.5, math.nan]),
            np.array([1 + 2j, 3]),
            np.array(["2020-01-01", "2021-01-01"], dtype="M8[D]"),
            np.array([b"a", b"b"]),
            np.array(["a", (1, 2)], dtype=object),
        ],
    )
    def test_classes_that_are_no_text_or_number(self, classes):
        with pytest.raises(ValueError, match=r"classes of ERTSClassifier .* Got \["):
            about(trained(classes), SEEN)

    @pytest.mark.parametrize(
        "classes",
        [
            ABC,
            np.array([1, 2, 3]),
            np.array([1, 2, 300], dtype=np.uint16),
            np.array([False, True]),
            np.array([0.5, -1.5], dtype=np.float32),
            np.array(["a", 2, True], dtype=object),
        ],
    )
    def test_classes_come_back_with_their_type(self, classes):
        told = about(trained(classes), SEEN)
        known = known_of("file", told | {"n_leads": 2, "n_times": 9})
        assert known.task.classes.dtype == classes.dtype
        assert known.task.classes.tolist() == classes.tolist()

    def test_what_comes_back(self):
        known = known_of("file", OF_FILE)
        assert type(known.task) is OneClass
        assert known.seen == SEEN
        assert known.calibrated.temperature == 1.5
        np.testing.assert_array_equal(known.calibrated.thresholds, [0.5, np.nan, 0.25])
        assert (known.n_leads, known.n_times) == (2, 100)
        assert known.feature_names is None

    def test_what_need_not_be_there(self):
        names = ("leads", "fs", "amplitude", "largest", "thresholds")
        names += ("n_times", "feature_names")
        for rest in (dict.fromkeys(names), {}):
            told = {k: v for k, v in OF_FILE.items() if k not in names} | rest
            known = known_of("file", told)
            assert math.isnan(known.seen.amplitude)
            assert math.isnan(known.seen.largest)
            assert known.seen.fs is known.seen.lead_names is None
            assert known.calibrated.thresholds is known.n_times is None
            assert known.feature_names is None

    @pytest.mark.parametrize(
        "change",
        [
            {"fs": 500},
            {"temperature": 2, "amplitude": 1, "largest": 3},
            {"temperature": 1e-9},
            {"n_leads": 1, "n_times": 1, "leads": ["I"]},
            {"n_times": MOST_VALUES // 2},
            {"n_leads": MOST_VALUES, "n_times": None, "leads": None},
            {"thresholds": [1, 0, None]},
            {"task": "several labels"},
            {"classes": ["a"], "thresholds": None},
        ],
    )
    def test_what_may_stand_there(self, change):
        known = known_of("file", OF_FILE | change)
        assert isinstance(known.calibrated.temperature, float)
        assert known.seen.fs == 500.0
        assert isinstance(known.seen.fs, float)

    def test_names_of_columns(self):
        known = known_of("file", OF_FILE | {"feature_names": ["t0", "t1"]})
        assert known.feature_names.dtype == object
        assert known.feature_names.tolist() == ["t0", "t1"]

    @pytest.mark.parametrize(
        ("name", "value", "wanted"),
        [
            *((name, None, "be of type") for name in ("task", "unit", "classes_dtype")),
            *((name, None, "be of type") for name in ("temperature", "n_leads")),
            ("task", "two", r"be one of \['one class', 'several labels'\]"),
            ("unit", "V", "be 'mV'"),
            ("classes", {"a": 1}, "be of type list"),
            ("classes", [], "be text, numbers or bools of the type '<U1'"),
            ("classes", [["a"], ["b"], ["c"]], "be text, numbers or bools"),
            ("classes", ["a", "b", "cd"], "be text, numbers or bools"),
            ("classes", ["a", "b", "b"], "differ from each other"),
            ("classes_dtype", 1, "be of type str"),
            ("classes_dtype", "<U1,<U1", "be a type that 'classes' have"),
            ("classes_dtype", "<i8", "be a type that 'classes' have"),
            ("classes_dtype", "x<U1", "be a type that 'classes' have"),
            ("classes_dtype", "<U1x", "be a type that 'classes' have"),
            ("classes_dtype", "<M8", "be a type that 'classes' have"),
            ("leads", "I, II", "be of type list"),
            ("leads", ["I"], "name 2 leads"),
            ("fs", True, "be of type float"),
            ("fs", math.inf, "be of type float"),
            ("amplitude", "1", "be of type float"),
            ("largest", math.nan, "be of type float"),
            ("thresholds", 0.5, "be of type list"),
            ("thresholds", [0.5, 0.5], "hold one for each of 3 classes"),
            ("thresholds", [0.5, True, 0.5], "hold numbers"),
            ("thresholds", [0.5, "1", 0.5], "hold numbers"),
            ("temperature", 0.0, "be above 0"),
            ("temperature", -1, "be above 0"),
            ("temperature", math.nan, "be of type float"),
            ("n_leads", 0, "be at least 1"),
            ("n_leads", 2.0, "be of type int"),
            ("n_times", 0, "be at least 1"),
            ("n_times", MOST_VALUES // 2 + 1, f"make records of at most {MOST_VALUES}"),
            ("feature_names", "t0", "be of type list"),
        ],
    )
    def test_what_may_not(self, name, value, wanted):
        with pytest.raises(WeightsError, match=rf"'{name}' of my.file must {wanted}"):
            known_of("my file", OF_FILE | {name: value})

    @pytest.mark.parametrize(
        ("classes", "dtype"), [([1, True], "|O"), ([1.0, math.inf], "<f8")]
    )
    def test_classes_of_a_file_that_none_can_have(self, classes, dtype):
        told = OF_FILE | {"classes": classes, "classes_dtype": dtype}
        told["thresholds"] = None
        if dtype == "|O":  # as JSON they do differ
            assert known_of("file", told).task.classes.tolist() == [1, True]
            return
        with pytest.raises(WeightsError, match="'classes' of file must be text"):
            known_of("file", told)

    @pytest.mark.parametrize("told", [None, {}, [], {"unit": "mV"}])
    def test_a_network_alone(self, told):
        with pytest.raises(
            WeightsError, match=r"my.file holds a network, but not what"
        ):
            known_of("my file", told)


# ----------------------------------------------------------------------------- archive


class TestArchive:
    @pytest.mark.parametrize(
        "value",
        [
            np.array(3.5),
            np.array([[1, 2], [3, 4]], dtype=np.int8).T,
            np.array([], dtype=bool),
            np.array([["ab", "c"], ["", "é"]]),
            np.array([[1, None], ["a", (2.5, b"x")]], dtype=object),
            np.float32(0.1),
            np.bool_(True),
            np.str_("text"),
            torch.arange(6).reshape(2, 3).T,
            {"@": 1, "b": 2},
            {1: "a", (2, "b"): None},
            {"set": {3, 1}, "frozen": frozenset("ab")},
            [math.inf, -math.inf, 1, 1.0, True, None, b"", b"\0a"],
            (1, [2, (3,)], ()),
        ],
    )
    def test_a_value_comes_back_as_it_is(self, tmp_path, value):
        write_archive(tmp_path / "a", "test", value)
        assert_alike(read_archive(tmp_path / "a", "test"), value)

    def test_what_is_written_is_a_copy_and_nothing_is_left_beside_it(self, tmp_path):
        tensor = torch.ones(4, requires_grad=True)
        write_archive(str(tmp_path / "a"), "test", [tensor[:2], tensor[2:]])
        assert [each.name for each in tmp_path.iterdir()] == ["a"]
        found = read_archive(str(tmp_path / "a"), "test")
        assert [each.tolist() for each in found] == [[1, 1], [1, 1]]
        assert not found[0].requires_grad

    def test_the_place_of_what_cannot_be_written(self, tmp_path):
        with pytest.raises(ArchiveError, match=r"^test\.a\.1\.b must .* Got lock"):
            write_archive(tmp_path / "a", "test", {"a": [1, {"b": threading.Lock()}]})
        assert list(tmp_path.iterdir()) == []

    def test_files_of_another_kind(self, tmp_path):
        write_archive(tmp_path / "a", "test", 1)
        with pytest.raises(
            ArchiveError, match="a other of sk_erts. Got 'sk_erts test'"
        ):
            read_archive(tmp_path / "a", "other")
        (tmp_path / "b").write_bytes(b"nothing")
        with pytest.raises(ArchiveError, match=r"must be a test of sk_erts. It cannot"):
            read_archive(tmp_path / "b", "test")
        with pytest.raises(FileNotFoundError):
            read_archive(tmp_path / "c", "test")


def assert_alike(found, value):
    assert type(found) is type(value)
    if isinstance(value, torch.Tensor):
        assert torch.equal(found, value)
        assert found.dtype == value.dtype
    elif isinstance(value, np.ndarray | np.generic):
        assert found.dtype == value.dtype
        assert found.shape == value.shape
        assert found.tolist() == value.tolist()
    elif isinstance(value, dict):
        assert list(found) == list(value)
        assert found == value
    elif isinstance(value, list | tuple):
        assert len(found) == len(value)
        for own, other in zip(found, value, strict=True):
            assert_alike(own, other)
    else:
        assert found == value


# -------------------------------------------------------------------------- augmenting


class TestAugmenter:
    @staticmethod
    def halved(X, rng):
        return X[..., : (X.shape[-1] + 1) // 2] + 1

    def test_all_records_of_one_length_at_once(self):
        rng = np.random.default_rng(0)
        seen = []

        def note(X, own):
            seen.append((X.shape, own is rng))
            return X.astype(np.float64)

        inputs = {"X": torch.zeros(3, 2, 5), "index": torch.arange(3)}
        Augmenter([self.halved, note], rng)(inputs)

        assert seen == [((3, 2, 3), True)]
        assert inputs["X"].dtype == torch.float32
        assert torch.equal(inputs["X"], torch.ones(3, 2, 3))
        assert set(inputs) == {"X", "index"}

    def test_records_of_different_lengths_one_by_one(self):
        x = torch.ones(3, 2, 9)
        x[1, :, 4:] = 0
        x[2, :, 6:] = 0
        inputs = {"X": x, "lengths": torch.tensor([9, 4, 6])}
        Augmenter([self.halved], np.random.default_rng(0))(inputs)

        assert inputs["lengths"].tolist() == [5, 2, 3]
        assert set(inputs) == {"X", "lengths"}
        expected = torch.zeros(3, 2, 5)
        for row, end in enumerate((5, 2, 3)):
            expected[row, :, :end] = 2
        assert torch.equal(inputs["X"], expected)

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda X, rng: X[:1],
            lambda X, rng: X[:, :1],
            lambda X, rng: X[0],
            lambda X, rng: X[..., :0],
            lambda X, rng: np.concatenate([X, X], axis=-1),
        ],
    )
    def test_another_shape(self, wrong):
        inputs = {"X": torch.zeros(3, 2, 5)}
        with pytest.raises(ValueError, match=r"it got, \(3, 2, 5\), or shorter"):
            Augmenter([wrong], np.random.default_rng(0))(inputs)


# ----------------------------------------------------------------------- how sure it is


class TestUncertainty:
    def test_of_one_class(self):
        samples = np.array([[[0.5, 0.5], [1, 0]], [[1.0, 0.0], [1, 0]]])
        sure = Uncertainty.of(samples, several_labels=False)
        entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
        np.testing.assert_allclose(sure.proba, [[0.75, 0.25], [1, 0]])
        np.testing.assert_allclose(sure.total, [entropy, 0])
        np.testing.assert_allclose(sure.aleatoric, [LN2 / 2, 0])
        np.testing.assert_allclose(sure.epistemic, [entropy - LN2 / 2, 0])

    def test_of_each_label(self):
        samples = np.array([[[0.5, 1.0]], [[0.5, 0.0]]])
        sure = Uncertainty.of(samples, several_labels=True)
        np.testing.assert_allclose(sure.total, [[LN2, LN2]])
        np.testing.assert_allclose(sure.aleatoric, [[LN2, 0]])
        np.testing.assert_allclose(sure.epistemic, [[0, LN2]])

    def test_rounding_makes_nothing_negative_or_missing(self):
        same = np.repeat(
            np.random.default_rng(0).dirichlet([1] * 5, (1, 50)), 3, axis=0
        )
        assert (Uncertainty.of(same, several_labels=False).epistemic >= 0).all()
        beyond = np.full((2, 1, 2), [1 + 1e-12, -1e-12])
        for several in (True, False):
            assert (Uncertainty.of(beyond, several_labels=several).total == 0).all()

    def test_it_says_means(self):
        sure = Uncertainty(np.zeros((2, 3)), *np.array([[1, 2], [0.5, 1], [0.5, 1]]))
        assert repr(sure) == (
            "Uncertainty(2 records; mean in nats: "
            "total 1.500 = aleatoric 0.750 + epistemic 0.750)"
        )

    @pytest.mark.parametrize(
        ("part", "drops"),
        [
            (nn.Dropout(0.1), True),
            (nn.Dropout(0.0), False),
            (nn.Dropout1d(0.1), True),
            (nn.AlphaDropout(0.1), True),
            (nn.LSTM(2, 2, num_layers=2, dropout=0.1), True),
            (nn.GRU(2, 2, num_layers=2), False),
            (nn.MultiheadAttention(2, 1, dropout=0.1), True),
            (nn.MultiheadAttention(2, 1), False),
            (nn.Linear(2, 2), False),
        ],
    )
    def test_what_drops_something(self, part, drops):
        assert _drops(part) is drops

    def test_a_recurrence_drops_between_its_layers(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says the same
            assert not _drops(nn.LSTM(2, 2, num_layers=1, dropout=0.1))


# ------------------------------------------------------------------------- time axes

FLAT, SHAPED = np.zeros((3, 12)), np.zeros((3, 2, 6))


@pytest.mark.parametrize(
    ("X", "transformed", "same"),
    [
        (SHAPED, SHAPED, True),
        (SHAPED, SHAPED + 1, True),
        (SHAPED, np.zeros((3, 5, 6)), True),
        (SHAPED, np.zeros((3, 2, 5)), False),
        (FLAT, SHAPED, True),
        (FLAT, np.zeros((3, 2, 5)), False),
        (FLAT, np.zeros((3, 12, 12)), True),
        (SHAPED, FLAT, False),
        ([*SHAPED], SHAPED, True),
        ([*SHAPED], np.zeros((3, 2, 5)), False),
        ([*SHAPED], [*np.zeros((3, 2, 6))], True),
        ((np.zeros((2, 5)), np.zeros((2, 6))), SHAPED, False),
        ([np.zeros((2, 5)), np.zeros((2, 6))], [np.zeros((2, 6)), np.zeros(5)], True),
        (object(), SHAPED, True),
        (SHAPED, object(), True),
        (iter(SHAPED), [np.zeros(3)], True),
    ],
)
def test_whether_maps_lie_over_the_records(X, transformed, same):
    assert _has_time_axis_of(X, transformed) is same


# ------------------------------------------------------------------------- parameters


class TestParts:
    parts = Parts(
        {"optimizer__lr": 1, "optimizer__betas": 2, "module__width": 3, "optimizer": 4}
    )

    def test_of_a_prefix(self):
        assert self.parts.of("optimizer") == {"lr": 1, "betas": 2}
        assert self.parts.of("module") == {"width": 3}
        assert self.parts.of("mod") == {}

    @pytest.mark.parametrize(
        "name",
        [
            "optimizer__betas",
            "optimizer__param_groups",
            "module__whatever",
            "iterator_train__num_workers",
        ],
    )
    def test_names_that_reach_something(self, name):
        takes = {
            "optimizer": torch.optim.AdamW,
            "iterator_train": torch.utils.data.DataLoader,
            "module": lambda **params: None,
        }
        assert Parts({name: 1}).check(takes) is None

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "optimizer__beta",
                "reaches nothing: AdamW has no parameter 'beta'.*betas",
            ),
            (
                "module__widht",
                "of Mine reaches nothing: narrow has no .*'widht'.*width",
            ),
            ("module__param_groups", "reaches nothing: narrow has no parameter"),
        ],
    )
    def test_names_that_do_not(self, name, message):
        def narrow(width):
            pass

        with pytest.raises(ValueError, match=message):
            Parts({name: 1}, "Mine").check(
                {"optimizer": torch.optim.AdamW, "module": narrow}
            )

    @pytest.mark.parametrize(
        ("name", "instead"),
        [
            ("iterator_train__batch_size", "batch_size"),
            ("iterator_train__shuffle", "random_state"),
            ("iterator_train__sampler", "selection"),
            ("iterator_train__batch_sampler", "selection"),
            ("iterator_train__drop_last", "batch_size"),
            ("iterator_valid__shuffle", "validation_fraction"),
            ("criterion__reduction", "sample_weight"),
            ("criterion__weight", "class_weight"),
            ("criterion__pos_weight", "class_weight"),
        ],
    )
    def test_names_that_an_estimator_sets_itself(self, name, instead):
        with pytest.raises(
            ValueError, match=f"{name}' is set by Mine .*'{instead}' in"
        ):
            Parts({"module__width": 1, name: 1}, "Mine").check({})

    def test_what_a_callable_takes(self):
        class Base:
            def __init__(self, a, *, b=1):
                pass

        class Passes(Base):
            def __init__(self, c, *rest, **more):
                pass

        class Silent(Passes):
            pass

        class Any(Passes):
            def __init__(self, **more):
                pass

        class AnyAlone:
            def __init__(self, d, **more):
                pass

        def function(x, /, y, *, z=1):
            pass

        assert accepted_names(Base) == {"a", "b"}
        assert accepted_names(Passes) == {"a", "b", "c"}
        assert accepted_names(Silent) == {"a", "b", "c"}
        assert accepted_names(Any) == {"a", "b", "c"}
        assert accepted_names(AnyAlone) is None
        assert accepted_names(function) == {"x", "y", "z"}
        assert accepted_names(lambda **params: None) is None


class Outer(BaseEstimator):
    def __init__(self, inner=None, size=1):
        self.inner = inner
        self.size = size


class Nests(SkorchEstimator):
    NESTED = {"outer": Outer}  # noqa: RUF012

    def __init__(self, outer=None, **more):
        self.outer = outer
        self._double_underscored = more


def test_a_nested_parameter_is_copied_with_what_it_holds():
    own = Outer(DBPD(0.4), size=2)
    found = Nests(own, outer__size=3).nested("outer")
    assert found is not own
    assert (found.inner, found.size, own.size) == (own.inner, 3, 2)
    assert Nests(outer__size=3).nested("outer").get_params() == {
        "inner": None,
        "size": 3,
    }
    params = Nests(own).get_params()
    assert params["outer__inner__threshold"] == 0.4
    assert Nests().get_params(deep=False) == {"outer": None}
    assert Nests().get_params()["outer__size"] == 1
    with pytest.raises(ValueError, match="Invalid parameter 'outer__siez' for .*Nests"):
        Nests(outer__siez=3).nested("outer")


def test_a_plan_that_says_nothing_is_that_of_a_classifier_that_says_nothing():
    asked = make_plan(ERTSClassifier(random_state=0))
    bare = Plan(asked.module, asked.policy, asked.schedule, 1, 0, torch.device("cpu"))
    for name in (
        *("budget", "cam_layer", "optimizer", "lr", "batch_size"),
        *("criterion", "class_weight", "augment", "validation", "patience"),
        *("restore_best", "stop_when_learned", "callbacks"),
    ):
        assert getattr(bare, name) == getattr(asked, name), name
    for name in ("looks", "calibration"):
        assert getattr(bare, name).get_params() == getattr(asked, name).get_params()
    assert bare.parts.params == asked.parts.params == {}
    assert (bare.verbose, bare.policy_without_maps) == (0, None)
    assert bare.lr_schedule == "constant"
    assert bare.settled(maps_are_free=False) is bare
    assert asked.settled(maps_are_free=True) is asked
    other = asked.settled(maps_are_free=False)
    assert other.policy is asked.policy_without_maps
    assert other.policy_without_maps is None


def test_one_epoch_of_a_training_without_an_end():
    clf = ERTSClassifier(
        max_epochs=9,
        max_effective_epochs=4,
        warmup_epochs=(3, 2),
        revision_epochs=2,
        lr_schedule="cosine",
        validation_fraction=0.3,
        random_state=0,
    )
    plan = make_plan(clf, one_epoch=True, n_epochs_before=5)
    assert plan.epochs == 1
    assert plan.budget is plan.validation is plan.schedule.max_epochs is None
    assert plan.lr_schedule == "constant"
    assert plan.seed == make_plan(clf).seed + 5
    whole = make_plan(clf)
    assert (whole.epochs, whole.budget, whole.lr_schedule) == (9, 4, "cosine")
    assert (whole.validation, whole.schedule.revision_epochs) == (0.3, 2)


# --------------------------------------------------------------------------- callbacks


class Shown:
    """A bar that remembers what it is told."""

    def __init__(self, **params):
        self.params, self.told = params, []

    def set_postfix(self, figures, refresh=None):
        self.told.append((dict(figures), refresh))

    def update(self):
        self.told.append("on")

    def close(self):
        self.told.append("closed")


@pytest.mark.parametrize("somebody_looks", [True, False])
def test_a_bar_of_epochs(monkeypatch, somebody_looks):
    bars = []
    monkeypatch.setattr(
        progress, "tqdm", lambda **params: bars.append(Shown(**params)) or bars[0]
    )
    monkeypatch.setattr(progress, "shows_bars", lambda: somebody_looks)
    callback = ProgressCallback(7)
    net = types.SimpleNamespace(history=[{"EE": 1.25, "kept": 0.256}])

    callback.on_train_begin(net)
    callback.on_epoch_end(net)
    net.history.append({"EE": 2, "kept": 1, "valid_f1": 0.12345})
    callback.on_epoch_end(net)
    callback.on_train_end(net)

    params = {"total": 7, "unit": "epoch", "disable": not somebody_looks}
    assert bars[0].params == params
    first = {"EE": "1.2", "kept": "26%"}
    second = {"EE": "2.0", "kept": "100%", "valid F1": "0.123"}
    assert bars[0].told == [(first, False), "on", (second, False), "on", "closed"]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("notebook", [True, False])
def test_who_sees_a_bar(monkeypatch, terminal, notebook):
    modules = {"ipykernel": None} if notebook else {}
    stderr = types.SimpleNamespace(isatty=lambda: terminal)
    system = types.SimpleNamespace(stderr=stderr, modules=modules)
    monkeypatch.setattr(progress, "sys", system)
    assert progress.shows_bars() is (terminal or notebook)


class Teacher:
    """What callbacks ask a selector for."""

    def __init__(self):
        self.told = []
        self.steps = types.SimpleNamespace(
            **{
                name: lambda *given, name=name: self.told.append((name, *given))
                for name in ("listen", "stop", "begin")
            }
        )
        self.doubt = None
        self.is_over = False
        self.progress = 0.0

    def __getattr__(self, name):
        if name in ("open_epoch", "renew", "count_step", "end_when_learned"):
            return lambda *given: self.told.append((name, *given))
        raise AttributeError(name)

    def loss_weights(self, index):
        self.told.append(("weighed", index.tolist()))
        return np.array([1, 2, 3], dtype=np.float32)[: len(index)]

    def softening(self, index):
        return self.doubt

    def close_epoch(self):
        return {"kept": 0.5, "EE": 1.5}


class TestSelectionCallback:
    def batch(self, *shape):
        index = torch.tensor([4, 8, 2])
        return {"index": index, "weight": torch.full((3, *shape), 2.0)}, torch.zeros(3)

    @pytest.mark.parametrize("shape", [(), (2,)])
    def test_a_step(self, shape):
        selector = Teacher()
        callback = SelectionCallback(selector)
        inputs, codes = self.batch(*shape)

        callback.on_batch_begin(None, batch=(inputs, codes), training=True)
        callback.on_batch_end(None, y_pred="logits", training=True)

        assert [name for name, *_ in selector.told] == [
            "begin",
            "weighed",
            "count_step",
        ]
        (_, index, n_in_all), (_, weighed), (_, logits) = selector.told
        assert index.tolist() == weighed == [4, 8, 2]
        assert n_in_all == 3
        assert logits == "logits"
        expected = torch.tensor([2.0, 4, 6]).reshape(3, *[1] * len(shape))
        assert torch.equal(inputs["weight"], expected.expand(3, *shape))
        assert set(inputs) == {"index", "weight"}

    def test_labels_that_are_doubted(self):
        selector = Teacher()
        selector.doubt = np.array([0, 0.5, 1]), np.eye(3)
        inputs, codes = self.batch()
        SelectionCallback(selector).on_batch_begin(
            None, batch=(inputs, codes), training=True
        )
        assert inputs["doubt"].tolist() == [0, 0.5, 1]
        assert torch.equal(inputs["proba"], torch.eye(3, dtype=torch.float64))

    def test_a_batch_of_the_validation_is_nobodys(self):
        for given in ({"training": False}, {}):
            selector = Teacher()
            callback = SelectionCallback(selector)
            callback.on_batch_begin(None, batch=self.batch(), **given)
            callback.on_batch_end(None, y_pred="logits", **given)
            assert selector.told == [("begin", None), ("renew",)]

    def test_around_epochs(self):
        selector = Teacher()
        callback = SelectionCallback(selector)
        kept = {}
        net = types.SimpleNamespace(
            network="network", history=types.SimpleNamespace(record=kept.__setitem__)
        )
        callback.on_train_begin(net)
        callback.on_epoch_begin(net)
        callback.on_epoch_end(net)
        callback.on_train_end(net)
        assert selector.told == [("listen", "network"), ("open_epoch",), ("stop",)]
        assert kept == {"kept": 0.5, "EE": 1.5}

    @pytest.mark.parametrize("also", [True, False])
    @pytest.mark.parametrize("over", [True, False])
    def test_the_end(self, also, over):
        selector = Teacher()
        selector.is_over = over
        callback = StopWhenOver(selector, also_when_learned=also)
        if over:
            with pytest.raises(KeyboardInterrupt):
                callback.on_epoch_end(None)
        else:
            callback.on_epoch_end(None)
        assert selector.told == [("end_when_learned",)] * also

    def test_after_an_epoch(self):
        done = []
        AfterEpoch(lambda: done.append(1)).on_epoch_end(None)
        assert done == [1]


class TestRates:
    def test_by_hand(self):
        expected = {
            "constant": [1, 1, 1, 1],
            "cosine": [1, 0.5, 0.5 * (1 - 0.5**0.5), 0],
            "one-cycle": [1 / 25, 0.5 * (1 + math.cos(math.pi * 2 / 7)), None, 0],
        }
        assert set(LR_SCHEDULES) == set(expected)
        for name, values in expected.items():
            for at, value in zip((0, 0.5, 0.75, 1), values, strict=True):
                if value is not None:
                    assert LR_SCHEDULES[name](at) == pytest.approx(value, abs=1e-12)
        one_cycle = LR_SCHEDULES["one-cycle"]
        assert one_cycle(0.15) == pytest.approx((1 + 1 / 25) / 2)
        assert one_cycle(0.3) == 1
        assert one_cycle(0.65) == pytest.approx(0.5)

    def steps(self, schedule, n_held, progress):
        selector = Teacher()
        groups = [{"lr": 0.1}, {"lr": 2.0}]
        optimizer = types.SimpleNamespace(param_groups=groups)
        net = types.SimpleNamespace(optimizer_=optimizer)
        callback = RateCallback(schedule, selector, n_held)
        callback.on_train_begin(net)
        found = []
        for selector.progress in progress:
            callback.on_batch_begin(net, training=False)
            callback.on_batch_begin(net)
            assert callback.n_steps_ == len(found)
            callback.on_batch_begin(net, training=True)
            found.append(groups[0]["lr"] / 0.1)
            assert groups[1]["lr"] == pytest.approx(20 * groups[0]["lr"])
        return found, callback

    def test_a_cosine_waits_and_then_falls_over_what_is_left(self):
        found, callback = self.steps("cosine", 2, [0.0, 0.2, 0.4, 0.6, 1.0])
        expected = [1, 1, *(0.5 * (1 + math.cos(math.pi * p)) for p in (0.25, 0.5, 1))]
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert callback.held_until_ == 0.2
        assert callback.base_ == [0.1, 2.0]

    @pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
    def test_others_do_not(self, schedule):
        found, callback = self.steps(schedule, 2, [0.0, 0.5, 1.0])
        np.testing.assert_allclose(
            found, list(map(LR_SCHEDULES[schedule], (0, 0.5, 1)))
        )
        assert callback.held_until_ == 0

    def test_it_may_wait_until_the_end(self):
        assert self.steps("cosine", 9, [0.5, 1.0])[0] == [1, 1]


class TestValidation:
    class Net:
        def __init__(self):
            self.scores = []
            self.history = types.SimpleNamespace(
                record=lambda name, value: self.scores.append((name, value))
            )
            self.module_ = nn.Linear(1, 1)

    def epoch(self, callback, net, said, loss):
        """Two batches, of two records and of one."""
        codes = torch.tensor([0, 1, 2])
        logits = 9 * torch.eye(3)[said]
        for part in (slice(0, 2), slice(2, 3)):
            batch = None, codes[part]
            callback.on_batch_end(
                net, batch=batch, training=True, y_pred=logits[part] + 99, loss=1e9
            )
            callback.on_batch_end(net, batch=batch, y_pred=logits[part], loss=loss)
        callback.on_epoch_end(net)

    def test_the_best_epoch_has_the_highest_score_and_then_the_lowest_loss(self):
        callback, net = ValidationCallback(OneClass(ABC)), self.Net()
        assert callback.best_epoch_ == callback.n_epochs_ == 0
        assert callback.best_rank_ == (-math.inf, -math.inf)
        assert callback.best_state_ == {}
        best = []
        for said, loss in (
            ([0, 0, 0], 1.0),
            ([0, 1, 1], 2.0),
            ([0, 1, 1], 2.0),
            ([0, 1, 1], 1.5),
            ([0, 0, 0], 0.5),
        ):
            nn.init.constant_(net.module_.weight, len(best))
            self.epoch(callback, net, said, loss)
            best.append((callback.best_epoch_, int(callback.best_state_["weight"])))
        assert best == [(1, 0), (2, 1), (2, 1), (4, 3), (4, 3)]
        assert callback.n_epochs_ == 5
        # F1 of one class in three that is said always, and of 1, 2/3 and nothing.
        scores = [1 / 6, 5 / 9, 5 / 9, 5 / 9, 1 / 6]
        assert net.scores == [("valid_f1", pytest.approx(score)) for score in scores]
        assert callback.best_rank_ == (pytest.approx(5 / 9), -4.5)


class TestStateOfCallbacks:
    class Own(Callback):
        def __init__(self):
            self.given_by_user = 1
            self.best_ = [1]
            self._hidden_ = 2
            self.kind_ = int
            self.function_ = math.sqrt
            self.module_ = nn.Linear(1, 1)

    def test_attributes_that_end_with_an_underscore(self):
        own = self.Own()
        state = state_of_callback(own)
        assert set(state) == {"best_", "module_"}
        assert set(state["module_"]) == {"weight", "bias"}
        own.best_.append(2)
        weight = own.module_.weight.clone()
        nn.init.zeros_(own.module_.weight)
        assert state["best_"] == [1]

        other = self.Own()
        module, other.best_ = other.module_, None
        load_callback(other, state)
        assert other.best_ == [1]
        assert other.module_ is module
        assert torch.equal(module.weight, weight)
        other.best_.append(3)
        assert state["best_"] == [1]


def called_by(*names):
    """Return what is said of calls that lead through modules of such names."""
    code = "def call(rest):\n    return rest[0](rest[1:]) if rest else ask()"
    functions = []
    for name in names:
        space = {"__name__": name, "ask": loop_around}
        exec(code, space)  # the only way to be another module
        functions.append(space["call"])
    # pytest's own frames are no loop.
    return functions[0](functions[1:])


@pytest.mark.parametrize("package", LOOPS)
def test_calls_that_fit_many_times(package):
    assert called_by(package) == package
    assert called_by(f"{package}.some.part", "mine") == f"{package}.some.part"
    assert called_by(f"{package}ish", f"my.{package}") is None


@pytest.mark.parametrize("package", NO_LOOPS)
def test_calls_that_hand_one_fit_on(package):
    assert called_by(package, f"{package}.part") is None
    assert called_by("sklearn.model_selection", package) == "sklearn.model_selection"
    assert called_by(f"{package}x") == f"{package}x"


def test_the_nearest_call_is_named():
    assert called_by("dask.one", "joblib.two", "mine") == "joblib.two"


class TestChance:
    def test_each_process_draws_its_own_dropout_and_the_same_choices(self):
        first, second = (Chance(5, torch.device("cpu"), rank) for rank in (0, 1))
        assert first.numpy.random() == second.numpy.random()
        drawn = []
        for chance in (first, second, Chance(6, torch.device("cpu"))):
            with chance.lent():
                drawn.append(torch.rand(3).tolist())
        assert drawn[0] != drawn[1] == drawn[2]
        assert (
            Chance(5, torch.device("cpu")).numpy.random()
            == np.random.default_rng(5).random()
        )

    @pytest.mark.parametrize("rank", [0, 1])
    def test_what_is_written_down_is_of_the_first(self, rank):
        first = Chance(5, torch.device("cpu"))
        with first.lent():
            torch.rand(3)
            inside = first.state()
            rest = torch.rand(2).tolist()
        after = first.state()
        other = Chance(5, torch.device("cpu"), rank)
        other.load(inside)
        with other.lent():
            assert (torch.rand(2).tolist() == rest) is (rank == 0)
        assert not torch.equal(inside["torch"][0], after["torch"][0])
        assert len(after["torch"]) == 1
        # A state is a copy, both ways.
        first.numpy.random(10)
        assert inside["numpy"] == after["numpy"] != first.state()["numpy"]


# ------------------------------------------------------------------------------ losses


class TestLosses:
    class Own(nn.Module):
        def __init__(self, reduction="mean", scale=1):
            super().__init__()

    class Bare(nn.Module):
        def __init__(self, scale=1):
            super().__init__()

    def test_a_class_does_not_reduce_where_it_could(self):
        assert as_criterion(self.Own, {"scale": 2}) == (
            self.Own,
            {"reduction": "none", "scale": 2},
        )
        assert as_criterion(self.Own, {"reduction": "sum"})[1] == {"reduction": "sum"}
        assert as_criterion(self.Bare, {}) == (self.Bare, {})

    def test_an_object_is_copied_and_a_function_wrapped(self):
        own = self.Own()
        copied, params = as_criterion(own, {})
        assert type(copied) is self.Own
        assert copied is not own
        assert params == {}
        wrapped, params = as_criterion(torch.sub, {})
        assert type(wrapped) is FunctionLoss
        assert params == {}
        assert wrapped(torch.ones(2), torch.zeros(2)).tolist() == [1, 1]

    def test_parameters_of_no_class(self):
        with pytest.raises(ValueError, match="'criterion__a', 'criterion__b' cannot"):
            as_criterion(torch.sub, {"a": 1, "b": 2})

    @pytest.mark.parametrize(
        ("losses", "codes"),
        [((3,), (3,)), ((3,), (3, 2)), ((3, 2), (3, 2))],
    )
    def test_one_of_each_record_or_label(self, losses, codes):
        assert check_losses(torch.zeros(losses), torch.zeros(codes), "own") is None

    @pytest.mark.parametrize(
        ("losses", "codes", "message"),
        [
            ((), (3,), r"own, must .* of shape \(3,\)\. Got \(\) instead"),
            ((2,), (3,), r"of shape \(3,\)\. Got \(2,\)"),
            ((3, 1), (3,), r"of shape \(3,\)\. Got \(3, 1\)"),
            ((3, 1), (3, 2), r"of shape \(3,\) or \(3, 2\)\. Got \(3, 1\)"),
            (None, (3,), r"Got <class 'float'> instead"),
        ],
    )
    def test_anything_else(self, losses, codes, message):
        found = 0.5 if losses is None else torch.zeros(losses)
        with pytest.raises(ValueError, match=message):
            check_losses(found, torch.zeros(codes), "own")


# ------------------------------------------------------------------------- calibration


class TestCalibration:
    def test_nothing_is_measured_unless_it_is_asked_for(self):
        assert Calibration().get_params() == {
            "temperature": False,
            "sensitivity": None,
            "specificity": None,
        }
        found = Calibration().measure(
            OneClass(ABC), torch.randn(4, 3), np.arange(4) % 3
        )
        assert found == Calibrated(1.0, None) == Calibrated()

    @pytest.mark.parametrize(
        ("params", "asked"),
        [
            ({}, False),
            ({"temperature": True}, True),
            ({"sensitivity": 0.5}, True),
            ({"specificity": {"a": 1}}, True),
        ],
    )
    def test_whether_it_is(self, params, asked):
        assert Calibration(**params).is_asked_for is asked

    @pytest.mark.parametrize("share", [0, -0.1, 1.1, "1", None])
    @pytest.mark.parametrize("name", ["sensitivity", "specificity"])
    def test_no_share_of_a_class(self, name, share):
        message = f"'{name}' of each class in 'calibration__{name}' of Mine must"
        with pytest.raises(ValueError, match=message):
            Calibration(**{name: {"a": share}}).check("Mine")

    @pytest.mark.parametrize("share", [1, 1.0, 1e-9])
    def test_a_share_of_a_class(self, share):
        for given in (share, {"a": share}):
            assert (
                Calibration(sensitivity=given, specificity=given).check("Mine") is None
            )

    @pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 20])
    @pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 1.0])
    @pytest.mark.parametrize("name", ["sensitivity", "specificity"])
    def test_a_threshold_keeps_its_promise_and_no_nearer_one_does(self, name, share, n):
        rng = np.random.default_rng(n)
        logits = torch.from_numpy(rng.normal(size=(2 * n, 1)))
        codes = (np.arange(2 * n) % 2)[:, None]
        task = SeveralLabels(np.array(["x"]))
        found = Calibration(**{name: share}).measure(task, logits, codes)
        proba = np.sort(
            torch.sigmoid(logits[:, 0]).numpy()[
                codes[:, 0] == (name[1] == "e" and name[2] == "n")
            ]
        )
        at = found.thresholds[0]
        if name == "sensitivity":
            assert (proba >= at).mean() >= share - 1e-9
            assert (proba > at).mean() < share
        else:
            assert (proba < at).mean() >= share - 1e-9
            assert (proba < np.nextafter(at, 0)).mean() < share

    def test_a_class_without_a_record_is_told_and_left(self):
        task = OneClass(ABC)
        logits = torch.eye(3)[:2].double()
        point = Calibration(sensitivity={"c": 0.9, "a": 1.0})
        with pytest.warns(DoubtfulInputWarning, match="no record with the class .*'c'"):
            found = point.measure(task, logits, np.array([0, 1]))
        proba = torch.softmax(logits, dim=1)
        np.testing.assert_array_equal(
            found.thresholds, [proba[0, 0], math.nan, math.nan]
        )
        with pytest.warns(DoubtfulInputWarning, match="no record without the class"):
            Calibration(specificity={"a": 1.0}).measure(task, logits, np.array([0, 0]))

    @pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
    def test_the_temperature_is_found_again(self, temperature):
        """Labels are drawn by the probabilities, whose logits are then scaled."""
        rng = np.random.default_rng(0)
        logits = torch.from_numpy(rng.normal(size=(4000, 3)) * 2)
        proba = torch.softmax(logits, dim=1).numpy()
        codes = (proba.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
        found = Calibration(temperature=True).measure(
            OneClass(ABC), (logits * temperature).float(), codes
        )
        assert found.temperature == pytest.approx(temperature, rel=0.06)
        assert found.thresholds is None
        assert isinstance(found.temperature, float)

    def test_both_points_of_one_class(self):
        both = Calibration(sensitivity={"a": 0.9}, specificity={"b": 0.8, "a": 0.9})
        with pytest.raises(ValueError, match="class 'a' must have one operating point"):
            both.points(OneClass(ABC))
        apart = Calibration(sensitivity={"a": 1}, specificity={"b": 0.8})
        assert apart.points(OneClass(ABC)) == {
            0: ("sensitivity", 1.0),
            1: ("specificity", 0.8),
        }


# ----------------------------------------------------------------------------- objects


class TestObjects:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            3,
            2.5,
            "text",
            [1, (2, "a"), {"b": [None]}],
            torch.optim.Adam,
            DBPD,
            EarlyStopping,
        ],
    )
    def test_it_is_made_again(self, value):
        told = named(value)
        json.dumps(told)
        found = made(told)
        assert type(found) is type(value)
        assert found == value

    def test_with_its_parameters(self):
        told = named({"policy": [DBPD(0.4)], "split": KFold(7)})
        assert told["policy"][0] == {
            "@": "object",
            "of": "sk_erts.selection.DBPD",
            "params": {"threshold": 0.4},
        }
        found = made(told)
        assert found["policy"][0].threshold == 0.4
        assert type(found["split"]) is KFold
        assert found["split"].n_splits == 7

    def test_a_device_is_its_name(self):
        assert named(torch.device("cuda", 1)) == "cuda:1"

    def test_of_others_the_name_is_left(self):
        own = {"@": "foreign", "of": f"{__name__}.Teacher"}
        assert named(Teacher) == own
        assert named([Teacher()]) == [own]
        assert named(np.zeros(3)) == {"@": "foreign", "of": "numpy.ndarray"}
        assert named({"@": 1})["@"] == "foreign"
        found = made([own, 1, {"a": (own,)}])
        names = [each.name for each in foreign_in(found)]
        assert names == [f"{__name__}.Teacher"] * 2
        assert found[1] == 1

    def test_what_needs_something_foreign_is_foreign_itself(self):
        told = {
            "@": "object",
            "of": "skorch.callbacks.EarlyStopping",
            "params": {"patience": [{"@": "foreign", "of": "mine"}]},
        }
        found = made(told)
        assert isinstance(found, Foreign)
        assert found.name == "skorch.callbacks.EarlyStopping"

    @pytest.mark.parametrize(
        ("told", "message"),
        [
            (
                {"@": "name", "of": "os.system"},
                "'os.system' is nothing that a file may",
            ),
            (
                {"@": "object", "of": "sk_erts.selection._gap.x", "params": {}},
                "is nothing that a file may name",
            ),
            (
                {"@": "object", "of": "sk_erts.attribution.gradcam", "params": {}},
                "'sk_erts.attribution.gradcam' is no class",
            ),
        ],
    )
    def test_what_no_file_may_ask_for(self, told, message):
        with pytest.raises(ValueError, match=message):
            made(told)


def test_the_exporter_is_quiet_and_what_was_heard_is_heard_again(caplog):
    before = logging.root.manager.disable
    with export._quiet():
        warnings.warn("unheard", stacklevel=1)
        logging.getLogger("anybody").warning("unheard")
        logging.getLogger("anybody").error("heard")
    assert [each.message for each in caplog.records] == ["heard"]
    assert logging.root.manager.disable == before
    with pytest.raises(OSError, match="inside"), export._quiet():
        raise OSError("inside")
    assert logging.root.manager.disable == before
