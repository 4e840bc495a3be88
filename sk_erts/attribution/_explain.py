"""From records to maps, batch by batch, whatever the method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from tqdm import tqdm

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._network.untouched import device_of
from sk_erts._records.ragged import stack_if_equal
from sk_erts._records.signals import Signals, batches
from sk_erts.attribution._maps import resample_maps, towards
from sk_erts.attribution._method import Method

__all__ = ["explain_array", "explain_records"]


def explain_array(
    method: Method,
    X: FloatArray,
    target: int | IntArray | None,
    *,
    signed: bool,
    batch_size: int,
    verbose: bool,
    resample: bool = True,
) -> FloatArray:
    """Return the maps of records for one class each.

    Parameters
    ----------
    method : Method
        Explains a batch.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records.
    target : int or ndarray of shape (n_samples,) or None
        Index of the class to explain; None is that with the highest logit.
    signed : bool
        Whether to keep what speaks against the class.
    batch_size : int
        Records that go through the network at once.
    verbose : bool
        Whether to show a progress bar.
    resample : bool, default=True
        Whether to interpolate maps over time to the samples of the records.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        In float32.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, or a target is no class.
    """
    if np.ndim(X) != 3 or 0 in np.shape(X):
        raise ValueError(
            "X of an explanation must have the shape (n_samples, n_leads, n_times), "
            f"none of it zero. Got {np.shape(X)} instead."
        )
    targets = None if target is None else np.broadcast_to(target, len(X))
    device = device_of(method.module)

    def direction(logits: torch.Tensor, index: IntArray) -> torch.Tensor:
        return towards(logits, None if targets is None else targets[index])

    def signals(index: IntArray) -> Signals:
        x = torch.from_numpy(np.asarray(X[index], dtype=np.float32))
        return Signals(x.to(device))

    return explain_records(
        method,
        signals,
        batches(len(X), method.n_at_once(batch_size)),
        direction,
        resample=resample,
        signed=signed,
        verbose=verbose,
    )


def explain_records(
    method: Method,
    signals: Callable[[IntArray], Signals],
    pieces: Sequence[IntArray],
    direction: Callable[[torch.Tensor, IntArray], torch.Tensor],
    *,
    resample: bool,
    signed: bool,
    verbose: bool,
) -> Array:
    """Return the maps of many records, with bounded memory.

    Parameters
    ----------
    method : Method
        Explains a batch.
    signals : callable
        Maps positions (n,) to records on the network's device.
    pieces : sequence of int ndarray
        Positions of each batch; each position in one of them.
    direction : callable
        Maps the logits and positions of a batch to weights of the logits.
    resample : bool
        Whether to interpolate maps over time to the samples of the records.
    signed : bool
        Whether to keep what speaks against the class.
    verbose : bool
        Whether to show a progress bar.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
        In float32; an object array of arrays where records differ in length.
    """
    found: list[FloatArray] = []
    total = sum(map(len, pieces))
    # Nobody needs a bar for what is over in a second.
    with tqdm(
        total=total, unit="record", disable=not verbose, delay=1, leave=False
    ) as bar:
        for index in pieces:
            batch = signals(index)
            if not method.takes_lengths:
                batch = batch.alone()
            maps = method(batch, lambda logits, i=index: direction(logits, i))  # type: ignore[misc]
            if not signed:
                maps = Signals(method.unsigned(maps.x), maps.lengths)
            found += _each(maps, batch, resample, method.span)
            bar.update(len(index))
    order = np.argsort(np.concatenate(pieces), kind="stable")
    return stack_if_equal([found[i] for i in order])


def _each(
    maps: Signals, batch: Signals, resample: bool, span: tuple[float, float]
) -> list[FloatArray]:
    """Return the map of each record, over its own time axis."""
    found: list[FloatArray] = []
    for own, whole in zip(maps.rows(), batch.rows(), strict=True):
        over_time = own.x.ndim == 2 and resample
        values = own.x
        if over_time:
            values = resample_maps(own.x, whole.x.shape[-1], span)
        found += list(values.float().cpu().numpy())
    return found
