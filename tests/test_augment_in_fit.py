"""Augmentation inside fit: steps see changed records, judgements do not."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.augmentation import AddNoise, ScaleAmplitude
from sk_erts.models import PooledLinear
from sk_erts.selection import Status
from tests.conftest import bumps

X, Y, _ = bumps(64)


class Plain(nn.Module):
    """A network without normalisation, which a tiny `lr` leaves as it is."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(n_leads, 8, 9, 2, 4), nn.ReLU())
        self.head = PooledLinear(8, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


def erase(X, rng):
    return X * 0 + 5


def make(**params):
    return ERTSClassifier(
        Plain,
        **{
            "max_epochs": 5,
            "warmup_epochs": (1, 1),
            "looks__first_step": 0,
            "batch_size": 16,
            "random_state": 0,
            "verbose": 0,
            "looks__precision": "float32",
            **params,
        },
    )


def test_the_ledger_holds_what_the_network_says_of_the_records_as_they_are():
    of_map = {"focus": "top_mass", "focus_threshold": 0.2, "revision_epochs": 1}
    clf = make(augment=erase, lr=1e-12, confidence_threshold=0.35, **of_map).fit(X, Y)

    truth = clf.predict_proba(X)[np.arange(len(X)), Y]
    story = clf.selection_
    measured = np.isfinite(story.confidence)
    assert measured[1:4].sum() > len(X)
    expected = np.broadcast_to(truth, measured.shape)[measured]
    np.testing.assert_allclose(story.confidence[measured], expected, atol=1e-3)
    with_focus = np.isfinite(story.focus)
    assert with_focus.any()
    expected = np.broadcast_to(clf.focus_score(X, Y), with_focus.shape)[with_focus]
    np.testing.assert_allclose(story.focus[with_focus], expected, atol=1e-3)
    # In the warm-up nobody looks at a record as it is.
    assert not measured[0].any()
    assert set(np.unique(story.status[0])) == {Status.TRAINED}


def test_steps_see_changed_records_and_nothing_else_does():
    seen = []

    def look(X, rng):
        seen.append(len(X))
        return X

    clf = make(augment=look, early_stopping="best").fit(X, Y)
    tried_out, *in_steps = seen
    clf.predict(X)
    clf.explain(X)

    assert tried_out == 16  # a batch
    assert sum(in_steps) == clf.kept_counts_.sum()
    assert len(seen) == 1 + len(in_steps)


def test_training_learns_from_the_changed_records():
    learned = make(lr=0.01, max_epochs=10, data_dropout=None, focus=None)
    kept = clone(learned).fit(X, Y).score(X, Y)
    erased = clone(learned).set_params(augment=erase).fit(X, Y).score(X, Y)

    assert kept > erased + 0.2


def test_steps_are_taken_in_the_order_of_the_list():
    def is_doubled(X, rng):
        assert (X == 10).all()
        return X

    make(augment=[erase, lambda X, rng: X * 2, is_doubled], max_epochs=1).fit(X, Y)


def test_the_seed_decides_and_selection_does_not_hang_on_it():
    def draws(X, rng):
        rng.random(1000)
        return X

    noisy = make(augment=AddNoise(0.5))
    first, second = clone(noisy).fit(X, Y), clone(noisy).fit(X, Y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))

    still = make(augment=lambda X, rng: X).fit(X, Y)
    drawing = make(augment=draws).fit(X, Y)
    np.testing.assert_array_equal(drawing.selection_.status, still.selection_.status)


