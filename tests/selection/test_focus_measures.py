import numpy as np
import pytest
from hypothesis import given

import sk_erts.attribution
from sk_erts.attribution import (
    FOCUS_MEASURES,
    entropy,
    get_focus_measure,
    gini,
    positive_share,
    strength,
    top_mass,
    top_mean,
)
from tests.strategies import signed_maps

SPIKE = np.eye(1, 100, 42)
UNIFORM = np.ones((1, 100))
ZERO = np.zeros((1, 100))
AGAINST = -np.ones((1, 100))


def test_completeness__every_public_measure_is_registered():
    functions = {top_mass, top_mean, entropy, gini, strength, positive_share}
    assert set(FOCUS_MEASURES.values()) == functions
    assert set(FOCUS_MEASURES) <= set(sk_erts.attribution.__all__)


@pytest.mark.parametrize("measure", FOCUS_MEASURES.values(), ids=FOCUS_MEASURES)
class TestContract:
    @given(maps=signed_maps())
    def test_one_finite_score_per_map(self, measure, maps):
        scores = measure(maps)
        assert scores.shape == (len(maps),)
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()

    @given(maps=signed_maps())
    def test_no_positive_evidence_scores_zero(self, measure, maps):
        np.testing.assert_array_equal(measure(-np.abs(maps)), 0)

    @given(maps=signed_maps())
    def test_a_score_does_not_depend_on_the_other_maps(self, measure, maps):
        alone = np.concatenate([measure(maps[i : i + 1]) for i in range(len(maps))])
        np.testing.assert_allclose(alone, measure(maps), rtol=1e-5, atol=1e-6)

    def test_only_strength_has_a_unit(self, measure):
        maps = np.random.default_rng(0).normal(size=(20, 30))
        factor = 5 if measure is strength else 1
        np.testing.assert_allclose(measure(5 * maps), factor * measure(maps))

    def test_order_in_time_does_not_matter(self, measure):
        maps = np.random.default_rng(0).normal(size=(20, 30))
        np.testing.assert_allclose(measure(maps[:, ::-1]), measure(maps))


def test_top_mass_is_the_formula_of_the_paper():
    maps = np.random.default_rng(0).normal(size=(50, 63))
    attention = np.maximum(maps, 0) / np.maximum(maps, 0).sum(axis=1, keepdims=True)
    q90 = np.quantile(attention, 0.9, axis=1, keepdims=True)
    expected = np.where(attention >= q90, attention, 0).sum(axis=1)
    np.testing.assert_allclose(top_mass(maps), expected)


@pytest.mark.parametrize(
    ("measure", "of_spike", "of_uniform"),
    [
        (top_mass, 1, 0.1),
        (top_mean, 0.1, 0),
        (entropy, 1, 0),
        (gini, 0.99, 0),
        (strength, 0.01, 1),
        (positive_share, 1, 1),
    ],
)
def test_of_a_spike_and_of_a_uniform_map(measure, of_spike, of_uniform):
    assert measure(SPIKE)[0] == pytest.approx(of_spike)
    assert measure(UNIFORM)[0] == pytest.approx(of_uniform)
    assert measure(ZERO)[0] == measure(AGAINST)[0] == 0


def test_top_mean_of_a_plateau_is_high_where_top_mass_is_low():
    plateau = np.repeat([[0.0, 1.0]], 50, axis=1)
    assert top_mean(plateau)[0] == 1
    assert top_mass(plateau)[0] == pytest.approx(0.2)


def test_gini_equals_half_the_relative_mean_difference():
    maps = np.random.default_rng(0).normal(size=(5, 40))
    positive = np.maximum(maps, 0)
    differences = np.abs(positive[:, :, None] - positive[:, None]).mean(axis=(1, 2))
    np.testing.assert_allclose(gini(maps), differences / positive.mean(axis=1) / 2)


def test_entropy_of_evidence_spread_over_k_steps():
    maps = np.zeros((1, 64))
    maps[0, :8] = 1
    assert entropy(maps)[0] == pytest.approx(1 - np.log(8) / np.log(64))


def test_a_callable_is_its_own_measure():
    assert get_focus_measure(len) is len


def test_what_is_no_measure_is_refused():
    with pytest.raises(ValueError, match="must be a name or a function.*Got 0.2"):
        get_focus_measure(0.2)


def test_a_misspelt_measure_names_the_nearest():
    with pytest.raises(ValueError, match="'entropi'. Did you mean 'entropy'?"):
        get_focus_measure("entropi")
