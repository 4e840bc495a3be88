"""Losses of one's own, one value per record."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sk_erts._training.skorch_params import accepted_names

__all__ = ["FunctionLoss", "as_criterion", "check_losses"]


class FunctionLoss(nn.Module):
    """A function as a criterion.

    Parameters
    ----------
    function : callable
        Maps logits (n, n_classes) and encoded labels to losses (n,) or (n, n_labels).
    """

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return what the function says."""
        return self.function(logits, codes)


def as_criterion(criterion: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return what skorch makes a criterion of.

    Parameters
    ----------
    criterion : class, Module or callable
        As the user gave it, or the task's own.
    params : dict of str to object
        Its parameters.

    Returns
    -------
    criterion : class or Module
        An instance is copied.
    params : dict of str to object
        With ``reduction="none"``, where it has that parameter.

    Raises
    ------
    ValueError
        If parameters are given for what is no class.
    """
    if isinstance(criterion, type):
        accepted = accepted_names(criterion)
        reduces = accepted is not None and "reduction" in accepted
        return criterion, ({"reduction": "none"} if reduces else {}) | params
    if params:
        names = ", ".join(repr(f"criterion__{name}") for name in params)
        raise ValueError(
            "The 'criterion' parameter of ERTSClassifier is no class, so that "
            f"{names} cannot change it. Give the class, or set it there."
        )
    is_module = isinstance(criterion, nn.Module)
    return copy.deepcopy(criterion) if is_module else FunctionLoss(criterion), {}


def check_losses(losses: Any, codes: torch.Tensor, name: str) -> None:
    """Refuse a criterion that does not give one value per record.

    Parameters
    ----------
    losses : object
        What it returned for some records.
    codes : tensor of shape (n,) or (n, n_labels)
        Their encoded labels.
    name : str
        What it is called.

    Raises
    ------
    ValueError
        If it is no tensor of shape (n,) or that of the labels.
    """
    n = len(codes)
    got = tuple(losses.shape) if isinstance(losses, torch.Tensor) else type(losses)
    if got not in ((n,), tuple(codes.shape)):
        raise ValueError(
            f"The 'criterion' of ERTSClassifier, {name}, must return one loss for each "
            f"record, of shape {(n,)}"
            + (f" or {tuple(codes.shape)}" if codes.ndim > 1 else "")
            + f". Got {got} instead; of a loss that averages, set reduction='none'."
        )
