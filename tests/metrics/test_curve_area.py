import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sk_erts.metrics import curve_area

heights = hnp.arrays(np.float64, (3, 6), elements=st.floats(-5, 5))


def test_by_hand():
    scores = np.array([[6.0, 3, 1, 0, 0], [2, 2, 2, 2, 2]])
    areas = curve_area(np.linspace(0, 1, 5), scores)
    np.testing.assert_allclose(areas, [7 / 4, 2])


def test_uneven_steps_count_by_their_width():
    areas = curve_area(np.array([0, 0.1, 0.1, 1]), np.array([[1.0, 1, 0, 0]]))
    np.testing.assert_allclose(areas, 0.1)


@given(scores=heights)
def test_lies_within_the_curve(scores):
    areas = curve_area(np.linspace(0, 1, 6), scores)
    assert (areas >= scores.min(axis=1) - 1e-9).all()
    assert (areas <= scores.max(axis=1) + 1e-9).all()


@given(scores=heights)
def test_the_length_of_the_axis_does_not_matter(scores):
    np.testing.assert_allclose(
        curve_area(np.arange(6) + 3, scores),
        curve_area(np.linspace(0, 1, 6), scores),
        atol=1e-12,
    )


@pytest.mark.parametrize("shape", [(2, 4), (2, 2), (2, 0)])
def test_there_is_a_score_for_each_fraction(shape):
    with pytest.raises(ValueError, match=r"'scores' .* \(n_samples, 3\). Got shape \("):
        curve_area(np.linspace(0, 1, 3), np.zeros(shape))


@pytest.mark.parametrize("fractions", [[0, 0.6, 0.5], [1, 1, 1], [1, 0.5, 0]])
def test_fractions_must_ascend(fractions):
    with pytest.raises(ValueError, match=r"'fractions' .* must ascend .* Got \["):
        curve_area(np.array(fractions), np.zeros((1, 3)))
