import numpy as np
import pytest

from sk_erts.metrics import comprehensiveness, sufficiency
from tests.metrics.linear import linear

WEIGHTS = np.array([[[3.0, 1.0, 2.0, 0.0]]])


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.25, 3), (0.5, 1), (1, 0), (1e-9, 3), ([0.25, 0.5], 2)],
)
def test_is_what_the_other_samples_are_worth(share, expected):
    X = np.ones((1, 1, 4))
    drops = sufficiency(linear(WEIGHTS), X, WEIGHTS[0], share=share)
    np.testing.assert_allclose(drops, [expected], atol=1e-12)


def test_of_a_linear_function_both_drops_are_the_whole_score():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(30, 2, 10)), rng.normal(size=(1, 2, 10))
    arguments = linear(weights), X, rng.normal(size=X.shape)
    options = {"share": [0.1, 0.4], "window": 3}
    both = sufficiency(*arguments, **options) + comprehensiveness(*arguments, **options)
    np.testing.assert_allclose(both, linear(weights)(X)[:, 0])


def test_what_is_not_kept_is_the_baseline():
    drops = sufficiency(
        linear(WEIGHTS), np.ones((1, 1, 4)), WEIGHTS[0], share=0.5, baseline=11.0
    )
    np.testing.assert_allclose(drops, 6 - (5 + 11))
