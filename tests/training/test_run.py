"""A training that is broken off, and goes on elsewhere, to the same end."""

import contextlib
import pickle
import tempfile

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, LRScheduler

from sk_erts import ERTSClassifier
from sk_erts._records.divide import divide
from sk_erts._records.records import as_records
from sk_erts._records.task import make_task
from sk_erts._training.archive import read_archive, write_archive
from sk_erts._training.chance import Chance
from sk_erts._training.plan import make_plan
from sk_erts._training.run import Run
from sk_erts.augmentation import AddNoise, TimeShift
from sk_erts.exceptions import FitInterruptedWarning
from sk_erts.selection import is_doubted
from tests.conftest import BY_MAP, bumps
from tests.equal_results import Pooled

X, CODES, _ = bumps(72)
SEVERAL = np.stack([CODES == 0, CODES > 0, CODES == 2], axis=1).astype(int)
RAGGED = [record[:, : 40 + i % 5] for i, record in enumerate(X)]
TWO, TWO_CODES, _ = bumps(72, n_classes=2)

BLOCKS = {"module__width": 4, "module__blocks": (1,), "module__kernel_size": 5}
SMALL = {
    "max_epochs": 5,
    "lr": 0.01,
    "batch_size": 16,
    "warmup_epochs": 2,
    "confidence_threshold": 0.5,
    "looks__first_step": 0,
    "looks__renewal_interval": 24,
    "looks__probe_records": 16,
    "random_state": 0,
    "verbose": 0,
    "device": "cpu",
}
STOPS = {
    "early_stopping": 2,
    "validation_fraction": 0.25,
    "max_epochs": 12,
    "lr": 0.03,
}
LEARNS = {"early_stopping": "learned", "revision_epochs": 1, "max_epochs": 14}


class Count(Callback):
    """A callback of a user's own, which needs what it has seen."""

    def on_train_begin(self, net, **kwargs):
        self.n_steps_ = 0
        self.seen_ = {"losses": []}

    def on_batch_end(self, net, training, loss, **kwargs):
        self.n_steps_ += training
        self.seen_["losses"].append(float(loss.detach()))

    def on_epoch_end(self, net, **kwargs):
        net.history.record("n_steps", self.n_steps_)
        net.history.record("mean_loss", float(np.mean(self.seen_["losses"])))


CASES = {
    "defaults": {},
    "top mass": BY_MAP | {"revision_epochs": 1},
    "augmentation": {"augment": [AddNoise(0.02), TimeShift(fs=100, largest_s=0.04)]},
    "early stopping": STOPS,
    "stop when learned": LEARNS | {"X": TWO, "y": TWO_CODES},
    "scheduler": {
        "callbacks": [LRScheduler("StepLR", step_size=2, gamma=0.5)],
    },
    "scheduler, cosine": {
        "callbacks": [LRScheduler("CosineAnnealingLR", T_max=5)],
    },
    "scheduler, step by step": {
        "callbacks": [
            LRScheduler(
                "CyclicLR",
                step_every="batch",
                base_lr=1e-3,
                max_lr=1e-2,
                step_size_up=3,
                cycle_momentum=False,
            )
        ],
    },
    "dropout": BY_MAP | {"module": Pooled},
    "several labels": {"y": SEVERAL},
    "different lengths": {"X": RAGGED},
    "evidence of all": {"data_dropout": None},
    "reliability, put aside": {"focus": "reliability", "doubt": "drop"},
    "batch by batch": BY_MAP | {"looks__renewal_interval": "batch"},
    "momentum": {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9},
    "own callback": {"callbacks": [Count()]},
    "evidence, softened": {"focus": "support", "doubt": "soften"},
    "budget": {"max_effective_epochs": 2.6, "max_epochs": 12},
    "budget, revision": {
        "max_effective_epochs": 4.5,
        "max_epochs": 12,
        "revision_epochs": 1,
    },
}


@pytest.fixture(autouse=True)
def _one_thread():
    """Let sums be added in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def new_run(X=X, y=CODES, **params):
    blocks = {} if "module" in params else BLOCKS
    clf = ERTSClassifier(**SMALL | blocks | params)
    plan, task = make_plan(clf), make_task(y)
    data = divide(
        as_records(X, clf),
        task.encode(y),
        task,
        validation=plan.validation,
        random_state=plan.seed,
    )
    return Run(plan, data)


def carried(state):
    """Return a state as another process gets it, from a file."""
    with tempfile.TemporaryDirectory() as folder:
        write_archive(f"{folder}/state", "state", state)
        return read_archive(f"{folder}/state", "state")


def going_on(state, **params):
    run = new_run(**params)
    run.load(carried(state))
    return run


def to_the_end(run):
    run.train()
    return run


def bits(value):
    """Return something that is equal only if every bit is."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: bits(part) for key, part in value.items()}
    return [bits(part) for part in value] if isinstance(value, list | tuple) else value


