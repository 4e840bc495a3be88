"""Weights of networks, to files in which nothing can be run, and back."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import nn

from sk_erts._lib.checks import check_count, refuse
from sk_erts._lib.names import nearest
from sk_erts._lib.version import package_version
from sk_erts._lib.warn import warn_caller
from sk_erts._lib.whole import whole_file
from sk_erts._network.bounded import no_larger_than
from sk_erts._network.frozen import as_prefixes
from sk_erts._network.frozen import freeze as freeze_parts
from sk_erts._network.tensor_file import read_tensors
from sk_erts.exceptions import WeightsError, WeightsWarning
from sk_erts.models._made_with import made_with, registered_name
from sk_erts.models._registry import MODELS

__all__ = [
    "WeightsFile",
    "differences",
    "listed",
    "load_weights",
    "path_of",
    "read_weights",
    "save_weights",
]

N_NAMED = 10
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class WeightsFile:
    """What a file of weights holds.

    Attributes
    ----------
    path : str
        Where it is.
    network : str or None
        Name of the registered network whose weights these are, if it tells one.
    made_by : str
        Class of the network, in words for errors; nothing is looked up by it.
    parameters : dict or None
        What a registered network is made with.
    about : dict or None
        What else was written.
    version : str
        Of the package that wrote it.
    tensors : dict of str to tensor
        The state of the network.
    """

    path: str
    network: str | None
    made_by: str
    parameters: dict[str, Any] | None
    about: dict[str, Any] | None
    version: str
    tensors: dict[str, torch.Tensor]


def save_weights(
    module: nn.Module,
    path: str | PathLike[str],
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write the weights of a network, and what it is made with, to a file.

    The file is in the safetensors format [1]_: numbers and text, which other tools
    read, and in which nothing can be run. Beside the weights it tells the name under
    which the network is registered, the parameters of its constructor and the version
    of the package.

    Parameters
    ----------
    module : Module
        The network. Of one that is not registered, the file tells the name of the
        class, so that `load_weights` must be given the module.
    path : str or path-like
        The file, usually with the suffix ``.safetensors``; written over if it is there.
    about : mapping of str to object, optional
        What else the file shall tell, of the types of JSON.

    Raises
    ------
    ValueError
        If `module` has a state that is no tensors, or `about` cannot be written as
        JSON.

    See Also
    --------
    load_weights : Reads the file.
    sk_erts.ERTSClassifier.save_weights : Writes what a classifier knows, too.

    References
    ----------
    .. [1] https://huggingface.co/docs/safetensors

    Examples
    --------
    >>> import tempfile
    >>> from sk_erts.models import ResNet1d, load_weights, save_weights
    >>> path = tempfile.mkdtemp() + "/w.safetensors"
    >>> save_weights(ResNet1d(n_leads=12, n_classes=5, width=8), path)
    >>> load_weights(path).head.linear
    Linear(in_features=64, out_features=5, bias=True)
    """
    _check_module("save_weights", module)
    state = module.state_dict()
    others = [name for name, value in state.items() if not torch.is_tensor(value)]
    if others:
        wanted = "have a state of tensors alone"
        got = ", ".join(map(repr, others))
        refuse("save_weights", "module", wanted, got)
    parameters = made_with(module)
    name = registered_name(type(module)) if parameters is not None else None
    told = {"network": name, "parameters": parameters, "about": about}
    data = save(
        # Copies, since the format holds no tensor that shares its memory.
        {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in state.items()
        },
        {
            "format": "pt",
            "sk_erts": package_version(),
            "class": path_of(type(module)),
            **{key: _as_json(key, value) for key, value in told.items()},
        },
    )
    with whole_file(path) as file:
        file.write(data)


