"""Ask the network, as it is now, how hard records are, and how focused their maps."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._network.normalisation import renewed_statistics
from sk_erts._network.untouched import device_of, untouched
from sk_erts._records.ragged import by_length
from sk_erts._records.records import TrainingSet
from sk_erts._records.signals import Signals, batches
from sk_erts._records.task import Task
from sk_erts._training.precision import ScoringPrecision
from sk_erts.attribution._gradcam import GradCAM
from sk_erts.exceptions import NonFiniteLossError
from sk_erts.selection._focus_measures import FocusMeasure
from sk_erts.selection._policy import Policy, Scores
from sk_erts.selection._reliability import as_reliability

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
    module : Module
        The network in training.
    training_set : TrainingSet
        Its records and labels.
    task : Task
        Says what confidence in the truth is, and which logits speak for it.
    measure : callable
        The focus measure, from signed maps (n, times) to scores (n,).
    cam_layer : str or None
        Layer whose maps are scored.
    batch_size : int
        Records per forward pass.
    precision : ScoringPrecision
        What is computed with.

    Attributes
    ----------
    n_scored : int
        Records that went through a scoring pass so far.
    """

    def __init__(
        self,
        module: nn.Module,
        training_set: TrainingSet,
        task: Task,
        measure: FocusMeasure,
        cam_layer: str | None,
        batch_size: int,
        precision: ScoringPrecision,
    ) -> None:
        self.module = module
        self.training_set = training_set
        self.task = task
        self.measure = measure
        self.batch_size = batch_size
        self.precision = precision
        self.cam = GradCAM(module, cam_layer)
        self.names_layer = cam_layer is not None
        self.n_scored = 0

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
        with self._precision_for(index), untouched(self.module):
            parts = [
                self._score_batch(index[piece], reads)
                for piece in batches(len(index), self.batch_size)
            ]
        return _joined(parts)

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
            renewed_statistics(self.module),
            torch.no_grad(),
        ):
            return _joined(
                [
                    self.believed(self._signals(piece).logits(self.module), piece)
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
            If there is no such score, no layer to explain, the focus measure returns
            anything but one number per map, or the policy's parameters are wrong.
        """
        reads = frozenset(policy.reads)
        unknown = sorted(reads - {"confidence", "focus"})
        if unknown:
            raise ValueError(
                f"The policy reads {unknown[0]!r}, but the scores there are "
                "'confidence' and 'focus'. Correct the policy's 'reads'."
            )
        index = np.arange(min(2, len(self.training_set)))
        judged = as_reliability(policy.measure) is not None
        wanted = reads - {"focus"} if judged and not self.names_layer else reads
        with untouched(self.module):
            tried = self._score_batch(index, wanted) if wanted else {}
        if judged:
            tried["focus"] = np.zeros(len(index))
        tried = {name: tried[name] for name in reads}
        scores = Scores(self.task.strata(self.training_set.codes)[index], 1, **tried)
        for part in (policy, policy.without_focus()):
            part.select(scores, np.random.default_rng(0))

    def focus(
        self, maps: torch.Tensor, steps: torch.Tensor | None = None
    ) -> FloatArray:
        """Return the focus scores of signed maps.

        Parameters
        ----------
        maps : tensor of shape (n, times)
            Signed maps of the true class.
        steps : int tensor of shape (n,), optional
            Where each map ends; by default all fill the tensor.

        Returns
        -------
        scores : ndarray of shape (n,)
            Higher is better.

        Raises
        ------
        ValueError
            If the measure returns the wrong number of scores, or NaN.
        """
        values = maps.float().cpu().numpy()
        if steps is None:
            scores = np.asarray(self.measure(values))
        else:
            scores = by_length(self.measure, values, steps.cpu().numpy())
        if scores.shape != (len(maps),) or np.isnan(scores).any():
            raise ValueError(
                f"The focus measure must return {len(maps)} numbers, one per map, and "
                f"no NaN. Got shape {scores.shape} with {np.isnan(scores).sum()} NaN "
                "instead."
            )
        return scores

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
        n_bad = int((~np.isfinite(values)).sum())
        if n_bad:
            raise NonFiniteLossError(
                f"The network {type(self.module).__name__} gives a probability that "
                f"is not finite to {n_bad} of {len(values)} records: its training has "
                "diverged. Try a smaller 'lr', and see that X is in millivolt."
            )
        proba = self.task.probability(logits).float().numpy()
        return {"confidence": values, "proba": proba}

    def _score_batch(
        self, index: IntArray, reads: frozenset[str]
    ) -> dict[str, FloatArray]:
        n = len(index)
        batch = self._signals(np.resize(index, n + -n % SIZE_STEP))
        scores: dict[str, FloatArray] = {}
        if "focus" in reads:
            codes = self._codes(np.resize(index, len(batch.x)))
            logits, maps = self.cam(
                batch.x, lambda _: self.task.direction(codes), batch.lengths
            )
            lengths = batch.lengths
            steps = None if lengths is None else self.cam.steps(lengths[:n])
            scores["focus"] = self.focus(maps[:n], steps)
        else:
            with torch.inference_mode():
                logits = batch.logits(self.module)
        believed = self.believed(logits[:n], index)
        scores["proba"] = believed["proba"]
        if "confidence" in reads:
            scores["confidence"] = believed["confidence"]
        return scores

    def _precision_for(self, index: IntArray) -> AbstractContextManager[object]:
        """Return the context to look at records in; tried out on the first of them."""

        def look() -> FloatArray:
            first = index[: self.batch_size]
            with untouched(self.module):
                return self._score_batch(first, frozenset({"confidence"}))["confidence"]

        return self.precision(look)

    def _signals(self, index: IntArray) -> Signals:
        return self.training_set.signals(index, device_of(self.module))

    def _codes(self, index: IntArray) -> torch.Tensor:
        codes = torch.from_numpy(self.training_set.codes[index])
        return codes.to(device_of(self.module))


def _joined(parts: list[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return the scores of batches as those of all their records."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
