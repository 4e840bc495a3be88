"""Maps of many records: targets, and the time axis of the records."""

import numpy as np
import torch
from torch.nn import functional

from sk_erts._lib.typing import FloatArray

__all__ = ["resample_maps", "towards"]


def resample_maps(
    maps: torch.Tensor, n_times: int, span: tuple[float, float] = (0.0, 1.0)
) -> torch.Tensor:
    """Interpolate maps linearly to the time axis of the records.

    The first and last map step are put on the first and last sample. A strided
    convolution with an odd kernel and symmetric padding centres its step ``j`` on
    sample ``j * stride``; spreading the steps as if each covered a block of samples
    would shift a map by half a stride, the length of a QRS complex. A convolution
    without padding begins half a kernel behind the beginning, as `span` says.

    Parameters
    ----------
    maps : tensor of shape (n, steps)
        What to interpolate.
    n_times : int
        Number of samples wanted.
    span : tuple of (float, float), default=(0.0, 1.0)
        Where the first and last step stand, in records; before and behind them a map
        stays as it is there.

    Returns
    -------
    maps : tensor of shape (n, n_times)
        The interpolated maps.
    """
    if span != (0.0, 1.0):
        n_steps, (begin, end) = maps.shape[1], span
        times = torch.linspace(0, 1, n_times, device=maps.device)
        steps = ((times - begin) / (end - begin) * (n_steps - 1)).clamp(0, n_steps - 1)
        left = steps.long().clamp(max=max(n_steps - 2, 0))
        right = (left + 1).clamp(max=n_steps - 1)
        return torch.lerp(maps[:, left], maps[:, right], (steps - left).to(maps))
    return functional.interpolate(
        maps[:, None], size=n_times, mode="linear", align_corners=True
    )[:, 0]


def towards(logits: torch.Tensor, target: FloatArray | None) -> torch.Tensor:
    """Return weights that choose one logit per record.

    Parameters
    ----------
    logits : tensor of shape (n, classes)
        Of a batch.
    target : int ndarray of shape (n,) or None
        Class indices; None is the class with the highest logit.

    Returns
    -------
    weights : tensor of shape (n, classes)
        One-hot rows.

    Raises
    ------
    ValueError
        If a target is no class.
    """
    n_classes = logits.shape[1]
    if target is None:
        chosen = logits.argmax(dim=1)
    elif not np.isin(target, np.arange(n_classes)).all():
        raise ValueError(
            f"The target of an explanation must be a class index in [0, {n_classes}). "
            f"Got {np.unique(target).tolist()} instead."
        )
    else:
        chosen = torch.as_tensor(np.array(target, dtype=int), device=logits.device)
    return functional.one_hot(chosen, n_classes).to(logits.dtype)
