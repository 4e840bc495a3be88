"""Suspicion on stories made by hand, and what must hold for all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_erts.selection import is_ambiguous, label_suspicion, signal_suspicion
from tests.strategies import seeds, stories

NAN = np.nan
qualities = st.lists(st.floats(-1e300, 1e300), max_size=30).map(np.array)


class TestLabelSuspicion:
    def test_a_label_learned_by_heart_stays_suspicious(self):
        learned_early = [0.6, 0.9, 1.0, 1.0]
        learned_by_heart = [0.1, 0.1, 0.3, 1.0]
        never_learned = [0.1, 0.1, 0.1, 0.1]
        story = np.transpose([learned_early, learned_by_heart, never_learned])
        proba = np.array([[1.0, 0.0], [1.0, 0.0], [0.1, 0.9]])
        found = label_suspicion(np.array([0, 0, 0]), proba, story)
        np.testing.assert_allclose(found, [0.125, 0.625, 0.9])

    def test_epochs_without_a_look_do_not_count(self):
        story = np.array([[0.2, NAN], [NAN, NAN], [0.4, 0.5]])
        found = label_suspicion(np.array([0, 1]), np.full((2, 2), 0.5), story)
        np.testing.assert_allclose(found, [0.7, 0.5])

    def test_who_has_no_story_is_judged_by_the_network(self):
        proba = np.array([[0.8, 0.2], [0.3, 0.7]])
        story = np.array([[NAN, 0.9]])
        found = label_suspicion(np.array([1, 0]), proba, story)
        np.testing.assert_allclose(found, [0.8, 0.1])
        found = label_suspicion(np.array([1, 0]), proba)
        np.testing.assert_allclose(found, [0.8, 0.7])

    @given(stories())
    def test_lies_between_0_and_1(self, story):
        found = label_suspicion(*story)
        assert found.shape == story[0].shape
        assert ((found >= 0) & (found <= 1)).all()

    @given(stories(), seeds)
    def test_permutes_with_its_records(self, story, seed):
        codes, proba, confidence = story
        order = np.random.default_rng(seed).permutation(len(codes))
        found = label_suspicion(codes[order], proba[order], confidence[:, order])
        np.testing.assert_array_equal(found, label_suspicion(*story)[order])

    @given(stories(), st.floats(0, 1))
    def test_falls_with_confidence(self, story, share):
        codes, proba, confidence = story
        raised = label_suspicion(codes, proba, confidence + share * (1 - confidence))
        assert (raised <= label_suspicion(*story) + 1e-12).all()

    @given(stories(), seeds)
    def test_the_order_of_epochs_does_not_matter(self, story, seed):
        codes, proba, confidence = story
        shuffled = np.random.default_rng(seed).permutation(confidence)
        found = label_suspicion(codes, proba, shuffled)
        np.testing.assert_allclose(found, label_suspicion(*story), atol=1e-12)

    @pytest.mark.parametrize(
        ("codes", "proba", "confidence", "message"),
        [
            ([0], [[0.5, 0.5]] * 2, None, r"one class index for each of the 2 rows"),
            ([0, 2], [[0.5, 0.5]] * 2, None, r"in \[0, 2\). Got 0 to 2 instead"),
            ([-1, 0], [[0.5, 0.5]] * 2, None, r"in \[0, 2\). Got -1 to 0 instead"),
            ([0], [[3.0, -1.0]], None, "'proba' must be .* from -1.0 to 3.0 instead"),
            ([0], [[NAN, 1.0]], None, "'proba' must hold a number .* NaN in row 0"),
            ([0], [0.5], None, r"'proba' must be a matrix .* the shape \(1,\)"),
            ([0], [[1.0]], [[2.0]], "'confidence' must be a matrix"),
            ([0], [[1.0]], [[0.5, 0.5]], r"shape \(n_epochs, 1\).* Got \(1, 2\)"),
        ],
    )
    def test_bad_input(self, codes, proba, confidence, message):
        with pytest.raises(ValueError, match=message):
            label_suspicion(np.array(codes), np.array(proba), confidence)


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

    @pytest.mark.parametrize("bad", [[[1.0]], [NAN, 1.0], [np.inf, 1.0]])
    def test_bad_input(self, bad):
        with pytest.raises(ValueError, match="must be one finite number for each"):
            signal_suspicion(np.array(bad))


class TestIsAmbiguous:
    def test_half_of_the_highest_probability_is_near(self):
        proba = [[0.6, 0.3, 0.1], [0.3, 0.1, 0.6], [0.7, 0.3, 0.0], [0.0, 1.0, 0.0]]
        assert is_ambiguous(np.array(proba)).tolist() == [True, True, False, False]

    def test_one_class_has_no_rival(self):
        assert is_ambiguous(np.ones((2, 1))).tolist() == [False, False]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="'proba' must be a matrix"):
            is_ambiguous(np.array([0.5, 0.5]))
