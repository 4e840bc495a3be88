"""A network of inverted residuals over time."""

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
    Residual,
    in_proportion,
)
from sk_erts.models._pooled import PooledNetwork

__all__ = ["MobileNetV2_1d"]

# Expansion, channels and first stride of each stage, as in Table 2 of the paper.
STAGES = (
    (1, 16, 1),
    (6, 24, 2),
    (6, 32, 2),
    (6, 64, 2),
    (6, 96, 1),
    (6, 160, 2),
    (6, 320, 1),
)
STEM, LAST = 32, 1280


class MobileNetV2_1d(PooledNetwork):
    """Classify records with inverted residuals, which cost few multiplications.

    MobileNetV2 [1]_ over time: each block widens its channels, filters each of them by
    itself, and narrows them again without an activation.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=32
        Channels of the stem, to which those of all other layers are in proportion.
    blocks : sequence of int, default=(1, 2, 3, 4, 3, 3, 1)
        Inverted residuals in each stage, of which there are at most seven. The default
        has 2.2 million parameters at width 32, and feature maps with one step in 32.
    kernel_size : int, default=7
        Length of the stem and of the depthwise convolutions in time steps, odd so that
        feature maps stay centred on the signal.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is no int of at least one, `kernel_size` is even, `blocks` has too
        many stages, or `dropout` is not in [0, 1).

    See Also
    --------
    EfficientNetV2S_1d : Its successor's blocks.

    Notes
    -----
    As in [1]_: expansions, channels, strides and numbers of blocks, linear bottlenecks,
    1280 channels before the average. Other than there: kernels of 7 time steps in place
    of 3 x 3 pixels; ReLU in place of ReLU6, whose bound serves arithmetic in few bits;
    dropout only if asked for; channels are not rounded to multiples of eight.

    References
    ----------
    .. [1] M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks",
       CVPR 2018, arXiv:1801.04381.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import MobileNetV2_1d
    >>> network = MobileNetV2_1d(n_leads=12, n_classes=5, width=4)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 160, 32])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 32,
        blocks: Sequence[int] = (1, 2, 3, 4, 3, 3, 1),
        kernel_size: int = 7,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(self, n_leads=n_leads, n_classes=n_classes, width=width)
        check_blocks(self, blocks, most=len(STAGES))
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        super().__init__()
        scale = width / STEM
        layers: list[Layer] = [ConvNorm(n_leads, width, kernel_size, 2)]
        n_in = width
        for (expansion, n_channels, first), n_blocks in zip(
            STAGES, blocks, strict=False
        ):
            n_out = in_proportion(n_channels, scale)
            for block in range(n_blocks):
                stride = first if block == 0 else 1
                layers.append(
                    _inverted_residual(n_in, n_out, kernel_size, stride, expansion)
                )
                n_in = n_out
        n_last = in_proportion(LAST, scale)
        self.features = Features(*layers, ConvNorm(n_in, n_last))
        self.head = PooledLinear(n_last, n_classes, dropout)


def _inverted_residual(
    n_in: int, n_out: int, kernel_size: int, stride: int, expansion: int
) -> Layer:
    """Return a block that widens, filters each channel, and narrows."""
    n_wide = expansion * n_in
    chain = Chain(
        *([ConvNorm(n_in, n_wide)] if expansion > 1 else []),
        ConvNorm(n_wide, n_wide, kernel_size, stride, groups=n_wide),
        ConvNorm(n_wide, n_out, activation=nn.Identity),
    )
    return Residual(chain) if stride == 1 and n_in == n_out else chain
