import numpy as np
import pytest
from hypothesis import given
from scipy.stats import pearsonr, spearmanr

from sk_erts.metrics import map_agreement
from sk_erts.metrics._map_agreement import AGREEMENTS
from tests.strategies import tied_maps

by_measure = pytest.mark.parametrize("measure", AGREEMENTS)


@pytest.mark.parametrize(
    ("measure", "of_pair"), [("spearman", spearmanr), ("pearson", pearsonr)]
)
def test_correlations_are_those_of_scipy(measure, of_pair):
    rng = np.random.default_rng(0)
    maps, others = rng.integers(4, size=(2, 30, 2, 9))  # with many ties
    expected = [
        of_pair(one.ravel(), other.ravel()).statistic
        for one, other in zip(maps, others, strict=True)
    ]
    np.testing.assert_allclose(map_agreement(maps, others, measure=measure), expected)


@pytest.mark.parametrize(
    ("measure", "others", "expected"),
    [
        ("spearman", [0, 1, 4, 9], 1),
        ("spearman", [3, 2, 1, 0], -1),
        ("pearson", [1, 3, 5, 7], 1),
        ("cosine", [0, 2, 4, 6], 1),
        ("cosine", [0, -1, -2, -3], -1),
        ("cosine", [7, 0, 0, 0], 0),
        ("cosine", [1, 1, 1, 1], 6 / np.sqrt(4 * 14)),
        ("top_overlap", [0, 0, 0, 1], 1),
        ("top_overlap", [1, 0, 0, 0], 0),
    ],
)
def test_by_hand(measure, others, expected):
    maps = np.arange(4)[np.newaxis]
    agreement = map_agreement(maps, np.array([others]), measure=measure)
    np.testing.assert_allclose(agreement, [expected], atol=1e-12)


def test_overlap_of_tenths():
    maps, others = np.zeros((2, 1, 30))
    maps[0, [1, 2, 3]] = [5, 6, 7]
    others[0, [2, 3, 4]] = 1
    assert map_agreement(maps, others, measure="top_overlap").tolist() == [2 / 4]
    maps[0, 9] = 4  # the fourth of a tenth of three
    assert map_agreement(maps, others, measure="top_overlap").tolist() == [2 / 4]


def test_a_tenth_is_rounded_up():
    maps = np.arange(15)[np.newaxis]
    others = np.roll(maps, 1)  # its top two are the first and the last
    assert map_agreement(maps, others, measure="top_overlap").tolist() == [1 / 3]


def test_ties_at_the_edge_of_the_tenth_share_its_places():
    maps, others = np.zeros((2, 1, 20))
    maps[0, :4] = 1  # two places for four
    others[0, :2] = 1
    # They share 1/2 + 1/2 of a union of 1 + 1 + 1/2 + 1/2.
    assert map_agreement(maps, others, measure="top_overlap").tolist() == [1 / 3]


def test_chance():
    maps, others = np.random.default_rng(0).normal(size=(2, 2000, 60))
    for measure, chance in dict.fromkeys(AGREEMENTS, 0.0).items():
        agreement = map_agreement(maps, others, measure=measure)
        assert agreement.mean() == pytest.approx(
            1 / 19 if measure == "top_overlap" else chance, abs=0.01
        )


@by_measure
@given(maps=tied_maps())
def test_a_map_agrees_with_itself_and_order_in_time_does_not_matter(measure, maps):
    others = np.roll(maps, 1, axis=-1)
    agreement = map_agreement(maps, others, measure=measure)
    by_record = tuple(range(1, maps.ndim))
    varies = maps.max(axis=by_record) > maps.min(axis=by_record)
    known = (maps != 0).any(axis=by_record) if measure == "cosine" else varies
    np.testing.assert_array_equal(np.isnan(agreement), ~known)
    inside = agreement[known]
    assert ((inside >= (0 if measure == "top_overlap" else -1)) & (inside <= 1)).all()
    np.testing.assert_allclose(map_agreement(maps, maps, measure=measure)[known], 1)
    np.testing.assert_allclose(
        map_agreement(others, maps, measure=measure), agreement, atol=1e-12
    )
    turned = map_agreement(maps[..., ::-1], others[..., ::-1], measure=measure)
    np.testing.assert_allclose(turned, agreement, atol=1e-12)


@by_measure
@pytest.mark.parametrize("scale", [1e-200, 1, 1e200])
def test_scale_does_not_matter(measure, scale):
    maps, others = np.random.default_rng(0).normal(size=(2, 5, 20))
    np.testing.assert_allclose(
        map_agreement(scale * maps, others, measure=measure),
        map_agreement(maps, others, measure=measure),
        rtol=1e-9,
    )


@by_measure
def test_a_map_that_says_nothing_agrees_with_none(measure):
    # 0.1 is not exact: the mean of many differs from it in the last bit.
    empty = np.zeros((1, 7)) if measure == "cosine" else np.full((1, 7), 0.1)
    other = np.arange(7)[np.newaxis]
    assert np.isnan(map_agreement(empty, other, measure=measure)).all()
    assert np.isnan(map_agreement(other, empty, measure=measure)).all()
