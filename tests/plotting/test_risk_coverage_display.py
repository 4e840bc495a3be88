import numpy as np
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

from sk_erts.metrics import risk_coverage
from sk_erts.plotting import RiskCoverageDisplay

PROBA = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
Y = np.array(["AFIB", "NORM", "NORM", "AFIB"])


class Says:
    """A classifier whose records are its answers."""

    classes_ = np.array(["NORM", "AFIB"])

    def predict_proba(self, X):
        return X


def test_the_curve_is_that_of_the_measure_in_per_cent():
    display = RiskCoverageDisplay.from_predictions(Y, PROBA)
    curve = risk_coverage(Y, PROBA)
    assert_allclose(display.line_.get_xdata(), 100 * curve.coverage)
    assert_allclose(display.line_.get_ydata(), 100 * curve.risk)
    assert_allclose(display.chance_.get_ydata(), [50, 50])
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["by uncertainty: 0.208", "by chance: 0.500"]
    assert display.ax_.get_ylim()[0] == 0


def test_classes_are_those_of_the_estimator_and_uncertainty_may_be_given():
    uncertainty = [4, 3, 2, 1]
    display = RiskCoverageDisplay.from_estimator(Says(), PROBA, Y, uncertainty)
    curve = risk_coverage(Y, PROBA[:, ::-1], uncertainty)
    assert_allclose(display.curve.risk, curve.risk)
    assert curve.risk[0] == 0


def test_two_curves_share_given_axes():
    figure, ax = plt.subplots()
    for name in ("dropout", "ensemble"):
        display = RiskCoverageDisplay.from_predictions(Y, PROBA, name=name, ax=ax)
    assert display.figure_ is figure
    assert display.ax_ is ax
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [t.split(":")[0] for t in texts][::2] == ["dropout", "ensemble"]
