import numpy as np
import pytest

from sk_erts.beats import beat_average

SIGNAL = np.array([9.0, 1.0, 2.0, 3.0, 0.0, 5.0, 6.0, 7.0, 0.0, 8.0])


def test_beats_are_aligned_and_those_at_the_edges_left_out():
    # Windows 1:4 and 5:8; those of the peaks 0 and 9 leave the record.
    average = beat_average(SIGNAL, [0, 2, 6, 9], 1, before_s=1, after_s=1)
    assert average.mean.tolist() == [3.0, 4.0, 5.0]
    assert average.n_beats == 2
    assert average.time_s.tolist() == [-1.0, 0.0, 1.0]


def test_windows_may_touch_both_ends():
    average = beat_average(SIGNAL, [1, 8], 1, before_s=1, after_s=1)
    assert average.mean.tolist() == [8.0, 0.5, 5.0]
    assert average.n_beats == 2


def test_seconds_are_those_of_the_sampling_frequency():
    average = beat_average(np.arange(400), [150, 250], 100)
    assert average.mean.tolist() == list(range(170, 251))
    np.testing.assert_allclose(average.time_s, np.arange(-30, 51) / 100)


def test_leads_are_averaged_one_by_one():
    both = np.stack([SIGNAL, -SIGNAL])
    average = beat_average(both, [2, 6], 1, before_s=1, after_s=1)
    assert average.mean.tolist() == [[3.0, 4.0, 5.0], [-3.0, -4.0, -5.0]]


def test_many_records():
    values = [SIGNAL, SIGNAL[:5], SIGNAL]
    average = beat_average(values, [[2, 6], [2], []], 1, before_s=1, after_s=1)
    np.testing.assert_array_equal(
        average.mean, [[3, 4, 5], [1, 2, 3], [np.nan, np.nan, np.nan]]
    )
    assert average.n_beats.tolist() == [2, 1, 0]
    fine = average.n_beats > 0
    pooled = np.average(average.mean[fine], axis=0, weights=average.n_beats[fine])
    np.testing.assert_allclose(pooled, (SIGNAL[1:4] * 2 + SIGNAL[5:8]) / 3)


def test_half_precision_is_averaged_exactly():
    coarse = np.array([2048, 2050], dtype=np.float16)  # 2049 is no number of theirs
    average = beat_average(coarse, [0, 1], 1, before_s=0, after_s=0)
    assert average.mean.tolist() == [2049.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, np.nan, 1.0], [1], 1), "'values' .* of beat_average .* Got 1 NaN"),
        ((np.zeros((2, 2, 9)), [1], 1), r"'values' .*\(n_times,\) or \(n_leads, n_"),
        (([[1.0], [np.inf]], [[0], [0]], 1), r"'values\[1\]' .* infinite"),
        ((SIGNAL, [10], 1), "'peaks' .*below the record's 10 time steps"),
        (([SIGNAL], [[1], [2]], 1), "'peaks' .* each of the 1 of 'values'. Got 2"),
        ((SIGNAL, [1], 0), "'fs' .* above 0"),
        ((SIGNAL, [1], 1, -1), "'before_s' .* at least 0. Got -1"),
        ((SIGNAL, [1], 1, 1, "a"), "'after_s' .* at least 0. Got 'a'"),
        (
            ([np.ones((2, 9)), np.ones((3, 9))], [[4], [4]], 1, 1, 1),
            "the same leads in all records",
        ),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        beat_average(*arguments)
