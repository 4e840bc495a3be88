"""Whatever `fit` is given, it works as promised, or says what is wrong."""

import copy
import pickle
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given, note
from hypothesis import strategies as st

from sk_erts import ERTSClassifier
from sk_erts.exceptions import NonFiniteLossError
from sk_erts.selection import Status, takes_gradient
from tests.fuzz.cases import (
    LABELS,
    LAYOUTS,
    SOUND_LABELS,
    TINY,
    Lazy,
    any_labels,
    any_parameters,
    any_records,
    numbers,
    objects,
    sound_parameters,
)
from tests.fuzz.outcomes import HasBegun, refused
from tests.strategies import examples, seeds

METHODS = ("predict", "predict_proba", "predict_log_proba", "explain", "focus_score")


def is_indicator(y):
    return getattr(y, "ndim", 1) == 2 and y.shape[1] > 1


def check_proba(proba, n, clf, several):
    assert proba.shape == (n, len(clf.classes_))
    assert proba.dtype == np.float64
    assert np.isfinite(proba).all()
    assert (proba >= 0).all()
    assert (proba <= 1).all()
    if not several:
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-9)


def check_story(clf, n, n_before=0):
    """Check that each record has one status in each epoch, and all figures agree."""
    status = clf.selection_.status
    n_epochs = len(clf.kept_counts_)
    # With `warm_start` the history goes on, and the story is of the last call.
    assert len(clf.history_) == n_epochs + n_before
    assert status.shape == (n_epochs, n)
    assert set(np.unique(status)) <= set(map(int, Status))
    inside = np.zeros(n, dtype=bool)
    inside[clf._trained.rows] = True
    assert (status[:, ~inside] == Status.NOT_LOOKED_AT).all()
    n_train = inside.sum()
    counts = clf.kept_counts_
    assert counts.shape == (n_epochs,)
    assert ((counts >= 0) & (counts <= n_train)).all()
    np.testing.assert_allclose(clf.effective_epochs_, counts.sum() / n_train)
    np.testing.assert_allclose(clf.history_[-1, "EE"], clf.effective_epochs_)
    kept = takes_gradient(status).sum(axis=1)
    np.testing.assert_array_equal(kept, counts)
    shares = np.stack([clf.selection_.share(one) for one in Status if one])
    looked_at = (status != Status.NOT_LOOKED_AT).any(axis=1)
    np.testing.assert_allclose(shares.sum(axis=0), looked_at)
    assert clf.scoring_passes_ >= 0
    known = clf.selection_.confidence[~np.isnan(clf.selection_.confidence)]
    assert ((known >= 0) & (known <= 1)).all()


def check_fitted(clf, X, n, *, several, n_before=0):
    """Check what is promised of a fitted classifier."""
    check_story(clf, n, n_before)
    error, proba = refused(lambda: clf.predict_proba(X))
    if error is not None:  # a network that has grown beyond all numbers
        assert isinstance(error, NonFiniteLossError)
        return
    check_proba(proba, n, clf, several)
    _, predicted = refused(lambda: clf.predict(X))
    if several:
        np.testing.assert_array_equal(predicted, proba > 0.5)
    else:
        assert set(predicted.tolist()) <= set(clf.classes_.tolist())
        np.testing.assert_array_equal(predicted, clf.classes_[proba.argmax(axis=1)])
    _, log_proba = refused(lambda: clf.predict_log_proba(X))
    assert not np.isnan(log_proba).any()
    assert (log_proba <= 0).all()


def state_of(clf):
    """Return all that a classifier knows, to be compared."""
    return pickle.dumps({k: v for k, v in vars(clf).items() if k != "callbacks"})


def content(X):
    """Return all bytes of records, to be compared."""
    if isinstance(X, Lazy):
        return content(X.X)
    if isinstance(X, list | tuple) or getattr(X, "dtype", "") == "O":
        return [content(x) for x in X]
    return np.asarray(X).tobytes()


