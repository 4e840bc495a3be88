"""The skorch net of a training: its loss, its loop, and what it hands on."""

import itertools
import math
import signal
import threading
import types

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.divide import divide
from sk_erts._records.records import Records
from sk_erts._records.task import make_task
from sk_erts._training.build import make_net
from sk_erts._training.net import _batch_of_one, _CtrlC, n_in_all
from sk_erts._training.plan import make_plan
from sk_erts._training.processes import Processes, SharedSet
from sk_erts.exceptions import NonFiniteLossError
from sk_erts.selection import SelectionSampler

N = 12


class Small(nn.Module):
    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_leads)
        self.linear = nn.Linear(n_leads, n_classes)

    def forward(self, x):
        return self.linear(self.norm(x).mean(dim=-1))


class Penalised(Small):
    def penalty(self, output, codes):
        return output.new_tensor([1.0, 2, 3, 4])[: len(codes)]


class Talkative(Small):
    """Returns more than logits."""

    def forward(self, x):
        return super().forward(x), x.sum()


def data(y=None):
    X = np.random.default_rng(0).normal(size=(N, 2, 8)).astype(np.float32)
    y = np.arange(N) % 3 if y is None else y
    task = make_task(y)
    return divide(Records(X), task.encode(y), task)


def made(module=Small, y=None, **params):
    given = {"batch_size": 4, "max_epochs": 2, "lr": 0.1, "verbose": 0}
    clf = ERTSClassifier(module, random_state=0, **given | params)
    torch.manual_seed(0)
    return make_net(make_plan(clf), data(y))


def sampler(**params):
    return SelectionSampler(N, 4, 6, np.random.default_rng(0), **params)


class Notes(Callback):
    """What a net says to its callbacks."""

    def __init__(self):
        self.told = []

    def on_train_begin(self, net, **given):
        self.told.append(("train begins", given["X"]))

    def on_train_end(self, net, **given):
        self.told.append(("train ends", given["X"]))

    def on_batch_begin(self, net, batch=None, training=None, **given):
        self.told.append(("batch", batch[0]["index"].tolist(), training))

    def on_batch_end(self, net, batch=None, training=None, **given):
        assert given["y_pred"].shape == (len(batch[1]), 3)
        self.told.append(("step", given["loss"].item(), training))


# -------------------------------------------------------------------------------- loss


