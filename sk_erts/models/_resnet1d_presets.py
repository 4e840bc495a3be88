"""Residual networks of the sizes that have names."""

from __future__ import annotations

from sk_erts.models._resnet1d import ResNet1d

__all__ = ["ResNet1d18", "ResNet1d34"]


class ResNet1d18(ResNet1d):
    """Classify records with the 18-layer residual network over time.

    `ResNet1d` of the depth and width of ResNet-18 [1]_.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=64
        Channels of the first stage. The default has 8.7 million parameters.
    kernel_size : int, default=7
        Length of the convolutions in time steps, odd so that feature maps stay centred
        on the signal.
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
    ResNet1d : Any number of blocks; what is other than in the paper.

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", CVPR 2016,
       arXiv:1512.03385.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import ResNet1d18
    >>> ResNet1d18(n_leads=12, n_classes=5, width=8)(torch.zeros(2, 12, 1000)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 64,
        kernel_size: int = 7,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(n_leads, n_classes, width, (2, 2, 2, 2), kernel_size, dropout)


class ResNet1d34(ResNet1d):
    """Classify records with the 34-layer residual network over time.

    `ResNet1d` of the depth and width of ResNet-34 [1]_.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=64
        Channels of the first stage. The default has 16.6 million parameters.
    kernel_size : int, default=7
        Length of the convolutions in time steps, odd so that feature maps stay centred
        on the signal.
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
    ResNet1d : Any number of blocks; what is other than in the paper.

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", CVPR 2016,
       arXiv:1512.03385.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import ResNet1d34
    >>> ResNet1d34(n_leads=12, n_classes=5, width=8)(torch.zeros(2, 12, 1000)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        width: int = 64,
        kernel_size: int = 7,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(n_leads, n_classes, width, (3, 4, 6, 3), kernel_size, dropout)
