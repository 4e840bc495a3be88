"""Two processes train one network as one does; `together.py` is what they do."""

import contextlib
import copy
import functools
import os
import pickle
import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import distributed as dist
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._training.processes import Processes, SharedSet
from sk_erts.exceptions import ProcessLostError
from tests.training.together import EPOCHS, records


def run(folder, size):
    """Return what each of so many processes ended with."""
    command = [sys.executable, "-m", "tests.training.together", str(folder)]
    there = [
        subprocess.Popen(
            command,
            env={**os.environ, "RANK": str(rank), "WORLD_SIZE": str(size)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    said = [process.communicate(timeout=300)[1] for process in there]
    assert all(process.returncode == 0 for process in there), "\n".join(said)
    return [pickle.loads((folder / f"{i}.pkl").read_bytes()) for i in range(size)]


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """One process alone, and the two of two."""
    alone = run(tmp_path_factory.mktemp("alone"), 1)
    two = run(tmp_path_factory.mktemp("two"), 2)
    return types.SimpleNamespace(alone=alone[0], two=two)


slow = pytest.mark.slow


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@slow
class TestTwoProcesses:
    def test_choose_the_same_records_as_one(self, ended):
        alone, first = ended.alone["as it comes"], ended.two[0]["as it comes"]
        np.testing.assert_array_equal(first["status"], alone["status"])
        np.testing.assert_array_equal(first["kept"], alone["kept"])
        # Something was left out, of what is compared.
        assert 0 < alone["kept"][-1] < alone["kept"][0]

    def test_count_each_record_once(self, ended):
        alone, first = ended.alone["as it comes"], ended.two[0]["as it comes"]
        assert first["EE"] == alone["EE"]
        assert first["passes"] == alone["passes"]

    def test_end_with_the_same_network_up_to_rounding(self, ended):
        for scene in ("as it comes", "full data", "a batch of one", "a batch of two"):
            alone, first = ended.alone[scene], ended.two[0][scene]
            np.testing.assert_allclose(first["weights"], alone["weights"], atol=2e-4)
            np.testing.assert_allclose(first["loss"], alone["loss"], rtol=1e-3)

    def test_in_half_the_bits_normalise_with_all_of_them(self, ended):
        alone, first = ended.alone["half the bits"], ended.two[0]["half the bits"]
        # Each product is rounded to eight bits, in another order.
        close = {"rtol": 0.05, "atol": 0.02}
        np.testing.assert_allclose(first["weights"], alone["weights"], **close)
        np.testing.assert_allclose(first["loss"], alone["loss"], rtol=0.01)
        whole = ended.two[0]["full data"]["weights"]
        assert not np.allclose(first["weights"], whole, atol=1e-6)

    def test_are_alike_bit_for_bit(self, ended):
        scenes = ("as it comes", "each its own noise", "any seed", "resumed")
        for scene in (*scenes, "half the bits"):
            one, other = (dict(found[scene]) for found in ended.two)
            one.pop("read", None), other.pop("read", None)
            assert same(one, other), scene

    def test_read_their_share_each(self, ended):
        reads = [found["as it comes"]["read"] for found in ended.two]
        assert sum(reads) == ended.alone["as it comes"]["read"]
        assert max(reads) - min(reads) <= 2 * EPOCHS * len(records()[0]) // 16

    def test_go_on_from_a_checkpoint_bit_for_bit(self, ended):
        assert ended.two[0]["broken off"] == ("OverflowError", "in the middle")
        resumed, whole = ended.two[0]["resumed"], ended.two[0]["as it comes"]
        assert same(resumed, {name: whole[name] for name in resumed})

    def test_refuse_records_that_are_not_the_same(self, ended):
        for found in ended.two:
            kind, message = found["other records"]
            assert kind == "ValueError"
            assert "the same records and labels" in message
            assert "Those of process 1 are not those of process 0" in message

    def test_an_error_in_one_ends_both_with_it(self, ended):
        for found in ended.two:
            error = ("OSError", "record 7 cannot be read")
            assert found["an error in one"] == error
            error = ("RuntimeError", "CannotBeSent: record 7 cannot be read")
            assert found["an error that cannot be sent"] == error
        assert ended.alone["an error in one"] is None

    def test_who_is_left_says_that_one_is_lost(self, ended):
        kind, message = ended.two[0]["one is lost"]
        assert kind == "ProcessLostError"
        assert "One of the 2 processes of this training is lost" in message
        assert "one is lost" not in ended.two[1]


class Threads:
    """Two processes that are threads of this one, and add up what they send."""

    def __init__(self, monkeypatch):
        self.sent = {}
        self.barrier = threading.Barrier(2, timeout=30)
        monkeypatch.setattr(dist, "all_reduce", self.all_reduce)
        monkeypatch.setattr(dist, "all_gather_object", self.all_gather_object)

    def all_reduce(self, values, group):
        first, second = self.exchanged(values.clone(), group)
        values.copy_(first + second)

    def all_gather_object(self, found, own, group):
        # What cannot be pickled cannot be sent.
        found[:] = map(pickle.loads, self.exchanged(pickle.dumps(own), group))

    def exchanged(self, own, group):
        self.sent[group] = own
        self.barrier.wait()
        both = self.sent["group of 0"], self.sent["group of 1"]
        self.barrier.wait()
        return both

    def run(self, work):
        """Return what each found; `work` takes its processes."""

        def one(rank):
            processes = Processes()
            processes.rank, processes.size = rank, 2
            processes.group = f"group of {rank}"
            try:
                return work(processes)
            except BaseException:
                self.barrier.abort()
                raise

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, range(2)))


@pytest.fixture
def threads(monkeypatch):
    return Threads(monkeypatch)


def test_gradients_are_summed_whoever_has_them(threads):
    def work(processes):
        of_both, of_one = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4))
        of_none, fixed = nn.Parameter(torch.zeros(5)), torch.zeros(2)
        exact = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        of_both.grad = torch.arange(6.0).reshape(2, 3) * (1 + processes.rank)
        exact.grad = torch.full_like(exact, processes.rank + 2**-40)
        if processes.rank:
            of_one.grad = torch.arange(4.0)
        parameters = [of_both, of_one, of_none, exact, fixed]
        processes.sum_gradients(parameters)
        return [one.grad for one in parameters]

    for of_both, of_one, of_none, exact, fixed in threads.run(work):
        assert of_both.tolist() == [[0, 3, 6], [9, 12, 15]]
        assert of_one.tolist() == [0, 1, 2, 3]
        assert exact.item() == 1 + 2**-39
        assert of_none is fixed is None


