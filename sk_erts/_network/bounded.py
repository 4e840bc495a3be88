"""Networks that a file asks for, no larger than what the file holds."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

__all__ = ["no_larger_than"]

# A network may register a parameter more than once, and a loss has some of its own.
TIMES, MORE_TENSORS, MORE_NUMBERS = 4, 100, 2**20


@contextmanager
def no_larger_than(tensors: Iterable[torch.Tensor]) -> Iterator[None]:
    """Let no network be made meanwhile that has far more parameters than some tensors.

    A file can ask for a network of any size in a few bytes, which would take all memory
    before its shapes are seen to be wrong.

    Parameters
    ----------
    tensors : iterable of tensor
        What the file holds.

    Raises
    ------
    ValueError
        As soon as it grows too large.

    Examples
    --------
    >>> import torch
    >>> from sk_erts._network.bounded import no_larger_than
    >>> from sk_erts.models import ResNet1d
    >>> with no_larger_than([torch.zeros(3)]):
    ...     ResNet1d(12, 5, blocks=(10**9,))
    Traceback (most recent call last):
    ...
    ValueError: a network is asked for that has more parameters than the 1 tensors of
    the file
    """
    sizes = [tensor.numel() for tensor in tensors]
    n_left = TIMES * len(sizes) + MORE_TENSORS
    numbers_left = TIMES * sum(sizes) + MORE_NUMBERS
    thread = threading.get_ident()

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal n_left, numbers_left
        if parameter is None or threading.get_ident() != thread:
            return
        n_left -= 1
        if not parameter.is_meta:  # which takes no memory
            numbers_left -= parameter.numel()
        if n_left < 0 or numbers_left < 0:
            raise ValueError(
                "a network is asked for that has more parameters than the "
                f"{len(sizes)} tensors of the file"
            )

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
