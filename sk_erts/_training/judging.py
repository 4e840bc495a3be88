"""A judge at work: what it is told of the records of a training."""

from __future__ import annotations

import numpy as np
import torch

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._network.network import Network
from sk_erts._records.records import Records
from sk_erts._records.signals import Signals
from sk_erts._records.task import Task
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.inference import INFERENCE_BATCH_SIZE, probabilities
from sk_erts.attribution import GradCAM
from sk_erts.attribution._gradcam import Direction
from sk_erts.selection import Judge, Known, Ledger
from sk_erts.selection._reliability import QUALITY
from sk_erts.selection._signal_scores import SignalScores

__all__ = ["Judging", "direction_of", "judge_new_records"]


class Judging:
    """Bind a judge to the records that it is to judge.

    Parameters
    ----------
    judge : Judge
        By what candidates are judged.
    training_set : TrainingSet
        Its signals are measured here and now, if the judge asks for it.
    task : Task
        Says which logits speak for a label, or against its rival.
    ledger : Ledger
        Knows what all looks at a record said.

    Attributes
    ----------
    signals : SignalScores or None
        The quality of all signals.
    """

    def __init__(
        self, judge: Judge, training_set: TrainingSet, task: Task, ledger: Ledger
    ) -> None:
        self.judge = judge
        self.signals = judge.measure_signals(training_set.records, training_set.rows)
        self._suspicion = None if self.signals is None else self.signals.suspicion
        self._codes: Array = training_set.codes
        self._task = task
        self._ledger = ledger

    def direction(self, index: IntArray, device: torch.device) -> Direction:
        """Return what the maps of records are to explain.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.
        device : torch.device
            Where the network is.

        Returns
        -------
        direction : callable
            From logits (n, n_classes) to their weights.
        """
        codes = torch.from_numpy(self._codes[index]).to(device)
        return direction_of(self.judge, self._task, codes)

    def of_maps(self, maps: Signals, index: IntArray, proba: FloatArray) -> Array:
        """Return what the judge says of maps that were just looked at.

        Parameters
        ----------
        maps : Signals
            Signed maps (n, times).
        index : int ndarray of shape (n,)
            Positions of their records in the training set.
        proba : ndarray of shape (n, n_classes)
            What the same look said.

        Returns
        -------
        scores : ndarray of shape (n,)
            Higher is better.
        """
        return maps.measured_by(
            lambda rows, which: self._score(index[which], proba[which], rows)
        )

    def of_memory(self, index: IntArray) -> FloatArray:
        """Return what the judge says of all looks at some records.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.

        Returns
        -------
        scores : ndarray of shape (n,)
            Higher is better.
        """
        return self._score(index, self._ledger.mean_proba(index))

    def _score(
        self, index: IntArray, proba: FloatArray, maps: FloatArray | None = None
    ) -> FloatArray:
        signal = None if self._suspicion is None else self._suspicion[index]
        return self.judge.score(Known(self._codes[index], proba, maps, signal))


def judge_new_records(
    judge: Judge,
    signals: SignalScores | None,
    network: Network,
    records: Records,
    task: Task,
    codes: Array | None,
) -> FloatArray:
    """Return what a judge says of records by the network as it is now.

    Parameters
    ----------
    judge : Judge
        By what candidates were judged.
    signals : SignalScores or None
        What it measured of the signals of the training.
    network : Network
        Left as found.
    records : Records
        What is judged.
    task : Task
        Meaning of the labels.
    codes : ndarray of shape (n_samples,) or (n_samples, n_labels), or None
        Encoded labels; None is what the network finds most probable.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Higher is better.
    """
    suspicion = None if signals is None else signals.suspicion_of(records, QUALITY)
    if codes is None or not judge.reads_maps:
        proba = probabilities(network, records, task)
    if codes is None:
        codes = task.encode(task.decode(proba))
    if not judge.reads_maps:
        return judge.score(Known(codes, proba, signal=suspicion))
    cam = GradCAM(network.module, network.layer)

    def look(index: IntArray) -> FloatArray:
        own = codes[index]
        direction = direction_of(judge, task, torch.from_numpy(own).to(network.device))
        signals = records.signals(index, network.device)
        logits, maps = cam.look(signals, direction, bias=judge.against_rival)
        said = task.probability(logits).cpu().numpy()
        signal = None if suspicion is None else suspicion[index]
        return maps.measured_by(
            lambda rows, which: judge.score(
                Known(
                    own[which],
                    said[which],
                    rows,
                    None if signal is None else signal[which],
                )
            )
        )

    pieces = records.batches(INFERENCE_BATCH_SIZE)
    scores = np.concatenate([look(index) for index in pieces])
    return scores[np.argsort(np.concatenate(pieces))]


def direction_of(judge: Judge, task: Task, codes: torch.Tensor) -> Direction:
    """Return what the maps that a judge reads are to explain.

    Parameters
    ----------
    judge : Judge
        Reads maps of the label, or of the label against its rival.
    task : Task
        Says which logits these are.
    codes : tensor of shape (n,) or (n, n_labels)
        Encoded labels, on the network's device.

    Returns
    -------
    direction : callable
        From logits (n, n_classes) to their weights.
    """
    if judge.against_rival:
        return lambda logits: task.contrast(logits, codes)
    return lambda logits: task.direction(codes)
