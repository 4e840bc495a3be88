"""Help for names that were misspelt."""

import difflib
from collections.abc import Iterable


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid name is nearest to a wrong one, or list them all.

    Parameters
    ----------
    name : str
        What was given.
    valid : iterable of str
        What could have been given.

    Returns
    -------
    advice : str
        A sentence for the end of an error message.
    """
    options = sorted(valid)
    match difflib.get_close_matches(name, options, n=1):
        case [best]:
            return f"Did you mean {best!r}?"
        case _:
            return f"Valid names are {', '.join(map(repr, options))}."
