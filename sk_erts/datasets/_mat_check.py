"""Look through a file of MATLAB 5 to 7.2 before scipy reads it.

scipy trusts the types and sizes that such a file names, and a damaged one can end the
process, which no caller can catch. So all that it will rely on is checked here.
"""

from __future__ import annotations

import struct
import zlib
from math import prod

from sk_erts.exceptions import RecordError

__all__ = ["numeric_variables"]

_HEAD = 128
_MATRIX, _COMPRESSED = 14, 15
_FLAGS, _SIZES, _NAME = 6, 5, 1
_COMPLEX = 0x0800
_NUMERIC_CLASSES = range(6, 16)
# Bytes of a number, by its type.
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}


def numeric_variables(name: str, data: bytes) -> list[str]:
    """Name the real matrices of numbers in a file, which are safe to be read.

    Parameters
    ----------
    name : str
        The file.
    data : bytes
        What it holds.

    Returns
    -------
    variables : list of str
        Names; text, cells, structures and complex numbers are left out.

    Raises
    ------
    RecordError
        If a type or size that the file names cannot be right.
    struct.error, zlib.error
        If it is cut short, or packed data are damaged.
    """
    order = ">" if data[126:128] == b"MI" else "<"
    found = []
    at = _HEAD
    while at < len(data):
        kind, n_bytes = struct.unpack_from(f"{order}II", data, at)
        body = data[at + 8 : at + 8 + n_bytes]
        at += 8 + n_bytes
        _must(name, at <= len(data), "an element ends behind the end of the file")
        if kind == _COMPRESSED:
            body = zlib.decompress(body)
            kind, n_bytes = struct.unpack_from(f"{order}II", body)
            body = body[8:]
            _must(name, len(body) == n_bytes, "packed data have another size")
        _must(name, kind == _MATRIX, f"an element of the type {kind} is no variable")
        variable = _numeric(name, body, order)
        if variable is not None:
            found.append(variable)
    return found


def _numeric(name: str, body: bytes, order: str) -> str | None:
    """Return the name of a variable if it is a real matrix of numbers."""
    kind, flags, at = _element(name, body, 0, order)
    _must(name, kind == _FLAGS and len(flags) == 8, "a variable has no flags")
    (flag,) = struct.unpack_from(f"{order}I", flags)
    kind, sizes, at = _element(name, body, at, order)
    _must(name, kind == _SIZES and len(sizes) % 4 == 0, "a variable has no shape")
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    _must(name, len(shape) > 1 and min(shape) >= 0, f"a variable has shape {shape}")
    kind, variable, at = _element(name, body, at, order)
    _must(name, kind == _NAME, "a variable has no name")
    if flag & 0xFF not in _NUMERIC_CLASSES or flag & _COMPLEX:
        return None
    kind, numbers, at = _element(name, body, at, order)
    width = _WIDTHS.get(kind)
    _must(name, width is not None, f"numbers of the type {kind}")
    _must(
        name,
        len(numbers) == prod(shape) * (width or 0),
        f"a variable of shape {shape} has {len(numbers)} bytes",
    )
    return variable.decode("latin-1")


def _element(name: str, body: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Return type and bytes of a part of a variable, and where the next one begins."""
    (kind,) = struct.unpack_from(f"{order}I", body, at)
    if kind >> 16:  # four bytes or fewer stand beside their type
        n_bytes, start, following = kind >> 16, at + 4, at + 8
        kind &= 0xFFFF
        _must(name, n_bytes <= 4, f"a short part has {n_bytes} bytes")
    else:
        (n_bytes,) = struct.unpack_from(f"{order}I", body, at + 4)
        start = at + 8
        following = start + -(-n_bytes // 8) * 8
    data = body[start : start + n_bytes]
    _must(name, len(data) == n_bytes, "a part ends behind the end of its variable")
    return kind, data, following


def _must(name: str, is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise RecordError(
            f"{name}: the file must be sound MATLAB. Got one in which {otherwise}; "
            "restore the file."
        )
