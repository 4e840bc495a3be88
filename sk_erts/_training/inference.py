"""Probabilities and maps of a trained network, batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._network.untouched import device_of, untouched
from sk_erts._records.records import Records
from sk_erts._records.task import Task
from sk_erts.attribution._explain import explain_records
from sk_erts.attribution._maps import towards
from sk_erts.attribution._method import Method

__all__ = ["INFERENCE_BATCH_SIZE", "maps_of_records", "probabilities"]

# Larger batches are slower on a processor: their feature maps outgrow its caches.
INFERENCE_BATCH_SIZE = 128


def probabilities(module: nn.Module, records: Records, task: Task) -> FloatArray:
    """Return what a network gives each class.

    Parameters
    ----------
    module : Module
        The network; left as found.
    records : Records
        What it looks at.
    task : Task
        Turns logits into probabilities.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        In double precision.
    """
    device = device_of(module)

    def look(index: IntArray) -> Any:
        logits = records.signals(index, device).logits(module)
        return task.probability(logits).cpu().numpy()

    pieces = records.batches(INFERENCE_BATCH_SIZE)
    with untouched(module), torch.inference_mode():
        proba = np.concatenate([look(index) for index in pieces])
    return proba[np.argsort(np.concatenate(pieces))]


def maps_of_records(
    method: Method,
    records: Records,
    task: Task,
    codes: Array | None,
    *,
    resample: bool,
    signed: bool,
    verbose: bool,
) -> FloatArray:
    """Return maps of encoded labels.

    Parameters
    ----------
    method : Method
        Explains batches with a network, which is left as found.
    records : Records
        What it looks at.
    task : Task
        Says which logits speak for a label.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels), or None
        What is explained; None is the most probable class of each record.
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
    device = device_of(method.module)

    def direction(logits: torch.Tensor, index: IntArray) -> torch.Tensor:
        if codes is None:
            return towards(logits, None)
        return task.direction(torch.from_numpy(codes[index]).to(device))

    n_at_once = method.n_at_once(INFERENCE_BATCH_SIZE)
    if records.lengths is not None and not method.takes_lengths():
        n_at_once = 1
    return explain_records(
        method,
        lambda index: records.signals(index, device),
        records.batches(n_at_once),
        direction,
        resample=resample,
        signed=signed,
        verbose=verbose,
    )
