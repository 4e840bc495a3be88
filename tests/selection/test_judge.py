"""What all judges share, and judges of one's own inside fit."""

import pickle
import pkgutil
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone
from torch import nn

import sk_erts
from sk_erts import ERTSClassifier
from sk_erts._network.network import Network
from sk_erts._records.signals import Signals
from sk_erts._records.task import make_task
from sk_erts.attribution import gini, top_mass
from sk_erts.models import PooledLinear
from sk_erts.pretraining import PairFit
from sk_erts.selection import (
    JUDGES,
    FocusFilter,
    Judge,
    KeepAll,
    Known,
    Ledger,
    MapMeasure,
    Reliability,
    Status,
    as_judge,
)
from tests.conftest import bumps

X, Y, _ = bumps(60)
NEW, NEW_Y, _ = bumps(30, seed=1)
SEVERAL = np.stack([Y == 0, Y > 0, Y == 2], axis=1).astype(int)
TWO, TWO_Y, _ = bumps(60, n_classes=2)

by_name = pytest.mark.parametrize("name", JUDGES)


class Plain(nn.Module):
    """Nothing in it depends on the batch, or on whether it is in training."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(n_leads, 6, 9, padding=4), nn.ReLU())
        self.head = PooledLinear(6, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


class Support(Judge):
    """Share of the record in which the evidence is for the label."""

    reads = frozenset({"maps"})
    against_rival = True
    shown_as = "share that speaks for the label"

    def _score(self, known):
        return (known.maps > 0).mean(axis=1)


class MeanSupport(Support):
    averaged = True


class OwnSupport(Support):
    against_rival = False


class Believed(Judge):
    """Probability of the label, raised to a power."""

    reads = frozenset({"confidence"})
    shown_as = "belief in the label"

    def __init__(self, power=1.0):
        self.power = power

    def _score(self, known):
        assert known.maps is None
        own = known.proba[np.arange(len(known.codes)), known.codes]
        return own**self.power


class Later(Judge):
    """Later classes are better; nothing is looked at for it."""

    def _score(self, known):
        assert known.maps is None
        return known.codes / 8


PARAMS = {
    "module": Plain,
    "max_epochs": 6,
    "warmup_epochs": 2,
    "focus_threshold": 0.5,
    "lr": 0.01,
    "batch_size": 20,
    "confidence_threshold": 0.5,
    "looks__first_step": 0,
    "looks__precision": "float32",
    "looks__probe_records": 0,
    "random_state": 0,
    "verbose": 0,
    "device": "cpu",
}
ALL = {"data_dropout": None}
AFRESH = {"looks__reuse_scores": False, "looks__revisit_gaps": (1,)}


def fitted(focus, X=X, y=Y, **others):
    return ERTSClassifier(**PARAMS | {"focus": focus} | others).fit(X, y)


def half(focus):
    """Train the better half of all records, whatever their class."""
    flat = {"focus_threshold", "confidence_threshold"}
    params = {name: PARAMS[name] for name in PARAMS.keys() - flat}
    policy = FocusFilter(KeepAll(), focus, 0.5, class_rescue=False, by_class=False)
    return ERTSClassifier(**params, selection=policy).fit(X, Y)


def known(n=9, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), size=n)
    return Known(rng.integers(n_classes, size=n), proba, rng.normal(size=(n, 25)))


def by_hand(clf, X, y, *, against_rival=True):
    """Return the support of labels, spelt out."""
    module = clf.net_.module_.eval()
    with torch.no_grad():
        z = module.features(torch.from_numpy(X))
        logits = module.head(z).numpy()
    weights = np.eye(3)[y]
    if against_rival:
        others = np.where(weights == 1, -np.inf, logits)
        weights = weights - np.eye(3)[others.argmax(axis=1)]
    linear = module.head.linear.weight.detach().numpy()
    maps = np.einsum("nkt,nk->nt", z.numpy(), weights @ linear)
    if against_rival:
        maps = (
            maps + (weights @ module.head.linear.bias.detach().numpy())[:, np.newaxis]
        )
    return (maps > 0).mean(axis=1)


class TestContract:
    def test_every_judge_has_a_name(self):
        for module in pkgutil.walk_packages(sk_erts.__path__, "sk_erts."):
            import_module(module.name)

        def below(cls):
            return {cls}.union(*map(below, cls.__subclasses__()))

        own = {c for c in below(Judge) if c.__module__.startswith("sk_erts.")}
        # That of pairs is the pretrainer's own, and no classifier's.
        assert own - {Judge, PairFit} == {type(judge) for judge in JUDGES.values()}

    @by_name
    def test_as_judge_finds_it(self, name):
        assert as_judge(name) is JUDGES[name]
        assert as_judge(JUDGES[name]) is JUDGES[name]

    @by_name
    def test_a_finite_number_for_each_record(self, name):
        for n in (1, 9):
            scores = JUDGES[name].score(known(n))
            assert scores.shape == (n,)
            assert np.isfinite(scores).all()
        assert len(np.unique(scores)) > 1

    @by_name
    def test_a_record_is_judged_by_itself(self, name):
        all_of_them = known()
        order = np.array([4, 0, 7])
        some = Known(
            all_of_them.codes[order], all_of_them.proba[order], all_of_them.maps[order]
        )
        np.testing.assert_allclose(
            JUDGES[name].score(some), JUDGES[name].score(all_of_them)[order]
        )

    @by_name
    @pytest.mark.parametrize(
        ("scores", "got"),
        [
            (np.array([0.5, np.nan, 1]), r"shape \(3,\) with 1 NaN"),
            (np.ones((3, 1)), r"shape \(3, 1\) with 0 NaN"),
            (np.ones(2), r"shape \(2,\) with 0 NaN"),
            (1.0, r"shape \(\) with 0 NaN"),
        ],
    )
    def test_anything_else_is_refused(self, name, scores, got, monkeypatch):
        judge = JUDGES[name]
        monkeypatch.setattr(type(judge), "_score", lambda self, known: scores)
        with pytest.raises(ValueError, match=f"must return 3 numbers, .* Got {got} in"):
            judge.score(known(3))

    @by_name
    def test_what_it_says_of_itself(self, name):
        judge = JUDGES[name]
        assert judge.reads <= {"confidence", "maps"}
        assert judge.reads_maps == ("maps" in judge.reads)
        assert isinstance(judge.shown_as, str)
        assert judge.shown_as.strip()
        assert {judge.against_rival, judge.averaged, judge.remembers} <= {True, False}

    @by_name
    @settings(max_examples=50, deadline=None)
    @given(scores=hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 1)))
    def test_it_doubts_at_most_half(self, name, scores):
        assert 0 <= JUDGES[name].share_doubted(scores) <= 0.5

    @by_name
    def test_it_doubts_nobody_where_all_are_the_same(self, name):
        assert JUDGES[name].share_doubted(np.full(30, 0.8)) == 0

    @by_name
    def test_copies_judge_the_same(self, name):
        judge = JUDGES[name]
        expected = judge.score(known())
        for copy in (clone(judge), pickle.loads(pickle.dumps(judge))):
            assert copy is not judge
            assert copy.reads == judge.reads
            np.testing.assert_array_equal(copy.score(known()), expected)


class TestAsJudge:
    def test_a_function_of_maps(self):
        judge = as_judge(gini)
        assert isinstance(judge, MapMeasure)
        np.testing.assert_array_equal(judge.score(known()), gini(known().maps))

    @pytest.mark.parametrize(
        ("focus", "message"),
        [
            (
                Reliability,
                r"an object, not a class. Got Reliability: give Reliability\(\)",
            ),
            ("top_mas", "No judge is named 'top_mas'. Did you mean 'top_mass'"),
            (0.3, "a name, a function of signed maps or a Judge. Got 0.3 instead"),
            (None, "a name, a function of signed maps or a Judge. Got None instead"),
        ],
    )
    def test_what_stands_for_none(self, focus, message):
        with pytest.raises(ValueError, match=message):
            as_judge(focus)
        with pytest.raises(ValueError, match=message):
            _ = FocusFilter(KeepAll(), focus).judge

    @pytest.mark.parametrize(
        ("focus", "message"),
        [
            (Support, r"an object, not a class. Got Support: give Support\(\)"),
            (
                "reliabilty",
                "name of a judge. Got 'reliabilty'. Did you mean 'reliability'",
            ),
            (0.3, "must be .* Got 0.3 instead"),
        ],
    )
    def test_fit_names_its_parameter(self, focus, message):
        with pytest.raises(ValueError, match=f"The 'focus' parameter of .* {message}"):
            fitted(focus)

    def test_a_judge_without_a_measure_cannot_be_made(self):
        with pytest.raises(TypeError, match="_score"):
            Judge()

    @pytest.mark.parametrize(
        "wrong", [lambda n: np.ones((n, 2)), lambda n: [np.nan] * n]
    )
    def test_a_judge_that_says_something_else_fails_before_the_training(self, wrong):
        class Wrong(Support):
            def _score(self, known):
                return wrong(len(known.codes))

        with pytest.raises(
            ValueError, match="judge Wrong of 'focus' must return 2 numbers"
        ):
            fitted(Wrong())


class TestJudgeOfMaps:
    @pytest.mark.parametrize("focus", [Support(), MeanSupport(), OwnSupport()])
    @pytest.mark.parametrize("looks", [{}, AFRESH])
    def test_the_story_tells_what_was_judged_by(self, focus, looks):
        """Where nothing is learned every look gives the same."""
        clf = fitted(focus, lr=1e-12, optimizer=torch.optim.SGD, **ALL, **looks)
        expected = by_hand(clf, X, Y, against_rival=focus.against_rival)
        for found in clf.selection_.focus[2:]:
            np.testing.assert_array_equal(found, expected)
        assert len(np.unique(expected)) > (5 if not focus.against_rival else 1)
        assert (
            expected != by_hand(clf, X, Y, against_rival=not focus.against_rival)
        ).any()

    @pytest.mark.parametrize("looks", [{}, AFRESH])
    def test_the_running_mean_over_all_looks(self, looks, monkeypatch):
        """Nobody is put aside, so that both trainings are the same."""
        params = ALL | looks | {"focus_threshold": 0.0, "lr": 0.05}
        latest = fitted(Support(), **params).selection_
        total, number = np.zeros(len(X)), np.zeros(len(X))
        record = Ledger.record

        def listening(self, name, index, values, **more):
            if name == "focus":
                total[index] += values
                number[index] += 1
            record(self, name, index, values, **more)

        monkeypatch.setattr(Ledger, "record", listening)
        clf = fitted(MeanSupport(), **params)
        mean = clf.selection_
        np.testing.assert_array_equal(latest.confidence, mean.confidence)
        assert number.min() >= 6  # in each epoch
        memory = clf._trained.memory
        np.testing.assert_array_equal(memory["number of focus"], number)
        np.testing.assert_allclose(memory["sum of focus"], total, rtol=1e-5)
        last = (total / number - mean.focus[-1])[~np.isnan(mean.focus[-1])]
        assert np.abs(last).max() < 2 / number.min()
        assert (np.ptp(latest.focus[2:], axis=0) > np.ptp(mean.focus[2:], axis=0)).any()

    def test_the_lowest_are_put_aside(self):
        story = half(MeanSupport()).selection_
        for status, focus in zip(story.status[2:], story.focus[2:], strict=True):
            aside = status == Status.UNRELIABLE
            assert aside.sum() == 30
            assert focus[aside].max() <= focus[~aside].min()

    def test_new_records_are_judged_by_the_network_as_it_is(self):
        clf = fitted(MeanSupport())
        expected = by_hand(clf, NEW, NEW_Y)
        np.testing.assert_array_equal(clf.focus_score(NEW, NEW_Y), expected)
        np.testing.assert_array_equal(
            clf.focus_score(NEW), by_hand(clf, NEW, clf.predict(NEW))
        )

    def test_of_several_labels(self):
        clf = fitted(MeanSupport(), y=SEVERAL)
        assert (clf.selection_.status == Status.UNRELIABLE).any()
        network, task = Network(clf.net_.module_.eval()), make_task(SEVERAL)
        with torch.no_grad():
            logits, z = network.look(Signals(torch.from_numpy(X)))
            codes = torch.from_numpy(task.encode(SEVERAL))
            direction = task.contrast(logits, codes)
        maps = torch.einsum("nkt,nk->nt", z.x, direction @ network.linear.weight)
        maps = maps + direction @ network.linear.bias[:, None]
        np.testing.assert_array_equal(
            clf.focus_score(X, SEVERAL), (maps > 0).double().mean(dim=1)
        )

    def test_the_users_object_is_not_changed(self):
        focus = Believed(power=2.0)
        clf = fitted(focus)
        assert clf.focus is focus
        assert vars(focus) == {"power": 2.0}
        assert clone(clf).focus is not focus
        assert clone(clf).focus.power == 2.0


class TestJudgeOfConfidence:
    def test_all_looks_so_far_are_judged(self):
        story = half(Believed()).selection_
        for status, focus in zip(story.status[2:], story.focus[2:], strict=True):
            aside = status == Status.UNRELIABLE
            assert aside.sum() == 30
            assert focus[aside].max() <= focus[~aside].min()
        assert np.isnan(story.focus[:2]).all()

    def test_its_parameters_count(self):
        one, two = fitted(Believed(), **ALL), fitted(Believed(power=3.0), **ALL)
        np.testing.assert_array_equal(one.selection_.status, two.selection_.status)
        np.testing.assert_allclose(
            two.selection_.focus[2:], one.selection_.focus[2:] ** 3, rtol=5e-3
        )

    def test_new_records_are_judged_by_the_network_as_it_is(self):
        clf = fitted(Believed(power=2.0))
        proba = clf.predict_proba(NEW)
        own = proba[np.arange(len(NEW)), NEW_Y]
        np.testing.assert_allclose(clf.focus_score(NEW, NEW_Y), own**2)
        np.testing.assert_allclose(clf.focus_score(NEW), proba.max(axis=1) ** 2)

    def test_only_scores_of_maps_are_averaged(self):
        class Averaged(Believed):
            averaged = True

        one, two = fitted(Believed()).selection_, fitted(Averaged()).selection_
        np.testing.assert_array_equal(one.status, two.status)
        np.testing.assert_array_equal(one.focus, two.focus)


class TestJudgeOfNothing:
    def test_nobody_is_looked_at_for_it(self):
        clf = half(Later())
        assert clf.scoring_passes_ == 0
        for focus in clf.selection_.focus[2:]:
            np.testing.assert_array_equal(focus, Y / 8)
        aside = clf.selection_.status[2:] == Status.UNRELIABLE
        assert (aside.sum(axis=1) == 30).all()
        assert aside[:, Y == 0].mean() > aside[:, Y == 2].mean()

    def test_new_records(self):
        clf = fitted(Later())
        np.testing.assert_array_equal(clf.focus_score(NEW, NEW_Y), NEW_Y / 8)
        np.testing.assert_array_equal(clf.focus_score(NEW), clf.predict(NEW) / 8)


SCHEDULE = {"warmup_epochs": (2, 1), "revision_epochs": 1}


class TestWhatTheStoryTells:
    @pytest.mark.parametrize(
        ("focus", "shown"),
        [
            (MeanSupport(), "share that speaks for the label"),
            (Believed(), "belief in the label"),
            (Later(), "score of the judge"),
            ("gini", "focus (score of the map)"),
            ("reliability", "reliability of the record"),
        ],
    )
    def test_phases_and_what_was_judged_by(self, focus, shown):
        story = fitted(focus, **SCHEDULE).selection_
        assert story.phases == (
            *["warm-up"] * 2,
            "data dropout",
            *["reliability filter"] * 2,
            "revision",
        )
        assert story.judged_by == ("", "", "", shown, shown, "")

    def test_without_a_judge(self):
        story = fitted(None).selection_
        assert story.phases == (*["warm-up"] * 2, *["data dropout"] * 4)
        assert story.judged_by == ("",) * 6
        assert fitted(None, **ALL).selection_.phases == ("full data",) * 6

    def test_parameters_set_after_fit_change_nothing_of_it(self):
        clf = fitted(MeanSupport(), **SCHEDULE)
        before, scores = clf.selection_, clf.focus_score(NEW, NEW_Y)
        clf.set_params(focus="gini", warmup_epochs=4)
        assert clf.selection_.judged_by == before.judged_by
        assert clf.selection_.judged_by[-2] == "share that speaks for the label"
        assert clf.selection_.phases[2] == "data dropout"
        np.testing.assert_array_equal(clf.focus_score(NEW, NEW_Y), scores)
        clf.fit(X, Y)
        assert clf.selection_.phases[3:5] == ("warm-up", "reliability filter")
        assert clf.selection_.judged_by[4] == "focus (score of the map)"
        assert (clf.focus_score(NEW, NEW_Y) != scores).any()

    def test_focus_score_after_a_fit_without_a_judge_is_the_papers(self):
        clf = fitted(None)
        maps = clf.explain(NEW, target=NEW_Y, signed=True)
        np.testing.assert_allclose(
            clf.focus_score(NEW, NEW_Y), top_mass(maps), rtol=1e-5
        )

    def test_epochs_after_all_is_learned_are_a_revision(self):
        clf = fitted(
            Believed(),
            TWO,
            TWO_Y,
            lr=0.05,
            max_epochs=40,
            early_stopping="learned",
            revision_epochs=2,
        )
        story = clf.selection_
        n_epochs = len(story.phases)
        assert 5 < n_epochs < 40
        assert story.phases == (
            *["warm-up"] * 2,
            *["reliability filter"] * (n_epochs - 4),
            *["revision"] * 2,
        )
        assert story.judged_by == (
            *[""] * 2,
            *["belief in the label"] * (n_epochs - 4),
            *[""] * 2,
        )
        assert (story.status[-2:] == Status.TRAINED).all()
        assert (story.status[2:-2] == Status.EASY).any(axis=1).all()

    def test_epochs_of_partial_fit_go_on_counting(self):
        clf = ERTSClassifier(**PARAMS | SCHEDULE | {"focus": MeanSupport()})
        told = []
        for _ in range(5):
            story = clf.partial_fit(X, Y).selection_
            told.append((story.first_epoch, *story.phases, *story.judged_by))
        shown = "share that speaks for the label"
        assert told == [
            (1, "warm-up", ""),
            (2, "warm-up", ""),
            (3, "data dropout", ""),
            (4, "reliability filter", shown),
            (5, "reliability filter", shown),
        ]


class TestContrast:
    """What sets the truth off from its rival, by hand."""

    def test_of_one_class(self):
        logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [5.0, 5.0, 9.0]])
        found = make_task([0, 1, 2]).contrast(logits, torch.tensor([0, 2, 2]))
        assert found.tolist()[:2] == [[1, -1, 0], [0, -1, 1]]
        assert found[2].tolist() in ([-1, 0, 1], [0, -1, 1])  # two equal rivals

    def test_of_two_classes_it_is_their_difference(self):
        logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        found = make_task(["a", "b"]).contrast(logits, torch.tensor([0, 0]))
        assert found.tolist() == [[1, -1], [1, -1]]

    def test_of_several_labels(self):
        logits = torch.tensor([[2.0, 1.0, 3.0], [-0.5, -4.0, -1.0], [4.0, -3.0, -2.0]])
        codes = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
        found = make_task(SEVERAL).contrast(logits, codes)
        assert found.tolist() == [[0, -1, 0], [1, 0, 0], [0, 0, -1]]

    def test_what_it_weighs_is_the_margin(self):
        generator = torch.Generator().manual_seed(0)
        logits = torch.randn(40, 3, generator=generator)
        rows, codes = torch.arange(40), torch.arange(40) % 3
        margin = (make_task([0, 1, 2]).contrast(logits, codes) * logits).sum(dim=1)
        others = logits.clone()
        others[rows, codes] = -torch.inf
        torch.testing.assert_close(margin, logits[rows, codes] - others.amax(dim=1))
        several = torch.nn.functional.one_hot(codes, 3).float()
        margin = (make_task(SEVERAL).contrast(logits, several) * logits).sum(dim=1)
        of_states = torch.where(several > 0, logits, -logits)
        torch.testing.assert_close(margin, of_states.amin(dim=1))


def test_its_doubt_is_what_a_score_lacks_of_one():
    scores = np.array([-0.5, 0.0, 0.25, 1.0, 1.5])
    np.testing.assert_array_equal(Support().doubt(scores), [1, 1, 0.75, 0, 0])
