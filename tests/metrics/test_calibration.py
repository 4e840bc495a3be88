import numpy as np
import pytest

from sk_erts.metrics import expected_calibration_error


def two_columns(p):
    return np.stack([1 - p, p], axis=1)


def simulated(n, rng, gap=0.1):
    """Return labels and probabilities of three values, each too high by the gap."""
    p = rng.choice([0.65, 0.75, 0.95], size=n)
    return (rng.random(n) < p - gap).astype(int), two_columns(p)


def test_it_is_the_weighted_gap_of_the_bins():
    proba = two_columns(np.array([0.9, 0.9, 0.9, 0.6, 0.2]))
    y = [1, 1, 0, 1, 1]
    found = expected_calibration_error(y, proba, n_bins=10, n_resamples=1)
    # Confidences 0.9 (right in 2 of 3), 0.6 (right) and 0.8 (wrong).
    assert found.error == pytest.approx((3 * 0.9 - 2 + 0.4 + 0.8) / 5)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 1, 3]
    np.testing.assert_allclose(found.frequency[[6, 8, 9]], [1, 0, 2 / 3])
    np.testing.assert_allclose(found.confidence[[6, 8, 9]], [0.6, 0.8, 0.9])
    assert np.isnan(found.frequency[0])


def test_of_several_labels_it_is_the_mean_of_those_of_each():
    rng = np.random.default_rng(0)
    proba = rng.random((300, 3))
    y = (rng.random((300, 3)) < proba**2).astype(int)
    found = expected_calibration_error(y, proba, n_resamples=1)
    each = [
        expected_calibration_error(y[:, [k]], proba[:, [k]], n_resamples=1).error
        for k in range(3)
    ]
    assert found.error == pytest.approx(np.mean(each))
    assert found.count.sum() == 900


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        y, proba = simulated(400, rng)
        found = expected_calibration_error(
            y, proba, level=0.9, n_resamples=100, random_state=0
        )
        inside += found.low <= 0.1 <= found.high
    assert 80 < inside < 98


def test_the_interval_of_a_calibrated_network_reaches_zero():
    rng = np.random.default_rng(0)
    y, proba = simulated(500, rng, gap=0)
    found = expected_calibration_error(y, proba, random_state=0)
    assert found.error > 0.005 > found.low


def test_a_probability_of_one_has_a_bin_and_names_are_taken():
    proba = [[1.0, 0.0], [0.0, 1.0]]
    y = ["NORM", "AFIB"]
    right = expected_calibration_error(y, proba, labels=["NORM", "AFIB"], n_resamples=1)
    wrong = expected_calibration_error(y, proba, n_resamples=1)  # sorted
    assert (right.error, wrong.error) == (0, 1)
    assert right.count[-1] == 2
    assert len(right.count) == 15
    certain = expected_calibration_error(np.eye(2), proba, n_resamples=1)
    assert certain.count[[0, -1]].tolist() == [2, 2]
    assert certain.error == 0


def test_the_seed_decides():
    y, proba = simulated(100, np.random.default_rng(0))
    one, other, third = (
        expected_calibration_error(y, proba, n_resamples=50, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert (one.low, one.high) == (other.low, other.high) != (third.low, third.high)


P = np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("y", "proba", "params", "message"),
    [
        ([0, 1, 1], 3 * P, {}, "'proba' .* from 0 to 1. Got values from 0 to 3"),
        ([0, 1, 1], P[0], {}, r"'proba' .* \(n_samples, n_classes\)"),
        ([0, 1], P, {}, r"'y' .* shape \(3,\), .* Got shape \(2,\)"),
        ([0, 1, 2], P, {}, "'labels' .* 2 columns .* Got 3 in 'y' .* clf.classes_"),
        ([0, 1, 2], P, {"labels": [0, 1]}, "'y' .* classes of .* Got .*2"),
        (P, P, {}, "'y' .* zeros and ones"),
        ([0, 1, 1], P, {"n_bins": 0}, "'n_bins' .* at least 1"),
        ([0, 1, 1], P, {"level": 1}, "'level' .* below 1"),
        ([0, 1, 1], P, {"n_resamples": 0}, "'n_resamples' .* at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(y, proba, params, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(y, proba, **params)
