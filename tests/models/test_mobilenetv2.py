import torch
from torch import nn

from sk_erts.models import MobileNetV2_1d
from sk_erts.models._layers import Residual


def blocks_of(network):
    """Return inverted residuals: all but the stem and the last convolution."""
    return list(network.features)[1:-1]


def inner(block):
    return block.inner if isinstance(block, Residual) else block


def test_shortcuts_are_where_shapes_agree():
    # After the first block of a stage, which changes channels or steps.
    stages = [(1,), (0, 1), (0, 1, 1), (0, 1, 1, 1), (0, 1, 1), (0, 1, 1), (0,)]
    has_shortcut = [
        isinstance(each, Residual) for each in blocks_of(MobileNetV2_1d(1, 2))
    ]
    # The stem has 32 channels, the first stage 16.
    assert has_shortcut == [
        False,
        *(bool(own) for stage in stages[1:] for own in stage),
    ]


def test_each_channel_is_filtered_by_itself_and_narrowed_linearly():
    for block in blocks_of(MobileNetV2_1d(1, 2, width=8)):
        *widen, filters, narrow = inner(block)
        convolution = filters.convolution
        assert convolution.groups == convolution.in_channels == convolution.out_channels
        assert convolution.kernel_size == (7,)
        assert isinstance(narrow.activation, nn.Identity)
        for layer in widen:
            factor = layer.convolution.out_channels / layer.convolution.in_channels
            assert factor == 6


def test_a_shortcut_passes_its_input_on():
    block = blocks_of(MobileNetV2_1d(1, 2, width=8).eval())[2]
    nn.init.zeros_(inner(block)[-1].norm.weight)
    x = torch.randn(2, 6, 30)
    torch.testing.assert_close(block(x), x)


def test_channels_are_those_of_the_paper_or_in_proportion():
    for width, scale in ((32, 1), (16, 0.5)):
        network = MobileNetV2_1d(1, 2, width=width)
        found = [
            inner(each)[-1].convolution.out_channels for each in blocks_of(network)
        ]
        kept = sorted({int(n / scale) for n in found})
        assert kept == [16, 24, 32, 64, 96, 160, 320]
        assert network.head.linear.in_features == 1280 * scale


def test_default_size_is_the_one_documented():
    n = sum(p.numel() for p in MobileNetV2_1d(n_leads=12, n_classes=5).parameters())
    assert round(n / 1e6, 1) == 2.2


def test_features_have_one_step_in_32():
    x = torch.zeros(2, 1, 1000)
    assert MobileNetV2_1d(1, 2, width=4).features(x).shape[-1] == 32
