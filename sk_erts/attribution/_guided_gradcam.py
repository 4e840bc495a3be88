"""Grad-CAM in the samples of guided backpropagation."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction, GradCAM
from sk_erts.attribution._maps import resample_maps
from sk_erts.attribution._method import Goal, Method, import_captum

__all__ = ["GuidedGradCAM", "guided_gradcam"]


class GuidedGradCAM(Method):
    """Guided Grad-CAM: guided backpropagation where Grad-CAM is high.

    Parameters
    ----------
    module : Module
        The network; its rectifiers must be modules.
    layer : str, optional
        Whose feature maps Grad-CAM explains; see `GradCAM`.
    """

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        super().__init__(module)
        if not any(isinstance(part, nn.ReLU) for part in module.modules()):
            raise ValueError(
                f"guided_gradcam needs rectifiers that are modules: "
                f"{type(module).__name__} holds no torch.nn.ReLU, so that guided "
                "backpropagation would be the plain gradient. Use gradcam or saliency."
            )
        self.cam = GradCAM(module, layer)

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("guided_gradcam")
        with warnings.catch_warnings():
            # That it sets hooks, which it removes again.
            warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")
            guided = attr.GuidedBackprop(Goal(self.module)).attribute(
                batch.x.clone().requires_grad_(),
                additional_forward_args=self._weights(batch, direction),
            )
        _, cam = self.cam(batch.x, direction)
        attention = resample_maps(cam.clamp(min=0), batch.x.shape[-1])
        maps: torch.Tensor = guided * attention[:, None]  # (n, leads, times)
        return maps


def guided_gradcam(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    layer: str | None = None,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return guided backpropagation where the Grad-CAM map is high.

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
        Dotted name of the submodule whose Grad-CAM map is taken; see `GradCAM`.
    signed : bool, default=False
        Keep negative values.
    batch_size : int, default=256
        Records that go through the network at once; it bounds the memory and does not
        change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_leads, n_times), dtype float32
        The product of both, at least 0 unless `signed`.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    Guided backpropagation passes only positive gradients through each rectifier. It is
    known to draw the record rather than what the network learned ([2]_); it stands here
    to be compared. Guided backpropagation is computed by captum.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.
    .. [2] J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018,
       arXiv:1810.03292.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import guided_gradcam
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> guided_gradcam(network, X).shape
    (5, 2, 160)
    """
    return explain_array(
        GuidedGradCAM(module, layer),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
