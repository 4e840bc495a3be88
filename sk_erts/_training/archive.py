"""States of trainings as one file: tensors and JSON, and never any code."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save
from skorch.history import History

from sk_erts._lib.version import package_version
from sk_erts._lib.whole import whole_file
from sk_erts._network.tensor_file import read_tensors
from sk_erts.exceptions import ArchiveError

__all__ = ["CANNOT_BE_MADE", "read_archive", "write_archive"]

# Of the layout of the file; a number that is not known here is refused.
LAYOUT = 1
KIND = "$"
# In bytes. An array has room for the longest text in each of its places.
LONGEST_TEXT = 2**20

# What parameters raise that somebody else wrote, wherever they are used first.
CANNOT_BE_MADE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


def write_archive(path: str | os.PathLike[str], what: str, state: Any) -> None:
    """Write a state to a file that is there wholly, or as it was before.

    Parameters
    ----------
    path : str or path-like
        Where to.
    what : str
        What the file is, such as "checkpoint".
    state : object
        Of numbers, texts, bytes, arrays and tensors, in lists, tuples and dictionaries.

    Raises
    ------
    ArchiveError
        If something else is in it; its place is named.
    OSError
        If the file cannot be written; the one of before is left.
    """
    tensors: dict[str, torch.Tensor] = {}
    tree = json.dumps(_packed(state, what, tensors), allow_nan=False)
    about = {
        "what": f"sk_erts {what}",
        "layout": str(LAYOUT),
        "version": package_version(),
        "tree": tree,
    }
    data = save(tensors, about)
    with whole_file(path) as file:
        file.write(data)


def read_archive(path: str | os.PathLike[str], what: str) -> Any:
    """Read what `write_archive` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.
    what : str
        What it has to be.

    Returns
    -------
    state : object
        Equal to what was written, to the bit.

    Raises
    ------
    ArchiveError
        If it is cut short, damaged, of another kind or of a later version.
    OSError
        If there is no such file.
    """
    try:
        about, tensors = read_tensors(path)
    except SafetensorError as error:
        raise ArchiveError(
            f"{path} must be a {what} of sk_erts. It cannot be read as one ({error}): "
            "it was cut short, damaged, or is something else."
        ) from error
    got = about.get("what", "something else")
    if got != f"sk_erts {what}":
        raise ArchiveError(f"{path} must be a {what} of sk_erts. Got {got!r} instead.")
    if about.get("layout") != str(LAYOUT):
        raise ArchiveError(
            f"{path} must have the layout {LAYOUT}, which sk_erts {package_version()} "
            f"reads. Got {about.get('layout')!r}, of sk_erts {about.get('version')}: "
            "install that version."
        )
    try:
        return _unpacked(json.loads(about["tree"]), tensors)
    except CANNOT_BE_MADE as error:
        raise ArchiveError(
            f"{path} is damaged: what it says of its tensors does not fit them "
            f"({type(error).__name__}: {error})."
        ) from error


def _packed(value: Any, place: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Return what JSON can hold; tensors are put beside it, by their place."""

    def pack(part: Any, name: Any) -> Any:
        return _packed(part, f"{place}.{name}", tensors)

    def beside(tensor: torch.Tensor) -> str:
        tensors[place] = tensor.detach().cpu().contiguous().clone()
        return place

    match value:
        case None | bool():
            return value
        case np.generic() if value.dtype.kind in "biuf":
            return {KIND: "scalar", "name": beside(torch.from_numpy(np.array(value)))}
        case np.str_():
            return {KIND: "text", "text": str(value)}
        case int() | str():
            return value
        case float():
            return (
                value if math.isfinite(value) else {KIND: "float", "value": str(value)}
            )
        case bytes():
            array = np.frombuffer(value, np.uint8).copy()
            return {KIND: "bytes", "name": beside(torch.from_numpy(array))}
        case torch.Tensor():
            return {KIND: "tensor", "name": beside(value)}
        case np.ndarray() if value.dtype.kind in "biuf":
            # A scalar's array has no dimension that `from_numpy` would keep apart.
            return {KIND: "array", "name": beside(torch.from_numpy(value.copy()))}
        case np.ndarray() if value.dtype.kind in "UO":
            items = [pack(item, i) for i, item in enumerate(value.ravel().tolist())]
            dtype = value.dtype.str
            return {KIND: "items", "dtype": dtype, "shape": value.shape, "items": items}
        case History():
            rows = [pack(row, i) for i, row in enumerate(list(value))]
            return {KIND: "history", "items": rows}
        case list():
            return [pack(item, i) for i, item in enumerate(value)]
        case tuple():
            return {KIND: "tuple", "items": [pack(v, i) for i, v in enumerate(value)]}
        case set() | frozenset():
            items = [pack(item, i) for i, item in enumerate(sorted(value, key=repr))]
            return {KIND: type(value).__name__, "items": items}
        case Mapping():
            pairs = [[pack(k, "key"), pack(v, k)] for k, v in value.items()]
            if all(isinstance(k, str) and k != KIND for k in value):
                return dict(pairs)
            return {KIND: "dict", "items": pairs}
    raise ArchiveError(
        f"{place} must be of numbers, texts, bytes, arrays and tensors, so that it can "
        f"be written without code. Got {type(value).__name__} instead."
    )


def _unpacked(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Return what `_packed` was given."""

    def unpack(part: Any) -> Any:
        return _unpacked(part, tensors)

    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    if KIND not in value:
        return {key: unpack(item) for key, item in value.items()}
    return KINDS[value[KIND]](value, unpack, tensors)


Unpack = Callable[[dict[str, Any], Callable[[Any], Any], dict[str, torch.Tensor]], Any]
KINDS: dict[str, Unpack] = {
    "float": lambda value, unpack, tensors: float(value["value"]),
    "scalar": lambda value, unpack, tensors: tensors[value["name"]].numpy()[()],
    "text": lambda value, unpack, tensors: np.str_(value["text"]),
    "bytes": lambda value, unpack, tensors: tensors[value["name"]].numpy().tobytes(),
    "tensor": lambda value, unpack, tensors: tensors[value["name"]],
    "array": lambda value, unpack, tensors: tensors[value["name"]].numpy(),
    "items": lambda value, unpack, tensors: _items(value, unpack),
    "history": lambda value, unpack, tensors: History(map(unpack, value["items"])),
    "tuple": lambda value, unpack, tensors: tuple(map(unpack, value["items"])),
    "set": lambda value, unpack, tensors: set(map(unpack, value["items"])),
    "frozenset": lambda value, unpack, tensors: frozenset(map(unpack, value["items"])),
    "dict": lambda value, unpack, tensors: {
        unpack(key): unpack(item) for key, item in value["items"]
    },
}


def _items(value: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
    """Return an array of texts or objects."""
    dtype, items = np.dtype(value["dtype"]), value["items"]
    if dtype.kind not in "UO" or dtype.itemsize > LONGEST_TEXT:
        raise ValueError(f"an array of texts or objects cannot be of the type {dtype}")
    array = np.empty(len(items), dtype=dtype)
    for i, item in enumerate(items):
        array[i] = unpack(item)
    return array.reshape(value["shape"])
