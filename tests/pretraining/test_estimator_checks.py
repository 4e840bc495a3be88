"""Every check that scikit-learn has for a transformer, with sentences as targets."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)

from sk_erts.preprocessing import Standardize
from sk_erts.pretraining import ECGTextPretrainer
from tests.pretraining.conftest import make


class Worded(ECGTextPretrainer):
    """Write the numbers that the checks have as targets down as sentences."""

    def fit(self, X, y=None):
        if y is None:
            return super().fit(X)
        numbers = np.asarray(y).ravel()
        return super().fit(X, [f"The finding is {number}." for number in numbers])


SMALL = Worded(
    module__width=4,
    module__blocks=(1,),
    module__kernel_size=3,
    n_dims=4,
    max_epochs=2,
    batch_size=32,
    warmup_epochs=1,
    verbose=0,
)
# All pass; what will not, goes here with its reason.
EXPECTED_FAILURES = {}


@parametrize_with_checks(
    [SMALL],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
    xfail_strict=True,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [Worded(module__width=8, verbose=0)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
    xfail_strict=True,
)
def test_scikit_learn_check_of_usual_settings(estimator, check):
    check(estimator)


def test_the_checks_are_not_dodged():
    names = [
        getattr(check, "func", check).__name__
        for _, check in estimator_checks_generator(SMALL)
    ]
    assert len(names) >= 45
    assert {
        "check_transformer_general",
        "check_transformer_preserve_dtypes",
        "check_methods_subset_invariance",
        "check_requires_y_none",
        "check_fit2d_1sample",
        "check_fit_idempotent",
        "check_readonly_memmap_input",
        "check_n_features_in_after_fitting",
    } <= set(names)


class TestParameters:
    def test_a_clone_has_those_of_all_parts(self):
        pretrainer = make(optimizer__weight_decay=0.1, looks__probe_share=0.2)
        twin = clone(pretrainer)
        assert repr(twin.get_params()) == repr(pretrainer.get_params())
        assert twin.get_params()["optimizer__weight_decay"] == 0.1
        assert repr(twin) == repr(pretrainer)

    def test_what_is_set_is_what_is_got(self):
        pretrainer = make().set_params(n_dims=16, module__width=6, text="folder")
        params = pretrainer.get_params()
        assert (params["n_dims"], params["module__width"]) == (16, 6)
        assert params["text"] == "folder"

    def test_a_refusal_changes_nothing(self):
        pretrainer = make()
        before = pretrainer.get_params()
        with pytest.raises(ValueError, match="'n_dim' .*Did you mean 'n_dims'"):
            pretrainer.set_params(lr=0.5, n_dim=3)
        assert repr(pretrainer.get_params()) == repr(before)

    def test_repr_tells_what_is_not_the_default(self):
        shown = repr(ECGTextPretrainer(n_dims=16, module__width=6))
        assert shown == "ECGTextPretrainer(module__width=6, n_dims=16)"


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("transform", ([[0.0, 1.0]],)),
        ("embed_text", (["One."],)),
        ("similarity", ([[0.0, 1.0]], ["One."])),
        ("predict_proba_zero_shot", ([[0.0, 1.0]], ["One.", "Two."])),
        ("uncertainty", ([[0.0, 1.0]],)),
        ("explain", ([[0.0, 1.0]], "One.")),
        ("to_classifier", ()),
        ("get_feature_names_out", ()),
        ("save", ("nowhere",)),
    ],
)
def test_before_fit(method, args):
    with pytest.raises(NotFittedError, match="ECGTextPretrainer instance is not fitt"):
        getattr(ECGTextPretrainer(), method)(*args)


class TestWhatFitLeaves:
    def test_shapes_of_records(self, fitted):
        assert (fitted.n_leads_in_, fitted.n_times_in_) == (2, 64)
        assert fitted.n_features_in_ == 128

    def test_names_of_features_of_a_frame(self, data):
        X, reports = data
        columns = [f"t{i}" for i in range(64)]
        frame = pd.DataFrame(X[:, 0], columns=columns)
        pretrainer = make(max_epochs=1).fit(frame, reports)
        assert pretrainer.feature_names_in_.tolist() == columns
        np.testing.assert_array_equal(
            pretrainer.transform(frame),
            make(max_epochs=1).fit_transform(frame, reports),
        )
        with pytest.raises(ValueError, match="feature names should match"):
            pretrainer.transform(frame.rename(columns={"t0": "other"}))
        pretrainer.fit(*data)
        assert not hasattr(pretrainer, "feature_names_in_")

    def test_of_different_lengths_there_are_fewer(self, data):
        X, reports = data
        pretrainer = make(max_epochs=1).fit(X, reports)
        pretrainer.fit([x[:, : 40 + i % 5] for i, x in enumerate(X)], reports)
        assert pretrainer.n_times_in_ is None
        assert not hasattr(pretrainer, "n_features_in_")

    def test_a_frame_comes_out_where_one_is_asked_for(self, data, fitted):
        X, reports = data
        frame = make(max_epochs=1).set_output(transform="pandas").fit(X, reports)
        found = frame.transform(X)
        assert found.columns.tolist() == [f"embedding{i}" for i in range(8)]
        assert found.shape == (48, 8)
        assert set(map(str, found.dtypes)) == {"float32"}
        frame.set_params(n_dims=3)  # what a next fit is told
        np.testing.assert_array_equal(frame.transform(X), found)

    def test_a_pickle_says_the_same(self, data, fitted):
        X, reports = data
        twin = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(twin.transform(X), fitted.transform(X))
        np.testing.assert_array_equal(
            twin.embed_text(reports), fitted.embed_text(reports)
        )
        assert repr(twin.history_) == repr(fitted.history_)

    def test_it_is_a_step_of_a_pipeline(self, data):
        X, reports = data
        pipe = make_pipeline(Standardize(), make(max_epochs=1)).fit(X, reports)
        own = make(max_epochs=1).fit(Standardize().fit_transform(X), reports)
        np.testing.assert_array_equal(
            pipe.transform(X), own.transform(Standardize().fit_transform(X))
        )


def test_the_distance_of_the_training_is_the_one_that_counts(data, fitted):
    X, reports = data
    twin = pickle.loads(pickle.dumps(fitted)).set_params(distance="cosine")
    expected = fitted.similarity(X, reports[:5])
    np.testing.assert_array_equal(twin.similarity(X, reports[:5]), expected)
    np.testing.assert_array_equal(twin.uncertainty(X), fitted.uncertainty(X))
    np.testing.assert_array_equal(
        twin.explain(X[:4], reports[0]), fitted.explain(X[:4], reports[0])
    )
