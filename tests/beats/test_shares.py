import numpy as np
import pytest
from hypothesis import given

from sk_erts.beats import SEGMENTS, lead_shares, segment_shares
from tests.strategies import maps_with_segments

SEGMENT_ROWS = np.array([[0, 0, 0, 0, 1, 1, 2, 3, 4, 4]])


def test_shares_and_enrichment_by_hand():
    maps = np.array([[1.0, 1, 1, 1, 2, 2, 8, -5, 4, 0]])  # positive mass 20
    shares = segment_shares(maps, SEGMENT_ROWS)
    assert shares["share"].iloc[0].to_dict() == {
        "other": 0.2,
        "P": 0.2,
        "QRS": 0.4,
        "ST": 0.0,
        "T": 0.2,
    }
    np.testing.assert_allclose(shares["enrichment"].iloc[0], [0.5, 1, 4, 0, 1])


def test_the_absolute_mass_counts_what_speaks_against():
    maps = np.array([[0.0, 0, 0, 0, 0, 0, 1, -3, 0, 0]])
    assert segment_shares(maps, SEGMENT_ROWS)["share"]["QRS"][0] == 1
    absolute = segment_shares(maps, SEGMENT_ROWS, mass="absolute")["share"]
    assert absolute[["QRS", "ST"]].iloc[0].tolist() == [0.25, 0.75]


def test_leads_are_rectified_before_they_are_summed():
    maps = np.zeros((1, 2, 10))
    maps[0, :, 6] = [3, -3]
    maps[0, 1, 8] = 1
    shares = segment_shares(maps, SEGMENT_ROWS)["share"]
    assert shares[["QRS", "T"]].iloc[0].tolist() == [0.75, 0.25]


def test_no_mass_and_no_segment_are_nan():
    shares = segment_shares([[-1.0, 0.0], [1.0, 1.0]], [[2, 2], [2, 2]])
    assert shares.iloc[0].isna().all()
    assert shares["share"].iloc[1].tolist() == [0, 0, 1, 0, 0]
    assert shares["enrichment"].iloc[1].isna().tolist() == [True, True, False, True, 1]


def test_classes_group_by_their_labels():
    maps = np.array([[1.0, 0], [0.5, 0.5], [0, 1]])
    shares = segment_shares(maps, np.array([[1, 2]] * 3))
    by_class = shares["share"].groupby(np.array(["a", "a", "b"])).mean()
    assert by_class["P"].to_dict() == {"a": 0.75, "b": 0.0}


def test_records_of_different_lengths():
    shares = segment_shares(
        [np.ones(4), np.ones((2, 2))], [np.array([2, 2, 2, 4]), np.array([1, 2])]
    )
    assert shares["share"]["QRS"].tolist() == [0.75, 0.5]


@given(maps_with_segments())
def test_shares_sum_to_one_and_enrichment_averages_to_one(case):
    maps, segments = case
    shares = segment_shares(maps, segments)
    time = np.stack([(segments == k).mean(axis=1) for k in range(len(SEGMENTS))], 1)
    for row, own, map_ in zip(shares.to_numpy(), time, maps, strict=True):
        if (map_ > 0).any():
            np.testing.assert_allclose(row[:5].sum(), 1)
            np.testing.assert_allclose(np.nansum(row[5:] * own), 1)
        else:
            assert np.isnan(row).all()


@given(maps_with_segments())
def test_shares_do_not_depend_on_the_scale_of_a_map(case):
    maps, segments = case
    np.testing.assert_allclose(
        segment_shares(3.0 * maps.astype(float), segments), segment_shares(*case)
    )


def test_leads_share_by_hand():
    maps = np.array([[[1.0, 2, -9], [0, 1, 0]], [[-1, -1, -2], [0, 0, 0]]])
    shares = lead_shares(maps, ["II", "V1"])
    assert list(shares.columns) == ["II", "V1"]
    assert shares.iloc[0].tolist() == [0.75, 0.25]
    assert shares.iloc[1].isna().all()
    absolute = lead_shares(maps, ["II", "V1"], mass="absolute")
    np.testing.assert_allclose(absolute, [[12 / 13, 1 / 13], [1, 0]])


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (
            lambda: segment_shares([[1.0, 2.0]], [[0]]),
            r"'segments\[0\]' .* the 2 time steps .* Got shape \(1,\)",
        ),
        (lambda: segment_shares([[1.0]], [[5]]), r"ints from 0 to 4, .* Got \[5\]"),
        (lambda: segment_shares([[1.0]], [[0.5]]), r"ints from 0 to 4, .* Got \[0.5\]"),
        (lambda: segment_shares([[1.0]], []), "'segments' .* the 1 of 'maps'. Got 0"),
        (lambda: segment_shares([[np.nan]], [[0]]), r"'maps\[0\]' .* NaN"),
        (
            lambda: segment_shares([[1.0]], [[0]], mass="signed"),
            "'mass' .* 'positive' or 'absolute'. Got 'signed'",
        ),
        (
            lambda: lead_shares([np.ones((3, 4))], ["II"]),
            r"3 leads of maps\[0\]. Got \('II',",
        ),
        (
            lambda: lead_shares([np.ones(4)], ["II"]),
            r"'maps\[0\]' .*\(n_leads, n_t.* Got shape \(4,",
        ),
        (lambda: lead_shares([np.ones((1, 4))], ["II"], mass=1), "'mass' .* Got 1"),
    ],
)
def test_errors_say_what_to_do(look, message):
    with pytest.raises(ValueError, match=message):
        look()
