"""Units of voltage."""

from collections.abc import Mapping

__all__ = ["millivolts"]

# By folded name. Whoever wrote "MV" did not mean megavolts; and folding the case makes
# one letter of the sign for micro and the Greek mu.
_IN_MV: Mapping[str, float] = {
    **dict.fromkeys(("v", "volt", "volts"), 1e3),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("uv", "\u03bcv", "microvolt", "microvolts"), 1e-3),
    **dict.fromkeys(("nv", "nanovolt", "nanovolts"), 1e-6),
}


def millivolts(unit: str) -> float | None:
    """Return how many mV a unit is.

    Parameters
    ----------
    unit : str
        Its name, in whatever case.

    Returns
    -------
    factor : float or None
        None for what is no voltage.

    Examples
    --------
    >>> millivolts("µV"), millivolts("mmHg")
    (0.001, None)
    """
    return _IN_MV.get(unit.strip().casefold())
