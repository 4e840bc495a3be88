"""What a training is to do: the classifier's parameters, checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from skorch.callbacks.scoring import ScoringBase
from torch.utils.data import DataLoader

from sk_erts._lib.names import nearest
from sk_erts._records.task import ClassWeight
from sk_erts._training.augmenter import Augment
from sk_erts._training.calibration import Calibration
from sk_erts._training.callback_state import without_name
from sk_erts._training.precision import StepOptions
from sk_erts._training.processes import Processes
from sk_erts._training.skorch_params import Parts, SkorchEstimator
from sk_erts.models import get_model
from sk_erts.selection import (
    DBPD,
    JUDGES,
    SMRD,
    SRD,
    FocusFilter,
    Judge,
    KeepAll,
    Looks,
    Policy,
    Rehearsal,
    Schedule,
    as_judge,
)
from sk_erts.selection._focus_filter import VERDICTS

__all__ = ["MOVED", "Plan", "make_plan"]

NO_NEGATIVES = Interval(Integral, 0, None, closed="left")
LARGEST = float(np.finfo(np.float32).max)  # what torch multiplies weights with
AT_LEAST_ONE = Interval(Integral, 1, None, closed="left")
CONSTRAINTS: dict[str, list[Any]] = {
    "module": [str, torch.nn.Module, callable],
    "data_dropout": [StrOptions({"dbpd", "smrd", "srd"}), Policy, None],
    "confidence_threshold": [Interval(Real, 0, 1, closed="both")],
    "easy_share": [Interval(Real, 0, 1, closed="both")],
    "focus": [str, callable, Judge, None],
    "focus_threshold": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
    "doubt": [StrOptions({"auto", *VERDICTS})],
    "revision_epochs": [NO_NEGATIVES],
    "selection": [Policy, None],
    "looks": [Looks, None],
    "cam_layer": [str, None],
    "max_epochs": [AT_LEAST_ONE],
    "max_effective_epochs": [Interval(Real, 0, None, closed="neither"), None],
    "batch_size": [AT_LEAST_ONE],
    "lr": [Interval(Real, 0, LARGEST, closed="neither")],
    "lr_schedule": [StrOptions({"constant", "cosine", "one-cycle"})],
    "optimizer": [callable],
    "criterion": [callable, None],
    "class_weight": [StrOptions({"balanced", "effective"}), dict, None],
    "augment": [callable, list, None],
    "validation_fraction": [
        Interval(Real, 0, 1, closed="neither"),
        HasMethods(["split"]),
        "array-like",
        tuple,
        None,
    ],
    "early_stopping": ["boolean", AT_LEAST_ONE, StrOptions({"best", "learned"})],
    "callbacks": [list, None],
    "device": [str, torch.device],
    "random_state": ["random_state"],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
}

# Epochs without a better score after which `early_stopping=True` stops.
USUAL_PATIENCE = 10

# Of the records, if something asks for a validation and nobody says how much.
USUAL_VALIDATION = 0.1

# What `selection`, a policy of the user's own, stands in for.
POLICY_PARAMETERS = (
    "data_dropout",
    "confidence_threshold",
    "easy_share",
    "focus",
    "focus_threshold",
    "doubt",
)


# What ``focus="auto"`` is where a look tells of the map for nothing, and elsewhere.
FREE, OTHERWISE = "support", "reliability"

# Where parameters of earlier versions went.
MOVED = {
    "renewal_interval": "'looks__renewal_interval'",
    "reuse_scores": "'looks__reuse_scores'",
    "revisit_gaps": "'looks__revisit_gaps'",
    "probe_records": "'looks__probe_records'",
    "scoring_precision": "'looks__precision'",
    "decay": "data_dropout=SRD(decay=...)",
    "easy_weight": "selection=Rehearsal(..., weight=...)",
    "stop_when_learned": "early_stopping='learned'",
    "n_iter_no_change": "early_stopping=10",
    "class_rescue": "selection=FocusFilter(..., class_rescue=...)",
    "focus_warmup_epochs": "warmup_epochs=(5, 3)",
    "restore_best": "early_stopping='best'",
}


@dataclass(frozen=True)
class Plan:
    """What a training is to do; nothing of it changes while it is done.

    Attributes
    ----------
    module, optimizer, callbacks : object
        As the user gave them.
    parts : Parts
        Parameters of the net's parts.
    policy : Policy
        Which records to train.
    policy_without_maps : Policy or None
        The same for a network whose maps are not free, if that is another.
    schedule : Schedule
        When it rules.
    epochs : int
        For how long.
    budget : float or None
        Effective epochs after which it ends; None is no limit.
    seed : int
        Of everything random.
    device : torch.device
        Where to train.
    precision : {"float32", "bfloat16"}
        What training steps are computed with.
    looks : Looks
        How records are looked at.
    augment : sequence of callable
        What changes training batches, in its order.
    validation : float, splitter, list of pairs, tuple or None
        What is set aside, or records and labels from elsewhere; None is nothing.
    patience : int or None
        Epochs without a better score after which to stop; None never does.
    restore_best : bool
        Whether the network of the best epoch is kept, and not the last one.
    calibration : Calibration
        What is measured on the validation part once the network is trained.
    """

    module: Any
    policy: Policy
    schedule: Schedule
    epochs: int
    seed: int
    device: torch.device
    precision: str = "float32"
    policy_without_maps: Policy | None = None
    budget: float | None = None
    looks: Looks = field(default_factory=Looks)
    parts: Parts = field(default_factory=Parts)
    cam_layer: str | None = None
    optimizer: Any = torch.optim.AdamW
    lr: float = 1e-3
    lr_schedule: str = "constant"
    batch_size: int = 64
    criterion: Any = None
    class_weight: ClassWeight = None
    augment: Sequence[Augment] = ()
    validation: Any = None
    patience: int | None = None
    restore_best: bool = False
    stop_when_learned: bool = False
    calibration: Calibration = field(default_factory=Calibration)
    callbacks: Any = None
    verbose: int = 0

    @property
    def judge(self) -> Judge:
        """By what candidates are judged; the paper's measure where nothing is said."""
        return self.policy.judge or JUDGES["top_mass"]

    def settled(self, *, maps_are_free: bool) -> Plan:
        """Return the plan for a network, now that it is known what its maps cost."""
        if maps_are_free or self.policy_without_maps is None:
            return self
        return replace(self, policy=self.policy_without_maps, policy_without_maps=None)

    def of_process(self, processes: Processes) -> Plan:
        """Return the plan for one of several processes: they agree, and one shows."""
        seed, precision = processes.agreed(lambda: (self.seed, self.precision))
        verbose = self.verbose if processes.is_first else 0
        return replace(self, seed=seed, precision=precision, verbose=verbose)


