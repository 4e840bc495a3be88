import pytest
import torch

from sk_erts.models import EfficientNetV2S_1d
from sk_erts.models._efficientnetv2 import _SqueezeExcitation
from sk_erts.models._layers import Residual


def blocks_of(network):
    blocks = list(network.features)[1:-1]
    return [each.inner if isinstance(each, Residual) else each for each in blocks]


def weighing(block):
    return [part for part in block if isinstance(part, _SqueezeExcitation)]


def test_channels_are_weighed_by_the_steps_of_a_record():
    torch.manual_seed(0)
    layer = _SqueezeExcitation(3, 2)
    x = torch.randn(2, 3, 8)
    x[1, :, 5:] = 0
    together = layer(x, torch.tensor([8, 5]))
    torch.testing.assert_close(together[1, :, :5], layer(x[1:, :, :5])[0])
    assert not together[1, :, 5:].any()
    # Over the padding too, the weights would be others.
    assert not layer(x)[1].allclose(together[1])


def test_the_weight_of_a_channel_is_that_of_its_mean():
    layer = _SqueezeExcitation(2, 1)
    with torch.no_grad():
        layer.squeeze.weight.copy_(torch.tensor([[1.0, 0.0]]))
        layer.squeeze.bias.zero_()
        layer.excite.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        layer.excite.bias.zero_()
    x = torch.tensor([[[1.0, 3.0], [4.0, 4.0]]])
    gate = torch.nn.functional.silu(torch.tensor(2.0))  # of the mean of the first
    expected = x * torch.stack([gate, -gate]).sigmoid()[:, None]
    torch.testing.assert_close(layer(x), expected)


def test_first_stages_are_fused_and_later_ones_depthwise():
    blocks = blocks_of(EfficientNetV2S_1d(1, 2))
    assert len(blocks) == 2 + 4 + 4 + 6 + 9 + 15
    fused, depthwise = blocks[:10], blocks[10:]
    assert not any(weighing(block) for block in fused)
    for block in depthwise:
        widen, filters, weigh, _ = block
        n_in = widen.convolution.in_channels
        assert filters.convolution.groups == filters.convolution.in_channels
        assert weigh.squeeze.out_features == n_in // 4


def test_shortcuts_are_where_shapes_agree():
    layers = list(EfficientNetV2S_1d(1, 2, blocks=(2, 2, 2, 2, 2, 2)).features)[1:-1]
    # The stem has the channels of the first stage, and that keeps all steps.
    expected = [True, True, *[False, True] * 5]
    assert [isinstance(layer, Residual) for layer in layers] == expected


@pytest.mark.parametrize(("n_stages", "n_steps"), [(1, 500), (4, 63), (6, 32)])
def test_steps_left_after_each_stage(n_stages, n_steps):
    network = EfficientNetV2S_1d(1, 2, width=3, blocks=(1,) * n_stages)
    assert network.features(torch.zeros(2, 1, 1000)).shape[-1] == n_steps


def test_more_stages_than_the_paper_has_are_refused():
    message = "'blocks' .* at least one stage and at most 6"
    with pytest.raises(ValueError, match=message):
        EfficientNetV2S_1d(1, 2, blocks=(1,) * 7)


def test_default_size_is_the_one_documented():
    n = sum(p.numel() for p in EfficientNetV2S_1d(n_leads=12, n_classes=5).parameters())
    assert round(n / 1e6) == 20
