"""Attribution methods by name."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from sk_erts._lib.names import nearest
from sk_erts.attribution._class_activation import (
    GradCAMMaps,
    GradCAMPlusPlusMaps,
    HiResCAMMaps,
)
from sk_erts.attribution._deeplift import DeepLift
from sk_erts.attribution._function import name_of
from sk_erts.attribution._gradient_shap import GradientShap
from sk_erts.attribution._guided_gradcam import GuidedGradCAM
from sk_erts.attribution._input_x_gradient import InputXGradient
from sk_erts.attribution._integrated_gradients import IntegratedGradients
from sk_erts.attribution._intrinsic import Intrinsic
from sk_erts.attribution._method import Method
from sk_erts.attribution._occlusion import Occlusion
from sk_erts.attribution._saliency import Saliency

__all__ = ["METHODS", "get_method", "make_method"]

_METHODS: dict[str, type[Method]] = {
    name_of(method): method
    for method in (
        GradCAMMaps,
        GradCAMPlusPlusMaps,
        HiResCAMMaps,
        Saliency,
        InputXGradient,
        IntegratedGradients,
        DeepLift,
        GradientShap,
        Occlusion,
        GuidedGradCAM,
        Intrinsic,
    )
}

#: Names of all methods, and what their maps are over.
METHODS: dict[str, str] = {name: method.axes for name, method in _METHODS.items()}


def get_method(name: Any) -> type[Method]:
    """Return the class of a method.

    Parameters
    ----------
    name : str
        A key of ``METHODS``.

    Returns
    -------
    method : type
        What is made for a network.

    Raises
    ------
    ValueError
        If there is no method of this name; the nearest one is named.
    """
    if not isinstance(name, str):
        raise ValueError(
            "An attribution method is given by its name. Got an object of type "
            f"{type(name).__name__} instead; classes to be explained are given as "
            "'target'."
        )
    if name not in _METHODS:
        # In papers some names end in plus signs.
        advice = nearest(name.replace("+", "_plus"), METHODS)
        raise ValueError(
            f"No attribution method is named {name!r}. {advice} A class to be "
            "explained is given as 'target'."
        )
    return _METHODS[name]


def make_method(
    name: Any, module: nn.Module, layer: str | None, params: dict[str, Any]
) -> Method:
    """Return a method for a network.

    Parameters
    ----------
    name : str
        A key of ``METHODS``.
    module : Module
        The network.
    layer : str or None
        Whose feature maps are explained, by methods that do so.
    params : dict of str to object
        Parameters of the method.

    Returns
    -------
    method : Method
        Explains batches.

    Raises
    ------
    ValueError
        If there is no such method, it has no such parameter, or it cannot explain the
        network.
    """
    make = get_method(name)
    takes = set(inspect.signature(make).parameters) - {"module"}
    unknown = sorted(set(params) - takes)
    if unknown:
        hint = nearest(unknown[0], takes) if takes else "It has none."
        raise ValueError(f"The method {name!r} has no parameter {unknown[0]!r}. {hint}")
    if "layer" in takes:
        params = {"layer": layer, **params}
    return make(module, **params)
