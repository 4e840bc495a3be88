"""The gradient, times the record."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Goal, Method, import_captum

__all__ = ["InputXGradient", "input_x_gradient"]


class InputXGradient(Method):
    """Input x gradient: the first-order share of each sample in the logit."""

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        attr = import_captum("input_x_gradient")
        maps: torch.Tensor = attr.InputXGradient(Goal(self.module)).attribute(
            batch.x.clone().requires_grad_(),
            additional_forward_args=self._weights(batch, direction),
        )
        return maps


def input_x_gradient(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return each sample times the gradient of the logit with respect to it.

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
        Keep evidence against the class, as negative values.
    batch_size : int, default=256
        Records that go through the network at once; it bounds the memory and does not
        change the maps.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_leads, n_times), dtype float32
        In units of the logit; at least 0 unless `signed`.

    Raises
    ------
    ImportError
        If captum is not installed; it comes with the extra ``attribution``.
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    Notes
    -----
    :math:`A_{lt} = x_{lt} \, \partial y_c / \partial x_{lt}`, exact for a linear
    network. Computed by captum.

    References
    ----------
    .. [1] A. Shrikumar et al., "Not just a black box", 2016, arXiv:1605.01713.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import input_x_gradient
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> input_x_gradient(network, X).shape
    (5, 2, 160)
    """
    return explain_array(
        InputXGradient(module),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