@examples(50)
@given(X=any_records(), seed=seeds)
@example(X=[[datetime(1970, 1, 1)]], seed=0)
def test_any_records(X, seed):
    n = len(X) if hasattr(X, "__len__") else 0
    y = np.arange(n) % 2
    before = content(X)
    begun = HasBegun()
    clf = ERTSClassifier(**TINY, callbacks=[begun])
    error, _ = refused(lambda: clf.fit(X, y), begun)
    assert content(X) == before
    if error is None:
        check_fitted(clf, X, n, several=False)
        for method in METHODS:
            refused(lambda m=method: getattr(clf, m)(X))
        assert content(X) == before
    elif not isinstance(error, NonFiniteLossError):
        assert not hasattr(clf, "classes_")


@examples(50)
@given(data=st.data(), X=numbers(specials=False))
def test_any_labels(data, X):
    X = X.astype(np.float32)
    y = data.draw(any_labels(len(X)))
    begun = HasBegun()
    clf = ERTSClassifier(**TINY, callbacks=[begun])
    error, _ = refused(lambda: clf.fit(X, y), begun)
    if error is not None:
        assert isinstance(error, ValueError)
        return
    several = is_indicator(y)
    check_fitted(clf, X, len(X), several=several)
    if several:
        names = getattr(y, "columns", range(y.shape[1]))
        assert clf.classes_.tolist() == list(names)
    else:
        labels = np.asarray(y).ravel().tolist()
        assert clf.classes_.tolist() == sorted(set(labels))


@examples(50)
@given(
    params=sound_parameters(),
    kind=st.sampled_from(SOUND_LABELS),
    X=numbers(specials=False),
    seed=seeds,
)
def test_sound_parameters(params, kind, X, seed):
    """What the documentation allows works, twice with the same result."""
    n, rng = len(X), np.random.default_rng(seed)
    X = np.clip(X, -5, 5).astype(np.float32)
    y = LABELS[kind](np.arange(n) % 3 if n > 2 else np.arange(n), rng)
    params = TINY | params
    note(repr(params))
    error, clf = refused(lambda: ERTSClassifier(**copy.deepcopy(params)).fit(X, y))
    if error is not None:
        said = ("describe a policy", "reaches nothing", "two classes", "leaves no rec")
        said += ("should be greater or equal to", "With n_samples=", "not finite")
        assert any(words in str(error) for words in said), error
        return
    check_fitted(clf, X, n, several=is_indicator(y))
    _, again = refused(lambda: ERTSClassifier(**copy.deepcopy(params)).fit(X, y))
    np.testing.assert_array_equal(clf.selection_.status, again.selection_.status)
    np.testing.assert_array_equal(clf.predict_proba(X), again.predict_proba(X))
    assert clf.effective_epochs_ == again.effective_epochs_


@pytest.fixture(scope="module")
def fitted():
    X = np.random.default_rng(0).normal(size=(12, 2, 20)).astype(np.float32)
    return ERTSClassifier(**TINY).fit(X, np.arange(12) % 2)


@examples(50)
@given(params=any_parameters())
@example(params={"warm_start": True, "data_dropout": None})
@example(params={"warm_start": pd.NA})
@example(params={"criterion": len})
@example(params={"criterion": object})
@example(params={"focus": len})
@example(params={"augment": len})
@example(params={"augment": object})
def test_any_parameters(fitted, params):
    """What is not allowed is refused before the training; who was fitted stays so."""
    begun = HasBegun()
    clf = copy.deepcopy(fitted)
    X = np.random.default_rng(1).normal(size=(10, 2, 20))
    before = {k: v for k, v in vars(clf).items() if k.endswith("_")}
    proba = clf.predict_proba(X)
    error, _ = refused(lambda: clf.set_params(**copy.deepcopy(params)))
    if error is None:
        own = params.get("callbacks")
        if own is None or (isinstance(own, list) and not own):
            clf.callbacks = [begun]
        error, _ = refused(lambda: clf.fit(X, np.arange(10) % 2), begun)
    if error is None:
        n_before = len(fitted.history_) if clf.warm_start else 0
        check_fitted(clf, X, 10, several=False, n_before=n_before)
        return
    note(f"{error!r}")
    assert isinstance(error, ValueError)
    after = {k: v for k, v in vars(clf).items() if k.endswith("_")}
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    np.testing.assert_array_equal(clf.predict_proba(X), proba)


