"""How much is removed in each step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_count, check_number, refuse
from sk_erts._lib.typing import IntArray

__all__ = ["block_counts", "block_shares"]


def block_counts(owner: str, n_steps: Any, n_blocks: int) -> IntArray:
    """Return the numbers of blocks in even steps from none to all.

    Parameters
    ----------
    owner : str
        The function that asks.
    n_steps : int
        Its number of steps.
    n_blocks : int
        Blocks of a record.

    Returns
    -------
    counts : int ndarray of shape (n_steps + 1,)
        From 0 to `n_blocks`.

    Raises
    ------
    ValueError
        If `n_steps` is no int, or less than 1.
    """
    check_count(owner, "n_steps", n_steps)
    return np.rint(np.linspace(0, n_blocks, n_steps + 1)).astype(np.intp)


def block_shares(owner: str, share: Any, n_blocks: int) -> IntArray:
    """Return the numbers of blocks that shares of a record are.

    Parameters
    ----------
    owner : str
        The function that asks.
    share : float or sequence of float
        Above 0 and up to 1.
    n_blocks : int
        Blocks of a record.

    Returns
    -------
    counts : int ndarray of shape (n_shares,)
        Rounded, but at least one block.

    Raises
    ------
    ValueError
        If there is none, or one is out of its range.
    """
    given = isinstance(share, Iterable) and not isinstance(share, str)
    shares = [
        check_number(owner, "share", one, above=0, most=1)
        for one in (share if given else [share])
    ]
    if not shares:
        refuse(owner, "share", "be a number or a sequence of numbers", "no number")
    counts: IntArray = np.rint(np.array(shares) * n_blocks).astype(np.intp)
    return np.maximum(counts, 1)
