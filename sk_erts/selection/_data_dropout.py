"""Progressive Data Dropout in its three kinds, and full data.

References
----------
.. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from sk_erts._lib.typing import BoolArray
from sk_erts.selection._ledger import Status
from sk_erts.selection._policy import Policy, Scores, random_mask

__all__ = ["DBPD", "SMRD", "SRD", "KeepAll"]


class KeepAll(Policy):
    """Train everything: full data.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import KeepAll, Scores
    >>> scores = Scores(y=np.zeros(3, int), epoch=1)
    >>> KeepAll().select(scores, np.random.default_rng(0)).tolist()
    [1, 1, 1]
    """

    phase = "full data"

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        return np.ones(len(scores), dtype=bool)


class DBPD(Policy):
    r"""Difficulty-based progressive dropout: train what is not learned yet.

    Keeps :math:`\{x : p_t(x) < \tau\}`, with :math:`p_t(x)` the probability of the
    true class [1]_.

    Parameters
    ----------
    threshold : float, default=0.3
        The confidence :math:`\tau` from which on a record is easy.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import DBPD, Scores
    >>> scores = Scores(
    ...     y=np.zeros(3, int), epoch=1, confidence=np.array([0.1, 0.3, 0.8])
    ... )
    >>> DBPD(threshold=0.3).select(scores, np.random.default_rng(0)).tolist()
    [1, 2, 2]
    """

    reads = frozenset({"confidence"})
    reason = Status.EASY
    phase = "data dropout"

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold = threshold

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        return _below(scores, self)


class SMRD(Policy):
    """Schedule-matched random dropout: as many as `DBPD` keeps, at random.

    Parameters
    ----------
    threshold : float, default=0.3
        The threshold of the `DBPD` that it is matched to.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import SMRD, Scores
    >>> scores = Scores(
    ...     y=np.zeros(3, int), epoch=1, confidence=np.array([0.1, 0.3, 0.8])
    ... )
    >>> int((SMRD(0.5).select(scores, np.random.default_rng(0)) == 1).sum())
    2
    """

    reads = frozenset({"confidence"})
    phase = "data dropout"

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold = threshold

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        n_kept = int(_below(scores, self).sum())
        return random_mask(len(scores), n_kept, rng)


class SRD(Policy):
    r"""Scalar random dropout: a random share that shrinks from epoch to epoch.

    Keeps the share :math:`d^t` in the `t`-th epoch of selection [1]_.

    Parameters
    ----------
    decay : float, default=0.98
        The factor `d`.

    References
    ----------
    .. [1] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.selection import SRD, Scores
    >>> scores = Scores(y=np.zeros(100, int), epoch=10)
    >>> int((SRD(0.98).select(scores, np.random.default_rng(0)) == 1).sum())
    82
    """

    phase = "data dropout"

    def __init__(self, decay: float = 0.98) -> None:
        self.decay = decay

    def _keep(self, scores: Scores, rng: np.random.Generator) -> BoolArray:
        n_kept = round(len(scores) * self.decay**scores.epoch)
        return random_mask(len(scores), n_kept, rng)


def _below(scores: Scores, policy: DBPD | SMRD) -> BoolArray:
    """Return which records are below the threshold of a policy."""
    threshold: Any = policy.threshold
    if not isinstance(threshold, Real):
        raise ValueError(
            f"The 'threshold' parameter of {type(policy).__name__} must be a number. "
            f"Got {threshold!r} instead."
        )
    return np.asarray(scores.read("confidence") < float(threshold))
