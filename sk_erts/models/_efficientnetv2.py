"""EfficientNetV2 over time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
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

__all__ = ["EfficientNetV2S_1d"]

# Whether blocks are fused, expansion, channels and first stride of each stage, as in
# Table 4 of the paper.
STAGES = (
    (True, 1, 24, 1),
    (True, 4, 48, 2),
    (True, 4, 64, 2),
    (False, 4, 128, 2),
    (False, 6, 160, 1),
    (False, 6, 256, 2),
)
STEM, LAST = 24, 1280


class EfficientNetV2S_1d(PooledNetwork):
    """Classify records with fused and depthwise blocks that weigh their channels.

    The small EfficientNetV2 [1]_ over time: its first stages widen and filter with one
    convolution, the later ones filter each channel by itself and weigh the channels by
    what the whole record shows in them (squeeze and excitation [2]_).

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=24
        Channels of the stem, to which those of all other layers are in proportion.
    blocks : sequence of int, default=(2, 4, 4, 6, 9, 15)
        Blocks in each stage, of which there are at most six. The default has
        20 million parameters at width 24, and feature maps with one step in
        32.
    kernel_size : int, default=7
        Length of the stem, the fused and the depthwise convolutions in time steps, odd
        so that feature maps stay centred on the signal.
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
    MobileNetV2_1d : A smaller network of similar blocks.

    Notes
    -----
    As in [1]_: expansions, channels, strides and numbers of blocks, SiLU, weights of
    channels squeezed to a quarter of a block's input, 1280 channels before the average.
    Other than there: kernels of 7 time steps in place of 3 x 3 pixels; no stochastic
    depth, and dropout only if asked for.

    The weights of channels are computed from all of the record. Grad-CAM over its
    feature maps stays local, but gradients with respect to the signal reach beyond
    what the convolutions see. DeepLIFT and guided Grad-CAM have no rule for SiLU.

    References
    ----------
    .. [1] M. Tan, Q. V. Le, "EfficientNetV2: smaller models and faster training",
       ICML 2021, arXiv:2104.00298.
    .. [2] J. Hu et al., "Squeeze-and-excitation networks", CVPR 2018,
       arXiv:1709.01507.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import EfficientNetV2S_1d
    >>> network = EfficientNetV2S_1d(n_leads=12, n_classes=5, width=3)
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
        width: int = 24,
        blocks: Sequence[int] = (2, 4, 4, 6, 9, 15),
        kernel_size: int = 7,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(self, n_leads=n_leads, n_classes=n_classes, width=width)
        check_blocks(self, blocks, most=len(STAGES))
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        super().__init__()
        scale = width / STEM
        layers: list[Layer] = [
            ConvNorm(n_leads, width, kernel_size, 2, activation=nn.SiLU)
        ]
        n_in = width
        for (fused, expansion, n_channels, first), n_blocks in zip(
            STAGES, blocks, strict=False
        ):
            make = _fused if fused else _depthwise
            n_out = in_proportion(n_channels, scale)
            for block in range(n_blocks):
                stride = first if block == 0 else 1
                chain = make(n_in, n_out, kernel_size, stride, expansion)
                same = stride == 1 and n_in == n_out
                layers.append(Residual(chain) if same else chain)
                n_in = n_out
        n_last = in_proportion(LAST, scale)
        self.features = Features(*layers, ConvNorm(n_in, n_last, activation=nn.SiLU))
        self.head = PooledLinear(n_last, n_classes, dropout)


class _SqueezeExcitation(Layer):
    """Weigh channels by what a record shows in them on average."""

    def __init__(self, n_channels: int, n_squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(n_channels, n_squeezed)
        self.activation = nn.SiLU()
        self.excite = nn.Linear(n_squeezed, n_channels)
        self.gate = nn.Sigmoid()

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (n, channels, times) of the same shape."""
        # Over the record's own steps, as padding is zero.
        n_steps = x.shape[-1] if lengths is None else lengths[:, None]
        mean = x.sum(dim=-1) / n_steps  # (n, channels)
        weights = self.gate(self.excite(self.activation(self.squeeze(mean))))
        result: torch.Tensor = x * weights[..., None]
        return result


def _fused(
    n_in: int, n_out: int, kernel_size: int, stride: int, expansion: int
) -> Chain:
    """Return a block that widens and filters at once, and narrows."""
    if expansion == 1:
        return Chain(ConvNorm(n_in, n_out, kernel_size, stride, activation=nn.SiLU))
    n_wide = expansion * n_in
    return Chain(
        ConvNorm(n_in, n_wide, kernel_size, stride, activation=nn.SiLU),
        ConvNorm(n_wide, n_out, activation=nn.Identity),
    )


def _depthwise(
    n_in: int, n_out: int, kernel_size: int, stride: int, expansion: int
) -> Chain:
    """Return a block that widens, filters and weighs each channel, and narrows."""
    n_wide = expansion * n_in
    return Chain(
        ConvNorm(n_in, n_wide, activation=nn.SiLU),
        ConvNorm(
            n_wide, n_wide, kernel_size, stride, groups=n_wide, activation=nn.SiLU
        ),
        _SqueezeExcitation(n_wide, in_proportion(n_in, 1 / 4)),
        ConvNorm(n_wide, n_out, activation=nn.Identity),
    )
