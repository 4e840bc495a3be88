"""The gradient itself."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Goal, Method, import_captum

__all__ = ["Saliency", "saliency"]


class Saliency(Method):
    """Saliency: how the logit answers to a change of each sample."""

    def unsigned(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the size of the answer, whatever its sign."""
        return maps.abs()

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("saliency")
        maps: torch.Tensor = attr.Saliency(Goal(self.module)).attribute(
            batch.x.clone().requires_grad_(),
            abs=False,
            additional_forward_args=self._weights(batch, direction),
        )
        return maps


def saliency(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return how much the logit answers to a change of each sample.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    signed : bool, default=False
        Keep the sign of the gradient; else its absolute value is returned.
    batch_size : int, default=256
        Records that go through the network at once; it bounds the memory and does not
        change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_leads, n_times), dtype float32
        In units of the logit per unit of the record.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    :math:`A_{lt} = |\partial y_c / \partial x_{lt}|`: what the network is sensitive to,
    which is not what it used. Computed by captum.

    References
    ----------
    .. [1] K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks",
       ICLR workshop 2014, arXiv:1312.6034.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import saliency
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> saliency(network, X).shape
    (5, 2, 160)
    """
    return explain_array(
        Saliency(module),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
