import torch
from torch import nn

from sk_erts.models import XResNet1d101
from sk_erts.models._layers import ConvNorm, MaxPool, MeanPool, Residual


def blocks_of(network):
    return [layer for layer in network.features if isinstance(layer, Residual)]


def test_layers_are_counted_as_their_name_counts_them():
    blocks = blocks_of(XResNet1d101(1, 2, width=4))
    n_convolutions = sum(len(block.inner) for block in blocks)
    assert (
        1 + n_convolutions + 1 == 101
    )  # the stem counts as one, and the last is linear


def test_the_stem_is_three_convolutions_and_a_maximum():
    stem = list(XResNet1d101(12, 2, blocks=(1,)).features)[:4]
    assert [type(layer) for layer in stem] == [ConvNorm] * 3 + [MaxPool]
    assert [layer.convolution.out_channels for layer in stem[:3]] == [32, 32, 64]
    assert [layer.stride for layer in stem] == [2, 1, 1, 2]


def test_bottlenecks_filter_few_channels_with_the_stride_in_the_middle():
    for number, block in enumerate(blocks_of(XResNet1d101(1, 2, blocks=(2, 2)))):
        narrow, filters, widen = (layer.convolution for layer in block.inner)
        assert filters.in_channels == filters.out_channels == 64
        assert widen.out_channels == 256
        assert narrow.stride == widen.stride == (1,)
        assert filters.stride == ((2,) if number == 2 else (1,))


def test_a_network_begins_as_the_shortcuts_of_its_blocks():
    torch.manual_seed(0)
    _, _, first, second = blocks_of(XResNet1d101(1, 2, width=4, blocks=(2, 2)).eval())
    z = torch.rand(2, 16, 20)  # as behind a rectifier
    torch.testing.assert_close(second(z), z)
    # Channels agree, so that the shortcut is the mean of two steps alone.
    torch.testing.assert_close(first(z), z.unflatten(-1, (10, 2)).mean(dim=-1))


def test_a_shortcut_averages_before_it_reduces():
    *_, block = blocks_of(XResNet1d101(1, 2, width=4, blocks=(1, 1)))
    (mean,) = block.shortcut
    assert isinstance(mean, MeanPool)
    first, *_ = blocks_of(XResNet1d101(1, 2, width=4, blocks=(1, 1)))
    (convolution,) = first.shortcut
    assert isinstance(convolution.activation, nn.Identity)


def test_features_have_one_step_in_32():
    x = torch.zeros(2, 1, 1000)
    assert XResNet1d101(1, 2, width=2, blocks=(1, 1, 1, 1)).features(x).shape[-1] == 32


def test_default_size_is_the_one_documented():
    n = sum(p.numel() for p in XResNet1d101(n_leads=12, n_classes=5).parameters())
    assert round(n / 1e6, 1) == 1.8
