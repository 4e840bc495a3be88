"""Logarithms of probabilities, from the logits themselves."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from sk_erts import ERTSClassifier
from sk_erts._records.task import OneClass, SeveralLabels
from tests.conftest import bumps

X, Y, _ = bumps(60)
SEVERAL = np.stack([Y == 2, Y > 0], axis=1).astype(int)
FAR = torch.tensor([[0.0, 2000.0], [-900.0, 900.0], [1.0, 1.5]])


@pytest.mark.parametrize("y", [Y, SEVERAL], ids=["one", "several"])
def test_are_the_logarithms(small, y):
    clf = ERTSClassifier(**small | {"max_epochs": 2}).fit(X, y)
    log_proba = clf.predict_log_proba(X)
    assert log_proba.dtype == np.float64
    np.testing.assert_allclose(log_proba, np.log(clf.predict_proba(X)), rtol=1e-10)


@pytest.mark.parametrize("y", [Y, SEVERAL], ids=["one", "several"])
def test_of_a_network_that_is_sure_beyond_what_a_number_holds(small, y):
    clf = ERTSClassifier(**small | {"max_epochs": 2}).fit(X, y)
    with torch.no_grad():
        clf.net_.module_.head.linear.weight *= 1e5
    assert clf.predict_proba(X).min() == 0
    assert np.isfinite(clf.predict_log_proba(X)).all()


def test_far_logits():
    one = OneClass(np.arange(2)).log_probability(FAR).numpy()
    np.testing.assert_allclose(one, log_softmax(FAR.double().numpy(), axis=1))
    several = SeveralLabels(np.arange(2)).log_probability(FAR).numpy()
    np.testing.assert_allclose(several, -np.logaddexp(0, -FAR.double().numpy()))
    for log_proba in (one, several):
        assert not np.signbit(log_proba[log_proba == 0]).any()
        assert (log_proba == 0).any()


def test_shapes_are_judged(small):
    clf = ERTSClassifier(**small | {"max_epochs": 2}).fit(X, Y)
    with pytest.raises(ValueError, match="fitted on records of shape"):
        clf.predict_log_proba(X[:, :1])