class TestLoss:
    logits = torch.tensor([[2.0, 0, 0], [0, 1.0, 0], [0, 0, 0], [3.0, 0, 1]])
    codes = torch.tensor([0, 2, 1, 0])

    @property
    def alone(self):
        return nn.functional.cross_entropy(self.logits, self.codes, reduction="none")

    def test_it_is_the_mean_over_records(self):
        net = made()
        for batch in (None, {}, self.logits):
            loss = net.get_loss(self.logits, self.codes, batch)
            torch.testing.assert_close(loss, self.alone.mean())

    def test_weights_of_records(self):
        weight = torch.tensor([2.0, 0, 1, 4])
        loss = made().get_loss(self.logits, self.codes, {"weight": weight})
        torch.testing.assert_close(loss, (self.alone * weight).mean())

    def test_labels_that_are_softened(self):
        net = made()
        batch = {
            "doubt": torch.tensor([0.0, 1, 0.5, 0]),
            "proba": torch.full((4, 3), 1 / 3),
            "weight": torch.ones(4),
        }
        loss = net.get_loss(self.logits, self.codes, batch)
        to_all = torch.stack(
            [
                nn.functional.cross_entropy(
                    self.logits, torch.full((4,), k), reduction="none"
                )
                for k in range(3)
            ]
        ).mean(dim=0)
        doubt = batch["doubt"]
        expected = ((1 - doubt) * self.alone + doubt * to_all).mean()
        torch.testing.assert_close(loss, expected)

    @pytest.mark.parametrize(("n_in_all", "share"), [(4, 1), (8, 0.5), (16, 0.25)])
    def test_of_a_share_it_is_its_part_of_the_mean(self, n_in_all, share):
        net = made(Penalised)
        batch = {"weight": torch.ones(4), "n_in_all": n_in_all}
        loss = net.get_loss(self.logits, self.codes, batch)
        torch.testing.assert_close(loss, share * (self.alone.mean() + 2.5))

    def test_a_penalty_weighs_as_its_record_does(self):
        weight = torch.tensor([2.0, 0, 1, 4])
        loss = made(Penalised).get_loss(self.logits, self.codes, {"weight": weight})
        penalty = torch.tensor([1.0, 2, 3, 4])
        torch.testing.assert_close(loss, ((self.alone + penalty) * weight).mean())

    def test_of_a_network_that_returns_more(self):
        said = self.logits, torch.tensor(5.0)
        loss = made(Talkative).get_loss(said, self.codes)
        torch.testing.assert_close(loss, self.alone.mean())

    @pytest.mark.parametrize("of_labels", [True, False])
    def test_of_several_labels(self, of_labels):
        y = np.random.default_rng(0).integers(0, 2, (N, 3))
        y[:2] = [[0, 1, 0], [1, 0, 1]]
        net = made(Penalised, y)
        codes = torch.tensor([[1.0, 0, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]])
        weight = torch.tensor([2.0, 0, 1, 4])
        by_label = nn.functional.binary_cross_entropy_with_logits(
            self.logits, codes, reduction="none"
        )
        penalty = torch.tensor([1.0, 2, 3, 4])
        if of_labels:
            weight = weight[:, None] * torch.tensor([1.0, 2, 0])
            expected = (by_label * weight).mean() + (penalty * weight.mean(1)).mean()
        else:
            expected = ((by_label.mean(dim=1) + penalty) * weight).mean()
        loss = net.get_loss(self.logits, codes, {"weight": weight})
        torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(
    ("inputs", "n"),
    [({"n_in_all": torch.tensor(7)}, 7), ({"X": 0}, 3), (torch.zeros(9), 3)],
)
def test_how_many_records_a_batch_has(inputs, n):
    found = n_in_all(inputs, [0, 0, 0])
    assert found == n
    assert type(found) is int


# -------------------------------------------------------------------- a batch of one


class TestOneRecord:
    def layers(self):
        return nn.ModuleList(
            [
                nn.BatchNorm1d(2),
                nn.BatchNorm1d(2).eval(),
                nn.BatchNorm1d(2, track_running_stats=False),
                nn.Dropout(),
            ]
        )

    @pytest.mark.parametrize(("n", "changed"), [(1, True), (2, False)])
    def test_normalisation_uses_its_running_statistics(self, n, changed):
        module = self.layers()
        before = [part.training for part in module]
        assert before == [True, False, True, True]
        with _batch_of_one(module, n):
            during = [part.training for part in module]
        assert during == [not changed, False, True, True]
        assert [part.training for part in module] == before
        with pytest.raises(OSError, match="inside"), _batch_of_one(module, n):
            raise OSError("inside")
        assert [part.training for part in module] == before

    def test_a_network_that_is_not_trained_stays_as_it_is(self):
        module = self.layers()
        module.training = False
        with _batch_of_one(module, 1):
            assert module[0].training

    @pytest.mark.parametrize(("n_in_all", "same"), [(1, True), (2, False)])
    def test_a_share_of_a_batch_is_none(self, n_in_all, same):
        net = made()
        net.module_.train()
        x = torch.randn(1, 2, 8)
        found = net.infer({"X": x, "n_in_all": n_in_all})
        net.module_.norm.reset_running_stats()
        net.module_.eval()
        assert torch.allclose(found, net.module_(x)) is same


def test_lengths_reach_the_network():
    given = []

    class Long(Small):
        def forward(self, x, lengths=None):
            given.append(None if lengths is None else lengths.tolist())
            return super().forward(x)

    net = made(Long)
    given.clear()
    x = torch.zeros(2, 2, 8)
    net.infer({"X": x, "lengths": torch.tensor([8, 5])})
    net.infer({"X": x})
    net.infer(x)
    assert given == [[8, 5], None, None]


# -------------------------------------------------------------------------------- loop


