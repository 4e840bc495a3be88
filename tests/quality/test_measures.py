"""Each measure on signals whose value is known, and what all of them promise."""

import numpy as np
import pytest

from sk_erts import quality
from sk_erts.datasets import STANDARD_LEADS, make_ecg
from sk_erts.quality import (
    baseline_wander,
    flat_share,
    high_frequency_floor,
    limb_disagreement,
    motion_burst,
    no_beats,
    noise_burst,
    noise_to_peak,
    noisiest_second,
)
from sk_erts.quality._signal_quality import MEASURES
from tests.quality.signals import FS, sine

PLAIN = [
    baseline_wander,
    flat_share,
    high_frequency_floor,
    motion_burst,
    no_beats,
    noise_burst,
    noise_to_peak,
    noisiest_second,
]
IN_MV = [baseline_wander, high_frequency_floor, motion_burst, noisiest_second]


def in_mv(measure):
    return measure in IN_MV


@pytest.fixture(scope="module")
def ecg():
    X, _ = make_ecg(6, noise=0.5, random_state=0)
    rng = np.random.default_rng(0)
    return X.astype(float) + rng.normal(scale=0.02, size=X.shape)


def test_completeness__every_measure_is_under_the_contract():
    assert {measure.__name__ for measure in PLAIN} == set(MEASURES) - {
        "limb_disagreement"
    }
    assert set(MEASURES) <= set(quality.__all__)


@pytest.mark.parametrize("measure", PLAIN)
def test_offsets_and_the_order_of_leads_change_nothing(measure, ecg):
    rng = np.random.default_rng(0)
    moved = ecg + rng.normal(scale=5, size=(*ecg.shape[:2], 1))
    np.testing.assert_allclose(measure(moved, FS), measure(ecg, FS), atol=1e-9)
    order = rng.permutation(12)
    np.testing.assert_array_equal(measure(ecg[:, order], FS), measure(ecg, FS))


@pytest.mark.parametrize("measure", PLAIN)
def test_a_record_does_not_depend_on_the_others(measure, ecg):
    together = measure(np.concatenate([ecg] * 8), FS)
    alone = [measure(record[np.newaxis], FS)[0] for record in ecg]
    np.testing.assert_array_equal(together, alone * 8)
    ragged = measure([ecg[0], ecg[1][:, :730]], FS)
    np.testing.assert_array_equal(ragged, [alone[0], measure(ecg[1:2, :, :730], FS)[0]])


@pytest.mark.parametrize("measure", PLAIN)
def test_two_dimensions_are_one_lead(measure, ecg):
    one = ecg[:, 0]
    np.testing.assert_array_equal(measure(one, FS), measure(one[:, np.newaxis], FS))


@pytest.mark.parametrize("measure", PLAIN)
def test_scale(measure, ecg):
    factor = 3 if in_mv(measure) else 1
    value, scaled = measure(ecg, FS), measure(3 * ecg, FS)
    np.testing.assert_allclose(
        scaled, factor * value, rtol=1e-9 if factor == 3 else 0.1
    )


@pytest.mark.parametrize("measure", PLAIN)
def test_a_record_shorter_than_a_second_has_finite_measures(measure):
    assert np.isfinite(measure(sine(10, duration_s=0.07), FS)).all()


@pytest.mark.parametrize("measure", PLAIN)
@pytest.mark.parametrize(
    ("X", "fs", "message"),
    [
        (np.zeros((2, 3, 4)), 100, "last 0.05 s or more.*Got 4 time steps at 100 Hz"),
        (np.zeros((2, 3, 1, 9)), 100, "n_times\\), .* Got shape \\(2, 3, 1, 9\\)"),
        (
            np.full((1, 1, 99), np.nan),
            100,
            "finite numbers. Got 99 NaN or infinite",
        ),
        (np.full((1, 1, 99), "a"), 100, "must be .* numbers. Got ndarray of dtype <U1"),
        (np.zeros((2, 1, 99)), 0, "must be a sampling frequency in Hz.*Got 0 instead"),
    ],
)
def test_what_is_no_record_is_refused(measure, X, fs, message):
    with pytest.raises(ValueError, match=message):
        measure(X, fs)


@pytest.mark.parametrize(("frequency", "fs"), [(50, 300), (25, 500), (25, 1000)])
def test_floor_of_a_sine(frequency, fs):
    # |sin| exceeds sin(pi / 8) for three quarters of the time.
    gain = np.sin(np.pi * frequency * 0.01) ** 3
    expected = 0.2 * gain * np.sin(np.pi / 8)
    # Few samples per period: the quantile is coarse.
    X = sine(frequency + 0.37, 0.2, fs)
    np.testing.assert_allclose(high_frequency_floor(X, fs), expected, rtol=0.12)


