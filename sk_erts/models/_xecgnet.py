"""A convolutional network whose attention learns where the labels' evidence is."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._network.heads import PooledLinear
from sk_erts.models._attention import AttendingNetwork, Attention
from sk_erts.models._checks import check_dropout, check_kernel_size, check_sizes
from sk_erts.models._layers import Chain, ConvNorm, Features, Residual
from sk_erts.models._padding import steps_after


class XECGNet(AttendingNetwork):
    r"""Classify records with a convolutional network that has an attention map [1]_.

    Convolutions make feature maps; a branch says of each of their steps, between 0
    and 1, how much it counts; behind it a residual block and one linear layer over the
    mean of time classify, so that Grad-CAM has a closed form. In training a term of
    the loss pulls the attention map of each record towards the mean response map of
    its true labels.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=32
        Channels of the first stage; each further one has twice as many.
    n_stages : int, default=4
        Stages of two convolutions each, the first of which halves the time axis.
    kernel_size : int, default=7
        Length of the convolutions in time steps, odd so that feature maps stay
        centred on the signal.
    attention_weight : float, default=0.1
        Weight :math:`\gamma` of the term; 0 leaves it out.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is below one, `kernel_size` is even, `attention_weight` is below
        zero, or `dropout` is not in [0, 1).

    See Also
    --------
    AttentionRegularised : The same term for other networks.
    sk_erts.metrics.subset_accuracy : The measure that the paper proposes.

    Notes
    -----
    With feature maps :math:`z_k(t)` of the stages, attention
    :math:`M(t) = \sigma(\ldots)` of two convolutions over them, feature maps
    :math:`a_k(t)` of the residual block over :math:`z_k(t) (1 + M(t))` and weights
    :math:`w_{ck}` of the linear layer, the response of class :math:`c` is its class
    activation map,

    .. math:: R_c(t) = \max\Bigl(0, \sum_k w_{ck} \, a_k(t)\Bigr),

    and the loss of a record with the true labels :math:`Y`, over :math:`T` steps, is

    .. math::

        L + \gamma \sqrt{\frac1T \sum_t \bigl(M(t) - \bar R(t)\bigr)^2}, \qquad
        \bar R(t) = \frac{1}{|Y|} \sum_{c \in Y} \frac{R_c(t)}{\max_s R_c(s)}.

    As in the paper: the attention branch and its residual use, both of [2]_; the mean
    response to the true labels as reference, so that the map of a record with several
    shows all of them; the L2 norm as one more term of the objective.

    Different: the responses are those of the layer that classifies, where the paper
    has an attention branch with a prediction and a loss of its own. Each is divided by
    its maximum, and the norm by the root of the number of steps, so that neither
    confident labels nor long records weigh more. Labels without any positive response
    are left out. The reference is held fixed in the step: the term moves attention,
    not what it is compared with. Convolutions with strides halve the time where the
    paper pools. The sizes of the layers are this package's.

    In evaluation mode the network returns logits alone, and no term is added.

    References
    ----------
    .. [1] J. Yoo, T. J. Jun, Y.-H. Kim, "xECGNet: Fine-tuning attention map within
       convolutional neural network to improve detection and explainability of
       concurrent cardiac arrhythmias", Computer Methods and Programs in Biomedicine
       208, 2021, doi:10.1016/j.cmpb.2021.106281
    .. [2] H. Fukui et al., "Attention branch network: learning of attention mechanism
       for visual explanation", CVPR 2019, arXiv:1812.10025.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import XECGNet
    >>> network = XECGNet(n_leads=12, n_classes=5, width=8).eval()
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.attention_map(x).shape
    torch.Size([2, 63])
    >>> output = network.train()(x)
    >>> network.penalty(output, torch.tensor([0, 3])).shape
    torch.Size([2])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 32,
        n_stages: int = 4,
        kernel_size: int = 7,
        attention_weight: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(attention_weight)
        check_sizes(
            self, n_leads=n_leads, n_classes=n_classes, width=width, n_stages=n_stages
        )
        check_kernel_size(self, kernel_size)
        check_dropout(self, dropout)
        layers = []
        n_channels = n_leads
        for stage in range(n_stages):
            n_out = width * 2**stage
            layers.append(ConvNorm(n_channels, n_out, kernel_size, stride=2))
            layers.append(ConvNorm(n_out, n_out, kernel_size))
            n_channels = n_out
        self.stages = Features(*layers)
        self.attention = Attention(n_channels, n_classes)
        n_hidden = max(1, n_channels // 4)
        bottleneck = Chain(
            ConvNorm(n_channels, n_hidden),
            ConvNorm(n_hidden, n_hidden, kernel_size),
            ConvNorm(n_hidden, n_channels, activation=nn.Identity),
        )
        self.block = Residual(bottleneck, activation=nn.ReLU)
        self.head = PooledLinear(n_channels, n_classes, dropout)

    def attend(
        self, x: torch.Tensor, lengths: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map records to feature maps, which attention has weighed, and attention.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records.
        lengths : int tensor of shape (n,) or None
            Where each record ends; None is at the end of the tensor.

        Returns
        -------
        z : tensor of shape (n, channels, steps)
            Feature maps, zero behind each record.
        attention : tensor of shape (n, steps)
            Between 0 and 1, and zero behind each record.
        """
        z = self.stages(x, lengths)
        steps = None if lengths is None else self.feature_lengths(lengths)
        attention: torch.Tensor = self.attention(z, steps)
        return self.block(z * (1 + attention[:, None]), steps), attention

    def feature_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return how many steps of the feature maps belong to records.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            Time steps of their feature maps.
        """
        return steps_after(self.stages.stride, lengths)
