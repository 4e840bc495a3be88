"""Two processes train one network as one does; `together.py` is what they do."""

import copy
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
from sk_erts._training.processes import Processes
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

    def test_are_alike_bit_for_bit(self, ended):
        for scene in ("as it comes", "each its own noise", "any seed", "resumed"):
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

    def all_reduce(self, values, group):
        self.sent[group] = values.clone()
        self.barrier.wait()
        values.copy_(self.sent["group of 0"] + self.sent["group of 1"])
        self.barrier.wait()

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


@pytest.mark.parametrize("group", ["gloo", True, 2])
def test_what_is_no_group_is_refused(group):
    with pytest.raises(ValueError, match="'process_group' of fit must be a group"):
        ERTSClassifier(verbose=0).fit(*records(), process_group=group)