class TestRun:
    def test_what_belongs_to_a_run_is_taken_away_after_it(self):
        net, fit, augmented = made(), data(), []
        first, last, own = Notes(), Notes(), Notes()
        net.callbacks_ = [*net.callbacks_, ("own", own)]
        callbacks, seen = net.callbacks_, []

        def at_start():
            names = [name for name, _ in net.callbacks_]
            seen.append((names[0], names[-2:], len(names)))
            seen.append([len(each.told) for each in (first, last, own)])

        interrupted = net.run(
            fit.train,
            2,
            sampler=sampler(),
            validation_set=fit.train,
            augment=lambda inputs: augmented.append(len(inputs["X"])),
            first=[first],
            last=[last],
            at_start=at_start,
        )

        assert interrupted is False
        assert net.was_stopped is False
        names = ["last_0", "row_is_whole"]
        assert seen == [("first_0", names, len(callbacks) + 3), [1, 1, 1]]
        assert net.callbacks_ is callbacks
        assert net.train_split is net.sampler is net.augment is None
        assert net.processes.size == 1
        assert augmented == [4] * 6  # of training batches alone
        for notes in (first, last, own):
            assert notes.told[0] == ("train begins", fit.train)
            assert notes.told[-1] == ("train ends", fit.train)
        batches = [told for told in first.told if told[0] == "batch"]
        assert [training for *_, training in batches] == ([True] * 3 + [False] * 3) * 2
        trained = [index for _, index, training in batches if training]
        for epoch in (trained[:3], trained[3:]):
            assert sorted(itertools.chain(*epoch)) == list(range(N))
        steps = [told[1:] for told in first.told if told[0] == "step"]
        rows = [row for epoch in net.history for row in epoch["batches"]]
        for name, training in (("train", True), ("valid", False)):
            losses = [loss for loss, of in steps if of is training]
            found = [row[f"{name}_loss"] for row in rows if f"{name}_loss" in row]
            assert found == losses
            sizes = [row[f"{name}_batch_size"] for row in rows if f"{name}_loss" in row]
            assert sizes == [4] * 6
            assert [epoch[f"{name}_batch_count"] for epoch in net.history] == [3, 3]
            mean = np.mean(losses[:3])
            assert net.history[0][f"{name}_loss"] == pytest.approx(mean)

    def test_an_epoch_without_a_batch(self):
        net = made()
        nobody = sampler(choose=lambda index: index[:0])
        net.run(data().train, 1, sampler=nobody)
        assert net.history[-1]["train_batch_count"] == 0

    @pytest.mark.parametrize(
        ("where", "interrupted", "n_rows"),
        [
            ("on_batch_end", True, 1),
            ("on_epoch_end", False, 2),
            ("on_epoch_begin", True, 1),
            ("on_train_begin", False, 0),
        ],
    )
    def test_a_stop_in_an_epoch_is_the_users_and_between_two_a_callbacks(
        self, where, interrupted, n_rows
    ):
        class Stops(Callback):
            pass

        def stop(self, net, **given):
            if where == "on_train_begin" or len(net.history) == 2:
                raise KeyboardInterrupt

        setattr(Stops, where, stop)
        net = made()
        found = net.run(data().train, 4, sampler=sampler(), last=[Stops()])
        assert found is interrupted
        assert net.was_stopped is True
        assert len(net.history) == n_rows
        assert net.callbacks_[-1][0] != "row_is_whole"
        assert net.run(data().train, 1, sampler=sampler()) is False
        assert net.was_stopped is False

    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_a_loss_that_is_not_finite(self, value, training):
        net, fit = made(), data()

        class Breaks(Callback):
            def on_batch_end(self, net, batch=None, training=None, **given):
                if training is not self.of:
                    return
                self.n = getattr(self, "n", 0) + 1
                if self.n == 5:
                    given["loss"].data.fill_(value)

        Breaks.of = training
        name = "training" if training else "validation"
        message = (
            rf"The {name} loss .* became {value} in epoch 2, batch 2\. .*is 0\.1\)"
        )
        with pytest.raises(NonFiniteLossError, match=message):
            net.run(
                fit.train,
                3,
                sampler=sampler(),
                validation_set=fit.train,
                last=[Breaks()],
            )
        assert net.sampler is None

    def test_a_network_that_returns_more_is_heard_by_its_logits(self):
        net, notes = made(Talkative), Notes()
        net.run(
            data().train,
            1,
            sampler=sampler(),
            validation_set=data().train,
            last=[notes],
        )
        assert len([told for told in notes.told if told[0] == "step"]) == 6
        assert net.evaluation_step((torch.zeros(2, 2, 8), None)).shape == (2, 3)
        assert net.predict(torch.zeros(2, 2, 8)).shape == (2,)

    def test_losses_are_of_all_processes(self, monkeypatch):
        net = made()
        net.processes = Processes()
        net.processes.size = 3
        monkeypatch.setattr(Processes, "summed", lambda self, values: 10 * values)
        found = net._losses_of_all(torch.tensor([1.0, 6, 3]), [3, 2, 4])
        assert found.tolist() == [10, 20, 30]

    def test_who_has_a_share_sends_its_gradients(self, monkeypatch):
        net, sent, alike = made(), [], []
        net.processes = Processes()
        monkeypatch.setattr(
            Processes, "sum_gradients", lambda self, own: sent.append([*own])
        )
        monkeypatch.setattr(
            Processes,
            "one_batch",
            lambda self, module: alike.append(module) or torch.enable_grad(),
        )
        inputs, codes = data().train[np.arange(4)]
        whole = net.train_step_single((inputs, codes))["loss"]
        assert sent == alike == []
        net.module_.zero_grad()
        net.train_step_single(({**inputs, "n_in_all": 4}, codes))
        assert sent == []
        own = net.train_step_single(({**inputs, "n_in_all": 8}, codes))["loss"]
        assert alike == [net.module_]
        assert all(
            a is b for a, b in zip(sent[0], net.module_.parameters(), strict=True)
        )
        torch.testing.assert_close(own, whole / 2)


