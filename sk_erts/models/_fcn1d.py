"""A fully convolutional network over time."""

from sk_erts._network.heads import PooledLinear
from sk_erts.models._checks import check_dropout, check_sizes
from sk_erts.models._layers import ConvNorm, Features
from sk_erts.models._pooled import PooledNetwork

__all__ = ["FCN1d"]


class FCN1d(PooledNetwork):
    """Classify records with three convolutions and the average of what they find.

    The network of [1]_, called fcn_wang in the benchmark of PTB-XL [2]_. It keeps each
    time step, so that its maps are as fine as the record; a step sees 13 steps of the
    record, 0.13 s at 100 Hz: the shape of a beat, and no rhythm.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    width : int, default=128
        Channels of the first and the last convolution; the one between them has twice
        as many. The default has 0.27 million parameters.
    dropout : float, default=0.0
        Probability with which training sets a channel of the pooled features to zero,
        in [0, 1). With more than 0, ``predict_uncertainty`` can ask the network.

    Raises
    ------
    ValueError
        If a size is no int of at least one, or `dropout` is not in [0, 1).

    See Also
    --------
    InceptionTime1d : Keeps each time step too, and sees more of the record.

    Notes
    -----
    As in [1]_: convolutions of 128, 256 and 128 channels, batch normalisation, ReLU,
    average over time, one linear layer. Other than there: the first kernel has 7 steps
    in place of 8, so that feature maps stay centred on the signal. Other than in [2]_:
    the average alone is pooled, without the maximum, and one layer follows instead of
    two with dropout, so that Grad-CAM has a closed form.

    References
    ----------
    .. [1] Z. Wang, W. Yan, T. Oates, "Time series classification from scratch with deep
       neural networks: a strong baseline", IJCNN 2017, arXiv:1611.06455.
    .. [2] N. Strodthoff et al., "Deep learning for ECG analysis: benchmarks and
       insights from PTB-XL", IEEE JBHI 25(5), 2021, 10.1109/JBHI.2020.3022989.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import FCN1d
    >>> network = FCN1d(n_leads=12, n_classes=5, width=8)
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.features(x).shape  # (n, channels, times)
    torch.Size([2, 8, 1000])
    """

    def __init__(
        self, n_leads: int, n_classes: int, width: int = 128, dropout: float = 0.0
    ) -> None:
        check_sizes(self, n_leads=n_leads, n_classes=n_classes, width=width)
        check_dropout(self, dropout)
        super().__init__()
        self.features = Features(
            ConvNorm(n_leads, width, 7),
            ConvNorm(width, 2 * width, 5),
            ConvNorm(2 * width, width, 3),
        )
        self.head = PooledLinear(width, n_classes, dropout)