@pytest.mark.parametrize("fs", [100, 250, 360, 500])
def test_floor_of_white_noise(fs):
    noise = np.random.default_rng(0).normal(scale=0.1, size=(50, 1, 10 * fs))
    # The upper quartile over seconds is a little above what the text says of one.
    assert 0.017 < high_frequency_floor(noise, fs).mean() < 0.023


@pytest.mark.parametrize("step", [0.2, 0.1, 0.05, 0.02])
def test_floor_of_a_record_that_is_told_in_steps(step):
    X, _ = make_ecg(4, noise=0, random_state=0)
    coarse = np.round(X.astype(float) / step) * step
    least = 0.18 * step / np.sqrt(12)
    for measure in (high_frequency_floor, noisiest_second):
        assert (measure(coarse, FS) >= 0.99 * least).all()
        np.testing.assert_allclose(measure(0 * X, FS), 0)


@pytest.mark.parametrize("strength", [1e-4, 1e-3, 0.01, 0.1, 1])
@pytest.mark.parametrize("n_leads", [1, 12])
@pytest.mark.parametrize("fs", [100, 360, 500])
def test_noise_of_any_strength_has_no_beats(strength, n_leads, fs):
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=strength, size=(20, n_leads, 10 * fs))
    assert (no_beats(noise, fs) > 0.9).all()


def test_silence_and_slow_waves_have_no_beats():
    assert no_beats(np.zeros((1, 2, 1000)), FS).tolist() == [1]
    assert no_beats(sine(0.3, 0.5), FS).tolist() == [1]
    assert no_beats(np.round(sine(50, 1e-3), 3), FS).tolist() == [1]


def test_beats_are_seen_in_a_single_lead_and_in_noise():
    X, _ = make_ecg(4, classes=["NORM"], noise=0, random_state=0)
    rng = np.random.default_rng(0)
    assert no_beats(X, FS).tolist() == [0] * 4
    lost = rng.normal(scale=1e-3, size=X.shape)
    lost[:, 1] = X[:, 1]
    assert no_beats(lost, FS).tolist() == [0] * 4
    noisy = X + rng.normal(scale=0.1, size=X.shape)
    assert no_beats(noisy, FS).tolist() == [0] * 4


def test_wide_complexes_without_steep_slopes_are_beats():
    """As in ventricular tachycardia, whose third differences are those of a sine."""
    t = np.arange(1000) / FS
    wide = np.sin(2 * np.pi * 3 * t) + 0.3 * np.sin(2 * np.pi * 6 * t)
    assert no_beats(wide[np.newaxis], FS).tolist() == [0]
    X, _ = make_ecg(60, classes=["BBB"], noise=0, random_state=0)
    assert not no_beats(X, FS).any()


def test_floor_does_not_see_slow_waves_nor_complexes():
    assert high_frequency_floor(sine(2), FS)[0] < 0.001
    beats = np.zeros((1, 1, 1000))
    beats[..., 50::80] = 1.5
    assert high_frequency_floor(beats, FS)[0] == 0


def test_the_noisiest_second_counts_once_and_in_the_noisiest_lead():
    X = np.zeros((2, 3, 1000))
    X[1, 2, 400:500] = 0.3 * (-1.0) ** np.arange(100)
    np.testing.assert_allclose(noisiest_second(X, FS), [0, 0.3])
    np.testing.assert_allclose(high_frequency_floor(X, FS), 0)
    # Against silence, 1 microvolt stands below the ratio.
    np.testing.assert_allclose(noise_burst(X, FS), [1, 0.301 / 0.001])


def test_noise_to_peak_between_pure_noise_and_pure_beats():
    beats = np.zeros((1, 1, 1000))
    beats[..., 50::80] = 1.5
    assert noise_to_peak(beats, FS)[0] == 0
    mains = 0.2 * (-1.0) ** np.arange(1000)[np.newaxis]  # constant height
    np.testing.assert_allclose(noise_to_peak(mains, FS), 0.2 / 0.201)


@pytest.mark.parametrize("frequency", [0.05, 0.1, 0.3])
def test_wander_of_a_sine(frequency):
    # Differences of means over one second, at their steepest.
    steepest = 2 * np.sin(np.pi * frequency) ** 2 / (np.pi * frequency)
    wander = baseline_wander(sine(frequency, 0.5, duration_s=100), FS)
    np.testing.assert_allclose(wander, 0.5 * steepest, rtol=0.05)


