"""The gradient itself."""

from __future__ import annotations

import torch

from sk_erts._records.signals import Signals
from sk_erts.attribution._captum import CaptumMethod
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction

__all__ = ["Saliency", "saliency"]


class Saliency(CaptumMethod):
    r"""Return how much the logit answers to a change of each sample.

    Parameters
    ----------
    signed
        Keep the sign of the gradient; else its absolute value is returned.

    Returns
    -------
    maps
        In units of the logit per unit of the record.

    Notes
    -----
    :math:`A_{lt} = |\partial y_c / \partial x_{lt}|`: what the network is sensitive to,
    which is not what it used. Computed by captum.

    References
    ----------
    .. [1] K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks",
       ICLR workshop 2014, arXiv:1312.6034.
    """

    name = "saliency"

    def unsigned(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the size of the answer, whatever its sign."""
        return maps.abs()

    def _values(self, batch: Signals, direction: Direction) -> torch.Tensor:
        maps: torch.Tensor = self._captum("Saliency").attribute(
            batch.x.clone().requires_grad_(),
            abs=False,
            additional_forward_args=self._weights(batch, direction),
        )
        return maps


saliency = as_function(Saliency)
