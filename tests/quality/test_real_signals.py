"""Do the measures find what annotators of real recordings complained about?

Constants were chosen on folds 1-4 of PTB-XL and on even records of CinC 2017; the
others are counted. Bounds are a little below what docs/reliability.md shows.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sk_erts.datasets import STANDARD_LEADS, load_cinc2017, load_ptbxl
from sk_erts.quality import SignalQuality, flat_share, limb_disagreement

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SK_ERTS_DATA", ROOT.parent / "shared" / "data"))
REMARKS = ["static_noise", "burst_noise", "baseline_drift", "electrodes_problems"]


@pytest.fixture(scope="module")
def ptbxl():
    if not (DATA / "ptbxl").is_dir():
        pytest.skip(f"no ptbxl in {DATA}; SK_ERTS_DATA names the folder above it")
    dataset = load_ptbxl(DATA / "ptbxl", folds=range(1, 9))
    remarks = dataset.metadata[REMARKS].fillna("").map(str.strip) != ""
    return dataset.data, remarks, dataset.folds <= 4


@pytest.fixture(scope="module")
def cinc2017():
    if not (DATA / "cinc2017").is_dir():
        pytest.skip(f"no cinc2017 in {DATA}; SK_ERTS_DATA names the folder above it")
    return load_cinc2017(DATA / "cinc2017")


@pytest.mark.parametrize(
    ("measure", "remark", "least"),
    [
        ("high_frequency_floor", "static_noise", 0.75),
        ("baseline_wander", "baseline_drift", 0.82),
        ("noise_burst", "burst_noise", 0.57),
    ],
)
def test_a_measure_answers_to_its_remark(measure, remark, least, ptbxl):
    X, remarks, reference = ptbxl
    quality = SignalQuality(100, measures=[measure]).fit(X[reference])
    score = -quality.score_samples(X[~reference])
    assert roc_auc_score(remarks[remark][~reference], score) > least


def test_the_combination_answers_to_any_remark(ptbxl):
    X, remarks, reference = ptbxl
    quality = SignalQuality(100, lead_names=STANDARD_LEADS).fit(X[reference])
    truth = remarks.any(axis=1)[~reference]
    score = -quality.score_samples(X[~reference])
    assert roc_auc_score(truth, score) > 0.65
    worst = np.argsort(score)[::-1][:50]
    assert truth.to_numpy()[worst].mean() > 1.5 * truth.mean()


def test_records_without_beats_come_last(ptbxl):
    X, _, reference = ptbxl
    quality = SignalQuality(100).fit(X[reference])
    least = np.quantile(quality.score_samples(X[~reference]), 0.002)
    rng = np.random.default_rng(0)
    for strength in (1e-4, 1e-3, 0.01, 0.1):
        noise = rng.normal(scale=strength, size=(20, 12, 1000)).astype(np.float32)
        assert (quality.score_samples(noise) < least).all()
        assert set(quality.reasons(noise)) <= {"no_beats", "flat_share"}


def test_records_told_in_coarse_steps_do_not_come_first(ptbxl):
    X, _, reference = ptbxl
    quality = SignalQuality(100).fit(X[reference])
    some = X[~reference][:200]
    fine = quality.score_samples(some)
    for step in (0.05, 0.1, 0.2):
        coarse = quality.score_samples(np.round(some / step) * np.float32(step))
        assert (coarse < fine).mean() > 0.9
        assert np.median(coarse) < np.quantile(fine, 0.4)


def test_leads_of_ptbxl_agree_and_none_is_flat(ptbxl):
    X, _, _ = ptbxl
    assert np.quantile(limb_disagreement(X, 100, STANDARD_LEADS), 0.95) < 0.05
    assert (flat_share(X, 100) > 0).mean() < 0.01


def test_noisy_records_of_cinc2017(cinc2017):
    X = [np.asarray(record, dtype=np.float32) for record in cinc2017.data]
    quality = SignalQuality(cinc2017.fs).fit(X[::2])
    noisy = np.asarray(cinc2017.target)[1::2] == "~"
    assert roc_auc_score(noisy, -quality.score_samples(X[1::2])) > 0.85
