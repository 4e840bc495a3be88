"""A residual network over time, the package's workhorse."""

from collections.abc import Sequence
from math import prod

import torch
from torch import nn

from sk_erts._network.heads import PooledLinear
from sk_erts._records.signals import inside
from sk_erts.models._checks import (
    check_blocks,
    check_dropout,
    check_kernel_size,
    check_sizes,
)
from sk_erts.models._padding import normalise, steps_after
from sk_erts.models._pooled import PooledNetwork


class ResNet1d(PooledNetwork):
    """Classify records with a one-dimensional residual network.

    A strided stem is followed by ``len(blocks)`` stages; each stage after the
    first halves the time axis and doubles the channels. Feature maps are averaged
    over time before one linear layer, so that Grad-CAM has a closed form.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=32
        Channels of the first stage.
    blocks : sequence of int, default=(2, 2, 2, 2)
        Residual blocks in each stage. The default has 2.2 million parameters
        at width 32, and feature maps with one step in sixteen.
    kernel_size : int, default=7
        Length of the convolutions in time steps, odd so that feature maps stay
        centred on the signal.
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
    ResNet1d18, ResNet1d34 : The sizes of [1]_; ``"resnet1d18"`` and ``"resnet1d34"`` by
        name.
    XResNet1d101 : A deeper network of bottlenecks.

    Notes
    -----
    As in [1]_: stages of basic blocks that halve the time axis and double the channels.
    Other than there: kernels of 7 time steps in place of 3 x 3 pixels, and no maximum
    pooled behind the stem, so that feature maps have one step in 16 in place of 32.

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", CVPR 2016,
       arXiv:1512.03385.
    .. [2] N. Strodthoff et al., "Deep learning for ECG analysis: benchmarks and
       insights from PTB-XL", IEEE JBHI 25(5), 2021, 10.1109/JBHI.2020.3022989.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=12, n_classes=5, width=8)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 64, 63])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 32,
        blocks: Sequence[int] = (2, 2, 2, 2),
        kernel_size: int = 7,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(self, n_leads=n_leads, n_classes=n_classes, width=width)
        check_blocks(self, blocks)
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv1d(
                n_leads, width, kernel_size, 2, padding=kernel_size // 2, bias=False
            ),
            nn.BatchNorm1d(width),
            nn.ReLU(),
        ]
        n_channels = width
        for stage, n_blocks in enumerate(blocks):
            n_out = width * 2**stage
            for block in range(n_blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(_ResidualBlock(n_channels, n_out, kernel_size, stride))
                n_channels = n_out
        self.features = _Stages(*layers)
        self.head = PooledLinear(n_channels, n_classes, dropout)


class _Stages(nn.Sequential):
    """Stem and residual blocks."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.strides = [2, *(b.stride for b in layers if isinstance(b, _ResidualBlock))]

    @property
    def stride(self) -> int:
        """Time steps of a record for each of its feature maps."""
        return prod(self.strides)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, leads, times) to (n, channels, steps), zero behind each record."""
        if lengths is None:
            for layer in self:
                x = layer(x)
            return x
        stem, norm, relu, *blocks = self
        z = stem(x * inside(lengths, x.shape[-1])[:, None])
        lengths = steps_after(self.strides[0], lengths)
        z = relu(normalise(norm, z, inside(lengths, z.shape[-1])))
        for stride, block in zip(self.strides[1:], blocks, strict=True):
            lengths = steps_after(stride, lengths)
            z = block(z, lengths)
        result: torch.Tensor = z
        return result


class _ResidualBlock(nn.Module):
    """Add two normalised convolutions to their input."""

    def __init__(self, n_in: int, n_out: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        padding = kernel_size // 2
        self.conv1 = nn.Conv1d(n_in, n_out, kernel_size, stride, padding, bias=False)
        self.norm1 = nn.BatchNorm1d(n_out)
        # Two modules, and no functions: DeepLift and guided backpropagation have rules
        # for modules that are called once.
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.conv2 = nn.Conv1d(n_out, n_out, kernel_size, 1, padding, bias=False)
        self.norm2 = nn.BatchNorm1d(n_out)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and n_in == n_out
            else nn.Sequential(
                nn.Conv1d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm1d(n_out)
            )
        )

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels in, times) to (n, channels out, steps); lengths in steps."""
        z = self.conv1(x)
        mask = None if lengths is None else inside(lengths, z.shape[-1])
        z = self.relu1(normalise(self.norm1, z, mask))
        z = normalise(self.norm2, self.conv2(z), mask)
        if isinstance(self.shortcut, nn.Sequential):
            convolution, norm = self.shortcut
            x = normalise(norm, convolution(x), mask)
        result: torch.Tensor = self.relu2(z + x)
        return result
