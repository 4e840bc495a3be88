"""One training: the net, the selection, the validation, and what came of them."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping

from sk_erts._network.untouched import device_of, seeded
from sk_erts._records.divide import FitData
from sk_erts._training.augmenter import Augmenter
from sk_erts._training.build import continue_from, make_net, pick_device
from sk_erts._training.callback import SelectionCallback, StopWhenOver
from sk_erts._training.inference import INFERENCE_BATCH_SIZE
from sk_erts._training.judges import Judge
from sk_erts._training.net import ERTSNet
from sk_erts._training.parameters import augmentations
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.progress import ProgressCallback
from sk_erts._training.scorer import Scorer
from sk_erts._training.validation import ValidationCallback
from sk_erts.exceptions import FitInterruptedWarning
from sk_erts.selection import Ledger, Policy, Schedule, SelectionSampler
from sk_erts.selection._focus_measures import get_focus_measure
from sk_erts.selection._reliability import as_reliability

__all__ = ["Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """What a training leaves behind.

    Attributes
    ----------
    net : ERTSNet
        With the weights to keep.
    selection : SelectionCallback
        Knows what was trained, and why not the rest.
    time_s : float
        Wall time in seconds.
    """

    net: ERTSNet
    selection: SelectionCallback
    time_s: float


def train(
    estimator: Any,
    data: FitData,
    policy: Policy,
    schedule: Schedule,
    *,
    epochs: int,
    seed: int,
    previous: ERTSNet | None,
    first_epoch: int = 0,
    story: Ledger | None = None,
) -> Trained:
    """Train a new net and leave everything else as it is.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds the parameters; is not changed.
    data : FitData
        What to train and validate on.
    policy : Policy
        Which records to train.
    schedule : Schedule
        When it rules.
    epochs : int
        For how long.
    seed : int
        Of everything random.
    previous : ERTSNet or None
        Where to go on from; is not changed.
    first_epoch : int, default=0
        Where in the schedule to begin.
    story : Ledger, optional
        Of the training that came before, if it was on the same records.

    Returns
    -------
    trained : Trained
        The net and its story.

    Raises
    ------
    KeyboardInterrupt
        If the user stops it before the first epoch is over.
    """
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    n_train = len(data.train)
    interval = estimator.renewal_interval
    interval = n_train if interval == "epoch" else interval
    sampler = SelectionSampler(n_train, estimator.batch_size, interval, rng)
    validation = ValidationCallback(data.task) if data.valid else None
    with seeded(seed, torch.device(pick_device(estimator.device))):
        net = make_net(estimator, data)
        if previous is not None:
            continue_from(net, previous)
        reliability = as_reliability(policy.measure)
        of_maps = policy.measure if reliability is None else None
        scorer = Scorer(
            net.module_,
            data.train,
            data.task,
            get_focus_measure(of_maps or "top_mass"),
            estimator.cam_layer,
            INFERENCE_BATCH_SIZE,
            ScoringPrecision(estimator.scoring_precision, device_of(net.module_)),
        )
        scorer.try_out(policy)
        ledger = Ledger(n_train, estimator.revisit_gaps, data.task.n_classes)
        if story is not None:
            ledger.continue_from(story)
        judge = reliability and Judge(reliability, data.train, ledger)
        augmenting = augmentations(estimator)
        selection = SelectionCallback(
            schedule,
            policy,
            ledger,
            scorer,
            sampler,
            rng,
            estimator.reuse_scores,
            not augmenting,
            estimator.probe_records,
            estimator.stop_when_learned,
            first_epoch,
            judge,
        )
        interrupted = net.run(
            data.train,
            epochs,
            sampler=sampler,
            validation_set=data.valid,
            # Drawn apart, so that the selection is the same with and without.
            augment=Augmenter(augmenting, rng.spawn(1)[0]) if augmenting else None,
            first=[
                selection,
                *([validation] if validation else []),
                *([ProgressCallback(epochs)] if estimator.verbose == 1 else []),
            ],
            last=_stopping(estimator, validation, selection),
        )
    if interrupted:
        n_before = len(previous.history) if previous else 0
        _tell_interrupted(len(net.history) - n_before, epochs, validation)
    if validation and (interrupted or estimator.restore_best):
        net.module_.load_state_dict(validation.best_state_)
    return Trained(net, selection, time.perf_counter() - start)


def _tell_interrupted(
    n_epochs: int, planned: int, validation: ValidationCallback | None
) -> None:
    """Say which network is kept, or go on with Ctrl-C if there is none worth it."""
    if n_epochs == 0:
        raise KeyboardInterrupt("fit was stopped before its first epoch was over.")
    kept = (
        f"the network of epoch {validation.best_epoch_}, the best in validation, is "
        "kept."
        if validation
        else "the network is kept as it is."
    )
    warnings.warn(
        f"fit was stopped by hand after {n_epochs} of {planned} epochs; {kept}",
        FitInterruptedWarning,
        stacklevel=5,
    )


def _stopping(
    estimator: Any,
    validation: ValidationCallback | None,
    selection: SelectionCallback,
) -> list[Callback]:
    """Return what ends a training early."""
    stopping: list[Callback] = []
    if validation is not None and estimator.early_stopping:
        stopping.append(
            EarlyStopping(
                "valid_f1",
                patience=estimator.n_iter_no_change,
                lower_is_better=False,
                sink=lambda message: None,
            )
        )
    if estimator.stop_when_learned:
        stopping.append(StopWhenOver(selection))
    return stopping
