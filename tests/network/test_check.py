"""Networks that return probabilities in place of logits."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts._network.check import check_network
from sk_erts._network.network import Network
from sk_erts._records.records import Records
from sk_erts._records.training_set import TrainingSet
from sk_erts.exceptions import DoubtfulInputWarning
from tests.conftest import bumps

X, Y, _ = bumps(40)
ONE = Y
SEVERAL = np.eye(3, dtype=np.float32)[Y]


def linear(*behind):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(128, 3), *behind)


class Ends(nn.Module):
    """A network whose last operation is a function, and no layer."""

    def __init__(self, function):
        super().__init__()
        self.body = linear()
        self.function = function

    def forward(self, x):
        return self.function(self.body(x))


def check(module, codes):
    weights = np.ones(len(codes))
    training_set = TrainingSet(Records(X), np.arange(40), codes, weights)
    check_network(Network(module), training_set, 3)


@pytest.mark.parametrize("codes", [ONE, SEVERAL], ids=["one class", "several labels"])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (linear(nn.Softmax(dim=1)), "Sequential ends in softmax"),
        (linear(nn.Sigmoid()), "Sequential ends in sigmoid"),
        (Ends(lambda z: z.softmax(dim=1)), "Ends ends in softmax"),
        (Ends(torch.sigmoid), "Ends ends in sigmoid"),
        (Ends(lambda z: z.sigmoid().unsqueeze(1).squeeze(1)), "Ends ends in sigmoid"),
    ],
    ids=["Softmax", "Sigmoid", "softmax", "sigmoid", "behind views"],
)
def test_probabilities_are_refused(module, name, codes):
    applied = "softmax" if codes is ONE else "sigmoid"
    message = (
        f"{name}.* predict_proba apply {applied} themselves. Remove its last layer"
    )
    with pytest.raises(ValueError, match=message):
        check(module, codes)


def test_log_probabilities_of_one_class_are_told_and_of_several_labels_refused():
    module = linear(nn.LogSoftmax(dim=1))
    with pytest.warns(DoubtfulInputWarning, match="log-softmax.* changes nothing"):
        check(module, ONE)
    with pytest.raises(ValueError, match="ends in log-softmax"):
        check(module, SEVERAL)


@pytest.mark.parametrize("codes", [ONE, SEVERAL], ids=["one class", "several labels"])
@pytest.mark.parametrize(
    "function",
    [
        lambda z: z,
        lambda z: 0 * z,  # a head that begins with zeros
        lambda z: 0 * z + 0.5,
        lambda z: z.sigmoid() * 1.0,  # a gate: values alone prove nothing
        lambda z: z.clamp(0, 1),
        lambda z: -z.abs(),
    ],
)
def test_logits_are_taken_for_logits(function, codes):
    check(Ends(function), codes)


def test_a_sigmoid_inside_is_none_at_the_end():
    check(nn.Sequential(linear(nn.Sigmoid()), nn.Linear(3, 3)), ONE)


def test_the_network_is_left_as_found():
    module = linear(nn.Dropout(), nn.Sigmoid())
    with pytest.raises(ValueError, match="sigmoid"):
        check(module, ONE)
    assert module.training
    assert all(p.grad is None for p in module.parameters())
