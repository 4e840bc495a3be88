"""One training: all that it knows, and where it is."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from sk_erts._lib.typing import Array, IntArray
from sk_erts._network.network import Network
from sk_erts._records.divide import FitData
from sk_erts._records.task import Task
from sk_erts._training.augmenter import Augmenter
from sk_erts._training.build import make_net
from sk_erts._training.calibration import Calibrated
from sk_erts._training.callback import AfterEpoch, SelectionCallback, StopWhenOver
from sk_erts._training.callback_state import (
    load_callback,
    shows_only,
    state_of_callback,
)
from sk_erts._training.caller import loop_around
from sk_erts._training.chance import Chance
from sk_erts._training.inference import logits_of_set
from sk_erts._training.judging import Judging
from sk_erts._training.net import ERTSNet
from sk_erts._training.plan import Plan
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.processes import ALONE, Processes
from sk_erts._training.progress import ProgressCallback
from sk_erts._training.rate import RateCallback
from sk_erts._training.scorer import Scorer
from sk_erts._training.selector import Selector
from sk_erts._training.validation import ValidationCallback
from sk_erts.exceptions import FitInterruptedWarning
from sk_erts.selection import Judge, Ledger, SelectionHistory, SelectionSampler

__all__ = ["Run", "Trained"]

Keep = Callable[[Callable[[], dict[str, Any]], bool], None]


@dataclass(frozen=True)
class Trained:
    """What a training leaves behind; no records among it.

    Attributes
    ----------
    net : ERTSNet
        With the weights to keep.
    task : Task
        Meaning of the labels.
    judge : Judge
        By what candidates were judged.
    signals : SignalScores or None
        What it measured of their signals.
    history : SelectionHistory
        What was trained, and why not the rest.
    n_trained : int ndarray of shape (n_epochs,)
        Records whose gradient was taken, by epoch.
    effective_epochs, scoring_passes : float
        Records whose gradient was taken, and that were only looked at, in sizes of
        the training set.
    time_s : float
        Wall time in seconds.
    fingerprint : str
        Of the records and labels.
    rows : int ndarray of shape (n_records,)
        Which of the records were trained on.
    memory : dict of str to ndarray
        What all looks at them said.
    calibrated : Calibrated
        What the validation part said of probabilities and decisions.
    """

    net: ERTSNet
    task: Task
    judge: Judge
    signals: Any
    history: SelectionHistory
    n_trained: IntArray
    effective_epochs: float
    scoring_passes: float
    time_s: float
    fingerprint: str
    rows: IntArray
    memory: dict[str, Array]
    calibrated: Calibrated

    @property
    def n_epochs(self) -> int:
        """Epochs that the network has been trained for, in all."""
        return len(self.net.history)

    def knows(self, data: FitData) -> bool:
        """Return whether these are the records that it was trained on."""
        same: bool = data.fingerprint == self.fingerprint
        return same and np.array_equal(data.train.rows, self.rows)


class Run:
    """Train a network as a plan says; everything that changes meanwhile is here.

    Parameters
    ----------
    plan : Plan
        What to do.
    data : FitData
        What to train and validate on.
    processes : Processes, optional
        That train together, each of them with a run like this.

    Raises
    ------
    ValueError
        If something of the plan cannot work with these records.

    Examples
    --------
    A training that is broken off and goes on elsewhere ends as if nothing had
    happened:

    >>> import numpy as np
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts._records.divide import divide
    >>> from sk_erts._records.records import Records
    >>> from sk_erts._records.task import make_task
    >>> from sk_erts._training.plan import make_plan
    >>> from sk_erts._training.run import Run
    >>> from sk_erts.datasets import make_ecg
    >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
    >>> plan = make_plan(
    ...     ERTSClassifier(module__width=4, max_epochs=4, random_state=0, verbose=0)
    ... )
    >>> data = divide(Records(X), make_task(y).encode(y), make_task(y))
    >>> first = Run(plan, data)
    >>> first.train(until=2)
    >>> state = first.state()
    >>> other = Run(plan, data)
    >>> other.load(state)
    >>> other.train()
    >>> first.train()
    >>> one, two = first.leave().history, other.leave().history
    >>> bool(np.array_equal(one.status, two.status))
    True
    """

    def __init__(self, plan: Plan, data: FitData, processes: Processes = ALONE) -> None:
        self.plan = plan
        self.data = data
        self.processes = processes
        self.time_s = 0.0
        self._since: float | None = None  # the clock is running
        self.is_over = False
        plan.calibration.points(data.task)  # a name that is no class fails now
        self.chance = Chance(plan.seed, plan.device, processes.rank)
        rng, n_records, task = self.chance.numpy, len(data.train), data.task
        with self._at_work():
            self.net = self._made_net()
            network = Network(self.net.module_, plan.cam_layer)
            self.plan = plan = plan.settled(maps_are_free=network.linear is not None)
            judge = plan.judge
            averaged = ["focus"] if judge.averaged and judge.reads_maps else []
            gaps = plan.looks.revisit_gaps
            self.ledger = Ledger(n_records, gaps, task.n_remembered, averaged)
            scorer = self._made_scorer(
                network,
                data.train,
                task,
                Judging(judge, data.train, task, self.ledger),
                ScoringPrecision(plan.looks.precision, network.device),
                processes,
            )
            scorer.try_out(plan.policy)
        self.selector = Selector(
            plan.policy,
            plan.schedule.beginning_after(
                plan.looks.first_step, -(-n_records // plan.batch_size)
            ),
            self.ledger,
            scorer,
            rng,
            hears_steps=not plan.augment,
            reuse_scores=plan.looks.reuse_scores,
            budget=plan.budget,
            probe_records=plan.looks.probe_records,
        )
        interval = plan.looks.renewal_interval
        self.sampler = SelectionSampler(
            n_records,
            plan.batch_size,
            n_records if interval == "epoch" else interval,
            rng,
            choose=self.selector.choose,
            spare=self.selector.spare,
        )
        self.augmenter: Augmenter | None = None
        if plan.augment:
            # Drawn apart, so that the selection is the same with and without.
            own = rng.spawn(processes.size)[processes.rank]
            self.augmenter = Augmenter(plan.augment, own)
            self.augmenter.try_out(data.train, plan.batch_size)
        self.validation = ValidationCallback(task) if data.valid else None
        self._n_epochs_before = 0
        self._was_interrupted = False
        self._callbacks: list[dict[str, Any]] = []

    @property
    def n_epochs(self) -> int:
        """Epochs of this training that are over."""
        return len(self.net.history) - self._n_epochs_before

    def go_on_from(self, trained: Trained | None, *, in_schedule: bool) -> None:
        """Begin with the network of an earlier training, instead of a new one.

        Parameters
        ----------
        trained : Trained or None
            What is left of it; None if there was none.
        in_schedule : bool
            Whether the schedule goes on too, and with it what was known of the
            records. A judge that goes by it says nothing of records that are new.

        Raises
        ------
        ValueError
            If the network has other parameters than before.
        """
        if trained is not None:
            self.net.take_over(trained.net)
            self._n_epochs_before = trained.n_epochs
        if not in_schedule:
            return
        self.selector.epoch = self._n_epochs_before - 1
        if trained is not None and trained.knows(self.data):
            self.ledger.remember(trained.memory)
        elif self.plan.judge.remembers:
            self.selector.policy = self.selector.policy.without_focus()

    def begin(self, take_up: Callable[[], None] = lambda: None) -> None:
        """Be where the first of several processes is.

        Parameters
        ----------
        take_up : callable, optional
            Called in that one alone; may load what it was at.

        Raises
        ------
        ValueError
            If they were given other records or labels.
        """
        self.processes.of_first(take_up)
        if self.processes.size == 1:
            return
        fingerprint = f"{self.data.fingerprint} of {self.data.n_samples}"
        self.processes.check_same("records and labels", fingerprint)
        self.load(self.processes.agreed(self.state))

    def train(self, until: int | None = None, keep: Keep | None = None) -> None:
        """Train, up to the end or to the end of an epoch.

        Parameters
        ----------
        until : int, optional
            Epochs of this training after which to stop; by default all.
        keep : callable, optional
            Called with what gives the state of the run, after each epoch and at the
            end, and with whether it is the end.

        Raises
        ------
        KeyboardInterrupt
            If the user stops it before the first epoch is over, or inside a search,
            a cross-validation or an ensemble; see `loop_around`.
        """
        end = self.plan.epochs if until is None else min(until, self.plan.epochs)
        if self.is_over or self.n_epochs >= end:
            return
        first, last = self._first(end - self.n_epochs), self._last()
        own = [each for _, each in self.net.callbacks_]
        callbacks = [c for c in [*first, *last, *own] if not shows_only(c)]

        def state() -> dict[str, Any]:
            self._callbacks = list(map(state_of_callback, callbacks))
            return self.state()

        if keep is not None:
            last = [*last, AfterEpoch(lambda: keep(state, False))]
        with self._at_work():
            optimizer = copy.deepcopy(self.net.optimizer_.state_dict())
            interrupted = self.net.run(
                self.data.train,
                end - self.n_epochs,
                sampler=self.sampler,
                validation_set=self.data.valid,
                augment=self.augmenter,
                processes=self.processes,
                first=first,
                last=last,
                at_start=lambda: self._resume(callbacks, optimizer),
            )
        self._callbacks = list(map(state_of_callback, callbacks))
        # Also after the last epoch asked for: more may be asked for later.
        self.is_over = self.net.was_stopped
        if interrupted:  # what was kept after the last whole epoch can go on
            self._was_interrupted = True
            self._tell_interrupted()
        elif keep is not None:
            keep(self.state, True)

    def leave(self) -> Trained:
        """Return what is left of the training, with the network that is to be kept.

        Returns
        -------
        trained : Trained
            Holds no records.
        """
        selector, rows = self.selector, self.data.train.rows
        with self._at_work():
            selector.renew()
        wanted = self._was_interrupted or self.plan.restore_best
        if self.validation is not None and wanted:
            self.net.module_.load_state_dict(self.validation.best_state_)
        return Trained(
            net=self.net,
            task=self.data.task,
            judge=self.plan.judge,
            signals=selector.scorer.judging.signals,
            history=self.ledger.history(rows, self.data.n_samples),
            n_trained=np.array(selector.n_trained),
            effective_epochs=selector.effective_epochs,
            scoring_passes=selector.scoring_passes,
            time_s=self.time_s,
            fingerprint=self.data.fingerprint,
            rows=rows,
            memory=self.ledger.memory(),
            calibrated=self._calibrated(),
        )

    def _made_net(self) -> ERTSNet:
        return make_net(self.plan, self.data)

    def _made_scorer(self, network: Network, *args: Any) -> Scorer:
        return Scorer(network, *args)

    def _calibrated(self) -> Calibrated:
        """Let the validation part say what is made of the network's logits."""
        calibration, valid = self.plan.calibration, self.data.valid
        if valid is None or not calibration.is_asked_for:
            return Calibrated()
        logits = logits_of_set(Network(self.net.module_), valid)
        return calibration.measure(self.data.task, logits, valid.codes)

    def state(self) -> dict[str, Any]:
        """Return all that a training is, between two epochs.

        Returns
        -------
        state : dict
            Copies; goes on with another `Run` of the same plan and data.
        """
        return {
            "net": self.net.state(),
            "callbacks": copy.deepcopy(self._callbacks),
            "n_epochs_before": self._n_epochs_before,
            "ledger": self.ledger.state(),
            "selector": self.selector.state(),
            "chance": self.chance.state(),
            "augmenter": self.augmenter and self.augmenter.rng.bit_generator.state,
            "validation": self.validation and state_of_callback(self.validation),
            "is_over": self.is_over,
            "was_interrupted": self._was_interrupted,
            "time_s": self._time_so_far(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was called, to the same end.

        Parameters
        ----------
        state : dict
            Of a run with the same plan and data.
        """
        self.net.load(state["net"])
        self.ledger.load(state["ledger"])
        self.selector.load(state["selector"])
        self.chance.load(state["chance"])
        # What is written down is of the first process; the others draw anew.
        if self.augmenter is not None and self.processes.is_first:
            self.augmenter.rng.bit_generator.state = state["augmenter"]
        if self.validation is not None:  # a run that is over has the best network
            load_callback(self.validation, state["validation"])
        self._callbacks = copy.deepcopy(state["callbacks"])
        self._n_epochs_before = state["n_epochs_before"]
        self.is_over = state["is_over"]
        self._was_interrupted = state["was_interrupted"]
        self.time_s = state["time_s"]

    def _rate(self) -> Callback:
        n_held = self.plan.looks.first_step
        return RateCallback(self.plan.lr_schedule, self.selector, n_held)

    @property
    def _sets_rate(self) -> bool:
        """Whether the learning rate follows the plan, and not a callback."""
        theirs = any(isinstance(own, LRScheduler) for _, own in self.net.callbacks_)
        return self.plan.lr_schedule != "constant" and not theirs

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Lend the generators, and look at the clock."""
        self._since = time.perf_counter()
        with self.chance.lent():
            yield
        self.time_s, self._since = self._time_so_far(), None

    def _time_so_far(self) -> float:
        running = 0.0 if self._since is None else time.perf_counter() - self._since
        return self.time_s + running

    def _first(self, n_epochs: int) -> list[Callback]:
        """Return what is called before the user's callbacks."""
        return [
            SelectionCallback(self.selector),
            *([self._rate()] if self._sets_rate else []),
            *([self.validation] if self.validation else []),
            *([ProgressCallback(n_epochs)] if self.plan.verbose == 1 else []),
        ]

    def _last(self) -> list[Callback]:
        """Return what is called after them: what ends a training early."""
        stopping: list[Callback] = []
        if self.validation is not None and self.plan.patience is not None:
            stopping.append(
                EarlyStopping(
                    "valid_f1",
                    patience=self.plan.patience,
                    lower_is_better=False,
                    sink=lambda message: None,
                )
            )
        if self.plan.stop_when_learned or self.plan.budget is not None:
            learned = self.plan.stop_when_learned
            stopping.append(StopWhenOver(self.selector, also_when_learned=learned))
        return stopping

    def _resume(self, callbacks: list[Callback], optimizer: dict[str, Any]) -> None:
        """Let callbacks, which begin anew in each call, know what they knew."""
        if not self._callbacks:
            return
        for callback, known in zip(callbacks, self._callbacks, strict=True):
            load_callback(callback, known)
        # A scheduler that begins sets the first learning rate.
        self.net.optimizer_.load_state_dict(optimizer)

    def _tell_interrupted(self) -> None:
        """Say which network is kept, or go on with Ctrl-C if there is none worth it."""
        if self.n_epochs == 0:
            raise KeyboardInterrupt("fit was stopped before its first epoch was over.")
        if loop := loop_around():
            raise KeyboardInterrupt(f"fit was stopped by hand, called by {loop}.")
        kept = (
            f"the network of epoch {self.validation.best_epoch_}, the best in "
            "validation, is kept."
            if self.validation
            else "there is no validation part, and the network is kept as it is."
        )
        warnings.warn(
            f"fit was stopped by hand after {self.n_epochs} of {self.plan.epochs} "
            f"epochs; {kept}",
            FitInterruptedWarning,
            stacklevel=4,
        )
