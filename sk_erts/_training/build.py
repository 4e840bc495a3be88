"""From parameters to a net that is ready to train."""

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from sk_erts._lib.names import nearest
from sk_erts._lib.typing import Backbone
from sk_erts._network.heads import has_parts
from sk_erts._network.untouched import device_of, untouched
from sk_erts._records.divide import FitData
from sk_erts._records.records import Records, collate
from sk_erts._records.signals import Signals, takes_lengths
from sk_erts._training.net import ERTSNet
from sk_erts._training.skorch_params import accepted_names
from sk_erts.models import get_model

__all__ = ["continue_from", "make_net", "pick_device"]


def resolve_module(
    module: Any, params: dict[str, Any], told: dict[str, int]
) -> tuple[Any, dict[str, Any]]:
    """Return what skorch builds the network from.

    Parameters
    ----------
    module : Module, class, callable or str
        As the user gave it.
    params : dict
        The user's parameters for it.
    told : dict of str to int
        ``n_leads``, ``n_times`` and ``n_classes``, for those who ask.

    Returns
    -------
    module : Module or callable
        A copy, if it was an instance.
    params : dict
        All parameters for it.

    Raises
    ------
    ValueError
        If parameters are given for an instance.
    """
    if isinstance(module, str):
        module = get_model(module)
    if isinstance(module, nn.Module):
        if params:
            names = ", ".join(repr(f"module__{name}") for name in params)
            raise ValueError(
                f"The 'module' parameter of ERTSClassifier is an instance of "
                f"{type(module).__name__}, which {names} cannot change. Give the class "
                "instead."
            )
        return copy.deepcopy(module), {}
    accepted = accepted_names(module)
    asked = (
        told if accepted is None else {k: v for k, v in told.items() if k in accepted}
    )
    return module, asked | params


