import numpy as np
import pytest
from hypothesis import given

from sk_erts.selection import DBPD, HardnessFilter, KeepAll, Scores, Status
from tests.strategies import scores, shares


def select(policy, of):
    return policy.select(of, np.random.default_rng(0))


@given(of=scores(), threshold=shares)
def test_what_is_left_is_a_band(of, threshold):
    policy = HardnessFilter(DBPD(0.5), threshold, class_rescue=False, by_class=False)
    status = select(policy, of)
    aside, trained, easy = (
        of.confidence[status == each]
        for each in (Status.UNRELIABLE, Status.TRAINED, Status.EASY)
    )
    assert aside.max(initial=0) <= trained.min(initial=1)
    assert trained.max(initial=0) < 0.5 or not len(trained)
    assert easy.min(initial=1) >= 0.5
    assert len(aside) == int(threshold * (len(aside) + len(trained)))


@given(of=scores(), threshold=shares)
def test_no_class_is_erased(of, threshold):
    status = select(HardnessFilter(DBPD(0.5), threshold), of)
    candidates = set(of.y[of.confidence < 0.5].tolist())
    assert set(of.y[status == Status.TRAINED].tolist()) == candidates


def test_class_rescue_keeps_the_easiest_of_a_class():
    of = Scores(
        y=np.array([1, 1, 0, 0]), epoch=1, confidence=np.array([0.1, 0.2, 0.3, 0.4])
    )
    assert select(HardnessFilter(KeepAll(), 0.5, by_class=False), of).tolist() == [
        Status.UNRELIABLE,
        Status.TRAINED,
        Status.TRAINED,
        Status.TRAINED,
    ]


def test_a_wrong_threshold_is_named():
    of = Scores(y=np.zeros(3, int), epoch=1, confidence=np.ones(3))
    message = r"'threshold' parameter of HardnessFilter must be .* Got 1\.5 instead"
    with pytest.raises(ValueError, match=message):
        select(HardnessFilter(KeepAll(), 1.5), of)


def test_by_class_each_loses_its_share():
    of = Scores(
        y=np.array([1, 1, 0, 0]), epoch=1, confidence=np.array([0.1, 0.2, 0.3, 0.4])
    )
    status = select(HardnessFilter(KeepAll(), 0.5), of)
    assert (status == Status.UNRELIABLE).tolist() == [True, False, True, False]
