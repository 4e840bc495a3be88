"""Every check that scikit-learn has for an estimator."""

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)
from torch import nn

from sk_erts import ERTSClassifier

SMALL = ERTSClassifier(
    module__width=8,
    module__blocks=(1,),
    module__kernel_size=3,
    max_epochs=20,
    lr=1e-2,
    batch_size=32,
    warmup_epochs=(3, 2),
    verbose=0,
)
# As it comes, and what a user turns first; minutes, where the small one takes seconds.
DEFAULTS = ERTSClassifier(verbose=0)
NARROW = ERTSClassifier(module__width=8, lr=1e-2, max_epochs=20, verbose=0)

EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A record of weight two and two equal records are not the same to mini-batches "
        "and batch normalisation, which count records; where neither is used they are "
        "(test_weights_are_repetitions_where_batches_allow_it)."
    )
}


@parametrize_with_checks(
    [SMALL], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [DEFAULTS, NARROW], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check_of_usual_settings(estimator, check):
    check(estimator)


def test_the_checks_are_not_dodged():
    names = [
        getattr(check, "func", check).__name__
        for _, check in estimator_checks_generator(SMALL)
    ]
    assert len(names) >= 50
    assert {
        "check_classifiers_train",
        "check_class_weight_classifiers",
        "check_classifier_multioutput",
        "check_classifiers_multilabel_output_format_predict_proba",
        "check_sample_weights_shape",
        "check_fit2d_1sample",
        "check_readonly_memmap_input",
        "check_n_features_in_after_fitting",
    } <= set(names)
    assert len(EXPECTED_FAILURES) == 1


class Pooled(nn.Module):
    """A network that does not count records: no normalisation over the batch."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(n_leads, 4, 5, padding=2), nn.Tanh())
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, n_classes)
        )

    def forward(self, x):
        return self.head(self.features(x))


def test_weights_are_repetitions_where_batches_allow_it():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 20)), rng.integers(3, size=40)
    weight = rng.integers(0, 4, size=40)
    clf = ERTSClassifier(
        Pooled,
        optimizer=torch.optim.SGD,
        lr=0.5,
        batch_size=1000,
        data_dropout=None,
        focus=None,
        random_state=0,
        verbose=0,
    )
    weighted = clf.fit(X, y, sample_weight=weight).predict_proba(X)
    repeated = clf.fit(X.repeat(weight, axis=0), y.repeat(weight)).predict_proba(X)
    plain = clf.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-5)
    assert np.abs(weighted - plain).max() > 1e-2


@pytest.mark.parametrize("weight", [np.zeros(120), -np.ones(120), np.ones(5)])
def test_impossible_weights_are_refused(records, small, weight):
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        ERTSClassifier(**small).fit(*records, sample_weight=weight)
