"""The parameters of the classifier, and how they become a plan."""

import inspect
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, ProgressBar

from sk_erts import ERTSClassifier
from sk_erts._training.plan import make_plan
from sk_erts.selection import (
    DBPD,
    SMRD,
    SRD,
    Evidence,
    FocusFilter,
    InfoBatch,
    Looks,
    Rehearsal,
    is_doubted,
)
from sk_erts.selection._looks import CONSTRAINTS
from tests.conftest import bumps

X, Y, _ = bumps(48)

# What each old name is given as, and where it went.
MOVED = {
    "renewal_interval": (64, "'looks__renewal_interval'"),
    "reuse_scores": (False, "'looks__reuse_scores'"),
    "revisit_gaps": ((1,), "'looks__revisit_gaps'"),
    "probe_records": (0, "'looks__probe_records'"),
    "scoring_precision": ("float32", "'looks__precision'"),
    "decay": (0.9, "data_dropout=SRD(decay=...)"),
    "easy_weight": (1.0, "selection=Rehearsal(..., weight=...)"),
    "class_rescue": (False, "selection=FocusFilter(..., class_rescue=...)"),
    "stop_when_learned": (True, "early_stopping='learned'"),
    "n_iter_no_change": (5, "early_stopping=10"),
    "focus_warmup_epochs": (3, "warmup_epochs=(5, 3)"),
    "restore_best": (True, "early_stopping='best'"),
}
NAMES = list(Looks().get_params())
OTHERS = {
    "renewal_interval": "epoch",
    "reuse_scores": False,
    "revisit_gaps": (1,),
    "first_step": 5,
    "probe_records": 0,
    "precision": "float32",
}
WRONG = [
    ("renewal_interval", 0),
    ("renewal_interval", 2.5),
    ("renewal_interval", "batches"),
    ("reuse_scores", "yes"),
    ("revisit_gaps", 4),
    ("revisit_gaps", ()),
    ("revisit_gaps", (2, 0)),
    ("revisit_gaps", (2, 1.5)),
    ("first_step", -1),
    ("first_step", 1.5),
    ("probe_records", -1),
    ("probe_records", 0.5),
    ("precision", "float16"),
    ("precision", None),
]


def of_looks(clf):
    params = clf.get_params(deep=True)
    return {name: params[f"looks__{name}"] for name in NAMES}


def planned(clf):
    return make_plan(clf).looks.get_params()


def test_no_more_parameters_than_one_can_read():
    parameters = inspect.signature(ERTSClassifier).parameters.values()
    explicit = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    assert len(explicit) <= 28
    assert len(explicit) == len(ERTSClassifier().get_params(deep=False))


def message(name, where):
    text = f"The parameter {name!r} of ERTSClassifier has moved: give {where}."
    return f"^{re.escape(text)}$"


class TestOldNames:
    def test_all_of_them_are_here(self):
        assert MOVED.keys() == ERTSClassifier.MOVED.keys()

    @pytest.mark.parametrize("name", MOVED)
    def test_fit_says_where_it_went(self, small, name):
        value, where = MOVED[name]
        clf = ERTSClassifier(**small | {name: value})
        with pytest.raises(ValueError, match=message(name, where)):
            clf.fit(X, Y)

    @pytest.mark.parametrize("name", MOVED)
    def test_set_params_says_where_it_went(self, name):
        value, where = MOVED[name]
        clf = ERTSClassifier()
        before = clf.get_params()
        with pytest.raises(ValueError, match=message(name, where)):
            clf.set_params(lr=0.5, **{name: value})
        assert clf.get_params() == before

    @pytest.mark.parametrize("name", MOVED)
    def test_set_params_does_not_take_what_the_constructor_took(self, name):
        value, _ = MOVED[name]
        with pytest.raises(ValueError, match="has moved"):
            ERTSClassifier(**{name: value}).set_params(**{name: value})

    @pytest.mark.parametrize(
        ("name", "to"), [(n, w.strip("'")) for n, (_, w) in MOVED.items() if "__" in w]
    )
    def test_the_new_place_takes_it(self, name, to):
        value, _ = MOVED[name]
        assert planned(ERTSClassifier(**{to: value}))[to.removeprefix("looks__")] == (
            value
        )


