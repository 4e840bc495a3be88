import numpy as np
import pytest
import torch
from torch import nn

from sk_erts._network.normalisation import renewed_statistics
from tests.conftest import bumps

X, _, _ = bumps(40)
BATCHES = np.array_split(np.arange(40), 4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = [nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.Conv1d(3, 3, 3)]
    return nn.Sequential(*layers, nn.BatchNorm1d(3), nn.Dropout(0.5)).train()


def renew(network):
    with renewed_statistics(network) as renews, torch.no_grad():
        for index in BATCHES:
            network(torch.from_numpy(X[index]))
    return renews


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def assert_same(network, before):
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_statistics_are_the_average_over_the_batches(network):
    assert renew(network)
    with torch.no_grad():
        z = network[0](torch.from_numpy(X))  # (n, channels, times)
    batches = [z[index] for index in BATCHES]
    mean = torch.stack([batch.mean(dim=(0, 2)) for batch in batches]).mean(dim=0)
    var = torch.stack([batch.var(dim=(0, 2)) for batch in batches]).mean(dim=0)
    torch.testing.assert_close(network[1].running_mean, mean)
    torch.testing.assert_close(network[1].running_var, var)


def test_nothing_else_is_touched(network):
    before = state(network)
    network[4].eval()
    generator = torch.get_rng_state()
    renew(network)
    for name in ("0.weight", "1.weight", "1.bias"):
        assert torch.equal(network.state_dict()[name], before[name])
    assert [part.training for part in network] == [True] * 4 + [False]
    assert [network[i].momentum for i in (1, 3)] == [0.1, 0.1]
    assert torch.equal(torch.get_rng_state(), generator)


def test_frozen_layers_are_left_alone(network):
    network[1].eval()
    before = state(network)
    renew(network)
    assert torch.equal(network[1].running_mean, before["1.running_mean"])
    assert not torch.equal(network[3].running_mean, before["3.running_mean"])
    assert not network[1].training


def test_a_failure_puts_everything_back(network):
    before = state(network)

    def fail(layer, inputs, output):
        if layer.num_batches_tracked == 2:
            raise KeyboardInterrupt

    network[3].register_forward_hook(fail)
    with pytest.raises(KeyboardInterrupt):
        renew(network)
    assert_same(network, before)
    assert [network[i].momentum for i in (1, 3)] == [0.1, 0.1]


def test_networks_without_such_layers_are_told_apart():
    assert not renew(nn.Sequential(nn.Conv1d(2, 3, 3)))
