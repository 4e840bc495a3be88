import pytest
import torch
from torch import nn

from sk_erts.models import ResNet1d, ResNet1d18, ResNet1d34, get_model


@pytest.mark.parametrize(
    ("network", "n_layers", "millions"), [(ResNet1d18, 18, 8.7), (ResNet1d34, 34, 16.6)]
)
def test_layers_and_size_are_those_of_their_name(network, n_layers, millions):
    made = network(n_leads=12, n_classes=5)
    on_the_way = [
        name
        for name, part in made.named_modules()
        if isinstance(part, nn.Conv1d | nn.Linear) and "shortcut" not in name
    ]
    assert len(on_the_way) == n_layers
    assert made.features[0].out_channels == 64
    assert made.head.linear.in_features == 512
    n = sum(p.numel() for p in made.parameters())
    assert round(n / 1e6, 1) == millions


def test_a_preset_is_a_residual_network_of_these_blocks():
    torch.manual_seed(0)
    preset = get_model("resnet1d34")(2, 3, width=4, kernel_size=5).eval()
    torch.manual_seed(0)
    spelt_out = ResNet1d(2, 3, 4, (3, 4, 6, 3), 5).eval()
    x = torch.randn(2, 2, 100)
    assert torch.equal(preset(x), spelt_out(x))
