import numpy as np
from hypothesis import given

from sk_erts.selection import DBPD, FocusFilter, Rehearsal, Scores, Status
from tests.strategies import scores, seeds, shares


@given(of=scores(), share=shares, seed=seeds)
def test_rehearsal_adds_easy_records_and_takes_none_away(of, share, seed):
    policy = FocusFilter(DBPD(0.5), threshold=0.5)
    plain = policy.select(of, np.random.default_rng(seed))
    rehearsed = Rehearsal(policy, share).select(of, np.random.default_rng(seed))
    changed = plain != rehearsed
    assert np.all(plain[changed] == Status.EASY)
    assert np.all(rehearsed[changed] == Status.REHEARSED)
    n_easy = (plain == Status.EASY).sum()
    assert abs(changed.sum() - share * n_easy) <= 1


def test_rehearsal_of_single_records_keeps_its_share_on_average():
    of = Scores(y=np.zeros(1, int), epoch=1, confidence=np.ones(1))
    rng = np.random.default_rng(0)
    policy = Rehearsal(DBPD(0.5), 0.2)
    n_kept = sum(
        int(policy.select(of, rng)[0] == Status.REHEARSED) for _ in range(1000)
    )
    assert 160 < n_kept < 240


def test_the_rehearsed_weigh_more_and_nobody_else_does():
    policy = Rehearsal(FocusFilter(DBPD(0.5)), 0.1, weight=4.0)
    status = np.array([Status.TRAINED, Status.REHEARSED, Status.EASY])
    assert policy.loss_weights(status).tolist() == [1, 4, 1]
    assert policy.without_focus().loss_weights(status).tolist() == [1, 4, 1]
    assert policy.policy.loss_weights(status).tolist() == [1, 1, 1]


def test_it_rehearses_where_any_easy_record_is_trained():
    assert Rehearsal(FocusFilter(DBPD(0.5)), 0.1).rehearses
    assert FocusFilter(Rehearsal(DBPD(0.5), 0.1)).rehearses
    assert not Rehearsal(DBPD(0.5), 0.0).rehearses
    assert not FocusFilter(DBPD(0.5)).rehearses
