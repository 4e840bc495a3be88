import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from sk_erts.metrics import expected_calibration_error
from sk_erts.plotting import ReliabilityDisplay
from tests.plotting.test_risk_coverage_display import PROBA, Says, Y


def test_marks_are_full_bins_as_large_as_they_are_full():
    display = ReliabilityDisplay.from_predictions(Y, PROBA, n_bins=4)
    # Of the most probable classes 0.7 and 0.6 are wrong, 0.9 and 0.8 right.
    assert_allclose(display.marks_.get_offsets(), [[0.65, 0], [0.85, 1]])
    assert_allclose(np.ptp(display.marks_.get_sizes()), 0)
    uneven = ReliabilityDisplay.from_predictions(Y[:3], PROBA[:3], n_bins=4)
    assert_allclose(np.divide(*uneven.marks_.get_sizes()), 1 / 2)


def test_intervals_are_wilsons():
    rng = np.random.default_rng(0)
    y = rng.random((200, 2)) < 0.3
    display = ReliabilityDisplay.from_predictions(y, np.full((200, 2), 0.4))
    n_true = int(y.sum())
    expected = binomtest(n_true, 400).proportion_ci(method="wilson")
    full = display.calibration.count > 0
    assert_allclose(display.bounds[:, full][:, 0], [expected.low, expected.high])
    (bar,) = display.ax_.collections[0].get_segments()
    assert_allclose(bar[:, 1], [expected.low, expected.high])
    assert np.isnan(display.bounds[:, ~full]).all()


def test_the_title_tells_the_error_and_its_interval():
    display = ReliabilityDisplay.from_predictions(Y, PROBA)
    found = expected_calibration_error(Y, PROBA, random_state=0)
    title = display.ax_.get_title(loc="left")
    assert title == (
        f"calibration error {found.error:.3f} ({found.low:.3f} to {found.high:.3f}), "
        "n = 4"
    )


def test_classes_are_those_of_the_estimator():
    figure, ax = plt.subplots()
    display = ReliabilityDisplay.from_estimator(Says(), PROBA, Y, ax=ax)
    assert display.figure_ is figure
    own, turned = (
        expected_calibration_error(Y, proba, n_resamples=1).error
        for proba in (PROBA, PROBA[:, ::-1])
    )
    assert display.calibration.error == pytest.approx(turned)
    assert own != pytest.approx(turned)
