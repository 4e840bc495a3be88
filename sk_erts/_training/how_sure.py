"""How sure a trained classifier is of what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from scipy.special import entr
from sklearn.utils import check_random_state
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from sk_erts._lib.checks import check_count
from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._network.network import Network
from sk_erts._network.untouched import seeded, untouched
from sk_erts._records.signals import Signals
from sk_erts._records.task import SeveralLabels
from sk_erts._training.inference import PREDICTED_AT_ONCE
from sk_erts._training.predicts import Predicts

__all__ = ["TellsHowSure", "Uncertainty"]


@dataclass(frozen=True, repr=False, eq=False)
class Uncertainty:
    """How sure several predictions of the same records are, in nats.

    Attributes
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Mean of the probabilities.
    total : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Entropy of the mean. The logarithm of the number of classes, or of 2 for each
        of several labels, is the greatest there can be.
    aleatoric : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Mean of the entropies: what each prediction by itself finds open in the record.
    epistemic : ndarray of shape (n_samples,) or (n_samples, n_labels)
        The difference, at least 0: on what the predictions do not agree.
    """

    proba: FloatArray
    total: FloatArray
    aleatoric: FloatArray
    epistemic: FloatArray

    @classmethod
    def of(cls, samples: FloatArray, *, several_labels: bool) -> Uncertainty:
        """Take the uncertainty of predictions apart.

        Parameters
        ----------
        samples : ndarray of shape (n_predictions, n_samples, n_classes)
            Probabilities.
        several_labels : bool
            Whether each is of a label by itself, or those of a record sum to one.

        Returns
        -------
        uncertainty : Uncertainty
            Of each record, or of each of its labels.
        """
        mean = samples.mean(axis=0)
        total = _entropy(mean, several_labels)
        aleatoric = _entropy(samples, several_labels).mean(axis=0)
        # Equal predictions differ from their mean by rounding.
        return cls(mean, total, aleatoric, np.maximum(total - aleatoric, 0))

    def __repr__(self) -> str:
        total, aleatoric, epistemic = (
            f"{name} {getattr(self, name).mean():.3f}"
            for name in ("total", "aleatoric", "epistemic")
        )
        means = f"{total} = {aleatoric} + {epistemic}"
        return f"Uncertainty({len(self.proba)} records; mean in nats: {means})"


def _entropy(proba: FloatArray, several_labels: bool) -> FloatArray:
    """Return entropies (..., n_labels), or (...,) of one class, of (..., n_classes)."""
    # A mean may be greater than 1 by rounding.
    proba = proba.clip(0, 1)
    entropy: FloatArray = entr(proba)
    if several_labels:
        entropy += entr(1 - proba)
        return entropy
    summed: FloatArray = entropy.sum(axis=-1)
    return summed


class TellsHowSure(Predicts):
    """Tell what of a prediction is doubt of the network, and what of the record.

    A mixin of `ERTSClassifier`, which has the attributes and checks.
    """

    cam_layer: str | None

    def predict_uncertainty(
        self, X: Any, n_samples: int = 30, random_state: Any = 0
    ) -> Uncertainty:
        r"""Return how sure predictions are, by Monte-Carlo dropout.

        The network predicts each record `n_samples` times, with other channels left
        out each time, as in training [1]_; everything else in it, normalisation too, is
        as in `predict_proba`. All records are judged by the same `n_samples` thinned
        networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        n_samples : int, default=30
            Predictions of each record, at least 2. Where dropout is in the head alone,
            as in the networks of :mod:`sk_erts.models`, feature maps are computed once.
        random_state : int, RandomState instance or None, default=0
            Determines what is left out. Global generators are not touched, but for
            NumPy's by None.

        Returns
        -------
        uncertainty : object
            With the attributes:

            proba : ndarray of shape (n_records, n_classes)
                Mean of the probabilities.
            total : ndarray of shape (n_records,) or (n_records, n_labels)
                Entropy of the mean, in nats; of several labels that of each one.
            aleatoric : ndarray of shape (n_records,) or (n_records, n_labels)
                Mean of the entropies: what the record leaves open.
            epistemic : ndarray of shape (n_records,) or (n_records, n_labels)
                The difference, at least 0: what the network does not know.

        Raises
        ------
        ValueError
            If the network has no dropout, `n_samples` is below 2, or records are not
            as in `fit`.

        See Also
        --------
        sk_erts.DeepEnsemble : The same of several trainings, without dropout.
        sk_erts.metrics.risk_coverage : What abstaining above a threshold is worth.

        Notes
        -----
        With the probabilities :math:`p_m` of :math:`M` predictions, their mean
        :math:`\bar p` and the entropy :math:`H(p) = -\sum_c p_c \log p_c`,

        .. math:: \underbrace{H(\bar p)}_\text{total} =
            \underbrace{\frac1M \sum_m H(p_m)}_\text{aleatoric} +
            \underbrace{\frac1M \sum_m \mathrm{KL}(p_m \,\|\, \bar p)}_\text{epistemic},

        of which the last is the mutual information of class and network [2]_.
        Dropout in the head alone varies how evidence is weighed, not what is found:
        it tells less of what no training record looked like than an ensemble does.

        Layers of ``torch.nn`` are switched on: all kinds of dropout, that of recurrent
        layers, and of attention. What a forward pass drops by ``functional.dropout``
        nobody can see.

        References
        ----------
        .. [1] Y. Gal, Z. Ghahramani, "Dropout as a Bayesian approximation: representing
           model uncertainty in deep learning", ICML 2016, arXiv:1506.02142.
        .. [2] S. Depeweg et al., "Decomposition of uncertainty in Bayesian deep
           learning for efficient and risk-sensitive learning", ICML 2018,
           arXiv:1710.07283.

        Examples
        --------
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier(
        ...     module__width=4, module__dropout=0.2, max_epochs=2, random_state=0
        ... )
        >>> sure = clf.fit(X, y).predict_uncertainty(X)
        >>> sure.total.shape, bool((sure.epistemic > 0).all())
        ((40,), True)
        """
        check_count("predict_uncertainty", "n_samples", n_samples, least=2)
        records = self._check_new_records(X)
        network = Network(self.net_.module_, self.cam_layer)
        layers = _dropout_of(network.module)
        if not layers:
            raise ValueError(
                "predict_uncertainty leaves out channels of a network with dropout. "
                f"Got {network.name} without any. Fit it with some, as by "
                "ERTSClassifier(module__dropout=0.2) or a torch.nn.Dropout in a "
                "network of your own; or fit a sk_erts.DeepEnsemble, which needs none."
            )
        seed = check_random_state(random_state).randint(2**31 - 1)
        task, temperature = self._trained.task, self._trained.calibrated.temperature
        several_labels = isinstance(task, SeveralLabels)

        def look(index: IntArray) -> Uncertainty:
            batch = records.signals(index, network.device)
            samples = []
            for copies, logits_of in _each_alone(network, layers, batch, len(index)):
                # The same chance for each record: what others are in X does not matter.
                with seeded(seed, network.device):
                    logits = torch.cat(
                        [logits_of(copies) for _ in range(0, n_samples, len(copies.x))]
                    )
                proba = task.probability(logits[:n_samples].double() / temperature)
                samples.append(proba.cpu().numpy())
            return Uncertainty.of(np.stack(samples, 1), several_labels=several_labels)

        pieces = records.batches(PREDICTED_AT_ONCE)
        with _dropping(network.module, layers), torch.inference_mode():
            parts = [look(index) for index in pieces]
        order = np.argsort(np.concatenate(pieces))
        return Uncertainty(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])[order]
                for field in fields(Uncertainty)
            )
        )


def _each_alone(
    network: Network, layers: list[nn.Module], batch: Signals, n: int
) -> Iterator[tuple[Signals, Callable[[Signals], torch.Tensor]]]:
    """Yield many copies of each of `n` records, or of its feature maps.

    Beside them stands what makes logits of them. Feature maps are enough, and are
    computed once, if nothing is dropped before the head.
    """
    whole = getattr(network.module, "head", None)
    in_head = set(whole.modules()) if isinstance(whole, nn.Module) else set()
    logits_of: Callable[[Signals], torch.Tensor] = network.logits
    if network.splits and in_head.issuperset(layers):
        batch = network.features(batch.filled(PREDICTED_AT_ONCE))
        logits_of = network.head
    for row in range(n):
        lengths = None if batch.lengths is None else batch.lengths[row : row + 1]
        alone = Signals(batch.x[row : row + 1], lengths)
        yield alone.filled(PREDICTED_AT_ONCE), logits_of


def _dropout_of(module: nn.Module) -> list[nn.Module]:
    """Return all layers of a network that drop something in training."""
    return [part for part in module.modules() if _drops(part)]


def _drops(part: nn.Module) -> bool:
    if isinstance(part, _DropoutNd):
        return part.p > 0
    if isinstance(part, nn.RNNBase):  # between its layers
        return part.dropout > 0 and part.num_layers > 1
    return isinstance(part, nn.MultiheadAttention) and part.dropout > 0


@contextmanager
def _dropping(module: nn.Module, layers: list[nn.Module]) -> Iterator[None]:
    """Let dropout alone work as in training, and leave the network as found."""
    with untouched(module):
        for part in module.modules():
            # In evaluation mode these leave their own dropout out, to be faster.
            if part in layers or isinstance(part, nn.TransformerEncoderLayer):
                part.training = True
        yield
