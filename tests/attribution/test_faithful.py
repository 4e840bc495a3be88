"""Are the maps true? On synthetic ECG, where the evidence is known."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.attribution import gradcam, randomise_weights
from sk_erts.datasets import make_ecg
from sk_erts.metrics import faithfulness, pointing_game
from sk_erts.models import ResNet1d

CLASSES = ("NORM", "PVC", "STE")


@pytest.fixture(scope="module")
def trained():
    """A network, new records with premature beats, their class, and the beats."""
    X, y = make_ecg(450, 2, duration_s=4, classes=CLASSES, random_state=0)
    clf = ERTSClassifier(
        ResNet1d,
        module__width=8,
        module__blocks=(1, 1),
        max_epochs=15,
        lr=5e-3,
        random_state=0,
        verbose=0,
    ).fit(X, y)
    X, y, evidence = make_ecg(
        150, 2, duration_s=4, classes=CLASSES, random_state=1, return_evidence=True
    )
    assert clf.score(X, y) > 0.9
    rows = y == "PVC"
    target = np.full(rows.sum(), clf.classes_.tolist().index("PVC"))
    return clf, X[rows], target, evidence.mask[rows]


def hits(maps, evidence):
    return float(np.mean(pointing_game(maps, evidence)))


def deletion_gain(clf, X, maps, target):
    areas = faithfulness(clf.predict_proba, X, maps, target, window=5, random_state=0)
    return float(areas["deletion_gain"].mean())


def test_maps_point_at_the_evidence_and_weights_by_chance_lose_it(trained):
    clf, X, target, evidence = trained
    network = clf.net_.module_
    chance = evidence.mean()

    learned = hits(gradcam(network, X, target), evidence)
    forgotten = [
        hits(gradcam(randomise_weights(network, seed), X, target), evidence)
        for seed in range(8)
    ]
    random = hits(np.random.default_rng(0).random(evidence.shape), evidence)

    assert random == pytest.approx(chance, abs=0.15)
    assert learned > random + 0.5
    assert learned > np.mean(forgotten) + 0.3


def test_the_network_misses_what_maps_point_at(trained):
    clf, X, target, _ = trained
    network = clf.net_.module_

    learned = deletion_gain(clf, X, gradcam(network, X, target), target)
    forgotten = [
        deletion_gain(
            clf, X, gradcam(randomise_weights(network, seed), X, target), target
        )
        for seed in range(3)
    ]
    random = np.random.default_rng(0).random((len(X), X.shape[2]))

    assert learned > deletion_gain(clf, X, random, target) + 0.2
    assert np.mean(forgotten) < learned / 2


class Scaled(nn.Module):
    """A layer with `reset_parameters`, and a parameter that has none."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 5)
        self.gain = nn.Parameter(torch.arange(40.0).reshape(8, 5))


@pytest.mark.parametrize("seed", [0, 3])
def test_layers_are_initialised_and_other_parameters_shuffled(seed):
    network = nn.Sequential(Scaled(), nn.Linear(5, 4))

    other = randomise_weights(network, seed)

    torch.manual_seed(seed)
    for layer, new in ((other[0].linear, nn.Linear(6, 5)), (other[1], nn.Linear(5, 4))):
        assert torch.equal(layer.weight, new.weight)
        assert torch.equal(layer.bias, new.bias)
    before, after = network[0].gain, other[0].gain
    assert after.shape == before.shape
    assert (after != before).any()
    assert torch.equal(after.flatten().sort().values, before.flatten())


def test_random_weights_are_others_each_time_and_the_network_stays():
    network = ResNet1d(2, 3, width=4)
    before = {k: v.clone() for k, v in network.state_dict().items()}

    first, again, second = (randomise_weights(network, seed) for seed in (0, 0, 1))

    assert all((v == before[k]).all() for k, v in network.state_dict().items())
    for name, value in first.named_parameters():
        same = dict(again.named_parameters())[name]
        other = dict(second.named_parameters())[name]
        assert (value == same).all()
        if "norm" not in name and value.ndim > 1:  # norms begin at one and zero
            assert (value != other).any()
            assert (value != before[name]).any()
