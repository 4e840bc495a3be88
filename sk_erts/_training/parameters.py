"""What the classifier's parameters may be, and what they describe."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import torch
from sklearn.base import clone
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from torch.utils.data import DataLoader

from sk_erts._lib.names import nearest
from sk_erts._training.augmenter import Augment
from sk_erts.models import get_model
from sk_erts.selection import (
    DBPD,
    SMRD,
    SRD,
    FocusFilter,
    KeepAll,
    Policy,
    Rehearsal,
    Reliability,
)
from sk_erts.selection._focus_measures import FOCUS_MEASURES
from sk_erts.selection._reliability import RELIABILITY

__all__ = ["augmentations", "check_parameters", "make_policy"]

CONSTRAINTS: dict[str, list[Any]] = {
    "module": [str, torch.nn.Module, callable],
    "data_dropout": [StrOptions({"dbpd", "smrd", "srd"}), None],
    "confidence_threshold": [Interval(Real, 0, 1, closed="both")],
    "decay": [Interval(Real, 0, 1, closed="right")],
    "easy_share": [Interval(Real, 0, 1, closed="both")],
    "easy_weight": [Interval(Real, 0, None, closed="neither")],
    "focus": [str, callable, Reliability, None],
    "focus_threshold": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
    "class_rescue": ["boolean"],
    "warmup_epochs": [Interval(Integral, 0, None, closed="left")],
    "focus_warmup_epochs": [Interval(Integral, 0, None, closed="left")],
    "revision_epochs": [Interval(Integral, 0, None, closed="left")],
    "renewal_interval": [
        Interval(Integral, 1, None, closed="left"),
        StrOptions({"batch", "epoch"}),
    ],
    "reuse_scores": ["boolean"],
    "revisit_gaps": [tuple, list],
    "probe_records": [Interval(Integral, 0, None, closed="left")],
    "scoring_precision": [StrOptions({"auto", "float32", "bfloat16"})],
    "stop_when_learned": ["boolean"],
    "selection": [Policy, None],
    "cam_layer": [str, None],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "optimizer": [callable],
    "class_weight": [StrOptions({"balanced", "effective"}), dict, None],
    "augment": [callable, list, None],
    "validation_fraction": [
        Interval(Real, 0, 1, closed="neither"),
        HasMethods(["split"]),
        "array-like",
    ],
    "early_stopping": ["boolean"],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "restore_best": ["boolean"],
    "callbacks": [list, None],
    "device": [str, torch.device],
    "random_state": ["random_state"],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
}

# What `selection`, a policy of the user's own, stands in for.
POLICY_PARAMETERS = (
    "data_dropout",
    "confidence_threshold",
    "decay",
    "easy_share",
    "easy_weight",
    "focus",
    "focus_threshold",
    "class_rescue",
)


def check_parameters(estimator: Any) -> None:
    """Judge all parameters of a classifier, before any work is done.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds them.

    Raises
    ------
    ValueError
        If one is out of its range, misspelt, or contradicts another.
    """
    name = type(estimator).__name__
    params = estimator.get_params(deep=False)
    validate_parameter_constraints(CONSTRAINTS, params, name)
    module = estimator.module
    module = get_model(module) if isinstance(module, str) else module
    takes = {
        "optimizer": estimator.optimizer,
        "iterator_train": DataLoader,
        "iterator_valid": DataLoader,
    }
    if not isinstance(module, torch.nn.Module):
        takes["module"] = module
    estimator.check_skorch_params(takes)
    if isinstance(estimator.validation_fraction, str):
        raise ValueError(
            f"The 'validation_fraction' parameter of {name} must be a number in "
            "(0, 1), a splitter or a list of pairs of indices. Got "
            f"{estimator.validation_fraction!r} instead."
        )
    for step in augmentations(estimator):
        if not callable(step):
            raise ValueError(
                f"The 'augment' parameter of {name} must be a function of records and "
                f"a generator, or a list of such functions. Got {step!r} in it."
            )
    gaps = estimator.revisit_gaps
    if not gaps or any(not isinstance(gap, Integral) or int(gap) < 1 for gap in gaps):
        raise ValueError(
            f"The 'revisit_gaps' parameter of {name} must be a sequence of numbers of "
            f"epochs, each at least 1, such as (2, 4, 8). Got {gaps!r} instead."
        )
    focus = estimator.focus
    if isinstance(focus, type):
        raise ValueError(
            f"The 'focus' parameter of {name} must be an object, not a class. Got "
            f"{focus.__name__}: give {focus.__name__}()."
        )
    if isinstance(focus, str) and focus not in (*FOCUS_MEASURES, RELIABILITY):
        raise ValueError(
            f"The 'focus' parameter of {name} must be a focus measure. Got {focus!r}. "
            f"{nearest(focus, (*FOCUS_MEASURES, RELIABILITY))}"
        )
    if estimator.selection is not None:
        defaults = type(estimator)().get_params(deep=False)
        given = [key for key in POLICY_PARAMETERS if params[key] != defaults[key]]
        if given:
            raise ValueError(
                f"The parameters {given!r} of {name} describe a policy, and "
                "'selection' is one. Give either, not both."
            )


def augmentations(estimator: Any) -> list[Augment]:
    """Return what changes the training batches, in its order.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds the parameters.

    Returns
    -------
    steps : list of callable
        Empty if nothing does.
    """
    augment = estimator.augment
    if augment is None:
        return []
    return list(augment) if isinstance(augment, list) else [augment]


def make_policy(estimator: Any) -> Policy:
    """Return the policy that the flat parameters, or `selection`, describe.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds the parameters.

    Returns
    -------
    policy : Policy
        Data dropout, focus filter on top of it, rehearsal on top of both.
    """
    if estimator.selection is not None:
        policy: Policy = clone(estimator.selection, safe=False)
        return policy
    policy = {
        "dbpd": DBPD(estimator.confidence_threshold),
        "smrd": SMRD(estimator.confidence_threshold),
        "srd": SRD(estimator.decay),
        None: KeepAll(),
    }[estimator.data_dropout]
    focus = estimator.focus
    if focus is not None:
        policy = FocusFilter(
            policy,
            clone(focus) if isinstance(focus, Reliability) else focus,
            estimator.focus_threshold,
            class_rescue=estimator.class_rescue,
        )
    if estimator.data_dropout == "dbpd" and estimator.easy_share > 0:
        policy = Rehearsal(policy, estimator.easy_share, estimator.easy_weight)
    return policy
