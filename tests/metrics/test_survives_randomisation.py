import numpy as np
import pytest

from sk_erts.metrics import map_agreement, survives_randomisation


@pytest.fixture
def maps():
    return np.random.default_rng(0).normal(size=(40, 60))


@pytest.fixture
def others():
    return np.random.default_rng(1).normal(size=(40, 60))


def test_a_map_of_the_weights_does_not_survive(maps, others):
    report = survives_randomisation(maps, others, random_state=0)
    assert report.survives is False
    assert abs(report.median) < 0.1
    assert abs(report.null_median) < 0.1
    assert report.p_value > 0.05


def test_a_map_of_the_record_survives_far_above_the_null(maps, others):
    report = survives_randomisation(maps, maps + 0.1 * others, random_state=0)
    assert report.survives is True
    assert report.median > 0.9
    assert abs(report.null_median) < 0.1
    assert report.p_value == 1 / 101


def test_a_map_that_is_always_the_same_survives_no_better_than_the_null(maps, others):
    shape = 20 * np.hanning(60)
    report = survives_randomisation(shape + maps, shape + others, random_state=0)
    assert report.survives is True
    assert report.null_median == pytest.approx(report.median, abs=0.02)
    assert report.p_value > 0.05


def test_the_agreement_is_that_of_each_record(maps, others):
    for measure in ("pearson", "top_overlap"):
        report = survives_randomisation(maps, others, measure=measure)
        expected = map_agreement(maps, others, measure=measure)
        np.testing.assert_array_equal(report.agreement, expected)
        assert report.median == np.median(expected)


def test_the_null_compares_with_the_map_of_another_record(maps):
    report = survives_randomisation(maps, maps, n_shuffles=30, random_state=0)
    assert report.null.shape == (30, 40)
    pairs = np.stack([map_agreement(maps, np.roll(maps, k, axis=0)) for k in range(40)])
    for shuffled in report.null:
        found = np.isclose(shuffled, pairs)
        assert found.any(axis=0).all()
        assert not found[0].any()  # never with itself
    assert len({row.tobytes() for row in report.null}) == 30
    assert report.null_median == np.median(report.null)


def test_of_two_records_each_is_the_partner_of_the_other(maps, others):
    report = survives_randomisation(maps[:2], others[:2], n_shuffles=3)
    expected = map_agreement(maps[:2], others[1::-1])
    np.testing.assert_allclose(report.null, np.stack([expected] * 3))


def test_the_threshold_is_one_of_the_median(maps):
    others = maps + np.random.default_rng(1).normal(size=maps.shape)
    median = survives_randomisation(maps, others).median
    assert 0.5 < median < 0.9
    for threshold, survives in [(median - 0.01, True), (median, False)]:
        report = survives_randomisation(maps, others, threshold=threshold)
        assert report.survives is survives


def test_maps_without_an_order_are_left_out(maps):
    some = maps.copy()
    some[:5] = 1
    report = survives_randomisation(maps, some, random_state=0)
    assert np.isnan(report.agreement).tolist() == [True] * 5 + [False] * 35
    assert report.median == pytest.approx(1)
    assert np.isfinite(report.null_median)


def test_a_shuffle_that_compares_nothing_is_no_proof(maps):
    # Each record that varies in one set is constant in the other, but for the last.
    first, second = maps[:2].copy(), maps[:2].copy()
    first[0] = second[0] = 0
    report = survives_randomisation(first, second, n_shuffles=10)
    assert np.isnan(report.null).all()
    assert np.isnan(report.null_median)
    assert report.p_value == 1


def test_p_values_are_fair():
    # Maps that have nothing in common: a small one comes as often as it says.
    rng = np.random.default_rng(0)
    values = [
        survives_randomisation(
            *rng.normal(size=(2, 8, 12)), n_shuffles=19, random_state=seed
        ).p_value
        for seed in range(300)
    ]
    share = np.mean(np.array(values) <= 0.2)
    assert share == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / 300))


def test_only_constant_maps_are_refused():
    with pytest.raises(
        ValueError, match="hold a record whose two maps can be compared"
    ):
        survives_randomisation(np.ones((4, 9)), np.eye(4, 9))


def test_one_record_is_refused(maps):
    with pytest.raises(ValueError, match="'maps' .* at least two records.*Got one"):
        survives_randomisation(maps[:1], maps[:1])
