"""Limb leads that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_frequency, check_lead_names, refuse
from sk_erts._lib.lead_names import standard_spelling
from sk_erts._lib.typing import FloatArray
from sk_erts.quality._stacks import as_stacks
from sk_erts.quality._view import View

__all__ = [
    "LIMB_LEADS",
    "check_different_leads",
    "check_limb_leads",
    "limb_disagreement",
    "limb_disagreement_of",
]

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
# Einthoven's and Goldberger's relations: rows that give 0 of the six leads.
RELATIONS = np.array(
    [
        [1, -1, 1, 0, 0, 0],  # III = II - I
        [0.5, 0.5, 0, 1, 0, 0],  # aVR = -(I + II) / 2
        [-1, 0.5, 0, 0, 1, 0],  # aVL = I - II / 2
        [0.5, -1, 0, 0, 0, 1],  # aVF = II - I / 2
    ],
    dtype=np.float32,
)
# Rounding to 1 µV must not look like a contradiction of weak leads, in mV.
ROUNDING_MV = 1e-2


def limb_disagreement(X: Any, fs: float, lead_names: Sequence[str]) -> FloatArray:
    r"""Return how far the limb leads are from what leads I and II say of them.

    Two limb leads determine the other four [1]_, [2]_: where they do not, a lead was
    lost, or has another's place. Electrodes that are swapped at the patient break no
    relation, and are not seen. The ratio is new here.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_leads, n_times)
        Records in mV; a list of arrays (n_leads, n_times) may hold different lengths.
    fs : float
        Sampling frequency in Hz.
    lead_names : sequence of n_leads str
        Names of the leads, in their order; I, II, III, aVR, aVL and aVF among them,
        wherever they stand.

    Returns
    -------
    ratio : ndarray of shape (n_samples,), dtype float64
        0 where all relations hold; higher is worse. It does not depend on offsets,
        nor on the scale of signals far above 10 µV.

    Raises
    ------
    ValueError
        If a parameter or a record is not what it must be.

    See Also
    --------
    sk_erts.preprocessing.SelectLeads : Derives limb leads by the same relations.

    Notes
    -----
    With residuals such as :math:`r_{III} = III - (II - I)`, and deviations of leads
    from their means,

    .. math:: \ell = \frac{\sqrt{\sum_{k \in \{III, aVR, aVL, aVF\}} \overline{r_k^2}}}
              {\sqrt{\sum_{k \in \text{limb leads}} \overline{x_k^2}} + \epsilon},
              \qquad \epsilon = 10\ \mu\text{V}

    References
    ----------
    .. [1] W. Einthoven, G. Fahr, A. de Waart, Pflügers Archiv 150, 1913,
       doi:10.1007/BF01697566
    .. [2] E. Goldberger, American Heart Journal 23(4), 1942,
       doi:10.1016/S0002-8703(42)90293-X

    Examples
    --------
    >>> from sk_erts.datasets import STANDARD_LEADS, make_ecg
    >>> from sk_erts.quality import limb_disagreement
    >>> X, _ = make_ecg(2, random_state=0)
    >>> X[1, [1, 7]] = X[1, [7, 1]]  # II and V2
    >>> right, swapped = limb_disagreement(X, 100, STANDARD_LEADS)
    >>> bool(right < 0.001), bool(swapped > 0.3)
    (True, True)
    """
    owner = "limb_disagreement"
    fs = check_frequency(owner, fs)
    names = check_different_leads(owner, lead_names)
    check_limb_leads(owner, names)
    view = partial(View, fs=fs, lead_names=names)
    stacks = as_stacks(owner, X, fs, len(names))
    values = [limb_disagreement_of(view(stack)) for stack in stacks]
    return np.concatenate(values).astype(np.float64)


def limb_disagreement_of(view: View) -> FloatArray:
    """Return the disagreement of each record of a view.

    Parameters
    ----------
    view : View
        Of n records whose limb leads are named.

    Returns
    -------
    ratio : ndarray of shape (n,)
        At least 0.
    """
    limb = view.X[:, [view.lead_names.index(name) for name in LIMB_LEADS]]
    limb = limb - limb.mean(axis=2, keepdims=True)  # (n, 6, times)
    products = limb @ limb.transpose(0, 2, 1) / limb.shape[2]  # (n, 6, 6)
    wrong = np.einsum("ri,nij,rj->n", RELATIONS, products, RELATIONS)
    total = np.trace(products, axis1=1, axis2=2)
    ratio: FloatArray = np.sqrt(np.maximum(wrong, 0)) / (np.sqrt(total) + ROUNDING_MV)
    return ratio


def check_different_leads(owner: object, names: Any) -> tuple[str, ...]:
    """Return names of leads of which no two are the same.

    Parameters
    ----------
    owner : str
        Whose parameter `lead_names` they are.
    names : sequence of str
        The names, in the order of the leads.

    Returns
    -------
    names : tuple of str
        The same, with the standard leads spelt as usual.

    Raises
    ------
    ValueError
        If they are no sequence of names, or one is there twice.
    """
    found = standard_spelling(check_lead_names(owner, names))
    if len(set(found)) < len(found):
        refuse(owner, "lead_names", "be different names", repr(names))
    return found


def check_limb_leads(owner: object, names: tuple[str, ...]) -> None:
    """Raise if a limb lead is missing.

    Parameters
    ----------
    owner : str
        Whose parameter `lead_names` they are.
    names : tuple of str
        Names of leads.

    Raises
    ------
    ValueError
        If one of the six is not among them.
    """
    missing = [name for name in LIMB_LEADS if name not in names]
    if missing:
        got = f"{names!r} without {', '.join(missing)}"
        refuse(owner, "lead_names", "name the six limb leads", got)
