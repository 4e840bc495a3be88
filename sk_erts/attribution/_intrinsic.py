"""The explanation that a network gives itself."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._records.signals import Signals
from sk_erts.attribution._explain import explain_array
from sk_erts.attribution._gradcam import Direction
from sk_erts.attribution._method import Method

__all__ = ["Intrinsic", "intrinsic"]


class Intrinsic(Method):
    """What a network says itself that each sample contributes.

    Parameters
    ----------
    module : Module
        Has `contributions`.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        if not callable(getattr(module, "contributions", None)):
            raise ValueError(
                f"The method 'intrinsic' needs a network that explains itself by "
                f"contributions(x) of shape (n, classes, leads, times). "
                f"{type(module).__name__} has none; use another method."
            )

    def _maps(self, batch: Signals, direction: Direction) -> torch.Tensor:
        with torch.no_grad():
            parts = self.module.contributions(batch.x)  # type: ignore[operator]
        weights = self._weights(batch, direction)
        expected = (*weights.shape, *batch.x.shape[1:])
        if tuple(parts.shape) != expected:
            raise ValueError(
                f"{type(self.module).__name__}.contributions must return the shape "
                f"(n, classes, leads, times) = {expected}. Got {tuple(parts.shape)} "
                "instead."
            )
        return torch.einsum("nclt,nc->nlt", parts, weights)


def intrinsic(
    module: nn.Module,
    X: FloatArray,
    target: int | IntArray | None = None,
    *,
    signed: bool = False,
    batch_size: int = 256,
    verbose: bool = False,
) -> FloatArray:
    r"""Return what a network says itself that each sample contributes.

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
    ValueError
        If `X` is not three-dimensional, a target is no class of the network, or the
        network does not explain itself.

    Notes
    -----
    The network has ``contributions(x)`` of shape (n, classes, leads, times), whose sum
    over leads and times is the logit up to a bias, as in networks that write a linear
    model for each record.

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
    return explain_array(
        Intrinsic(module),
        X,
        target,
        signed=signed,
        batch_size=batch_size,
        verbose=verbose,
    )
