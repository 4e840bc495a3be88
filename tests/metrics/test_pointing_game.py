import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_erts.datasets import make_ecg
from sk_erts.metrics import pointing_game
from tests.strategies import tied_maps

EVIDENCE = np.array([[0, 0, 1, 1, 0, 0, 0, 0]], dtype=bool)


@pytest.mark.parametrize(
    ("at", "tolerance", "hit"),
    [
        (2, 0, 1),
        (3, 0, 1),
        (4, 0, 0),
        (1, 0, 0),
        (4, 1, 1),
        (1, 1, 1),
        (6, 2, 0),
        (7, 4, 1),
        (7, 3, 0),
        (7, 10**12, 1),
    ],
)
def test_by_hand(at, tolerance, hit):
    maps = np.eye(1, 8, at) - 5
    assert pointing_game(maps, EVIDENCE, tolerance=tolerance).tolist() == [hit]


def test_equal_maxima_share_a_hit():
    maps = np.array([[1, 0, 1, 1, 1, 0, 0, 0]])
    assert pointing_game(maps, EVIDENCE).tolist() == [0.5]
    assert pointing_game(np.zeros((1, 8)), EVIDENCE).tolist() == [0.25]


def test_no_evidence_is_no_question():
    evidence = np.concatenate([EVIDENCE, np.zeros_like(EVIDENCE)])
    hits = pointing_game(np.eye(2, 8, 2), evidence, tolerance=8)
    np.testing.assert_array_equal(hits, [1, np.nan])


def test_evidence_over_time_is_that_of_all_leads():
    maps = np.zeros((2, 3, 8))
    maps[0, 1, 2] = maps[1, 2, 5] = 1
    assert pointing_game(maps, np.repeat(EVIDENCE, 2, axis=0)).tolist() == [1, 0]


def test_evidence_of_a_lead_is_not_that_of_another():
    maps = np.eye(1, 8, 2)[:, np.newaxis] * np.array([[1], [0]])
    evidence = np.stack([~EVIDENCE, EVIDENCE], axis=1)
    assert pointing_game(maps, evidence).tolist() == [0]
    assert pointing_game(maps, evidence[:, ::-1]).tolist() == [1]
    # A tolerance is one in time: the second lead is no neighbour of the first.
    only_other = evidence & [[False], [True]]
    assert pointing_game(maps, only_other, tolerance=7).tolist() == [0]


@given(maps=tied_maps(), tolerance=st.integers(0, 4))
def test_more_tolerance_never_costs_a_hit(maps, tolerance):
    evidence = np.random.default_rng(0).random(maps.shape) < 0.3
    evidence[..., 0] = True
    hits = pointing_game(maps, evidence, tolerance=tolerance)
    assert ((hits >= 0) & (hits <= 1)).all()
    assert (pointing_game(maps, evidence, tolerance=tolerance + 1) >= hits).all()


def test_of_records_whose_evidence_is_known():
    _, _, evidence = make_ecg(12, 1, random_state=0, return_evidence=True)
    assert (pointing_game(evidence.mask.astype(float), evidence.mask) == 1).all()
    chance = pointing_game(np.zeros(evidence.mask.shape), evidence.mask)
    np.testing.assert_allclose(chance, evidence.mask.mean(axis=1))