def pick_device(device: Any) -> str:
    """Return the device to train on.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` takes a GPU where there is one.

    Returns
    -------
    device : str
        As torch names it.

    Raises
    ------
    ValueError
        If the machine has no such device.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            "The 'device' parameter of ERTSClassifier must name a device of this "
            f"machine, or be 'auto'. Got {device!r} instead: {error}"
        ) from error
    return str(device)


def continue_from(net: ERTSNet, previous: ERTSNet) -> None:
    """Give a new net the weights, optimiser state and history of an earlier one.

    Parameters
    ----------
    net : ERTSNet
        Initialised; keeps its own parameters, such as the learning rate.
    previous : ERTSNet
        Is not changed.

    Raises
    ------
    ValueError
        If the network has other parameters than before.
    """
    try:
        net.module_.load_state_dict(previous.module_.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "ERTSClassifier cannot go on from the network it has fitted: 'module' or "
            f"its parameters have changed since. {error}"
        ) from error
    if type(net.optimizer_) is type(previous.optimizer_):
        groups = net.optimizer_.state_dict()["param_groups"]
        for group in groups:  # where a schedule that goes on has begun
            group.setdefault("initial_lr", group["lr"])
        state = copy.deepcopy(previous.optimizer_.state_dict()["state"])
        net.optimizer_.load_state_dict({"state": state, "param_groups": groups})
    net.history = copy.deepcopy(previous.history)


def make_net(estimator: Any, data: FitData) -> ERTSNet:
    """Return an initialised net that has been seen to work on the data.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds the parameters.
    data : FitData
        Knows shapes, classes and criterion.

    Returns
    -------
    net : ERTSNet
        With random weights from torch's generator.
    """
    records = data.train.records
    estimator.check_skorch_params({"criterion": data.task.criterion})
    module, module_params = resolve_module(
        estimator.module,
        estimator.skorch_params("module"),
        {
            "n_leads": records.n_leads,
            "n_times": records.n_times,
            "n_classes": data.task.n_classes,
        },
    )
    shows_table = estimator.verbose >= 2
    params = {
        "iterator_train__collate_fn": collate,
        "iterator_valid__collate_fn": collate,
        **({} if shows_table else {"callbacks__print_log": None}),
        **estimator.skorch_params(),
        **{f"module__{name}": value for name, value in module_params.items()},
    }
    net: ERTSNet = ERTSNet(
        module,
        criterion=data.task.criterion,
        criterion__reduction="none",
        optimizer=estimator.optimizer,
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        batch_size=estimator.batch_size,
        train_split=None,
        predict_nonlinearity=data.task.nonlinearity,
        callbacks=copy.deepcopy(estimator.callbacks),
        device=pick_device(estimator.device),
        verbose=int(shows_table),
        **params,
    )
    _check_callback_names(net, estimator.skorch_params("callbacks"))
    try:
        net.initialize()
    except TypeError as error:
        raise ValueError(
            f"The net of ERTSClassifier cannot be built: {error}. The module was given "
            f"{sorted(module_params)!r}; set what is missing with 'module__...'."
        ) from error
    _check_network(net.module_, data, estimator.cam_layer)
    return net


def _check_callback_names(net: ERTSNet, params: dict[str, Any]) -> None:
    """Refuse parameters of callbacks that are not there; skorch would ignore them."""
    named = [*net.get_default_callbacks(), *(net.callbacks or [])]
    names = {
        callback[0] if isinstance(callback, tuple) else type(callback).__name__
        for callback in named
    }
    for name in params:
        if name.split("__")[0] not in names:
            raise ValueError(
                f"The parameter 'callbacks__{name}' of ERTSClassifier reaches nothing: "
                f"there is no such callback. {nearest(name.split('__')[0], names)}"
            )


def _check_network(module: nn.Module, data: FitData, cam_layer: str | None) -> None:
    """Let the network see two records and look at what comes out."""
    name = type(module).__name__
    index = np.arange(min(2, len(data.train)))
    _check_lengths(module, data.train.records, cam_layer)
    batch = data.train.signals(index, device_of(module))
    x = batch.x
    try:
        with untouched(module), torch.no_grad():
            logits = batch.logits(module)
    except (RuntimeError, TypeError, IndexError) as error:
        raise ValueError(
            f"The module {name} must read records of shape (n_leads, n_times) = "
            f"{tuple(x.shape[1:])}. It raised: {error}"
        ) from error
    expected = (len(x), data.task.n_classes)
    is_tensor = isinstance(logits, torch.Tensor)
    if not is_tensor or tuple(logits.shape) != expected:
        got = f"shape {tuple(logits.shape)}" if is_tensor else type(logits).__name__
        raise ValueError(
            f"The module {name} must return logits of shape (n_samples, n_classes) = "
            f"{expected}. Got {got} instead; take 'n_classes' as a parameter to be "
            "told the number of classes."
        )
    if batch.lengths is not None:
        _check_padding(module, batch, logits)
    if cam_layer in (None, "features") and has_parts(module):
        with untouched(module), torch.no_grad():
            backbone = cast(Backbone, module)
            same = (
                backbone.head(backbone.features(x))
                if batch.lengths is None
                else backbone.head(
                    backbone.features(x, batch.lengths),
                    backbone.feature_lengths(batch.lengths),
                )
            )
        if not torch.allclose(same, logits, rtol=1e-3, atol=1e-4):
            raise ValueError(
                f"The module {name} has 'features' and 'head', but its forward pass "
                "is not head(features(x)): maps of its features would not explain its "
                "logits. Make it so, or name a layer with 'cam_layer'."
            )


def _check_lengths(module: nn.Module, records: Records, cam_layer: str | None) -> None:
    """Refuse records of different lengths where padding would be seen."""
    if records.lengths is None:
        return
    name = type(module).__name__
    spread = f"{records.lengths.min()} to {records.lengths.max()} time steps"
    if not (takes_lengths(module) and has_parts(module)):
        raise ValueError(
            f"X of ERTSClassifier holds records of {spread}, and the module {name} "
            "cannot leave the padding behind short ones aside: it has no 'features', "
            "'head', 'feature_lengths' and forward with 'lengths'. Bring the records "
            "to one length with sk_erts.preprocessing.FixLength, or use a network that "
            "can, such as ResNet1d."
        )
    if cam_layer not in (None, "features"):
        raise ValueError(
            f"The 'cam_layer' parameter of ERTSClassifier must be None for records of "
            f"{spread}: only the maps of 'features' leave padding aside. Got "
            f"{cam_layer!r} instead."
        )


def _check_padding(module: nn.Module, batch: Signals, logits: torch.Tensor) -> None:
    """Refuse a network that sees what stands behind a record."""
    behind = batch.x.new_ones(*batch.x.shape[:2], 32)
    longer = Signals(torch.cat([batch.x, behind], dim=2), batch.lengths)
    with untouched(module), torch.no_grad():
        same = longer.logits(module)
    if not torch.allclose(same, logits, rtol=1e-3, atol=1e-4):
        raise ValueError(
            f"The module {type(module).__name__} takes 'lengths', but its logits "
            "change with what stands behind a record. Set every layer's padding to "
            "zero, and average over 'lengths' steps."
        )