def test_records_of_different_lengths_are_changed_without_their_padding():
    lengths = np.resize([64, 40, 25], len(X))
    ragged = [x[:, :n] for x, n in zip(X, lengths, strict=True)]
    seen = []

    def shift_by_one(X, rng):
        seen.append(X.shape)
        return np.roll(X, 1, axis=2)

    params = {"max_epochs": 2, "data_dropout": None, "focus": None, "lr": 0.01}
    inside = ERTSClassifier(
        "resnet1d",
        module__width=4,
        module__blocks=(1,),
        augment=shift_by_one,
        looks__probe_records=0,  # statistics are renewed from records as they are
        random_state=0,
        verbose=0,
        **params,
    )
    before = clone(inside).set_params(augment=None)

    inside.fit(ragged, Y)
    before.fit([np.roll(x, 1, axis=1) for x in ragged], Y)

    assert set(seen) == {(1, 2, 64), (1, 2, 40), (1, 2, 25)}
    np.testing.assert_allclose(
        inside.predict_proba(ragged), before.predict_proba(ragged), atol=1e-5
    )


def test_workers_fetch_and_the_batch_is_changed_once():
    there = make(augment=AddNoise(0.5), max_epochs=2)
    workers = clone(there).set_params(iterator_train__num_workers=1)

    np.testing.assert_array_equal(
        there.fit(X, Y).predict_proba(X), workers.fit(X, Y).predict_proba(X)
    )


def test_its_parameters_can_be_searched():
    search = GridSearchCV(
        make(augment=ScaleAmplitude(), max_epochs=2),
        {"augment__largest": [1.1, 1.5]},
        cv=2,
    ).fit(X, Y)

    assert search.best_estimator_.augment.largest in (1.1, 1.5)
    assert search.estimator.augment.largest == 1.25


@pytest.mark.parametrize("wrong", [3, "noise", [AddNoise(), 3]])
def test_what_cannot_be_called_is_refused(wrong):
    with pytest.raises(ValueError, match="'augment' parameter of ERTSClassifier must"):
        make(augment=wrong).fit(X, Y)


@pytest.mark.parametrize("wrong", [AddNoise, [AddNoise(), AddNoise]])
def test_a_class_is_refused(wrong):
    message = r"'augment' .* not a class. Got AddNoise: give AddNoise\(\)"
    with pytest.raises(ValueError, match=message):
        make(augment=wrong).fit(X, Y)


class NoStep(Callback):
    def on_train_begin(self, net, **kwargs):
        raise AssertionError("the training has begun")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda X, rng: np.repeat(X, 2, axis=2),
            r"got, \(16, 2, 64\), or shorter.* 128",
        ),
        (lambda X, rng: X[:1], r"got, \(16, 2, 64\), or shorter ones. Got \(1, "),
        (
            lambda X: X,
            r"must take records and a generator, .*\(16, 2, 64\), it fails wi",
        ),
        (lambda X, rng: X + "mV", "it fails with UFuncTypeError"),
        (lambda X, rng: None, r"must return records .* Got \(\) instead"),
    ],
)
def test_what_cannot_work_fails_before_the_training(wrong, message):
    with pytest.raises(ValueError, match=rf"'augment' function .*{message}"):
        make(augment=wrong, callbacks=[NoStep()]).fit(X, Y)


def test_records_of_a_batch_may_be_mixed():
    def three(X, rng):
        rows = rng.choice(len(X), 3, replace=False)
        return X + X[rows].mean(axis=0)

    make(augment=three, data_dropout=None, focus=None).fit(X, Y)


def test_an_error_in_the_training_is_told_as_it_is():
    calls = []

    def fails_later(X, rng):
        calls.append(len(X))
        if len(calls) > 2:
            raise TypeError("later")
        return X

    with pytest.raises(TypeError, match="^later$"):
        make(augment=fails_later).fit(X, Y)


def test_to_try_it_out_changes_no_record_and_draws_nothing():
    def in_place(X, rng):
        X += 1
        return X

    before = X.copy()
    draws = make(augment=AddNoise(0.5), max_epochs=2).fit(X, Y)
    first = [AddNoise(0.5), in_place, lambda X, rng: X - 1]
    also = make(augment=first, max_epochs=2).fit(X, Y)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(draws.predict_proba(X), also.predict_proba(X), atol=1e-4)
