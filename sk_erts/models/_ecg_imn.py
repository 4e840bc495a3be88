"""A network that writes a linear model for each record."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from sk_erts._lib.checks import check_number
from sk_erts._network.heads import PooledLinear
from sk_erts._network.logits import logits_of
from sk_erts._records.signals import inside
from sk_erts.models._checks import check_dropout, check_kernel_size, check_sizes
from sk_erts.models._padding import normalise, steps_after

__all__ = ["ECGIMN"]

# Below any value of GELU, so that what stands behind a record is never the greatest.
LOW = -1.0


class Written(NamedTuple):
    """What a training step needs to know of a forward pass beside its logits.

    Attributes
    ----------
    logits : tensor of shape (n, classes)
        One per class.
    roughness : tensor of shape (n,)
        Of the weights, between 0 and 4.
    """

    logits: torch.Tensor
    roughness: torch.Tensor


class ECGIMN(nn.Module):
    r"""Classify records with a linear model that a network writes for each of them.

    An encoder of convolutions over leads and time and a decoder write one weight for
    each lead, sample and class [1]_. The logit of a class is the sum of weight times
    signal, and a bias; so the product is what each sample contributes, exactly, and
    ``explain(X, "intrinsic")`` returns it.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=8
        Channels of the first block; the second has twice as many, the third four times
        as many. The paper's network has 16.
    kernel_size : int, default=15
        Length of the convolutions in time steps, odd so that weights stay centred on
        the signal. Over leads they are 3 wide.
    smoothness : float, default=0.0
        Weight in the loss of how much the weights change from sample to sample, at
        least 0.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1): a basis map, with its part of all weights, or a latent map. With more
        than 0, ``predict_uncertainty`` can ask the network; `contributions` and `bias`
        add up to the logits in evaluation mode.

    Raises
    ------
    ValueError
        If a size is below one, `kernel_size` is even, `smoothness` is below zero, or
        `dropout` is not in [0, 1).

    See Also
    --------
    sk_erts.attribution.intrinsic : What each sample contributes.
    ResNet1d : A network that is explained from outside.

    Notes
    -----
    For a record :math:`x` of :math:`T` samples the decoder writes a few basis maps
    :math:`H_k`, which the head mixes to the weights of each class :math:`c`; the bias
    is made of the latent maps :math:`z_k` of the encoder, averaged over leads and time:

    .. math:: y_c = \sum_{l,t} W_{clt}\, x_{lt} + b_c, \qquad
        W_{clt} = \frac1T \sum_k A_{ck} H_{klt}(x), \qquad
        b_c = \sum_k B_{ck}\, \overline{z_k}(x) + \beta_c .

    Mixing commutes with the sum over samples. So the feature maps of the network are
    :math:`\sum_l H_{klt}\, x_{lt}` and :math:`z_{kt}`, its head is `PooledLinear`, and
    Grad-CAM has a closed form: it is the sum of :math:`W_c x` over leads, and what each
    time adds to the bias.

    **The map is exact, but it is not all.** It leaves out the bias, which depends on
    the record too. How much that is, `bias` tells: see the page on networks that
    explain themselves.

    As in [1]_: the encoder of three blocks (3 by 15 convolutions, normalisation, GELU)
    with two poolings along time, to a latent map of each lead at a quarter of the time;
    the decoder of nearest upsampling and convolutions; the bias of averaged latent
    maps. Other than there: half the channels, for processors; the last convolution is
    1 by 1, so that it can be the head; each convolution of the decoder stands behind
    the upsampling, so that weights are not constant over four samples; weights are
    divided by the length of the record, so that records of different lengths are alike;
    any number of classes, and the penalty.

    References
    ----------
    .. [1] V. Thambawita et al., "ECG-IMN: interpretable mesomorphic neural networks for
       12-lead electrocardiogram interpretation", 2026, arXiv:2602.09566.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import ECGIMN
    >>> network = ECGIMN(n_leads=12, n_classes=5, width=2).eval()
    >>> x = torch.randn(2, 12, 100)
    >>> parts = network.contributions(x)
    >>> parts.shape  # (n, classes, leads, times)
    torch.Size([2, 5, 12, 100])
    >>> logits = parts.sum(dim=(2, 3)) + network.bias(x)
    >>> torch.allclose(logits, network(x), atol=1e-5)
    True
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 8,
        kernel_size: int = 15,
        smoothness: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(self, n_leads=n_leads, n_classes=n_classes, width=width)
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        super().__init__()
        self.smoothness = check_number(self, "smoothness", smoothness, least=0)
        self.features = _Hypernetwork(width, kernel_size)
        self.head = PooledLinear(5 * width, n_classes, dropout)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor | Written:
        """Map records to logits; in training, to what `penalty` needs as well.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends; what stands behind is not seen. By default all
            records fill the tensor.

        Returns
        -------
        logits : tensor of shape (n, classes), or tuple
            One per class. In training mode, unless `smoothness` is 0, a named tuple of
            them and of the roughness of the weights (n,).
        """
        basis, latent = self.features.write(x, lengths)
        z = self.features.apply_to(x, basis, latent)
        logits: torch.Tensor = self.head(z, lengths)
        if not self.training or self.smoothness == 0:
            return logits
        return Written(logits, roughness(self._weights(basis, lengths), lengths))

    def feature_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return how many steps of the feature maps belong to records.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            The same.
        """
        return lengths

    def contributions(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return weight times signal, of which a logit is the sum, and a bias.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends.

        Returns
        -------
        parts : tensor of shape (n, classes, leads, times)
            Zero behind each record.
        """
        return self.weights(x, lengths) * x[:, None]

    def weights(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the linear model that is written for each record.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends.

        Returns
        -------
        weights : tensor of shape (n, classes, leads, times)
            In logits per unit of the record; zero behind each record.
        """
        basis, _ = self.features.write(x, lengths)
        return self._weights(basis, lengths)

    def bias(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the bias that is written for each record.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends.

        Returns
        -------
        bias : tensor of shape (n, classes)
            In logits.
        """
        basis, latent = self.features.write(x, lengths)
        nothing = self.features.apply_to(torch.zeros_like(x), basis, latent)
        bias: torch.Tensor = self.head(nothing, lengths)
        return bias

    def penalty(
        self, output: torch.Tensor | Written, codes: torch.Tensor
    ) -> torch.Tensor:
        """Return what each record adds to its loss.

        Parameters
        ----------
        output : tensor or tuple
            What the forward pass returned.
        codes : tensor of shape (n,) or (n, labels)
            Class indices, or zeros and ones.

        Returns
        -------
        penalty : tensor of shape (n,)
            `smoothness` times the roughness of the weights; zero in evaluation mode, so
            that losses in validation are those of the criterion.
        """
        if not isinstance(output, Written):
            logits: torch.Tensor = logits_of(output)
            return logits.new_zeros(len(codes))
        return self.smoothness * output.roughness

    def _weights(
        self, basis: torch.Tensor, lengths: torch.Tensor | None
    ) -> torch.Tensor:
        """Mix (n, channels, leads, times) to the weights (n, classes, leads, times)."""
        mix = self.head.linear.weight[:, : basis.shape[1]]  # (classes, channels)
        weights = torch.einsum("ck,nklt->nclt", mix, basis)
        if lengths is None:
            return weights / basis.shape[-1]
        return weights / lengths[:, None, None, None]


class _Hypernetwork(nn.Module):
    """Encoder and decoder: weights to be mixed, and what the bias is made of."""

    def __init__(self, width: int, kernel_size: int) -> None:
        super().__init__()
        self.block1 = _Block(1, width, kernel_size)
        self.block2 = _Block(width, 2 * width, kernel_size)
        self.pool2 = _Halve()
        self.block3 = _Block(2 * width, 4 * width, kernel_size)
        self.pool3 = _Halve()
        self.block4 = _Block(4 * width, 2 * width, kernel_size)
        self.block5 = _Block(2 * width, width, kernel_size)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, leads, times) to (n, channels, times), zero behind each record."""
        return self.apply_to(x, *self.write(x, lengths))

    def write(
        self, x: torch.Tensor, lengths: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weights to be mixed, and what the bias is made of.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records.
        lengths : int tensor of shape (n,) or None
            Where each record ends; None is at the end of the tensor.

        Returns
        -------
        basis : tensor of shape (n, width, leads, times)
            Zero behind each record.
        latent : tensor of shape (n, 4 * width, times)
            Means over leads of the latent map, zero behind each record.
        """
        n_times = x.shape[-1]
        whole = None if lengths is None else inside(lengths, n_times)
        if whole is not None:
            x = x * whole[:, None]
        n_half = (n_times + 1) // 2
        half = None if lengths is None else inside(steps_after(2, lengths), n_half)
        z = self.block1(x[:, None], whole)  # (n, width, leads, times)
        z = self.pool2(self.block2(z, whole), whole)
        z = self.pool3(self.block3(z, half), half)  # (n, 4 width, leads, times / 4)
        basis = self.block4(_stretch(z, 2, n_half, half), half)
        basis = self.block5(_stretch(basis, 2, n_times, whole), whole)
        latent = z.mean(dim=2, keepdim=True)  # (n, 4 width, 1, times / 4)
        return basis, _stretch(latent, 4, n_times, whole)[:, :, 0]

    def apply_to(
        self, x: torch.Tensor, basis: torch.Tensor, latent: torch.Tensor
    ) -> torch.Tensor:
        """Return the feature maps (n, 5 * width, times) of which logits are sums."""
        evidence = (basis * x[:, None]).sum(dim=2)  # (n, width, times)
        return torch.cat([evidence, latent], dim=1)