def make_plan(
    estimator: Any, *, n_epochs_before: int = 0, one_epoch: bool = False
) -> Plan:
    """Judge all parameters of a classifier, before any work is done.

    Parameters
    ----------
    estimator : ERTSClassifier
        Holds them.
    n_epochs_before : int, default=0
        Epochs that its network has been trained for: what goes on has another order.
    one_epoch : bool, default=False
        Whether this is one epoch of a training without an end, and so without a
        revision or anything that ends one.

    Returns
    -------
    plan : Plan
        What they ask for.

    Raises
    ------
    ValueError
        If one is out of its range, misspelt, or contradicts another.
    """
    name = type(estimator).__name__
    params = estimator.get_params(deep=False)
    validate_parameter_constraints(CONSTRAINTS, params, name)
    _refuse_truth_values(params, name)
    device = _device(estimator.device)
    _check_callbacks(estimator.callbacks, name)
    looks = estimator.nested("looks")
    looks.check(name)
    steps = estimator.nested("steps") if "steps" in estimator.NESTED else StepOptions()
    steps.check(name)
    measures = "calibration" in estimator.NESTED and not one_epoch
    calibration = estimator.nested("calibration") if measures else Calibration()
    calibration.check(name)
    warm_ups = _warm_ups(estimator.warmup_epochs, name)
    validation = estimator.validation_fraction
    is_empty = isinstance(validation, tuple | list) and not validation
    if is_empty or isinstance(validation, str | bytes):
        raise ValueError(
            f"The 'validation_fraction' parameter of {name} must be a number in "
            f"(0, 1), a splitter, a list of pairs of indices, or a tuple of records "
            f"and labels. Got {validation!r} instead."
        )
    needs_validation = calibration.is_asked_for or _needs_validation(estimator)
    if validation is None and needs_validation:
        validation = USUAL_VALIDATION
    if isinstance(validation, Real):
        validation = float(validation)
    budget = None if one_epoch else estimator.max_effective_epochs
    if budget is not None:
        warm_ups = int(min(warm_ups[0], budget / 2)), warm_ups[1]
        budget = min(budget, estimator.max_epochs)  # more cannot be spent
    return Plan(
        module=estimator.module,
        parts=_checked_parts(estimator),
        augment=_augmentations(estimator, name),
        policy=_policy(estimator, name, FREE),
        policy_without_maps=_policy(estimator, name, OTHERWISE)
        if estimator.focus == "auto"
        else None,
        schedule=Schedule(None, *warm_ups)
        if one_epoch
        else Schedule(estimator.max_epochs, *warm_ups, estimator.revision_epochs),
        epochs=1 if one_epoch else estimator.max_epochs,
        budget=budget,
        seed=_seed(estimator, n_epochs_before),
        device=device,
        precision=steps.chosen(device),
        looks=looks,
        cam_layer=estimator.cam_layer,
        optimizer=estimator.optimizer,
        lr=float(estimator.lr),
        lr_schedule="constant" if one_epoch else estimator.lr_schedule,
        batch_size=estimator.batch_size,
        criterion=estimator.criterion,
        class_weight=estimator.class_weight,
        validation=None if one_epoch else validation,
        patience=_patience(estimator.early_stopping),
        restore_best=_restores_best(estimator.early_stopping),
        calibration=calibration,
        stop_when_learned=estimator.early_stopping == "learned",
        callbacks=estimator.callbacks,
        verbose=estimator.verbose,
    )


