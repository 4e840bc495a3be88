import numpy as np
import pytest
import torch
from torch import nn

from sk_erts.models import ResNet1d, get_model


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
        ({"width": 0}, "'width' .* of ResNet1d must be an int of at least 1. Got 0"),
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
