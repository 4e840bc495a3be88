import numpy as np
import pytest

from sk_erts.datasets import make_ecg
from sk_erts.metrics import evidence_enrichment

EVIDENCE = np.array([[False, True, False, False]])


@pytest.mark.parametrize(
    ("maps", "ratio"),
    [([0, 1, 0, 0], 4), ([1, 1, 1, 1], 1), ([1, 3, -2, 0], 3), ([0, 0, 0, 0], 0)],
)
def test_by_hand(maps, ratio):
    assert evidence_enrichment(np.array([maps]), EVIDENCE).tolist() == [ratio]


def test_no_evidence_is_no_question():
    ratio = evidence_enrichment(np.ones((1, 4)), np.zeros((1, 4), dtype=bool))
    np.testing.assert_array_equal(ratio, [np.nan])


def test_evidence_by_lead_counts_by_lead():
    by_lead = np.stack([EVIDENCE, np.zeros_like(EVIDENCE)], axis=1)
    maps = by_lead.astype(float)
    assert evidence_enrichment(maps, by_lead).tolist() == [8]
    assert evidence_enrichment(maps, EVIDENCE).tolist() == [4]


def test_of_records_whose_evidence_is_known():
    _, _, evidence = make_ecg(12, 1, random_state=0, return_evidence=True)
    best = evidence_enrichment(evidence.mask.astype(float), evidence.mask)
    np.testing.assert_allclose(best, 1 / evidence.mask.mean(axis=1))
    drawn = np.random.default_rng(0).random((12, 1000))
    ratios = evidence_enrichment(drawn, evidence.mask)
    # Uniform values depart from their mean by its 1/sqrt(3).
    standard_error = 1 / np.sqrt(3 * evidence.mask.sum(axis=1))
    assert (abs(ratios - 1) < 4 * standard_error).all()
