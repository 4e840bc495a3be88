import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_erts.selection import Scores, SelectiveBackprop, Status
from tests.strategies import scores, seeds


def kept(policy, of, seed=0):
    return policy.select(of, np.random.default_rng(seed)) == Status.TRAINED


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_chance_is_the_rank_of_the_loss_to_the_power_of_beta(beta):
    confidence = np.array([0.7, 0.1, 0.9, 0.4, 0.4])
    chance = (np.array([2, 5, 1, 4, 4]) / 5) ** beta
    of = Scores(y=np.zeros(5, int), epoch=1, confidence=confidence)
    rng = np.random.default_rng(0)
    policy = SelectiveBackprop(beta)
    n_draws = 4000
    counts = np.sum(
        [policy.select(of, rng) == Status.TRAINED for _ in range(n_draws)], axis=0
    )
    spread = np.sqrt(n_draws * chance * (1 - chance))
    assert np.all(np.abs(counts - n_draws * chance) <= 4 * spread)


@pytest.mark.parametrize(("beta", "share"), [(0, 1), (1, 1 / 2), (2, 1 / 3)])
def test_share_kept(beta, share):
    rng = np.random.default_rng(1)  # not the seed of the selection
    of = Scores(y=np.zeros(5000, int), epoch=1, confidence=rng.random(5000))
    assert kept(SelectiveBackprop(beta), of).mean() == pytest.approx(share, abs=0.02)


@given(of=scores(min_size=1), beta=st.floats(0, 10), seed=seeds)
def test_the_hardest_are_always_kept(of, beta, seed):
    hardest = of.confidence == of.confidence.min()
    assert kept(SelectiveBackprop(beta), of, seed)[hardest].all()


@given(of=scores(), low=st.floats(0, 10), high=st.floats(0, 10), seed=seeds)
def test_a_greater_beta_keeps_no_more(of, low, high, seed):
    low, high = sorted((low, high))
    assert np.all(
        kept(SelectiveBackprop(high), of, seed)
        <= kept(SelectiveBackprop(low), of, seed)
    )


@pytest.mark.parametrize("beta", [-1, np.nan, "high"])
def test_a_wrong_beta_is_named(beta):
    of = Scores(y=np.zeros(3, int), epoch=1, confidence=np.ones(3))
    with pytest.raises(ValueError, match="'beta' parameter of SelectiveBackprop must"):
        kept(SelectiveBackprop(beta), of)
