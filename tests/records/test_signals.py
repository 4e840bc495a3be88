"""A batch along time, whose rows may end before the tensor does."""

import numpy as np
import pytest
import torch

from sk_erts._records.signals import Signals, batches, inside

LENGTHS = torch.tensor([5, 3, 8, 3])


@pytest.fixture
def x():
    """Four records of two leads, all values different and none zero."""
    return torch.arange(1.0, 65.0).reshape(4, 2, 8)


@pytest.fixture
def equal(x):
    return Signals(x)


@pytest.fixture
def ragged(x):
    return Signals(x, LENGTHS)


def test_a_network_gets_lengths_only_where_rows_differ(equal, ragged, x):
    assert equal.arguments == (x,)
    assert ragged.arguments == (x, LENGTHS)


def test_the_number_of_steps_divides_row_by_row(equal, ragged):
    assert equal.n_steps == 8
    assert ragged.n_steps.tolist() == [[5], [3], [8], [3]]
    sums = ragged.clean(torch.ones(4, 2, 8)).sum(dim=-1)  # (n, leads)
    assert (sums / ragged.n_steps).tolist() == [[1, 1]] * 4


@pytest.mark.parametrize("n", [0, 1, 3, 4, 9])
def test_the_first_rows(equal, ragged, x, n):
    assert torch.equal(equal.first(n).x, x[:n])
    assert equal.first(n).lengths is None
    assert torch.equal(ragged.first(n).x, x[:n])
    assert ragged.first(n).lengths.tolist() == [5, 3, 8, 3][:n]


@pytest.mark.parametrize("shape", [(4, 8), (4, 2, 8), (4, 3, 2, 8), (4, 2, 6)])
def test_what_stands_behind_a_row_is_zero(ragged, shape):
    values = torch.rand(shape) + 1
    found = ragged.clean(values)
    for own, clean, end in zip(values, found, LENGTHS, strict=True):
        assert torch.equal(clean[..., :end], own[..., :end])
        assert (clean[..., end:] == 0).all()
    assert (values >= 1).all()  # a copy


def test_rows_that_fill_the_tensor_are_clean(equal, x):
    assert equal.clean(x) is x


def test_rows_of_one_length_stay_together(equal):
    assert equal.rows() == [equal]


def test_rows_of_different_lengths_come_one_by_one(ragged, x):
    rows = ragged.rows()
    assert [tuple(row.x.shape) for row in rows] == [(1, 2, n) for n in (5, 3, 8, 3)]
    assert all(row.lengths is None for row in rows)
    for row, own, end in zip(rows, x, LENGTHS, strict=True):
        assert torch.equal(row.x[0], own[:, :end])


def test_a_single_row_without_its_padding(x):
    alone = Signals(x[:1], torch.tensor([5])).alone()
    assert torch.equal(alone.x, x[:1, :, :5])
    assert alone.lengths is None


def test_rows_of_one_length_need_no_padding_taken_off(equal):
    assert equal.alone() is equal


def test_a_batch_is_filled_up_with_its_own_rows(ragged, equal, x):
    filled = ragged.filled(6)
    order = [0, 1, 2, 3, 0, 1]
    assert torch.equal(filled.x, x[order])
    assert filled.lengths.tolist() == [LENGTHS[i] for i in order]
    assert equal.filled(6).lengths is None


def test_several_rows_of_different_lengths_are_not_alone(ragged):
    with pytest.raises(ValueError, match="too many values"):
        ragged.alone()


class TestMeasuredBy:
    def test_all_rows_at_once(self, equal):
        maps = Signals(equal.x[:, 0])
        calls = []

        def measure(rows, which):
            calls.append((rows.shape, which.tolist()))
            return rows.sum(axis=1)

        found = maps.measured_by(measure)
        np.testing.assert_array_equal(found, maps.x.sum(dim=1))
        assert calls == [((4, 8), [0, 1, 2, 3])]

    def test_rows_of_equal_length_together_and_without_padding(self, ragged):
        maps = Signals(ragged.x[:, 0], LENGTHS)
        calls = []

        def measure(rows, which):
            calls.append((rows.shape, which.tolist()))
            return rows.mean(axis=1) + 1000 * which

        found = maps.measured_by(measure)
        expected = [
            float(row[:end].mean()) + 1000 * i
            for i, (row, end) in enumerate(zip(maps.x, LENGTHS, strict=True))
        ]
        np.testing.assert_allclose(found, expected)
        assert calls == [((2, 3), [1, 3]), ((1, 5), [0]), ((1, 8), [2])]

    @pytest.mark.parametrize("lengths", [None, LENGTHS])
    def test_in_single_precision_whatever_came(self, x, lengths):
        maps = Signals(x[:, 0].to(torch.bfloat16).requires_grad_().detach(), lengths)
        dtypes = []
        maps.measured_by(lambda rows, which: dtypes.append(rows.dtype) or rows[:, 0])
        assert set(dtypes) == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "sizes"),
    [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 5, [2]), (0, 5, [])],
)
def test_pieces_hold_every_position_once(n_samples, batch_size, sizes):
    pieces = batches(n_samples, batch_size)
    assert [len(piece) for piece in pieces] == sizes
    together = np.concatenate([*pieces, np.arange(0)])
    assert together.tolist() == list(range(n_samples))


def test_inside():
    found = inside(torch.tensor([2, 0, 4]), 3)
    assert found.int().tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
