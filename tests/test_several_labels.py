"""Several labels per record."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.task import SeveralLabels
from tests.conftest import BY_MAP, bumps


@pytest.fixture(scope="module")
def labelled():
    """Records with a bump on either lead, or both, or neither."""
    X, codes, _ = bumps(160, n_classes=4, seed=3)
    X = 0.1 * np.random.default_rng(3).normal(size=X.shape).astype(np.float32)
    Y = np.stack([codes % 2, codes // 2], axis=1)
    for i, labels in enumerate(Y):
        for lead in np.flatnonzero(labels):
            X[i, lead, 28:37] += np.hanning(9)
    return X, Y


@pytest.fixture(scope="module")
def fitted(labelled, small):
    params = small | BY_MAP | {"max_epochs": 30, "warmup_epochs": (10, 1)}
    return ERTSClassifier(**params).fit(*labelled)


def test_learns_each_label(fitted, labelled):
    X, Y = labelled
    assert (fitted.predict(X) == Y).mean() > 0.9
    assert fitted.score(X, Y) > 0.8  # all labels of a record right


def test_shapes_and_thresholds(fitted, labelled):
    X, Y = labelled
    proba = fitted.predict_proba(X)
    assert proba.shape == Y.shape
    np.testing.assert_array_equal(fitted.predict(X), (proba > 0.5).astype(int))
    assert fitted.classes_.tolist() == [0, 1]
    assert isinstance(fitted.net_.criterion_, nn.BCEWithLogitsLoss)


def test_selection_works_on_them(fitted):
    assert fitted.effective_epochs_ < 30
    assert np.nanmax(fitted.selection_.focus) > 0


def test_columns_of_a_data_frame_are_names(labelled, small):
    X, Y = labelled
    names = ["AFIB", "PVC"]
    clf = ERTSClassifier(**small).fit(X, pd.DataFrame(Y, columns=names))
    assert clf.classes_.tolist() == names
    for_all = clf.explain(X, target="PVC")
    np.testing.assert_array_equal(for_all, clf.explain(X, target=["PVC"] * 160))


def test_labels_are_matched_by_name(labelled, small):
    X, Y = labelled
    frame = pd.DataFrame(Y, columns=["PVC", "AFIB"])
    clf = ERTSClassifier(**small).partial_fit(X, frame, classes=["PVC", "AFIB"])
    assert clf.classes_.tolist() == ["PVC", "AFIB"]
    swapped = frame[["AFIB", "PVC"]]
    np.testing.assert_array_equal(
        clf.focus_score(X, frame), clf.focus_score(X, swapped)
    )
    with pytest.raises(ValueError, match="columns of y must be the labels seen"):
        clf.partial_fit(X, frame.rename(columns={"PVC": "STE"}))


def test_weights_of_records_labels_and_classes_together(labelled, small):
    X, Y = labelled
    weight = np.where(np.arange(160) < 80, 1.0, 0.0)
    params = {"class_weight": "balanced", "early_stopping": "best"}
    clf = ERTSClassifier(**small, **params).fit(X, Y, sample_weight=weight)
    assert (clf.selection_.status[:, 80:] == 0).all()
    assert clf.kept_counts_[0] == 72


def test_sparse_indicators(labelled, small):
    X, Y = labelled
    clf = ERTSClassifier(**small)
    dense = clf.fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(
        clf.fit(X, sparse.csr_array(Y)).predict_proba(X), dense
    )


def test_each_label_is_explained_by_its_own_lead(fitted, labelled):
    X, Y = labelled
    both = X[Y.all(axis=1)]
    for lead in (0, 1):
        without = both.copy()
        without[:, lead] = 0
        full = fitted.explain(both, target=lead).sum(axis=1)
        assert np.mean(fitted.explain(without, target=lead).sum(axis=1) < full) > 0.8


def test_weights_of_labels(labelled, small):
    X, Y = labelled
    rare = Y * (np.arange(160) < 40)[:, None]
    plain = ERTSClassifier(**small).fit(X, rare).predict_proba(X).mean()
    for weight in ("balanced", "effective"):
        clf = ERTSClassifier(**small, class_weight=weight).fit(X, rare)
        assert clf.predict_proba(X).mean() > plain + 0.1
    by_label = ERTSClassifier(**small, class_weight={0: 1.0, 1: 0.0}).fit(X, Y)
    assert by_label.predict_proba(X)[:, 0].std() > 0.1


def test_the_split_is_stratified_by_the_rarest_label():
    task = SeveralLabels(np.arange(3))
    codes = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [0, 0, 0], [1, 0, 1]])
    assert task.strata(codes).tolist() == [0, 1, 2, -1, 2]


class TestWhatTheTruthIs:
    TASK = SeveralLabels(np.arange(2))
    LOGITS = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
    CODES = torch.tensor([[1.0, 1.0], [0.0, 0.0]])

    def test_confidence_is_the_geometric_mean_of_the_true_states(self):
        p = self.TASK.probability(self.LOGITS).numpy()
        expected = [(p[0, 0] * p[0, 1]) ** 0.5, ((1 - p[1, 0]) * (1 - p[1, 1])) ** 0.5]
        got = self.TASK.confidence(self.LOGITS, self.CODES).numpy()
        np.testing.assert_allclose(got, expected, rtol=1e-6)

    def test_direction_is_their_mean_or_the_absence_of_all(self):
        assert self.TASK.direction(self.CODES).tolist() == [[0.5, 0.5], [-0.5, -0.5]]


@pytest.mark.parametrize("Y", [[[0, 2]] * 160, [[0, 1, 1]] * 160])
def test_other_indicators_are_refused(fitted, labelled, Y):
    with pytest.raises(ValueError, match="indicator matrix of zeros and ones"):
        fitted.partial_fit(labelled[0], np.array(Y))
