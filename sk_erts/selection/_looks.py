"""How records are looked at while a network is trained."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)

__all__ = ["Looks"]

CONSTRAINTS: dict[str, list[Any]] = {
    "renewal_interval": [
        Interval(Integral, 1, None, closed="left"),
        StrOptions({"batch", "epoch"}),
    ],
    "reuse_scores": ["boolean"],
    "revisit_gaps": [tuple, list],
    "first_step": [Interval(Integral, 0, None, closed="left")],
    "probe_records": [Interval(Integral, 0, None, closed="left")],
    "precision": [StrOptions({"auto", "float32", "bfloat16"})],
}


class Looks(BaseEstimator):
    """How often and how closely the records of a training are looked at.

    The machinery of the selection: it decides what a selection costs and how fresh it
    is, not which records are trained. Parameters of the classifier reach it by double
    underscores, as in ``ERTSClassifier(looks__probe_records=0)``.

    Parameters
    ----------
    renewal_interval : int, "batch" or "epoch", default=512
        Records between two renewals of the selection. Batches are filled across
        intervals. ``"batch"`` is the authors' scheme, in which what is kept of one
        batch is trained by itself.
    reuse_scores : bool, default=True
        Judge a record that was trained in the epoch before by the scores of that
        step, instead of by another forward pass. Behind another head than a pooled
        linear one a step tells the confidence only, and the focus needs the pass.
    revisit_gaps : sequence of int, default=(2, 4, 8)
        A record that is looked at and not trained is looked at again after 2 epochs,
        then after 4, and then every 8. The gaps of all shrink when a probe finds easy
        records forgotten. ``(1,)`` is a look in every epoch, as in the papers.
    first_step : int, default=100
        Training steps on all records before any is judged, however short the warm-up
        is: a network that has learned nothing yet cannot tell what is easy, or wrong.
        With few records, smaller batches make more steps.
    probe_records : int, default=128
        Records, drawn at random, that are looked at after each epoch of selection.
        They tell whether skipped records are forgotten, and the statistics of
        batch-normalisation layers are estimated anew from them; 0 leaves those of the
        selected records, with which the network misjudges all others.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        What records are looked at with. ``"auto"`` is bfloat16 where the processor
        has instructions for it and the first confidences differ by no more than 0.05.
        Training steps have a ``steps__precision``; predictions are in float32.

    Examples
    --------
    The papers look at every record in every epoch:

    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.selection import Looks
    >>> clf = ERTSClassifier(looks=Looks(reuse_scores=False, revisit_gaps=(1,)))
    >>> clf.get_params()["looks__revisit_gaps"]
    (1,)
    >>> clf.set_params(looks__probe_records=0).looks.probe_records
    0
    """

    def __init__(
        self,
        renewal_interval: int | str = 512,
        reuse_scores: bool = True,
        revisit_gaps: Sequence[int] = (2, 4, 8),
        first_step: int = 100,
        probe_records: int = 128,
        precision: str = "auto",
    ) -> None:
        self.renewal_interval = renewal_interval
        self.reuse_scores = reuse_scores
        self.revisit_gaps = revisit_gaps
        self.first_step = first_step
        self.probe_records = probe_records
        self.precision = precision

    def check(self, owner: str) -> None:
        """Judge the parameters.

        Parameters
        ----------
        owner : str
            Class that has this object as a parameter, for errors.

        Raises
        ------
        ValueError
            If one is out of its range.
        """
        params = self.get_params(deep=False)
        validate_parameter_constraints(
            {f"looks__{name}": allowed for name, allowed in CONSTRAINTS.items()},
            {f"looks__{name}": value for name, value in params.items()},
            owner,
        )
        gaps: Sequence[Any] = self.revisit_gaps
        if not gaps or any(not isinstance(g, Integral) or int(g) < 1 for g in gaps):
            raise ValueError(
                f"The 'looks__revisit_gaps' parameter of {owner} must be a sequence of "
                "numbers of epochs, each at least 1, such as (2, 4, 8). Got "
                f"{gaps!r} instead."
            )
