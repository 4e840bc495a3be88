"""Suspicion on stories made by hand, and what must hold for all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_erts.selection import is_ambiguous, label_suspicion, signal_suspicion
from tests.strategies import beliefs, seeds

NAN = np.nan
qualities = st.lists(st.floats(-1e300, 1e300), max_size=30).map(np.array)


class TestLabelSuspicion:
    def test_the_rival_counts_and_not_the_rest(self):
        proba = np.array([[0.3, 0.7, 0.0], [0.3, 0.35, 0.35], [0.6, 0.2, 0.2]])
        found = label_suspicion(np.zeros(3, int), proba)
        np.testing.assert_allclose(found, [0.7, 0.525, 0.3])

    def test_of_several_labels_the_most_doubtful_counts(self):
        proba = np.array([[0.9, 0.2, 0.1], [0.9, 0.8, 0.1]])
        found = label_suspicion(np.array([[1, 0, 0], [1, 0, 0]]), proba)
        np.testing.assert_allclose(found, [0.2, 0.8])

    def test_one_class_has_no_rival(self):
        found = label_suspicion(np.zeros(2, int), np.ones((2, 1)))
        assert found.tolist() == [0, 0]

    @given(beliefs())
    def test_lies_between_0_and_1(self, belief):
        found = label_suspicion(*belief)
        assert found.shape == belief[0].shape[:1]
        assert ((found >= 0) & (found <= 1)).all()

    @given(beliefs(several=st.just(False)))
    def test_above_one_half_another_class_is_more_probable(self, belief):
        codes, proba = belief
        found = label_suspicion(codes, proba)
        best = proba.max(axis=1) == proba[np.arange(len(codes)), codes]
        np.testing.assert_array_equal(found > 0.5, ~best)

    @given(beliefs(), seeds)
    def test_permutes_with_its_records(self, belief, seed):
        codes, proba = belief
        order = np.random.default_rng(seed).permutation(len(codes))
        found = label_suspicion(codes[order], proba[order])
        np.testing.assert_array_equal(found, label_suspicion(*belief)[order])

    @given(beliefs(several=st.just(True)), st.floats(0, 1))
    def test_falls_with_the_probability_of_the_truth(self, belief, share):
        codes, proba = belief
        found = label_suspicion(codes, proba + share * (codes - proba))
        assert (found <= label_suspicion(codes, proba) + 1e-12).all()

    @pytest.mark.parametrize(
        ("codes", "proba", "message"),
        [
            ([0], [[0.5, 0.5]] * 2, r"one class index for each of the 2 rows"),
            ([0, 2], [[0.5, 0.5]] * 2, r"in \[0, 2\). Got 0 to 2 instead"),
            ([-1, 0], [[0.5, 0.5]] * 2, r"in \[0, 2\). Got -1 to 0 instead"),
            ([[0, 1]], [[0.5, 0.5]] * 2, r"of the shape of 'proba', \(2, 2\)"),
            ([[0, 2]], [[0.5, 0.5]], r"zeros and ones .* the values \[0, 2\] inst"),
            ([0], [[3.0, -1.0]], "'proba' must be .* from -1.0 to 3.0 instead"),
            ([0], [[NAN, 1.0]], "'proba' must hold a number .* NaN in row 0"),
            ([0], [0.5], r"'proba' must be a matrix .* the shape \(1,\)"),
        ],
    )
    def test_bad_input(self, codes, proba, message):
        with pytest.raises(ValueError, match=message):
            label_suspicion(np.array(codes), np.array(proba))


class TestSignalSuspicion:
    def test_standard_deviations_below_the_mean(self):
        found = signal_suspicion(np.array([1.0, -1.0]))
        np.testing.assert_allclose(found, [0, 0.5])
        # One of ten: the mean is 0.9, the standard deviation 0.3.
        found = signal_suspicion(np.array([0.0, *[1.0] * 9]))
        np.testing.assert_allclose(found, [0.9, *[0.0] * 9])

    def test_equal_scores_are_not_suspicious(self):
        assert signal_suspicion(np.full(3, 0.1)).tolist() == [0, 0, 0]
        assert signal_suspicion(np.array([])).tolist() == []

    @given(qualities)
    def test_no_more_records_are_so_bad_than_the_bound_allows(self, scores):
        suspicion = signal_suspicion(scores)
        assert ((suspicion >= 0) & (suspicion <= 1)).all()
        for bound in suspicion:
            assert (suspicion >= bound).mean() <= 1 - bound + 1e-9

    @given(st.lists(st.integers(-50, 50), max_size=30), st.integers(-9, 9))
    def test_scale_and_origin_do_not_matter(self, scores, power):
        scores = np.array(scores, dtype=float)
        moved = scores * 10.0**power + 3
        found = signal_suspicion(moved)
        np.testing.assert_allclose(found, signal_suspicion(scores), atol=1e-5)

    @given(qualities)
    def test_the_worse_are_not_less_suspicious(self, scores):
        order = np.argsort(scores)
        assert (np.diff(signal_suspicion(scores)[order]) <= 0).all()

    @given(qualities)
    def test_records_are_compared_with_the_reference(self, scores):
        found = signal_suspicion(scores[:3], reference=scores)
        np.testing.assert_array_equal(found, signal_suspicion(scores)[:3])

    def test_worse_than_a_reference_that_does_not_vary(self):
        found = signal_suspicion(np.array([0.9, 1.0, 2.0]), np.ones(5))
        assert found.tolist() == [1, 0, 0]

    def test_nothing_to_compare_with(self):
        assert signal_suspicion(np.ones(2), np.array([])).tolist() == [0, 0]

    def test_far_below_the_reference(self):
        assert signal_suspicion(np.array([-1e300]), np.array([0.0, 1e-9])) == [1]

    @pytest.mark.parametrize("bad", [[[1.0]], [NAN, 1.0], [np.inf, 1.0]])
    def test_bad_input(self, bad):
        with pytest.raises(ValueError, match="'scores' .* one finite number for each"):
            signal_suspicion(np.array(bad))
        with pytest.raises(ValueError, match="'reference' .* one finite number"):
            signal_suspicion(np.ones(2), np.array(bad))


class TestIsAmbiguous:
    def test_half_of_the_highest_probability_is_near(self):
        proba = [[0.6, 0.3, 0.1], [0.3, 0.1, 0.6], [0.7, 0.3, 0.0], [0.0, 1.0, 0.0]]
        assert is_ambiguous(np.array(proba)).tolist() == [True, True, False, False]

    def test_one_class_has_no_rival(self):
        assert is_ambiguous(np.ones((2, 1))).tolist() == [False, False]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="'proba' must be a matrix"):
            is_ambiguous(np.array([0.5, 0.5]))


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([1, np.nan, 2], "with 1 values that"),
        ([np.inf, -np.inf, 2], "with 2 values that"),
        ([[1, 2], [3, 4]], r"the shape \(2, 2\) with 0 values that"),
    ],
)
@pytest.mark.parametrize("name", ["scores", "reference"])
def test_how_many_scores_are_no_numbers(name, scores, told):
    given = {"scores": np.ones(3), name: np.array(scores)}
    own = f"'{name}' of signal_suspicion"
    with pytest.raises(ValueError, match=f"(?s){own}.*{told}"):
        signal_suspicion(**given)
