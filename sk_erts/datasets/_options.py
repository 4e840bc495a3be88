"""How records are to be read: what a user may ask of every reader."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sk_erts._lib.checks import (
    check_choice,
    check_frequency,
    check_lead_names,
    check_number,
    is_int,
    refuse,
)
from sk_erts._lib.lead_names import standard_spelling
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.exceptions import RecordError

__all__ = [
    "Reading",
    "check_leads",
    "check_reading",
    "check_standard_leads",
    "choose",
    "same_leads",
]

MISSING = ("raise", "interpolate", "cut")
ASSUMABLE = ("fs", "gain", "lead_names")


@dataclass(frozen=True)
class Reading:
    """How records are to be read.

    Attributes
    ----------
    leads : tuple of str or int, or None
        Which leads, by name or number, in this order; None is all.
    allow_flat : bool
        Whether they may be constant through a whole record.
    missing : {"raise", "interpolate", "cut"}
        What is done with missing samples.
    fs : float or None
        Sampling frequency in Hz where a header tells none; None refuses it.
    gain : float or None
        Steps per mV, likewise.
    lead_names : tuple of str or None
        Name of each signal of a header, likewise.
    """

    leads: tuple[str | int, ...] | None = None
    allow_flat: bool = False
    missing: str = "raise"
    fs: float | None = None
    gain: float | None = None
    lead_names: tuple[str, ...] | None = None


def check_reading(
    owner: object,
    *,
    leads: Any = None,
    allow_flat: bool = False,
    missing: Any = "raise",
    assume: Any = None,
) -> Reading:
    """Return how to read, or raise for the first parameter that does not say it.

    Parameters
    ----------
    owner : str or object
        Whose parameters they are.
    leads : iterable of str or int, str, int or None
        As in `read_records`; so are the others.
    allow_flat : bool
        Whether leads may be flat.
    missing : {"raise", "interpolate", "cut"}
        What is done with missing samples.
    assume : mapping or None
        What headers mean that do not say it.

    Returns
    -------
    how : Reading
        The same.
    """
    check_choice(owner, "missing", missing, MISSING)
    assumed = {} if assume is None else assume
    if not isinstance(assumed, Mapping):
        refuse(owner, "assume", "be a dictionary", repr(assume))
    for key in assumed:
        check_choice(owner, "assume", key, ASSUMABLE)
    fs, gain, names = (assumed.get(key) for key in ASSUMABLE)
    return Reading(
        leads=None if leads is None else check_leads(owner, leads),
        allow_flat=allow_flat,
        missing=missing,
        fs=None if fs is None else check_frequency(owner, fs, "assume['fs']"),
        gain=None if gain is None else _gain(owner, gain),
        lead_names=None if names is None else check_lead_names(owner, names),
    )


def check_leads(owner: object, leads: Any) -> tuple[str | int, ...]:
    """Return the parameter `leads`.

    Parameters
    ----------
    owner : str or object
        Whose parameter it is.
    leads : iterable of str or int, str or int
        Names or numbers, from 0; one alone is that one lead.

    Returns
    -------
    leads : tuple of str or int
        The same, standard leads spelt as usual.
    """
    alone = isinstance(leads, str) or not np.iterable(leads)
    asked = (leads,) if alone else tuple(leads)
    wanted = "name one lead or more, each once, by name or by number from 0"
    fine = [isinstance(x, str) or (is_int(x) and x >= 0) for x in asked]
    if not asked or not all(fine):
        refuse(owner, "leads", wanted, repr(leads))
    found = tuple(
        standard_spelling([x])[0] if isinstance(x, str) else int(x) for x in asked
    )
    if len({_folded(x) for x in found}) < len(found):
        refuse(owner, "leads", wanted, repr(leads))
    return found


def check_standard_leads(owner: object, leads: Any) -> tuple[str, ...] | None:
    """Return the parameter `leads` of a reader of twelve-lead records.

    Parameters
    ----------
    owner : str
        Whose parameter it is.
    leads : iterable of str or int, str, int or None
        Names out of ``STANDARD_LEADS``, or their numbers in it.

    Returns
    -------
    leads : tuple of str or None
        Names; None is left as it is.
    """
    if leads is None:
        return None
    names = []
    for x in check_leads(owner, leads):
        if isinstance(x, int) and x < len(STANDARD_LEADS):
            names.append(STANDARD_LEADS[x])
        elif x in STANDARD_LEADS:
            names.append(str(x))
        else:
            known = ", ".join(STANDARD_LEADS)
            refuse(owner, "leads", f"be out of {known}, or a number below 12", repr(x))
    if len(set(names)) < len(names):
        refuse(owner, "leads", "name each lead once", repr(leads))
    return tuple(names)


def choose(
    names: Sequence[str | None], leads: tuple[str | int, ...] | None, record: str
) -> list[int]:
    """Return the numbers of the leads that are asked for.

    Parameters
    ----------
    names : sequence of str or None
        Names of the leads of a record.
    leads : tuple of str or int, or None
        Which are asked for; None is all.
    record : str
        Named in errors.

    Returns
    -------
    chosen : list of int
        In the order in which they are asked for.

    Raises
    ------
    RecordError
        If the record lacks one, or has two of that name.
    """
    if leads is None:
        return list(range(len(names)))
    folded = [None if name is None else _folded(name) for name in names]
    chosen = []
    for lead in leads:
        found = (
            [lead][: lead < len(names)]
            if isinstance(lead, int)
            else [k for k, name in enumerate(folded) if name == _folded(lead)]
        )
        if not found:
            raise RecordError(
                f"{record}: the record must have the leads "
                f"{', '.join(map(str, leads))}. Got {_listed(names)} instead; choose "
                "others with 'leads'."
            )
        if len(found) > 1:
            raise RecordError(
                f"{record}: the record must have one lead {lead!r}. Got "
                f"{_listed(names)} instead; ask for it by number, one of "
                f"{', '.join(map(str, found))}."
            )
        chosen += found
    if len(set(chosen)) < len(chosen):
        raise RecordError(
            f"{record}: 'leads' must ask for each lead once. Got "
            f"{', '.join(map(str, leads))} instead, of {_listed(names)}."
        )
    return chosen


def same_leads(names: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether leads have the same names in the same order, in whatever case.

    Parameters
    ----------
    names, others : iterable of str
        Names of leads.

    Returns
    -------
    same : bool
        Case is a matter of who wrote the header: no two leads differ in it alone.
    """
    return [_folded(name) for name in names] == [_folded(name) for name in others]


def _folded(lead: str | int) -> str | int:
    return lead.casefold() if isinstance(lead, str) else lead


def _listed(names: Sequence[str | None]) -> str:
    return ", ".join("one without a name" if name is None else name for name in names)


def _gain(owner: object, gain: Any) -> float:
    return check_number(owner, "assume['gain']", gain, above=0)
