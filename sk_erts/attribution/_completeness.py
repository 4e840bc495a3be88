"""How near the sum of a map must be to the difference that it explains."""

from __future__ import annotations

import torch

__all__ = ["COMPLETE_TO", "tolerated"]

#: Share of the difference that may be missing from the sum of a map.
COMPLETE_TO = 0.01
# Of the sum of absolute values: what single precision loses of so many terms.
ROUNDING = 1e-5


def tolerated(difference: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
    """Return by how much the sum of a map may be off.

    Parameters
    ----------
    difference : tensor of shape (n,)
        Between the logits of record and baseline.
    mass : tensor of shape (n,)
        Sums of the absolute values of the maps.

    Returns
    -------
    error : tensor of shape (n,)
        In units of the logit: one per cent of the difference, and no less than
        rounding makes of a map whose sum is next to nothing.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.attribution._completeness import tolerated
    >>> tolerated(torch.tensor([-2.0, 0.0]), torch.tensor([5.0, 5.0])).tolist()
    [0.0199..., 4.99...e-05]
    """
    return torch.maximum(COMPLETE_TO * difference.abs(), ROUNDING * mass)
