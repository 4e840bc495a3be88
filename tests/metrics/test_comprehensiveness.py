import numpy as np
import pytest

from sk_erts.metrics import comprehensiveness
from tests.metrics.linear import linear

WEIGHTS = np.array([[[3.0, 1.0, 2.0, 0.0]]])


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.25, 3), (0.5, 5), (1, 6), (1e-9, 3), ([0.25, 0.5], 4), ((1.0,), 6)],
)
def test_is_what_the_most_important_samples_are_worth(share, expected):
    X = np.ones((1, 1, 4))
    drops = comprehensiveness(linear(WEIGHTS), X, WEIGHTS[0], share=share)
    np.testing.assert_allclose(drops, [expected])


def test_seven_hundredths_of_a_hundred_are_seven():
    # 0.07 * 100 is a little more than 7 in floating point.
    X = np.ones((1, 1, 100))
    drops = comprehensiveness(linear(1), X, np.arange(100)[np.newaxis], share=0.07)
    np.testing.assert_allclose(drops, 7)


def test_a_share_of_blocks_and_a_baseline():
    weights = 10.0 ** np.arange(4)[np.newaxis, np.newaxis]
    drops = comprehensiveness(
        linear(weights),
        np.ones((1, 1, 4)),
        np.array([[0, 5, 3, 3]]),
        share=0.5,
        window=2,
        baseline=3.0,
    )
    np.testing.assert_allclose(drops, -2 * 1100)


def test_the_best_map_has_the_largest_drop():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(200, 2, 10)), rng.normal(size=(1, 2, 10))
    best = comprehensiveness(linear(weights), X, X * weights, share=0.3)
    other = comprehensiveness(linear(weights), X, rng.normal(size=X.shape), share=0.3)
    assert (best >= other).all()
