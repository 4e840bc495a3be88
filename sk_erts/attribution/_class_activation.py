"""Class activation maps: what feature maps say, over time."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._explain import explain_array
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
    """Grad-CAM as a method among others.

    Parameters
    ----------
    module : Module
        The network.
    layer : str, optional
        Whose feature maps are explained; see `GradCAM`.
    """

    axes = "times"

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        super().__init__(module)
        self.cam = GradCAM(module, layer)

    def takes_lengths(self) -> bool:
        """Return True: maps end where their record does."""
        return True

    def steps(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return where the maps (n,) of records of some lengths (n,) end."""
        return self.cam.steps(lengths)

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        _, maps = self.cam(batch.x, direction, batch.lengths)
        return maps


class HiResCAMMaps(GradCAMMaps):
    """HiResCAM: each step of each channel has its own gradient."""

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        _, z, gradient = self.cam.with_gradient(batch.x, direction, batch.lengths)
        return (z * gradient).sum(dim=1)  # (n, channels, times) -> (n, times)


class GradCAMPlusPlusMaps(GradCAMMaps):
    """Grad-CAM++: positive gradients, weighed so that small regions count as much."""

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        _, z, gradient = self.cam.with_gradient(batch.x, direction, batch.lengths)
        # The third derivative of exp(y) is the third power of the gradient of y.
        cubed = z.sum(dim=-1, keepdim=True) * gradient**3
        denominator = 2 * gradient**2 + cubed
        # Where the denominator is zero, so is the gradient.
        alpha = gradient**2 / torch.where(denominator == 0, 1, denominator)
        weights = (alpha * gradient.clamp(min=0)).sum(dim=-1)  # (n, channels)
        return torch.einsum("nkt,nk->nt", z, weights)


def gradcam(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    layer: str | None = None,
    signed: bool = False,
    resample: bool = True,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return the Grad-CAM maps of records for one class each.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    layer : str, optional
        Dotted name of the submodule to explain; see `GradCAM`.
    signed : bool, default=False
        Keep evidence against the class, as negative values.
    resample : bool, default=True
        Interpolate the maps to `n_times` steps; else they have the steps of the
        feature maps.
    batch_size : int, default=256
        Records per forward pass; it bounds the memory and does not change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times), dtype float32
        In units of the logit per feature time step; at least 0 unless `signed`.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

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

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import gradcam
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> maps = gradcam(network, np.zeros((5, 2, 160), dtype=np.float32), target=1)
    >>> maps.shape
    (5, 160)
    """
    return explain_array(
        GradCAMMaps(module, layer),
        X,
        target,
        signed=signed,
        resample=resample,
        batch_size=batch_size,
        verbose=verbose,
    )


def gradcam_plus_plus(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    layer: str | None = None,
    signed: bool = False,
    resample: bool = True,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return Grad-CAM++ maps, in which several places of evidence count alike.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    layer : str, optional
        Dotted name of the submodule to explain; see `GradCAM`.
    signed : bool, default=False
        Keep negative values.
    resample : bool, default=True
        Interpolate the maps to `n_times` steps; else they have the steps of the
        feature maps.
    batch_size : int, default=256
        Records per forward pass; it bounds the memory and does not change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times), dtype float32
        At least 0 unless `signed`. Weights of channels are never negative, so that a
        channel that speaks against the class is left out instead of counted against
        it.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    With :math:`g = \partial y_c / \partial a`, the weight of a channel is
    :math:`w_k = \sum_t \alpha_{kt} \max(0, g_{kt})`,
    :math:`\alpha_{kt} = g_{kt}^2 / (2 g_{kt}^2 + \sum_s a_{ks} g_{kt}^3)`.

    References
    ----------
    .. [1] A. Chattopadhay et al., "Grad-CAM++", WACV 2018, arXiv:1710.11063.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import gradcam_plus_plus
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> gradcam_plus_plus(network, np.zeros((5, 2, 160), dtype=np.float32)).shape
    (5, 160)
    """
    return explain_array(
        GradCAMPlusPlusMaps(module, layer),
        X,
        target,
        signed=signed,
        resample=resample,
        batch_size=batch_size,
        verbose=verbose,
    )


def hirescam(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    layer: str | None = None,
    signed: bool = False,
    resample: bool = True,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return HiResCAM maps, whose steps are weighed one by one.

    Behind a pooled linear head they are those of Grad-CAM. Behind any other, Grad-CAM
    averages the gradient over time before it weighs, and can point to steps that the
    network did not use; HiResCAM cannot.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    layer : str, optional
        Dotted name of the submodule to explain; see `GradCAM`.
    signed : bool, default=False
        Keep evidence against the class, as negative values.
    resample : bool, default=True
        Interpolate the maps to `n_times` steps; else they have the steps of the
        feature maps.
    batch_size : int, default=256
        Records per forward pass; it bounds the memory and does not change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times), dtype float32
        At least 0 unless `signed`.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

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
    return explain_array(
        HiResCAMMaps(module, layer),
        X,
        target,
        signed=signed,
        resample=resample,
        batch_size=batch_size,
        verbose=verbose,
    )