def outcome(run):
    """Return all that came of a training, to the last bit."""
    state, left = run.state(), run.leave()
    rows = [{k: v for k, v in row.items() if k != "dur"} for row in left.net.history]
    story = vars(left.history)
    return bits(
        {
            "weights": state["net"]["module"],
            "weights kept": left.net.module_.state_dict(),
            "optimizer": state["net"]["optimizer"],
            "generators": state["chance"],
            "history": rows,
            "n_trained": left.n_trained,
            "effective epochs": left.effective_epochs,
            "scoring passes": left.scoring_passes,
            "memory": left.memory,
            **{f"selection: {name}": story[name] for name in story},
        }
    )


def differing(one, other):
    assert one.keys() == other.keys()
    return [name for name in one if one[name] != other[name]]


@pytest.mark.parametrize("name", CASES)
def test_broken_off_after_any_epoch_it_ends_as_if_nothing_had_happened(name):
    whole = to_the_end(new_run(**CASES[name]))
    expected = outcome(whole)
    broken = new_run(**CASES[name])
    for k in range(whole.n_epochs + 1):
        broken.train(until=k)
        assert broken.n_epochs == k
        other = going_on(broken.state(), **CASES[name])
        assert other.n_epochs == k
        other.train()
        assert differing(outcome(other), expected) == [], f"after epoch {k}"
    assert differing(outcome(broken), expected) == []  # an epoch at a time


@pytest.mark.parametrize("name", CASES)
def test_what_is_kept_on_the_way_is_what_a_break_would_leave(name):
    kept = []
    run = new_run(**CASES[name])
    run.train(keep=lambda state, is_the_end: kept.append((state(), is_the_end)))
    expected = outcome(run)
    assert len(kept) == run.n_epochs + (not run.is_over)
    assert [is_the_end for _, is_the_end in kept] == [False] * (len(kept) - 1) + [True]
    for k, (state, _) in enumerate(kept, start=1):
        other = going_on(state, **CASES[name])
        assert other.n_epochs == min(k, run.n_epochs)
        other.train()
        assert differing(outcome(other), expected) == [], f"after epoch {k}"


def test_the_cases_have_what_they_are_about():
    """Otherwise states could miss it, and nobody would see."""
    for name in ("early stopping", "stop when learned"):
        run = to_the_end(new_run(**CASES[name]))
        assert 3 < run.n_epochs < run.plan.epochs
    assert run.leave().history.phases[-1] == "revision"
    rates = to_the_end(new_run(**CASES["scheduler"])).net.history[:, "event_lr"]
    assert rates == [0.01, 0.01, 0.005, 0.005, 0.0025]
    for name in ("defaults", "top mass", "several labels", "different lengths"):
        left = to_the_end(new_run(**CASES[name])).leave()
        assert left.scoring_passes > 0
        assert 2 < left.effective_epochs <= 5
        assert left.effective_epochs < 5 or is_doubted(left.history.status).any()


def test_a_run_that_ended_early_is_over_wherever_it_goes_on():
    run = to_the_end(new_run(**STOPS))
    n_epochs, expected = run.n_epochs, outcome(run)
    run.train()
    assert run.n_epochs == n_epochs < STOPS["max_epochs"]
    other = going_on(run.state(), **STOPS)
    assert other.is_over
    other.train()
    assert other.n_epochs == n_epochs
    weights = other.leave().net.module_.state_dict()
    assert bits(weights) == expected["weights kept"]


def test_a_run_whose_last_epoch_allowed_was_the_last_wanted_is_over():
    n_epochs = to_the_end(new_run(**STOPS)).n_epochs
    run = new_run(**STOPS)
    run.train(until=n_epochs)
    assert run.is_over
    run.train()
    assert run.n_epochs == n_epochs


def test_a_run_is_not_over_where_it_was_told_to_stop():
    run = new_run(**STOPS)
    run.train(until=1)
    assert not run.is_over
    run.train(until=1)
    assert run.n_epochs == 1


def test_a_finished_run_leaves_the_best_network_elsewhere_too():
    params = STOPS | {"max_epochs": 3}
    run = to_the_end(new_run(**params))
    other = going_on(run.state(), **params)
    other.train()
    assert differing(outcome(other), outcome(run)) == []


class CtrlC(Callback):
    """Raise what Ctrl-C raises, in the middle of an epoch."""

    def on_batch_end(self, net, training, **kwargs):
        if training and len(net.history) == 4:  # after a step
            raise KeyboardInterrupt


def test_a_run_stopped_by_hand_is_over_and_keeps_the_best_network():
    split = {"validation_fraction": [(np.arange(54), np.arange(54, 72))]}
    run = new_run(callbacks=[CtrlC()], **split)
    with pytest.warns(FitInterruptedWarning, match="after 3 of 5"):
        run.train()
    best = dict(run.validation.best_state_)
    assert bits(dict(run.net.module_.state_dict())) != bits(best)
    other = going_on(run.state(), callbacks=[CtrlC()], **split)
    other.train()
    assert other.n_epochs == 3
    assert differing(outcome(other), outcome(run)) == []
    assert bits(dict(other.leave().net.module_.state_dict())) == bits(best)


