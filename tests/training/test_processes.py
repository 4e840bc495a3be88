"""Two processes train one network as one does; `together.py` is what they do."""

import os
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest

from sk_erts import ERTSClassifier
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


@pytest.mark.parametrize("group", ["gloo", True, 2])
def test_what_is_no_group_is_refused(group):
    with pytest.raises(ValueError, match="'process_group' of fit must be a group"):
        ERTSClassifier(verbose=0).fit(*records(), process_group=group)
