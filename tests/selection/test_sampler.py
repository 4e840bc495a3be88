import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_erts.selection import SelectionSampler


def make(n=100, batch_size=16, interval=32, seed=0):
    return SelectionSampler(n, batch_size, interval, np.random.default_rng(seed))


@given(
    n=st.integers(1, 80),
    batch_size=st.integers(1, 20),
    interval=st.one_of(st.integers(1, 100), st.just("batch")),
)
def test_every_chosen_record_comes_exactly_once(n, batch_size, interval):
    sampler = make(n, batch_size, interval)
    sampler.choose = lambda index: index[index % 3 != 0]
    batches = list(sampler)
    expected = [i for i in range(n) if i % 3 != 0]
    assert sorted(np.concatenate([[], *batches]).tolist()) == expected
    assert all(1 <= len(batch) <= batch_size for batch in batches)


def test_batches_are_filled_across_intervals():
    sampler = make(n=100, batch_size=16, interval=20)
    sampler.choose = lambda index: index[:5]
    assert [len(batch) for batch in sampler] == [16, 9]


def test_the_authors_scheme_trains_what_is_left_of_each_batch():
    sampler = make(n=96, batch_size=32, interval="batch")
    sampler.choose = lambda index: index[:5]
    assert [len(batch) for batch in sampler] == [5, 5, 5]


def test_a_choice_is_made_when_its_first_batch_is_asked_for():
    sampler = make(n=100, batch_size=10, interval=50)
    asked = []
    sampler.choose = lambda index: asked.append(len(index)) or index
    batches = iter(sampler)
    assert asked == []
    for _ in range(5):
        next(batches)
    assert asked == [50]
    next(batches)
    assert asked == [50, 50]


def test_an_epoch_without_choice_has_no_batches():
    sampler = make()
    sampler.choose = lambda index: index[:0]
    assert list(sampler) == []


def test_epochs_differ_and_seeds_repeat():
    sampler, twin = make(seed=3), make(seed=3)
    first, second = (np.concatenate(list(sampler)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, np.concatenate(list(twin)))


@pytest.mark.parametrize("interval", [7, 64, 1000])
def test_all_records_are_asked_about_once_per_epoch(interval):
    sampler = make(interval=interval)
    asked = []
    sampler.choose = lambda index: asked.extend(index.tolist()) or index
    list(sampler)
    assert sorted(asked) == list(range(100))


class TestFillUp:
    def sizes(self, n_chosen, interval=20):
        """Return the sizes of batches of 16, and how many places were offered."""
        sampler = make(n=100, batch_size=16, interval=interval)
        sampler.choose = lambda index: index[:n_chosen]
        offered = []
        sampler.spare = lambda n_free: (
            offered.append(n_free) or np.arange(1000, 1000 + n_free)
        )
        return [len(batch) for batch in sampler], offered

    def test_the_last_batch_is_filled(self):
        assert self.sizes(5) == ([16, 16], [7])

    def test_a_full_last_batch_has_no_free_places(self):
        assert self.sizes(16) == ([16] * 5, [])

    def test_a_step_on_a_few_records_alone_is_not_taken(self):
        assert self.sizes(2) == ([16], [6])

    def test_the_authors_scheme_is_left_alone(self):
        assert self.sizes(5, "batch") == ([5] * 6 + [4], [])

    def test_nobody_takes_the_places_unless_told(self):
        sampler = make(n=100, batch_size=16, interval=20)
        assert [len(batch) for batch in sampler][-1] == 4


@pytest.mark.parametrize(("n", "lengths"), [(96, [32] * 3), (100, [34, 33, 33])])
def test_intervals_have_equal_lengths(n, lengths):
    sampler = make(n=n, interval=32)
    asked = []
    sampler.choose = lambda index: asked.append(len(index)) or index
    list(sampler)
    assert asked == lengths
