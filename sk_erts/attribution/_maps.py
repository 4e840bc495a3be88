"""Grad-CAM maps of many records: batches, targets, and the time axis of the records."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sk_erts._ragged import stack_if_equal
from sk_erts._signals import Signals
from sk_erts._typing import FloatArray, IntArray
from sk_erts.attribution._gradcam import GradCAM
from sk_erts.attribution._untouched import device_of

__all__ = ["batches", "gradcam", "maps_in_batches", "resample_maps", "towards"]


def gradcam(
    module: nn.Module,
    X: FloatArray,
    target: int | FloatArray | None = None,
    *,
    layer: str | None = None,
    signed: bool = False,
    resample: bool = True,
    batch_size: int = 256,
) -> FloatArray:
    r"""Return the Grad-CAM maps of records for one class each.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes).
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that the network was trained with.
    target : int or ndarray of shape (n_samples,), optional
        Index of the class to explain, one for all records or one for each; by
        default the class with the highest logit.
    layer : str, optional
        Dotted name of the submodule to explain; see `GradCAM`.
    signed : bool, default=False
        Keep evidence against the class, as negative values.
    resample : bool, default=True
        Interpolate the maps to `n_times` steps; else they have the steps of the
        feature maps.
    batch_size : int, default=256
        Records per forward pass; it bounds the memory and does not change the maps.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times), dtype float32
        In units of the logit per feature time step; at least 0 unless `signed`.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, or a target is no class of the network.

    See Also
    --------
    GradCAM : The same on tensors, for any combination of logits.

    Notes
    -----
    :math:`A_t = \max(0, \sum_k w_k a_{kt})` with
    :math:`w_k = \frac1T \sum_t \partial y_c / \partial a_{kt}`.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.attribution import gradcam
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> maps = gradcam(network, np.zeros((5, 2, 160), dtype=np.float32), target=1)
    >>> maps.shape
    (5, 160)
    """
    if np.ndim(X) != 3:
        raise ValueError(
            "X of gradcam must have the shape (n_samples, n_leads, n_times). "
            f"Got {np.shape(X)} instead."
        )
    targets = None if target is None else np.broadcast_to(target, len(X))

    def direction(logits: torch.Tensor, index: IntArray) -> torch.Tensor:
        return towards(logits, None if targets is None else targets[index])

    def signals(index: IntArray) -> Signals:
        x = torch.from_numpy(np.asarray(X[index], dtype=np.float32))
        return Signals(x.to(device_of(module)))

    maps = maps_in_batches(
        GradCAM(module, layer),
        signals,
        batches(len(X), batch_size),
        direction,
        resample=resample,
    )
    return maps if signed else np.maximum(maps, 0)


def maps_in_batches(
    cam: GradCAM,
    signals: Callable[[IntArray], Signals],
    pieces: Sequence[IntArray],
    direction: Callable[[torch.Tensor, IntArray], torch.Tensor],
    *,
    resample: bool,
) -> FloatArray:
    """Return the signed maps of many records, with bounded memory.

    Parameters
    ----------
    cam : GradCAM
        Explains a batch.
    signals : callable
        Maps positions (n,) to records on the network's device.
    pieces : sequence of int ndarray
        Positions of each batch; each position in one of them.
    direction : callable
        Maps the logits and positions of a batch to weights of the logits.
    resample : bool
        Whether to interpolate the maps to the samples of the records.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times), dtype float32
        Signed; an object array of arrays where records differ in length.
    """

    def explain(index: IntArray) -> list[FloatArray]:
        batch = signals(index)
        _, maps = cam(batch.x, lambda logits: direction(logits, index), batch.lengths)
        if batch.lengths is None:
            whole = resample_maps(maps, batch.x.shape[-1]) if resample else maps
            return list(whole.float().cpu().numpy())
        ends = cam.steps(batch.lengths)
        cut = [own[None, :end] for own, end in zip(maps, ends, strict=True)]
        if resample:
            cut = list(map(resample_maps, cut, batch.lengths.tolist()))
        return [own[0].float().cpu().numpy() for own in cut]

    maps = [own for index in pieces for own in explain(index)]
    order = np.argsort(np.concatenate(pieces), kind="stable")
    return stack_if_equal([maps[i] for i in order])


def batches(n_samples: int, batch_size: int) -> list[IntArray]:
    """Return the positions of all records in pieces.

    Parameters
    ----------
    n_samples : int
        Number of records.
    batch_size : int
        Positions per piece; the last one may have fewer.

    Returns
    -------
    pieces : list of int ndarray
        Together ``0, ..., n_samples - 1``.
    """
    return [
        np.arange(start, min(start + batch_size, n_samples))
        for start in range(0, n_samples, batch_size)
    ]


def resample_maps(maps: torch.Tensor, n_times: int) -> torch.Tensor:
    """Interpolate maps linearly to the time axis of the records.

    The first and last map step are put on the first and last sample. A strided
    convolution with an odd kernel and symmetric padding centres its step ``j`` on
    sample ``j * stride``; spreading the steps as if each covered a block of samples
    would shift a map by half a stride, the length of a QRS complex.

    Parameters
    ----------
    maps : tensor of shape (n, steps)
        What to interpolate.
    n_times : int
        Number of samples wanted.

    Returns
    -------
    maps : tensor of shape (n, n_times)
        The interpolated maps.
    """
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
            f"The target of gradcam must be a class index in [0, {n_classes}). "
            f"Got {np.unique(target).tolist()} instead."
        )
    else:
        chosen = torch.as_tensor(np.array(target, dtype=int), device=logits.device)
    return functional.one_hot(chosen, n_classes).to(logits.dtype)
