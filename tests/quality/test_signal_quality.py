"""The combination: graded damage, scikit-learn's manner, parameters."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from sk_erts.datasets import STANDARD_LEADS, make_ecg
from sk_erts.datasets._leads import lead_matrix
from sk_erts.quality import SignalQuality, signal_quality
from tests.quality.signals import FS


@pytest.fixture(scope="module")
def clean():
    X, _ = make_ecg(60, noise=0, random_state=0)
    # A recorder's own noise and rounding.
    return np.round(muscle(X, 0.2, np.random.default_rng(0)), 3).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(clean):
    return SignalQuality(FS, lead_names=STANDARD_LEADS).fit(clean)


def muscle(X, strength, rng):
    # At the electrodes, so that the limb leads agree about it.
    noise = rng.normal(scale=0.03 * strength, size=(len(X), 8, X.shape[2]))
    return X + lead_matrix(STANDARD_LEADS) @ noise


def wander(X, strength, rng):
    t = np.arange(X.shape[2]) / FS
    phase = rng.uniform(0, 2 * np.pi, size=(len(X), 1, 1))
    wave = 0.3 * strength * np.sin(2 * np.pi * 0.3 * t + phase)
    return X + lead_matrix(STANDARD_LEADS) @ np.repeat(wave, 8, axis=1)


def motion(X, strength, rng):
    X = X.copy()
    X[:, 8, 410:480] += strength * np.sin(np.arange(70) / 5)
    return X


def lost(X, strength, rng):
    X = X.copy()
    X[:, 7 : 7 + strength] = 0
    return X


def swapped(X, strength, rng):
    X = X.copy()
    X[:, :strength], X[:, 6 : 6 + strength] = (
        X[:, 6 : 6 + strength].copy(),
        X[:, :strength].copy(),
    )
    return X


@pytest.mark.parametrize(
    ("damage", "reasons"),
    [
        (muscle, {"high_frequency_floor", "noisiest_second"}),
        (wander, {"baseline_wander"}),
        (motion, {"motion_burst"}),
        (lost, {"flat_share"}),
        (swapped, {"limb_disagreement"}),
    ],
)
def test_stronger_damage_scores_lower_and_is_named(damage, reasons, clean, fitted):
    scores = [fitted.score_samples(clean)]
    for strength in (1, 2, 4):
        worse = damage(clean, strength, np.random.default_rng(1))
        scores.append(fitted.score_samples(worse))
    means = [score.mean() for score in scores]
    # Swapped leads contradict the others about as much, however many they are.
    steps = np.diff(means[:2] if damage is swapped else means)
    assert (steps < 0).all()
    truth = np.repeat([1, 0], len(clean))
    assert roc_auc_score(truth, np.concatenate([scores[0], scores[-1]])) > 0.95
    named = np.isin(fitted.reasons(worse), list(reasons))
    assert named.mean() > 0.9


@pytest.mark.parametrize("strength", [1e-4, 1e-3, 0.01, 0.1])
def test_a_record_without_beats_comes_last(strength, clean, fitted):
    rng = np.random.default_rng(1)
    noise = rng.normal(scale=strength, size=(5, 8, clean.shape[2]))
    noise = lead_matrix(STANDARD_LEADS) @ noise  # the limb leads agree
    least = fitted.score_samples(clean).min()
    assert (fitted.score_samples(noise) < least).all()
    assert set(fitted.reasons(noise)) <= {
        "no_beats",
        "flat_share",
        "high_frequency_floor",
        "noisiest_second",
    }


@pytest.mark.parametrize("step", [0.05, 0.1])
def test_a_record_told_in_coarse_steps_does_not_come_first(step, clean, fitted):
    coarse = fitted.score_samples(np.round(clean / step) * step)
    assert (coarse < fitted.score_samples(clean)).all()


def test_the_score_is_the_soft_maximum_of_the_deviations(clean, fitted):
    z = fitted.deviations(clean)
    expected = -np.log(np.exp(z).mean(axis=1))
    np.testing.assert_allclose(fitted.score_samples(clean), expected)
    np.testing.assert_allclose(np.median(z, axis=0), 0, atol=1e-9)
    assert fitted.measures_[-1] == "limb_disagreement"
    spread = fitted.scale_ > 0.25
    assert spread.any()
    assert not spread.all()
    # A quarter lies above 0.674 standard deviations.
    upper = np.quantile(z, 0.75, axis=0)
    np.testing.assert_allclose(upper[spread], 0.6744897501960817)
    assert (upper[~spread] <= 0.6745).all()


def test_a_quarter_of_bad_records_in_the_reference_hides_nothing(clean):
    rng = np.random.default_rng(0)
    bad = np.arange(len(clean)) % 5 == 0
    X = clean.copy()
    X[bad] = muscle(X[bad], 4, rng)
    assert roc_auc_score(~bad, signal_quality(X, FS)) == 1


def test_signal_quality_is_fit_and_score(clean, fitted):
    np.testing.assert_array_equal(
        signal_quality(clean, FS, STANDARD_LEADS), fitted.score_samples(clean)
    )


def test_in_the_manner_of_scikit_learn(clean, fitted):
    params = fitted.get_params()
    assert params == {"fs": FS, "measures": None, "lead_names": STANDARD_LEADS}
    copy = clone(fitted)
    for call in (copy.score_samples, copy.deviations, copy.reasons):
        with pytest.raises(NotFittedError):
            call(clean)
    assert copy.fit(clean, y=None) is copy
    assert vars(copy).keys() - params == {
        "measures_",
        "centre_",
        "scale_",
        "n_leads_in_",
    }
    assert copy.n_leads_in_ == 12
    np.testing.assert_array_equal(copy.centre_, fitted.centre_)


def test_a_fit_that_fails_changes_nothing(clean):
    quality = SignalQuality(FS).fit(clean)
    before = vars(quality).copy()
    with pytest.raises(ValueError, match="must be an array of finite numbers"):
        quality.fit(np.full((2, 3, 100), np.inf))
    assert vars(quality).keys() == before.keys()
    assert quality.n_leads_in_ == 12


def test_records_may_differ_in_length(clean):
    ragged = [record[:, : 1000 - 10 * k] for k, record in enumerate(clean)]
    quality = SignalQuality(FS).fit(ragged)
    expected = [quality.score_samples(record[np.newaxis])[0] for record in ragged]
    np.testing.assert_allclose(quality.score_samples(ragged), expected)


def test_chosen_measures(clean):
    quality = SignalQuality(FS, measures=["noise_burst", "flat_share"]).fit(clean)
    assert quality.deviations(clean).shape == (60, 2)
    assert set(quality.reasons(clean)) <= {"noise_burst", "flat_share"}
    assert "limb_disagreement" not in SignalQuality(FS).fit(clean).measures_


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"measures": ["flat_shar"]}, "'flat_shar'.*Did you mean 'flat_share'"),
        ({"measures": "flat_share"}, "must be a sequence of one name or more"),
        ({"measures": []}, "must be a sequence of one name or more"),
        ({"measures": ["limb_disagreement"]}, "must name the six limb leads"),
        ({"lead_names": ["I", "I"]}, "must be different names"),
        ({"lead_names": ["I", "II"]}, "must have 2 leads. Got 12"),
        ({"fs": "100"}, "'fs' parameter of SignalQuality must be.*Got '100'"),
    ],
)
def test_wrong_parameters_are_refused(params, message, clean):
    with pytest.raises(ValueError, match=message):
        SignalQuality(**{"fs": FS} | params).fit(clean)


def test_other_leads_than_in_fit_are_refused(clean, fitted):
    with pytest.raises(ValueError, match="must have 12 leads. Got 3"):
        fitted.score_samples(clean[:, :3])
