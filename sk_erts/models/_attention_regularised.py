"""Any network with feature maps, with attention that learns where the evidence is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import nn

from sk_erts._lib.checks import refuse
from sk_erts._network.heads import linear_after_pooling
from sk_erts._network.network import Backbone
from sk_erts.models._attention import AttendingNetwork, Attention
from sk_erts.models._checks import check_dropout, check_sizes


class AttentionRegularised(AttendingNetwork):
    r"""Put attention, and the term of xECGNet [1]_, between features and head.

    A branch of two pointwise convolutions says of each step of the backbone's feature
    maps, between 0 and 1, how much it counts; weighed by it they go to the backbone's
    head. In training a term of the loss pulls the attention map of each record towards
    the mean response map of its true labels.

    Parameters
    ----------
    n_leads : int
        Number of leads of a record.
    n_classes : int
        Number of classes or labels.
    backbone : str, class or callable, default="resnet1d"
        A name for :func:`get_model`, or what makes a network from ``n_leads``,
        ``n_classes`` and `backbone_params`. It has ``features``, and a ``head`` that
        averages over time before one linear layer.
    backbone_params : mapping of str to object, optional
        Further parameters of the backbone.
    attention_weight : float, default=0.1
        Weight :math:`\gamma` of the term; 0 leaves it out, and not the attention.
    dropout : float, default=0.0
        Handed on to the backbone: probability with which training sets a channel of its
        pooled features to zero, in [0, 1). With more than 0, ``predict_uncertainty``
        can ask the network.

    Attributes
    ----------
    backbone : Module
        The network.

    Raises
    ------
    ValueError
        If the backbone has no feature maps or another head, has a penalty of its own,
        takes no dropout that it is to have, or a parameter is not what it must be; when
        it is called with `lengths`, if the backbone does not take them.

    See Also
    --------
    XECGNet : The network that the term was made for.

    Notes
    -----
    With feature maps :math:`z_k(t)` of the backbone and attention :math:`M(t)` the
    head is given :math:`a_k(t) = z_k(t) (1 + M(t))`, so that Grad-CAM keeps its closed
    form: :math:`\sum_k w_{ck} a_k(t) / T`. The term is that of :class:`XECGNet`, with
    the same :math:`a_k(t)`.

    References
    ----------
    .. [1] J. Yoo, T. J. Jun, Y.-H. Kim, "xECGNet: Fine-tuning attention map within
       convolutional neural network to improve detection and explainability of
       concurrent cardiac arrhythmias", Computer Methods and Programs in Biomedicine
       208, 2021, doi:10.1016/j.cmpb.2021.106281

    Examples
    --------
    >>> import torch
    >>> from sk_erts.models import AttentionRegularised
    >>> network = AttentionRegularised(
    ...     12, 5, backbone="lstm1d", backbone_params={"hidden": 8}
    ... ).eval()
    >>> x = torch.zeros(2, 12, 1000)
    >>> network(x).shape
    torch.Size([2, 5])
    >>> network.attention_map(x).shape
    torch.Size([2, 250])

    In a classifier, whose weight of the term can be searched:

    >>> from sk_erts import ERTSClassifier
    >>> clf = ERTSClassifier(
    ...     AttentionRegularised,
    ...     module__backbone="resnet1d",
    ...     module__backbone_params={"width": 16},
    ...     module__attention_weight=0.3,
    ... )
    """

    def __init__(
        self,
        n_leads: int,
        n_classes: int,
        backbone: str | Callable[..., nn.Module] = "resnet1d",
        backbone_params: Mapping[str, Any] | None = None,
        attention_weight: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        from sk_erts.models._registry import get_model  # which knows this class too

        super().__init__(attention_weight)
        check_sizes(self, n_leads=n_leads, n_classes=n_classes)
        check_dropout(self, dropout)
        make = get_model(backbone) if isinstance(backbone, str) else backbone
        params = dict(backbone_params or {})
        if dropout > 0:
            self._check_takes_dropout(make, params)
            params["dropout"] = dropout
        self.backbone = make(n_leads=n_leads, n_classes=n_classes, **params)
        name = type(self.backbone).__name__
        linear = linear_after_pooling(getattr(self.backbone, "head", None))
        if linear is None or not callable(getattr(self.backbone, "features", None)):
            wanted = (
                "make a network with 'features', and a 'head' that averages over time "
                "before one linear layer"
            )
            refuse(self, "backbone", wanted, name, "PooledLinear is such a head.")
        if callable(getattr(self.backbone, "penalty", None)):
            refuse(self, "backbone", "make a network without a penalty", name)
        self._takes_lengths = (
            callable(getattr(self.backbone, "feature_lengths", None))
            and "lengths" in inspect.signature(self.backbone.forward).parameters
        )
        self.attention = Attention(linear.in_features, n_classes)

    def _check_takes_dropout(
        self, make: Callable[..., nn.Module], params: Mapping[str, Any]
    ) -> None:
        """Refuse dropout that a backbone does not take, or has been given already."""
        if "dropout" in params:
            advice = "Leave it out of 'backbone_params'."
            refuse(self, "dropout", "be given once", "two of them", advice)
        taken = inspect.signature(make).parameters.values()
        if not any(p.name == "dropout" or p.kind is p.VAR_KEYWORD for p in taken):
            name = getattr(make, "__name__", type(make).__name__)
            wanted = "take 'dropout' if the network is to have it"
            refuse(self, "backbone", wanted, name)

    @property
    def head(self) -> nn.Module:
        """The head of the backbone."""
        # Registered there alone: saved weights hold no tensor twice.
        return cast(nn.Module, self.backbone.head)

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
        parts = cast(Backbone, self.backbone)
        if lengths is None:
            z, steps = parts.features(x), None
        else:
            steps = self.feature_lengths(lengths)
            z = parts.features(x, lengths)
        attention: torch.Tensor = self.attention(z, steps)
        return z * (1 + attention[:, None]), attention

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
        if not self._takes_lengths:
            refuse(
                self,
                "backbone",
                "take 'lengths' and have 'feature_lengths' for records of different "
                "lengths",
                type(self.backbone).__name__,
                "Bring the records to one length with sk_erts.preprocessing.FixLength.",
            )
        return cast(Backbone, self.backbone).feature_lengths(lengths)
