import numpy as np
import pytest
from hypothesis import given

from sk_erts.quality import SignalQuality
from sk_erts.selection import (
    DBPD,
    FocusFilter,
    KeepAll,
    Known,
    Reliability,
    Scores,
    Status,
    as_judge,
    label_suspicion,
)
from tests.strategies import beliefs

SIGNAL = SignalQuality(fs=100)


@given(beliefs())
def test_the_suspicion_of_an_audit_turned_round(belief):
    np.testing.assert_array_equal(
        Reliability().score(Known(*belief)), 1 - label_suspicion(*belief)
    )


def test_the_worse_of_label_and_signal_counts():
    codes, proba = np.zeros(2, int), np.array([[0.8, 0.2], [0.1, 0.9]])
    known = Known(codes, proba, signal=np.array([0.5, 0.5]))
    both = Reliability(SIGNAL).score(known)
    np.testing.assert_allclose(both, [0.5, 0.1])
    signal = Reliability(SIGNAL, label=False).score(known)
    np.testing.assert_allclose(signal, [0.5, 0.5])


def test_what_must_be_looked_at():
    assert Reliability().reads == {"confidence"}
    assert Reliability(SIGNAL, label=False).reads == set()
    with pytest.raises(ValueError, match="must judge labels or signals. Got label=F"):
        _ = Reliability(label=False).reads


def test_names_and_objects():
    assert as_judge("reliability").get_params() == Reliability().get_params()
    given_one = Reliability(SIGNAL)
    assert as_judge(given_one) is given_one
    assert as_judge("top_mass").reads == {"maps"}


def test_a_filter_reads_confidence_too():
    """Whose label is judged has to be looked at, whatever gives the candidates."""
    assert FocusFilter(KeepAll(), "reliability").reads == {"focus", "confidence"}
    unjudged = FocusFilter(KeepAll(), Reliability(SIGNAL, label=False))
    assert unjudged.reads == {"focus"}
    assert FocusFilter(KeepAll(), "top_mass").reads == {"focus"}


def test_two_judges_in_one_policy_are_refused():
    policy = FocusFilter(FocusFilter(DBPD(), "reliability"), "top_mass")
    with pytest.raises(ValueError, match=r"Got 'top_mass' around Reliability\(\)"):
        _ = policy.judge
    twice = FocusFilter(FocusFilter(DBPD(), "gini"), "gini")
    assert twice.judge is as_judge("gini")


class TestAuto:
    def select(self, reliability, policy=None):
        n = len(reliability)
        scores = Scores(np.arange(n) % 2, 1, np.zeros(n), np.array(reliability))
        policy = FocusFilter(
            policy or DBPD(0.5), "reliability", threshold="auto", by_class=False
        )
        return policy.select(scores, np.random.default_rng(0)) == Status.TRAINED

    def test_those_below_a_third_are_put_aside(self):
        kept = self.select([0.2, 0.9, 0.5, 0.33, 0.6, 0.34, 0.3, 0.7])
        assert kept.tolist() == [False, True, True, False, True, True, False, True]

    def test_nobody_where_all_are_reliable(self):
        assert self.select(np.full(10, 0.4)).all()

    def test_never_more_than_half(self):
        kept = self.select(np.linspace(0, 0.3, 10))
        assert kept.tolist() == [False] * 5 + [True] * 5

    def test_never_more_than_half_of_a_class(self):
        """Nobody is believed in the second class, and half of it is trained."""
        focus = np.array([0.9, 0.1] * 10)
        scores = Scores(np.arange(20) % 2, 1, np.zeros(20), focus)
        policy = FocusFilter(DBPD(0.5), "reliability", threshold="auto")
        kept = policy.select(scores, np.random.default_rng(0)) == Status.TRAINED
        assert kept[focus == 0.9].all()
        assert kept[focus == 0.1].sum() == 5

    def test_no_candidates(self):
        assert Reliability().share_doubted(np.zeros(0)) == 0
