"""The twelve standard leads, and how eight of them give the other four."""

import numpy as np
from numpy.typing import NDArray

from sk_erts._lib.lead_names import STANDARD_LEADS

__all__ = ["INDEPENDENT_LEADS", "STANDARD_LEADS", "choose_leads", "lead_matrix"]

# Two limb leads fix the other four; the chest leads stand for themselves.
INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

# The first n of these are what a recorder of n leads shows: a monitor's lead first,
# then one chest lead from each side, then all that is independent, then the rest.
_PREFERENCE = (
    "II",
    "V1",
    "V5",
    "I",
    "V3",
    "V2",
    "V4",
    "V6",
    "aVF",
    "aVL",
    "III",
    "aVR",
)

# Einthoven's and Goldberger's relations as (weight of I, weight of II).
_LIMB_WEIGHTS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


def choose_leads(n_leads: int) -> tuple[str, ...]:
    """Name the leads of an n-lead recording, in the standard order.

    Parameters
    ----------
    n_leads : int
        Number of leads, 1 to 12.

    Returns
    -------
    lead_names : tuple of str
        ``n_leads`` names, ordered as in ``STANDARD_LEADS``.

    Examples
    --------
    >>> choose_leads(3)
    ('II', 'V1', 'V5')
    """
    return tuple(sorted(_PREFERENCE[:n_leads], key=STANDARD_LEADS.index))


def lead_matrix(lead_names: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the matrix that turns the eight independent leads into those named.

    Parameters
    ----------
    lead_names : tuple of str
        Names out of ``STANDARD_LEADS``.

    Returns
    -------
    matrix : ndarray of shape (len(lead_names), 8), dtype float32
        Weights without unit; columns are ordered as ``INDEPENDENT_LEADS``.

    Examples
    --------
    >>> lead_matrix(("III",)).tolist()
    [[-1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    matrix = np.zeros((len(lead_names), len(INDEPENDENT_LEADS)), dtype=np.float32)
    for row, name in enumerate(lead_names):
        if name in _LIMB_WEIGHTS:
            matrix[row, :2] = _LIMB_WEIGHTS[name]
        else:
            matrix[row, INDEPENDENT_LEADS.index(name)] = 1.0
    return matrix