ALIKE = LAYOUTS | {
    "double": lambda X: X.astype(np.float64),
    "longest": lambda X: X.astype(np.longdouble),
    "objects": objects,
    "object numbers": lambda X: X.astype(object),
    "lazy": Lazy,
    "list": np.ndarray.tolist,
    "list of arrays": list,
    "tensor": torch.from_numpy,
}


@examples(30)
@given(
    X=numbers(specials=False), name=st.sampled_from(list(ALIKE)), k=st.integers(0, 9)
)
def test_the_same_numbers_in_memory_otherwise(X, name, k):
    """The result hangs on the numbers, not on how they lie, in bits."""
    X = (X / max(1, np.abs(X).max() / 5)).astype(np.float32)
    X = X[:, 0] if k == 0 and name != "objects" else X
    y, other = np.arange(len(X)) % 2, ALIKE[name](X)
    results = []
    for own in (X, other):
        clf = ERTSClassifier(**TINY)
        error, _ = refused(lambda clf=clf, own=own: clf.fit(own, y))
        assert error is None, error
        _, maps = refused(lambda clf=clf, own=own: clf.explain(own))
        results.append((clf.selection_.status, clf.predict_proba(own), maps))
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


@examples(50)
@given(data=st.data(), X=any_records(), method=st.sampled_from(METHODS))
def test_any_new_records(fitted, data, X, method):
    """A fitted classifier tells of any records, or says why not, and is left alone."""
    if data.draw(st.booleans()):
        n_times = fitted.n_times_in_
        X = data.draw(numbers())
        X = np.resize(X, (len(X), fitted.n_leads_in_, n_times))
    before, state = content(X), state_of(fitted)
    error, said = refused(lambda: getattr(fitted, method)(X))
    assert content(X) == before
    assert state_of(fitted) == state
    if error is not None:
        return
    assert len(said) == len(X)
    if method != "predict":
        assert not np.isnan(np.asarray(said, dtype=np.float64)).any()
    if method == "predict_proba":
        check_proba(said, len(X), fitted, several=False)


@examples(30)
@given(
    data=st.data(),
    n=st.integers(2, 8),
    n_samples=st.one_of(st.integers(-1, 5), st.sampled_from([None, 2.5, True])),
)
def test_any_labels_and_numbers_of_methods(fitted, data, n, n_samples):
    X = np.random.default_rng(n).normal(size=(n, 2, 20)).astype(np.float32)
    y = data.draw(any_labels(n))
    error, scores = refused(lambda: fitted.focus_score(X, y))
    if error is None:
        assert scores.shape == (n,)
        assert np.isfinite(scores).all()
    error, table = refused(lambda: fitted.audit(X, y))
    if error is None:
        assert sorted(table["record"]) == list(range(n))
        assert table["suspicion"].between(0, 1).all()
        assert isinstance(table, pd.DataFrame)
    target = y if data.draw(st.booleans()) else data.draw(st.sampled_from([0, 1, "a"]))
    error, maps = refused(lambda: fitted.explain(X, target=target))
    if error is None:
        assert maps.shape == (n, 20)
        assert (maps >= 0).all()
    error, sure = refused(lambda: fitted.predict_uncertainty(X, n_samples=n_samples))
    if error is None:
        assert type(n_samples) is int
        assert n_samples >= 2
        check_proba(sure.proba, n, fitted, several=False)
        assert (sure.epistemic >= 0).all()
        np.testing.assert_allclose(
            sure.total, sure.aleatoric + sure.epistemic, atol=1e-9
        )
