"""One training in several processes: who does what, and what all of them know."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import Dataset

from sk_erts._lib.typing import IntArray
from sk_erts._records.training_set import TrainingSet
from sk_erts.exceptions import ProcessLostError

__all__ = ["ALONE", "Processes", "SharedSet"]

T = TypeVar("T")


class Processes:
    """The processes that train one network, each on its share of every batch.

    All of them hold the same network, the same scores and the same story, and choose
    the same records: what one alone has seen, of a step or a look, is gathered before
    it is used.

    Parameters
    ----------
    group : ProcessGroup, optional
        Of torch.distributed; None is one process alone.

    Raises
    ------
    ValueError
        If `group` is anything else.
    """

    def __init__(self, group: Any = None) -> None:
        if group is not None and not _is_group(group):
            raise ValueError(
                "The 'process_group' of fit must be a group of torch.distributed of "
                f"which this process is a member, or None. Got {group!r} instead: call "
                "torch.distributed.init_process_group first, and pass "
                "torch.distributed.group.WORLD."
            )
        self.group = group
        self.size = 1 if group is None else dist.get_world_size(group)
        self.rank = 0 if group is None else dist.get_rank(group)

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all: shows progress, writes to disk."""
        return self.rank == 0

    def share(self, index: IntArray) -> IntArray:
        """Return what of some records is this process's part; all, if they are few."""
        if len(index) < self.size:
            return index
        own: IntArray = np.array_split(index, self.size)[self.rank]
        return own

    def gathered(self, work: Callable[[], T]) -> list[T]:
        """Return what each process found, in their order, in all of them.

        Parameters
        ----------
        work : callable
            Finds this process's part.

        Returns
        -------
        found : list of object
            One entry per process.

        Raises
        ------
        Exception
            In all of them, what `work` raised in the first that failed.
        """
        if self.size == 1:
            return [work()]
        error: Exception | None = None
        found: T | None = None
        try:
            found = work()
        except Exception as raised:
            error = _sendable(raised)
        all_found: list[Any] = [None] * self.size
        with self._together():
            dist.all_gather_object(all_found, (found, error), group=self.group)
        for _, failed in all_found:
            if failed is not None:
                raise failed
        return [one for one, _ in all_found]

    def of_first(self, work: Callable[[], T]) -> T | None:
        """Do something in the first process only; all fail if it does."""
        found: T | None = None

        def do() -> None:
            nonlocal found
            found = work() if self.is_first else None

        self.gathered(do)  # nothing but an error: what is found stays here
        return found

    def agreed(self, find: Callable[[], T]) -> T:
        """Return what the first process finds."""
        found = self.gathered(lambda: find() if self.is_first else None)
        return cast(T, found[0])

    def check_same(self, what: str, value: str) -> None:
        """Refuse if a process was given something else than the others.

        Parameters
        ----------
        what : str
            Plural, for the error.
        value : str
            Tells whether it is the same.

        Raises
        ------
        ValueError
            In all processes, and names those that differ from the first.
        """
        all_values = self.gathered(lambda: value)
        others = [i for i, other in enumerate(all_values) if other != all_values[0]]
        if others:
            raise ValueError(
                f"All processes of fit must be given the same {what}: each takes its "
                f"share by itself. Those of process {', '.join(map(str, others))} are "
                "not those of process 0."
            )

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of a tensor over all processes."""
        if self.size == 1:
            return values
        with self._together():
            dist.all_reduce(values, group=self.group)
        return values

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give all processes the sum of their gradients, in one message.

        Parameters
        ----------
        parameters : iterable of Parameter
            In the same order in all processes. Who has no gradient in any of them is
            left without, as in one process alone.
        """
        if self.size == 1:
            return
        for alike in _by_kind(parameters):
            has_one = torch.tensor(
                [float(one.grad is not None) for one in alike], device=alike[0].device
            )
            parts = [
                torch.zeros_like(one) if one.grad is None else one.grad for one in alike
            ]
            sent = [part.reshape(-1) for part in [has_one.to(parts[0]), *parts]]
            total = self.summed(torch.cat(sent))
            known, *found = torch.split(total, [*map(len, sent)])
            for i, (one, gradient) in enumerate(zip(alike, found, strict=True)):
                # A GPU is waited for only where there was none here.
                if one.grad is not None or known[i] > 0:
                    one.grad = gradient.reshape(one.shape)

    @contextmanager
    def one_batch(self, module: nn.Module) -> Iterator[None]:
        """Let batch normalisation see the shares of all processes as one batch.

        Parameters
        ----------
        module : Module
            Its layers in training mode take mean and variance over all processes, as
            torch's SyncBatchNorm does on GPUs alone.
        """
        layers = [
            part
            for part in module.modules()
            if isinstance(part, _BatchNorm)
            and not isinstance(part, nn.SyncBatchNorm)
            and part.training
            and self.size > 1
        ]
        for layer in layers:
            layer.forward = partial(self._normalised, layer)  # type: ignore[method-assign]
        try:
            yield
        finally:
            for layer in layers:
                del layer.forward

    def _normalised(self, layer: _BatchNorm, given: torch.Tensor) -> torch.Tensor:
        # As torch does by itself: statistics have all bits, whatever steps are in.
        x = given.float() if given.dtype in (torch.bfloat16, torch.float16) else given
        with torch.autocast(given.device.type, enabled=False):
            return self._in_full(layer, x).to(given.dtype)

    def _in_full(self, layer: _BatchNorm, x: torch.Tensor) -> torch.Tensor:
        axes = [0, *range(2, x.ndim)]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        # Variances, since squares of what is far from zero would be rounded.
        variance, mean = torch.var_mean(x, axes, correction=0)
        n_own = x.new_full(mean.shape, x.numel() / len(mean))
        own = torch.stack([mean, variance, n_own])
        means, variances, counts = cast(
            torch.Tensor,
            _Gathered.apply(own, self),  # type: ignore[no-untyped-call]
        ).unbind(dim=1)
        n = counts.sum(dim=0).detach()
        shares = counts.detach() / n
        mean = (shares * means).sum(dim=0)
        variance = (shares * (variances + (means - mean) ** 2)).sum(dim=0)
        _keep_statistics(layer, mean.detach(), variance.detach() * n / (n - 1), n)
        scale = (variance + layer.eps).rsqrt()
        scale = scale if layer.weight is None else scale * layer.weight
        y = (x - mean.reshape(shape)) * scale.reshape(shape)
        return y if layer.bias is None else y + layer.bias.reshape(shape)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Say what it means if the others do not answer."""
        try:
            yield
        except RuntimeError as error:
            raise ProcessLostError(
                f"One of the {self.size} processes of this training is lost, or has "
                f"not answered in time; this is number {self.rank}. See what that one "
                "says, and start all of them again: with 'checkpoint' and resume=True "
                f"they go on after the last whole epoch. ({error})"
            ) from error


ALONE = Processes()


class SharedSet(Dataset[Any]):
    """A training set of which a process fetches its share of each batch.

    Parameters
    ----------
    whole : TrainingSet
        All of it.
    processes : Processes
        Say which share.
    """

    def __init__(self, whole: TrainingSet, processes: Processes) -> None:
        self.whole = whole
        self.processes = processes

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, index: IntArray) -> tuple[dict[str, Any], torch.Tensor]:
        """Return the share, with the number of records in the whole batch."""
        inputs, codes = self.whole[self.processes.share(index)]
        return {**inputs, "n_in_all": len(index)}, codes


class _Gathered(torch.autograd.Function):
    """What each process has, in all; each gets back the gradients of all."""

    @staticmethod
    def forward(context: Any, own: torch.Tensor, processes: Processes) -> torch.Tensor:
        context.processes = processes
        everyone = own.new_zeros(processes.size, *own.shape)
        everyone[processes.rank] = own
        return processes.summed(everyone)

    @staticmethod
    def backward(context: Any, *of_all: torch.Tensor) -> tuple[torch.Tensor, None]:
        processes = context.processes
        return processes.summed(of_all[0].clone())[processes.rank], None


def _keep_statistics(
    layer: _BatchNorm, mean: torch.Tensor, variance: torch.Tensor, n: torch.Tensor
) -> None:
    """Move the running mean and variance of a layer as torch does."""
    if layer.running_mean is None or layer.running_var is None:
        return
    if layer.num_batches_tracked is not None:
        layer.num_batches_tracked += 1
    share = layer.momentum
    if share is None:  # a cumulative average
        share = 1 / float(cast(torch.Tensor, layer.num_batches_tracked))
    with torch.no_grad():
        layer.running_mean.lerp_(mean, share)
        layer.running_var.lerp_(variance, share)


def _sendable(error: Exception) -> Exception:
    """Return an error, or one that says the same where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _by_kind(parameters: Iterable[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Return what can be sent in one message."""
    kinds: dict[tuple[torch.dtype, torch.device], list[nn.Parameter]] = {}
    for one in parameters:
        if one.requires_grad:
            kinds.setdefault((one.dtype, one.device), []).append(one)
    return list(kinds.values())


def _is_group(group: Any) -> bool:
    there = dist.is_available() and dist.is_initialized()
    is_group = there and isinstance(group, dist.ProcessGroup)
    return is_group and dist.get_rank(group) >= 0
