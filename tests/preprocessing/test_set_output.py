"""What is a table can be a data frame; records stay arrays."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sk_erts.preprocessing import BandPass, Flatten, Resample, Unflatten
from sk_erts.quality import SignalQuality

RNG = np.random.default_rng(0)
X = RNG.normal(scale=0.4, size=(6, 2, 300)).astype(np.float32)


def test_columns_of_flat_records_tell_lead_and_time():
    frame = Flatten().set_output(transform="pandas").fit_transform(X)
    assert frame.shape == (6, 600)
    for lead, t in [(0, 0), (0, 299), (1, 0), (1, 7)]:
        np.testing.assert_array_equal(frame[f"lead{lead}_{t}"], X[:, lead, t])


def test_one_lead_keeps_the_names_it_came_with():
    given = pd.DataFrame(X[:, 0, :3], columns=["a", "b", "c"], index=list("uvwxyz"))
    flatten = Flatten().set_output(transform="pandas")
    pd.testing.assert_frame_equal(flatten.fit_transform(given), given)
    names = flatten.fit(X[:, 0, :2]).get_feature_names_out().tolist()
    assert names == ["lead0_0", "lead0_1"]


@pytest.mark.parametrize("given", [None, [X[0], X[1, :, :200]]])
def test_without_one_length_there_are_no_names(given):
    flatten = Flatten()
    if given is not None:
        flatten.fit(X).fit(given)
    with pytest.raises(NotFittedError, match="of one length. Call fit first"):
        flatten.get_feature_names_out()


def test_a_pipeline_is_told_its_container_at_once():
    steps = [BandPass(100), Resample(100, 50), Flatten()]
    expected = make_pipeline(*map(clone, steps)).fit_transform(X)
    pipeline = clone(make_pipeline(*steps).set_output(transform="pandas"))
    frame = pipeline.fit_transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns[-1] == "lead1_149"
    np.testing.assert_array_equal(frame, expected)
    assert isinstance(pipeline[:2].transform(X), np.ndarray)


def test_records_stay_arrays_whatever_is_asked_for_everywhere():
    with sklearn.config_context(transform_output="pandas"):
        flat = make_pipeline(BandPass(100), Flatten()).fit_transform(X)
        back = make_pipeline(Flatten(), Unflatten(2)).fit_transform(X)
    assert isinstance(flat, pd.DataFrame)
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, X)


def test_measures_of_signals_are_columns():
    quality = SignalQuality(100, measures=["flat_share", "noise_burst"])
    bad = X.copy()
    bad[3, :, :200] = 0
    frame = quality.set_output(transform="pandas").fit(X).transform(bad)
    assert frame.columns.tolist() == ["flat_share", "noise_burst"]
    assert frame["flat_share"].idxmax() == 3
    np.testing.assert_array_equal(frame, quality.deviations(bad))
    default = quality.set_output(transform="default").transform(bad)
    assert isinstance(default, np.ndarray)


def test_measures_are_a_step_of_a_pipeline():
    pipeline = make_pipeline(BandPass(100), SignalQuality(100))
    frame = pipeline.set_output(transform="pandas").fit_transform(X)
    assert frame.columns.tolist() == list(pipeline[-1].measures_)
    expected = pipeline[-1].deviations(pipeline[0].transform(X))
    np.testing.assert_array_equal(frame, expected)
    with pytest.raises(NotFittedError):
        SignalQuality(100).get_feature_names_out()
