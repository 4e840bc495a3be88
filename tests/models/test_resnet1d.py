import numpy as np
import pytest
import torch
from torch import nn

import sk_erts.models
from sk_erts.models import ResNet1d, get_model
from sk_erts.models._registry import MODELS


def test_completeness__every_public_network_is_registered():
    public = {
        value
        for value in vars(sk_erts.models).values()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__name__ != "PooledLinear"
    }
    assert set(MODELS.values()) == public


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
class TestContract:
    @pytest.mark.parametrize("n_leads", [1, 2, 12, 15])
    @pytest.mark.parametrize("n_times", [1, 2, 17, 250])
    def test_any_number_of_leads_and_times(self, model, n_leads, n_times):
        network = model(n_leads=n_leads, n_classes=3, width=4)
        assert network(torch.randn(2, n_leads, n_times)).shape == (2, 3)

    def test_head_of_features_is_forward(self, model):
        network = model(n_leads=2, n_classes=3, width=4).eval()
        x = torch.randn(4, 2, 100)
        torch.testing.assert_close(network.head(network.features(x)), network(x))

    def test_no_layer_works_in_place(self, model):
        network = model(n_leads=2, n_classes=3, width=4)
        assert not any(getattr(part, "inplace", False) for part in network.modules())
        x = torch.randn(4, 2, 100)
        before = x.clone()
        network(x)
        assert torch.equal(x, before)

    def test_every_parameter_gets_a_gradient(self, model):
        network = model(n_leads=2, n_classes=3, width=4)
        network(torch.randn(4, 2, 100)).square().sum().backward()
        assert all(p.grad.abs().sum() > 0 for p in network.parameters())


def test_default_size_is_the_one_measured():
    n = sum(p.numel() for p in ResNet1d(n_leads=12, n_classes=5).parameters())
    assert 2.1e6 < n < 2.3e6


def test_a_residual_block_without_convolutions_passes_its_input_on():
    block = ResNet1d(1, 2, width=4, blocks=(1,)).features[-1].eval()
    for norm in (block.norm1, block.norm2):
        nn.init.zeros_(norm.weight)
    x = torch.rand(2, 4, 30)
    torch.testing.assert_close(block(x), x)


def test_features_have_one_step_in_two_per_stage():
    network = ResNet1d(1, 2, width=4, blocks=(1, 1, 1))
    lengths = [network.features(torch.zeros(2, 1, n)).shape[-1] for n in (64, 65, 1000)]
    assert lengths == [int(np.ceil(n / 8)) for n in (64, 65, 1000)]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"width": 0}, "'width' parameter of ResNet1d must be at least 1. Got 0"),
        ({"kernel_size": 4}, "'kernel_size' .* must be odd"),
        ({"blocks": ()}, "'blocks' .* at least one stage"),
        ({"blocks": (1, 0)}, "'blocks' .* at least one stage"),
    ],
)
def test_wrong_sizes_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        ResNet1d(n_leads=1, n_classes=2, **params)


def test_a_misspelt_network_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'resnet1d'"):
        get_model("resnet")