def test_a_state_is_a_copy():
    run = new_run(**BY_MAP, callbacks=[Count(), LRScheduler("StepLR", step_size=2)])
    run.train(until=3)
    state = run.state()
    before = pickle.dumps(bits(vars_of(state)))
    run.train()
    assert pickle.dumps(bits(vars_of(state))) == before


def test_what_a_state_was_loaded_from_stays_as_it_is():
    params = STOPS | {"callbacks": [Count(), LRScheduler("StepLR", step_size=2)]}
    run = new_run(**params)
    run.train(until=3)
    state = run.state()
    before = pickle.dumps(bits(vars_of(state)))
    other = new_run(**params)
    other.load(state)
    other.train()
    assert pickle.dumps(bits(vars_of(state))) == before


def vars_of(state):
    """Return a state whose objects are spelt out."""
    if isinstance(state, dict):
        return {key: vars_of(part) for key, part in state.items()}
    if isinstance(state, list | tuple):
        return [vars_of(part) for part in state]
    return state


def test_callbacks_of_a_users_own_know_what_they_knew():
    run = new_run(callbacks=[Count()])
    run.train(until=3)
    other = going_on(run.state(), callbacks=[Count()])
    other.train()
    count = dict(other.net.callbacks_)["Count"]
    n_batches = [len(row["batches"]) for row in other.net.history]
    assert count.n_steps_ == sum(n_batches)
    assert len(count.seen_["losses"]) == sum(n_batches)
    assert other.net.history[:, "n_steps"] == np.cumsum(n_batches).tolist()


def test_the_clock_goes_on():
    run = new_run()
    run.train(until=2)
    other = going_on(run.state())
    assert other.time_s == run.time_s > 0
    other.train()
    assert other.time_s > run.time_s


def test_a_run_leaves_the_generators_of_others_alone():
    torch.manual_seed(7)
    torch_before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()  # noqa: NPY002
    run = new_run(**CASES["dropout"])
    run.train(until=3)
    other = going_on(run.state(), **CASES["dropout"])
    torch.rand(5)  # somebody else's, in between
    torch.set_rng_state(torch_before)
    other.train()
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


class TestChance:
    CPU = torch.device("cpu")

    def test_draws_go_on_where_they_were_left(self):
        torch.manual_seed(3)
        expected = torch.rand(6)
        chance = Chance(3, self.CPU)
        with chance.lent():
            first = torch.rand(2)
        torch.rand(9)
        with chance.lent():
            then = torch.rand(4)
        assert torch.equal(torch.cat([first, then]), expected)

    def test_the_global_generator_is_as_it_was(self):
        before = torch.get_rng_state()
        with Chance(3, self.CPU).lent():
            torch.rand(5)
        assert torch.equal(torch.get_rng_state(), before)

    def test_also_after_an_exception(self):
        before = torch.get_rng_state()
        chance = Chance(3, self.CPU)
        with contextlib.suppress(ZeroDivisionError), chance.lent():
            first = torch.rand(5)
            raise ZeroDivisionError
        assert torch.equal(torch.get_rng_state(), before)
        with chance.lent():
            assert not torch.equal(torch.rand(5), first)

    def test_that_of_a_gpu_goes_on_and_is_given_back(self, monkeypatch):
        """Of the second of two that are not there: a number each, that counts up."""
        first, second = (torch.device("cuda", i) for i in range(2))
        states = {first: torch.tensor(7), second: torch.tensor(7)}
        current = [first]

        @contextlib.contextmanager
        def made_current(gpu):
            current.append(gpu)
            yield
            current.pop()

        gpus = {
            "device": made_current,
            "get_rng_state": lambda gpu: states[gpu].clone(),
            "set_rng_state": lambda state, gpu: states.update({gpu: state}),
            "manual_seed": lambda seed: states[current[-1]].fill_(seed),
        }
        for name, function in gpus.items():
            monkeypatch.setattr(torch.cuda, name, function)
        chance = Chance(3, second)
        for expected in (3, 4, 5):
            with chance.lent():
                assert states == {first: 7, second: expected}
                states[second] += 1
            assert states == {first: 7, second: 7}

    def test_a_state_carries_both_generators(self):
        chance = Chance(3, self.CPU)
        with chance.lent():
            torch.rand(2)
        chance.numpy.random(4)
        state = carried(chance.state())
        with chance.lent():
            expected = chance.numpy.random(3), torch.rand(3)
        other = Chance(99, self.CPU)
        other.load(state)
        with other.lent():
            found = other.numpy.random(3), torch.rand(3)
        assert np.array_equal(found[0], expected[0])
        assert torch.equal(found[1], expected[1])
        again = Chance(0, self.CPU)
        again.load(state)  # drawing did not change it
        assert np.array_equal(again.numpy.random(3), expected[0])
