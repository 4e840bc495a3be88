"""Every parameter of the classifier at the ends of its range, and what it becomes."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold
from skorch.callbacks import EarlyStopping, EpochScoring, LRScheduler

from sk_erts import ERTSClassifier
from sk_erts._training import plan as plans
from sk_erts._training.plan import CONSTRAINTS, MOVED, make_plan
from sk_erts._training.processes import Processes
from sk_erts.selection import (
    DBPD,
    SMRD,
    SRD,
    FocusFilter,
    KeepAll,
    Looks,
    Rehearsal,
    as_judge,
)
from tests.models.tiny import make_tiny


class Nothing:
    """What no parameter can be."""


RANGES = {
    "module": (["resnet1d", make_tiny("resnet1d", 1), make_tiny], [None, 3]),
    "data_dropout": (["dbpd", "smrd", "srd", None, DBPD()], ["DBPD", 1, True]),
    "confidence_threshold": ([0, 0.5, 1.0], [-0.1, 1.1, "0.5", None]),
    "easy_share": ([0, 0.5, 1.0], [-0.1, 1.1, "0.5", None]),
    "focus": (["support", "auto", None, as_judge("support")], [1, "entrpy"]),
    "focus_threshold": ([0, 0.99, "auto"], [1, -0.1, "car", None]),
    "doubt": (["auto", "soften", "drop"], ["softly", None, True]),
    "revision_epochs": ([0, 1, 7], [-1, 1.0, None, "1"]),
    "selection": ([None, KeepAll()], ["dbpd", 1]),
    "looks": ([None, Looks()], ["epoch", 1]),
    "cam_layer": ([None, "features"], [1]),
    "max_epochs": ([1, 7], [0, -1, 1.0, None]),
    "max_effective_epochs": ([1e-9, 1, 1e308, None], [0, -1, "1"]),
    "batch_size": ([1, 64], [0, 1.0, None]),
    "lr": ([1e-9, 1, 7.5], [0, -1, None, "1", 1e39]),
    "lr_schedule": (["constant", "cosine", "one-cycle"], ["linear", None]),
    "optimizer": ([torch.optim.SGD], ["SGD", None]),
    "criterion": ([None, torch.nn.CrossEntropyLoss], ["mse", 1]),
    "class_weight": ([None, "balanced", "effective", {1: 2.0}], ["equal", 1]),
    "augment": ([None, np.add, [np.add, np.add]], ["noise", 1, [1], (np.add,)]),
    "validation_fraction": (
        [None, 1e-9, 0.99, KFold(2), [([0], [1])], (np.zeros((2, 1, 4)), [0, 1])],
        [0, 1, -0.1, "0.1", b"0.1", (), [], Nothing()],
    ),
    "early_stopping": ([True, False, 1, 7, "best", "learned"], [0, 1.5, "last", None]),
    "callbacks": (
        [None, [], [EarlyStopping()], [("own", EarlyStopping)], [("print_log", None)]],
        [(), EarlyStopping(), [0.5], [None], [len], [object], [(0, EarlyStopping())]],
    ),
    "device": (["cpu", torch.device("cpu"), "auto"], [0, None, "abacus"]),
    "random_state": ([None, 0, np.random.RandomState(0)], [-1, "0", 0.5]),
    "warm_start": ([True, False], [1, None, "yes"]),
    "verbose": ([0, 1, 2, True], [-1, None, "much"]),
    "warmup_epochs": ([0, 3, (0, 0), [2, 1]], [-1, 1.0, True, (1,), (1, -1), None]),
}


@pytest.mark.parametrize("name", ["batch_size", "max_epochs", "lr", "easy_share"])
@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_no_number(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of ERTSClassifier"):
        make_plan(ERTSClassifier(**{name: value}))


def test_every_parameter_is_tried():
    own = set(ERTSClassifier().get_params(deep=False))
    assert own == set(RANGES)
    assert own - set(CONSTRAINTS) == {"warmup_epochs"}  # has words of its own


def values(which):
    """Return each name with each of its values, numbered."""
    return [
        pytest.param(name, value, id=f"{name}-{i}")
        for name, both in RANGES.items()
        for i, value in enumerate(both[which])
    ]


@pytest.mark.parametrize(("name", "value"), values(0))
def test_what_is_taken(name, value):
    assert make_plan(ERTSClassifier(**{name: value})).epochs > 0


@pytest.mark.parametrize(("name", "value"), values(1))
def test_what_is_not(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of ERTSClassifier"):
        make_plan(ERTSClassifier(**{name: value}))


OTHERS = {
    "module": "lstm1d",
    "optimizer": torch.optim.SGD,
    "lr": 0.5,
    "lr_schedule": "one-cycle",
    "batch_size": 7,
    "criterion": torch.nn.CrossEntropyLoss,
    "class_weight": "balanced",
    "cam_layer": "features.1",
    "callbacks": [],
    "verbose": 2,
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_given_is_planned(name):
    plan = make_plan(ERTSClassifier(**{name: OTHERS[name]}))
    assert getattr(plan, name) is OTHERS[name]
    others = make_plan(ERTSClassifier())
    assert getattr(others, name) != OTHERS[name]


def test_what_is_planned_by_default():
    plan = make_plan(ERTSClassifier(random_state=0))
    assert plan.device == torch.device("cuda" if torch.cuda.is_available() else "cpu")
    assert plan.augment == ()
    assert plan.budget is plan.validation is plan.patience is None
    assert plan.restore_best is plan.stop_when_learned is False
    assert plan.calibration.is_asked_for is False
    assert plan.parts.params == {}
    assert plan.parts.owner == "ERTSClassifier"
    assert plan.seed == np.random.RandomState(0).randint(2**31 - 1)
    later = make_plan(ERTSClassifier(random_state=0), n_epochs_before=3)
    assert later.seed == plan.seed + 3


class TestPolicy:
    @pytest.mark.parametrize(
        ("name", "policy"),
        [
            ("dbpd", DBPD(0.3)),
            ("smrd", SMRD(0.3)),
            ("srd", SRD()),
            (None, KeepAll()),
            (DBPD(0.7), DBPD(0.7)),
        ],
    )
    def test_what_is_dropped(self, name, policy):
        params = {"focus": None, "easy_share": 0, "confidence_threshold": 0.3}
        found = make_plan(ERTSClassifier(data_dropout=name, **params)).policy
        assert type(found) is type(policy)
        assert found.get_params() == policy.get_params()
        assert found is not name

    @pytest.mark.parametrize(
        ("name", "share", "rehearses"),
        [
            ("dbpd", 0.25, True),
            (DBPD(), 1, True),
            ("dbpd", 0, False),
            ("srd", 0.25, False),
            (None, 0.25, False),
        ],
    )
    def test_easy_records_are_rehearsed_where_there_are_any(
        self, name, share, rehearses
    ):
        clf = ERTSClassifier(data_dropout=name, easy_share=share, focus=None)
        policy = make_plan(clf).policy
        assert isinstance(policy, Rehearsal) is rehearses
        assert not rehearses or policy.share == share

    @pytest.mark.parametrize(
        ("focus", "doubt", "expected"),
        [
            ("support", "soften", "soften"),
            ("support", "drop", "drop"),
            *(
                (name, "auto", "soften" if as_judge(name).softens else "drop")
                for name in ("support", "reliability", "top_mass", "entropy")
            ),
        ],
    )
    def test_what_is_doubted(self, focus, doubt, expected):
        clf = ERTSClassifier(
            focus=focus, doubt=doubt, focus_threshold=0.4, easy_share=0
        )
        policy = make_plan(clf).policy
        assert type(policy) is FocusFilter
        assert policy.threshold == 0.4
        assert policy.doubt == expected
        assert type(policy.policy) is DBPD

    def test_auto_is_what_is_free_and_something_else_where_it_is_not(self):
        plan = make_plan(ERTSClassifier())
        judges = [
            type(plan.settled(maps_are_free=free).judge) for free in (True, False)
        ]
        assert judges == [type(as_judge(n)) for n in ("support", "reliability")]
        own = make_plan(ERTSClassifier(focus="support"))
        assert own.policy_without_maps is None
        assert own.settled(maps_are_free=False) is own

    def test_without_a_judge_it_is_the_measure_of_the_paper(self):
        plan = make_plan(ERTSClassifier(focus=None))
        assert plan.policy.judge is None
        assert plan.judge.shown_as == as_judge("top_mass").shown_as

    def test_one_of_ones_own_is_copied_and_stands_alone(self):
        own = DBPD(0.7)
        found = make_plan(ERTSClassifier(selection=own)).policy
        assert type(found) is DBPD
        assert found.threshold == 0.7
        assert found is not own

    @pytest.mark.parametrize(
        "params",
        [
            {"data_dropout": "srd"},
            {"confidence_threshold": 0.77},
            {"easy_share": 0.77},
            {"focus": None},
            {"focus_threshold": 0.77},
            {"doubt": "drop"},
        ],
    )
    def test_beside_it_nothing_else_may_say_how(self, params):
        (name,) = params
        with pytest.raises(ValueError, match=rf"The parameters \['{name}'\] of ERTS"):
            make_plan(ERTSClassifier(selection=DBPD(), **params))

    def test_a_class_is_no_judge(self):
        with pytest.raises(ValueError, match=r"Got KFold: give KFold\(\)"):
            make_plan(ERTSClassifier(focus=KFold))
        with pytest.raises(ValueError, match="Got 'suport'. Did you mean 'support'"):
            make_plan(ERTSClassifier(focus="suport"))


class TestWhatIsSetAside:
    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({}, None),
            ({"validation_fraction": 0.3}, 0.3),
            ({"early_stopping": True}, 0.1),
            ({"early_stopping": 3}, 0.1),
            ({"early_stopping": "best"}, 0.1),
            ({"early_stopping": "learned"}, None),
            ({"early_stopping": "best", "validation_fraction": 0.3}, 0.3),
            ({"calibration__temperature": True}, 0.1),
            ({"calibration__sensitivity": 0.9}, 0.1),
            ({"callbacks": [EarlyStopping()]}, 0.1),
            ({"callbacks": [("own", EarlyStopping("train_loss"))]}, None),
            ({"callbacks": [EpochScoring("accuracy")]}, 0.1),
            ({"callbacks": [("own", EpochScoring("accuracy"))]}, 0.1),
            ({"callbacks": [EpochScoring("accuracy", on_train=True)]}, None),
            ({"callbacks": [LRScheduler()]}, None),
        ],
    )
    def test_a_tenth_if_something_asks_for_it(self, params, expected):
        found = make_plan(ERTSClassifier(**params)).validation
        assert found == expected
        assert expected is None or type(found) is float

    def test_a_share_is_a_float(self):
        share = np.float32(0.25)
        found = make_plan(ERTSClassifier(validation_fraction=share)).validation
        assert type(found) is float
        assert found == 0.25

    @pytest.mark.parametrize(
        ("given", "patience", "best", "learned"),
        [
            (True, 10, True, False),
            (False, None, False, False),
            (np.True_, 10, True, False),
            (1, 1, True, False),
            (np.int64(7), 7, True, False),
            ("best", None, True, False),
            ("learned", None, False, True),
        ],
    )
    def test_when_to_stop(self, given, patience, best, learned):
        plan = make_plan(ERTSClassifier(early_stopping=given))
        assert plan.patience == patience
        assert bool(plan.restore_best) is best
        assert bool(plan.stop_when_learned) is learned


class TestHowLong:
    @pytest.mark.parametrize(
        ("warmup", "budget", "expected"),
        [
            (4, None, (4, 0)),
            ((4, 2), None, (4, 2)),
            ([4, 2], 20, (4, 2)),
            ((4, 2), 8, (4, 2)),
            ((4, 2), 7.9, (3, 2)),
            ((4, 2), 1.9, (0, 2)),
        ],
    )
    def test_a_warm_up_takes_half_of_a_budget_at_most(self, warmup, budget, expected):
        clf = ERTSClassifier(
            warmup_epochs=warmup,
            max_effective_epochs=budget,
            max_epochs=30,
            revision_epochs=2,
        )
        plan = make_plan(clf)
        schedule = plan.schedule
        assert (schedule.warmup_epochs, schedule.focus_warmup_epochs) == expected
        assert (schedule.max_epochs, schedule.revision_epochs) == (30, 2)
        assert plan.epochs == 30
        assert plan.budget == budget

    def test_one_epoch_without_an_end_has_no_budget(self):
        clf = ERTSClassifier(
            warmup_epochs=(4, 2),
            max_effective_epochs=1,
            calibration__temperature=True,
            validation_fraction=0.5,
        )
        plan = make_plan(clf, one_epoch=True)
        assert plan.schedule.warmup_epochs == 4
        assert plan.schedule.focus_warmup_epochs == 2
        assert plan.calibration.is_asked_for is False
        assert plan.validation is None


class TestParts:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"module__widht": 3}, "ResNet1d has no parameter 'widht'.*'width'"),
            ({"optimizer__beta": 3}, "AdamW has no parameter 'beta'"),
            ({"iterator_train__workers": 3}, "DataLoader has no parameter 'workers'"),
            ({"iterator_valid__workers": 3}, "DataLoader has no parameter 'workers'"),
        ],
    )
    def test_a_name_that_reaches_nothing(self, params, message):
        with pytest.raises(ValueError, match=message):
            make_plan(ERTSClassifier(**params))

    def test_of_an_instance_nothing_is_asked_yet(self):
        clf = ERTSClassifier(make_tiny("resnet1d", 1), module__widht=3)
        assert make_plan(clf).parts.params == {"module__widht": 3}

    def test_several_changes_stay_in_their_order(self):
        both = [np.add, np.subtract]
        assert make_plan(ERTSClassifier(augment=both)).augment == tuple(both)
        assert make_plan(ERTSClassifier(augment=np.add)).augment == (np.add,)
        assert make_plan(ERTSClassifier(augment=[])).augment == ()


@pytest.mark.parametrize(("there", "name"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(monkeypatch, there, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert plans._device("auto") == torch.device(name)
    assert plans._device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("rank", "verbose"), [(0, 2), (1, 0)])
def test_of_several_processes_one_shows_and_all_have_what_it_has(
    monkeypatch, rank, verbose
):
    processes = Processes()
    processes.rank = rank
    asked = []
    monkeypatch.setattr(
        Processes,
        "agreed",
        lambda self, find: asked.append(find()) or (99, "bfloat16"),
    )
    plan = make_plan(ERTSClassifier(verbose=2, random_state=0))
    found = plan.of_process(processes)
    assert (found.seed, found.precision, found.verbose) == (99, "bfloat16", verbose)
    assert asked == [(plan.seed, "float32")]
    assert found.epochs == plan.epochs


@pytest.mark.parametrize("name", MOVED)
def test_the_place_that_is_named_is_there(name):
    """A name of a parameter stands first, or it is that of a nested one."""
    place = MOVED[name].strip("'").partition("=")[0]
    assert place in ERTSClassifier().get_params()
