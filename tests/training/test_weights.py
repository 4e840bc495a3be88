"""Trained classifiers, out to files and in."""

import copy
import functools
import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.exceptions import DoubtfulInputWarning, WeightsError
from sk_erts.models import PooledLinear, ResNet1d, load_weights, save_weights
from sk_erts.models._registry import MODELS
from sk_erts.plotting import SelectionDisplay
from sk_erts.quality import SignalQuality
from sk_erts.selection import Reliability
from tests.conftest import bumps
from tests.models.tiny import TINY

X, CODES, _ = bumps(48)
NAMES = np.array(["AFIB", "NORM", "PVC"])[CODES]
NEW, NEW_CODES, _ = bumps(40, seed=1)
LOST = [
    "history_",
    "kept_counts_",
    "effective_epochs_",
    "scoring_passes_",
    "fit_time_s_",
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.safetensors"


SMALL = {"module__width": 4, "module__blocks": (1, 1)}


@functools.cache
def usual():
    return fitted(max_epochs=3)


def fitted(X=X, y=NAMES, **params):
    if not params and X is globals()["X"] and y is NAMES:
        return copy.deepcopy(usual())
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0}
    network = {} if "module" in params else SMALL
    return ERTSClassifier(**settings | network | params, verbose=0).fit(X, y)


def rewritten(path, **changes):
    """Write the same tensors with other text about them."""
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    about = {**json.loads(told["about"]), **changes}
    save_file(load_file(path), path, metadata={**told, "about": json.dumps(about)})


def about_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["about"])


class Told:
    """A collection that tells frequency and leads."""

    def __init__(self, X, fs, lead_names):
        self.X, self.fs, self.lead_names = X, fs, lead_names

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i]


