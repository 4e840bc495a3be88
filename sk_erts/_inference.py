"""Probabilities and maps of a trained network, batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from sk_erts._input import Records
from sk_erts._task import Task
from sk_erts._typing import Array, FloatArray, IntArray
from sk_erts.attribution._gradcam import GradCAM
from sk_erts.attribution._maps import maps_in_batches, towards
from sk_erts.attribution._untouched import device_of, untouched

__all__ = ["INFERENCE_BATCH_SIZE", "probabilities", "signed_maps"]

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


def signed_maps(
    module: nn.Module,
    records: Records,
    task: Task,
    codes: Array | None,
    *,
    layer: str | None,
    resample: bool,
) -> FloatArray:
    """Return the class activation maps of encoded labels.

    Parameters
    ----------
    module : Module
        The network; left as found.
    records : Records
        What it looks at.
    task : Task
        Says which logits speak for a label.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels), or None
        What is explained; None is the most probable class of each record.
    layer : str or None
        Layer to explain.
    resample : bool
        Whether to interpolate the maps to the samples of the records.

    Returns
    -------
    maps : ndarray of shape (n_samples, n_times), dtype float32
        Signed; an object array of arrays where records differ in length.
    """
    device = device_of(module)

    def direction(logits: torch.Tensor, index: IntArray) -> torch.Tensor:
        if codes is None:
            return towards(logits, None)
        return task.direction(torch.from_numpy(codes[index]).to(device))

    return maps_in_batches(
        GradCAM(module, layer),
        lambda index: records.signals(index, device),
        records.batches(INFERENCE_BATCH_SIZE),
        direction,
        resample=resample,
    )
