"""Convolutions of several lengths side by side."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._network.heads import PooledLinear
from sk_erts.models._checks import check_dropout, check_kernel_size, check_sizes
from sk_erts.models._layers import (
    Chain,
    ConvNorm,
    Features,
    Layer,
    MaxPool,
    Residual,
    own_steps,
)
from sk_erts.models._padding import normalise
from sk_erts.models._pooled import PooledNetwork

__all__ = ["InceptionTime1d"]

N_BRANCHES = 4
BETWEEN_SHORTCUTS = 3


class InceptionTime1d(PooledNetwork):
    """Classify records with convolutions of several lengths side by side.

    InceptionTime [1]_: each module looks through long, middle and short kernels at
    once, and at the greatest of neighbouring steps. It keeps each time step, so that
    its maps are as fine as the record.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=32
        Channels of each of the four branches, and of the bottleneck before them. The
        default has 0.47 million parameters.
    n_modules : int, default=6
        Inception modules, one after the other, with a shortcut around three of them.
    kernel_size : int, default=39
        Length of the longest convolutions in time steps, odd so that feature maps stay
        centred on the signal; the others have about a half and a quarter of it.
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
    FCN1d : Keeps each time step too, with three convolutions.

    Notes
    -----
    As in [1]_: six modules of four branches, bottlenecks, shortcuts around three of
    them, average over time. Other than there: one network in place of the average of
    five; kernels of 39, 19 and 9 steps in place of 40, 20 and 10, as in the benchmark
    of PTB-XL [2]_. Other than in [2]_, where it is called inception1d: the average
    alone is pooled, and one layer follows, so that Grad-CAM has a closed form.

    DeepLIFT is not complete here, and warns: its rule for the maximum is not one for
    windows that overlap at each step.

    References
    ----------
    .. [1] H. Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series
       classification", Data Mining and Knowledge Discovery 34, 2020,
       10.1007/s10618-020-00710-y.
    .. [2] N. Strodthoff et al., "Deep learning for ECG analysis: benchmarks and
       insights from PTB-XL", IEEE JBHI 25(5), 2021, 10.1109/JBHI.2020.3022989.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import InceptionTime1d
    >>> network = InceptionTime1d(n_leads=12, n_classes=5, width=4)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 16, 1000])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 32,
        n_modules: int = 6,
        kernel_size: int = 39,
        dropout: float = 0.0,
    ) -> None:
        sizes = {"n_leads": n_leads, "n_classes": n_classes}
        check_sizes(self, **sizes, width=width, n_modules=n_modules)
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        super().__init__()
        layers: list[Layer] = []
        n_in, n_out = n_leads, N_BRANCHES * width
        for first in range(0, n_modules, BETWEEN_SHORTCUTS):
            n_inside = min(BETWEEN_SHORTCUTS, n_modules - first)
            shortcut = ConvNorm(n_in, n_out, activation=nn.Identity)
            modules = [
                _Inception(n_in if i == 0 else n_out, width, kernel_size)
                for i in range(n_inside)
            ]
            layers.append(Residual(Chain(*modules), shortcut, nn.ReLU))
            n_in = n_out
        self.features = Features(*layers)
        self.head = PooledLinear(n_out, n_classes, dropout)


class _Inception(Layer):
    """Four branches, normalised together."""

    def __init__(self, n_in: int, width: int, kernel_size: int) -> None:
        super().__init__()
        self.bottleneck = nn.Conv1d(n_in, width, 1, bias=False)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, size, padding=size // 2, bias=False)
            for size in _lengths(kernel_size)
        )
        self.pool = MaxPool()
        self.behind_pool = nn.Conv1d(n_in, width, 1, bias=False)
        self.norm = nn.BatchNorm1d(N_BRANCHES * width)
        self.activation = nn.ReLU()

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels in, times) to (n, channels out, times)."""
        narrow = self.bottleneck(x)
        branches = [convolution(narrow) for convolution in self.convolutions]
        branches.append(self.behind_pool(self.pool(x, lengths)))
        z = torch.cat(branches, dim=1)
        result: torch.Tensor = self.activation(
            normalise(self.norm, z, own_steps(z, lengths))
        )
        return result


def _lengths(kernel_size: int) -> list[int]:
    """Return the lengths of kernels, a half and a quarter as long, and odd."""
    halves = [kernel_size // part for part in (1, 2, 4)]
    return [max(1, size - 1 + size % 2) for size in halves]
