"""Look in half the bits where the processor is faster in them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import numpy as np
import torch
from torch.nn import functional

from sk_erts._lib.typing import FloatArray

__all__ = ["ScoringPrecision", "bfloat16_pays"]

# Scores rank records: a look may be off by this much, and no more.
TOLERANCE = 0.05


class ScoringPrecision:
    """Choose once what a training looks at its records with.

    Parameters
    ----------
    wanted : {"auto", "float32", "bfloat16"}
        ``"auto"`` is bfloat16 where it is faster and, on the first records that are
        looked at, close enough.
    device : torch.device
        Where the network runs.
    """

    def __init__(self, wanted: str, device: torch.device) -> None:
        self.device = device
        self._chosen = None if wanted == "auto" else wanted

    def __call__(
        self, confidences: Callable[[], FloatArray]
    ) -> AbstractContextManager[object]:
        """Return the context in which to look.

        Parameters
        ----------
        confidences : callable
            Looks at a batch; called twice in the first call of ``"auto"``.

        Returns
        -------
        context : context manager
            Autocasts to bfloat16, or does nothing.
        """
        if self._chosen is None:
            fast = bfloat16_pays(self.device.type) and self._is_close(confidences)
            self._chosen = "bfloat16" if fast else "float32"
        return self._autocast() if self._chosen == "bfloat16" else nullcontext()

    def _is_close(self, confidences: Callable[[], FloatArray]) -> bool:
        exact = confidences()
        with self._autocast():
            rounded = confidences()
        return bool(np.abs(exact - rounded).max(initial=0) <= TOLERANCE)

    def _autocast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16)


@cache
def bfloat16_pays(device_type: str) -> bool:
    """Return whether convolutions are faster in bfloat16.

    Processors with instructions for it take about half the time, others several
    times as long. It is measured on convolutions of a fixed size, and once per
    process, so that the same seed gives the same selection.

    Parameters
    ----------
    device_type : str
        ``"cpu"``, ``"cuda"`` ...

    Returns
    -------
    pays : bool
        Whether it is at least a tenth faster.
    """
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device_type != "cpu":
        return False
    with torch.inference_mode():
        single, half = (
            _time_convolution(dtype) for dtype in (torch.float32, torch.bfloat16)
        )
    return half < 0.9 * single


def _time_convolution(dtype: torch.dtype, n_runs: int = 5) -> float:
    """Return the median time in seconds of a convolution like those of a ResNet."""
    x = torch.ones(32, 64, 250, dtype=dtype)  # (n, channels, times)
    weight = torch.ones(64, 64, 7, dtype=dtype)
    seconds = []
    for _ in range(n_runs + 1):
        start = time.perf_counter()
        functional.conv1d(x, weight, padding=3)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])  # the first one also prepares
