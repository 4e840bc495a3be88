import pytest
import torch
from torch import nn

from sk_erts.models import InceptionTime1d


def kernels_of(network):
    module = network.features[0].inner[0]
    return [convolution.kernel_size[0] for convolution in module.convolutions]


@pytest.mark.parametrize(
    ("kernel_size", "kernels"), [(39, [39, 19, 9]), (41, [41, 19, 9]), (1, [1, 1, 1])]
)
def test_kernels_are_odd_and_each_about_half_as_long(kernel_size, kernels):
    assert kernels_of(InceptionTime1d(1, 2, 2, 1, kernel_size=kernel_size)) == kernels


@pytest.mark.parametrize(
    ("n_modules", "inside"), [(6, [3, 3]), (4, [3, 1]), (3, [3]), (1, [1])]
)
def test_a_shortcut_goes_around_three_modules(n_modules, inside):
    network = InceptionTime1d(1, 2, width=2, n_modules=n_modules)
    assert [len(residual.inner) for residual in network.features] == inside
    assert all(residual.shortcut is not None for residual in network.features)


def test_a_branch_takes_the_greatest_of_neighbouring_samples():
    module = InceptionTime1d(1, 2, width=1, n_modules=1).features[0].inner[0].eval()
    for part in (module.bottleneck, *module.convolutions):
        nn.init.zeros_(part.weight)
    nn.init.ones_(module.behind_pool.weight)
    x = torch.tensor([[[0.0, 2.0, 1.0, 0.5, 0.0]]])
    *convolved, pooled = module(x)[0]
    assert not any(branch.any() for branch in convolved)
    scale = (1 + module.norm.eps) ** 0.5
    torch.testing.assert_close(pooled * scale, torch.tensor([2.0, 2.0, 2.0, 1.0, 0.5]))


def test_default_size_is_the_one_documented():
    n = sum(p.numel() for p in InceptionTime1d(n_leads=12, n_classes=5).parameters())
    assert round(n / 1e6, 2) == 0.47
