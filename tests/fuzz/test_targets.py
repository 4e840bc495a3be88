"""The targets of the guided fuzzer, without it: the same damage each time."""

import random

import numpy as np
import pytest

from tests.datasets.wfdb_files import damage_bytes
from tests.fuzz.guided import changed_tree
from tests.fuzz.targets import TARGETS, attempted

N_DAMAGED = 30


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


def test_what_is_sound_is_read(target, tmp_path):
    seeds = target.seeds(tmp_path)
    n_read = sum(attempted(target, seed, tmp_path) for seed in seeds)
    assert n_read >= len(seeds) - 1  # a layout of a WFDB record is none by itself


def test_what_is_damaged_is_read_or_refused(target, tmp_path):
    seeds = target.seeds(tmp_path)
    rng = np.random.default_rng(0)
    n_refused = 0
    for k in range(N_DAMAGED):
        seed = seeds[k % len(seeds)]
        damaged = (
            changed_tree(seed, 10**6, k) if target.is_tree else damage_bytes(rng, seed)
        )
        n_refused += not attempted(target, damaged, tmp_path)
    assert n_refused > 0


def test_a_tree_is_changed_the_same_way_for_the_same_seed():
    tree = b'{"a": [1, 2, {"b": "text"}], "c": null}'
    chance = random.Random(0)
    changed = set()
    for _ in range(50):
        seed = chance.randrange(2**32)
        changed.add(changed_tree(tree, 10**4, seed))
        assert changed_tree(tree, 10**4, seed) in changed
    assert len(changed) > 25
    assert changed_tree(tree, 5, 0) == tree  # it must not grow beyond that
    assert changed_tree(b"no tree", 99, 0) == b"{}"
