"""Checks of what networks are made with."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from sk_erts._lib.checks import check_count, check_number, is_int, refuse

__all__ = ["check_blocks", "check_dropout", "check_kernel_size", "check_sizes"]


def check_sizes(owner: object, **sizes: int) -> None:
    """Refuse sizes of a network that are no whole numbers of at least 1.

    Parameters
    ----------
    owner : object
        The network, or its name.
    **sizes : int
        Its parameters by name.
    """
    for name, size in sizes.items():
        check_count(owner, name, size)


def check_kernel_size(owner: object, kernel_size: int) -> None:
    """Refuse a length of convolutions that has no middle.

    Parameters
    ----------
    owner : object
        The network, or its name.
    kernel_size : int
        In time steps.
    """
    check_count(owner, "kernel_size", kernel_size)
    if kernel_size % 2 == 0:
        wanted = "be odd, so that feature maps stay centred on the signal"
        refuse(owner, "kernel_size", wanted, repr(kernel_size))


def check_dropout(owner: object, dropout: float) -> None:
    """Refuse a probability of dropout that leaves nothing, or is none.

    Parameters
    ----------
    owner : object
        The network, or its name.
    dropout : float
        Probability with which a channel is set to zero.
    """
    check_number(owner, "dropout", dropout, least=0, below=1)


def check_blocks(owner: object, blocks: Sequence[int], most: float = inf) -> None:
    """Refuse numbers of blocks in each stage that make no network.

    Parameters
    ----------
    owner : object
        The network, or its name.
    blocks : sequence of int
        How many blocks each stage has.
    most : int, optional
        How many stages there are at most; by default any number.
    """
    sound = (
        isinstance(blocks, Sequence)
        and 1 <= len(blocks) <= most
        and all(is_int(n_blocks) and n_blocks >= 1 for n_blocks in blocks)
    )
    if not sound:
        at_most = "" if most == inf else f" and at most {most}"
        wanted = f"hold at least one stage{at_most}, of at least one block each"
        refuse(owner, "blocks", wanted, repr(blocks))
