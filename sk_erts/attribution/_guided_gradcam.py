"""Grad-CAM in the samples of guided backpropagation."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction, GradCAM
from sk_erts.attribution._maps import resample_maps

__all__ = ["GuidedGradCAM", "guided_gradcam"]


class GuidedGradCAM(CaptumMethod):
    r"""Return guided backpropagation where the Grad-CAM map is high.

    Parameters
    ----------
    layer
        Dotted name of the submodule whose Grad-CAM map is taken; see `GradCAM`.
    signed
        Keep negative values.

    Returns
    -------
    maps
        The product of both, at least 0 unless `signed`.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, a target is no class of the network, or the
        network has no rectifiers that are modules.

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
    """

    name = "guided_gradcam"

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        super().__init__(module)
        if not any(isinstance(part, nn.ReLU) for part in module.modules()):
            raise ValueError(
                f"guided_gradcam needs rectifiers that are modules: "
                f"{type(module).__name__} holds no torch.nn.ReLU, so that guided "
                "backpropagation would be the plain gradient. Use gradcam or saliency."
            )
        self.cam = GradCAM(module, layer)

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        algorithm = self._captum("GuidedBackprop")
        with warnings.catch_warnings():
            # That it sets hooks, which it removes again.
            warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")
            guided = algorithm.attribute(
                batch.x.clone().requires_grad_(),
                additional_forward_args=self._weights(batch, direction),
            )
        _, cam = self.cam(batch.x, direction)
        attention = resample_maps(
            cam.clamp(min=0), batch.x.shape[-1], self.cam.network.span
        )
        maps: torch.Tensor = guided * attention[:, None]  # (n, leads, times)
        return maps


guided_gradcam = as_function(GuidedGradCAM)
