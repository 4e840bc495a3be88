"""max_effective_epochs: a training that fits into a number of gradients."""

from typing import ClassVar

import numpy as np
import pytest
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts._training.plan import make_plan
from sk_erts.selection import Status, takes_gradient
from tests.conftest import bumps

X, Y, _ = bumps(120)
FULL = {"data_dropout": None, "focus": None}


class Rates(Callback):
    """Write the learning rate of each step down."""

    found: ClassVar[list[float]] = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.found.append(net.optimizer_.param_groups[0]["lr"])


@pytest.mark.parametrize("budget", [0.5, 2, 2.25, 3.7])
@pytest.mark.parametrize("scheme", [{}, FULL, {"data_dropout": "srd", "focus": None}])
def test_as_many_gradients_as_asked_for(small, budget, scheme):
    params = small | {"max_epochs": 50, "max_effective_epochs": budget} | scheme
    clf = ERTSClassifier(**params).fit(X, Y)
    assert clf.effective_epochs_ == pytest.approx(budget, abs=0.5 / 120)
    trained = takes_gradient(clf.selection_.status).sum()
    assert trained == round(budget * 120)


def test_the_rate_falls_to_zero_when_it_is_spent(small):
    Rates.found = []
    params = small | {"lr_schedule": "cosine", "max_effective_epochs": 3.0}
    params |= {"max_epochs": 50, "revision_epochs": 0, "callbacks": [Rates()]}
    ERTSClassifier(**params, **FULL).fit(X, Y)
    assert Rates.found[0] == pytest.approx(small["lr"], rel=0.05)
    assert Rates.found[-1] < 0.1 * small["lr"]


def test_warm_up_takes_no_more_than_half_of_it(small):
    params = small | {"warmup_epochs": 4, "max_effective_epochs": 3, "max_epochs": 50}
    phases = ERTSClassifier(**params).fit(X, Y).selection_.phases
    assert phases.count("warm-up") == 1


def test_a_revision_fits_into_it(small):
    params = small | {"max_effective_epochs": 5, "max_epochs": 50}
    clf = ERTSClassifier(**params | {"revision_epochs": 1}).fit(X, Y)
    revised = np.array(clf.selection_.phases) == "revision"
    assert clf.kept_counts_[revised].sum() >= 120
    assert 0 < revised.sum() < len(revised) - 1
    assert clf.effective_epochs_ == 5


def test_max_epochs_ends_it_too(small):
    clf = ERTSClassifier(**small | {"max_effective_epochs": 100.0}).fit(X, Y)
    assert len(clf.history_) == small["max_epochs"]


def test_who_is_left_over_was_not_looked_at(small):
    params = small | {"max_effective_epochs": 1.5, "max_epochs": 50}
    status = ERTSClassifier(**params, **FULL).fit(X, Y).selection_.status
    assert (status[-1] == Status.NOT_LOOKED_AT).sum() == 60


@pytest.mark.parametrize("bad", [0, -1, "two", np.nan])
def test_other_budgets_are_refused(small, bad):
    with pytest.raises(ValueError, match="'max_effective_epochs' parameter"):
        ERTSClassifier(**small | {"max_effective_epochs": bad}).fit(X, Y)


def test_partial_fit_has_none(small):
    clf = ERTSClassifier(**small | {"max_effective_epochs": 0.1})
    clf.partial_fit(X, Y, classes=[0, 1, 2])
    assert clf.effective_epochs_ == 1


def test_a_budget_that_is_never_spent_leaves_the_warm_up_alone():
    given = {"max_epochs": 6, "warmup_epochs": 5}
    for budget, warm_up in ((None, 5), (100, 5), (1e308, 5), (6, 3)):
        clf = ERTSClassifier(**given, max_effective_epochs=budget)
        assert make_plan(clf).schedule.warmup_epochs == warm_up
