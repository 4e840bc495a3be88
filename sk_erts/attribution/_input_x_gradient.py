"""The gradient, times the record."""

from __future__ import annotations

import torch

from sk_erts._records.signals import Signals
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction

__all__ = ["InputXGradient", "input_x_gradient"]


class InputXGradient(CaptumMethod):
    r"""Return each sample times the gradient of the logit with respect to it.

    Notes
    -----
    :math:`A_{lt} = x_{lt} \, \partial y_c / \partial x_{lt}`, exact for a linear
    network. Computed by captum.

    References
    ----------
    .. [1] A. Shrikumar et al., "Not just a black box", 2016, arXiv:1605.01713.
    """

    name = "input_x_gradient"

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        maps: torch.Tensor = self._captum("InputXGradient").attribute(
            batch.x.clone().requires_grad_(),
            additional_forward_args=self._weights(batch, direction),
        )
        return maps


input_x_gradient = as_function(InputXGradient)
