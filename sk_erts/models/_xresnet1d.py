"""The residual network of 101 layers that the benchmark of PTB-XL found strongest."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from sk_erts._network.heads import PooledLinear
from sk_erts.models._checks import (
    check_blocks,
    check_dropout,
    check_kernel_size,
    check_sizes,
)
from sk_erts.models._layers import (
    Chain,
    ConvNorm,
    Features,
    Layer,
    MaxPool,
    MeanPool,
    Residual,
)
from sk_erts.models._pooled import PooledNetwork

__all__ = ["XResNet1d101"]

EXPANSION = 4


class XResNet1d101(PooledNetwork):
    """Classify records with a deep residual network of bottlenecks.

    xresnet1d101 of the benchmark of PTB-XL [1]_: a residual network of 101 layers over
    time, with the changes of [2]_: a stem of three convolutions, strides in the middle
    of bottlenecks, and shortcuts that average before they reduce.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=64
        Channels of the bottlenecks, four times as many come out of each; the stem
        begins with half as many.
    blocks : sequence of int, default=(3, 4, 23, 3)
        Bottlenecks in each stage. The default has 1.8 million parameters at
        width 64, and feature maps with one step in 32; (3, 4, 6, 3) are 50 layers.
    kernel_size : int, default=5
        Length of the convolutions in time steps, odd so that feature maps stay centred
        on the signal.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is no int of at least one, `kernel_size` is even, or `dropout` is not
        in [0, 1).

    See Also
    --------
    ResNet1d : Fewer and wider layers.

    Notes
    -----
    As in [1]_: numbers of blocks, kernels of 5 steps, 64 channels in the bottlenecks of
    all stages, where [2]_ doubles them. As in [2]_: the last normalisation of a block
    begins with zero, so that the network begins as a shallow one. Other than in [1]_:
    the average alone is pooled, without the maximum, and one layer follows instead of
    two with dropout, so that Grad-CAM has a closed form; weights begin as those of
    other networks here do.

    References
    ----------
    .. [1] N. Strodthoff et al., "Deep learning for ECG analysis: benchmarks and
       insights from PTB-XL", IEEE JBHI 25(5), 2021, 10.1109/JBHI.2020.3022989.
    .. [2] T. He et al., "Bag of tricks for image classification with convolutional
       neural networks", CVPR 2019, arXiv:1812.01187.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import XResNet1d101
    >>> network = XResNet1d101(n_leads=12, n_classes=5, width=8, blocks=(1, 1, 2, 1))
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 32, 32])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 64,
        blocks: Sequence[int] = (3, 4, 23, 3),
        kernel_size: int = 5,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(self, n_leads=n_leads, n_classes=n_classes, width=width)
        check_blocks(self, blocks)
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        super().__init__()
        n_half = max(1, width // 2)
        layers: list[Layer] = [
            ConvNorm(n_leads, n_half, kernel_size, 2),
            ConvNorm(n_half, n_half, kernel_size),
            ConvNorm(n_half, width, kernel_size),
            MaxPool(2),
        ]
        n_in = width
        for stage, n_blocks in enumerate(blocks):
            for block in range(n_blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(_bottleneck(n_in, width, kernel_size, stride))
                n_in = EXPANSION * width
        self.features = Features(*layers)
        self.head = PooledLinear(n_in, n_classes, dropout)


def _bottleneck(n_in: int, n_inner: int, kernel_size: int, stride: int) -> Residual:
    """Return a block that filters few channels, and begins as its shortcut."""
    n_out = EXPANSION * n_inner
    last = ConvNorm(n_inner, n_out, activation=nn.Identity)
    nn.init.zeros_(last.norm.weight)
    shortcut: list[Layer] = [] if stride == 1 else [MeanPool(stride)]
    if n_in != n_out:
        shortcut.append(ConvNorm(n_in, n_out, activation=nn.Identity))
    return Residual(
        Chain(
            ConvNorm(n_in, n_inner),
            ConvNorm(n_inner, n_inner, kernel_size, stride),
            last,
        ),
        Chain(*shortcut) if shortcut else None,
        nn.ReLU,
    )
