"""Intervals are those of a plain bootstrap with the same draws."""

import numpy as np
import pytest
from sklearn import metrics

from sk_erts.report import _bootstrap
from sk_erts.report._bootstrap import bootstrap, draws
from sk_erts.report._performance import MEASURES
from tests.report.test_performance import example

N_DRAWS = 25


def plain(decisions, groups, of, seed=0):
    """Draw groups one sample after the other, and records by index."""
    rng = np.random.RandomState(seed)
    n_groups = groups.max() + 1
    found = []
    for _ in range(N_DRAWS):
        who = rng.randint(n_groups, size=n_groups)
        rows = np.concatenate([np.flatnonzero(groups == one) for one in who])
        found.append(of(decisions.of(rows)))
    return np.array(found)


@pytest.mark.parametrize("groups", [np.arange(200), np.arange(200) // 7])
def test_intervals_are_those_of_a_plain_bootstrap(groups):
    decisions = example()
    (found,) = bootstrap(
        decisions, groups, [np.arange(200)], N_DRAWS, 0.9, np.random.RandomState(0)
    )

    def areas(part):
        return metrics.roc_auc_score(part.true, part.proba, average=None)

    def sensitivities(part):
        return metrics.recall_score(part.true, part.decided, average=None)

    for name, of in {"auroc": areas, "sensitivity": sensitivities}.items():
        low, high = np.quantile(plain(decisions, groups, of), [0.05, 0.95], axis=0)
        row = MEASURES.index(name)
        assert found.low[row, :-1] == pytest.approx(low, abs=1e-12)
        assert found.high[row, :-1] == pytest.approx(high, abs=1e-12)
    assert not found.n_left_out.any()


def test_groups_that_hang_together_are_less_sure():
    decisions = example(n=40)
    twice = decisions.of(np.repeat(np.arange(40), 5))
    everyone = np.arange(200)

    def width(groups):
        rng = np.random.RandomState(0)
        (found,) = bootstrap(twice, groups, [everyone], 400, 0.95, rng)
        return found.high[0, -1] - found.low[0, -1]

    assert width(everyone // 5) > 1.7 * width(everyone)  # by the root of 5


def test_pieces_change_nothing(monkeypatch):
    groups = np.arange(30) // 2
    whole = np.concatenate(list(draws(groups, 20, np.random.RandomState(3))))
    monkeypatch.setattr(_bootstrap, "AT_ONCE", 90)
    pieces = list(draws(groups, 20, np.random.RandomState(3)))
    assert [len(piece) for piece in pieces] == [3] * 6 + [2]
    assert np.array_equal(np.concatenate(pieces), whole)


def test_samples_without_a_class_are_left_out_and_counted():
    decisions = example(n=30)
    true = decisions.true.copy()
    true[:, 0] = False
    true[4, 0] = True
    true[4, 1:] = False
    rare = type(decisions)(true, decisions.decided, decisions.proba, False)
    (found,) = bootstrap(
        rare, np.arange(30), [np.arange(30)], 200, 0.95, np.random.RandomState(0)
    )
    drawn = np.concatenate(list(draws(np.arange(30), 200, np.random.RandomState(0))))
    n_without = int((drawn[:, 4] == 0).sum())
    assert 0 < n_without == found.n_left_out[0, 0] == found.n_left_out[3, 0]
    assert np.isfinite([found.low[3, 0], found.high[3, 0]]).all()


def test_parts_are_measured_in_the_same_samples():
    decisions = example()
    part = np.arange(0, 200, 3)
    rng = np.random.RandomState(0)
    _, found = bootstrap(
        decisions, np.arange(200), [np.arange(200), part], N_DRAWS, 0.9, rng
    )
    inside = np.isin(np.arange(200), part)
    rng = np.random.RandomState(0)
    areas = []
    for _ in range(N_DRAWS):
        rows = rng.randint(200, size=200)
        own = decisions.of(rows[inside[rows]])
        areas.append(metrics.roc_auc_score(own.true[:, 1], own.proba[:, 1]))
    expected = np.quantile(areas, [0.05, 0.95])
    assert [found.low[3, 1], found.high[3, 1]] == pytest.approx(expected, abs=1e-12)