@pytest.mark.parametrize("momentum", [0.1, None])
def test_batch_normalisation_sees_the_shares_as_one_batch(threads, momentum):
    torch.manual_seed(0)
    x, target = 3 + torch.randn(7, 4, 9), torch.randn(7, 4, 9)
    whole = nn.BatchNorm1d(4, momentum=momentum)
    copies = copy.deepcopy(whole), copy.deepcopy(whole)
    shares = slice(0, 2), slice(2, 7)

    def step(layer, part):
        """Return what there is of each record."""
        own = x[part].clone().requires_grad_()
        y = layer(own)
        (y * target[part]).sum().backward()
        return y.detach(), own.grad

    def work(processes):
        layer = copies[processes.rank]
        with processes.one_batch(layer):
            found = step(layer, shares[processes.rank])
        processes.sum_gradients(layer.parameters())
        return found

    expected = step(whole, slice(None))
    found = threads.run(work)
    torch.testing.assert_close(
        [torch.cat(own) for own in zip(*found, strict=True)], [*expected]
    )
    for layer in copies:
        torch.testing.assert_close(layer.state_dict(), whole.state_dict())
        torch.testing.assert_close(layer.weight.grad, whole.weight.grad)
        torch.testing.assert_close(layer.bias.grad, whole.bias.grad)
        assert layer.forward == types.MethodType(nn.BatchNorm1d.forward, layer)


