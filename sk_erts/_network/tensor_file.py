"""Files of tensors and text, in which nothing can be run."""

from __future__ import annotations

from os import PathLike, fspath

import torch
from safetensors import safe_open

__all__ = ["read_tensors"]


def read_tensors(
    path: str | PathLike[str],
) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Return what a safetensors file holds.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    told : dict of str to str
        Its metadata.
    tensors : dict of str to tensor
        Copies, on the processor: the file may be written anew.

    Raises
    ------
    SafetensorError
        If it is cut short or of another format.
    OSError
        If it cannot be opened.
    """
    where = fspath(path)
    with open(where, "rb"):  # what cannot be opened is told by the system
        pass
    with safe_open(where, framework="pt", device="cpu") as file:
        names = file.keys()
        tensors = {name: file.get_tensor(name).clone() for name in names}
        return file.metadata() or {}, tensors
