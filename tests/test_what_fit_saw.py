"""Inputs that would fit without a word, and new records unlike those of fit."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from sk_erts import ERTSClassifier
from sk_erts._records.overview import is_flat, look_over
from sk_erts.beats import r_peaks
from sk_erts.exceptions import DoubtfulInputWarning
from sk_erts.metrics import deletion_curve
from sk_erts.preprocessing import BandPass, Standardize
from sk_erts.quality import SignalQuality, baseline_wander, signal_quality
from tests.conftest import bumps

X, Y, _ = bumps(40)


@pytest.fixture(scope="module")
def clf(small):
    return ERTSClassifier(**small | {"max_epochs": 1})


@pytest.fixture(scope="module")
def fitted(clf):
    return clone(clf).fit(X, Y)


def told(function, *args):
    """Return what is warned of, once each."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*args)
    assert all(w.category is DoubtfulInputWarning for w in found)
    return [str(w.message) for w in found]


class Lazy:
    """A collection that counts what is read of it."""

    def __init__(self, X):
        self.X = X
        self.n_read = 0

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        self.n_read += 1
        return self.X[i]


class Told(Lazy):
    """A collection that tells frequency and leads."""

    def __init__(self, X, fs, lead_names):
        super().__init__(X)
        self.fs, self.lead_names = fs, lead_names


def flat_at(*rows, of=X):
    flat = of.copy()
    flat[list(rows)] = 0.3
    return flat


def ways(X):
    """Yield the same records in all that can be given to fit."""
    yield X
    yield X.astype(float).tolist()
    yield [*X[:-1], X[-1, :, :50]]
    yield Lazy(X)


class TestTheirSide:
    WIDE = np.random.default_rng(0).normal(size=(40, 40, 12)).astype(np.float32)

    def test_times_before_leads(self, clf):
        (message,) = told(clone(clf).fit, self.WIDE, Y)
        assert "40 leads and 12 time steps" in message
        assert "Pass X.transpose(0, 2, 1)." in message

    def test_a_collection_is_told_what_to_do_with_each_record(self, clf):
        (message,) = told(clone(clf).fit, Lazy(self.WIDE), Y)
        assert "records x.T" in message

    def test_records_of_different_lengths_are_refused(self, clf):
        some = [x[: 20 + i] for i, x in enumerate(np.repeat(self.WIDE, 2, axis=1))]
        with pytest.raises(ValueError, match=r"Got \(21, 12\).* \[x.T for x in X\]"):
            clone(clf).fit(some, Y)

    @pytest.mark.parametrize("shape", [(40, 2, 1), (40, 16, 8), (40, 40, 40), (40, 9)])
    def test_small_and_wide_records_are_left_alone(self, clf, shape):
        some = np.random.default_rng(0).normal(size=shape)
        assert told(clone(clf).fit, some, Y) == []

    @pytest.mark.parametrize(
        "function",
        [
            BandPass(100).transform,
            Standardize().fit_transform,
            SignalQuality(100).fit,
            lambda X: signal_quality(X, 100),
            lambda X: baseline_wander(X, 100),
            lambda X: r_peaks(X, 100),
        ],
    )
    def test_all_that_take_records_tell(self, function):
        records = np.random.default_rng(0).normal(size=(3, 400, 100))
        messages = set(told(function, records))
        assert all("400 leads and 100 time steps" in message for message in messages)
        turned = {message.partition("Pass ")[2] for message in messages}
        assert turned in ({"X.transpose(0, 2, 1)."}, {f"X[{i}].T." for i in range(3)})
        assert told(function, records.transpose(0, 2, 1)) == []

    def test_the_warning_points_at_the_users_line(self, clf):
        with pytest.warns(DoubtfulInputWarning) as found:
            clone(clf).fit(self.WIDE, Y)
        assert found[0].filename == __file__


def twelve_leads():
    rng = np.random.default_rng(0)
    one, two = rng.normal(scale=0.2, size=(2, 40, 50))
    rest = rng.normal(scale=0.2, size=(40, 6, 50))
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.concatenate([np.stack(limb, axis=1), rest], axis=1)


class TestSeveralLeadsInOneRow:
    TWELVE = twelve_leads()

    def test_leads_first(self, clf):
        (message,) = told(clone(clf).fit, self.TWELVE.reshape(40, -1), Y)
        assert "X.reshape(len(X), 12, -1)" in message

    def test_times_first(self, clf):
        rows = self.TWELVE.transpose(0, 2, 1).reshape(40, -1)
        (message,) = told(clone(clf).fit, rows, Y)
        assert "X.reshape(len(X), -1, 12).transpose(0, 2, 1)" in message

    def test_one_long_lead_is_one_lead(self, clf):
        rng = np.random.default_rng(1)
        wave = np.sin(np.arange(600) / 5) + rng.normal(scale=0.1, size=(40, 600))
        assert told(clone(clf).fit, wave, Y) == []
        assert told(clone(clf).fit, self.TWELVE, Y) == []


