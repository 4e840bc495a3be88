"""Class activation maps: what feature maps say, over time."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction, GradCAM
from sk_erts.attribution._method import Method

__all__ = [
    "GradCAMMaps",
    "GradCAMPlusPlusMaps",
    "HiResCAMMaps",
    "gradcam",
    "gradcam_plus_plus",
    "hirescam",
]


class GradCAMMaps(Method):
    r"""Return the Grad-CAM maps of records for one class each.

    Returns
    -------
    maps
        In units of the logit per feature time step; at least 0 unless `signed`.

    See Also
    --------
    GradCAM : The same on tensors, for any combination of logits.

    Notes
    -----
    :math:`A_t = \max(0, \sum_k w_k a_{kt})` with
    :math:`w_k = \frac1T \sum_t \partial y_c / \partial a_{kt}`.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.
    """

    name = "gradcam"
    axes = "times"
    takes_lengths = True

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        super().__init__(module)
        self.cam = GradCAM(module, layer)

    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        _, maps = self.cam.look(batch, direction)
        return maps


class HiResCAMMaps(GradCAMMaps):
    r"""Return HiResCAM maps, whose steps are weighed one by one.

    Behind a pooled linear head they are those of Grad-CAM. Behind any other, Grad-CAM
    averages the gradient over time before it weighs, and can point to steps that the
    network did not use; HiResCAM cannot.

    Returns
    -------
    maps
        At least 0 unless `signed`.

    Notes
    -----
    :math:`A_t = \max(0, \sum_k a_{kt} \, \partial y_c / \partial a_{kt})`.

    References
    ----------
    .. [1] R. L. Draelos, L. Carin, "Use HiResCAM instead of Grad-CAM for faithful
       explanations of convolutional neural networks", 2020, arXiv:2011.08891.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import gradcam, hirescam
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> bool(np.allclose(hirescam(network, X), gradcam(network, X), atol=1e-6))
    True
    """

    name = "hirescam"

    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        _, z, gradient = self.cam.gradients(batch, direction)
        # (n, channels, times) -> (n, times)
        return Signals((z.x * gradient).sum(dim=1), z.lengths)


class GradCAMPlusPlusMaps(GradCAMMaps):
    r"""Return Grad-CAM++ maps, in which several places of evidence count alike.

    Parameters
    ----------
    signed
        Keep negative values.

    Returns
    -------
    maps
        At least 0 unless `signed`. Weights of channels are never negative, so that a
        channel that speaks against the class is left out instead of counted against
        it.

    Notes
    -----
    With :math:`g = \partial y_c / \partial a`, the weight of a channel is
    :math:`w_k = \sum_t \alpha_{kt} \max(0, g_{kt})`,
    :math:`\alpha_{kt} = g_{kt}^2 / (2 g_{kt}^2 + \sum_s a_{ks} g_{kt}^3)`.

    References
    ----------
    .. [1] A. Chattopadhay et al., "Grad-CAM++", WACV 2018, arXiv:1710.11063.
    """

    name = "gradcam_plus_plus"

    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        _, z, gradient = self.cam.gradients(batch, direction)
        # The third derivative of exp(y) is the third power of the gradient of y.
        cubed = z.x.sum(dim=-1, keepdim=True) * gradient**3
        denominator = 2 * gradient**2 + cubed
        # Where the denominator is zero, so is the gradient.
        alpha = gradient**2 / torch.where(denominator == 0, 1, denominator)
        weights = (alpha * gradient.clamp(min=0)).sum(dim=-1)  # (n, channels)
        return Signals(torch.einsum("nkt,nk->nt", z.x, weights), z.lengths)


gradcam = as_function(GradCAMMaps)
gradcam_plus_plus = as_function(GradCAMPlusPlusMaps)
hirescam = as_function(HiResCAMMaps)
