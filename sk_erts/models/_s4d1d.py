"""A state-space network over time."""

from __future__ import annotations

from math import log, pi, sqrt

import torch
from torch import nn

from sk_erts._network.heads import PooledLinear
from sk_erts.models._checks import check_dropout, check_sizes
from sk_erts.models._layers import ConvNorm, Features, Layer, own_steps
from sk_erts.models._padding import normalise
from sk_erts.models._pooled import PooledNetwork

__all__ = ["S4D1d"]

# Between which a step of the record is drawn, in units of the time of the states.
LEAST_STEP, MOST_STEP = 0.001, 0.1


class S4D1d(PooledNetwork):
    r"""Classify records with diagonal state spaces, which remember over seconds.

    Each layer passes each channel through linear differential equations with learnable
    decays and frequencies (S4D [1]_), once forwards and once backwards in time, then
    mixes the channels. It takes the place of a recurrent network, but is computed for
    all time steps at once.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=128
        Channels. The default has 0.16 million parameters.
    n_layers : int, default=4
        State-space layers.
    n_states : int, default=8
        Complex states of each channel. With their conjugates they are twice as many,
        which is what [1]_ counts.
    stride : int, default=1
        Time steps per step of the feature maps. The convolution before the first layer
        is ``2 * stride - 1`` steps long.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is no int of at least one, or `dropout` is not in [0, 1).

    See Also
    --------
    LSTM1d : A recurrent network.

    Notes
    -----
    **Why this one.** On PTB-XL, state-space layers were better than the convolutional
    networks of its benchmark, and at 100 Hz as good as at 500 Hz [2]_. A few diagonal
    ones classified abnormalities of 12 leads, and of one alone [3]_. Of eight
    pretrained networks, one of state spaces led in five of seven kinds of tasks, though
    far smaller than others [4]_; under equal pretraining they were better than
    transformers and convolutions [5]_. The diagonal form is the simplest: its
    convolution is a sum of damped oscillations, and needs torch alone.

    **What it computes.** For each channel, with input :math:`u`, states :math:`n` and
    step :math:`\Delta`,

    .. math:: K_l = 2 \mathrm{Re} \sum_n C_n \frac{e^{\Delta A_n} - 1}{A_n}
        e^{\Delta A_n l}, \qquad
        y_t = D u_t + \sum_{s \le t} K_{t-s} u_s + \sum_{s > t} K'_{s-t-1} u_s .

    It begins with :math:`A_n = -\frac12 + i \pi n` (S4D-Lin) and :math:`\Delta` between
    0.001 and 0.1. Both directions share :math:`A` and :math:`\Delta`, and have weights
    :math:`C` and :math:`C'` of their own. It looks both ways because a record is
    complete when it is classified: what a wave means depends on what follows. The sums
    are computed by Fourier transform; zeros behind a record add nothing to them.

    As in [2]_: four layers, both directions, gated mixing (GLU), average over time, one
    linear layer. Other than there: the diagonal form in place of S4; 128 channels in
    place of 512, for processors; batch normalisation, before each layer and behind the
    last, in place of layer normalisation, since it is linear in a trained network, so
    that a record's amplitude is not lost and maps of gradients have less to explain; no
    dropout between layers; one learning rate for all parameters.

    Forwards and backwards through a batch of 32 records of 1,000 steps with 12 leads
    takes 2.7 s on one core at the default size; 1.0 s at stride 2, 0.4 s at stride 4.

    Its feature maps know of the whole record. As with `LSTM1d`, maps over them point
    less sharply to the time of their evidence than those of a convolutional network.
    DeepLIFT and guided Grad-CAM have no rule for GELU and gates.

    References
    ----------
    .. [1] A. Gu, A. Gupta, K. Goel, C. Ré, "On the parameterization and initialization
       of diagonal state space models", NeurIPS 2022, arXiv:2206.11893.
    .. [2] T. Mehari, N. Strodthoff, "Towards quantitative precision for ECG analysis:
       leveraging state space models, self-supervision and patient metadata", 2023,
       arXiv:2308.15291.
    .. [3] Z. Huang et al., "S4D-ECG: a shallow state-of-the-art model for cardiac
       abnormality classification", Cardiovascular Engineering and Technology 15(3),
       2024, 10.1007/s13239-024-00716-3.
    .. [4] M. A. Al-Masud, J. M. Lopez Alcaraz, N. Strodthoff, "Benchmarking ECG FMs: a
       reality check across clinical tasks", ICLR 2026, arXiv:2509.25095.
    .. [5] M. A. Al-Masud, N. Strodthoff, "Pretraining strategies and scaling for ECG
       foundation models: a systematic study", 2026, arXiv:2605.12241.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import S4D1d
    >>> network = S4D1d(n_leads=12, n_classes=5, width=8)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 8, 1000])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 128,
        n_layers: int = 4,
        n_states: int = 8,
        stride: int = 1,
        dropout: float = 0.0,
    ) -> None:
        sizes = {"n_leads": n_leads, "n_classes": n_classes, "width": width}
        sizes |= {"n_layers": n_layers, "n_states": n_states, "stride": stride}
        check_sizes(self, **sizes)
        check_dropout(self, dropout)
        super().__init__()
        self.features = Features(
            ConvNorm(n_leads, width, 2 * stride - 1, stride, activation=nn.Identity),
            *(_Block(width, n_states) for _ in range(n_layers)),
            _Norm(width),
        )
        self.head = PooledLinear(width, n_classes, dropout)


class _Norm(Layer):
    """Batch normalisation of the steps that belong to records."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(n_channels)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (n, channels, times) of the same shape."""
        return normalise(self.norm, x, own_steps(x, lengths))


