"""Records judged by label and signal inside fit, and by the fitted estimator."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from sk_erts._training.judging import Judging
from sk_erts.models import ResNet1d
from sk_erts.quality import SignalQuality
from sk_erts.selection import (
    DBPD,
    FocusFilter,
    Reliability,
    Status,
    is_doubted,
    label_suspicion,
    signal_suspicion,
)
from tests.conftest import bumps
from tests.selection.test_audit import with_wrong_labels
from tests.test_real_ecg import make, ptbxl  # noqa: F401 (a fixture)

X, Y, _ = bumps(120)
WRONG = np.arange(120) % 10 == 0
GIVEN = np.where(WRONG, (Y + 1) % 3, Y)
N_CALLS = []


class Loudness(BaseEstimator):
    """The louder, the worse; counts the records that it is asked for."""

    def fit(self, X):
        return self

    def score_samples(self, X):
        N_CALLS.append(len(X))
        return -np.array([np.abs(x).mean() for x in X])


@pytest.fixture
def params(small):
    return small | {
        "focus": "reliability",
        "doubt": "drop",
        "focus_threshold": "auto",
        "confidence_threshold": 0.7,
        "warmup_epochs": 3,
        "revision_epochs": 0,
        "max_epochs": 10,
    }


def test_wrong_labels_are_put_aside(params):
    params["focus_threshold"] = 0.5  # the default
    story = ERTSClassifier(**params).fit(X, GIVEN).selection_
    aside = (story.status[5:] == Status.UNRELIABLE).any(axis=0)
    # At any time half of the candidates of a class are put aside.
    assert aside[WRONG].mean() > 0.5
    assert aside[~WRONG].mean() < 0.1


def test_who_is_put_aside_is_less_reliable_than_who_is_trained(params):
    together = {"class_rescue": False, "by_class": False}
    policy = FocusFilter(DBPD(0.7), "reliability", 0.3, **together)
    for name in ("focus", "focus_threshold", "confidence_threshold", "doubt"):
        del params[name]
    params |= {"selection": policy, "looks__renewal_interval": "epoch"}
    story = ERTSClassifier(**params).fit(X, GIVEN).selection_
    for status, focus in zip(story.status[3:], story.focus[3:], strict=True):
        trained = focus[status == Status.TRAINED]
        aside = focus[status == Status.UNRELIABLE]
        assert aside.max() <= trained.min()
        assert len(aside) == int(0.3 * (len(aside) + len(trained)) + 1e-9)
    # The last epoch's looks come after its decisions.
    latest = 1 - label_suspicion(GIVEN, story.mean_proba)
    known = ~np.isnan(story.focus[-1])
    assert np.abs(latest - story.focus[-1])[known].max() < 0.1


def test_probabilities_are_averaged_over_the_training(small):
    """On full data each record has had one look per epoch, that of its step."""
    full = small | {"data_dropout": None, "focus": None, "lr": 1e-12}
    clf = ERTSClassifier(**full).fit(X, Y)
    story = clf.selection_
    np.testing.assert_allclose(
        story.mean_proba[np.arange(120), Y], story.confidence.mean(axis=0), atol=1e-3
    )
    np.testing.assert_allclose(story.mean_proba.sum(axis=1), 1, atol=1e-5)


def test_no_map_is_looked_at(params, monkeypatch):
    def fail(self, *args):
        raise AssertionError("a map was scored")

    monkeypatch.setattr(Judging, "of_maps", fail)
    clf = ERTSClassifier(**params).fit(X, GIVEN)
    assert (clf.selection_.status == Status.UNRELIABLE).any()


@pytest.mark.parametrize(
    "change",
    [
        {"augment": lambda X, rng: X},
        {"data_dropout": None},
        {"data_dropout": "srd"},
        {"looks__reuse_scores": False},
        {"looks__renewal_interval": "batch"},
        {"warmup_epochs": 0, "data_dropout": None},
    ],
    ids=lambda change: " and ".join(change),
)
def test_any_scheme_gives_what_it_needs(params, change):
    """Whoever is judged has been looked at before."""
    clf = ERTSClassifier(**params | change).fit(X, GIVEN)
    judged = clf.selection_.status == Status.UNRELIABLE
    assert judged.any()
    assert not np.isnan(clf.selection_.focus[judged]).any()


class TestSignals:
    LOUD = np.arange(120) % 12 == 3

    def damaged(self):
        return np.where(self.LOUD[:, None, None], 20 * X, X).astype(np.float32)

    def test_bad_signals_are_put_aside(self, params):
        params |= {"data_dropout": None, "looks__renewal_interval": "epoch"}
        params["focus"] = Reliability(Loudness(), label=False)
        story = ERTSClassifier(**params).fit(self.damaged(), Y).selection_
        aside = story.status[3:] == Status.UNRELIABLE
        np.testing.assert_array_equal(aside, np.tile(self.LOUD, (7, 1)))

    def test_both_at_once(self, params):
        params |= {"data_dropout": None, "focus_threshold": 0.25}
        params["focus"] = Reliability(Loudness())
        story = ERTSClassifier(**params).fit(self.damaged(), GIVEN).selection_
        aside = (story.status[5:] == Status.UNRELIABLE).any(axis=0)
        assert aside[self.LOUD].all()
        assert aside[WRONG].mean() > 0.6

    def test_they_are_measured_once(self, params):
        N_CALLS.clear()
        split = [(np.arange(100), np.arange(100, 120))]
        params["focus"] = Reliability(Loudness())
        ERTSClassifier(**params, validation_fraction=split).fit(X, Y)
        assert sum(N_CALLS) == 100

    def test_new_records_are_compared_with_those_of_the_training(self, params):
        params["focus"] = Reliability(Loudness(), label=False)
        clf = ERTSClassifier(**params).fit(self.damaged(), Y)
        quality = Loudness().score_samples(self.damaged())
        expected = 1 - signal_suspicion(Loudness().score_samples(X[:9]), quality)
        np.testing.assert_allclose(clf.focus_score(X[:9], Y[:9]), expected)

    def test_what_measures_nothing_fails_before_the_training(self, params):
        params["focus"] = Reliability(signal_quality="good")
        with pytest.raises(ValueError, match="'signal_quality' of Reliability must be"):
            ERTSClassifier(**params).fit(X, Y)


def test_focus_score_is_that_of_the_network_now(params):
    clf = ERTSClassifier(**params).fit(X, GIVEN)
    proba = clf.predict_proba(X)
    expected = 1 - label_suspicion(GIVEN, proba)
    np.testing.assert_allclose(clf.focus_score(X, GIVEN), expected)
    best = 1 - label_suspicion(proba.argmax(axis=1), proba)
    np.testing.assert_allclose(clf.focus_score(X), best)


def test_several_labels(params):
    several = np.eye(3, dtype=int)[Y]
    several[WRONG, 0] = 1 - several[WRONG, 0]
    story = ERTSClassifier(**params).fit(X, several).selection_
    aside = (story.status[5:] == Status.UNRELIABLE).any(axis=0)
    assert aside[WRONG].mean() > 3 * aside[~WRONG].mean()


def test_parameters_are_cloned_and_searched(params):
    quality = SignalQuality(fs=100, measures=["baseline_wander"])
    clf = ERTSClassifier(**params | {"focus": Reliability(quality)})
    twin = clone(clf).set_params(focus__signal_quality__fs=50)
    assert twin.focus.signal_quality.fs == 50
    assert clf.focus.signal_quality.fs == 100
    grid = {"focus": ["top_mass", "reliability"], "focus_threshold": [0.2, "auto"]}
    search = GridSearchCV(clf, grid, cv=2).fit(X, GIVEN)
    assert search.best_params_["focus"] in ("top_mass", "reliability")
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_misspelt_name(params):
    with pytest.raises(ValueError, match="'relability'. Did you mean 'reliability'"):
        ERTSClassifier(**params | {"focus": "relability"}).fit(X, Y)


@pytest.mark.real
def test_wrong_superclasses_are_doubted(ptbxl):  # noqa: F811 (the fixture)
    train = ptbxl(range(1, 4), single_label=True)
    given, wrong = with_wrong_labels(train.target, 0.1)
    # Few records: smaller batches make the steps before which nobody is judged.
    params = {"max_epochs": 8, "batch_size": 16, "class_weight": None}
    clf = make(module__width=8, lr=2e-3, **params)
    story = clf.fit(train.data, given).selection_
    doubted = is_doubted(story.status).any(axis=0)
    assert doubted[wrong].mean() > 2 * doubted[~wrong].mean()


def test_as_a_policy_of_ones_own(params):
    for name in ("focus", "focus_threshold", "confidence_threshold", "doubt"):
        del params[name]
    policy = FocusFilter(DBPD(0.7), Reliability(Loudness()), 0.5)
    clf = ERTSClassifier(**params, selection=policy).fit(X, GIVEN)
    flat = ERTSClassifier(
        **params,
        easy_share=0,
        confidence_threshold=0.7,
        focus=Reliability(Loudness()),
        focus_threshold=0.5,
    ).fit(X, GIVEN)
    np.testing.assert_array_equal(clf.selection_.status, flat.selection_.status)


def test_signals_in_any_container(params, tmp_path):
    """What is measured does not depend on where the records are, nor on weights."""
    params["focus"] = Reliability(Loudness())
    expected = ERTSClassifier(**params).fit(X, GIVEN)._trained.signals.scores
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = ERTSClassifier(**params).fit(mapped, GIVEN)._trained.signals.scores
    np.testing.assert_array_equal(found, expected)
    weight = (np.arange(120) % 4 != 0).astype(float)
    found = ERTSClassifier(**params).fit(X, GIVEN, sample_weight=weight)
    np.testing.assert_array_equal(found._trained.signals.scores, expected[weight > 0])
    ragged = [x[:, : 50 + i % 15] for i, x in enumerate(X)]
    params["module"] = ResNet1d
    found = ERTSClassifier(**params).fit(ragged, GIVEN)._trained.signals.scores
    np.testing.assert_allclose(found, Loudness().score_samples(ragged), rtol=1e-6)


def test_a_fitted_one_is_pickled(params):
    clf = ERTSClassifier(**params | {"focus": Reliability(Loudness())}).fit(X, GIVEN)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.focus_score(X, Y), clf.focus_score(X, Y))
    assert again.partial_fit(X, GIVEN).selection_.status.shape == (1, 120)


def looks_at(clf):
    """Return how often each record was looked at, of whatever kind."""
    return clf._trained.memory["number of proba"]


class TestLooks:
    def test_whoever_is_put_aside_is_looked_at_again(self, params):
        """After growing gaps, as the easy are; else no judgement could be revised."""
        params |= {
            "max_epochs": 17,
            "looks__probe_records": 0,
            "looks__revisit_gaps": (2, 4),
        }
        clf = ERTSClassifier(**params | {"focus_threshold": 0.5}).fit(X, GIVEN)
        status = clf.selection_.status[3:]
        always = (status == Status.UNRELIABLE).all(axis=0)
        assert always.any()
        # Three steps, by the last of which epoch 4 judges, then in epochs 6, 10 and 14.
        np.testing.assert_array_equal(looks_at(clf)[always], 3 + 3)

    def test_changed_records_count_as_looks_and_give_no_score(self, params):
        augmented = params | {"augment": lambda X, rng: X, "max_epochs": 3}
        clf = ERTSClassifier(**augmented).fit(X, GIVEN)
        # One for each step, and one when statistics are renewed at the end.
        np.testing.assert_array_equal(looks_at(clf), 4)
        assert np.isnan(clf.selection_.confidence[:-1]).all()

    def test_partial_fit_carries_on(self, params):
        clf = ERTSClassifier(**params | {"data_dropout": None, "focus_threshold": 0.2})
        for k in range(6):
            clf.partial_fit(X, GIVEN)
            assert looks_at(clf).min() >= min(k + 1, 4)
        aside = clf.selection_.status[-1] == Status.UNRELIABLE
        assert aside.any()
        once = clf.fit(X, GIVEN).selection_.status[5] == Status.UNRELIABLE
        assert (aside & once).sum() > 0.5 * aside.sum()

    def test_partial_fit_does_not_judge_records_that_are_new(self, params):
        clf = ERTSClassifier(**params).fit(X, GIVEN)
        clf.partial_fit(X[::-1], GIVEN[::-1])
        assert not (clf.selection_.status == Status.UNRELIABLE).any()
        clf.partial_fit(X[::-1], GIVEN[::-1])
        assert (clf.selection_.status == Status.UNRELIABLE).any()


def test_a_class_in_place_of_an_object(params):
    with pytest.raises(ValueError, match=r"Got Reliability: give Reliability\(\)"):
        ERTSClassifier(**params | {"focus": Reliability}).fit(X, Y)


def test_the_fitted_measure_is_a_copy(params):
    clf = ERTSClassifier(**params | {"focus": Reliability()}).fit(X, Y)
    before = clf.focus_score(X, Y)
    clf.set_params(focus__signal_quality=Loudness(), focus__label=False)
    np.testing.assert_array_equal(clf.focus_score(X, Y), before)


def test_a_measure_and_its_parameters_are_set_at_once():
    clf = ERTSClassifier().set_params(focus=Reliability(), focus__label=False)
    assert clf.focus.label is False