def load_weights(
    path: str | PathLike[str],
    module: nn.Module | None = None,
    *,
    n_leads: int | None = None,
    n_classes: int | None = None,
    freeze: str | Iterable[str] | None = None,
) -> nn.Module:
    """Return a network with the weights of a file.

    The file names a network of :data:`sk_erts.models.MODELS`, which is made and filled.
    Nothing in the file is run or imported.

    With another number of leads or classes, all tensors that fit are taken from the
    file; the others begin anew, drawn from torch's generator. Given to
    `ERTSClassifier`, the network is copied, and trained on from there.

    Parameters
    ----------
    path : str or path-like
        The file.
    module : Module, optional
        What to fill instead of the network that the file names; is copied. Must be
        given if the file names none. Tensors that do not fit begin as they are in it.
    n_leads : int, optional
        Leads of the records; by default as in the file.
    n_classes : int, optional
        Classes or labels; by default as in the file.
    freeze : str or list of str, optional
        Parts, by their dotted names, that a training is to leave as they are, such as
        ``"features"``: their parameters want no gradient, and their batch normalisation
        stays in evaluation mode. A parameter in them that begins anew is trained.

    Returns
    -------
    network : Module
        In training mode, as a constructor leaves it, but for what is frozen.

    Raises
    ------
    WeightsError
        If the file is cut short, of another format, or does not hold the weights of the
        network that it names; if it names none and no `module` is given, or nothing of
        it fits.
    FileNotFoundError
        If there is no such file.
    ValueError
        If a size is no int of at least one, sizes are given beside a `module`, or
        `freeze` names no part of the network, or all of it.

    Warns
    -----
    WeightsWarning
        If not all tensors fit: once, with the names and shapes of those that do not.

    See Also
    --------
    save_weights : Writes the file.

    Examples
    --------
    From twelve leads and five classes to one lead and three classes:

    >>> import tempfile, warnings
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.models import ResNet1d, load_weights, save_weights
    >>> path = tempfile.mkdtemp() + "/w.safetensors"
    >>> save_weights(ResNet1d(n_leads=12, n_classes=5, width=8), path)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     network = load_weights(path, n_leads=1, n_classes=3, freeze="features")
    >>> [name for name, own in network.named_parameters() if own.requires_grad]
    ['features.0.weight', 'head.linear.weight', 'head.linear.bias']
    >>> clf = ERTSClassifier(network)
    """
    prefixes = as_prefixes("load_weights", freeze)
    for name, size in (("n_leads", n_leads), ("n_classes", n_classes)):
        if size is not None:
            check_count("load_weights", name, size)
            if module is not None:
                wanted = "be None where a 'module' is given, which has its own"
                refuse("load_weights", name, wanted, repr(size))
    file = read_weights(path)
    if module is None:
        network = _made(file, n_leads, n_classes)
    else:
        _check_module("load_weights", module)
        network = copy.deepcopy(module)
    missing = _fill(network, file)
    freeze_parts("load_weights", network, prefixes, but=missing)
    return network


def _check_module(owner: str, module: Any) -> None:
    if not isinstance(module, nn.Module):
        got = getattr(module, "__name__", type(module).__name__)
        refuse(owner, "module", "be a Module, and no class", got)


def read_weights(path: str | PathLike[str]) -> WeightsFile:
    """Read a file of weights; nothing in it is run.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    file : WeightsFile
        What it holds. The fields of a file that another tool has written are empty.

    Raises
    ------
    WeightsError
        If it is cut short or of another format.
    """
    where = fspath(path)
    try:
        told, tensors = read_tensors(where)
    except SafetensorError as error:
        raise WeightsError(
            f"{where} is no whole file of weights in the safetensors format: {error}. "
            "Write it again with save_weights; files of torch.save are not read."
        ) from error
    return WeightsFile(
        where,
        _told(where, told, "network", str),
        str(told.get("class", "another tool")),
        _told(where, told, "parameters", dict),
        _told(where, told, "about", dict),
        str(told.get("sk_erts", "unknown")),
        tensors,
    )


