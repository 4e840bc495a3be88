"""Numbers of leads in SCP-ECG, which DICOM and IEEE 11073 took over."""

from __future__ import annotations

__all__ = ["lead_of_number"]

_FIRST = (
    *("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7"),
    *("V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z"),
)
_LATER = ("III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R")
_LEADS = {
    **dict(enumerate(_FIRST, start=1)),
    **dict(enumerate(_LATER, start=61)),
}


def lead_of_number(number: int) -> str:
    """Name a lead by its number in table 5 of EN 1064.

    Parameters
    ----------
    number : int
        The number.

    Returns
    -------
    name : str
        "lead 19" and the like for those that are in no use for diagnosis.

    Examples
    --------
    >>> lead_of_number(3), lead_of_number(62), lead_of_number(19)
    ('V1', 'aVR', 'lead 19')
    """
    return _LEADS.get(number, f"lead {number}")
