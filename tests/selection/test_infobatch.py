import numpy as np
import pytest
from hypothesis import given

from sk_erts.selection import InfoBatch, Scores, Status, takes_gradient
from tests.strategies import distinct_scores, scores, seeds, shares


@given(of=distinct_scores(), share=shares, seed=seeds)
def test_all_of_greater_loss_are_trained_and_a_share_of_the_others(of, share, seed):
    status = InfoBatch(share).select(of, np.random.default_rng(seed))
    loss = -np.log(of.confidence)
    easy = loss < loss.mean() if len(of) else np.zeros(0, dtype=bool)
    np.testing.assert_array_equal(status == Status.TRAINED, ~easy)
    n_out = (status == Status.EASY).sum()
    assert abs(n_out - share * easy.sum()) <= 1
    assert n_out + (status == Status.REHEARSED).sum() == easy.sum()


@given(of=scores(), seed=seeds)
def test_nobody_is_left_out_at_share_zero(of, seed):
    policy = InfoBatch(0.0)
    status = policy.select(of, np.random.default_rng(seed))
    assert takes_gradient(status).all()
    np.testing.assert_array_equal(policy.loss_weights(status), 1)


@pytest.mark.parametrize("share", [0.5, 0.3])
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_the_expected_weighted_sum_is_the_plain_sum(n, share):
    """For each record by itself, so for the sum of anything over the records."""
    draw = np.random.default_rng(1)
    of = Scores(y=np.zeros(n, int), epoch=1, confidence=draw.random(n))
    policy = InfoBatch(share)
    rng = np.random.default_rng(0)
    n_draws = 8000
    weights = np.zeros(n)
    for _ in range(n_draws):
        status = policy.select(of, rng)
        weights += takes_gradient(status) * policy.loss_weights(status)
    # One record's weight is w with chance 1 / w, and else 0.
    error = np.sqrt((1 / (1 - share) - 1) / n_draws)
    np.testing.assert_allclose(weights / n_draws, 1, atol=4.5 * error)


def test_sure_misses_do_not_make_the_mean_infinite():
    of = Scores(y=np.zeros(4, int), epoch=1, confidence=np.array([0, 0.5, 0.5, 0.5]))
    status = InfoBatch().select(of, np.random.default_rng(0))
    assert status[0] == Status.TRAINED
    assert not (status[1:] == Status.TRAINED).any()


def test_none_is_added_to_fill_a_batch():
    assert not InfoBatch().rehearses


@pytest.mark.parametrize("share", [1.0, -0.5, "half"])
def test_a_wrong_share_is_named(share):
    of = Scores(y=np.zeros(3, int), epoch=1, confidence=np.ones(3))
    message = r"'share' parameter of InfoBatch must be a number in \[0, 1\)"
    with pytest.raises(ValueError, match=message):
        InfoBatch(share).select(of, np.random.default_rng(0))
