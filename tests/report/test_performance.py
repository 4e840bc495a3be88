"""Figures are those of scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from sk_erts.report._performance import MEASURES, Decisions, measure

ROW = {name: k for k, name in enumerate(MEASURES)}


def example(n=200, n_classes=3, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    codes = rng.integers(n_classes, size=n)
    proba = rng.dirichlet(np.ones(n_classes), size=n) + 0.4 * np.eye(n_classes)[codes]
    proba /= proba.sum(axis=1, keepdims=True)
    proba = proba.round(1) if ties else proba
    true = np.eye(n_classes, dtype=bool)[codes]
    decided = np.eye(n_classes, dtype=bool)[proba.argmax(axis=1)]
    return Decisions(true, decided, proba, False)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_figures_are_those_of_scikit_learn(ties, weighted):
    decisions = example(ties=ties)
    weights = np.random.default_rng(1).integers(0, 4, size=(2, 200)).astype(float)
    found = measure(decisions, weights if weighted else None)[-1]
    w = weights[-1] if weighted else np.ones(200)
    for k in range(3):
        true, decided = decisions.true[:, k], decisions.decided[:, k]
        score = decisions.proba[:, k]
        expected = {
            "sensitivity": metrics.recall_score(true, decided, sample_weight=w),
            "specificity": metrics.recall_score(~true, ~decided, sample_weight=w),
            "ppv": metrics.precision_score(true, decided, sample_weight=w),
            "auroc": metrics.roc_auc_score(true, score, sample_weight=w),
            "average_precision": metrics.average_precision_score(
                true, score, sample_weight=w
            ),
        }
        for name, value in expected.items():
            assert found[ROW[name], k] == pytest.approx(value, abs=1e-12), name


def test_the_macro_average_is_scikit_learns():
    decisions = example()
    found = measure(decisions)[0]
    codes = decisions.true.argmax(axis=1)
    area = metrics.roc_auc_score(codes, decisions.proba, multi_class="ovr")
    recall = metrics.balanced_accuracy_score(codes, decisions.decided.argmax(axis=1))
    assert found[ROW["auroc"], -1] == pytest.approx(area)
    assert found[ROW["sensitivity"], -1] == pytest.approx(recall)


def test_what_is_not_defined_is_nan_and_left_out_of_the_average():
    proba = np.array([[0.6, 0.4, 0.0], [0.3, 0.7, 0.0], [0.8, 0.2, 0.0]])
    true = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]], dtype=bool)
    decided = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], dtype=bool)
    found = measure(Decisions(true, decided, proba, False))[0]
    third = dict(zip(MEASURES, found[:, 2].tolist(), strict=True))
    assert third.pop("specificity") == 1  # it was never said
    assert np.isnan(list(third.values())).all()
    assert found[ROW["sensitivity"], -1] == pytest.approx((1 + 0.5) / 2)
    assert found[ROW["specificity"], -1] == pytest.approx((0.5 + 1 + 1) / 3)


def test_of_several_labels_the_confidence_is_the_mean_of_the_true_states():
    true = np.array([[True, False]])
    decisions = Decisions(true, true, np.array([[0.9, 0.4]]), True)
    assert decisions.confidence() == pytest.approx([(0.9 + 0.6) / 2])
    assert decisions.right().tolist() == [True]
