"""A recurrent network over time."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sk_erts._lib.checks import refuse
from sk_erts._network.heads import PooledLinear
from sk_erts._records.signals import inside
from sk_erts.models._checks import check_dropout, check_kernel_size, check_sizes
from sk_erts.models._padding import normalise, steps_after
from sk_erts.models._pooled import PooledNetwork

POOLINGS = ("mean", "last", "attention")


class LSTM1d(PooledNetwork):
    """Classify records with a long short-term memory [1]_ behind one convolution.

    The strided convolution makes `hidden` channels of the leads and leaves one time
    step in `stride`; the recurrent layers read these steps one after the other. Their
    hidden states are averaged over time before one linear layer, so that Grad-CAM has
    a closed form; or pooled otherwise.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    hidden : int, default=64
        Channels of the convolution, and hidden states of each direction.
    n_layers : int, default=1
        Recurrent layers.
    bidirectional : bool, default=True
        Whether each layer reads the record backwards too; this doubles the channels
        of the feature maps.
    stride : int, default=4
        Time steps per step of the feature maps, at most `kernel_size`.
    kernel_size : int, default=9
        Length of the convolution in time steps, odd so that feature maps stay centred
        on the signal.
    pooling : {"mean", "last", "attention"}, default="mean"
        What of the hidden states is classified: their mean; the last one of each
        direction, that of the end and that of the beginning; or a mean with weights
        that the network gives the steps (``network.head.weights(z)``), as in [2]_.
        Without the mean Grad-CAM costs a gradient, and by default candidates are
        judged by probabilities.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is no int of at least one, `kernel_size` is even, `stride` is longer
        than it, `dropout` is not in [0, 1), or there is no such `pooling`.

    See Also
    --------
    ResNet1d : A residual network.

    Notes
    -----
    Recurrent layers take one step after the other, so that their time is proportional
    to the length of the record, and a record of 1,000 steps is long: forwards and
    backwards through a batch of 64 of them with 12 leads and the default size takes
    1.7 s on one core at stride 1, 0.3 s at stride 4 and 0.1 s at stride 8.

    A hidden state knows of the whole record before it, with both directions of all of
    it. Maps over hidden states therefore point less sharply to the time of their
    evidence than those of a convolutional network; gradients with respect to the
    signal do not have this weakness.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation
       9(8), 1997, doi:10.1162/neco.1997.9.8.1735
    .. [2] Z. Yang et al., "Hierarchical attention networks for document
       classification", NAACL 2016, doi:10.18653/v1/N16-1174

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import LSTM1d
    >>> network = LSTM1d(n_leads=12, n_classes=5, hidden=8)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 16, 250])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        hidden: int = 64,
        n_layers: int = 1,
        bidirectional: bool = True,
        stride: int = 4,
        kernel_size: int = 9,
        pooling: str = "mean",
        dropout: float = 0.0,
    ) -> None:
        sizes = {"n_leads": n_leads, "n_classes": n_classes, "hidden": hidden}
        check_sizes(self, **sizes, n_layers=n_layers, stride=stride)
        check_kernel_size(self, kernel_size)
        if stride > kernel_size:
            wanted = f"be at most 'kernel_size', {kernel_size!r}"
            advice = "No time step may be left out."
            refuse(self, "stride", wanted, repr(stride), advice)
        check_dropout(self, dropout)
        if not isinstance(pooling, str) or pooling not in POOLINGS:
            refuse(self, "pooling", f"be one of {list(POOLINGS)}", repr(pooling))
        super().__init__()
        self.features = _Recurrence(
            nn.Conv1d(
                n_leads, hidden, kernel_size, stride, kernel_size // 2, bias=False
            ),
            nn.LSTM(
                hidden, hidden, n_layers, batch_first=True, bidirectional=bidirectional
            ),
        )
        n_channels = hidden * (1 + bidirectional)
        if pooling == "last":
            self.head = LastState(n_channels, n_classes, dropout, n_forwards=hidden)
        elif pooling == "attention":
            self.head = AttentionPooling(n_channels, n_classes, dropout)
        else:
            self.head = PooledLinear(n_channels, n_classes, dropout)


