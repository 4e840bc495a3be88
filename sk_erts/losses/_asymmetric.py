"""Binary cross-entropy that leaves the many absent labels aside."""

from __future__ import annotations

import torch
from torch.nn import functional

from sk_erts._lib.checks import check_number
from sk_erts.losses._reduce import Reducing


class AsymmetricLoss(Reducing):
    r"""Weigh the losses of present and absent labels at different rates [1]_.

    Most labels are absent from most records. Together these easy negatives outweigh
    the few positives; here they fade as they become easy, and are left out once they
    are easy enough.

    Parameters
    ----------
    gamma_positive : float, default=0.0
        How much less present labels weigh when they are easy, at least 0. At 0 they
        have their cross-entropy.
    gamma_negative : float, default=4.0
        The same of absent labels.
    margin : float, default=0.05
        Probability up to which an absent label costs nothing, from 0 to below 1.
    reduction : {"none", "mean", "sum"}, default="mean"
        What is done with the losses; :class:`~sk_erts.ERTSClassifier` sets ``"none"``.

    Raises
    ------
    ValueError
        If a parameter is not what it must be; when it is called, if records have one
        class each.

    See Also
    --------
    FocalLoss : One rate, also for one class per record.

    Notes
    -----
    With :math:`p` the sigmoid of a logit and :math:`p_m = \max(p - m, 0)`,

    .. math::

        L_+ = -(1 - p)^{\gamma_+} \log p, \qquad
        L_- = -p_m^{\gamma_-} \log(1 - p_m),

    the first of a label that is present, the second of one that is absent; a label in
    between has the mean of both by its value. With both rates and the margin at 0 this
    is binary cross-entropy.

    As absent labels weigh less, probabilities come out too high, and a threshold of one
    half is no longer where a label is as likely as not; choose thresholds on records of
    their own.

    References
    ----------
    .. [1] E. Ben-Baruch et al., "Asymmetric loss for multi-label classification", ICCV
       2021, arXiv:2009.14119.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.losses import AsymmetricLoss
    >>> logits = torch.tensor([[-4.0, -1.0, 4.0]])
    >>> codes = torch.zeros(1, 3)  # all three are absent
    >>> torch.nn.BCEWithLogitsLoss(reduction="none")(logits, codes)
    tensor([[0.0181, 0.3133, 4.0181]])
    >>> AsymmetricLoss(reduction="none")(logits, codes)
    tensor([[0.00...e+00, 5.67...e-04, 2.02...e+00]])

    In a classifier:

    >>> from sk_erts import ERTSClassifier
    >>> clf = ERTSClassifier(criterion=AsymmetricLoss, criterion__margin=0.0)
    """

    def __init__(
        self,
        gamma_positive: float = 0.0,
        gamma_negative: float = 4.0,
        margin: float = 0.05,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.gamma_positive = check_number(
            self, "gamma_positive", gamma_positive, least=0
        )
        self.gamma_negative = check_number(
            self, "gamma_negative", gamma_negative, least=0
        )
        self.margin = check_number(self, "margin", margin, least=0, below=1)

    def forward(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the loss of each record and label.

        Parameters
        ----------
        logits : tensor of shape (n, labels)
            What the network says.
        codes : tensor of shape (n, labels)
            Numbers from 0, absent, to 1, present.

        Returns
        -------
        losses : tensor of shape (n, labels), or of shape ()
            By `reduction`.
        """
        if codes.ndim == 1:
            raise ValueError(
                "AsymmetricLoss is for several labels per record, codes of shape (n, "
                f"n_labels). Got shape {tuple(codes.shape)} instead; for one class per "
                "record there is FocalLoss."
            )
        log_yes, log_no = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        present = -log_yes * (self.gamma_positive * log_no).exp()
        # log(1 - p_m): of 1 - p + m, but no more than 1.
        log_margin = logits.new_tensor(self.margin).log()
        log_no_m = torch.logaddexp(log_no, log_margin).clamp(max=0)
        # Below the margin p_m is 0, a power of which has no finite slope.
        tiny = torch.finfo(logits.dtype).tiny
        p_m = (-torch.expm1(log_no_m)).clamp(min=tiny)
        absent = (0 - log_no_m) * p_m.pow(self.gamma_negative)
        return self.reduced(codes * present + (1 - codes) * absent)
