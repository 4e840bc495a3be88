import numpy as np
import pytest

from sk_erts.metrics import curve_area, deletion_curve, faithfulness, insertion_curve
from tests.metrics.linear import Counting, linear


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(1, 1, 20))
    X = rng.normal(size=(400, 1, 20))
    return linear(weights), X, (X * weights)[:, 0]


def test_by_hand():
    weights = np.array([[[3.0, 1.0, 2.0, 0.0]]])
    areas = faithfulness(
        linear(weights),
        np.ones((1, 1, 4)),
        weights[0],
        n_steps=4,
        n_draws=500,
        random_state=0,
    )
    assert areas["deletion"].tolist() == [1.75]
    assert areas["insertion"].tolist() == [4.25]
    # A random order removes the same from a linear function in each step: the area is
    # half the score, from which a single order departs by at most 1.25.
    assert areas["random"] == pytest.approx(3, abs=4 * 1.25 / np.sqrt(500))


def test_gains_are_differences_from_chance(example):
    areas = faithfulness(*example, random_state=0)
    np.testing.assert_array_equal(
        areas["deletion_gain"], areas["random"] - areas["deletion"]
    )
    np.testing.assert_array_equal(
        areas["insertion_gain"], areas["insertion"] - areas["random"]
    )


def test_a_true_map_beats_chance_in_every_record(example):
    areas = faithfulness(*example, random_state=0)
    assert (areas["deletion_gain"] > 0).all()
    assert (areas["insertion_gain"] > 0).all()


def test_an_inverted_map_is_as_bad_as_the_map_is_good(example):
    predict, X, maps = example
    good = faithfulness(predict, X, maps, random_state=0)
    bad = faithfulness(predict, X, -maps, random_state=0)
    np.testing.assert_allclose(bad["deletion"], good["insertion"])
    np.testing.assert_allclose(bad["insertion"], good["deletion"])
    assert (bad["deletion_gain"] < 0).all()


@pytest.mark.parametrize("constant", [True, False])
def test_a_map_that_knows_nothing_gains_nothing_on_average(example, constant):
    predict, X, maps = example
    drawn = np.random.default_rng(1).normal(size=maps.shape)
    nothing = np.zeros_like(maps) if constant else drawn
    areas = faithfulness(predict, X, nothing, random_state=0)
    for gain in (areas["deletion_gain"], areas["insertion_gain"]):
        assert abs(gain.mean()) < 4 * gain.std() / np.sqrt(len(gain))


def test_more_draws_make_chance_steadier(example):
    predict, X, maps = example

    def spread(n_draws):
        areas = faithfulness(predict, X, maps, n_draws=n_draws, random_state=0)
        # The area that all orders have on average is half the score.
        return (areas["random"] - predict(X)[:, 0] / 2).std()

    assert spread(16) == pytest.approx(spread(1) / 4, rel=0.25)


def test_areas_are_those_of_the_curves(example):
    predict, X, maps = example
    options = {"n_steps": 7, "baseline": "mean", "window": 3, "target": 0}
    areas = faithfulness(predict, X, maps, **options)
    for name, curve in [("deletion", deletion_curve), ("insertion", insertion_curve)]:
        expected = curve_area(*curve(predict, X, maps, **options))
        np.testing.assert_allclose(areas[name], expected)


def test_the_highest_class_is_asked_for_once(example):
    predict, X, maps = example
    counting = Counting(predict)
    faithfulness(counting, X, maps, n_steps=4, n_draws=2)
    assert sum(counting.sizes) == len(X) * (1 + (2 + 2) * 5)
