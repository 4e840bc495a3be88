import pytest
import torch
from torch import nn

from sk_erts.models._layers import (
    Chain,
    ConvNorm,
    Features,
    MaxPool,
    MeanPool,
    Residual,
    in_proportion,
)

LENGTHS = torch.tensor([9, 6, 5, 1])


@pytest.fixture
def x():
    """Steps below zero, where zeros behind a record would be the greatest."""
    x = -1 - torch.rand(4, 2, 9, generator=torch.Generator().manual_seed(0))
    return x * (torch.arange(9) < LENGTHS[:, None])[:, None]


def alone(layer, x):
    return [layer(own[None, :, :n])[0] for own, n in zip(x, LENGTHS, strict=True)]


@pytest.mark.parametrize("layer", [MaxPool(), MaxPool(2), MeanPool(2), MeanPool(3)])
def test_pooling_sees_a_record_as_if_it_were_alone(layer, x):
    together = layer(x, LENGTHS)
    assert together.shape[-1] == -(-9 // layer.stride)
    for pooled, own in zip(together, alone(layer, x), strict=True):
        n_steps = own.shape[-1]
        torch.testing.assert_close(pooled[:, :n_steps], own)
        assert not pooled[:, n_steps:].any()


def test_pooling_takes_the_greatest_and_the_mean():
    x = torch.tensor([[[1.0, -3.0, 2.0, 8.0, 5.0]]])
    assert MaxPool(2)(x).tolist() == [[[1, 8, 8]]]
    assert MeanPool(2)(x).tolist() == [[[-1, 5, 5]]]


def test_each_pooled_step_is_told_by_the_own_steps_of_a_record(x):
    own = torch.arange(9) < LENGTHS[:, None]
    n_pooled = -(-LENGTHS // 2)
    for layer in (MaxPool(2), MeanPool(2)):
        leaf = x.clone().requires_grad_()
        layer(leaf, LENGTHS).sum().backward()
        told = (leaf.grad * own[:, None]).sum(dim=(1, 2))
        torch.testing.assert_close(told, 2.0 * n_pooled)  # of two channels


def test_the_stride_of_a_chain_is_that_of_all_its_layers():
    inner = Chain(ConvNorm(2, 2, 3, 2), MeanPool(2))
    chain = Chain(ConvNorm(2, 2), inner, Residual(ConvNorm(2, 2, 5, 2), MeanPool(2)))
    assert inner.stride == 4
    assert chain.stride == 8
    for n_times in (1, 7, 8, 9, 63):
        assert chain(torch.zeros(2, 2, n_times)).shape[-1] == -(-n_times // 8)


def test_features_begin_by_clearing_what_stands_behind(x):
    layers = Features(ConvNorm(2, 3, 5)).eval()
    behind = x + 7 * (x == 0)
    torch.testing.assert_close(layers(behind, LENGTHS), layers(x, LENGTHS))


def test_a_residual_adds_and_then_activates():
    inner = ConvNorm(1, 1, activation=nn.Identity).eval()
    nn.init.constant_(inner.convolution.weight, -2.0)
    x = torch.tensor([[[1.0, -3.0]]])
    unit = (1 + inner.norm.eps) ** -0.5
    torch.testing.assert_close(Residual(inner)(x), x - 2 * unit * x)
    rectified = Residual(inner, activation=nn.ReLU)(x)
    torch.testing.assert_close(rectified, (x - 2 * unit * x).clamp(min=0))


def test_proportions():
    assert [in_proportion(n, 0.25) for n in (1, 24, 26, 1280)] == [1, 6, 6, 320]