class TestLooks:
    def test_defaults_are_listed(self):
        assert of_looks(ERTSClassifier()) == Looks().get_params()
        assert planned(ERTSClassifier()) == Looks().get_params()

    @pytest.mark.parametrize("name", NAMES)
    def test_in_the_constructor(self, name):
        clf = ERTSClassifier(**{f"looks__{name}": OTHERS[name]})
        expected = Looks().get_params() | {name: OTHERS[name]}
        assert of_looks(clf) == planned(clf) == expected
        assert of_looks(clone(clf)) == planned(clone(clf)) == expected

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("looks", [None, Looks(), Looks(revisit_gaps=(3,))])
    def test_in_set_params(self, name, looks):
        clf = ERTSClassifier(looks=looks and clone(looks))
        clf.set_params(**{f"looks__{name}": OTHERS[name]})
        expected = (looks or Looks()).get_params() | {name: OTHERS[name]}
        assert of_looks(clf) == planned(clf) == expected
        assert of_looks(clone(clf)) == planned(clone(clf)) == expected

    def test_an_object_in_the_constructor(self):
        clf = ERTSClassifier(looks=Looks(**OTHERS))
        assert of_looks(clf) == planned(clf) == OTHERS
        assert clone(clf).looks is not clf.looks
        assert of_looks(clone(clf)) == OTHERS

    def test_a_name_beside_an_object_counts(self):
        given = Looks(probe_records=7, precision="float32")
        clf = ERTSClassifier(looks=given, looks__probe_records=3)
        expected = Looks().get_params() | {"probe_records": 3, "precision": "float32"}
        assert of_looks(clf) == planned(clf) == expected
        assert of_looks(clone(clf)) == planned(clone(clf)) == expected
        assert given.probe_records == 7

    @pytest.mark.parametrize("looks", [None, Looks(probe_records=7)])
    def test_what_was_set_last_counts(self, looks):
        looks = looks and clone(looks)
        clf = ERTSClassifier(looks=looks, looks__probe_records=3)
        clf.set_params(looks__probe_records=5)
        assert of_looks(clf)["probe_records"] == 5
        assert planned(clf)["probe_records"] == 5

    def test_another_object_forgets_what_was_set_of_the_one_before(self):
        clf = ERTSClassifier(looks__probe_records=3).set_params(
            looks=Looks(probe_records=9)
        )
        assert of_looks(clf)["probe_records"] == planned(clf)["probe_records"] == 9
        clf.set_params(looks=None)
        assert of_looks(clf) == planned(clf) == Looks().get_params()

    def test_an_object_and_a_name_at_once(self):
        clf = ERTSClassifier().set_params(
            looks__probe_records=5, looks=Looks(precision="float32")
        )
        expected = Looks().get_params() | {"probe_records": 5, "precision": "float32"}
        assert of_looks(clf) == planned(clf) == expected
        clf.set_params(looks=None, looks__probe_records=6)
        expected = Looks().get_params() | {"probe_records": 6}
        assert of_looks(clf) == planned(clf) == expected

    @pytest.mark.parametrize("looks", [None, Looks(precision="float32")])
    def test_a_search_over_them(self, small, looks):
        clf = ERTSClassifier(**small | {"max_epochs": 2}, looks=looks)
        before = of_looks(clf)
        grid = {"looks__probe_records": [0, 16], "looks__reuse_scores": [False]}
        search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X, Y)
        best = search.best_estimator_
        assert best.get_params()["looks__reuse_scores"] is False
        assert (
            make_plan(best).looks.probe_records
            == (search.best_params_["looks__probe_records"])
        )
        assert of_looks(clf) == before

    @pytest.mark.parametrize("n_probed", [0, 16])
    def test_they_reach_the_training(self, small, n_probed):
        params = small | {"data_dropout": "srd", "focus": None, "revision_epochs": 0}
        clf = ERTSClassifier(**params, looks__probe_records=n_probed).fit(X, Y)
        assert clf.selection_.phases.count("data dropout") == 5
        assert clf.scoring_passes_ == 5 * n_probed / len(X)

    def test_fit_leaves_an_object_as_it_was(self, small):
        given = Looks(probe_records=16)
        clf = ERTSClassifier(**small, looks=given, looks__reuse_scores=False)
        clf.fit(X, Y)
        assert clf.looks is given
        assert given.get_params() == Looks(probe_records=16).get_params()
        assert make_plan(clf).looks is not given

    def test_a_misspelt_name_in_fit(self, small):
        clf = ERTSClassifier(**small, looks__probe_record=0)
        with pytest.raises(ValueError, match="mean 'looks__probe_records'") as error:
            clf.fit(X, Y)
        assert "'looks__probe_record' for estimator ERTSClassifier" in str(error.value)

    @pytest.mark.parametrize("looks", [None, Looks()])
    def test_a_misspelt_name_in_set_params(self, looks):
        clf = ERTSClassifier(looks=looks)
        with pytest.raises(ValueError, match="mean 'looks__revisit_gaps'"):
            clf.set_params(looks__revisit_gap=(1,))

    def test_every_parameter_has_a_constraint_and_is_tried(self):
        assert CONSTRAINTS.keys() == set(NAMES) == {name for name, _ in WRONG}

    @pytest.mark.parametrize(("name", "value"), WRONG)
    @pytest.mark.parametrize("as_object", [False, True])
    def test_what_is_out_of_range(self, small, name, value, as_object):
        given = (
            {"looks": Looks(**{name: value})}
            if as_object
            else {f"looks__{name}": value}
        )
        text = f"^The 'looks__{name}' parameter of ERTSClassifier must be .* Got "
        params = {k: v for k, v in small.items() if not k.startswith("looks__")}
        with pytest.raises(ValueError, match=text + re.escape(f"{value!r} instead")):
            ERTSClassifier(**params | given).fit(X, Y)

    def test_something_else_in_its_place(self, small):
        for wrong in (Looks, {"probe_records": 0}, "float32"):
            with pytest.raises(ValueError, match="The 'looks' parameter of ERTSC"):
                ERTSClassifier(**small, looks=wrong).fit(X, Y)


