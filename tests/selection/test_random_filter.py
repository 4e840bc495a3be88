import numpy as np
import pytest
from hypothesis import given

from sk_erts.selection import DBPD, FocusFilter, KeepAll, RandomFilter, Scores, Status
from tests.strategies import scores, seeds, shares


def aside(policy, of, seed=0):
    return policy.select(of, np.random.default_rng(seed)) == Status.UNRELIABLE


@given(of=scores(), threshold=shares, seed=seeds)
def test_puts_as_many_aside_as_the_focus_filter(of, threshold, seed):
    focused = FocusFilter(DBPD(0.5), threshold=threshold, class_rescue=False)
    control = RandomFilter(DBPD(0.5), threshold, class_rescue=False)
    assert aside(control, of, seed).sum() == aside(focused, of, seed).sum()


@given(of=scores(), threshold=shares, seed=seeds)
def test_leaves_the_easy_to_the_data_dropout(of, threshold, seed):
    status = RandomFilter(DBPD(0.5), threshold).select(of, np.random.default_rng(seed))
    np.testing.assert_array_equal(status == Status.EASY, of.confidence >= 0.5)


@given(of=scores(), threshold=shares, seed=seeds)
def test_no_class_is_erased(of, threshold, seed):
    policy = RandomFilter(DBPD(0.5), threshold)
    status = policy.select(of, np.random.default_rng(seed))
    candidates = set(of.y[of.confidence < 0.5].tolist())
    assert set(of.y[status == Status.TRAINED].tolist()) == candidates


def test_everybody_has_the_same_chance():
    of = Scores(y=np.zeros(20, int), epoch=1, focus=np.arange(20) / 20)
    policy = RandomFilter(KeepAll(), 0.25)
    rng = np.random.default_rng(0)
    counts = np.sum(
        [policy.select(of, rng) == Status.UNRELIABLE for _ in range(2000)], axis=0
    )
    assert counts.sum() == 2000 * 5
    assert np.all(np.abs(counts - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75))


def test_a_wrong_threshold_is_named():
    of = Scores(y=np.zeros(3, int), epoch=1)
    message = r"'threshold' parameter of RandomFilter must be a number in \[0, 1\)\."
    with pytest.raises(ValueError, match=message):
        aside(RandomFilter(KeepAll(), "auto"), of)