def _warm_ups(given: Any, name: str) -> tuple[int, int]:
    """Return the epochs on all data, and those of data dropout alone after them."""
    epochs = given if isinstance(given, tuple | list) else (given, 0)
    if len(epochs) != 2 or not all(map(_is_count, epochs)):
        raise ValueError(
            f"The 'warmup_epochs' parameter of {name} must be a non-negative integer, "
            f"or a tuple of two of them, such as (5, 3). Got {given!r} instead."
        )
    return int(epochs[0]), int(epochs[1])


def _is_count(number: Any) -> bool:
    if isinstance(number, bool) or not isinstance(number, Integral):
        return False
    return int(number) >= 0


def _patience(early_stopping: Any) -> int | None:
    """Return after how many epochs without a better score to stop."""
    if isinstance(early_stopping, bool | np.bool_):
        return USUAL_PATIENCE if early_stopping else None
    return int(early_stopping) if isinstance(early_stopping, Integral) else None


def _restores_best(early_stopping: Any) -> bool:
    """Return whether the network of the best epoch is wanted, not the last one."""
    return early_stopping == "best" or _patience(early_stopping) is not None


def _needs_validation(estimator: Any) -> bool:
    """Return whether something looks at what is set aside."""
    if _restores_best(estimator.early_stopping):
        return True
    callbacks = map(without_name, estimator.callbacks or [])
    return any(
        str(getattr(own, "monitor", "")).startswith("valid")
        or (isinstance(own, ScoringBase) and not own.on_train)
        for own in callbacks
    )


def _seed(estimator: Any, n_epochs_before: int) -> int:
    drawn = check_random_state(estimator.random_state).randint(2**31 - 1)
    return int(drawn) + n_epochs_before


def _device(device: Any) -> torch.device:
    """Return the device to train on; ``"auto"`` takes a GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            "The 'device' parameter of ERTSClassifier must name a device of this "
            f"machine, or be 'auto'. Got {device!r} instead: {error}"
        ) from error
    return torch.device(device)


def _checked_parts(estimator: SkorchEstimator) -> Parts:
    """Return the parameters of the net's parts, those that can be judged by now."""
    module = estimator.module
    module = get_model(module) if isinstance(module, str) else module
    takes = {
        "optimizer": estimator.optimizer,
        "iterator_train": DataLoader,
        "iterator_valid": DataLoader,
    }
    if not isinstance(module, torch.nn.Module):
        takes["module"] = module
    parts = estimator.parts()
    parts.check(takes)
    return parts