class TestWarmUp:
    """Epochs on all data, and those of data dropout alone after them."""

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (4, (4, 0)),
            (0, (0, 0)),
            ((5, 3), (5, 3)),
            ([0, 2], (0, 2)),
            (np.int64(2), (2, 0)),
            ((np.int32(3), np.int64(1)), (3, 1)),
        ],
    )
    @pytest.mark.parametrize("one_epoch", [False, True])
    def test_a_number_or_a_pair(self, given, expected, one_epoch):
        clf = ERTSClassifier(warmup_epochs=given)
        for each in (clf, clone(clf)):
            schedule = make_plan(each, one_epoch=one_epoch).schedule
            assert (schedule.warmup_epochs, schedule.focus_warmup_epochs) == expected
            assert type(schedule.warmup_epochs) is int
        assert clf.warmup_epochs is given

    def test_none_of_data_dropout_alone_by_default(self):
        schedule = make_plan(ERTSClassifier()).schedule
        assert (schedule.warmup_epochs, schedule.focus_warmup_epochs) == (4, 0)

    def test_it_reaches_the_training(self, small):
        clf = ERTSClassifier(**small | {"warmup_epochs": (2, 1)}).fit(X, Y)
        begin = (*["warm-up"] * 2, "data dropout")
        assert clf.selection_.phases == (
            *begin,
            *["reliability filter"] * 2,
            "revision",
        )
        clf.set_params(warmup_epochs=2).fit(X, Y)
        assert clf.selection_.phases[2:4] == ("reliability filter",) * 2

    @pytest.mark.parametrize(
        "wrong",
        [
            *(-1, 1.5, 4.0, True, np.True_, "4", None),
            *((), (4,), (4, 1, 2), (4, -1), (4, 1.0), (True, 1), [4, None], ("4", "1")),
            *({4: 1}, {4, 1}, (4, (1, 2)), np.array([4, 1])),
        ],
        ids=repr,
    )
    def test_what_is_neither(self, small, wrong):
        clf = ERTSClassifier(**small | {"warmup_epochs": wrong})
        text = (
            "The 'warmup_epochs' parameter of ERTSClassifier must be a non-negative "
            f"integer, or a tuple of two of them, such as (5, 3). Got {wrong!r} instead"
        )
        for fit in (clf.fit, clf.partial_fit):
            with pytest.raises(ValueError, match=f"^{re.escape(text)}"):
                fit(X, Y)

    @pytest.mark.parametrize(
        "values", [[1, (1, 2)], [(1, 2), (2, 1)], [[1, 2], 2], np.arange(2)], ids=repr
    )
    def test_a_search_over_it(self, small, values):
        clf = ERTSClassifier(**small | {"max_epochs": 2})
        grid = {"warmup_epochs": values}
        search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X, Y)
        best = search.best_params_["warmup_epochs"]
        assert search.best_estimator_.warmup_epochs == best
        assert clf.warmup_epochs == small["warmup_epochs"]


class TestEarlyStopping:
    @pytest.mark.parametrize(
        ("given", "patience", "best", "learned"),
        [
            (False, None, False, False),
            (True, 10, True, False),
            (np.False_, None, False, False),
            (np.True_, 10, True, False),
            (1, 1, True, False),
            (np.int64(5), 5, True, False),
            ("best", None, True, False),
            ("learned", None, False, True),
        ],
    )
    def test_what_it_asks_for(self, given, patience, best, learned):
        plan = make_plan(ERTSClassifier(early_stopping=given))
        assert plan.patience == patience
        assert plan.restore_best == best
        assert plan.stop_when_learned == learned
        assert plan.validation == (0.1 if best else None)

    @pytest.mark.parametrize("wrong", [0, -1, 2.5, "last", None, ("best",)])
    def test_what_is_out_of_range(self, small, wrong):
        text = "The 'early_stopping' parameter of ERTSClassifier must be .*'best'"
        with pytest.raises(ValueError, match=text):
            ERTSClassifier(**small, early_stopping=wrong).fit(X, Y)