class LastState(nn.Module):
    """Map the last state of each direction to logits.

    Parameters
    ----------
    n_channels, n_classes : int
        Hidden states, of both directions, and logits.
    dropout : float
        Probability with which training sets a state to zero.
    n_forwards : int
        Hidden states of the direction that reads forwards; they come first.
    """

    def __init__(
        self, n_channels: int, n_classes: int, dropout: float, n_forwards: int
    ) -> None:
        super().__init__()
        self.n_forwards = n_forwards
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.linear = nn.Linear(n_channels, n_classes)

    def forward(
        self, z: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map hidden states (n, channels, steps) to logits (n, classes)."""
        forwards, backwards = z[:, : self.n_forwards], z[:, self.n_forwards :]
        if lengths is None:
            end = forwards[..., -1]
        else:
            at = (lengths - 1)[:, None, None].expand(-1, forwards.shape[1], 1)
            end = forwards.gather(2, at)[..., 0]
        states = torch.cat([end, backwards[..., 0]], dim=1)
        logits: torch.Tensor = self.linear(self.dropout(states))
        return logits


class AttentionPooling(nn.Module):
    """Map a mean of states, with weights that add up to one, to logits.

    Parameters
    ----------
    n_channels, n_classes : int
        Hidden states, of both directions, and logits.
    dropout : float
        Probability with which training sets a channel of the mean to zero.
    """

    def __init__(self, n_channels: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(n_channels, n_channels, 1)
        self.tanh = nn.Tanh()
        self.score = nn.Conv1d(n_channels, 1, 1, bias=False)
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.linear = nn.Linear(n_channels, n_classes)

    def weights(
        self, z: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return what each step of (n, channels, steps) weighs, (n, steps)."""
        scores = self.score(self.tanh(self.hidden(z)))[:, 0]
        if lengths is not None:
            behind = ~inside(lengths, z.shape[-1])
            scores = scores.masked_fill(behind, -torch.inf)
        weights: torch.Tensor = scores.softmax(dim=1)
        return weights

    def forward(
        self, z: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map hidden states (n, channels, steps) to logits (n, classes)."""
        mean = (z * self.weights(z, lengths)[:, None]).sum(dim=2)
        logits: torch.Tensor = self.linear(self.dropout(mean))
        return logits


class _Recurrence(nn.Module):
    """Convolution, normalisation and recurrent layers."""

    def __init__(self, convolution: nn.Conv1d, lstm: nn.LSTM) -> None:
        super().__init__()
        (self.stride,) = convolution.stride
        self.convolution = convolution
        self.norm = nn.BatchNorm1d(convolution.out_channels)
        self.lstm = lstm

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map (n, leads, times) to (n, channels, steps), zero behind each record."""
        if lengths is None:
            z = functional.relu(self.norm(self.convolution(x)))
            with self._differentiable():
                states, _ = self.lstm(z.transpose(1, 2))  # (n, steps, channels)
        else:
            z = self.convolution(x * inside(lengths, x.shape[-1])[:, None])
            steps, n_steps = steps_after(self.stride, lengths), z.shape[-1]
            z = functional.relu(normalise(self.norm, z, inside(steps, n_steps)))
            # So that each record is read backwards from its own end.
            packed = pack_padded_sequence(
                z.transpose(1, 2), steps.cpu(), batch_first=True, enforce_sorted=False
            )
            with self._differentiable():
                packed_states, _ = self.lstm(packed)
            states, _ = pad_packed_sequence(
                packed_states, batch_first=True, total_length=n_steps
            )
        result: torch.Tensor = states.transpose(1, 2)
        return result

    def _differentiable(self) -> AbstractContextManager[None]:
        """Leave cuDNN where it cannot differentiate: in evaluation mode."""
        if self.training or not torch.is_grad_enabled():
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=False)
