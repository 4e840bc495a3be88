"""From pairs to few labels: a classifier that begins where the encoder ended."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._training.build import resolve_module
from sk_erts.models import FCN1d, PooledLinear, Pretrained
from sk_erts.pretraining import ECGTextPretrainer
from tests.pretraining.conftest import OF_NETWORK, pairs

X, REPORTS = pairs()
Y = np.array(["low", "none", "high"])[
    [0 if "low" in r else 1 if "No" in r else 2 for r in REPORTS]
]
QUICK = {"max_epochs": 2, "batch_size": 16, "random_state": 0, "verbose": 0}


class Own(nn.Module):
    """A network of the user's own, that asks for all there is to know."""

    def __init__(self, n_leads, n_times, n_classes, width=4):
        super().__init__()
        self.n_times = n_times
        self.features = nn.Conv1d(n_leads, width, 3)
        self.head = PooledLinear(width, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


def features_of(network):
    """Return what a network sees in the records."""
    network = copy.deepcopy(network).eval()
    with torch.no_grad():
        return network.features(torch.from_numpy(X)).numpy()


def start_of(clf):
    """Return the network that a fit of a classifier begins with."""
    told = {"n_leads": 2, "n_times": 64, "n_classes": 3}
    module, params = resolve_module(clf.module, {}, told)
    return module(**params)


def test_it_begins_with_the_encoder_and_a_last_layer_of_its_own(fitted):
    clf = fitted.to_classifier(**QUICK)
    assert isinstance(clf, ERTSClassifier)
    assert isinstance(clf.module, Pretrained)
    assert (clf.max_epochs, clf.batch_size) == (2, 16)
    network = start_of(clf)
    seen = features_of(fitted.net_.module_)
    np.testing.assert_array_equal(features_of(network), seen)
    assert network.head.linear.weight.shape[0] == 3
    assert fitted.net_.module_.head.linear.weight.shape[0] == 16


def test_so_does_each_fit(fitted):
    """A step of no length shows where it began."""
    params = QUICK | {"optimizer": torch.optim.SGD, "lr": 1e-30}
    clf = fitted.to_classifier(**params).fit(X, Y)
    for name, own in clf.net_.module_.features.named_parameters():
        assert torch.equal(own, fitted.net_.module_.features.get_parameter(name))


def test_training_moves_it_and_not_the_encoder(fitted):
    seen = features_of(fitted.net_.module_)
    embedded = fitted.transform(X)
    clf = fitted.to_classifier(**QUICK).fit(X, Y)
    assert np.abs(features_of(clf.net_.module_) - seen).max() > 1e-3
    np.testing.assert_array_equal(features_of(clf.module.network), seen)
    np.testing.assert_array_equal(fitted.transform(X), embedded)


def test_frozen_features_are_left(fitted):
    clf = fitted.to_classifier(freeze="features", **QUICK).fit(X, Y)
    seen = features_of(fitted.net_.module_)
    np.testing.assert_array_equal(features_of(clf.net_.module_), seen)
    begun = start_of(clf).head.linear.weight
    assert not torch.equal(clf.net_.module_.head.linear.weight, begun)
    with pytest.raises(ValueError, match="freeze|feature"):
        fitted.to_classifier(freeze="feature", **QUICK).fit(X, Y)


def test_each_candidate_and_fold_begins_anew(fitted):
    clf = fitted.to_classifier(**QUICK)
    scores = cross_val_score(clf, X, Y, cv=2, scoring="neg_log_loss")
    again = cross_val_score(clf, X, Y, cv=2, scoring="neg_log_loss")
    np.testing.assert_array_equal(scores, again)
    search = GridSearchCV(clf, {"lr": [1e-3, 1e-2]}, cv=2, scoring="neg_log_loss")
    found = search.fit(X, Y).cv_results_
    for i in range(2):
        np.testing.assert_array_equal(found[f"split{i}_test_score"][0], scores[i])
    alone = clone(clf).set_params(**search.best_params_).fit(X, Y)
    np.testing.assert_array_equal(
        search.best_estimator_.predict_proba(X), alone.predict_proba(X)
    )
    seen = features_of(fitted.net_.module_)
    np.testing.assert_array_equal(features_of(clf.module.network), seen)


def test_what_is_read_is_what_was_saved(fitted, tmp_path):
    clf = fitted.to_classifier(freeze="features", **QUICK).fit(X, Y)
    clf.save(tmp_path / "c")
    other = ERTSClassifier.load(tmp_path / "c")
    for ask in ("predict_proba", "explain"):
        np.testing.assert_array_equal(getattr(other, ask)(X), getattr(clf, ask)(X))
    assert isinstance(other.module, Pretrained)
    assert other.module.freeze == "features"


def test_a_fit_after_loading_begins_with_the_encoder_too(fitted, tmp_path):
    clf = fitted.to_classifier(freeze="features", **QUICK).fit(X, Y)
    clf.save(tmp_path / "c")
    other = ERTSClassifier.load(tmp_path / "c").fit(X, Y)
    np.testing.assert_array_equal(other.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("name", ["module", "module__width"])
def test_it_takes_no_other_network(fitted, name):
    message = f"has the network of ECGTextPretrainer, and takes no '{name}'"
    with pytest.raises(ValueError, match=message):
        fitted.to_classifier(**{name: 3})


def test_a_misspelt_parameter_is_told(fitted):
    with pytest.raises(ValueError, match="Did you mean 'max_epochs'"):
        fitted.to_classifier(max_epoch=3).fit(X, Y)


class TestANetworkOfOnesOwn:
    @pytest.mark.parametrize("params", [{}, {"module__width": 6}])
    def test_as_a_class(self, params):
        pretrainer = ECGTextPretrainer(Own, **OF_NETWORK, **params).fit(X, REPORTS)
        clf = pretrainer.to_classifier(freeze="features", **QUICK).fit(X, Y)
        seen = features_of(pretrainer.net_.module_)
        np.testing.assert_array_equal(features_of(clf.net_.module_), seen)
        assert clf.net_.module_.n_times == 64
        assert clf.predict_proba(X).shape == (48, 3)

    def test_as_an_instance_of_a_registered_one(self):
        network = FCN1d(n_leads=2, n_classes=16, width=4)
        pretrainer = ECGTextPretrainer(network, **OF_NETWORK).fit(X, REPORTS)
        clf = pretrainer.to_classifier(freeze="features", **QUICK).fit(X, Y)
        seen = features_of(pretrainer.net_.module_)
        np.testing.assert_array_equal(features_of(clf.net_.module_), seen)

    def test_as_an_instance_it_cannot_be_made_again(self):
        network = Own(2, 64, 16)
        pretrainer = ECGTextPretrainer(network, **OF_NETWORK).fit(X, REPORTS)
        message = "an instance of Own: give the class, and 'module__"
        with pytest.raises(ValueError, match=message):
            pretrainer.to_classifier()


def test_records_of_other_leads_and_length(fitted):
    """Few labels may come from another device."""
    clf = fitted.to_classifier(**QUICK).fit(X[:, :1, :50], Y)
    assert clf.predict(X[:, :1, :50]).shape == (48,)
    start = clf.module(n_leads=1, n_classes=3)
    kept = fitted.net_.module_.state_dict()
    same = [
        name
        for name, own in start.state_dict().items()
        if own.shape == kept[name].shape
    ]
    assert len(same) == len(kept) - 3  # what reads leads; weight and bias of the head
    assert all(torch.equal(start.state_dict()[name], kept[name]) for name in same)
