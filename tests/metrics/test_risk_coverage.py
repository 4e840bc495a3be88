import numpy as np
import pytest

from sk_erts.metrics import risk_coverage


def predictions(n=200, seed=0):
    """Return labels, and probabilities that are frequencies."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p).astype(int), np.stack([1 - p, p], axis=1)


def test_the_most_certain_are_decided_first():
    y, proba = [1, 1, 0], [[0.1, 0.9], [0.7, 0.3], [0.2, 0.8]]
    curve = risk_coverage(y, proba)
    np.testing.assert_allclose(curve.coverage, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(curve.risk, [0, 1 / 2, 2 / 3])
    np.testing.assert_allclose(curve.threshold, [0.1, 0.2, 0.3])
    assert curve.area == pytest.approx((0 + 1 / 2 + 2 / 3) / 3)
    assert curve.error == pytest.approx(2 / 3)


def test_each_point_is_what_its_threshold_leaves():
    y, proba = predictions()
    proba = proba.round(1)  # with ties
    curve = risk_coverage(y, proba)
    doubt = 1 - proba.max(axis=1)
    wrong = proba.argmax(axis=1) != y
    for coverage, risk, threshold in zip(
        curve.coverage, curve.risk, curve.threshold, strict=True
    ):
        decided = doubt <= threshold
        assert coverage == decided.mean()
        assert risk == pytest.approx(wrong[decided].mean())
    assert len(curve.coverage) < 10


def test_areas_of_the_best_uncertainty_of_none_and_of_one_that_knows():
    y, proba = predictions(2000)
    wrong = proba.argmax(axis=1) != y
    best = risk_coverage(y, proba, wrong + np.linspace(0, 0.5, len(y)))
    assert best.area == pytest.approx(best.best_area)
    none = risk_coverage(y, proba, np.zeros(len(y)))
    assert none.area == pytest.approx(none.error)
    assert none.coverage.tolist() == [1]
    own = risk_coverage(y, proba)
    assert best.area < own.area < 0.7 * none.area


def test_of_several_labels_risk_is_the_share_of_wrong_ones():
    y = np.array([[1, 0], [0, 0], [1, 1]])
    proba = np.array([[0.9, 0.1], [0.6, 0.2], [0.4, 0.45]])
    curve = risk_coverage(y, proba)
    np.testing.assert_allclose(curve.threshold, [0.1, 0.3, 0.425])
    np.testing.assert_allclose(curve.risk, [0, 1 / 4, 3 / 6])


@pytest.mark.parametrize(
    ("uncertainty", "message"),
    [
        ([0.1, 0.2], "'uncertainty' .* each of the 3 records. Got 2"),
        ([[0.1, 0.2, 0.3]], r"'uncertainty' .* \(n_samples,\)"),
        ([0.1, np.nan, 0.3], "'uncertainty' .* finite"),
    ],
)
def test_what_does_not_fit_is_refused(uncertainty, message):
    with pytest.raises(ValueError, match=message):
        risk_coverage([0, 1, 1], [[1, 0], [1, 0], [0, 1]], uncertainty)