class TestUnit:
    @pytest.mark.parametrize(
        ("times", "remedy"), [(1000, "X / 1000 if it"), (0.001, "X * 1000 if it")]
    )
    def test_of_fit(self, clf, times, remedy):
        for some in ways(X * np.float32(times)):
            (message,) = told(clone(clf).fit, some, Y)
            assert "should be in mV" in message
            assert remedy in message

    def test_an_offset_is_no_unit_and_standardised_records_have_one(self, clf):
        assert told(clone(clf).fit, X + 1000, Y) == []
        assert told(clone(clf).fit, (X - X.mean()) / X.std(), Y) == []

    @pytest.mark.parametrize("method", ["predict", "predict_proba", "explain"])
    def test_of_new_records(self, fitted, method):
        ask = getattr(fitted, method)
        assert told(ask, X) == []
        (message,) = told(ask, 1000 * X)
        assert "amplitude (standard deviation) of 1" in message
        assert "records of fit had 0.1" in message
        assert "X / 1000 if X is in microvolts" in message
        (message,) = told(ask, X / 1000)
        assert "X * 1000 if X is in volts" in message
        assert told(ask, 20 * X) == told(ask, X / 20) == []

    def test_of_records_to_score_and_audit(self, fitted):
        assert len(told(fitted.focus_score, 1000 * X, Y)) == 1
        assert len(told(fitted.audit, 1000 * X, Y)) == 1

    def test_of_the_next_part(self, clf):
        part = clone(clf).partial_fit(X, Y)
        (message,) = told(part.partial_fit, 1000 * X, Y)
        assert "records of fit had" in message
        assert told(part.partial_fit, X, Y) == []  # the first is what counts

    def test_of_a_collection_and_of_records_of_any_length(self, clf):
        for some, new in zip(ways(X), ways(1000 * X), strict=True):
            fitted = clone(clf).fit(some, Y)
            assert len(told(fitted.predict, new)) == 1

    def test_one_that_cannot_be_a_unit(self, fitted):
        (message,) = told(fitted.predict, 200 * X)
        assert "with its preprocessing" in message


class TestFlat:
    def test_in_fit(self, clf):
        for some in ways(flat_at(4, 17)):
            (message,) = told(clone(clf).fit, some, Y)
            assert "2 records of X are flat (4, 17)" in message
            assert "leave them out" in message
        (message,) = told(clone(clf).fit, flat_at(*range(3, 12)), Y)
        assert "9 records of X are flat (3, 4, 5, 6, 7, ...)" in message

    def test_in_a_memory_map(self, clf, tmp_path):
        np.save(tmp_path / "x.npy", flat_at(39))
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        (message,) = told(clone(clf).fit, mapped, Y)
        assert "record 39 of X is flat" in message

    def test_new_ones(self, fitted):
        for ask in (fitted.predict, fitted.predict_proba, fitted.explain):
            (message,) = told(ask, flat_at(5))
            assert "record 5 of X is flat" in message
            assert "means nothing" in message

    def test_one_lead_that_moves_is_enough(self, fitted):
        one_flat = X.copy()
        one_flat[:, 1] = 0
        assert told(fitted.predict, one_flat) == []

    def test_what_a_glance_at_some_steps_does_not_tell(self):
        still = np.zeros((3, 2, 1000))
        still[1, 1, 501] = 1
        still[2] = 5
        assert is_flat(still).tolist() == [True, False, True]

    def test_short_records_are_not_judged(self):
        assert not is_flat(np.zeros((3, 1, 31))).any()
        assert np.isnan(look_over([(np.arange(3), np.zeros((3, 1, 31)))], 3).amplitude)

    def test_what_is_occluded_on_purpose_is_not_told(self, fitted):
        def curve():
            deletion_curve(
                fitted.predict_proba, X[:4], fitted.explain(X[:4]), 0, baseline=0.0
            )

        assert told(curve) == []


class TestWhatACollectionTells:
    def test_frequency_and_leads(self, clf):
        fitted = clone(clf).fit(Told(X, 500, ("I", "AVR")), Y)
        assert told(fitted.predict, Told(X, 500, ("I", "aVR"))) == []
        (message,) = told(fitted.predict, Told(X, 250, ("I", "aVR")))
        assert "250 Hz; the records of fit were at 500 Hz" in message
        (message,) = told(fitted.predict, Told(X, 500, ("aVR", "I")))
        assert "leads aVR, I; the records of fit had I, aVR" in message
        assert told(fitted.predict, X) == []

    def test_little_is_read_twice(self, fitted):
        for n in (40, 1000):
            lazy = Lazy(np.resize(X, (n, 2, 64)))
            fitted.predict(lazy)
            twice = lazy.n_read - 1 - len(lazy)  # one for the shape
            assert twice <= min(32, n // 8)


def test_no_record_is_kept(fitted):
    assert len(pickle.dumps(fitted._seen)) < 500


def test_a_failed_fit_forgets_nothing(clf):
    fitted = clone(clf).fit(X, Y)
    with (
        pytest.warns(DoubtfulInputWarning),
        pytest.raises(ValueError, match="one class"),
    ):
        fitted.fit(1000 * X, np.ones(40))
    assert told(fitted.predict, X) == []


class TestOneHot:
    HOT = np.eye(3, dtype=int)[Y]

    @pytest.mark.parametrize(
        ("of", "remedy"),
        [
            (np.asarray, "y.argmax(axis=1)"),
            (sparse.csr_array, "y.argmax(axis=1)"),
            (np.ndarray.tolist, "numpy.argmax(y, axis=1)"),
            (pd.DataFrame, "y.idxmax(axis=1)"),
        ],
        ids=["array", "sparse", "list", "frame"],
    )
    def test_is_told(self, clf, of, remedy):
        (message,) = told(clone(clf).fit, X, of(self.HOT))
        assert "taken for 3 labels" in message
        assert f"pass {remedy}." in message

    def test_several_labels_are_not(self, clf):
        several = self.HOT.copy()
        several[5] = [1, 1, 0]
        assert told(clone(clf).fit, X, several) == []
        several[5] = 0
        assert told(clone(clf).fit, X, several) == []
        assert told(clone(clf).fit, X, self.HOT[:, :2]) == []
        assert told(clone(clf).fit, X[:9], self.HOT[:9]) == []
