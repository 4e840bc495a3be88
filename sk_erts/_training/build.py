"""From parameters to a net that is ready to train."""

from __future__ import annotations

import copy
import operator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from sk_erts._lib.names import nearest
from sk_erts._network.check import check_network
from sk_erts._network.network import Network
from sk_erts._network.untouched import untouched
from sk_erts._records.divide import FitData
from sk_erts._records.training_set import collate
from sk_erts._training.loss import as_criterion, check_losses
from sk_erts._training.net import ERTSNet
from sk_erts._training.plan import Plan
from sk_erts._training.skorch_params import accepted_names
from sk_erts.models import get_model

__all__ = ["make_net"]


def resolve_module(
    module: Any,
    params: dict[str, Any],
    told: dict[str, int],
    owner: str = ERTSNet.owner,
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
    owner : str, optional
        Class of the estimator, for errors.

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
                f"The 'module' parameter of {owner} is an instance of "
                f"{type(module).__name__}, which {names} cannot change. Give the class "
                "instead."
            )
        return copy.deepcopy(module), {}
    accepted = accepted_names(module)
    asked = (
        told if accepted is None else {k: v for k, v in told.items() if k in accepted}
    )
    return module, asked | params


def make_net(plan: Plan, data: FitData, kind: type[ERTSNet] = ERTSNet) -> ERTSNet:
    """Return an initialised net that has been seen to work on the data.

    Parameters
    ----------
    plan : Plan
        What was asked for.
    data : FitData
        Knows shapes, classes and criterion.
    kind : class, default=ERTSNet
        Of the net.

    Returns
    -------
    net : ERTSNet
        With random weights from torch's generator.

    Raises
    ------
    ValueError
        If a parameter reaches nothing, or the network cannot read the records.
    """
    records, task = data.train.records, data.task
    criterion = task.criterion if plan.criterion is None else plan.criterion
    if isinstance(criterion, type):
        plan.parts.check({"criterion": criterion})
    criterion, of_criterion = as_criterion(criterion, plan.parts.of("criterion"))
    module, module_params = resolve_module(
        plan.module,
        plan.parts.of("module"),
        {
            "n_leads": records.n_leads,
            "n_times": records.n_times,
            "n_classes": task.n_outputs,
        },
    )
    shows_table = plan.verbose >= 2
    params = {
        "iterator_train__collate_fn": collate,
        "iterator_valid__collate_fn": collate,
        **({} if shows_table else {"callbacks__print_log": None}),
        **plan.parts.params,
        **{f"module__{name}": value for name, value in module_params.items()},
        **{f"criterion__{name}": value for name, value in of_criterion.items()},
    }
    net = kind(
        module,
        task=task,
        criterion=criterion,
        optimizer=plan.optimizer,
        lr=plan.lr,
        max_epochs=plan.epochs,
        batch_size=plan.batch_size,
        train_split=None,
        predict_nonlinearity=task.nonlinearity,
        callbacks=plan.callbacks and list(map(_own_copy, plan.callbacks)),
        device=str(plan.device),
        verbose=int(shows_table),
        **params,
    )
    net.precision = plan.precision
    _check_callback_names(net, plan.parts.of("callbacks"))
    _check_loaders(net)
    try:
        net.initialize()
    except TypeError as error:
        raise ValueError(
            f"The net of {kind.owner} cannot be built: {error}. The module was given "
            f"{sorted(module_params)!r}; set what is missing with 'module__...'."
        ) from error
    network = Network(net.module_, plan.cam_layer)
    check_network(network, data.train, task.n_outputs)
    _check_criterion(net, network, data)
    return net


def _own_copy(callback: Any) -> Any:
    """Return a copy that shares what it holds, such as a writer or a trial.

    A copied trial of Optuna would report to a copied study, which nobody reads.
    """
    if isinstance(callback, tuple | list):
        name, own = callback
        return name, copy.copy(own)
    return copy.copy(callback)


def _check_criterion(net: ERTSNet, network: Network, data: FitData) -> None:
    """Let the criterion judge two records."""
    index = np.arange(min(2, len(data.train)))
    codes = torch.from_numpy(data.train.codes[index]).to(network.device)
    batch = data.train.signals(index, network.device)
    found = getattr(net.criterion, "function", net.criterion)
    name = getattr(found, "__name__", type(found).__name__)
    with untouched(network.module), torch.no_grad():
        try:
            losses = net.criterion_(network.logits(batch), codes)
        except TypeError as error:
            raise ValueError(
                f"The 'criterion' parameter of {net.owner} must take logits and "
                "encoded labels, and return one value per record. "
                f"{name} raised: {error}"
            ) from error
    check_losses(losses, codes, name)


def _check_loaders(net: ERTSNet) -> None:
    """Refuse parameters of which torch makes no loader, before it is wanted."""
    for prefix in ("iterator_train", "iterator_valid"):
        params = net.get_params_for(prefix)
        params.pop("batch_size", None)
        try:
            operator.index(params.get("num_workers", 0))  # torch asks when it starts
            DataLoader(range(1), batch_size=None, **params)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The parameters '{prefix}__*' of {net.owner} must be those of a "
                f"torch DataLoader, which says: {error}"
            ) from error


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
                f"The parameter 'callbacks__{name}' of {net.owner} reaches nothing: "
                f"there is no such callback. {nearest(name.split('__')[0], names)}"
            )
