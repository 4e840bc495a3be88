import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sk_erts._records.records import RaggedRecords, Records
from sk_erts.selection import _signal_scores
from sk_erts.selection._signal_scores import score_signals

X = np.random.default_rng(0).normal(size=(50, 2, 30)).astype(np.float32)
NAME = "The 'quality' of a test"


class Loudness(BaseEstimator):
    """Score by the distance from the mean amplitude; counts what it is given."""

    def fit(self, X):
        self.n_fitted_ = len(X)
        self.mean_ = np.mean([np.abs(x).mean() for x in X])
        return self

    def score_samples(self, X):
        return np.array([np.abs(x).mean() - self.mean_ for x in X])


def expected(records, fitted_on=None):
    loudness = np.array([np.abs(x).mean() for x in records])
    return loudness - (loudness if fitted_on is None else loudness[fitted_on]).mean()


@pytest.mark.parametrize("at_once", [7, 50, 256])
def test_pieces_are_scored_as_the_whole(monkeypatch, at_once):
    monkeypatch.setattr(_signal_scores, "N_AT_ONCE", at_once)
    rows = np.arange(49, -1, -2)
    found = score_signals(Loudness(), Records(X), rows, NAME)
    np.testing.assert_allclose(found.scores, expected(X[rows]), atol=1e-6)


def test_it_is_fitted_on_some_that_lie_evenly(monkeypatch):
    monkeypatch.setattr(_signal_scores, "N_FITTED", 8)
    found = score_signals(Loudness(), Records(X), np.arange(50), NAME)
    assert found.estimator.n_fitted_ == 8
    spaced = [0, 7, 14, 21, 28, 35, 42, 49]
    np.testing.assert_allclose(found.scores, expected(X, spaced), atol=1e-6)


def test_records_of_different_lengths_come_without_padding():
    records = [x[:, : 10 + i % 7] for i, x in enumerate(X)]
    found = score_signals(Loudness(), RaggedRecords(records), np.arange(50), NAME)
    np.testing.assert_allclose(found.scores, expected(records), atol=1e-6)


def test_the_estimator_is_copied_unless_it_is_fitted():
    own = Loudness()
    fitted = score_signals(own, Records(X), np.arange(50), NAME).estimator
    assert not hasattr(own, "n_fitted_")
    again = score_signals(fitted, Records(X[:5]), np.arange(5), NAME, fitted=True)
    assert again.estimator is fitted
    np.testing.assert_allclose(again.scores, expected(X)[:5], atol=1e-6)


def test_bad_estimators():
    def score(estimator):
        score_signals(estimator, Records(X), np.arange(50), NAME)

    with pytest.raises(ValueError, match="'quality' of a test must be measured by an"):
        score(np.ones(50))
    with pytest.raises(ValueError, match="must be measured"):
        score("good")

    class Nan(Loudness):
        def score_samples(self, X):
            return np.full(len(X), np.nan)

    class Few(Loudness):
        def score_samples(self, X):
            return np.ones(3)

    with pytest.raises(ValueError, match=r"the shape \(50,\) with 50 values that"):
        score(Nan())
    with pytest.raises(ValueError, match=r"each of 50 records.* Got the shape \(3,\)"):
        score(Few())
