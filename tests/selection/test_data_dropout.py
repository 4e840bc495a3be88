import numpy as np
import pytest
from hypothesis import given

from sk_erts.selection import DBPD, SMRD, SRD, Scores, Status
from tests.strategies import scores, seeds, thresholds


def kept(policy, of, seed=0):
    return policy.select(of, np.random.default_rng(seed)) == Status.TRAINED


@given(of=scores(), low=thresholds, high=thresholds)
def test_a_higher_confidence_threshold_keeps_no_fewer(of, low, high):
    low, high = sorted((low, high))
    assert np.all(kept(DBPD(low), of) <= kept(DBPD(high), of))


@given(of=scores(), threshold=thresholds, seed=seeds)
def test_smrd_keeps_as_many_as_dbpd(of, threshold, seed):
    n_dbpd = kept(DBPD(threshold), of).sum()
    assert kept(SMRD(threshold), of, seed).sum() == n_dbpd


def test_smrd_does_not_look_at_who_is_hard():
    of = Scores(y=np.zeros(1000, int), epoch=1, confidence=np.linspace(0, 1, 1000))
    chosen = kept(SMRD(0.5), of)
    assert 0.4 < chosen[:500].mean() < 0.6


def test_dbpd_keeps_below_tau_and_calls_the_rest_easy():
    of = Scores(y=np.zeros(3, int), epoch=1, confidence=np.array([0.29, 0.3, 0.31]))
    status = DBPD(0.3).select(of, np.random.default_rng(0))
    assert status.tolist() == [Status.TRAINED, Status.EASY, Status.EASY]


@pytest.mark.parametrize(("epoch", "share"), [(1, 0.98), (10, 0.82), (35, 0.49)])
def test_srd_keeps_decay_to_the_power_of_the_epoch(epoch, share):
    of = Scores(y=np.zeros(100, int), epoch=epoch)
    assert kept(SRD(0.98), of).sum() == round(100 * share)
