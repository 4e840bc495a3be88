"""One spelling for each of the twelve standard leads."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["STANDARD_LEADS", "standard_spelling"]

STANDARD_LEADS: tuple[str, ...] = (
    "I",
    "II",
    "III",
    "aVR",
    "aVL",
    "aVF",
    "V1",
    "V2",
    "V3",
    "V4",
    "V5",
    "V6",
)

_BY_FOLDED = {name.casefold(): name for name in STANDARD_LEADS}


def standard_spelling(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of leads in which the standard ones are spelt as usual.

    Parameters
    ----------
    names : iterable of str
        Names, in whatever case; others than the twelve are left as they are.

    Returns
    -------
    names : tuple of str
        In the same order.

    Examples
    --------
    >>> from sk_erts._lib.lead_names import standard_spelling
    >>> standard_spelling(["AVR", "avl", "v1", "MLII"])
    ('aVR', 'aVL', 'V1', 'MLII')
    """
    return tuple(_BY_FOLDED.get(str(name).casefold(), name) for name in names)
