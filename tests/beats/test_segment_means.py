import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_erts.beats import segment_means

BEATS = np.array([[0.0, 2, 4, 4], [2, 4, 0, 4], [1, 1, 1, 3]])


def test_means_by_hand():
    means = segment_means(BEATS, ["V", "V", "N"], n_segments=2)
    assert means.index.tolist() == ["N", "V"]
    assert means.columns.tolist() == [1, 2]
    assert means.to_numpy().tolist() == [[1, 2], [2, 3]]


def test_parts_that_do_not_divide_are_nearly_equal():
    # 13 steps in 5 parts: 3, 3, 3, 2, 2.
    means = segment_means(np.arange(13.0)[np.newaxis], [0], n_segments=5)
    assert means.to_numpy().tolist() == [[1.0, 4.0, 7.0, 9.5, 11.5]]


def test_eleven_parts_by_default():
    beats = np.repeat(np.arange(11.0), 23)[np.newaxis]  # 253 steps
    assert segment_means(beats, ["N"]).to_numpy().tolist() == [list(range(11))]


def test_leads_are_averaged():
    both = np.stack([BEATS, BEATS + 2], axis=1)
    expected = segment_means(BEATS + 1, ["V", "V", "N"], 2)
    np.testing.assert_allclose(segment_means(both, ["V", "V", "N"], 2), expected)


def test_statistics_if_asked_for():
    found = segment_means(
        BEATS, ["V", "V", "N"], 2, statistics=("mean", "std", "count")
    )
    assert found.loc["V", "mean"].tolist() == [2, 3]
    np.testing.assert_allclose(found.loc["V", "std"], [2**0.5, 2**0.5])
    assert found.loc["N", "std"].isna().all()
    assert found["count"].to_numpy().tolist() == [[1, 1], [2, 2]]
    alone = segment_means(BEATS, ["V", "V", "N"], 2, statistics="count")
    assert alone.to_numpy().tolist() == [[1, 1], [2, 2]]


@given(st.integers(1, 30), st.data())
def test_parts_weighted_by_their_lengths_give_the_mean_of_the_beat(n_times, data):
    n_segments = data.draw(st.integers(1, n_times))
    beat = np.random.default_rng(n_times).normal(size=(1, n_times))
    means = segment_means(beat, [0], n_segments).to_numpy()[0]
    lengths = [len(part) for part in np.array_split(beat[0], n_segments)]
    assert max(lengths) - min(lengths) <= 1
    np.testing.assert_allclose(np.average(means, weights=lengths), beat.mean())


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda: segment_means(BEATS, ["N"]), "'y' .* each of the 3 .* Got 1"),
        (lambda: segment_means(BEATS, "abc", 5), "'n_segments' .* 1 to the 4 .* Got 5"),
        (lambda: segment_means(BEATS, "abc", 0), "'n_segments' .* Got 0"),
        (lambda: segment_means(BEATS, "abc", 1.5), "'n_segments' .* Got 1.5"),
        (
            lambda: segment_means(BEATS[0], "abcd"),
            r"\(n_beats, n_times\) or \(.* Got shape",
        ),
        (lambda: segment_means(BEATS * np.nan, "abc"), "'attributions' .* Got 12 NaN"),
        (
            lambda: segment_means(BEATS, "abc", 2, statistics="median"),
            "'statistics' .* 'mean', 'std' or 'count'. Got 'median'",
        ),
        (
            lambda: segment_means(BEATS, "abc", 2, statistics=["std", 1]),
            r"'statistics\[1\]' .* Got 1",
        ),
        (lambda: segment_means(BEATS, "abc", 2, statistics=()), r"Got \(\)"),
    ],
)
def test_errors_say_what_to_do(look, message):
    with pytest.raises(ValueError, match=message):
        look()