def differences(file: WeightsFile, state: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Say what of a file does not fit a network.

    Parameters
    ----------
    file : WeightsFile
        The file.
    state : mapping of str to tensor
        State of the network.

    Returns
    -------
    said : dict of str to str
        By the name of the tensor; empty if all fit.
    """
    said = {}
    for name, value in file.tensors.items():
        shape = tuple(value.shape)
        if name not in state:
            said[name] = f"{name}: {shape} in the file, none here"
        elif (own := tuple(state[name].shape)) != shape:
            said[name] = f"{name}: {shape} in the file, {own} here"
    for name, value in state.items():
        if name not in file.tensors:
            said[name] = f"{name}: none in the file, {tuple(value.shape)} here"
    return said


def listed(said: Mapping[str, str]) -> str:
    """Return the first of some differences in one sentence."""
    more = f"; and {len(said) - N_NAMED} more" if len(said) > N_NAMED else ""
    return "; ".join(list(said.values())[:N_NAMED]) + more


def _made(file: WeightsFile, n_leads: int | None, n_classes: int | None) -> nn.Module:
    """Return the network that a file names, once its shapes are seen to be right."""
    if file.network is None or file.parameters is None:
        raise WeightsError(
            f"{file.path} names no network of sk_erts.models that could be made; it is "
            f"of {file.made_by}. Give load_weights the network to fill: 'module'."
        )
    if file.network not in MODELS:
        raise WeightsError(
            f"{file.path} names the network {file.network!r}, which is not registered. "
            f"{nearest(file.network, MODELS)} It was written by version "
            f"{file.version} of sk_erts."
        )
    make, own = MODELS[file.network], file.parameters
    try:
        # Shapes only, and no more of them than there are in the file.
        with torch.device("meta"), no_larger_than(file.tensors.values()):
            claimed = make(**own).state_dict()
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise WeightsError(
            f"{file.path}, written by version {file.version} of sk_erts, holds "
            f"parameters of which {file.network!r} cannot be made: {error}"
        ) from error
    if said := differences(file, claimed):
        raise WeightsError(
            f"{file.path} does not hold the weights of the network that it names, "
            f"{file.network!r} with {own!r}: {listed(said)}."
        )
    sizes = {"n_leads": n_leads, "n_classes": n_classes}
    asked = {name: size for name, size in sizes.items() if size is not None}
    params = {**own, **asked}
    # What is filled wholly draws nothing that anybody sees.
    with torch.random.fork_rng(devices=[], enabled=params == own):
        return make(**params)


def _fill(network: nn.Module, file: WeightsFile) -> set[str]:
    """Fill a network with what fits, and tell and return what begins anew."""
    state = network.state_dict()
    said = differences(file, state)
    fitting = {name: own for name, own in file.tensors.items() if name not in said}
    name = type(network).__name__
    if not fitting:
        raise WeightsError(
            f"{file.path} holds nothing that fits {name}; it is of {file.made_by}. "
            f"{listed(said)}."
        )
    dtypes = {own.dtype for own in fitting.values() if own.is_floating_point()}
    if len(dtypes) == 1 and dtypes <= set(FLOATS):
        network.to(dtypes.pop())
    network.load_state_dict(fitting, strict=False)
    if said:
        warn_caller(
            f"{file.path}: {len(said)} of {len(said) + len(fitting)} tensors do not "
            f"fit {name} and begin anew or are left out: {listed(said)}. Train the "
            "network before it predicts.",
            WeightsWarning,
        )
    return set(said) & set(state)


def path_of(kind: type) -> str:
    """Return the dotted name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _as_json(name: str, value: Any) -> str:
    try:
        return json.dumps(
            dict(value) if isinstance(value, Mapping) else value, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        wanted = "hold what JSON can: text, finite numbers, lists, dictionaries"
        refuse("save_weights", name, wanted, str(error))


def _told(where: str, told: Mapping[str, str], name: str, kind: type) -> Any:
    """Return a field of the text in a file, if it is of the kind that it must be."""
    try:
        value = json.loads(told.get(name, "null"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(
            f"{where} tells a {name!r} that is no JSON: {error}"
        ) from error
    if value is not None and not isinstance(value, kind):
        raise WeightsError(
            f"{where} tells a {name!r} that must be of type {kind.__name__}. Got "
            f"{value!r} instead."
        )
    return value
