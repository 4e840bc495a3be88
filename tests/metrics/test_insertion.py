import numpy as np
import pytest
from hypothesis import given

from sk_erts.metrics import deletion_curve, insertion_curve
from tests.metrics.linear import linear
from tests.strategies import seeds

WEIGHTS = np.array([[[3.0, 1.0, 2.0, 0.0]]])


@pytest.mark.parametrize(
    ("order", "expected"),
    [("descending", [0, 3, 5, 6, 6]), ("ascending", [0, 0, 1, 3, 6])],
)
def test_of_a_linear_function(order, expected):
    fractions, scores = insertion_curve(
        linear(WEIGHTS), np.ones((1, 1, 4)), WEIGHTS[0], n_steps=4, order=order
    )
    np.testing.assert_array_equal(fractions, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(scores, [expected])


@given(seed=seeds)
def test_is_deletion_in_the_opposite_order_read_backwards(seed):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(2, 3, 8))

    def predict(X):
        return np.tanh(linear(weights, bias)(X))

    X, maps = rng.normal(size=(2, 4, 3, 8))
    inserted = insertion_curve(predict, X, maps, n_steps=6, baseline="mean")[1]
    deleted = deletion_curve(
        predict, X, maps, n_steps=6, baseline="mean", order="ascending"
    )[1]
    np.testing.assert_allclose(inserted, deleted[:, ::-1])


def test_an_empty_record_is_the_baseline():
    X = np.ones((1, 1, 4))
    scores = insertion_curve(linear(WEIGHTS), X, X[0], n_steps=2, baseline=-5.0)[1]
    assert scores[0, 0] == -30
    assert scores[0, -1] == 6


def test_neighbours_come_together():
    weights = 10.0 ** np.arange(5)[np.newaxis, np.newaxis]
    scores = insertion_curve(
        linear(weights),
        np.ones((1, 1, 5)),
        np.array([[0, 1, 5, 0, 9]]),
        n_steps=3,
        window=2,
    )[1]
    assert scores.tolist() == [[0, 10000, 11100, 11111]]