class Own(nn.Module):
    """A network of a user."""

    def __init__(self, n_leads, n_classes, width=4):
        super().__init__()
        self.features = nn.Conv1d(n_leads, width, 3)
        self.head = PooledLinear(width, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


def assert_alike(one, other, X=NEW):
    assert np.array_equal(one.predict_proba(X), other.predict_proba(X))
    assert np.array_equal(one.predict(X), other.predict(X))
    assert one.predict(X).dtype == other.predict(X).dtype
    for method in ("gradcam", "input_x_gradient"):
        assert np.array_equal(one.explain(X, method), other.explain(X, method))
    assert one.classes_.dtype == other.classes_.dtype
    assert np.array_equal(one.classes_, other.classes_)
    for name in ("n_leads_in_", "n_times_in_", "n_features_in_", "temperature_"):
        assert getattr(one, name) == getattr(other, name)


class TestAlike:
    @pytest.mark.parametrize("name", MODELS)
    def test_every_network_predicts_and_explains_to_the_bit(self, name, path):
        params = {f"module__{key}": value for key, value in TINY[name].items()}
        clf = fitted(module=name, max_epochs=1, **params)
        clf.save_weights(path)
        back = ERTSClassifier(name, verbose=0).load_weights(path)
        assert_alike(clf, back, NEW[:8])
        assert back.get_params()["module__" + next(iter(TINY[name]))] is not None

    @pytest.mark.parametrize(
        "labels",
        [
            NAMES,
            CODES,
            CODES - 1.0,
            NAMES.astype(object),
            CODES == 1,
            np.array(["é", "", "ü\n"])[CODES],
            CODES.astype(np.int8),
        ],
    )
    def test_classes_are_what_they_were(self, labels, path):
        clf = fitted(y=labels, max_epochs=1)
        clf.save_weights(path)
        assert_alike(clf, ERTSClassifier(verbose=0).load_weights(path))

    def test_several_labels(self, path):
        y = pd.DataFrame({"MI": CODES > 0, "AFIB": CODES == 2}).astype(int)
        clf = fitted(y=y)
        clf.save_weights(path)
        assert about_of(path)["task"] == "several labels"
        back = ERTSClassifier(verbose=0).load_weights(path)
        assert_alike(clf, back)
        assert back.predict(NEW).shape == (40, 2)

    def test_temperature_and_thresholds(self, path):
        asked = {"temperature": True, "sensitivity": {"PVC": 0.9}}
        clf = fitted(**{f"calibration__{key}": value for key, value in asked.items()})
        assert clf.temperature_ != 1
        clf.save_weights(path)
        back = ERTSClassifier(verbose=0).load_weights(path)
        assert_alike(clf, back)
        np.testing.assert_array_equal(back.thresholds_, clf.thresholds_)

    def test_records_of_different_lengths(self, path):
        ragged = [x[:, : 64 - k % 5] for k, x in enumerate(X)]
        clf = fitted(X=ragged)
        clf.save_weights(path)
        back = ERTSClassifier(verbose=0).load_weights(path)
        assert back.n_times_in_ is None
        assert not hasattr(back, "n_features_in_")
        assert np.array_equal(back.predict_proba(ragged), clf.predict_proba(ragged))

    @pytest.mark.parametrize(
        "module", [Own, Own(2, 3), lambda n_leads: Own(n_leads, 3)]
    )
    def test_a_network_of_a_user(self, module, path):
        clf = fitted(module=module)
        clf.save_weights(path)
        assert_alike(clf, ERTSClassifier(module, verbose=0).load_weights(path))

    def test_an_instance_of_a_registered_network_goes_on_as_a_name(self, path):
        clf = fitted(module=ResNet1d(2, 3, width=4, blocks=(1, 1)))
        clf.save_weights(path)
        back = ERTSClassifier(ResNet1d, verbose=0).load_weights(path)
        assert_alike(clf, back)
        assert back.get_params()["module__blocks"] == (1, 1)

    def test_copies_of_it(self, path):
        clf = fitted()
        clf.save_weights(path)
        back = ERTSClassifier(verbose=0).load_weights(path)
        assert_alike(clf, copy.deepcopy(back))
        assert_alike(clf, pickle.loads(pickle.dumps(back)))
        assert not hasattr(clone(back), "net_")

    def test_what_it_wrote_it_writes_again(self, path, tmp_path):
        clf = fitted()
        clf.save_weights(path)
        back = ERTSClassifier(verbose=0).load_weights(path)
        back.save_weights(tmp_path / "again.safetensors")
        one, two = about_of(path), about_of(tmp_path / "again.safetensors")
        assert one.pop("n_epochs") == 3
        two.pop("n_epochs")
        assert one == two

    def test_generators_of_others_are_left_alone(self, path):
        clf = fitted()
        clf.save_weights(path)
        before = torch.get_rng_state()
        ERTSClassifier(verbose=0).load_weights(path)
        assert torch.equal(torch.get_rng_state(), before)


class TestWhatItWasTrainedOn:
    @pytest.fixture
    def clf(self):
        return fitted(X=Told(X, lead_names=("V1", "ii"), fs=250))

    @pytest.fixture
    def told(self, clf, path):
        clf.save_weights(path)
        return ERTSClassifier(verbose=0).load_weights(path)

    def test_the_file_tells_it(self, clf, told, path):
        about = about_of(path)
        assert about["leads"] == ["V1", "II"]
        assert about["fs"] == 250
        assert about["unit"] == "mV"
        assert about["n_times"] == 64
        assert about["classes"] == ["AFIB", "NORM", "PVC"]
        assert told._seen == clf._seen

    def test_the_network_alone_can_be_trained_elsewhere(self, told, path):
        network = load_weights(path)
        state = told.net_.module_.state_dict()
        assert all(
            torch.equal(own, state[k]) for k, own in network.state_dict().items()
        )

    @pytest.mark.parametrize(
        ("new", "message"),
        [
            (Told(NEW, lead_names=("II", "V1"), fs=250), "has the leads II, V1"),
            (Told(NEW, lead_names=("V1", "II"), fs=500), "sampled at 500 Hz"),
            (1000 * NEW, "X / 1000 if X is in microvolts"),
        ],
    )
    def test_other_records_are_named(self, told, new, message):
        with pytest.warns(DoubtfulInputWarning, match=message):
            told.predict(new)

    def test_another_shape_is_refused(self, told):
        message = (
            r"120 features, but ERTSClassifier is expecting 128 .*: ERTSClassifier was "
            r"fitted on .* \(2, 64\), and X holds \(2, 60\)"
        )
        with pytest.raises(ValueError, match=message):
            told.predict(NEW[..., :60])
        with pytest.raises(ValueError, match="transpose"):
            told.predict(NEW.transpose(0, 2, 1))

    def test_columns_of_a_data_frame(self, path):
        columns = [f"t{k}" for k in range(64)]
        frame = pd.DataFrame(X[:, 0], columns=columns)
        clf = fitted(X=frame)
        clf.save_weights(path)
        back = ERTSClassifier(verbose=0).load_weights(path)
        assert np.array_equal(back.predict_proba(frame), clf.predict_proba(frame))
        with pytest.raises(ValueError, match="feature names"):
            back.predict(frame.rename(columns={"t3": "other"}))


class TestWithoutAHistory:
    @pytest.fixture
    def back(self, path):
        fitted().save_weights(path)
        return ERTSClassifier(verbose=0).load_weights(path)

    @pytest.mark.parametrize("name", LOST)
    def test_what_was_of_the_training_is_said_not_to_be_there(self, back, name):
        check_is_fitted(back)
        assert not hasattr(back, name)
        with pytest.raises(AttributeError, match=rf"w\.safetensors.*'{name}' only aft"):
            getattr(back, name)

    def test_a_history_of_a_selection_cannot_be_asked(self, back):
        with pytest.raises(AttributeError, match=r"w\.safetensors.*no 'status'"):
            _ = back.selection_.status
        with pytest.raises(AttributeError, match="no history of a selection"):
            SelectionDisplay.from_estimator(back)

    def test_other_attributes_are_missing_as_ever(self, back):
        for clf in (back, ERTSClassifier()):
            with pytest.raises(AttributeError, match="no attribute 'histroy_'"):
                _ = clf.histroy_
        with pytest.raises(AttributeError, match="no attribute 'history_'"):
            _ = ERTSClassifier().history_

    def test_it_goes_when_there_is_one(self, path):
        clf = fitted()
        clf.save_weights(path)
        assert len(clf.history_) == 3
        clf.load_weights(path)
        assert not hasattr(clf, "history_")
        clf.fit(X, NAMES)
        assert len(clf.history_) == 3
        assert clf.selection_.status.shape == (3, 48)

    @pytest.mark.parametrize("focus", ["auto", "support", "reliability", "top_mass"])
    def test_records_are_scored_by_the_network_as_it_is(self, path, focus):
        clf = fitted(focus=focus)
        clf.save_weights(path)
        back = ERTSClassifier(focus=focus, verbose=0).load_weights(path)
        labels = np.array(["AFIB", "NORM", "PVC"])[NEW_CODES]
        expected = clf.focus_score(NEW, labels)
        assert np.array_equal(back.focus_score(NEW, labels), expected)
        assert np.ptp(expected) > 0

    def test_records_are_audited_by_the_network_as_it_is(self, path):
        clf = fitted()
        clf.save_weights(path)
        back = ERTSClassifier(verbose=0).load_weights(path)
        labels = np.array(["AFIB", "NORM", "PVC"])[NEW_CODES]
        pd.testing.assert_frame_equal(
            back.audit(NEW, labels, evidence=True),
            clf.audit(NEW, labels, evidence=True),
        )
        assert set(back.audit(X, NAMES)["source"]) == {"network"}

    def test_signals_that_are_not_there_are_not_judged_by(self, path):
        focus = Reliability(SignalQuality(fs=100))
        fitted().save_weights(path)
        back = ERTSClassifier(focus=focus, verbose=0).load_weights(path)
        with pytest.raises(AttributeError, match="no quality of the signals of fit"):
            back.focus_score(NEW)


class TestGoingOn:
    def test_a_warm_start_goes_on_from_the_weights(self, path):
        clf = fitted(max_epochs=8)
        clf.save_weights(path)
        params = {"max_epochs": 1, "lr": 1e-9, "verbose": 0, "random_state": 0}
        back = ERTSClassifier(warm_start=True, **params).load_weights(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DoubtfulInputWarning)
            back.fit(X, NAMES)
        weights, before = (
            own.net_.module_.head.linear.weight.detach() for own in (back, clf)
        )
        torch.testing.assert_close(weights, before, atol=1e-6, rtol=0)
        assert len(back.history_) == 1

    def test_without_it_fit_begins_anew(self, path):
        clf = fitted(max_epochs=8)
        clf.save_weights(path)
        params = {"max_epochs": 1, "lr": 1e-9, "verbose": 0, "random_state": 1}
        back = ERTSClassifier(**params).load_weights(path).fit(X, NAMES)
        weights, before = (
            own.net_.module_.head.linear.weight.detach() for own in (back, clf)
        )
        assert not torch.allclose(weights, before, atol=1e-2)

    def test_other_classes_are_refused(self, path):
        fitted().save_weights(path)
        back = ERTSClassifier(warm_start=True, verbose=0).load_weights(path)
        with pytest.raises(ValueError, match="classes of the first fit.*AFIB"):
            back.fit(X, CODES)


class TestRefused:
    def test_an_unfitted_classifier_has_nothing_to_write(self, path):
        with pytest.raises(ValueError, match="not fitted"):
            ERTSClassifier().save_weights(path)
        assert not path.exists()

    @pytest.mark.parametrize(
        "module", ["fcn1d", MODELS["fcn1d"], MODELS["fcn1d"](2, 3)]
    )
    def test_another_network_is_named_beside_that_of_the_file(self, module, path):
        fitted().save_weights(path)
        message = r"w\.safetensors holds .*'resnet1d'; .* is 'fcn1d'.*\('resnet1d'\)"
        with pytest.raises(WeightsError, match=message):
            ERTSClassifier(module).load_weights(path)

    def test_a_network_of_a_user_is_another_one(self, path):
        fitted(module=Own).save_weights(path)
        message = r"'tests\.training\.test_weights\.Own'; .* is 'resnet1d'\."
        with pytest.raises(WeightsError, match=message):
            ERTSClassifier().load_weights(path)

    def test_other_parameters_are_named(self, path):
        fitted().save_weights(path)
        message = "with width=4; ERTSClassifier has module__width=8"
        with pytest.raises(WeightsError, match=message):
            ERTSClassifier(module__width=8).load_weights(path)

    def test_the_same_parameters_are_not(self, path):
        clf = fitted()
        clf.save_weights(path)
        back = ERTSClassifier(module__width=4, module__blocks=[1, 1], verbose=0)
        assert_alike(clf, back.load_weights(path))

    def test_other_shapes_of_a_users_network_are_told(self, path):
        fitted(module=Own).save_weights(path)
        message = r"features\.weight: \(4, 2, 3\) in the file, \(8, 2, 3\) here"
        with pytest.raises(WeightsError, match=message):
            ERTSClassifier(Own, module__width=8).load_weights(path)

    def test_what_a_refused_file_leaves_is_what_was_there(self, path):
        clf = fitted()
        expected, params = clf.predict_proba(NEW), clf.get_params()
        fitted(module=Own).save_weights(path)
        with pytest.raises(WeightsError):
            clf.load_weights(path)
        assert np.array_equal(clf.predict_proba(NEW), expected)
        assert clf.get_params() == params
        assert len(clf.history_) == 3

    def test_a_network_alone_is_no_classifier(self, path):
        save_weights(ResNet1d(2, 3), path)
        message = r"w\.safetensors .* not what a classifier knows.*models\.load_weights"
        with pytest.raises(WeightsError, match=message):
            ERTSClassifier().load_weights(path)

    def test_a_damaged_file_is_named(self, path):
        fitted().save_weights(path)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(WeightsError, match=r"w\.safetensors is no whole file"):
            ERTSClassifier().load_weights(path)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"blocks": [1, 2**31]},
            {"width": 2**20},
            {"name": "a"},
            {"width": "wide"},
            {"blocks": {"a": 1}},
        ],
        ids=str,
    )
    def test_a_network_that_cannot_be_is_refused_at_once(self, path, parameters):
        fitted().save_weights(path)
        with safe_open(path, framework="pt") as file:
            told = file.metadata()
        own = json.loads(told["parameters"]) | parameters
        told |= {"parameters": json.dumps(own)}
        save_file(load_file(path), path, metadata=told)
        for read in (load_weights, ERTSClassifier(verbose=0).load_weights):
            with pytest.raises(WeightsError, match=r"w\.safetensors"):
                read(path)

    def test_classes_that_are_no_text_are_refused(self, path):
        clf = fitted()
        clf._trained.task.classes = np.array([(1,), (2,), 3], dtype=object)
        with pytest.raises(ValueError, match=r"classes .* Got \[\(1,\), \(2,\)\]"):
            clf.save_weights(path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"task": "regression"}, "'task' of .* Got 'regression'"),
            ({"unit": "uV"}, "'unit' of .* must be 'mV'. Got 'uV'"),
            ({"classes": ["a", "b"]}, "head.linear.weight: .* in the file"),
            ({"classes": ["a", "b", "b"]}, "'classes' of .* differ"),
            ({"classes": ["a", ["b"], "c"]}, "'classes'"),
            ({"classes": ["abcdef", "b", "c"]}, "'classes' of .* '<U4'"),
            ({"classes_dtype": "V8"}, "'classes'"),
            ({"classes_dtype": "what"}, "'classes_dtype' of .* Got 'what'"),
            ({"temperature": 0}, "'temperature' of .* above 0"),
            ({"temperature": "hot"}, "'temperature' of .* type float. Got 'hot'"),
            ({"thresholds": [0.5]}, "'thresholds' of .* each of 3 classes"),
            ({"thresholds": ["a", 1, 1]}, "'thresholds' of .* hold numbers"),
            ({"n_leads": 0}, "'n_leads' of .* at least 1"),
            ({"n_leads": True}, "'n_leads' of .* type int. Got True"),
            ({"n_times": "64"}, "'n_times' of .* type int. Got '64'"),
            ({"leads": ["I"]}, "'leads' of .* name 2 leads"),
            ({"fs": "fast"}, "'fs' of .* type float"),
            ({"classes_dtype": "a"}, "'classes_dtype' of .* Got 'a'"),
            ({"n_times": 2**40}, "'n_times' of .* at most 268435456 values"),
        ],
    )
    def test_what_a_file_tells_is_looked_at(self, path, changes, message):
        fitted().save_weights(path)
        rewritten(path, **changes)
        with pytest.raises(WeightsError, match=message) as told:
            ERTSClassifier(verbose=0).load_weights(path)
        assert str(path) in str(told.value)
