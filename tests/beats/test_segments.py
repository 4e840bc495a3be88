import numpy as np
import pytest
from hypothesis import given

from sk_erts.beats import SEGMENTS, beat_segments
from sk_erts.datasets import make_ecg
from tests.strategies import beats

OTHER, P, QRS, ST, T = range(5)


def runs(segments):
    """Return the labels with the number of time steps in a row."""
    edges = np.flatnonzero(np.diff(segments)) + 1
    parts = np.split(segments, edges)
    return [(SEGMENTS[part[0]], len(part)) for part in parts]


def test_windows_around_a_single_beat():
    # 100 Hz: P from -25, QRS from -5 to 6, ST to 16, T to 40.
    assert runs(beat_segments(200, [100], 100)) == [
        ("other", 75),
        ("P", 20),
        ("QRS", 12),
        ("ST", 10),
        ("T", 24),
        ("other", 59),
    ]


def test_st_and_t_follow_the_root_of_the_interval_before():
    # Intervals of 1 s (taken for the first beat too), then 0.64 s, whose root is 0.8.
    segments = beat_segments(2640, [500, 1500, 2140], 1000)
    assert runs(segments)[:5] == [
        ("other", 250),
        ("P", 200),
        ("QRS", 111),
        ("ST", 100),
        ("T", 240),
    ]
    assert runs(segments[2140:]) == [
        ("QRS", 61),
        ("ST", 68),  # to 128 ms
        ("T", 192),  # to 320 ms
        ("other", 179),
    ]


def test_intervals_of_missed_beats_do_not_stretch_t_without_end():
    segments = beat_segments(6000, [500, 5500], 1000)
    assert (segments[501:5000] == T).sum() == np.floor(400 * 2**0.5) - np.floor(
        160 * 2**0.5
    )


def test_where_beats_meet_qrs_goes_first_then_t_then_p():
    # A premature beat 300 ms after the last, whose T would end after 400 ms.
    segments = beat_segments(2000, [200, 1200, 1500], 1000)
    assert runs(segments[1200:1562]) == [
        ("QRS", 61),
        ("ST", 100),
        ("T", 89),
        ("QRS", 111),
        ("ST", 1),
    ]
    # At 0.5 s P begins 250 ms after R, and T ends 282 ms after it.
    segments = beat_segments(1600, [0, 500, 1000, 1500], 1000)
    assert runs(segments[1000:1450])[2:] == [("T", 169), ("P", 168 - 1)]


def test_windows_can_be_chosen():
    segments = beat_segments(
        200, [100], 100, p_onset_s=0.1, qrs_s=(0.02, 0.03), st_end_s=0.1, t_end_s=0.2
    )
    assert runs(segments)[1:-1] == [("P", 8), ("QRS", 6), ("ST", 7), ("T", 10)]


def test_no_beats_are_all_other():
    assert (beat_segments(50, [], 100) == OTHER).all()


def test_many_records():
    peaks = [np.array([20, 90]), np.array([], dtype=int)]
    together = beat_segments(150, peaks, 100)
    assert together.shape == (2, 150)
    np.testing.assert_array_equal(together[0], beat_segments(150, [20, 90], 100))
    assert (together[1] == OTHER).all()
    ragged = beat_segments([150, 30], peaks, 100)
    assert [len(own) for own in ragged] == [150, 30]
    np.testing.assert_array_equal(ragged[0], together[0])


@given(beats())
def test_every_peak_is_in_a_qrs_and_p_t_are_on_their_side(record):
    n_times, peaks = record
    segments = beat_segments(n_times, peaks, 100)
    assert segments.shape == (n_times,)
    assert (segments[peaks] == QRS).all()
    if len(peaks):
        assert not np.isin(segments[: peaks[0]], [ST, T]).any()
        assert not (segments[peaks[-1] :] == P).any()


@pytest.mark.parametrize(("label", "segment"), [("STE", ST), ("BBB", QRS)])
def test_where_the_evidence_of_synthetic_records_lies(label, segment):
    _, _, evidence = make_ecg(
        30, 1, classes=[label], random_state=0, return_evidence=True
    )
    segments = beat_segments(1000, evidence.r_peaks, 100)
    # Each of these two windows is a seventh of the time or less.
    assert (segments[evidence.mask] == segment).mean() > 0.75


@pytest.mark.parametrize(
    ("arguments", "params", "message"),
    [
        ((0, [1], 100), {}, "'n_times' .* an int of at least 1. Got 0"),
        (([5, 2.5], [[1], [1]], 100), {}, r"'n_times\[1\]' .* Got 2.5"),
        ((50, [1, 50], 100), {}, "'peaks' .* below the record's 50 time steps"),
        ((50, [-1], 100), {}, "'peaks' .* rising int positions"),
        ((50, [2, 1], 100), {}, "'peaks' .* rising int positions"),
        ((50, [1.5], 100), {}, r"'peaks' .* int positions .* Got \[1.5\]"),
        (([50], [[1], [1]], 100), {}, "'peaks' .* each of the 1 of 'n_times'. Got 2"),
        ((50, [1], 0), {}, "'fs' .* above 0. Got 0"),
        ((50, [1], 100), {"qrs_s": 0.1}, "'qrs_s' .* two numbers of sec.* Got 0.1"),
        ((50, [1], 100), {"qrs_s": (0.1, -1)}, "'qrs_s' .* at least 0. Got -1"),
        ((50, [1], 100), {"p_onset_s": np.nan}, "'p_onset_s' .* Got nan"),
        ((50, [1], 100), {"st_end_s": None}, "'st_end_s' .* Got None"),
        ((50, [1], 100), {"t_end_s": -0.1}, "'t_end_s' .* Got -0.1"),
    ],
)
def test_errors_say_what_to_do(arguments, params, message):
    with pytest.raises(ValueError, match=message):
        beat_segments(*arguments, **params)