def test_wander_of_a_drift_is_its_slope_and_faster_waves_average_out():
    drift = 0.3 * np.arange(1000) / FS * np.array([[[0.5], [-1]]])
    np.testing.assert_allclose(baseline_wander(drift, FS), 0.3)
    assert baseline_wander(sine(5), FS)[0] < 1e-9
    assert baseline_wander(drift[..., :140], FS)[0] == 0


def test_motion_is_the_excess_of_one_second_over_the_median():
    X = sine(4, 0.1, n_leads=2)
    X[0, 1, 300:400] *= 6
    np.testing.assert_allclose(motion_burst(X, FS), 0.5 / np.sqrt(2))
    np.testing.assert_allclose(motion_burst(sine(4), FS), 0, atol=1e-9)


def test_flat_seconds_count_whatever_their_offset_and_drift():
    X, _ = make_ecg(1, noise=0.5, random_state=0)
    X = np.concatenate([X] * 5)
    X[1, 3] = 2.5
    X[2, 3] = np.linspace(0, 1, 1000)
    X[3, 3] = np.random.default_rng(0).choice([0, 0.001], size=1000)  # rounding
    X[4, :, 500:] = X[4, :, 500:501]
    shares = flat_share(X, FS)
    np.testing.assert_allclose(shares, [0, 1 / 12, 1 / 12, 1 / 12, 0.5], atol=1e-9)


def test_limb_leads_are_known_by_name():
    X, _ = make_ecg(3, random_state=0)
    order = np.random.default_rng(0).permutation(12)
    names = [STANDARD_LEADS[k] for k in order]
    np.testing.assert_allclose(limb_disagreement(X[:, order], FS, names), 0, atol=1e-4)
    folded = [name.upper() for name in names]
    np.testing.assert_allclose(limb_disagreement(X[:, order], FS, folded), 0, atol=1e-4)
    # Taken for the standard order, the same leads contradict each other.
    assert (limb_disagreement(X[:, order], FS, STANDARD_LEADS) > 0.3).all()


def test_limb_disagreement_of_a_lost_lead():
    # II = 0 and I = x: III = -x, aVR = -x / 2, aVL = x, aVF = -x / 2.
    x = sine(1)[0, 0]
    limb = np.stack([x, 0 * x, -x, -x / 2, x, 0 * x])[np.newaxis]
    ratio = limb_disagreement(limb, FS, STANDARD_LEADS[:6])
    rms = 1 / np.sqrt(2)
    expected = 0.5 * rms / (np.sqrt(1 + 1 + 0.25 + 1) * rms + 0.01)
    np.testing.assert_allclose(ratio, expected)
    moved = limb + np.arange(6)[:, np.newaxis]
    np.testing.assert_allclose(
        limb_disagreement(moved, FS, STANDARD_LEADS[:6]), expected
    )


@pytest.mark.parametrize(
    ("n_leads", "names", "message"),
    [
        (6, STANDARD_LEADS[1:7], "must name the six limb leads.*without I."),
        (6, "I", "must be a sequence of one name or more. Got 'I'"),
        (5, STANDARD_LEADS[:6], "must have 6 leads. Got 5"),
    ],
)
def test_limb_leads_must_be_there(n_leads, names, message):
    with pytest.raises(ValueError, match=message):
        limb_disagreement(np.zeros((1, n_leads, 100)), FS, names)


def test_noise_to_peak_is_that_of_the_middle_second():
    beats = np.zeros((1, 1, 1000))
    beats[..., 50::80] = 1.5
    for noisy, least, most in [(3, 0, 0.001), (7, 0.5, 1)]:
        X = beats.copy()
        X[..., : noisy * 100] = (-1.0) ** np.arange(noisy * 100)
        assert least <= noise_to_peak(X, FS)[0] <= most


def test_motion_is_measured_against_the_median_and_not_the_calmest_second():
    X = sine(4)
    X[..., :300] = 0
    np.testing.assert_allclose(motion_burst(X, FS), 0, atol=1e-9)


def test_an_offset_costs_no_digits_in_single_precision():
    X = sine(4.3, 0.1)
    moved = (X + 100).astype(np.float32)
    np.testing.assert_allclose(motion_burst(moved, FS), motion_burst(X, FS), atol=1e-4)
