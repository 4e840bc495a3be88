"""The learning rate follows the gradients spent; statistics are renewed for all."""

import numpy as np
import pytest
from skorch.callbacks import Callback, LRScheduler
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.lr_scheduler import StepLR

from sk_erts import ERTSClassifier
from sk_erts._training.rate import LR_SCHEDULES
from sk_erts.datasets import make_ecg
from sk_erts.selection import Policy
from tests.conftest import bumps

X, Y, _ = bumps(160)
FULL = {"data_dropout": None, "focus": None}


class Rates(Callback):
    """Remember the rate of each step, and the gradients spent before it."""

    def __init__(self):
        self.rates, self.spent = [], []

    def on_batch_end(self, net, batch, training, **kwargs):
        if training:
            self.rates.append(net.optimizer_.param_groups[0]["lr"])
            self.spent.append(len(batch[1]))


def rates(small, **params):
    callbacks = [Rates(), *params.pop("callbacks", [])]
    clf = ERTSClassifier(**small | params, callbacks=callbacks).fit(X, Y)
    own = dict(clf.net_.callbacks_)["Rates"]
    return clf, np.array(own.rates), np.cumsum([0, *own.spent[:-1]])


class TestSchedules:
    @pytest.mark.parametrize("name", LR_SCHEDULES)
    def test_they_end_at_zero_but_for_the_constant(self, name):
        end = LR_SCHEDULES[name](1.0)
        assert end == (1.0 if name == "constant" else pytest.approx(0, abs=1e-12))
        assert max(map(LR_SCHEDULES[name], np.linspace(0, 1, 101))) <= 1

    @pytest.mark.parametrize(
        "scheme",
        [FULL, {"warmup_epochs": 6}, {"warmup_epochs": 2, "revision_epochs": 4}],
        ids=str,
    )
    def test_a_cosine_over_the_gradients_of_full_data(self, small, scheme):
        clf, found, spent = rates(small, **scheme, lr_schedule="cosine")
        assert clf.effective_epochs_ == 6
        progress = spent / (clf.effective_epochs_ * len(X))
        expected = 0.01 * (1 + np.cos(np.pi * progress)) / 2
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_one_cycle_rises_first(self, small):
        _, found, _ = rates(small, **FULL, lr_schedule="one-cycle")
        peak = found.argmax()
        assert found[0] == pytest.approx(0.01 / 25)
        assert found[peak] == pytest.approx(0.01, rel=0.05)
        assert 0.2 < peak / len(found) < 0.4
        assert (np.diff(found[: peak + 1]) > 0).all()
        assert (np.diff(found[peak:]) < 0).all()

    def test_under_selection_it_falls_with_the_gradients_and_ends_near_zero(
        self, small
    ):
        params = {"max_epochs": 12, "revision_epochs": 0, "lr_schedule": "cosine"}
        clf, found, _ = rates(small, **params)
        assert clf.effective_epochs_ < 9  # there was a selection
        assert (np.diff(found) <= 0).all()
        assert found[-1] < 0.1 * found[0]

    def test_it_waits_until_the_network_has_learned_something(self, small):
        held = small | {"looks__first_step": 12}
        _, found, _ = rates(held, **FULL, lr_schedule="cosine")
        np.testing.assert_array_equal(found[:12], 0.01)
        assert (np.diff(found[12:]) < 0).all()

    def test_a_scheduler_of_the_users_own_takes_its_place(self, small):
        own = LRScheduler(StepLR, step_size=2, gamma=0.1, step_every="epoch")
        _, found, _ = rates(small, **FULL, lr_schedule="cosine", callbacks=[own])
        np.testing.assert_allclose(np.unique(found)[::-1], [1e-2, 1e-3, 1e-4])

    def test_partial_fit_knows_no_end(self, small):
        params = small | {"lr_schedule": "cosine"}
        clf = ERTSClassifier(**params, callbacks=[Rates()])
        for _ in range(3):
            clf.partial_fit(X, Y)
        assert set(dict(clf.net_.callbacks_)["Rates"].rates) == {0.01}


class TestStatistics:
    """Those of normalisation layers are renewed at the end of every training."""

    def counts(self, clf):
        return {
            part.num_batches_tracked.item()
            for part in clf.net_.module_.modules()
            if isinstance(part, _BatchNorm)
        }

    @pytest.mark.parametrize(
        "scheme", [FULL, {}, {"warmup_epochs": 9}, {"revision_epochs": 2}], ids=str
    )
    def test_whatever_the_scheme(self, small, scheme):
        clf = ERTSClassifier(**small | scheme).fit(X, Y)
        assert self.counts(clf) == {2}  # 128 records, in batches of 64

    def test_not_if_no_record_may_be_looked_at(self, small):
        clf = ERTSClassifier(**small, **FULL, looks__probe_records=0).fit(X, Y)
        assert self.counts(clf) == {30}
        assert clf.scoring_passes_ == 0

    def test_sixty_records_are_known_when_they_have_been_learned(self):
        """Pure defaults: it had a training loss of 0.001, and a score of 0.35."""
        kinds = ("NORM", "BBB", "PVC")
        records, labels = make_ecg(60, classes=kinds, random_state=0)
        clf = ERTSClassifier(**FULL, random_state=0, verbose=0).fit(records, labels)
        assert clf.history_[-1, "train_loss"] < 0.01
        assert clf.score(records, labels) > 0.9


class TestFirstStep:
    @pytest.mark.parametrize(
        ("n_steps", "expected"), [(0, 1), (5, 1), (6, 2), (11, 3), (1000, 6)]
    )
    def test_nobody_is_judged_before_it(self, small, n_steps, expected):
        params = small | {"looks__first_step": n_steps, "revision_epochs": 0}
        clf = ERTSClassifier(**params).fit(X, Y)  # five steps an epoch
        assert sum(phase == "warm-up" for phase in clf.selection_.phases) == expected


def test_nobody_was_trained_and_nobody_expected_before_a_step(small):
    class Late(Policy):
        reads = frozenset({"confidence"})
        phase = "late"

        def _keep(self, scores, rng):
            return np.full(len(scores), scores.epoch > 2)

    late = {
        "lr_schedule": "cosine",
        "warmup_epochs": 0,
        "revision_epochs": 0,
        "looks__first_step": 0,
    }
    clf = ERTSClassifier(**small | late | {"selection": Late()}).fit(X, Y)
    assert clf.kept_counts_[:2].tolist() == [0, 0]
    assert clf.kept_counts_[2] == len(X)