class TestValidation:
    """A part of the records is set aside for whoever looks at it."""

    @pytest.mark.parametrize(
        ("callback", "needed"),
        [
            (EarlyStopping("valid_loss"), True),
            (Checkpoint(monitor="valid_loss_best"), True),
            (EarlyStopping("train_loss"), False),
            (Checkpoint(monitor=None), False),
            (EpochScoring("accuracy"), True),
            (EpochScoring("accuracy", on_train=True), False),
            (ProgressBar(), False),
        ],
    )
    @pytest.mark.parametrize("named", [False, True])
    def test_for_a_callback(self, callback, needed, named):
        callbacks = [("own", callback) if named else callback]
        plan = make_plan(ERTSClassifier(callbacks=callbacks))
        assert plan.validation == (0.1 if needed else None)

    def test_one_of_several_callbacks_is_enough(self):
        for callbacks in ([ProgressBar(), EarlyStopping()], [EarlyStopping()] * 2):
            assert make_plan(ERTSClassifier(callbacks=callbacks)).validation == 0.1

    def test_what_was_asked_for_stays(self):
        clf = ERTSClassifier(callbacks=[EarlyStopping()], validation_fraction=0.3)
        assert make_plan(clf).validation == 0.3

    def test_the_score_of_a_callback_is_there(self, small):
        params = small | {"callbacks": [EarlyStopping("valid_loss", patience=1)]}
        clf = ERTSClassifier(**params).fit(X, Y)
        assert np.isfinite(clf.history_[:, "valid_loss"]).all()


class TestDataDropout:
    """A policy object gives the candidates, as a name does."""

    @pytest.mark.parametrize(
        ("name", "policy"),
        [("dbpd", DBPD(0.5)), ("smrd", SMRD(0.5)), ("srd", SRD())],
    )
    def test_the_policy_of_a_name_is_the_same_as_its_object(self, small, name, policy):
        params = small | {"confidence_threshold": 0.5}
        by_name = ERTSClassifier(**params, data_dropout=name).fit(X, Y)
        as_object = ERTSClassifier(**params, data_dropout=policy).fit(X, Y)
        np.testing.assert_array_equal(
            by_name.selection_.status, as_object.selection_.status
        )
        np.testing.assert_array_equal(
            by_name.predict_proba(X), as_object.predict_proba(X)
        )

    def test_its_parameters_reach_the_training(self, small):
        params = small | {"focus": None, "max_epochs": 4, "revision_epochs": 0}
        policy = SRD(decay=0.5)
        clf = ERTSClassifier(**params, data_dropout=policy).fit(X, Y)
        assert clf.kept_counts_.tolist() == [48, 24, 12, 6]
        assert policy.get_params() == SRD(decay=0.5).get_params()
        clf.set_params(data_dropout__decay=0.25).fit(X, Y)
        assert clf.kept_counts_.tolist() == [48, 12, 3, 1]
        assert clone(clf).get_params()["data_dropout__decay"] == 0.25

    def test_focus_and_rehearsal_are_put_around_it(self):
        plan = make_plan(ERTSClassifier(data_dropout=DBPD(0.4)))
        assert isinstance(plan.policy, Rehearsal)
        assert isinstance(plan.policy.policy, FocusFilter)
        assert plan.policy.policy.policy.threshold == 0.4
        assert isinstance(plan.judge, Evidence)
        without = make_plan(ERTSClassifier(data_dropout=SRD(0.9), focus=None))
        assert isinstance(without.policy, SRD)

    def test_one_of_another_kind(self, small):
        params = small | {"focus_threshold": 0.5}
        clf = ERTSClassifier(**params, data_dropout=InfoBatch()).fit(X, Y)
        assert is_doubted(clf.selection_.status).any()

    @pytest.mark.parametrize("wrong", [SRD, "sdr", 0.9])
    def test_what_is_no_policy(self, small, wrong):
        with pytest.raises(ValueError, match="The 'data_dropout' parameter of ERTSCl"):
            ERTSClassifier(**small, data_dropout=wrong).fit(X, Y)

    def test_beside_a_whole_policy_it_is_refused(self, small):
        clf = ERTSClassifier(**small, selection=SRD(), data_dropout=SRD())
        with pytest.raises(ValueError, match=r"\['data_dropout'\] .* not both"):
            clf.fit(X, Y)
