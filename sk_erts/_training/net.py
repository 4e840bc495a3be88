"""The skorch net inside the classifier."""

from __future__ import annotations

import copy
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, ClassVar

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from skorch.utils import to_tensor
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sk_erts._lib.typing import IntArray
from sk_erts._network.network import Network, logits_of
from sk_erts._records.task import Task
from sk_erts._records.training_set import TrainingSet
from sk_erts._records.transfer import sent_to
from sk_erts._training.precision import in_float32, in_half
from sk_erts._training.processes import ALONE, Processes, SharedSet
from sk_erts.exceptions import NonFiniteLossError
from sk_erts.selection import SelectionSampler

__all__ = ["ERTSNet", "n_in_all"]


class ERTSNet(NeuralNet):
    """Train on batches that carry weights and positions beside the signals.

    skorch's loop is left alone: added are how a batch is read, how the loss is
    weighed, and what belongs to one run only (sampler, validation, helpers), so that
    a trained net holds no training data.

    Parameters
    ----------
    *args, **kwargs
        As those of ``skorch.NeuralNet``; the criterion gives one value per record, or
        per record and label.
    task : Task
        Meaning of the labels.
    """

    owner: ClassVar[str] = "ERTSClassifier"  # whose net it is, for errors
    callbacks_: list[tuple[str, Callback]]
    history: Any
    epoch_is_running = False
    row_is_whole = False
    was_stopped = False
    precision = "float32"  # of training steps
    sampler: SelectionSampler | None = None
    processes: Processes = ALONE
    augment: Callable[[dict[str, Any]], None] | None = None

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task = task

    @property
    def network(self) -> Network:
        """What the module can do."""
        return Network(self.module_)

    def run(
        self,
        training_set: TrainingSet,
        epochs: int,
        *,
        sampler: SelectionSampler,
        validation_set: TrainingSet | None = None,
        augment: Callable[[dict[str, Any]], None] | None = None,
        processes: Processes = ALONE,
        first: Sequence[Callback] = (),
        last: Sequence[Callback] = (),
        at_start: Callable[[], None] = lambda: None,
    ) -> bool:
        """Train, and stop in good order where a callback or the user wants it.

        Parameters
        ----------
        training_set : TrainingSet
            What to train on.
        epochs : int
            For how long.
        sampler : SelectionSampler
            Yields the positions of each batch.
        validation_set : TrainingSet, optional
            Looked at after each epoch.
        augment : callable, optional
            Changes the inputs of each training batch.
        processes : Processes, optional
            Who takes which share of each batch.
        first, last : sequence of Callback
            Called before and after all other callbacks, in this run only.
        at_start : callable, optional
            Called when all callbacks have begun.

        Returns
        -------
        interrupted : bool
            True if it was the user. The history then ends with the last whole epoch.
            `was_stopped` says whether it was anybody.
        """
        callbacks: list[tuple[str, Callback]] = self.callbacks_
        self.was_stopped = False
        self.sampler = sampler
        self.augment = augment
        self.processes = processes
        self.train_split = validation_set and predefined_split(validation_set)
        self.callbacks_ = [
            *((f"first_{i}", helper.initialize()) for i, helper in enumerate(first)),
            *callbacks,
            *((f"last_{i}", helper.initialize()) for i, helper in enumerate(last)),
            ("row_is_whole", _RowIsWhole()),
        ]
        ctrl_c = _CtrlC()
        try:
            with ctrl_c:
                self.notify("on_train_begin", X=training_set, y=None)
                at_start()
                self.fit_loop(training_set, epochs=epochs)
        except KeyboardInterrupt:
            self.was_stopped = True
            # skorch's callbacks stop a training with the same exception, but between
            # two epochs.
            interrupted = ctrl_c.pressed or self.epoch_is_running
            if interrupted and not self.row_is_whole and len(self.history):
                self.history.pop()
            return interrupted
        finally:
            self.notify("on_train_end", X=training_set, y=None)
            self.callbacks_ = callbacks
            self.train_split = self.sampler = self.augment = None
            self.processes = ALONE
        return False

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return the loader; in a run, batches are those of the sampler."""
        if not training or self.sampler is None:
            return super().get_iterator(dataset, training=training)
        kwargs = self.get_params_for("iterator_train")
        kwargs.pop("batch_size", None)
        # A loader draws whenever it begins: with workers, at each choice. Dropout must
        # not depend on that; and workers must draw otherwise in each epoch.
        seed = torch.initial_seed() + len(self.history)
        kwargs.setdefault("generator", torch.Generator().manual_seed(seed))
        if self.processes.size > 1:
            dataset = SharedSet(dataset, self.processes)
        # The sampler yields whole batches, which the data set fetches at once.
        make = partial(self.iterator_train, dataset, batch_size=None)
        if kwargs.get("num_workers", 0) > 0:
            return _ByInterval(make, self.sampler, kwargs)
        return make(sampler=self.sampler, **kwargs)

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        """Make the optimiser, or say whose parameters it refuses."""
        try:
            return super().initialize_optimizer(*args, **kwargs)
        except ValueError as error:
            name = getattr(self.optimizer, "__name__", self.optimizer)
            raise ValueError(
                f"The parameters 'lr' and 'optimizer__*' of {self.owner} must be "
                f"those of the 'optimizer' {name}, which says: {error}"
            ) from error

    def predict(self, X: Any) -> Any:
        """Return encoded labels, as the scores of skorch's callbacks compare them."""
        return self.task.codes_of(self.predict_proba(X))

    def evaluation_step(self, batch: Any, training: bool = False) -> Any:
        """Return the logits of a batch, whatever else the network returns."""
        return logits_of(super().evaluation_step(batch, training=training))

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Any]],
        **fit_params: Any,
    ) -> None:
        """Go through the batches, and wait for their losses once, at the end.

        skorch fetches each loss as it comes, for which a GPU has to finish its work.
        In `history` the losses of the batches therefore stand when the epoch is over.

        Parameters
        ----------
        iterator : DataLoader or None
            Yields batches; None does nothing.
        training : bool
            Whether steps are taken.
        prefix : {"train", "valid"}
            Begins the names in the history.
        step_fn : callable
            Takes one batch and returns its loss and predictions.
        **fit_params : dict
            For `step_fn`.

        Raises
        ------
        NonFiniteLossError
            If a loss is not finite.
        """
        if iterator is None:
            return
        losses, sizes = [], []
        for batch in iterator:
            if training and self.augment is not None:
                self.augment(batch[0])
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            losses.append(step["loss"].detach())
            sizes.append(n_in_all(*batch))
            step["y_pred"] = logits_of(step["y_pred"])
            self.notify("on_batch_end", batch=batch, training=training, **step)
        self.history.record(f"{prefix}_batch_count", len(losses))
        if not losses:
            return
        found = torch.stack(losses)
        if training and self.processes.size > 1:
            found = self._losses_of_all(found, sizes)
        values = found.tolist()
        rows = self.history[-1]["batches"][-len(losses) :]
        for row, value, size in zip(rows, values, sizes, strict=True):
            row[f"{prefix}_loss"] = value
            row[f"{prefix}_batch_size"] = size
        for number, value in enumerate(values, start=1):
            if not math.isfinite(value):
                step_name = "training" if training else "validation"
                raise NonFiniteLossError(
                    f"The {step_name} loss of {self.owner} became {value} in epoch "
                    f"{len(self.history)}, batch {number}. It must be finite: try a "
                    f"smaller 'lr' (it is {self.lr}), and see that X is in millivolt."
                )

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the network on the signals of a batch."""
        signals = x["X"] if isinstance(x, Mapping) else x
        if isinstance(x, Mapping) and "lengths" in x:
            fit_params["lengths"] = sent_to(x["lengths"], self.device)
        if torch.is_tensor(signals):
            signals = sent_to(signals, self.device)
        half = self.precision == "bfloat16" and self.module_.training
        context = in_half(torch.device(self.device)) if half else nullcontext()
        with _batch_of_one(self.module_, n_in_all(x, signals)), context:
            outputs = super().infer(signals, **fit_params)
        return in_float32(outputs) if half else outputs

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take the gradients of a batch, of which this process may have a share."""
        if self._is_whole(batch):
            whole: dict[str, Any] = super().train_step_single(batch, **fit_params)
            return whole
        with self.processes.one_batch(self.module_):
            step: dict[str, Any] = super().train_step_single(batch, **fit_params)
        groups = self.optimizer_.param_groups
        self.processes.sum_gradients(one for group in groups for one in group["params"])
        return step

    def get_loss(
        self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False
    ) -> torch.Tensor:
        """Return the mean of the losses of records, weighted.

        Parameters
        ----------
        y_pred : tensor of shape (n, n_classes), tuple or dict
            What the network returned, the logits alone or first.
        y_true : tensor or ndarray of shape (n,) or (n, n_labels)
            Encoded labels.
        X : dict or tensor, optional
            The batch; with a dict come its weights of shape (n,) or (n, n_labels),
            which have the mean 1 over the training set, and what softens its labels.
        training : bool, default=False
            Whether a step is being taken.

        Returns
        -------
        loss : tensor of shape ()
            Of the criterion and of what the network adds to it; of a share of a batch
            its part of the mean.
        """
        y_true = sent_to(to_tensor(y_true, device=None), self.device)
        logits, of_codes = logits_of(y_pred), super().get_loss

        def of(codes: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = of_codes(logits, codes, X=X, training=training)
            return found

        if isinstance(X, Mapping) and "doubt" in X:
            doubt, proba = (
                sent_to(X[name], self.device).to(logits) for name in ("doubt", "proba")
            )
            losses = self.task.softened_losses(of, y_true, doubt, proba)
        else:
            losses = of(y_true)
        weights = X.get("weight") if isinstance(X, Mapping) else None
        if weights is None:
            weights = losses.new_ones(len(losses))
        weights = sent_to(weights, losses.device).to(losses)
        if losses.ndim > weights.ndim:
            losses = losses.mean(dim=1)  # (n, n_labels) -> (n,)
        loss: torch.Tensor = (losses * weights).mean()
        extra = self.network.penalty(y_pred, y_true)
        if extra is not None:
            of_records = weights.reshape(len(weights), -1).mean(dim=1)
            loss = loss + (extra * of_records).mean()
        return loss * (len(y_true) / n_in_all(X, y_true))

    def _is_whole(self, batch: Any) -> bool:
        """Return whether this process has all records of a batch."""
        return len(batch[1]) == n_in_all(*batch)

    def _losses_of_all(
        self, losses: torch.Tensor, sizes: Sequence[int]
    ) -> torch.Tensor:
        """Return the losses of batches, of which this process knows its shares."""
        processes = self.processes
        # A batch of fewer records than processes was taken by each of them whole.
        times = [processes.size if size < processes.size else 1 for size in sizes]
        return processes.summed(losses / losses.new_tensor(times))

    def take_over(self, previous: ERTSNet) -> None:
        """Go on with the weights, optimiser state and history of an earlier net.

        Parameters
        ----------
        previous : ERTSNet
            Is not changed. This net keeps its own parameters, such as the learning
            rate.

        Raises
        ------
        ValueError
            If the network has other parameters than before.
        """
        try:
            self.module_.load_state_dict(previous.module_.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f"{self.owner} cannot go on from the network it has fitted: 'module' "
                f"or its parameters have changed since. {error}"
            ) from error
        if type(self.optimizer_) is type(previous.optimizer_):
            groups = self.optimizer_.state_dict()["param_groups"]
            for group in groups:  # where a schedule that goes on has begun
                group.setdefault("initial_lr", group["lr"])
            state = copy.deepcopy(previous.optimizer_.state_dict()["state"])
            self.optimizer_.load_state_dict({"state": state, "param_groups": groups})
        self.history = copy.deepcopy(previous.history)

    def state(self) -> dict[str, Any]:
        """Return weights, optimiser state and history.

        Returns
        -------
        state : dict
            Copies.
        """
        return copy.deepcopy(
            {
                "module": self.module_.state_dict(),
                "criterion": self.criterion_.state_dict(),
                "optimizer": self.optimizer_.state_dict(),
                "history": self.history,
            }
        )

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was called.

        Parameters
        ----------
        state : dict
            As `state` returned it.
        """
        state = copy.deepcopy(state)
        self.module_.load_state_dict(state["module"])
        self.criterion_.load_state_dict(state["criterion"])
        self.optimizer_.load_state_dict(state["optimizer"])
        self.history = state["history"]

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Note that an epoch is running."""
        super().on_epoch_begin(net, **kwargs)
        self.epoch_is_running = True
        self.row_is_whole = False

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Note that it is over."""
        super().on_epoch_end(net, **kwargs)
        self.epoch_is_running = False


def n_in_all(inputs: Any, own: Any) -> int:
    """Return how many records a batch has, in all processes.

    Parameters
    ----------
    inputs : dict or tensor
        Of a share of a batch they say how many.
    own : sized
        As long as the share.

    Returns
    -------
    n_records : int
        Of the whole batch.
    """
    if isinstance(inputs, Mapping) and "n_in_all" in inputs:
        return int(inputs["n_in_all"])
    return len(own)


class _ByInterval:
    """Let workers of a loader read ahead up to the next choice, and no further.

    A loader asks for batches before they are needed; the choice of records would be
    that of an earlier network, and another one with each number of workers.
    """

    def __init__(
        self,
        make_loader: Callable[..., Any],
        sampler: SelectionSampler,
        kwargs: dict[str, Any],
    ) -> None:
        self.sampler = sampler
        self.batches: list[IntArray] = []  # the loader holds on to this very list
        kwargs = kwargs | {"persistent_workers": True}
        self.loader = make_loader(sampler=self.batches, **kwargs)

    def __iter__(self) -> Iterator[Any]:
        for batches in self.sampler.intervals():
            self.batches[:] = batches
            yield from self.loader


class _RowIsWhole(Callback):
    """Tell, as the last of all callbacks, that an epoch has its whole history."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        net.row_is_whole = True


class _CtrlC:
    """Remember whether a KeyboardInterrupt came from the keyboard.

    Other threads than the main one get no signals, and handlers that are not Python's
    own are left in place.
    """

    pressed = False

    def __enter__(self) -> None:
        in_main = threading.current_thread() is threading.main_thread()
        usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        self._listens = in_main and usual
        if self._listens:
            signal.signal(signal.SIGINT, self._press)

    def __exit__(self, *exception: object) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _press(self, signum: int, frame: Any) -> None:
        self.pressed = True
        raise KeyboardInterrupt


@contextmanager
def _batch_of_one(module: nn.Module, n_records: int) -> Iterator[None]:
    """Let normalisation use its running statistics for a single record.

    One record has no variance over the batch; over its own time steps alone it would
    be normalised by itself, or fail where one step is left.
    """
    if n_records > 1 or not module.training:
        yield
        return
    layers = [
        part
        for part in module.modules()
        if isinstance(part, _BatchNorm) and part.training and part.track_running_stats
    ]
    for layer in layers:
        layer.eval()
    try:
        yield
    finally:
        for layer in layers:
            layer.train()
