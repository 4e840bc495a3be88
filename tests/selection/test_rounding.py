"""What is equal, nearly equal or tied shares one fate, in every comparison."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sk_erts.attribution import support, top_mean
from sk_erts.selection import (
    DBPD,
    Evidence,
    FocusFilter,
    HardnessFilter,
    InfoBatch,
    KeepAll,
    Reliability,
    Scores,
    SelectiveBackprop,
    Status,
    share_below_gap,
    signal_suspicion,
)
from sk_erts.selection._rounding import below_limit, below_mean, is_level, n_of_share
from tests.strategies import close_scores, probabilities, seeds, tied_scores

many = st.integers(1, 3000)
SINGLE = np.finfo(np.float32).eps


def scores_of(values):
    n = len(values)
    return Scores(np.zeros(n, int), 1, confidence=values, focus=values)


def select(policy, values, seed=0):
    return policy.select(scores_of(values), np.random.default_rng(seed))


class TestEqualScores:
    @given(value=probabilities, n=many, seed=seeds)
    def test_none_of_them_is_easy_to_infobatch(self, value, n, seed):
        status = select(InfoBatch(), np.full(n, value), seed)
        assert (status == Status.TRAINED).all()

    @given(value=probabilities, n=many, beta=st.floats(0, 10), seed=seeds)
    def test_selective_backprop_keeps_all_of_them(self, value, n, beta, seed):
        status = select(SelectiveBackprop(beta), np.full(n, value), seed)
        assert (status == Status.TRAINED).all()

    @given(value=probabilities, n=many)
    def test_no_judge_doubts_some_of_them(self, value, n):
        equal = np.full(n, value)
        assert share_below_gap(equal) == 0
        for judge in (Reliability(), Evidence(support)):
            assert judge.share_doubted(equal) in (0, 0.5)  # none, or the most allowed

    @given(value=st.floats(-1e300, 1e300), n=many)
    def test_none_of_the_signals_is_suspicious(self, value, n):
        assert not signal_suspicion(np.full(n, value)).any()

    @given(value=probabilities, n=many, k=st.integers(0, 2999))
    @pytest.mark.parametrize("policy", [FocusFilter, HardnessFilter])
    def test_as_many_are_put_aside_as_the_share_says(self, policy, value, n, k):
        share = (k % n) / n  # a share that is a number of records
        status = select(policy(KeepAll(), threshold=share), np.full(n, value))
        assert (status == Status.UNRELIABLE).sum() == k % n


class TestNearlyEqualScores:
    @given(values=close_scores(min_size=20))
    def test_rounding_makes_no_two_groups(self, values):
        assert share_below_gap(values) == 0

    @given(values=close_scores(min_size=20))
    def test_the_filter_that_looks_for_two_groups_trains_all(self, values):
        policy = FocusFilter(KeepAll(), threshold="auto")
        assert (select(policy, values) == Status.TRAINED).all()

    @given(values=close_scores(dtype=np.float64))
    def test_rounding_makes_no_bad_signal(self, values):
        assert not signal_suspicion(values).any()
        assert not signal_suspicion(values, values[:1]).any()

    @given(values=close_scores(of=st.just(1 / 3)))
    def test_a_third_is_a_third_however_it_was_summed_up(self, values):
        for judge in (Reliability(), Evidence(support)):
            assert judge.share_doubted(values) == 0

    @given(n_looks=st.integers(1, 200), several=st.booleans())
    def test_a_label_that_is_just_not_doubted_is_not(self, n_looks, several):
        look = np.array([1 / 3, 2 / 3], dtype=np.float32)
        total = np.zeros(2, np.float32)
        for _ in range(n_looks if several else 1):
            total += look
        mean = total / np.float32(n_looks if several else 1)
        reliability = (1 + float(mean[0]) - float(mean[1])) / 2
        assert Reliability().share_doubted(np.array([reliability])) == 0

    @given(
        levels=hnp.arrays(np.float32, 5, elements=st.floats(0.125, 8, width=32)),
        seed=seeds,
    )
    def test_a_map_that_is_level_but_for_rounding_is_level(self, levels, seed):
        ulps = np.random.default_rng(seed).integers(-3, 4, size=(5, 40))
        maps = (levels[:, np.newaxis] * (1 + SINGLE * ulps)).astype(np.float32)
        assert not top_mean(maps).any()


class TestTiedScores:
    @given(values=tied_scores(), seed=seeds)
    def test_infobatch_says_the_same_of_equal_records_in_any_order(self, values, seed):
        hard = select(InfoBatch(), values) == Status.TRAINED
        for value in np.unique(values):
            assert len(set(hard[values == value])) == 1
        order = np.random.default_rng(seed).permutation(len(values))
        again = select(InfoBatch(), values[order]) == Status.TRAINED
        np.testing.assert_array_equal(again, hard[order])

    @given(values=st.one_of(tied_scores(), close_scores()))
    def test_infobatch_calls_none_easy_that_is_not_below_the_mean(self, values):
        hard = select(InfoBatch(), values) == Status.TRAINED
        loss = [Fraction(x) for x in -np.log(values.astype(np.float64))]
        mean = sum(loss) / len(loss)
        assert hard[[x >= mean for x in loss]].all()
        # And none hard that is, but for what single precision cannot tell.
        far = [x < mean - Fraction(float(SINGLE)) for x in loss]
        assert not hard[far].any()
        assert hard[values == values.min()].all()

    @given(values=st.one_of(tied_scores(), close_scores()), seed=seeds)
    def test_selective_backprop_always_keeps_all_of_the_hardest(self, values, seed):
        kept = select(SelectiveBackprop(3), values, seed) == Status.TRAINED
        assert kept[values == values.min()].all()

    @given(values=tied_scores(min_size=20))
    def test_ties_lie_on_one_side_of_a_gap(self, values):
        share = share_below_gap(values)
        below, above = np.split(np.sort(values), [round(share * len(values))])
        assert not 0 < share < 0.5 or below[-1] < above[0]

    @given(values=st.one_of(tied_scores(), close_scores()), threshold=probabilities)
    def test_data_dropout_says_the_same_of_equal_records(self, values, threshold):
        status = select(DBPD(float(threshold)), values)
        for value in np.unique(values):
            assert len(set(status[values == value])) == 1

    @given(
        scores=hnp.arrays(np.float64, st.integers(1, 300), elements=st.floats(0, 1)),
        judge=st.sampled_from([Reliability(), Evidence(support)]),
    )
    def test_those_that_are_doubted_are_put_aside_and_no_others(self, scores, judge):
        policy = FocusFilter(KeepAll(), judge, threshold="auto", class_rescue=False)
        aside = select(policy, scores) == Status.UNRELIABLE
        doubted = below_limit(scores, 1 / 3)
        if doubted.mean() <= 0.5:
            np.testing.assert_array_equal(aside, doubted)
        else:
            assert aside.sum() == len(scores) // 2
            assert doubted[aside].all()


class TestBelowMean:
    def test_of_nothing(self):
        assert below_mean(np.zeros(0)).tolist() == []

    @given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 88)))
    def test_is_that_of_exact_numbers_and_leaves_one(self, values):
        below = below_mean(values)
        exact = [Fraction(x) for x in values]
        mean = sum(exact) / len(exact)
        assert not below[[x >= mean for x in exact]].any()
        assert not below.all()


class TestNOfShare:
    @example(n=73_989_839, k=39_069_528)  # the product is 7e-9 less than k
    @given(n=st.integers(1, 10**9), k=st.integers(0, 10**9))
    def test_a_number_of_records_is_that_number(self, n, k):
        assert n_of_share((k % n) / n, n) == k % n

    @given(n=st.integers(0, 10**6), percent=st.integers(0, 99))
    def test_of_per_cents_it_is_rounded_down(self, n, percent):
        assert n_of_share(percent / 100, n) == n * percent // 100

    @given(n=st.integers(1, 1000), share=st.floats(0, 1))
    def test_is_never_more_than_the_share(self, n, share):
        assert 0 <= n_of_share(share, n) <= share * n * (1 + 1e-15)


def test_what_differs_by_more_than_rounding_is_not_level():
    assert not is_level(np.array([1, 1 + 1e-4]), np.float32)
    assert is_level(np.array([1, 1 + 1e-7]), np.float32)
    assert not is_level(np.array([1, 1 + 1e-7]))
    assert is_level(np.zeros(3))
