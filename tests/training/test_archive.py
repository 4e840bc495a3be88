"""States as one file, written wholly or not at all, and read without running code."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import save_file
from skorch.history import History

from sk_erts._training.archive import read_archive, write_archive
from sk_erts.exceptions import ArchiveError

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | hnp.arrays(
        st.sampled_from(["f8", "f4", "f2", "i8", "i1", "u1", "?"]),
        hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=3),
    )
    | hnp.arrays("U3", hnp.array_shapes(max_dims=2, max_side=3))
    | hnp.arrays("f4", (3,)).map(torch.from_numpy)
    | st.integers(0, 9).map(np.int64)
    | st.floats(width=32).map(np.float32)
    | st.text().map(np.str_)
)
KEYS = st.text() | st.integers() | st.booleans() | st.none()
TREES = st.recursive(
    LEAVES,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inside, max_size=3)
        | st.frozensets(st.integers(), max_size=3)
        | st.sets(st.text(), max_size=3)
    ),
    max_leaves=8,
)


def same(one, other):
    """Return whether two states are equal in type and to the bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray) and one.dtype == object:
        return one.shape == other.shape and same(one.tolist(), other.tolist())
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and same(one.numpy(), other.numpy())
    if isinstance(one, np.ndarray | np.generic):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@settings(max_examples=200, deadline=None)
@given(state=TREES)
def test_what_is_read_is_what_was_written(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("archive") / "a"
    write_archive(path, "state", state)
    assert same(read_archive(path, "state"), state)


def test_of_special_values_too(tmp_path):
    history = History([{"epoch": 1, "batches": [{"train_loss": 0.5}]}])
    state = {
        "nan": [math.nan, math.inf, -math.inf, -0.0],
        "$": "a key of the layout",
        "history": history,
        "objects": np.array([None, "a", 3], dtype=object),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "strided": torch.arange(6.0).reshape(2, 3).T,
        "shared": [torch.zeros(2)] * 2,
        "big": 2**200,
    }
    write_archive(tmp_path / "a", "state", state)
    found = read_archive(tmp_path / "a", "state")
    assert math.copysign(1, found["nan"][3]) == -1
    assert type(found["history"]) is History
    assert found["history"][:, "batches", :, "train_loss"] == [[0.5]]
    assert found["half"].dtype == torch.bfloat16
    rest = state.keys() - {"half", "history"}
    assert all(same(found[name], state[name]) for name in rest)


def test_what_is_no_number_or_text_is_named(tmp_path):
    state = {"callbacks": [{"seen_": {"file": object()}}]}
    message = "state.callbacks.0.seen_.file must be of numbers.* Got object instead"
    with pytest.raises(ArchiveError, match=message):
        write_archive(tmp_path / "a", "state", state)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def path(tmp_path):
    write_archive(tmp_path / "a", "state", {"x": np.arange(50), "text": "old"})
    return tmp_path / "a"


class TestDamage:
    def test_cut_short_anywhere_it_is_told_so(self, path):
        whole = path.read_bytes()
        for n in range(len(whole)):
            path.write_bytes(whole[:n])
            with pytest.raises(ArchiveError, match=re.escape(str(path))):
                read_archive(path, "state")

    def test_a_flipped_bit_is_no_crash_and_runs_nothing(self, path):
        """In the numbers it cannot be seen; elsewhere it is told, or reads as text."""
        whole = bytearray(path.read_bytes())
        refused = 0
        for place in range(0, len(whole), 3):
            whole[place] ^= 8
            path.write_bytes(whole)
            whole[place] ^= 8
            try:
                found = read_archive(path, "state")
            except ArchiveError:
                refused += 1
            else:
                assert isinstance(found, dict)
        assert refused > 20

    def test_another_kind_of_file_is_named(self, path, tmp_path):
        with pytest.raises(ArchiveError, match="a checkpoint .* Got 'sk_erts state'"):
            read_archive(path, "checkpoint")
        save_file({"x": torch.zeros(2)}, tmp_path / "w")
        with pytest.raises(ArchiveError, match="Got 'something else'"):
            read_archive(tmp_path / "w", "state")
        (tmp_path / "p").write_bytes(b"\x80\x04K\x01.")
        with pytest.raises(ArchiveError, match="something else"):
            read_archive(tmp_path / "p", "state")
        with pytest.raises(FileNotFoundError):
            read_archive(tmp_path / "absent", "state")

    def test_a_later_layout_is_refused(self, tmp_path):
        about = {"what": "sk_erts state", "layout": "2", "version": "9.1", "tree": "1"}
        save_file({}, tmp_path / "a", about)
        with pytest.raises(ArchiveError, match="layout 1, .*Got '2', of sk_erts 9.1"):
            read_archive(tmp_path / "a", "state")

    @pytest.mark.parametrize(
        "tree",
        [
            '{"$": "tensor", "name": "absent"}',
            '{"$": "eval", "code": "1"}',
            '{"$": "scalar", "name": 3}',
            '{"$": "items", "dtype": "<U1", "shape": [2], "items": []}',
            '{"$": "items", "dtype": "<f8", "shape": [1], "items": [1]}',
            '{"$": "items", "dtype": "<M8[s]", "shape": [1], "items": [1]}',
            '{"$": "items", "dtype": "<U262145", "shape": [1], "items": ["a"]}',
            "{",
            "[" * 100_000,
        ],
    )
    def test_a_tree_that_makes_no_sense_is_refused(self, tmp_path, tree):
        about = {"what": "sk_erts state", "layout": "1", "version": "1", "tree": tree}
        save_file({}, tmp_path / "a", about)
        with pytest.raises(ArchiveError, match="is damaged"):
            read_archive(tmp_path / "a", "state")


def test_texts_as_long_as_may_be(tmp_path):
    state = np.array(["short", "a" * 2**18])
    write_archive(tmp_path / "a", "state", state)
    assert same(read_archive(tmp_path / "a", "state"), state)
