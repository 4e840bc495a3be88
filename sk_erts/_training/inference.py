"""Probabilities and maps of a trained network, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._network.network import Network
from sk_erts._network.untouched import untouched
from sk_erts._records.records import Records
from sk_erts._records.signals import Signals, batches
from sk_erts._records.task import Task
from sk_erts._records.training_set import TrainingSet
from sk_erts.attribution._explain import explain_records
from sk_erts.attribution._method import Method

__all__ = [
    "INFERENCE_BATCH_SIZE",
    "Explained",
    "logits_of_set",
    "maps_of_records",
    "outputs_of_records",
    "probabilities",
]

Explained = Callable[[torch.Tensor, IntArray], torch.Tensor]

# Larger batches are slower on a processor: their feature maps outgrow its caches.
INFERENCE_BATCH_SIZE = 128

# A processor rounds otherwise in batches of another size. Of one constant size, to
# which the last one is filled up, a probability hangs on its record only, bit for bit.
# Records go through 32 at a time as fast as through 128; one alone costs 32.
PREDICTED_AT_ONCE = 32


def probabilities(
    network: Network,
    records: Records,
    task: Task,
    *,
    temperature: float = 1.0,
    log: bool = False,
) -> FloatArray:
    """Return what a network gives each class.

    Parameters
    ----------
    network : Network
        Left as found.
    records : Records
        What it looks at.
    task : Task
        Turns logits into probabilities.
    temperature : float, default=1.0
        By which logits are divided.
    log : bool, default=False
        Whether to return their logarithms.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        In double precision.
    """
    of_logits = task.log_probability if log else task.probability
    return _said_of(
        network,
        lambda index: records.signals(index, network.device),
        records.batches(PREDICTED_AT_ONCE),
        lambda logits: of_logits(logits.double() / temperature),
    )


def outputs_of_records(network: Network, records: Records) -> FloatArray:
    """Return what a network says of records.

    Parameters
    ----------
    network : Network
        Left as found.
    records : Records
        What it looks at.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
        In single precision.
    """
    return _said_of(
        network,
        lambda index: records.signals(index, network.device),
        records.batches(PREDICTED_AT_ONCE),
        torch.Tensor.float,
    )


def logits_of_set(network: Network, part: TrainingSet) -> torch.Tensor:
    """Return what a network says of the records of a training or validation set.

    Parameters
    ----------
    network : Network
        Left as found.
    part : TrainingSet
        What it looks at.

    Returns
    -------
    logits : tensor of shape (n_samples, n_classes)
        In double precision, on the processor.
    """
    said = _said_of(
        network,
        lambda index: part.signals(index, network.device),
        batches(len(part), PREDICTED_AT_ONCE),
        torch.Tensor.double,
    )
    return torch.from_numpy(said)


def _said_of(
    network: Network,
    fetch: Callable[[IntArray], Signals],
    pieces: list[IntArray],
    turned: Callable[[torch.Tensor], torch.Tensor],
) -> FloatArray:
    """Return what becomes of the logits of all pieces, in the order of positions."""

    def look(index: IntArray) -> Any:
        logits = network.logits(fetch(index).filled(PREDICTED_AT_ONCE))
        return turned(logits[: len(index)]).cpu().numpy()

    with untouched(network.module), torch.inference_mode():
        said = np.concatenate([look(index) for index in pieces])
    return said[np.argsort(np.concatenate(pieces))]


def maps_of_records(
    method: Method,
    records: Records,
    direction: Explained,
    *,
    resample: bool,
    signed: bool,
    verbose: bool,
) -> FloatArray:
    """Return maps of what a classifier is asked for.

    Parameters
    ----------
    method : Method
        Explains batches with a network, which is left as found.
    records : Records
        What it looks at.
    direction : callable
        Maps the logits (n, n_classes) of a batch and the positions (n,) of its records
        to the weights of the logits that are explained.
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
    device = method.network.device
    alone = records.lengths is not None and not method.takes_lengths
    return explain_records(
        method,
        lambda index: records.signals(index, device),
        records.batches(1 if alone else method.n_at_once(INFERENCE_BATCH_SIZE)),
        direction,
        resample=resample,
        signed=signed,
        verbose=verbose,
    )