@pytest.mark.parametrize("make", [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d])
@pytest.mark.parametrize(
    "params", [{}, {"affine": False}, {"track_running_stats": False}, {"eps": 0.1}]
)
def test_so_do_its_kinds(threads, make, params):
    """Also far from zero, where squares would be rounded."""
    torch.manual_seed(0)
    n_axes = {nn.BatchNorm1d: 0, nn.BatchNorm2d: 2, nn.BatchNorm3d: 3}[make]
    x = 1000 + torch.randn(7, 4, *range(2, 2 + n_axes))
    whole = make(4, **params)
    copies = copy.deepcopy(whole), copy.deepcopy(whole)

    def work(processes):
        layer = copies[processes.rank]
        with processes.one_batch(layer):
            return layer(x[5 * processes.rank : 5 + 2 * processes.rank])

    expected = whole(x)
    found = torch.cat(threads.run(work))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
    for layer in copies:
        for name, own in whole.state_dict().items():
            torch.testing.assert_close(layer.state_dict()[name], own, rtol=1e-4, atol=0)


def test_which_layers_see_one_batch(threads):
    def work(processes):
        layers = nn.ModuleDict(
            {
                "trained": nn.BatchNorm1d(2),
                "fixed": nn.BatchNorm1d(2).eval(),
                "of torch": nn.SyncBatchNorm(2),
                "other": nn.LayerNorm(2),
            }
        )
        with contextlib.suppress(OSError), processes.one_batch(layers):
            changed = [name for name, own in layers.items() if "forward" in vars(own)]
            raise OSError("in the middle")
        left = [name for name, own in layers.items() if "forward" in vars(own)]
        return changed, left

    assert threads.run(work) == [(["trained"], []), (["trained"], [])]
    layer = nn.BatchNorm1d(2)
    with Processes().one_batch(layer):
        assert "forward" not in vars(layer)


class TestAlone:
    def test_it_is_the_first_of_one(self):
        processes = Processes()
        assert (processes.group, processes.rank, processes.size) == (None, 0, 1)
        assert processes.is_first

    def test_whatever_it_finds_is_all_there_is(self):
        processes, found = Processes(), object()
        index = np.arange(3)
        assert processes.share(index).tolist() == [0, 1, 2]
        assert processes.share(index[:0]).tolist() == []
        assert processes.gathered(lambda: found) == [found]
        assert processes.of_first(lambda: found) is found
        assert processes.agreed(lambda: found) is found
        processes.check_same("records", "a")
        tensor = torch.ones(2)
        assert processes.summed(tensor) is tensor
        one = nn.Parameter(torch.zeros(2))
        one.grad = tensor
        processes.sum_gradients([one, nn.Parameter(torch.zeros(1))])
        assert one.grad is tensor

    def test_an_error_is_raised_as_it_is(self):
        error = OSError("here")
        with pytest.raises(OSError, match="here") as raised:
            Processes().gathered(functools.partial(fail, error))
        assert raised.value is error


