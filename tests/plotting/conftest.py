"""A classifier to draw, trained once; figures that no test sees are closed."""

import matplotlib
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg

PARAMETERS = {
    "module__width": 4,
    "module__blocks": (1, 1),
    "max_epochs": 6,
    "warmup_epochs": (1, 1),
    "looks__first_step": 0,
    "revision_epochs": 1,
    "random_state": 0,
    "verbose": 0,
}


@pytest.fixture(scope="module")
def ecg():
    return make_ecg(60, n_leads=2, duration_s=4, random_state=0)


@pytest.fixture(scope="module")
def clf(ecg):
    return ERTSClassifier(**PARAMETERS).fit(*ecg)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")