class TestLoader:
    def test_the_sampler_says_what_a_batch_is(self):
        net, fit = made(), data()
        net.sampler = sampler(choose=lambda index: index[index < 9])
        batches = [inputs["index"] for inputs, _ in net.get_iterator(fit.train, True)]
        assert list(map(len, batches)) == [4, 4, 1]
        assert sorted(torch.cat(batches).tolist()) == list(range(9))

    def test_otherwise_they_come_in_their_order(self):
        net, fit = made(), data()
        net.sampler = sampler()
        for training in (False, True):
            found = [
                inputs["index"].flatten().tolist()
                for inputs, _ in net.get_iterator(fit.train, training)
            ]
            in_order = [*itertools.chain(*found)] == list(range(N))
            assert in_order is not training
            assert list(map(len, found)) == [4, 4, 4]
            if training:
                break
        net.sampler = None
        assert type(net.get_iterator(fit.train, True).dataset) is type(fit.train)

    @pytest.mark.parametrize("size", [1, 2])
    def test_of_several_processes_each_fetches_its_share(self, size):
        net, fit = made(), data()
        net.sampler = sampler()
        net.processes = Processes()
        net.processes.size = size
        loader = net.get_iterator(fit.train, True)
        assert isinstance(loader.dataset, SharedSet) is (size > 1)
        sizes = [len(codes) for _, codes in loader]
        assert sizes == [4 // size] * 3


# -------------------------------------------------------------------------- hand on


class TestHandedOn:
    def trained(self, **params):
        net = made(**params)
        net.run(data().train, 2, sampler=sampler())
        return net

    def test_a_later_net_begins_where_an_earlier_one_ended(self):
        before, after = self.trained(), made(lr=0.5)
        after.take_over(before)
        same_weights(after, before)
        assert after.history == before.history
        assert after.history is not before.history
        (group,) = after.optimizer_.param_groups
        assert group["lr"] == group["initial_lr"] == 0.5
        one, other = (net.optimizer_.state_dict()["state"] for net in (after, before))
        assert one.keys() == other.keys() != set()
        assert all(one[k]["exp_avg"].equal(other[k]["exp_avg"]) for k in one)
        after.run(data().train, 1, sampler=sampler())
        assert len(before.history) == 2
        assert one[0]["step"] != other[0]["step"]

    def test_another_optimiser_begins_anew(self):
        before, after = self.trained(), made(optimizer=torch.optim.SGD)
        after.take_over(before)
        same_weights(after, before)
        assert not after.optimizer_.state_dict()["state"]
        assert len(after.history) == 2

    def test_another_network_is_refused(self):
        class Other(Small):
            def __init__(self, n_leads, n_classes):
                super().__init__(n_leads, n_classes)
                self.more = nn.Linear(1, 1)

        message = "cannot go on from the network it has fitted: 'module' .*more.weight"
        with pytest.raises(ValueError, match=r"(?s)" + message):
            made(Other).take_over(self.trained())

    def test_a_state_is_all_of_it_and_a_copy(self):
        before = self.trained()
        state = before.state()
        assert set(state) == {"module", "criterion", "optimizer", "history"}
        after = made()
        after.load(state)
        kept = before.module_.linear.weight.clone()
        for net in (before, after):
            net.run(data().train, 1, sampler=sampler())
        same_weights(after, before)
        assert torch.equal(state["module"]["linear.weight"], kept)
        assert len(state["history"]) == 2
        assert len(after.history) == len(before.history) == 3
        assert all(each["step"] == 6 for each in state["optimizer"]["state"].values())

    def test_what_an_optimiser_refuses_is_said(self):
        message = (
            "'optimizer__\\*' of .* those of the 'optimizer' AdamW, which says: Inv"
        )
        with pytest.raises(ValueError, match=message):
            made(optimizer__betas=(2.0, 0.9))


def same_weights(one, other):
    pairs = zip(
        one.module_.state_dict().items(),
        other.module_.state_dict().values(),
        strict=True,
    )
    for (name, own), theirs in pairs:
        assert torch.equal(own, theirs), name


# ------------------------------------------------------------------------------ Ctrl-C


class TestCtrlC:
    def test_the_key_is_told_from_an_exception(self, key_works):
        listener = _CtrlC()
        assert listener.pressed is False
        with pytest.raises(KeyboardInterrupt), listener:
            signal.raise_signal(signal.SIGINT)
        assert listener.pressed is True
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        other = _CtrlC()
        with pytest.raises(KeyboardInterrupt), other:
            raise KeyboardInterrupt
        assert other.pressed is False

    def test_a_handler_of_others_is_left_in_place(self, key_works):
        own = lambda *_: None  # noqa: E731
        signal.signal(signal.SIGINT, own)
        with _CtrlC():
            assert signal.getsignal(signal.SIGINT) is own
        assert signal.getsignal(signal.SIGINT) is own

    def test_other_threads_do_not_listen(self, key_works):
        found = []

        def work():
            with _CtrlC() as _:
                found.append(signal.getsignal(signal.SIGINT))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert found == [signal.default_int_handler]


def test_an_instance_is_copied_and_a_class_told_what_it_asks_for():
    instance = Small(2, 3)
    net = made(instance)
    assert type(net.module_) is Small
    assert net.module_ is not instance
    told = []

    def whatever(**given):
        told.append(given)
        return Small(given["n_leads"], given["n_classes"])

    made(whatever)
    assert told[-1] == {"n_leads": 2, "n_times": 8, "n_classes": 3}
    assert made(Small).get_params()["module__n_leads"] == 2
    assert "module__n_times" not in made(Small).get_params()
    message = "is an instance of Small, which 'module__a', 'module__b' cannot change"
    with pytest.raises(ValueError, match=message):
        made(instance, module__a=1, module__b=2)


def test_a_callback_is_copied_and_shares_what_it_holds():
    class Holds(Callback):
        def __init__(self, held):
            self.held = held

    for named in (True, False):
        own = Holds(held=types.SimpleNamespace())
        net = made(callbacks=[("mine", own) if named else own])
        (found,) = (each for _, each in net.callbacks_ if isinstance(each, Holds))
        assert found is not own
        assert found.held is own.held
        assert ("mine" in dict(net.callbacks_)) is named
