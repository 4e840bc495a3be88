"""The classification head whose Grad-CAM needs no gradient."""

import torch
from torch import nn

from sk_erts._lib.checks import check_number

__all__ = ["PooledLinear", "linear_after_pooling"]


class PooledLinear(nn.Module):
    """Average feature maps over time, then map them linearly to logits.

    Behind this head Grad-CAM has a closed form: the weight of channel ``k`` for
    class ``c`` is ``linear.weight[c, k] / n_times`` for every record. Dropout [2]_
    between the two, which only training knows, leaves it as it is.

    Parameters
    ----------
    n_channels : int
        Number of feature maps.
    n_classes : int
        Number of logits.
    dropout : float, default=0.0
        Probability with which training sets a channel of the average to zero, and
        multiplies the others by ``1 / (1 - dropout)``, in [0, 1). With 0 there is no
        module for it.

    Raises
    ------
    ValueError
        If `dropout` is not in [0, 1).

    References
    ----------
    .. [1] B. Zhou et al., "Learning deep features for discriminative
       localization", CVPR 2016, arXiv:1512.04150.
    .. [2] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import PooledLinear
    >>> PooledLinear(8, 3)(torch.zeros(4, 8, 50)).shape
    torch.Size([4, 3])
    """

    def __init__(self, n_channels: int, n_classes: int, dropout: float = 0.0) -> None:
        check_number(self, "dropout", dropout, least=0, below=1)
        super().__init__()
        self.dropout = nn.Dropout(dropout) if dropout > 0 else None
        self.linear = nn.Linear(n_channels, n_classes)

    def forward(
        self, z: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map feature maps to logits.

        Parameters
        ----------
        z : tensor of shape (n, channels, times)
            Feature maps, zero behind those of short records.
        lengths : int tensor of shape (n,), optional
            Steps of each record; by default all.

        Returns
        -------
        logits : tensor of shape (n, classes)
            One per class.
        """
        mean = z.mean(dim=-1) if lengths is None else z.sum(dim=-1) / lengths[:, None]
        if self.dropout is not None:
            mean = self.dropout(mean)
        logits: torch.Tensor = self.linear(mean)  # (n, channels) -> (n, classes)
        return logits


def linear_after_pooling(head: object) -> nn.Linear | None:
    """Return the linear layer of a head that averages over time first.

    A `PooledLinear` is recognised, and the same thing spelt out as
    ``Sequential(AdaptiveAvgPool1d(1), Flatten(), [Dropout(...)], Linear(...))``.

    Parameters
    ----------
    head : object
        What turns feature maps into logits; a module, a method or None.

    Returns
    -------
    linear : Linear or None
        None where the head is anything else.
    """
    if isinstance(head, PooledLinear):
        return head.linear
    if isinstance(head, nn.Sequential):
        match [layer for layer in head if not isinstance(layer, nn.Dropout)]:
            case [
                nn.AdaptiveAvgPool1d(output_size=1 | (1,)),
                nn.Flatten(start_dim=1, end_dim=-1),
                nn.Linear() as linear,
            ]:
                return linear
    return None