def _refuse_truth_values(params: Mapping[str, Any], name: str) -> None:
    """Refuse True for a number; scikit-learn takes it for 1, and torch does not."""
    for key, allowed in CONSTRAINTS.items():
        is_number = any(isinstance(one, Interval) for one in allowed)
        if is_number and "boolean" not in allowed and isinstance(params.get(key), bool):
            raise ValueError(
                f"The {key!r} parameter of {name} must be a number. Got {params[key]} "
                "instead."
            )


def _check_callbacks(callbacks: Any, name: str) -> None:
    """Refuse what skorch would fail to call."""
    for given in callbacks or ():
        own = given
        if isinstance(given, tuple | list):
            is_pair = len(given) == 2 and isinstance(given[0], str)
            own = given[1] if is_pair else given
        kind = own if isinstance(own, type) else type(own)
        # None takes a callback's place away; others may not be skorch's subclasses.
        is_one = hasattr(kind, "on_train_begin") and hasattr(kind, "initialize")
        if not (is_one or (own is None and own is not given)):
            raise ValueError(
                f"The 'callbacks' parameter of {name} must be a list of skorch's "
                f"callbacks, alone or as pairs (name, callback). Got {given!r} in it."
            )


def _augmentations(estimator: Any, name: str) -> Sequence[Augment]:
    """Return what changes the training batches, in its order."""
    augment = estimator.augment
    steps = augment if isinstance(augment, list) else [augment] if augment else []
    for step in steps:
        if isinstance(step, type):
            raise ValueError(
                f"The 'augment' parameter of {name} must be an object, not a class. "
                f"Got {step.__name__}: give {step.__name__}()."
            )
        if not callable(step):
            raise ValueError(
                f"The 'augment' parameter of {name} must be a function of records and "
                f"a generator, or a list of such functions. Got {step!r} in it."
            )
    return tuple(steps)


def _policy(estimator: Any, name: str, auto: str) -> Policy:
    """Return the policy that the flat parameters, or `selection`, describe.

    The name of the judge that ``focus="auto"`` stands for is `auto`.
    """
    if estimator.selection is not None:
        params = estimator.get_params(deep=False)
        defaults = type(estimator)().get_params(deep=False)
        given = [key for key in POLICY_PARAMETERS if params[key] != defaults[key]]
        if given:
            raise ValueError(
                f"The parameters {given!r} of {name} describe a policy, and "
                "'selection' is one. Give either, not both."
            )
        own: Policy = clone(estimator.selection, safe=False)
        return own
    dropout = estimator.data_dropout
    policy: Policy = (
        {
            "dbpd": DBPD(estimator.confidence_threshold),
            "smrd": SMRD(estimator.confidence_threshold),
            "srd": SRD(),
            None: KeepAll(),
        }[dropout]
        if not isinstance(dropout, Policy)
        else clone(dropout, safe=False)
    )
    is_difficulty_based = isinstance(policy, DBPD)
    focus = estimator.focus if estimator.focus != "auto" else auto
    if focus is not None:
        _check_focus(focus, name)
        focus = clone(focus) if isinstance(focus, Judge) else focus
        doubt = estimator.doubt
        if doubt == "auto":
            doubt = "soften" if as_judge(focus).softens else "drop"
        policy = FocusFilter(policy, focus, estimator.focus_threshold, doubt=doubt)
    if is_difficulty_based and estimator.easy_share > 0:
        policy = Rehearsal(policy, estimator.easy_share)
    return policy


def _check_focus(focus: Any, name: str) -> None:
    """Refuse what stands for no judge."""
    if isinstance(focus, type):
        raise ValueError(
            f"The 'focus' parameter of {name} must be an object, not a class. Got "
            f"{focus.__name__}: give {focus.__name__}()."
        )
    if isinstance(focus, str) and focus not in JUDGES:
        raise ValueError(
            f"The 'focus' parameter of {name} must be the name of a judge. Got "
            f"{focus!r}. {nearest(focus, [*JUDGES, 'auto'])}"
        )
