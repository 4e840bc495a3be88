import numpy as np
import pytest
from hypothesis import given

from sk_erts.selection import DBPD, FocusFilter, KeepAll, Scores, Status
from tests.strategies import scores, shares


def select(policy, **of):
    of = {"y": np.zeros(len(of["focus"]), int), "epoch": 1} | of
    return policy.select(Scores(**of), np.random.default_rng(0))


@given(of=scores(), threshold=shares)
def test_puts_aside_its_share_of_the_candidates_and_nothing_else(of, threshold):
    together = {"class_rescue": False, "by_class": False}
    policy = FocusFilter(DBPD(0.5), threshold=threshold, **together)
    status = policy.select(of, np.random.default_rng(0))
    candidates = of.confidence < 0.5
    np.testing.assert_array_equal(status == Status.EASY, ~candidates)
    assert (status == Status.UNRELIABLE).sum() == int(threshold * candidates.sum())


@given(of=scores(), threshold=shares)
def test_by_class_each_class_loses_its_share_and_the_least_focused(of, threshold):
    policy = FocusFilter(KeepAll(), threshold=threshold)
    aside = policy.select(of, np.random.default_rng(0)) == Status.UNRELIABLE
    for label in np.unique(of.y):
        own = of.y == label
        assert aside[own].sum() == int(threshold * own.sum() + 1e-9)
        lost, kept = of.focus[own & aside], of.focus[own & ~aside]
        assert lost.max(initial=-1) <= kept.min(initial=2)


def test_a_class_that_nobody_believes_in_keeps_half():
    """All together, the least believed are all of the rare class."""
    focus = np.array([0.1, 0.2, 0.15, 0.12, 0.5, 0.6, 0.7, 0.8])
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    by_class = select(FocusFilter(KeepAll(), threshold=0.5), focus=focus, y=y)
    policy = FocusFilter(KeepAll(), threshold=0.5, by_class=False)
    together = select(policy, focus=focus, y=y)
    assert (by_class[y == 1] == Status.TRAINED).tolist() == [False, True, True, False]
    assert (together[y == 1] == Status.TRAINED).sum() == 1  # the one that is rescued


@given(of=scores(), low=shares, high=shares)
def test_a_higher_focus_threshold_keeps_no_more(of, low, high):
    def kept(share):
        policy = FocusFilter(KeepAll(), threshold=share)
        return policy.select(of, np.random.default_rng(0)) == Status.TRAINED

    low, high = sorted((low, high))
    assert np.all(kept(high) <= kept(low))


@given(of=scores(), threshold=shares)
def test_who_is_kept_is_at_least_as_focused_as_who_is_not(of, threshold):
    together = {"class_rescue": False, "by_class": False}
    policy = FocusFilter(KeepAll(), threshold=threshold, **together)
    status = policy.select(of, np.random.default_rng(0))
    aside = of.focus[status == Status.UNRELIABLE]
    kept = of.focus[status == Status.TRAINED]
    assert aside.max(initial=-1) <= kept.min(initial=2)


@pytest.mark.parametrize("by_class", [True, False])
@given(of=scores(), threshold=shares)
def test_no_class_is_erased(by_class, of, threshold):
    policy = FocusFilter(DBPD(0.5), threshold=threshold, by_class=by_class)
    status = policy.select(of, np.random.default_rng(0))
    candidates = set(of.y[of.confidence < 0.5].tolist())
    assert set(of.y[status == Status.TRAINED].tolist()) == candidates


def test_class_rescue_keeps_the_best_of_a_class():
    focus = np.array([0.1, 0.2, 0.8, 0.9])
    y = np.array([1, 1, 0, 0])
    policy = FocusFilter(KeepAll(), threshold=0.5, by_class=False)
    rescued = select(policy, focus=focus, y=y)
    assert rescued.tolist() == [
        Status.UNRELIABLE,
        Status.TRAINED,
        Status.TRAINED,
        Status.TRAINED,
    ]
    policy.set_params(class_rescue=False)
    assert (select(policy, focus=focus, y=y) == Status.TRAINED).sum() == 2


def test_the_released_ranking_prefers_the_harder_of_two_equally_focused():
    of = {"focus": np.array([0.5, 0.5]), "confidence": np.array([0.1, 0.4])}
    policy = FocusFilter(DBPD(0.5), threshold=0.5, ranking="hard_focus")
    assert select(policy, **of).tolist() == [Status.TRAINED, Status.UNRELIABLE]


def test_auto_puts_aside_the_lower_of_two_groups():
    rng = np.random.default_rng(0)
    focus = np.concatenate([rng.normal(0.2, 0.02, 15), rng.normal(0.8, 0.05, 85)])
    status = select(FocusFilter(KeepAll(), threshold="auto"), focus=focus)
    np.testing.assert_array_equal(status == Status.UNRELIABLE, focus < 0.5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"threshold": 1.0}, r"'threshold' .* must be a number in \[0, 1\) or 'auto'"),
        ({"threshold": "half"}, r"number in \[0, 1\) or 'auto'. Got 'half' instead"),
        ({"ranking": "best"}, "'ranking' .* must be 'focus' or 'hard_focus'"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        select(FocusFilter(KeepAll(), **params), focus=np.zeros(3))