class _Block(nn.Module):
    """A convolution over leads and time, its normalisation and GELU."""

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__()
        padding = (1, kernel_size // 2)
        self.convolution = nn.Conv2d(
            n_in, n_out, (3, kernel_size), padding=padding, bias=False
        )
        self.norm = nn.BatchNorm1d(n_out)
        self.gelu = nn.GELU()

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Map (n, channels in, leads, times) to channels out; mask (n, times)."""
        z = self.convolution(x)
        n_leads = z.shape[2]
        if mask is not None:
            mask = mask[:, None].expand(-1, n_leads, -1).flatten(1)
        z = normalise(self.norm, z.flatten(2), mask)  # (n, channels, leads * times)
        result: torch.Tensor = self.gelu(z).unflatten(2, (n_leads, -1))
        return result


class _Halve(nn.Module):
    """The greater of two steps; the last one alone where their number is odd."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d((1, 2), ceil_mode=True)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Map (n, channels, leads, times) to half the times; mask (n, times)."""
        if mask is not None:
            x = x.masked_fill(~mask[:, None, None], LOW)
        z: torch.Tensor = self.pool(x)
        return z if mask is None else z.masked_fill(~mask[:, None, None, ::2], 0.0)


def _stretch(
    z: torch.Tensor, factor: int, n_times: int, mask: torch.Tensor | None
) -> torch.Tensor:
    """Repeat each step of (n, channels, leads, steps); mask (n, times)."""
    z = z.repeat_interleave(factor, dim=-1)[..., :n_times]
    # The last step of a record is repeated beyond its end.
    return z if mask is None else z * mask[:, None, None]


def roughness(weights: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    r"""Return how much weights change from sample to sample, in units of their size.

    Parameters
    ----------
    weights : tensor of shape (n, classes, leads, times)
        Zero behind each record.
    lengths : int tensor of shape (n,) or None
        Where each record ends.

    Returns
    -------
    roughness : tensor of shape (n,)
        :math:`\sum (W_{t+1} - W_t)^2 / \sum W_t^2`: 0 for constant weights, 2 for
        noise, 4 for alternating ones.
    """
    change = weights[..., 1:] - weights[..., :-1]
    if lengths is not None:
        change = change * inside(lengths - 1, change.shape[-1])[:, None, None]
    size = weights.square().sum(dim=(1, 2, 3))
    # Where there is no weight at all there is nothing to smooth.
    tiny = torch.finfo(size.dtype).tiny
    rough: torch.Tensor = change.square().sum(dim=(1, 2, 3)) / size.clamp(min=tiny)
    return rough
