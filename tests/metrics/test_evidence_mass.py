import numpy as np
import pytest
from hypothesis import given

from sk_erts.metrics import evidence_mass
from tests.strategies import tied_maps

EVIDENCE = np.array([[False, True, True, False]])


@pytest.mark.parametrize(
    ("maps", "share"),
    [
        ([0, 1, 1, 0], 1),
        ([1, 0, 0, 1], 0),
        ([1, 3, -2, 0], 0.75),
        ([1, 1, 1, 1], 0.5),
        ([0, 0, 0, 0], 0),
        ([-1, -1, -1, -1], 0),
        ([1e308, 1e308, 1e308, 1e308], 0.5),
    ],
)
def test_by_hand(maps, share):
    assert evidence_mass(np.array([maps], dtype=float), EVIDENCE).tolist() == [share]


def test_no_evidence_is_no_question():
    evidence = np.concatenate([EVIDENCE, np.zeros_like(EVIDENCE)])
    np.testing.assert_array_equal(
        evidence_mass(np.ones((2, 4)), evidence), [0.5, np.nan]
    )


def test_evidence_over_time_is_that_of_all_leads():
    maps = np.array([[[1.0, 2, 3, 4], [5, 6, 7, 8]]])
    assert evidence_mass(maps, EVIDENCE)[0] == pytest.approx((2 + 3 + 6 + 7) / 36)
    by_lead = np.stack([EVIDENCE, ~EVIDENCE], axis=1)
    assert evidence_mass(maps, by_lead)[0] == pytest.approx((2 + 3 + 5 + 8) / 36)


@given(maps=tied_maps())
def test_inside_and_outside_are_all_of_it(maps):
    rng = np.random.default_rng(0)
    evidence = rng.random(maps.shape) < 0.5
    evidence[..., 0], evidence[..., -1] = True, False
    inside = evidence_mass(maps, evidence)
    both = inside + evidence_mass(maps, ~evidence)
    known = evidence.any(axis=tuple(range(1, maps.ndim)))
    positive = (maps > 0).any(axis=tuple(range(1, maps.ndim)))
    np.testing.assert_allclose(both[known], positive[known].astype(float))
    np.testing.assert_allclose(evidence_mass(7 * maps, evidence), inside)
