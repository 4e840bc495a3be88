"""Class activation maps: what feature maps say, over time."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from sk_erts._network.layers import NoFeatureMapsError
from sk_erts._records.signals import Signals
from sk_erts.attribution._function import as_function, name_of
from sk_erts.attribution._gradcam import Direction, GradCAM, weighed
from sk_erts.attribution._method import Method
from sk_erts.exceptions import ExplanationWarning

__all__ = [
    "GradCAMMaps",
    "GradCAMPlusPlusMaps",
    "HiResCAMMaps",
    "gradcam",
    "gradcam_plus_plus",
    "hirescam",
]


class CAMMaps(Method):
    """A method that reads the feature maps of a layer.

    Where it is not told which, and finds none (n, channels, times) that all evidence
    flows through, it says what it has taken instead.
    """

    axes = "times"
    takes_lengths = True

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        super().__init__(module)
        self.cam = GradCAM(module, layer)
        self._is_told = layer is not None

    @property
    def span(self) -> tuple[float, float]:
        """Where the first and last step of the maps stand, in records."""
        return self.cam.network.span

    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        maps = self._cam(batch, direction)
        found = self.cam.network.found
        if found is not None and found.kind != "feature maps":
            self._say(
                f"the {found.kind} of its layer {found.name!r} along their axis of time"
            )
        return maps

    def _cam(self, batch: Signals, direction: Direction) -> Signals:
        """Return signed maps (n, feature times)."""
        raise NotImplementedError

    def _say(self, what: str, instead: str | None = None) -> None:
        """Say once what is explained, unless the user has chosen it."""
        if self._is_told:
            return
        self._is_told = True
        warnings.warn(
            ExplanationWarning(
                f"{self.cam.network.name} has no feature maps of shape (n, channels, "
                f"times): {name_of(type(self))} explains {what}. To choose, name a "
                "layer ('cam_layer' of ERTSClassifier, 'layer' of a function), or "
                "another 'method', such as 'occlusion'.",
                instead=instead,
            ),
            stacklevel=2,
        )


class GradCAMMaps(CAMMaps):
    r"""Return the Grad-CAM maps of records for one class each.

    Of a network without any layer that has a time axis, such as a multilayer
    perceptron, it returns the gradient times the record, summed over leads.

    Parameters
    ----------
    bias : bool, default=False
        Share the biases of a pooled linear head out among the steps, so that signed
        maps sum to the logit; those of other heads are not known.

    Returns
    -------
    maps
        In units of the logit per feature time step; at least 0 unless `signed`.

    Warns
    -----
    ExplanationWarning
        If what is explained are not feature maps (n, channels, times), and no layer
        was named.

    See Also
    --------
    GradCAM : The same on tensors, for any combination of logits.

    Notes
    -----
    :math:`A_t = \max(0, \sum_k w_k a_{kt})` with
    :math:`w_k = \frac1T \sum_t \partial y_c / \partial a_{kt}`. Of maps
    :math:`a_{kht}` of leads and time both the mean and the sum are over :math:`h` too.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.
    """

    name = "gradcam"

    def __init__(
        self, module: nn.Module, layer: str | None = None, bias: bool = False
    ) -> None:
        super().__init__(module, layer)
        self.bias = bias
        self._has_maps = True

    def _cam(self, batch: Signals, direction: Direction) -> Signals:
        if self._has_maps:
            try:
                return self.cam.look(batch, direction, bias=self.bias)[1]
            except NoFeatureMapsError:
                self._has_maps = False
        self._say(
            "the record itself, by the gradient times the record, summed over leads",
            instead="input_x_gradient",
        )
        return self._gradient_times_record(batch, direction)

    def _gradient_times_record(self, batch: Signals, direction: Direction) -> Signals:
        """Return what each time step adds to the logit to first order, (n, times)."""
        x = batch.x.detach().clone().requires_grad_()
        with torch.enable_grad():
            logits = self.network.logits(Signals(x.clone(), batch.lengths))
            goal = (logits * direction(logits.detach())).sum()
            (gradient,) = torch.autograd.grad(goal, x)
        return Signals((gradient * batch.x).sum(dim=1), batch.lengths)


class HiResCAMMaps(CAMMaps):
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

    def _cam(self, batch: Signals, direction: Direction) -> Signals:
        _, z, gradient = self.cam.gradients(batch, direction)
        # (n, channels, ..., times) -> (n, times)
        return Signals((z.x * gradient).flatten(1, -2).sum(dim=1), z.lengths)


class GradCAMPlusPlusMaps(CAMMaps):
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

    def _cam(self, batch: Signals, direction: Direction) -> Signals:
        _, z, gradient = self.cam.gradients(batch, direction)
        # The third derivative of exp(y) is the third power of the gradient of y.
        over_all = z.x.flatten(2).sum(dim=2)  # (n, channels)
        cubed = over_all.reshape(*over_all.shape, *[1] * (z.x.ndim - 2)) * gradient**3
        denominator = 2 * gradient**2 + cubed
        # Where the denominator is zero, so is the gradient.
        alpha = gradient**2 / torch.where(denominator == 0, 1, denominator)
        weights = (alpha * gradient.clamp(min=0)).flatten(2).sum(dim=2)
        return weighed(z, weights)


gradcam = as_function(GradCAMMaps)
gradcam_plus_plus = as_function(GradCAMPlusPlusMaps)
hirescam = as_function(HiResCAMMaps)
