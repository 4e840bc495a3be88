"""A trained network as an ONNX model, which runs without Python or torch."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any

import torch
from torch import nn

from sk_erts._lib.optional import import_optional
from sk_erts._lib.whole import whole_file
from sk_erts._network.logits import logits_of
from sk_erts._training.short_transforms import without_transforms

__all__ = ["INPUT", "OUTPUT", "export_network"]

INPUT, OUTPUT = "X", "proba"
# Of a batch that the network is followed with: any other size is as good but 1, which
# would be taken for a constant.
N_RECORDS = 3


class _Probabilities(nn.Module):
    """Records in, probabilities out."""

    def __init__(
        self,
        module: nn.Module,
        nonlinearity: Callable[[torch.Tensor], torch.Tensor],
        temperature: float,
    ) -> None:
        super().__init__()
        self.module = module
        self.nonlinearity = nonlinearity
        self.temperature = temperature

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Map records (n, leads, times) to probabilities (n, classes)."""
        logits: torch.Tensor = logits_of(self.module(X))
        return self.nonlinearity(logits / self.temperature)


def export_network(
    module: nn.Module,
    nonlinearity: Callable[[torch.Tensor], torch.Tensor],
    path: str | PathLike[str],
    *,
    temperature: float,
    n_leads: int,
    n_times: int | None,
    told: Mapping[str, Any],
) -> None:
    """Write a network to an ONNX file, from records to probabilities.

    Parameters
    ----------
    module : Module
        Returns logits; is not changed.
    nonlinearity : callable
        Makes probabilities of them.
    path : str or path-like
        The file.
    temperature : float
        By which logits are divided.
    n_leads : int
        Leads of a record.
    n_times : int or None
        Time steps of a record; None is any number, the same for all of a batch.
    told : mapping of str to object
        What the metadata tells; values that are no text as JSON.

    Raises
    ------
    ImportError
        If the extra ``onnx`` is not installed.
    ValueError
        If torch finds no ONNX model of the network.
    """
    purpose = "ERTSClassifier.export_onnx"
    onnx = import_optional("onnx", extra="onnx", purpose=purpose)
    import_optional("onnxscript", extra="onnx", purpose=purpose)
    own = copy.deepcopy(module).cpu()
    network = _Probabilities(own, nonlinearity, temperature).eval()
    dtype = next((p.dtype for p in own.parameters()), torch.float32)
    x = torch.zeros(N_RECORDS, n_leads, n_times or 100, dtype=dtype)
    if n_times is not None:
        without_transforms(network, x)
    free = {0: torch.export.Dim("n", min=1)}
    if n_times is None:
        free[2] = torch.export.Dim("n_times", min=1)
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                network,
                (x,),
                dynamo=True,
                dynamic_shapes=[free],
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
            model = program.model_proto  # type: ignore[union-attr]
    # Of what it cannot follow, torch tells in errors of many kinds.
    except (torch.onnx.OnnxExporterError, RuntimeError, TypeError) as error:
        advice = (
            " It may be possible after a fit on records of one length, by "
            "sk_erts.preprocessing.FixLength."
            if n_times is None
            else ""
        )
        raise ValueError(
            f"The network {type(module).__name__} of ERTSClassifier cannot be written "
            f"as an ONNX model: {str(error).strip().splitlines()[0]}{advice}"
        ) from error
    text = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in told.items()
    }
    onnx.helper.set_model_props(model, text)
    with whole_file(path) as file:
        onnx.save(model, file)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter says of packages it could use, and its own code.

    What does not work it raises.
    """
    was = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(was)
