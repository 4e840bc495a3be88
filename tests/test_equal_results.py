"""Trainings give what they gave before: networks, selections, maps and judgements.

The values were written down by ``python -m tests.equal_results`` before the training
was given its present shape; whoever changes what a training does writes them anew, and
says why in the changelog.
"""

import json

import numpy as np
import pytest

from tests.equal_results import CASES, WRITTEN, outline, run

EXPECTED = json.loads(WRITTEN.read_text(encoding="utf-8"))
COUNTED = ("n_trained", "scoring_passes", "status")
# A processor that rounds otherwise (SSE4.1 in place of AVX2) was off by 0.004.
TOLERANCE = 0.01


def test_each_case_is_written_down():
    assert list(EXPECTED) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_equal_results(name):
    found, expected = outline(run(name)), EXPECTED[name]
    for key in COUNTED:
        assert found[key] == expected[key], key
    for key in expected.keys() - set(COUNTED):
        np.testing.assert_allclose(found[key], expected[key], atol=TOLERANCE)
