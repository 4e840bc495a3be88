"""Wrong labels and bad signals, found again by the estimator."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from torch.utils.data import Dataset

from sk_erts import ERTSClassifier
from sk_erts._records.task import SeveralLabels, make_task
from sk_erts.datasets import make_ecg
from sk_erts.exceptions import DoubtfulInputWarning
from sk_erts.selection._audit import audit_table
from tests.conftest import bumps
from tests.test_real_ecg import make, ptbxl  # noqa: F401 (a fixture)

COLUMNS = [
    "record",
    "label",
    "predicted",
    "confidence",
    "suspicion",
    "reason",
    "source",
]
X, Y, _ = bumps(60)


class Flatness(BaseEstimator):
    """Call the records good that move."""

    def fit(self, X):
        self.fitted_ = True
        return self

    def score_samples(self, X):
        return X.std(axis=(1, 2))


class Pairs(Dataset):
    """Records with their labels."""

    def __len__(self):
        return len(X)

    def __getitem__(self, i):
        return X[i], Y[i]


def with_wrong_labels(y, share, seed=0):
    rng = np.random.default_rng(seed)
    classes = np.unique(y)
    wrong = np.zeros(len(y), dtype=bool)
    wrong[rng.permutation(len(y))[: round(share * len(y))]] = True
    shift = rng.integers(1, len(classes), len(y)) * wrong
    return classes[(np.searchsorted(classes, y) + shift) % len(classes)], wrong


def auroc(table, wrong):
    return roc_auc_score(wrong[table["record"]], table["suspicion"])


@pytest.fixture(scope="module")
def fitted(small):
    return ERTSClassifier(**small).fit(X, Y)


@pytest.mark.parametrize("full", [True, False], ids=["full data", "selection"])
def test_wrong_labels_come_first(full):
    X, y = make_ecg(
        200, n_leads=2, duration_s=3, classes=("NORM", "BBB", "PVC"), random_state=0
    )
    given, wrong = with_wrong_labels(y, 0.1)
    clf = ERTSClassifier(
        module__width=8,
        max_epochs=12,
        batch_size=16,
        lr=0.005,
        random_state=0,
        verbose=0,
        **({"data_dropout": None, "focus": None} if full else {}),
    ).fit(X, given)
    table = clf.audit(X, given)
    assert auroc(table, wrong) > 0.95
    assert wrong[table["record"][:10]].all()
    assert (table["source"] == "training").all()


def test_the_table(fitted):
    table = fitted.audit(X, Y)
    assert table.columns.to_list() == COLUMNS
    assert sorted(table["record"]) == list(range(60))
    assert table["suspicion"].is_monotonic_decreasing
    assert table["suspicion"].between(0, 1).all()
    np.testing.assert_array_equal(table["label"], Y[table["record"]])
    np.testing.assert_array_equal(
        table["predicted"], fitted.predict(X)[table["record"]]
    )
    story = fitted.selection_.mean_proba[np.arange(60), Y]
    np.testing.assert_allclose(table["confidence"], story[table["record"]], atol=1e-6)


def test_a_data_set_brings_its_labels(fitted):
    assert fitted.audit(Pairs()).equals(fitted.audit(X, Y))


@pytest.mark.parametrize(
    "other",
    [
        (X[::-1], Y[::-1]),
        (X + 1e-3, Y),
        (X, np.where(np.arange(60) == 30, (Y + 1) % 3, Y)),
        (X[:50], Y[:50]),
    ],
    ids=["order", "records", "one label", "fewer"],
)
def test_the_story_of_other_records_is_not_told(fitted, other):
    X, y = other
    table = fitted.audit(X, y)
    assert (table["source"] == "network").all()
    latest = fitted.predict_proba(X)[np.arange(len(y)), y]
    np.testing.assert_allclose(table["confidence"], latest[table["record"]])


def test_records_set_aside_are_judged_by_the_network(small):
    split = [(np.arange(0, 50), np.arange(50, 60))]
    clf = ERTSClassifier(**small, validation_fraction=split).fit(X, Y)
    table = clf.audit(X, Y).set_index("record").sort_index()
    assert (table["source"][:50] == "training").all()
    assert (table["source"][50:] == "network").all()
    latest = clf.predict_proba(X)[np.arange(60), Y]
    np.testing.assert_allclose(table["confidence"][50:], latest[50:])


class TestSignal:
    def test_a_bad_signal_is_the_reason(self, fitted):
        quality = np.ones(60)
        quality[[4, 11]] = -3, 0
        table = fitted.audit(X, Y, signal_quality=quality)
        assert table["record"][0] == 4
        assert table["reason"][0] == "signal"
        bad = table.set_index("record").loc[4]
        # The mean is 1 - 5/60; the deviations are those of two records.
        assert bad["suspicion"] == pytest.approx(0.98, abs=0.01)
        without = fitted.audit(X, Y).set_index("record")
        assert (without["reason"] != "signal").all()
        assert bad["confidence"] == without.loc[4, "confidence"]

    def test_an_estimator_of_quality_is_fitted_as_a_copy(self, fitted):
        flat = X.copy()
        flat[7] = 0
        quality = Flatness()
        with pytest.warns(DoubtfulInputWarning, match="record 7 of X is flat"):
            table = fitted.audit(flat, Y, signal_quality=quality)
        assert table.loc[table["record"] == 7, "reason"].item() == "signal"
        assert not hasattr(quality, "fitted_")

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (np.ones(59), r"for each of the 60 records. Got the shape \(59,\)"),
            (np.full(60, np.nan), "with 60 values that are not finite instead"),
            ("good", "array of numbers, or an object .* Got str instead"),
        ],
    )
    def test_bad_scores(self, fitted, bad, message):
        with pytest.raises(ValueError, match=message):
            fitted.audit(X, Y, signal_quality=bad)


def test_the_greater_suspicion_names_the_reason():
    proba = np.array([[0.9, 0.1], [0.1, 0.9], [0.4, 0.6], [0.9, 0.1]])
    table = audit_table(
        make_task(["A", "B"]),
        np.array([0, 0, 0, 0]),
        proba,
        None,
        np.array([1.0, 1.0, 1.0, 0.0]),  # suspicion 0.75
    )
    assert table["record"].to_list() == [1, 3, 2, 0]
    assert table["reason"].to_list() == ["label", "signal", "ambiguous", "label"]
    np.testing.assert_allclose(table["suspicion"], [0.9, 0.75, 0.6, 0.1])


def test_equal_suspicion_keeps_the_order_of_the_records():
    proba = np.tile([[0.5, 0.5], [0.2, 0.8]], (100, 1))
    table = audit_table(make_task([0, 1]), np.zeros(200, int), proba, None, None)
    expected = [*range(1, 200, 2), *range(0, 200, 2)]
    assert table["record"].to_list() == expected


class TestBadInput:
    def test_before_fit(self):
        with pytest.raises(NotFittedError):
            ERTSClassifier().audit(X, Y)

    def test_no_labels(self, fitted):
        with pytest.raises(ValueError, match="audit must have the labels 'y'"):
            fitted.audit(X)

    def test_labels_of_another_number(self, fitted):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            fitted.audit(X, Y[:50])

    def test_unknown_labels(self, fitted):
        with pytest.raises(ValueError, match=r"labels \[9\], which were not seen"):
            fitted.audit(X, np.where(Y == 0, 9, Y))


class TestSeveralLabels:
    def test_the_doubtful_label_is_named(self):
        codes = np.array([[1, 0], [1, 0], [1, 0]])
        proba = np.array([[0.9, 0.2], [0.9, 0.7], [0.2, 0.6]])
        table = audit_table(
            SeveralLabels(np.array(["MI", "CD"])), codes, proba, None, None
        )
        assert table["record"].to_list() == [2, 1, 0]
        assert table["label"].to_list() == ["MI", "not CD", "not CD"]
        assert table["predicted"].to_list() == ["not MI", "CD", "not CD"]
        np.testing.assert_allclose(table["confidence"], [0.2, 0.3, 0.8])
        np.testing.assert_allclose(table["suspicion"], [0.8, 0.7, 0.2])
        assert table["reason"].to_list() == ["label", "label", "label"]

    def test_the_story_of_the_label_counts_and_not_the_end(self):
        codes = np.array([[1, 0]])
        now, mean = np.array([[1.0, 0.0]]), np.array([[0.3, 0.1]])
        table = audit_table(
            SeveralLabels(np.array(["MI", "CD"])), codes, now, mean, None
        )
        row = table.loc[0, ["label", "predicted", "confidence", "source"]]
        assert row.to_list() == ["MI", "MI", 0.3, "training"]

    def test_wrong_entries_come_first(self, small):
        X, y, _ = bumps(180)
        several = np.eye(3, dtype=int)[y]
        given, wrong = several.copy(), np.arange(180) % 12 == 0
        given[wrong, 1] = 1 - given[wrong, 1]
        clf = ERTSClassifier(**small | {"max_epochs": 12}).fit(X, given)
        table = clf.audit(X, given)
        assert auroc(table, wrong) > 0.9
        found = table[wrong[table["record"]]]
        assert set(found["label"]) <= {"1", "not 1"}


@pytest.mark.real
def test_wrong_superclasses(ptbxl):  # noqa: F811 (the fixture)
    train = ptbxl(range(1, 4), single_label=True)
    given, wrong = with_wrong_labels(train.target, 0.1)
    clf = make(module__width=8, max_epochs=8, lr=2e-3, class_weight=None)
    table = clf.fit(train.data, given).audit(train.data, given)
    assert auroc(table, wrong) > 0.75