def fail(error):
    raise error


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 16])
def test_shares_are_all_records_in_order_or_all_of_them_each(size, n):
    index = np.random.default_rng(0).permutation(n)
    shares = []
    for rank in range(size):
        processes = Processes()
        processes.rank, processes.size = rank, size
        shares.append(processes.share(index))
    if n < size:
        assert all(np.array_equal(own, index) for own in shares)
    else:
        np.testing.assert_array_equal(np.concatenate(shares), index)
        assert {len(own) for own in shares} <= {n // size, -(-n // size)}


class TestBoth:
    def test_know_what_each_has_found_in_their_order(self, threads):
        found = threads.run(lambda own: own.gathered(lambda: f"of {own.rank}"))
        assert found == [["of 0", "of 1"]] * 2

    def test_agree_on_what_the_first_finds_and_it_alone_looks(self, threads):
        looked = []

        def find(own):
            looked.append(own.rank)
            return f"of {own.rank}"

        assert threads.run(lambda own: own.agreed(lambda: find(own))) == ["of 0"] * 2
        assert looked == [0]

    def test_let_the_first_do_something(self, threads):
        """What it finds stays there: it need not be something that can be sent."""
        found = threads.run(lambda own: own.of_first(lambda: threading.Lock()))
        assert found[0] is not None
        assert found[1] is None

    @pytest.mark.parametrize("failing", [(0,), (1,), (0, 1)])
    @pytest.mark.parametrize("how", ["gathered", "of_first", "agreed"])
    def test_fail_with_the_error_of_the_first_that_did(self, threads, failing, how):
        def work(own):
            if own.rank in failing:
                raise LookupError(f"in {own.rank}")

        def told(own):
            try:
                getattr(own, how)(lambda: work(own))
            except LookupError as error:
                return str(error)
            return None

        first = failing[0] if how == "gathered" else 0
        expected = f"in {first}" if first in failing else None
        assert threads.run(told) == [expected] * 2

    @pytest.mark.parametrize("fails_to", ["be written", "be read"])
    def test_an_error_that_cannot_be_sent_says_the_same(self, threads, fails_to):
        def told(own):
            kind = {"be written": NotWritten, "be read": NotRead}[fails_to]
            with pytest.raises(RuntimeError) as raised:
                own.gathered(functools.partial(fail, kind("record 7", 1)))
            return type(raised.value), str(raised.value)

        name = {"be written": "NotWritten", "be read": "NotRead"}[fails_to]
        assert threads.run(told) == [(RuntimeError, f"{name}: record 7")] * 2

    def test_are_given_the_same(self, threads):
        assert threads.run(lambda own: own.check_same("records", "a")) == [None] * 2

        def told(own):
            with pytest.raises(ValueError, match="the same labels: .*") as raised:
                own.check_same("labels", f"of {own.rank}")
            return str(raised.value)

        (message,) = set(threads.run(told))
        assert "Those of process 1 are not those of process 0." in message

    @pytest.mark.parametrize(
        "ask",
        [
            lambda own: own.gathered(lambda: 1),
            lambda own: own.summed(torch.ones(2)),
        ],
    )
    def test_no_answer_means_that_one_is_lost(self, monkeypatch, ask):
        def silent(*_, group):
            raise RuntimeError(f"connection of {group} closed by peer")

        monkeypatch.setattr(dist, "all_reduce", silent)
        monkeypatch.setattr(dist, "all_gather_object", silent)
        processes = Processes()
        processes.rank, processes.size, processes.group = 1, 3, "mine"
        message = r"One of the 3 processes .* number 1\. .*\(connection of mine closed"
        with pytest.raises(ProcessLostError, match=message) as raised:
            ask(processes)
        assert isinstance(raised.value.__cause__, RuntimeError)

    def test_fetch_their_share_of_a_batch(self, threads):
        class Whole:
            def __len__(self):
                return 9

            def __getitem__(self, index):
                return {"index": index}, -index

        def work(own):
            shared = SharedSet(Whole(), own)
            inputs, codes = shared[np.array([8, 2, 5])]
            return len(shared), inputs["index"].tolist(), inputs["n_in_all"], [*codes]

        assert threads.run(work) == [(9, [8, 2], 3, [-8, -2]), (9, [5], 3, [-5])]


class NotWritten(RuntimeError):
    def __init__(self, message, _):
        super().__init__(message)
        self.lock = threading.Lock()


class NotRead(LookupError):
    """Made of two arguments, of which it keeps one."""

    def __init__(self, message, _):
        super().__init__(message)


@pytest.mark.parametrize("group", ["gloo", True, 2])
def test_what_is_no_group_is_refused(group):
    with pytest.raises(ValueError, match="'process_group' of fit must be a group"):
        ERTSClassifier(verbose=0).fit(*records(), process_group=group)
