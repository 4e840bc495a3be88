"""Layers that leave the padding behind short records aside, to be put together.

Each maps (n, channels, times), zero behind each record, to the same over fewer steps.
Like the layers of ``torch.nn`` they hold one module for each activation and pooling,
called once: DeepLift and guided backpropagation have rules for such modules.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod

import torch
from torch import nn
from torch.nn import functional

from sk_erts._records.signals import inside
from sk_erts.models._padding import normalise, steps_after

__all__ = [
    "Chain",
    "ConvNorm",
    "Features",
    "Layer",
    "MaxPool",
    "MeanPool",
    "Residual",
    "in_proportion",
    "own_steps",
]


class Layer(nn.Module):
    """What all have: ``forward(x, lengths=None)``, lengths in steps that come in.

    Attributes
    ----------
    stride : int
        Steps that come in for each that goes out.
    """

    stride: int = 1


class Chain(nn.Sequential, Layer):
    """One layer after the other.

    Parameters
    ----------
    *layers : Layer
        In their order.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__(*layers)
        self.strides = [layer.stride for layer in layers]
        # As the last step of many is rounded up, and again, so is that of the product.
        self.stride = prod(self.strides)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels in, times) to (n, channels out, steps)."""
        for layer, stride in zip(self, self.strides, strict=True):
            x = layer(x, lengths)
            lengths = None if lengths is None else steps_after(stride, lengths)
        return x


class Features(Chain):
    """Layers that begin with records, whatever stands behind these."""

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, leads, times) to (n, channels, steps), zero behind each record."""
        if lengths is not None:
            x = x * inside(lengths, x.shape[-1])[:, None]
        return super().forward(x, lengths)


class ConvNorm(Layer):
    """A centred convolution, its normalisation and an activation.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel_size : int, default=1
        Odd.
    stride : int, default=1
        Of the convolution.
    groups : int, default=1
        Parts into which the channels fall; as many as channels is depthwise.
    activation : callable, default=ReLU
        Makes a module that maps 0 to 0, so that padding stays what it is.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel_size: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = nn.Conv1d(
            n_in,
            n_out,
            kernel_size,
            stride,
            kernel_size // 2,
            groups=groups,
            bias=False,
        )
        self.norm = nn.BatchNorm1d(n_out)
        self.activation = activation()

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels in, times) to (n, channels out, steps)."""
        z = self.convolution(x)
        z = normalise(self.norm, z, own_steps(z, lengths, self.stride))
        result: torch.Tensor = self.activation(z)
        return result


class Residual(Layer):
    """Add to the input what a layer makes of it.

    Parameters
    ----------
    inner : Layer
        Makes something of the input.
    shortcut : Layer, optional
        Brings the input to the same shape; by default it has that.
    activation : callable, default=Identity
        Makes the module that the sum goes through.
    """

    def __init__(
        self,
        inner: Layer,
        shortcut: Layer | None = None,
        activation: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.stride = inner.stride
        self.inner = inner
        self.shortcut = shortcut
        self.activation = activation()

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels in, times) to (n, channels out, steps)."""
        z = self.inner(x, lengths)
        straight = x if self.shortcut is None else self.shortcut(x, lengths)
        result: torch.Tensor = self.activation(z + straight)
        return result


class MaxPool(Layer):
    """The greatest of three steps.

    Parameters
    ----------
    stride : int, default=1
        Of the pooling.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.pool = nn.MaxPool1d(3, stride, padding=1)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels, times) to (n, channels, steps)."""
        if lengths is None:
            whole: torch.Tensor = self.pool(x)
            return whole
        # As in front of a record, and behind the longest, where torch puts -inf.
        x = x.masked_fill(~inside(lengths, x.shape[-1])[:, None], -inf)
        z: torch.Tensor = self.pool(x)
        mask = inside(steps_after(self.stride, lengths), z.shape[-1])
        return z.masked_fill(~mask[:, None], 0.0)


class MeanPool(Layer):
    """The mean of as many steps as the stride; of fewer at the end of a record.

    Parameters
    ----------
    stride : int
        At least 2.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels, times) to (n, channels, steps)."""
        z = functional.avg_pool1d(x, self.stride, ceil_mode=True)
        if lengths is None:
            return z
        own = inside(lengths, x.shape[-1])[:, None].to(x)  # (n, 1, times)
        share = functional.avg_pool1d(own, self.stride, ceil_mode=True)
        # Where there is none the sum is 0.
        return z / share.clamp(min=1 / self.stride)


def own_steps(
    z: torch.Tensor, lengths: torch.Tensor | None, stride: int = 1
) -> torch.Tensor | None:
    """Return which steps of what a layer made belong to records.

    Parameters
    ----------
    z : tensor of shape (n, channels, steps)
        What it made.
    lengths : int tensor of shape (n,) or None
        Steps of records that it got.
    stride : int, default=1
        Of the layer.

    Returns
    -------
    mask : bool tensor of shape (n, steps) or None
        None is all.
    """
    return (
        None if lengths is None else inside(steps_after(stride, lengths), z.shape[-1])
    )


def in_proportion(n_channels: int, width: float) -> int:
    """Return the channels of a layer in a network of another width.

    Parameters
    ----------
    n_channels : int
        In the paper's network.
    width : float
        In units of its width.

    Returns
    -------
    n_channels : int
        At least 1.
    """
    return max(1, round(n_channels * width))
