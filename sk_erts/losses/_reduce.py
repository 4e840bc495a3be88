"""How losses of records become one."""

from __future__ import annotations

import torch
from torch import nn

from sk_erts._lib.checks import check_choice

__all__ = ["Reducing"]

REDUCTIONS = ("none", "mean", "sum")


class Reducing(nn.Module):
    """Losses that can be had record by record, in the manner of torch's own.

    Parameters
    ----------
    reduction : {"none", "mean", "sum"}
        What is done with the losses.
    """

    def __init__(self, reduction: str) -> None:
        super().__init__()
        self.reduction = check_choice(self, "reduction", reduction, REDUCTIONS)

    def reduced(self, losses: torch.Tensor) -> torch.Tensor:
        """Return losses as they are, or their mean or sum."""
        if self.reduction == "none":
            return losses
        return losses.mean() if self.reduction == "mean" else losses.sum()
