import itertools

import numpy as np
import pytest

from sk_erts.metrics import curve_area, deletion_curve
from tests.metrics.linear import Counting, linear

WEIGHTS = np.array([[[3.0, 1.0, 2.0, 0.0]]])
ONES = np.ones((1, 1, 4))


@pytest.mark.parametrize(
    ("order", "expected"),
    [("descending", [6, 3, 1, 0, 0]), ("ascending", [6, 6, 5, 3, 0])],
)
def test_of_a_linear_function(order, expected):
    fractions, scores = deletion_curve(
        linear(WEIGHTS), ONES, WEIGHTS[0], n_steps=4, order=order
    )
    np.testing.assert_array_equal(fractions, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(scores, [expected])


def test_the_contributions_are_the_best_of_all_orders():
    rng = np.random.default_rng(3)
    X, weights = rng.normal(size=(2, 1, 1, 5))
    contributions = (X * weights)[0]

    def area(maps):
        return curve_area(*deletion_curve(linear(weights), X, maps, n_steps=5))[0]

    areas = [area(np.array([order])) for order in itertools.permutations(range(5))]
    assert area(contributions) == pytest.approx(min(areas))
    assert area(-contributions) == pytest.approx(max(areas))
    assert sorted(areas)[0] < sorted(areas)[1]


def test_each_record_has_its_own_order():
    maps = np.array([[3, 1, 2, 0], [0, 1, 2, 3]])
    scores = deletion_curve(linear(WEIGHTS), np.ones((2, 1, 4)), maps, n_steps=4)[1]
    np.testing.assert_array_equal(scores, [[6, 3, 1, 0, 0], [6, 6, 4, 3, 0]])


def test_a_map_over_time_removes_all_leads_and_one_over_leads_only_its_own():
    weights = np.array([[[1.0, 2.0], [10.0, 20.0]]])
    X = np.ones((1, 2, 2))
    over_time = deletion_curve(linear(weights), X, np.array([[0, 1]]), n_steps=2)[1]
    np.testing.assert_array_equal(over_time, [[33, 11, 0]])
    over_leads = deletion_curve(linear(weights), X, weights, n_steps=4)[1]
    np.testing.assert_array_equal(over_leads, [[33, 13, 3, 1, 0]])


def test_a_constant_map_is_a_random_order():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(40, 2, 10)), rng.normal(size=(1, 2, 10))

    def scores(maps, **options):
        return deletion_curve(linear(weights), X, maps, random_state=5, **options)[1]

    # The mean of three times 0.1 is not 0.1, and a block of one is left at the end.
    for window in (1, 3, 4):
        constant = scores(np.full((40, 10), 0.1), window=window)
        drawn = scores(rng.normal(size=(40, 10)), window=window, order="random")
        np.testing.assert_array_equal(constant, drawn)


def test_random_orders_are_fair():
    # One weight alone: its place in the order is where the score falls.
    n, n_times = 6000, 6
    weights = np.eye(1, n_times)[np.newaxis]
    scores = deletion_curve(
        linear(weights),
        np.ones((n, 1, n_times)),
        np.zeros((n, n_times)),
        n_steps=n_times,
        random_state=0,
    )[1]
    place = scores.sum(axis=1).astype(int)
    share = np.bincount(place, minlength=n_times + 1)[1:] / n
    standard_error = np.sqrt(1 / n_times * (1 - 1 / n_times) / n)
    np.testing.assert_allclose(share, 1 / n_times, atol=4 * standard_error)


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (0.0, [[6, 5], [60, 50]]),
        (7, [[6, 12], [60, 57]]),
        ("mean", [[6, 7], [60, 70]]),
        (np.array([[5.0, 0, 0]]), [[6, 10], [60, 55]]),
        (np.array([[5.0], [0]]), [[6, 10], [60, 50]]),
    ],
)
def test_baselines(baseline, expected):
    X = np.array([[[1.0, 2, 3], [10, 20, 30]]])
    by_lead = [np.array([[1.0], [0]]), np.array([[0], [1.0]])]
    for column, wanted in enumerate(expected):
        scores = deletion_curve(
            linear(*by_lead),
            X,
            np.array([[1, 0, 0]]),
            target=column,
            n_steps=3,
            baseline=baseline,
        )[1]
        np.testing.assert_allclose(scores[0, :2], wanted)


def test_neighbours_go_together():
    weights = 10.0 ** np.arange(10)[np.newaxis, np.newaxis]
    maps = np.array([[0, 0, 0, 4, 3, 3, 3, 3, 2, 2]])  # means 1, 3 and 2
    fractions, scores = deletion_curve(
        linear(weights), np.ones((1, 1, 10)), maps, n_steps=3, window=4
    )
    np.testing.assert_allclose(fractions, [0, 1 / 3, 2 / 3, 1])
    assert scores.tolist() == [[1111111111, 1100001111, 1111, 0]]


def test_neighbours_are_those_of_the_same_lead():
    weights = 10.0 ** np.arange(6).reshape(1, 2, 3)
    maps = np.array([[[9, 9, 1], [8, 8, 7]]])
    scores = deletion_curve(
        linear(weights), np.ones((1, 2, 3)), maps, n_steps=4, window=2
    )[1]
    assert scores.tolist() == [[111111, 111100, 100100, 100, 0]]


def test_points_repeat_where_steps_are_more_than_samples():
    fractions, scores = deletion_curve(linear(WEIGHTS), ONES, WEIGHTS[0], n_steps=8)
    assert fractions.tolist() == sorted(fractions)
    assert set(fractions) == {0, 0.25, 0.5, 0.75, 1}
    assert set(scores[0]) == {6, 3, 1, 0}


def test_records_keep_their_dtype():
    def predict(X):
        assert X.dtype == np.float32
        return X[:, 0]

    X = np.ones((2, 1, 3), dtype=np.float32)
    for baseline in (0.1, "mean", np.zeros((1, 3))):
        deletion_curve(predict, X, X[:, 0], target=0, baseline=baseline)


def test_whole_numbers_can_be_replaced_by_fractions():
    X = np.array([[[1, 2]]])
    scores = deletion_curve(linear(1), X, X[0], n_steps=2, baseline="mean")[1]
    np.testing.assert_array_equal(scores, [[3, 2.5, 3]])


def test_no_more_is_predicted_than_the_curve_has_points():
    predict = Counting(linear(WEIGHTS))
    deletion_curve(predict, np.ones((5, 1, 4)), np.zeros((5, 4)), 0, n_steps=4)
    assert sum(predict.sizes) == 1 + 5 * 5  # one to see how many classes there are
