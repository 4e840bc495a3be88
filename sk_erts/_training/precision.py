"""Compute in half the bits where the processor has instructions for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions, validate_parameter_constraints

from sk_erts._lib.typing import FloatArray

__all__ = [
    "ScoringPrecision",
    "StepOptions",
    "bfloat16_pays",
    "in_float32",
    "in_half",
]

# Scores rank records: a look may be off by this much, and no more.
TOLERANCE = 0.05

# As `torch.cpu.get_capabilities` names them: two of x86, one of ARM.
INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")

# What torch has had since 2.6, and no words for ARM; AMX tiles come with AMX-BF16.
QUESTIONS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


class ScoringPrecision:
    """Choose once what a training looks at its records with.

    Parameters
    ----------
    wanted : {"auto", "float32", "bfloat16"}
        ``"auto"`` is bfloat16 where the processor has instructions for it and, on the
        first records that are looked at, it is close enough.
    device : torch.device
        Where the network runs.

    Attributes
    ----------
    chosen : {"float32", "bfloat16"} or None
        What is looked with; None before the first look of ``"auto"``. May be set.
    """

    def __init__(self, wanted: str, device: torch.device) -> None:
        self.device = device
        self.chosen: str | None = None if wanted == "auto" else wanted

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
        if self.chosen is None:
            fast = bfloat16_pays(self.device.type) and self._is_close(confidences)
            self.chosen = "bfloat16" if fast else "float32"
        return in_half(self.device) if self.chosen == "bfloat16" else nullcontext()

    def _is_close(self, confidences: Callable[[], FloatArray]) -> bool:
        exact = confidences()
        with in_half(self.device):
            rounded = confidences()
        return bool(np.abs(exact - rounded).max(initial=0) <= TOLERANCE)


class StepOptions(BaseEstimator):
    """How training steps are computed.

    Parameters of the classifier reach it by double underscores, as in
    ``ERTSClassifier(steps__precision="bfloat16")``.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        What the network computes with; weights and losses stay in float32. ``"auto"``
        is bfloat16 where the processor has instructions for it.
    """

    def __init__(self, precision: str = "float32") -> None:
        self.precision = precision

    def check(self, owner: str) -> None:
        """Judge the parameter.

        Parameters
        ----------
        owner : str
            Class of the estimator, for errors.

        Raises
        ------
        ValueError
            If it is none of the three.
        """
        allowed = StrOptions({"float32", "bfloat16", "auto"})
        validate_parameter_constraints(
            {"steps__precision": [allowed]}, {"steps__precision": self.precision}, owner
        )

    def chosen(self, device: torch.device) -> str:
        """Return what steps are computed with on a device.

        Nothing is timed or tried out: it is the same on each machine of a kind.

        Parameters
        ----------
        device : torch.device
            Where the network is trained.

        Returns
        -------
        precision : {"float32", "bfloat16"}
            Never "auto".
        """
        if self.precision != "auto":
            return self.precision
        return "bfloat16" if bfloat16_pays(device.type) else "float32"


def in_half(device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a network computes in bfloat16.

    Parameters
    ----------
    device : torch.device
        Where the network runs.

    Returns
    -------
    context : context manager
        Weights stay as they are.
    """
    return torch.autocast(device.type, torch.bfloat16)


def in_float32(outputs: Any) -> Any:
    """Return what a network said in half the bits with all of them.

    Parameters
    ----------
    outputs : tensor, tuple, list, dict or None
        Of a network.

    Returns
    -------
    outputs : object
        The same, with tensors of bfloat16 in float32.
    """
    if torch.is_tensor(outputs):
        return outputs.float() if outputs.dtype == torch.bfloat16 else outputs
    if isinstance(outputs, Mapping):
        return {name: in_float32(own) for name, own in outputs.items()}
    if isinstance(outputs, tuple | list):
        own = list(map(in_float32, outputs))
        if hasattr(outputs, "_fields"):
            return type(outputs)(*own)
        return own if isinstance(outputs, list) else tuple(own)
    return outputs


def bfloat16_pays(device_type: str) -> bool:
    """Return whether the processor has instructions for bfloat16.

    Those that have take about half the time for a convolution, others several times
    as long. Nothing is timed, so that the same seed gives the same selection in every
    process on a machine.

    Parameters
    ----------
    device_type : str
        ``"cpu"``, ``"cuda"`` ...

    Returns
    -------
    pays : bool
        Of a CPU, whether torch reports AVX512-BF16, AMX-BF16 or the bf16 of ARM, and
        was built with oneDNN, which uses them. False where torch cannot tell: on other
        devices, on x86 before torch 2.6, and on ARM in versions without
        `torch.cpu.get_capabilities`.
    """
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has_onednn: Callable[[], bool] = torch.backends.mkldnn.is_available
    if device_type != "cpu" or not has_onednn():
        return False
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        reported = capabilities()
        return any(reported.get(name, False) for name in INSTRUCTIONS)
    return any(getattr(torch.cpu, name, bool)() for name in QUESTIONS)
