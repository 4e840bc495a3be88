"""Records that lie on their side: (n_times, n_leads), as wfdb.rdsamp returns them."""

from __future__ import annotations

from sk_erts._lib.typing import Array
from sk_erts._lib.warn import warn_caller
from sk_erts.exceptions import DoubtfulInputWarning

__all__ = ["doubt_of_orientation", "tell_if_transposed"]

# Records of more leads than these, and more than time steps, lie on their side.
MOST_LEADS = 16


def doubt_of_orientation(
    n_leads: int, n_times: int, name: str = "X", turned: str = "X.transpose(0, 2, 1)"
) -> str | None:
    """Say of records that are far wider than long what is hardly meant.

    Parameters
    ----------
    n_leads, n_times : int
        Shape of a record, as it is understood.
    name : str, default="X"
        What holds them.
    turned : str, default="X.transpose(0, 2, 1)"
        What to pass instead.

    Returns
    -------
    doubt : str or None
        A sentence that follows the name of the estimator, with what to do.

    Examples
    --------
    >>> from sk_erts._lib.orientation import doubt_of_orientation
    >>> print(doubt_of_orientation(1000, 12))
    X holds records of 1000 leads and 12 time steps: records must be (n_leads, ...
    """
    if n_leads <= max(n_times, MOST_LEADS):
        return None
    return (
        f"{name} holds records of {n_leads} leads and {n_times} time steps: records "
        "must be (n_leads, n_times), and these seem to be (n_times, n_leads), as "
        f"wfdb.rdsamp returns them. Pass {turned}."
    )


def tell_if_transposed(owner: str, name: str, X: Array) -> None:
    """Warn the caller of records that are far wider than long.

    Parameters
    ----------
    owner, name : str
        What was given them, and as what.
    X : ndarray of shape (n_samples, n_leads, n_times) or (n_leads, n_times)
        Records, or one.

    Warns
    -----
    DoubtfulInputWarning
        If they seem to be (n_times, n_leads).
    """
    turned = f"{name}.T" if X.ndim == 2 else f"{name}.transpose(0, 2, 1)"
    doubt = doubt_of_orientation(X.shape[-2], X.shape[-1], name, turned)
    if doubt is not None:
        warn_caller(f"{owner}: {doubt}", DoubtfulInputWarning)
