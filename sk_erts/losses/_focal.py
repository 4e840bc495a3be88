"""Cross-entropy that leaves what is easy aside."""

from __future__ import annotations

import torch
from torch.nn import functional

from sk_erts._lib.checks import check_number
from sk_erts.losses._reduce import Reducing


class FocalLoss(Reducing):
    r"""Weigh cross-entropy by how far the network is from the truth [1]_.

    Parameters
    ----------
    gamma : float, default=2.0
        How much less easy records weigh, at least 0; 0 is cross-entropy.
    reduction : {"none", "mean", "sum"}, default="mean"
        What is done with the losses; :class:`~sk_erts.ERTSClassifier` sets ``"none"``.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.

    See Also
    --------
    AsymmetricLoss : Of several labels, present and absent ones at different rates.

    Notes
    -----
    With :math:`p` the probability of the truth,

    .. math:: L = -(1 - p)^\gamma \log p.

    One class per record: :math:`p` is the softmax of its logit, where the paper has
    sigmoids alone. Several labels: for each, :math:`p` is the sigmoid of its logit if
    it is present, and 1 minus that if it is absent; a label in between, such as one
    that was softened, has the mean of both losses by its value.

    The factor :math:`\alpha` of the paper weighs classes whatever the network says of
    them: that is `class_weight` of :class:`~sk_erts.ERTSClassifier`.

    A network trained with it is less sure than it could be: the loss rewards
    probabilities nearer to the middle than the frequencies. See
    :func:`~sk_erts.metrics.expected_calibration_error`.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017,
       arXiv:1708.02002.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.losses import FocalLoss
    >>> logits = torch.tensor([[4.0, 0.0], [0.0, 4.0]])
    >>> codes = torch.tensor([0, 0])  # the first record is easy
    >>> FocalLoss(gamma=0, reduction="none")(logits, codes)
    tensor([0.0181, 4.0181])
    >>> FocalLoss(reduction="none")(logits, codes)
    tensor([5.87...e-06, 3.87...e+00])

    In a classifier:

    >>> from sk_erts import ERTSClassifier
    >>> clf = ERTSClassifier(criterion=FocalLoss, criterion__gamma=1.0)
    """

    def __init__(self, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.gamma = check_number(self, "gamma", gamma, least=0)

    def forward(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the loss of each record, or of each record and label.

        Parameters
        ----------
        logits : tensor of shape (n, classes)
            What the network says.
        codes : tensor of shape (n,) or (n, classes)
            Class indices, or for several labels numbers from 0 to 1.

        Returns
        -------
        losses : tensor of the shape of `codes`, or of shape ()
            By `reduction`.
        """
        if codes.ndim > 1:
            present = self._of(functional.logsigmoid(logits), -logits)
            absent = self._of(functional.logsigmoid(-logits), logits)
            return self.reduced(codes * present + (1 - codes) * absent)
        log_p = functional.log_softmax(logits, dim=1)
        own = functional.one_hot(codes, logits.shape[1]).bool()
        # By the logit against all others the class is one of two, with sigmoids.
        others = logits.masked_fill(own, -torch.inf).logsumexp(dim=1)
        return self.reduced(self._of(log_p[own], others - logits[own]))

    def _of(self, log_p: torch.Tensor, against: torch.Tensor) -> torch.Tensor:
        """Return losses, given log p and the logit of 1 - p."""
        # In logarithms, as powers of zero have no finite slope.
        return -log_p * (self.gamma * functional.logsigmoid(against)).exp()
