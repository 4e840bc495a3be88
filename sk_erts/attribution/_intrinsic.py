"""The explanation that a network gives itself."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts.attribution._function import as_function
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Method

__all__ = ["Intrinsic", "intrinsic"]


class Intrinsic(Method):
    r"""Return what a network says itself that each sample contributes.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, a target is no class of the network, or the
        network does not explain itself.

    Notes
    -----
    The network has ``contributions(x)`` of shape (n, classes, leads, times), or over
    time alone: (n, classes, times). Their sum over all but the classes is the logit up
    to a bias, as in networks that write a linear model for each record.

    References
    ----------
    .. [1] ECG-IMN, arXiv:2602.09566, 2026.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sk_erts.attribution import intrinsic
    >>> class Linear(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.weight = torch.nn.Parameter(torch.ones(3, 2, 160))
    ...     def contributions(self, x):
    ...         return x[:, None] * self.weight
    ...     def forward(self, x):
    ...         return self.contributions(x).sum(dim=(2, 3))
    >>> X = np.random.default_rng(0).normal(size=(5, 2, 160)).astype(np.float32)
    >>> bool(np.allclose(intrinsic(Linear(), X, signed=True), X))
    True
    """

    name = "intrinsic"

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self.network.check_contributions()
        self.takes_lengths = self.network.contributes_by_length

    def _maps(self, batch: Signals, direction: Direction) -> Signals:
        weights = self._weights(batch, direction)  # (n, classes)
        with torch.no_grad():
            parts = self.network.contributions(batch, weights.shape[1])
        return Signals(torch.einsum("nc...,nc->n...", parts.x, weights), parts.lengths)


intrinsic = as_function(Intrinsic)
