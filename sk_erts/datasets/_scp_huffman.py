"""The Huffman codes of SCP-ECG, annex C of EN 1064."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from sk_erts._lib.typing import IntArray
from sk_erts.exceptions import RecordError

__all__ = ["DEFAULT_TABLES", "Tables", "decode", "read_tables"]

# In the place of their number, section 2 says with this one that it holds no tables.
_IS_DEFAULT = 19999
_MOST_BITS = 32


@dataclass(frozen=True)
class _Code:
    """What a prefix of bits stands for.

    A switch names the table of what follows; else the value is `value` plus that of
    `n_bits` bits, in two's complement.
    """

    value: int
    n_bits: int = 0
    is_switch: bool = False


# For each table, codes by the bits that they begin with, written out: "1101".
Tables = list[dict[str, _Code]]


def _default() -> Tables:
    """Return the table of the standard: short codes for -8 to 8, and two escapes."""
    table = {"0": _Code(0)}
    for size in range(1, 9):
        table["1" * size + "00"] = _Code(size)
        table["1" * size + "01"] = _Code(-size)
    table["1111111110"] = _Code(0, n_bits=8)
    table["1111111111"] = _Code(0, n_bits=16)
    return [table]


DEFAULT_TABLES = _default()


def read_tables(body: bytes) -> Tables:
    """Read section 2.

    Parameters
    ----------
    body : bytes
        What follows the head of the section.

    Returns
    -------
    tables : list of dict
        The first one is the one to begin with.

    Raises
    ------
    struct.error
        If the section is cut short.
    ValueError
        If a code is impossible.
    """
    (n_tables,) = struct.unpack_from("<H", body)
    if n_tables == _IS_DEFAULT:
        return DEFAULT_TABLES
    tables: Tables = []
    at = 2
    for _ in range(n_tables):
        (n_codes,) = struct.unpack_from("<H", body, at)
        at += 2
        table = {}
        for _ in range(n_codes):
            # The last one is how a code begins, its first bit in the lowest place.
            *sizes, mode, value, code = struct.unpack_from("<BBBhI", body, at)
            at += 9
            # Prefix and whole code; some programs write them the other way round.
            n_prefix, n_all = sorted(sizes)
            if not 1 <= n_prefix <= n_all <= n_prefix + 16 <= _MOST_BITS + 16:
                raise ValueError(f"a code of {n_prefix} of {n_all} bits")
            prefix = f"{code:032b}"[::-1][:n_prefix]
            table[prefix] = _Code(value, n_all - n_prefix, is_switch=mode == 0)
        tables.append(table)
    if not tables:
        raise ValueError("no table")
    return tables


def decode(name: str, data: bytes, n_times: int, tables: Tables) -> IntArray:
    """Return the numbers that a lead is coded in.

    Parameters
    ----------
    name : str
        File and lead, as a message names them.
    data : bytes
        The codes, the highest bit of each byte first.
    n_times : int
        How many numbers there are.
    tables : list of dict
        From `read_tables`.

    Returns
    -------
    values : int64 ndarray of shape (n_times,)
        Samples or differences of them.

    Raises
    ------
    RecordError
        If there are fewer, or a code is unknown.
    """
    bits = "".join(map("{:08b}".format, data))
    values: list[int] = []
    table = tables[0]
    at = 0
    while len(values) < n_times:
        end = at + 1
        while (code := table.get(bits[at:end])) is None:
            end += 1
            if end > len(bits) or end > at + _MOST_BITS:
                raise RecordError(
                    f"{name} must have {n_times} samples. Got {len(values)} that can "
                    "be decoded; restore the file."
                )
        at = end
        if code.is_switch:
            if not 1 <= code.value <= len(tables):
                raise RecordError(
                    f"{name} must use the Huffman tables of its file, 1 to "
                    f"{len(tables)}. Got {code.value} instead; restore the file."
                )
            table = tables[code.value - 1]
            continue
        value = code.value
        if code.n_bits:
            rest = bits[at : at + code.n_bits].ljust(code.n_bits, "0")
            at += code.n_bits
            value += int(rest, 2) - (int(rest[0]) << code.n_bits)
        values.append(value)
    return np.array(values, dtype=np.int64)
