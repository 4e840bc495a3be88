"""What a run is put together from, and what it calls when."""

import types

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.divide import divide
from sk_erts._records.records import Records
from sk_erts._records.task import make_task
from sk_erts._training import run as runs
from sk_erts._training.callback import SelectionCallback, StopWhenOver
from sk_erts._training.plan import make_plan
from sk_erts._training.processes import Processes
from sk_erts._training.progress import ProgressCallback
from sk_erts._training.rate import RateCallback
from sk_erts._training.run import Run
from sk_erts._training.validation import ValidationCallback
from sk_erts.exceptions import FitInterruptedWarning
from sk_erts.selection import KeepAll

N = 24
X = np.random.default_rng(0).normal(size=(N, 2, 8)).astype(np.float32)
Y = np.arange(N) % 3


class Small(nn.Module):
    """A network whose maps cost a gradient."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.conv = nn.Conv1d(n_leads, 4, 3, padding=1)
        self.norm = nn.BatchNorm1d(4)
        self.linear = nn.Linear(4, n_classes)

    def forward(self, x):
        return self.linear(self.norm(self.conv(x)).tanh().mean(dim=-1))


def data(validation=None, **given):
    task = make_task(Y)
    return divide(Records(X), task.encode(Y), task, validation=validation, **given)


def made(validation=None, processes=None, **params):
    given = {
        "module": Small,
        "batch_size": 5,
        "max_epochs": 4,
        "warmup_epochs": 1,
        "looks__first_step": 0,
        "random_state": 0,
        "verbose": 0,
    }
    plan = make_plan(ERTSClassifier(**given | params))
    given = {} if processes is None else {"processes": processes}
    return Run(plan, data(validation), **given)


def kinds(callbacks):
    return [type(own) for own in callbacks]


class TestCallbacks:
    @pytest.mark.parametrize(
        ("params", "validation", "first", "last"),
        [
            ({"lr_schedule": "constant"}, None, [], []),
            ({"lr_schedule": "cosine"}, None, [RateCallback], []),
            (
                {"lr_schedule": "cosine", "callbacks": [LRScheduler()]},
                None,
                [],
                [],
            ),
            (
                {"lr_schedule": "cosine", "callbacks": [EarlyStopping("train_loss")]},
                None,
                [RateCallback],
                [],
            ),
            ({"lr_schedule": "constant", "verbose": 1}, None, [ProgressCallback], []),
            ({"lr_schedule": "constant", "verbose": 2}, None, [], []),
            ({"lr_schedule": "constant"}, 0.25, [ValidationCallback], []),
            (
                {"lr_schedule": "constant", "early_stopping": 3},
                0.25,
                [ValidationCallback],
                [EarlyStopping],
            ),
            ({"lr_schedule": "constant", "early_stopping": 3}, None, [], []),
            (
                {"lr_schedule": "constant", "early_stopping": "learned"},
                None,
                [],
                [StopWhenOver],
            ),
            (
                {"lr_schedule": "constant", "max_effective_epochs": 2},
                None,
                [],
                [StopWhenOver],
            ),
        ],
    )
    def test_who_is_called_before_and_after_the_users_own(
        self, params, validation, first, last
    ):
        run = made(validation, **params)
        found = run._first(3)
        assert kinds(found) == [SelectionCallback, *first]
        assert kinds(run._last()) == last
        assert found[0].selector is run.selector
        for own in [*found[1:], *run._last()]:
            if isinstance(own, ProgressCallback):
                assert own.epochs == 3
            if isinstance(own, RateCallback):
                assert (own.schedule, own.selector) == ("cosine", run.selector)
            if isinstance(own, ValidationCallback):
                assert own is run.validation
            if isinstance(own, EarlyStopping):
                assert (own.monitor, own.patience) == ("valid_f1", 3)
                assert own.lower_is_better is False
                assert own.sink("stops") is None
            if isinstance(own, StopWhenOver):
                learned = params.get("early_stopping") == "learned"
                assert own.also_when_learned is learned

    @pytest.mark.parametrize("first_step", [0, 7])
    def test_a_cosine_is_held_while_nobody_is_judged(self, first_step):
        run = made(lr_schedule="cosine", looks__first_step=first_step)
        assert run._rate().n_held == first_step


class TestMade:
    def test_what_looks_say_reaches_the_selection(self):
        run = made(
            looks__revisit_gaps=(3, 5),
            looks__renewal_interval=11,
            looks__reuse_scores=False,
            looks__probe_records=9,
            looks__precision="float32",
            max_effective_epochs=3,
        )
        assert run.ledger.gaps.tolist() == [3, 5]
        assert run.ledger.n_records == N
        assert run.ledger.mean_proba(np.arange(2)).shape == (2, 3)
        assert run.sampler.interval == 11
        assert run.sampler.batch_size == 5
        assert run.sampler.n_records == N
        assert run.sampler.choose == run.selector.choose
        assert run.sampler.spare == run.selector.spare
        assert run.sampler.rng is run.selector.rng is run.chance.numpy
        assert run.selector.reuse_scores is False
        assert run.selector.probe_records == 9
        assert run.selector.budget == 3
        assert run.selector.steps.hears is True
        assert run.selector.scorer.precision.chosen == "float32"
        assert run.augmenter is run.validation is None
        assert run.n_epochs == 0
        assert run.is_over is False

    def test_an_interval_may_be_the_epoch(self):
        assert made(looks__renewal_interval="epoch").sampler.interval == N
        assert made(looks__renewal_interval="batch").sampler.interval == "batch"

    @pytest.mark.parametrize(
        ("first_step", "warmup"), [(0, 1), (5, 1), (6, 2), (10, 2), (11, 3)]
    )
    def test_the_warm_up_takes_so_many_steps_at_least(self, first_step, warmup):
        """Of 24 records, 5 at a time: 5 steps an epoch."""
        run = made(looks__first_step=first_step)
        assert run.selector.schedule.warmup_epochs == warmup

    def test_it_settles_for_what_its_network_tells_for_nothing(self):
        run = made(focus="auto")
        assert run.plan.policy_without_maps is None
        assert run.plan.judge.reads_maps is False
        assert run.selector.policy is run.plan.policy

    def test_maps_that_count_as_a_mean_are_summed(self):
        for focus, summed in (("support", True), ("top_mass", False)):
            run = made(focus=focus)
            assert run.plan.judge.averaged is summed
            assert ("sum of focus" in run.ledger.memory()) is summed

    def test_augmentation_is_drawn_apart(self):
        plain, changed = made(), made(augment=lambda X, rng: X)
        assert changed.selector.steps.hears is False
        assert changed.augmenter.rng is not changed.chance.numpy
        assert plain.chance.numpy.random() == changed.chance.numpy.random()
        processes = Processes()
        processes.size, processes.rank = 2, 1
        other = made(augment=lambda X, rng: X, processes=processes)
        first = changed.augmenter.rng.random()
        assert other.augmenter.rng.random() != first


class TestTrain:
    def test_up_to_an_epoch_and_then_to_the_end(self):
        run = made()
        run.train(until=2)
        assert (run.n_epochs, run.is_over) == (2, False)
        run.train(until=1)
        assert run.n_epochs == 2
        run.train(until=99)
        assert run.n_epochs == 4
        before = run.net.module_.linear.weight.clone()
        run.train()
        assert run.n_epochs == 4
        assert torch.equal(run.net.module_.linear.weight, before)

    def test_each_epoch_is_kept_and_the_end(self):
        run, kept = made(), []

        def keep(state, is_the_end):
            found = state() if callable(state) else state
            n_epochs = len(found["net"]["history"])
            kept.append((n_epochs, is_the_end))

        run.train(keep=lambda state, end: keep(state, end))
        assert kept == [(1, False), (2, False), (3, False), (4, False), (4, True)]

    def test_what_is_kept_goes_on(self):
        one, other, states = made(), made(), []
        one.train(keep=lambda state, end: states.append(state()) or None)
        other.load(states[1])
        assert other.n_epochs == 2
        other.train()
        for own, theirs in zip(
            one.net.module_.parameters(), other.net.module_.parameters(), strict=True
        ):
            assert torch.equal(own, theirs)

    def test_the_clock_runs_at_work_alone(self, monkeypatch):
        now = [0.0]
        clock = types.SimpleNamespace(perf_counter=lambda: now[0])
        monkeypatch.setattr(runs, "time", clock)
        run = made()
        run.time_s = 1.0
        now[0] = 50.0
        with run._at_work():
            now[0] = 53.0
            assert run.state()["time_s"] == 4.0
            now[0] = 55.0
        assert run.time_s == 6.0
        now[0] = 99.0
        assert run.state()["time_s"] == 6.0

    @pytest.mark.parametrize("validation", [None, 0.25])
    def test_a_stop_by_hand_keeps_a_network_and_says_which(self, validation):
        class Stops(Callback):
            def on_batch_end(self, net, training=None, **kwargs):
                if len(net.history) == 3 and training:
                    raise KeyboardInterrupt

        run = made(validation, callbacks=[Stops()])
        kept = []
        message = (
            "no validation part, and the network is kept as it is"
            if validation is None
            else r"the network of epoch \d, the best in validation, is kept"
        )
        with pytest.warns(FitInterruptedWarning, match=message):
            run.train(keep=lambda state, end: kept.append(end))
        assert kept == [False, False]
        assert run.is_over
        assert run.n_epochs == 2
        state = run.state()
        assert (state["is_over"], state["was_interrupted"]) == (True, True)
        left = run.leave()
        if validation is not None:
            best = run.validation.best_state_["linear.weight"]
            assert torch.equal(left.net.module_.linear.weight, best)

    def test_before_the_first_epoch_is_over_there_is_nothing_to_keep(self):
        class Stops(Callback):
            def on_batch_end(self, net, **kwargs):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt, match="before its first epoch was over"):
            made(callbacks=[Stops()]).train()


class TestLeft:
    @pytest.mark.parametrize("early_stopping", ["best", False])
    def test_the_network_that_is_kept(self, early_stopping):
        run = made(0.25, early_stopping=early_stopping, lr=0.5)
        run.train()
        # As if another epoch had been the best.
        state = run.validation.best_state_
        run.validation.best_state_ = {name: own + 1 for name, own in state.items()}
        left = run.leave()
        is_best = torch.equal(
            left.net.module_.linear.weight, state["linear.weight"] + 1
        )
        assert is_best is (early_stopping == "best")

    def test_what_is_told_of_the_training(self):
        run = made(0.25)
        run.train()
        left = run.leave()
        assert left.net is run.net
        assert left.task is run.data.task
        assert left.judge is run.plan.judge
        assert left.signals is None
        assert left.n_trained.tolist() == run.selector.n_trained
        assert len(left.n_trained) == left.n_epochs == 4
        assert left.effective_epochs == sum(left.n_trained) / len(run.data.train)
        assert left.scoring_passes == run.selector.scoring_passes > 0
        assert left.time_s == run.time_s > 0
        assert left.fingerprint == run.data.fingerprint
        assert left.rows.tolist() == run.data.train.rows.tolist()
        assert left.history.status.shape == (4, N)
        assert set(left.memory) == set(run.ledger.memory())
        assert left.calibrated.temperature == 1
        assert left.knows(run.data)
        assert not left.knows(data(0.25, random_state=1))
        assert not left.knows(divide_of_others())

    @pytest.mark.parametrize("asked", [True, False])
    @pytest.mark.parametrize("validation", [0.25, None])
    def test_what_is_calibrated(self, asked, validation):
        run = made(validation, calibration__temperature=asked)
        run.train(until=1)
        temperature = run.leave().calibrated.temperature
        assert (temperature != 1) is (asked and validation is not None)

    def test_a_later_training_begins_with_it(self):
        first = made()
        first.train()
        left = first.leave()
        run = made()
        run.go_on_from(left, in_schedule=False)
        assert run.n_epochs == 0
        assert len(run.net.history) == 4
        assert run.selector.epoch == -1
        assert not run.ledger.memory()["number of proba"].any()
        run.train(until=1)
        assert run.n_epochs == 1

        within = made()
        within.go_on_from(left, in_schedule=True)
        assert within.selector.epoch == 3
        memory = within.ledger.memory()["number of proba"]
        np.testing.assert_array_equal(memory, left.memory["number of proba"])
        assert within.selector.policy is within.plan.policy

    @pytest.mark.parametrize("focus", ["reliability", "top_mass"])
    def test_a_judge_that_remembers_says_nothing_of_new_records(self, focus):
        run = made(focus=focus)
        remembers = run.plan.judge.remembers
        assert remembers is (focus == "reliability")
        run.go_on_from(None, in_schedule=True)
        assert run.selector.epoch == -1
        reads = run.selector.policy.reads
        assert ("focus" in reads) is not remembers


def divide_of_others():
    task = make_task(Y)
    return divide(Records(X + 1), task.encode(Y), task, validation=0.25)


class TestBegin:
    def test_alone(self):
        run, called = made(), []
        run.begin(lambda: called.append(1))
        run.begin()
        assert called == [1]

    def test_of_several_all_are_where_the_first_is(self, monkeypatch):
        first = made(data_dropout=None, focus=None)
        first.train(until=1)
        state, told = first.state(), []
        monkeypatch.setattr(Processes, "of_first", lambda self, work: work())
        monkeypatch.setattr(Processes, "agreed", lambda self, find: state)
        monkeypatch.setattr(
            Processes, "check_same", lambda self, *given: told.append(given)
        )
        run = made(data_dropout=None, focus=None)
        run.processes = Processes()
        run.processes.size = 2
        called = []
        run.begin(lambda: called.append(1))
        assert called == [1]
        assert told == [("records and labels", f"{run.data.fingerprint} of {N}")]
        assert run.n_epochs == 1
        assert isinstance(run.plan.policy, KeepAll)


def test_a_state_has_all_of_a_run():
    run = made(0.25, augment=lambda X, rng: X)
    run.train(until=1)
    state = run.state()
    assert set(state) == {
        *("net", "callbacks", "n_epochs_before", "ledger", "selector", "chance"),
        *("augmenter", "validation", "is_over", "was_interrupted", "time_s"),
    }
    other = made(0.25, augment=lambda X, rng: X)
    other.load(state)
    again = other.state()
    for name in ("n_epochs_before", "is_over", "was_interrupted", "time_s"):
        assert again[name] == state[name]
    assert again["augmenter"] == state["augmenter"]
    assert again["selector"] == state["selector"]
    assert other.validation.best_epoch_ == 1
    assert other.augmenter.rng.random() == run.augmenter.rng.random()
    processes = Processes()
    processes.rank, processes.size = 1, 2
    second = made(0.25, augment=lambda X, rng: X, processes=processes)
    second.load(state)
    # What is written down is of the first process.
    assert second.augmenter.rng.bit_generator.state != state["augmenter"]
