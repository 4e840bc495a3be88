"""A recurrent network whose next state is a tensor power of the last one."""

from __future__ import annotations

from math import expm1, log, log10

import torch
from torch import nn
from torch.nn import functional

from sk_erts._lib.checks import check_number, refuse
from sk_erts._network.heads import PooledLinear
from sk_erts.models._checks import check_dropout, check_kernel_size, check_sizes
from sk_erts.models._layers import ConvNorm, Features, Layer, own_steps
from sk_erts.models._pooled import PooledNetwork

__all__ = ["TensorPowerLayer", "TensorPowerRNN1d"]

# Steps after which the slowest state has forgotten two thirds, at first.
LONGEST = 1000.0
# So that the logarithm in the gradient of the degree is finite at 0.
TINY = 1e-6


class TensorPowerLayer(nn.Module):
    r"""Read a sequence with states that are a tensor power of input and last state.

    It is called like ``torch.nn.LSTM(batch_first=True)``, and goes on where it was if
    it is given the last state: so it serves to classify sequences and to continue them.

    Parameters
    ----------
    n_inputs : int
        Channels of the sequence.
    hidden : int
        Number of states.
    rank : int
        Terms of the tensor, :math:`R` below.
    degree : float, default=2.0
        Of the tensor power at first, above 1; it is learned.

    Attributes
    ----------
    degree : tensor of shape ()
        As it has been learned, above 1.

    Raises
    ------
    ValueError
        If a size is below one, or `degree` is not above 1.

    See Also
    --------
    TensorPowerRNN1d : Classify records by it.

    Notes
    -----
    A tensor-power recurrence of degree :math:`p` multiplies a tensor
    :math:`\mathcal G` with :math:`p` copies of what the cell sees,
    :math:`u_t = (x_t, h_{t-1}, 1)`. If the tensor is a sum of :math:`R` symmetric terms
    (a CP decomposition of low rank), that is a power of :math:`R` numbers,

    .. math:: \mathcal G \, u_t^{\otimes p}
        = \sum_{r=1}^R a_r \, \langle b_r, u_t \rangle^p ,

    where :math:`p` may be any real number, and be learned with everything else. A
    product of two inputs, such as a value and a sign that it counts, is part of degree
    2 and not of degree 1. The layer computes

    .. math:: v_t = \tanh(B u_t), \qquad
        q_t = v_t \, |v_t|^{p - 1}, \qquad
        h_t = k \odot h_{t-1} + \sqrt{1 - k^2} \odot A q_t .

    **What keeps it stable.** A power of degree above 1 makes small states smaller and
    great states greater. So each product goes through a hyperbolic tangent before its
    power is taken, and each state keeps a learned share :math:`0 < k_i < 1` of itself:
    whatever the degree and the input,
    :math:`|h_{t,i}| \le \sqrt{(1 + k_i) / (1 - k_i)} \sum_r |A_{ir}|`. At first the
    shares belong to time constants from 1 to 1,000 steps, in equal ratios.

    As in [1]_ and [2]_: the tensor power, its low rank, the real degree learned by
    gradient descent. Other than there: the sign is kept, since a real power of a
    negative number is none; the hyperbolic tangent; the shares. The memory over
    hundreds of steps begins with the shares; what the degree adds to it, at the same
    size, ``python -m benchmarks.long_memory`` tells beside plain and LSTM networks.

    References
    ----------
    .. [1] H. Qiu et al., "On the memory mechanism of tensor-power recurrent models",
       AISTATS 2021, arXiv:2103.01521.
    .. [2] H. Qiu et al., "Fractional tensor recurrent unit (fTRU): a stable forecasting
       model with long memory", IEEE TNNLS 36(2), 2025, 10.1109/TNNLS.2023.3338696.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import TensorPowerLayer
    >>> layer = TensorPowerLayer(n_inputs=2, hidden=8, rank=4)
    >>> states, last = layer(torch.zeros(3, 50, 2))
    >>> states.shape, last.shape  # (n, times, hidden), (n, hidden)
    (torch.Size([3, 50, 8]), torch.Size([3, 8]))
    >>> more, last = layer(torch.zeros(3, 10, 2), last)  # goes on
    >>> round(layer.degree.item(), 2)
    2.0
    """

    def __init__(
        self, n_inputs: int, hidden: int, rank: int, degree: float = 2.0
    ) -> None:
        check_sizes(self, n_inputs=n_inputs, hidden=hidden, rank=rank)
        degree = check_number(self, "degree", degree, above=1)
        super().__init__()
        self.hidden = hidden
        self.read_input = nn.Linear(n_inputs, rank)
        self.read_state = nn.Linear(hidden, rank, bias=False)
        self.write = nn.Linear(rank, hidden, bias=False)
        nn.init.normal_(self.write.weight, std=rank**-0.5)
        self.excess = nn.Parameter(torch.tensor(log(expm1(degree - 1))))
        steps = torch.logspace(0, log10(LONGEST), hidden)
        self.keep = nn.Parameter(steps.log())  # of which sigmoid is steps / (1 + steps)

    @property
    def degree(self) -> torch.Tensor:
        """Degree of the tensor power."""
        return 1 + functional.softplus(self.excess)

    def forward(
        self, x: torch.Tensor, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map a sequence to its states.

        Parameters
        ----------
        x : tensor of shape (n, times, inputs)
            Sequences.
        state : tensor of shape (n, hidden), optional
            Where they begin; by default at zero.

        Returns
        -------
        states : tensor of shape (n, times, hidden)
            After each step.
        last : tensor of shape (n, hidden)
            After the last one, where another sequence can go on.
        """
        keep = self.keep.sigmoid()  # (hidden,)
        write = self.write.weight.T * (1 - keep**2).sqrt()  # (rank, hidden)
        read = self.read_state.weight.T  # (hidden, rank)
        half = (self.degree - 1) / 2
        tiny = x.new_tensor(TINY)
        if state is None:
            # A length would be a constant of an exported network.
            state = x.new_zeros(x.shape[0], self.hidden)
        states = []
        for seen in self.read_input(x).unbind(dim=1):  # (n, rank)
            v = torch.addmm(seen, state, read).tanh()
            q = v * torch.addcmul(tiny, v, v).pow(half)  # v |v| ** (degree - 1)
            state = torch.addmm(keep * state, q, write)
            states.append(state)
        return torch.stack(states, dim=1), state


class TensorPowerRNN1d(PooledNetwork):
    r"""Classify records with a recurrence by a tensor power of learned degree.

    A strided convolution makes channels of the leads and leaves one time step in
    `stride`; a `TensorPowerLayer` [1]_ [2]_ reads these steps one after the other. Its
    states are averaged over time before one linear layer, so that Grad-CAM has a closed
    form.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    hidden : int, default=64
        Channels of the convolution, and number of states.
    rank : int, default=32
        Terms of the tensor.
    degree : float, default=2.0
        Of the tensor power at first, above 1; it is learned.
    stride : int, default=4
        Time steps per step of the feature maps, at most `kernel_size`.
    kernel_size : int, default=9
        Length of the convolution in time steps, odd so that feature maps stay centred
        on the signal.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is below one, `degree` is not above 1, `kernel_size` is even,
        `stride` is longer than it, or `dropout` is not in [0, 1).

    See Also
    --------
    TensorPowerLayer : The recurrence, for sequences of any kind; formula and bounds.
    LSTM1d : Another recurrent network.

    Notes
    -----
    Each step waits for the one before it, and takes seven small operations, so that the
    time is proportional to the number of steps. A stride of 4 leaves 250 of 10 s at
    100 Hz.

    It reads a record forwards only, and its states carry what came before: on PTB-XL
    Grad-CAM of it was worse than chance, and integrated gradients told what it used.
    As in the papers the degree is learned and the rank low; other than there a
    convolution comes first, and states are averaged in place of reading the last one,
    so that long records are no longer on the way back to their beginning.

    References
    ----------
    .. [1] H. Qiu et al., "On the memory mechanism of tensor-power recurrent models",
       AISTATS 2021, arXiv:2103.01521.
    .. [2] H. Qiu et al., "Fractional tensor recurrent unit (fTRU): a stable forecasting
       model with long memory", IEEE TNNLS 36(2), 2025, 10.1109/TNNLS.2023.3338696.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import TensorPowerRNN1d
    >>> network = TensorPowerRNN1d(n_leads=12, n_classes=5, hidden=8, rank=4)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 8, 250])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        hidden: int = 64,
        rank: int = 32,
        degree: float = 2.0,
        stride: int = 4,
        kernel_size: int = 9,
        dropout: float = 0.0,
    ) -> None:
        sizes = {"n_leads": n_leads, "n_classes": n_classes, "hidden": hidden}
        check_sizes(self, **sizes, rank=rank, stride=stride)
        check_kernel_size(self, kernel_size)
        check_number(self, "degree", degree, above=1)
        if stride > kernel_size:
            wanted = f"be at most 'kernel_size', {kernel_size!r}"
            advice = "No time step may be left out."
            refuse(self, "stride", wanted, repr(stride), advice)
        check_dropout(self, dropout)
        super().__init__()
        self.features = Features(
            ConvNorm(n_leads, hidden, kernel_size, stride),
            _States(TensorPowerLayer(hidden, hidden, rank, degree)),
        )
        self.head = PooledLinear(hidden, n_classes, dropout)


class _States(Layer):
    """The states of a recurrence as feature maps."""

    def __init__(self, recurrence: TensorPowerLayer) -> None:
        super().__init__()
        self.recurrence = recurrence

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, channels, steps) to (n, hidden, steps), zero behind each record."""
        states, _ = self.recurrence(x.transpose(1, 2))  # (n, steps, hidden)
        z: torch.Tensor = states.transpose(1, 2)
        mask = own_steps(z, lengths)
        return z if mask is None else z * mask[:, None]