class _Block(Layer):
    """Add to the input what state spaces make of it, with the channels mixed."""

    def __init__(self, n_channels: int, n_states: int) -> None:
        super().__init__()
        self.norm = _Norm(n_channels)
        self.states = _StateSpaces(n_channels, n_states)
        self.activation = nn.GELU()
        self.mix = nn.Conv1d(n_channels, 2 * n_channels, 1)
        self.gate = nn.GLU(dim=1)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (n, channels, times) of the same shape."""
        z = self.activation(self.states(self.norm(x, lengths)))
        # What this leaves behind a record the next normalisation clears.
        result: torch.Tensor = x + self.gate(self.mix(z))
        return result


class _StateSpaces(nn.Module):
    """A state space for each channel, forwards and backwards in time."""

    def __init__(self, n_channels: int, n_states: int) -> None:
        super().__init__()
        shape = (n_channels, n_states)
        span = log(MOST_STEP) - log(LEAST_STEP)
        self.log_step = nn.Parameter(log(LEAST_STEP) + span * torch.rand(n_channels, 1))
        self.log_decay = nn.Parameter(torch.full(shape, log(0.5)))
        self.frequency = nn.Parameter(
            (pi * torch.arange(n_states)).repeat(n_channels, 1)
        )
        # Real and imaginary parts, which optimisers and exporters know better than
        # complex numbers: (2, directions, channels, states).
        self.weight = nn.Parameter(torch.randn(2, 2, *shape) * sqrt(0.5))
        self.skip = nn.Parameter(torch.randn(n_channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, times), zero behind each record, to the same shape."""
        n_times = x.shape[-1]
        # There is no Fourier transform in half precision.
        dtype = torch.promote_types(x.dtype, torch.float32)
        forwards, backwards = self.kernels(n_times).to(dtype)  # (channels, times) each
        # On a circle of twice the length what looks back meets what looks ahead only
        # where the zeros are.
        around = torch.cat([forwards, backwards.flip(-1)], dim=-1)
        spectrum = torch.fft.rfft(x.to(dtype), 2 * n_times) * torch.fft.rfft(around)
        y: torch.Tensor = torch.fft.irfft(spectrum, 2 * n_times)[..., :n_times]
        return y.to(x.dtype) + self.skip * x

    def kernels(self, n_times: int) -> torch.Tensor:
        """Return what an impulse leaves behind, (directions, channels, times)."""
        step, decay = self.log_step.exp(), self.log_decay.exp()
        a, w = step * decay, step * self.frequency  # (channels, states)
        # (exp(dA) - 1) / A, with A = -decay + i frequency.
        real, imaginary = (-a).exp() * w.cos() - 1, (-a).exp() * w.sin()
        size = decay**2 + self.frequency**2
        held_real = (self.frequency * imaginary - decay * real) / size
        held_imaginary = -(self.frequency * real + decay * imaginary) / size
        c_real, c_imaginary = self.weight
        on_cosines = c_real * held_real - c_imaginary * held_imaginary
        on_sines = c_real * held_imaginary + c_imaginary * held_real
        times = torch.arange(n_times, device=a.device)
        envelope = (-a[..., None] * times).exp()  # (channels, states, times)
        phase = w[..., None] * times
        cosines = _summed(on_cosines, envelope * phase.cos())
        sines = _summed(on_sines, envelope * phase.sin())
        return 2 * (cosines - sines)


def _summed(weights: torch.Tensor, waves: torch.Tensor) -> torch.Tensor:
    """Return weighed sums of the waves of states, (directions, channels, times)."""
    sums: torch.Tensor = torch.einsum("dhn,hnt->dht", weights, waves)
    return sums
