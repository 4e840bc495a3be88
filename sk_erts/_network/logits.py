"""Logits among what a network returns."""

from __future__ import annotations

from typing import Any

__all__ = ["logits_of"]


def logits_of(output: Any) -> Any:
    """Return the logits of what a network returned.

    Parameters
    ----------
    output : tensor, tuple, list or dict
        Logits, or something whose first entry they are.

    Returns
    -------
    logits : tensor
        Of shape (n, n_classes), if the network is in order.
    """
    if isinstance(output, dict):
        return next(iter(output.values()), None)
    return output[0] if isinstance(output, tuple | list) and output else output
