"""Ask the network, as it is now, how hard records are, and what their maps show."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._network.network import Network
from sk_erts._network.normalisation import renewed_statistics
from sk_erts._network.untouched import untouched
from sk_erts._records.signals import Signals, batches
from sk_erts._records.task import Task
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.inference import INFERENCE_BATCH_SIZE
from sk_erts._training.judging import Judging
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.processes import ALONE, Processes
from sk_erts.attribution import GradCAM
from sk_erts.exceptions import NonFiniteLossError
from sk_erts.selection import Policy, Scores

__all__ = ["Scorer"]

# Batches are filled up to a multiple of this with records that come a second time: for
# each size that is new, a processor prepares its convolutions anew, in time and memory.
SIZE_STEP = 32

# Large enough for means and variances, whatever the batches of the training.
PROBE_BATCH_SIZE = 64


class Scorer:
    """Measure confidence and focus, and leave the network as found.

    Parameters
    ----------
    network : Network
        In training.
    training_set : TrainingSet
        Its records and labels.
    task : Task
        Says what confidence in the truth is.
    judging : Judging
        Says what is looked for in maps.
    precision : ScoringPrecision
        What is computed with.
    processes : Processes, optional
        Who looks at which records.

    Attributes
    ----------
    n_scored : int
        Records that went through a scoring pass so far.
    """

    def __init__(
        self,
        network: Network,
        training_set: TrainingSet,
        task: Task,
        judging: Judging,
        precision: ScoringPrecision,
        processes: Processes = ALONE,
    ) -> None:
        self.network = network
        self.training_set = training_set
        self.task = task
        self.judging = judging
        self.precision = precision
        self.processes = processes
        self.cam = GradCAM(network.module, network.layer)
        self.n_scored = 0

    @property
    def maps_are_free(self) -> bool:
        """Whether a look tells of the map without costing more."""
        return self.judging.judge.reads_maps and self.cam.linear is not None

    def score(self, index: IntArray, reads: frozenset[str]) -> dict[str, FloatArray]:
        """Score records with the network in evaluation mode.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.
        reads : frozenset of {"confidence", "focus"}
            What is wanted; nothing else is computed.

        Returns
        -------
        scores : dict of str to ndarray of shape (n,)
            One entry for each score wanted; besides, what all classes were given:
            ``"proba"``, of shape (n, n_classes).
        """
        self.n_scored += len(index)
        own = self.processes.share(index)

        def look() -> dict[str, FloatArray]:
            with self._precision_for(index), untouched(self.network.module):
                parts = [
                    self._score_batch(own[piece], reads)
                    for piece in batches(len(own), INFERENCE_BATCH_SIZE)
                ]
            return _joined(parts)

        if len(own) == len(index):  # so few that all processes look at them
            return look()
        return _joined(self.processes.gathered(look))

    def probe(self, index: IntArray) -> dict[str, FloatArray]:
        """Look at records drawn at random, and let normalisation layers learn of them.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Positions in the training set.

        Returns
        -------
        scores : dict of str to ndarray
            ``"confidence"`` and ``"proba"``, as `score` returns them.
        """
        self.n_scored += len(index)
        n_batches = max(1, len(index) // PROBE_BATCH_SIZE)
        with (
            self._precision_for(index),
            renewed_statistics(self.network.module),
            torch.no_grad(),
        ):
            return _joined(
                [
                    self.believed(self.network.logits(self._signals(piece)), piece)
                    for piece in np.array_split(index, n_batches)
                ]
            )

    def try_out(self, policy: Policy) -> None:
        """Score two records and decide on them, so that what cannot work fails now.

        Parameters
        ----------
        policy : Policy
            The whole policy.

        Raises
        ------
        ValueError
            If there is no such score, no layer to explain, the judge returns anything
            but one number per record, or the policy's parameters are wrong.
        """
        reads = frozenset(policy.reads)
        unknown = sorted(reads - {"confidence", "focus"})
        if unknown:
            raise ValueError(
                f"The policy reads {unknown[0]!r}, but the scores there are "
                "'confidence' and 'focus'. Correct the policy's 'reads'."
            )
        index = np.arange(min(2, len(self.training_set)))
        judges = "focus" in reads
        # A layer that the user names is tried, whatever it is for.
        looks_at_maps = judges and (
            self.judging.judge.reads_maps or self.network.layer is not None
        )
        wanted = reads if looks_at_maps else reads - {"focus"}
        tried: dict[str, FloatArray] = {}
        if reads:
            with untouched(self.network.module):
                tried = self._score_batch(index, wanted)
        if judges and not self.judging.judge.reads_maps:
            tried["focus"] = np.zeros(len(index))
        tried = {name: tried[name] for name in reads}
        scores = Scores(self.task.strata(self.training_set.codes)[index], 1, **tried)
        for part in (policy, policy.without_focus()):
            part.select(scores, np.random.default_rng(0))

    def believed(self, logits: torch.Tensor, index: IntArray) -> dict[str, FloatArray]:
        """Return what logits say of records, if the network is still sound.

        Parameters
        ----------
        logits : tensor of shape (n, n_classes)
            The network's.
        index : int ndarray of shape (n,)
            Positions of the records in the training set.

        Returns
        -------
        scores : dict of str to ndarray
            ``"confidence"`` (n,), and ``"proba"`` (n, n_classes).

        Raises
        ------
        NonFiniteLossError
            If a confidence is not finite.
        """
        logits = logits.detach().float().cpu()
        codes = torch.from_numpy(self.training_set.codes[index])
        values = self.task.confidence(logits, codes).numpy()
        self._refuse_not_finite(values)
        proba = self.task.probability(logits).float().numpy()
        return {"confidence": values, "proba": proba}

    def _refuse_not_finite(self, values: FloatArray) -> None:
        n_bad = int((~np.isfinite(values)).sum())
        if n_bad:
            raise NonFiniteLossError(
                f"The network {self.network.name} gives a probability that is not "
                f"finite to {n_bad} of {len(values)} records: its training has "
                "diverged. Try a smaller 'lr', and see that X is in millivolt."
            )

    def _score_batch(
        self, index: IntArray, reads: frozenset[str]
    ) -> dict[str, FloatArray]:
        n = len(index)
        filled = np.resize(index, n + -n % SIZE_STEP)
        batch = self._signals(filled)
        maps = None
        if "focus" in reads:
            direction = self.judging.direction(filled, batch.x.device)
            bias = self.judging.judge.against_rival
            logits, maps = self.cam.look(batch, direction, bias=bias)
        else:
            with torch.inference_mode():
                logits = self.network.logits(batch)
        scores = self.believed(logits[:n], index)
        if maps is not None and self.judging.judge.reads_maps:
            focus = self.judging.of_maps(maps.first(n), index, scores["proba"])
            scores["focus"] = focus
        if "confidence" not in reads:
            del scores["confidence"]
        return scores

    def _precision_for(self, index: IntArray) -> AbstractContextManager[object]:
        """Return the context to look at records in; tried out on the first of them."""

        def look() -> FloatArray:
            first = index[:INFERENCE_BATCH_SIZE]
            with untouched(self.network.module):
                return self._score_batch(first, frozenset({"confidence"}))["confidence"]

        return self.precision(look)

    def _signals(self, index: IntArray) -> Signals:
        return self.training_set.signals(index, self.network.device)


def _joined(parts: list[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return the scores of batches as those of all their records."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
