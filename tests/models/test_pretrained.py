"""A network that begins where another one ended."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.models import PooledLinear, Pretrained, ResNet1d
from sk_erts.models._registry import MODELS
from tests.conftest import bumps
from tests.models.tiny import make_tiny


class Own(nn.Module):
    def __init__(self, n_leads, n_classes, width=4):
        super().__init__()
        self.features = nn.Conv1d(n_leads, width, 3)
        self.head = PooledLinear(width, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


@pytest.fixture
def trained():
    torch.manual_seed(0)
    network = ResNet1d(n_leads=2, n_classes=5, width=4, blocks=(1, 1))
    network(torch.randn(16, 2, 64) + 3)  # statistics unlike those of a new layer
    return network


def differing(one, other):
    """Return the names of tensors that one has and the other has not so."""
    state = other.state_dict()
    return {
        name
        for name, value in one.state_dict().items()
        if name not in state or not torch.equal(value, state[name])
    }


@pytest.mark.parametrize("name", MODELS)
def test_of_any_registered_network_all_begins_but_the_last_layer(name):
    torch.manual_seed(0)
    network = make_tiny(name, n_leads=2, n_classes=5)
    found = Pretrained(network)(n_leads=2, n_classes=3)
    assert type(found) is type(network)
    shapes = {k: v.shape for k, v in network.state_dict().items()}
    other = {k for k, v in found.state_dict().items() if v.shape != shapes[k]}
    assert other == differing(found, network)
    assert other
    with torch.no_grad():
        assert found.eval()(torch.zeros(2, 2, 200)).shape[1:] == (3,)


def test_features_are_those_of_the_trained_one(trained):
    found = Pretrained(trained)(n_leads=2, n_classes=3).eval()
    x = torch.randn(3, 2, 64)
    assert torch.equal(found.features(x), trained.eval().features(x))
    assert found.head.linear.weight.shape[0] == 3


def test_with_as_many_classes_it_is_the_whole_network(trained):
    assert not differing(Pretrained(trained)(n_leads=2, n_classes=5), trained)


def test_of_other_leads_what_reads_them_begins_anew(trained):
    found = Pretrained(trained)(n_leads=3, n_classes=5)
    assert differing(found, trained) == {"features.0.weight"}


def test_each_is_another_one_and_the_trained_one_stays(trained):
    before = copy.deepcopy(trained)
    make = Pretrained(trained)
    one, other = (make(n_leads=2, n_classes=5) for _ in range(2))
    with torch.no_grad():
        for value in one.parameters():
            value.add_(1)
    assert not differing(trained, before)
    assert not differing(other, trained)


def test_what_is_frozen_is_left_by_a_training(trained):
    found = Pretrained(trained, freeze="features")(n_leads=2, n_classes=3)
    asks = {name for name, own in found.named_parameters() if own.requires_grad}
    assert asks == {"head.linear.weight", "head.linear.bias"}
    found.train()
    found(torch.randn(4, 2, 64))
    assert differing(found, trained) == asks


def test_what_did_not_fit_is_not_frozen(trained):
    found = Pretrained(trained, freeze="features")(n_leads=3, n_classes=3)
    assert found.features[0].weight.requires_grad


@pytest.mark.parametrize("freeze", ["feature", ["head", "nowhere"], []])
def test_what_there_is_not_cannot_be_frozen(trained, freeze):
    with pytest.raises(ValueError, match="'freeze' parameter of Pretrained"):
        Pretrained(trained, freeze=freeze)(n_leads=2, n_classes=3)


def test_a_network_of_ones_own_is_made_by_its_class():
    network = Own(2, 5, width=6)
    make = Pretrained(network, make=partial(Own, width=6))
    found = make(n_leads=2, n_classes=3)
    assert differing(found, network) == {"head.linear.weight", "head.linear.bias"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((Own(2, 5),), "'make' .* must be given .* such as make=Own. Got None"),
        ((ResNet1d,), "'network' .* must be a Module that was trained. Got ResNet1d"),
        (("resnet1d",), "'network' .* Got str instead"),
        ((None,), "'network' .* Got NoneType instead"),
    ],
)
def test_what_cannot_be_made_is_refused(args, message):
    with pytest.raises(ValueError, match=message):
        Pretrained(*args)


def test_nothing_that_fits(trained):
    def make(n_leads, n_classes):
        return nn.Linear(n_leads, n_classes)

    with pytest.raises(ValueError, match="have tensors that fit the Linear made here"):
        Pretrained(trained, make=make)(n_leads=2, n_classes=3)


def test_copies_make_the_same(trained):
    make = Pretrained(trained, freeze="features")
    for twin in (copy.deepcopy(make), pickle.loads(pickle.dumps(make))):
        found = twin(n_leads=2, n_classes=5)
        assert not differing(found, trained)
        assert not found.features[0].weight.requires_grad
    assert repr(make) == "Pretrained(ResNet1d, freeze='features')"
    assert repr(Pretrained(trained)) == "Pretrained(ResNet1d)"


def test_a_classifier_begins_with_it(trained):
    X, y, _ = bumps(40)
    clf = ERTSClassifier(
        Pretrained(trained, "features"), max_epochs=1, random_state=0, verbose=0
    )
    for each in (clf, clone(clf)):
        network = each.fit(X, y).net_.module_
        assert differing(network.features, trained.features) == set()
        assert differing(network, trained) == {"head.linear.weight", "head.linear.bias"}
    once = clf.predict_proba(X)
    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), once)
