"""A training on pairs: that of the classifier, with another net and another look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts._network.check import check_network
from sk_erts._network.network import Network
from sk_erts._network.normalisation import unmoved_statistics
from sk_erts._network.untouched import untouched
from sk_erts._records.divide import FitData
from sk_erts._records.signals import Signals, inside
from sk_erts._training.build import make_net, resolve_module
from sk_erts._training.net import ERTSNet
from sk_erts._training.plan import Plan
from sk_erts._training.run import Run, Trained
from sk_erts._training.scorer import Scorer
from sk_erts._training.skorch_params import Parts
from sk_erts.pretraining._gaussians import Gaussians
from sk_erts.pretraining._pair_loss import Bank, PairLoss, SignalDecoder, Weights
from sk_erts.pretraining._pairs import Pairs
from sk_erts.pretraining._text_encoders import TextEncoder

__all__ = ["PairNet", "PairPlan", "PairRun", "make_pair_net"]

# Of the steps of feature maps, how many are left out, and how many in a row.
SHARE_LEFT_OUT, STEPS_LEFT_OUT = 0.3, 3


@dataclass(frozen=True)
class PairPlan:
    """What a training on pairs is to do beside what any training does.

    Attributes
    ----------
    text : callable
        Makes what encodes reports, with weights from torch's generator.
    distance : str
        By which records and reports find each other.
    weights : Weights
        Of the parts of the loss.
    """

    text: Callable[[], TextEncoder]
    distance: str
    weights: Weights


class PairNet(ERTSNet):
    """Train on records beside their reports, which the criterion encodes."""

    owner: ClassVar[str] = "ECGTextPretrainer"
    criterion_: PairLoss
    task: Pairs

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take a step; what it tells is of pairs, and no outputs of the network."""
        step = super().train_step_single(batch, **fit_params)
        return {**step, "y_pred": self.criterion_.told}

    def get_loss(
        self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False
    ) -> torch.Tensor:
        """Return the mean loss of pairs, and in training that of their second views."""
        loss = super().get_loss(y_pred, y_true, X=X, training=training)
        if training and self.criterion_.weights.ask_second_view:
            loss = loss + self._second_views(X)
        return loss

    def _second_views(self, batch: Any) -> torch.Tensor:
        # Sums in one order, however the records lie.
        x = batch["X"].to(self.device).contiguous()
        lengths = batch.get("lengths")
        lengths = None if lengths is None else lengths.to(self.device)
        network = self.network
        decoder = self.criterion_.decoder
        n_samples = 1 if decoder is None else decoder.n_samples
        left = _left_out(x, n_samples)
        seen = Signals(x.masked_fill(left[:, None], 0.0), lengths)
        with unmoved_statistics(self.module_):
            if decoder is None:
                outputs, z = network.logits(seen), x[:, :0]
            else:
                outputs, maps = network.look(seen)
                z = maps.x
        if lengths is not None:
            left = left & inside(lengths, x.shape[-1])
        return self.criterion_.second_views(outputs, z, x, left)


class PairScorer(Scorer):
    """Ask whether records find their reports, and how far the two fit."""

    def __init__(self, net: PairNet, batch_size: int, *args: Any) -> None:
        super().__init__(*args)
        self.net = net
        self.batch_size = batch_size
        self._bank: Bank | None = None

    def score(self, index: IntArray, reads: frozenset[str]) -> dict[str, FloatArray]:
        """Score pairs with network and reports as they are now."""
        with self._reports_encoded():
            return super().score(index, reads)

    def probe(self, index: IntArray) -> dict[str, FloatArray]:
        """Look at pairs drawn at random."""
        with self._reports_encoded():
            return super().probe(index)

    def believed(self, told: torch.Tensor, index: IntArray) -> dict[str, FloatArray]:
        """Return what was told of pairs, if the network is still sound."""
        if told.shape[1] != self.task.n_remembered:  # a look, and not a step
            told = self._told(told, index)
        values = told.float().cpu().numpy()
        self._refuse_not_finite(values[:, 0])
        return {"confidence": values[:, 0], "proba": values}

    def try_out(self, policy: Any) -> None:
        """Score two pairs, so that what cannot work fails now."""
        with self._reports_encoded():
            super().try_out(policy)

    def _score_batch(
        self, index: IntArray, reads: frozenset[str]
    ) -> dict[str, FloatArray]:
        if "focus" in reads:  # no judge of pairs reads maps: the layer is tried out
            self.cam.look(self._signals(index), torch.ones_like)
        return super()._score_batch(index, reads - {"focus"})

    def _told(self, outputs: torch.Tensor, index: IntArray) -> torch.Tensor:
        codes = torch.from_numpy(self.training_set.codes[index]).to(outputs.device)
        assert self._bank is not None
        with torch.no_grad():
            return self.net.criterion_.told_of(outputs, codes, self._bank)

    @contextmanager
    def _reports_encoded(self) -> Iterator[None]:
        loss, codes = self.net.criterion_, self.training_set.codes
        n_texts = len(self.task.classes)
        outputs = loss.text.of_all(loss.prepared, n_texts)
        counts = torch.from_numpy(np.bincount(codes, minlength=n_texts)).to(outputs)
        self._bank = Bank(Gaussians.of(outputs), counts, self.batch_size)
        try:
            yield
        finally:
            self._bank = None


class PairRun(Run):
    """Train a network and an encoder of reports on pairs.

    Parameters
    ----------
    plan : Plan
        What to do.
    data : FitData
        Its task is `Pairs`.
    pairs : PairPlan
        What to do with pairs.
    """

    net: PairNet

    def __init__(self, plan: Plan, data: FitData, pairs: PairPlan) -> None:
        self.pairs = pairs
        super().__init__(plan, data)

    def leave(self) -> Trained:
        """Return what is left of the training, with neither records nor reports."""
        trained = super().leave()
        loss = self.net.criterion_
        loss.prepared = None
        for name in ("_seen", "told"):  # of the last batch, with its graph
            vars(loss).pop(name, None)
        task = self.data.task
        assert isinstance(task, Pairs)
        self.net.task = Pairs(task.classes[:0], task.n_dims)
        return replace(trained, task=self.net.task)

    def _made_net(self) -> ERTSNet:
        net = make_pair_net(self.plan, self.data, self.pairs)
        return net

    def _made_scorer(self, network: Network, *args: Any) -> Scorer:
        return PairScorer(self.net, self.plan.batch_size, network, *args)


def make_pair_net(plan: Plan, data: FitData, pairs: PairPlan) -> PairNet:
    """Return a net that has been seen to work on records and reports.

    Parameters
    ----------
    plan : Plan
        What was asked for.
    data : FitData
        Records, and which report each has.
    pairs : PairPlan
        What is asked of pairs.

    Returns
    -------
    net : PairNet
        With random weights from torch's generator.

    Raises
    ------
    ValueError
        If the network cannot read the records, or has no feature maps from which
        signals could be guessed.
    """
    module = _made_module(plan, data)
    decoder = None
    if pairs.weights.masked_signal:
        network = Network(module.to(plan.device))
        check_network(network, data.train, data.task.n_outputs)
        decoder = _decoder_for(network, data)
    loss = PairLoss(pairs.text(), pairs.distance, pairs.weights, decoder)
    others = {k: v for k, v in plan.parts.params.items() if not k.startswith("module")}
    plan = replace(
        plan, module=module, criterion=loss, parts=Parts(others, plan.parts.owner)
    )
    loss.prepared = loss.text.prepared(data.task.classes.tolist())
    net = make_net(plan, data, kind=PairNet)
    assert isinstance(net, PairNet)
    return net


def _made_module(plan: Plan, data: FitData) -> nn.Module:
    """Return the network itself, of which the rest of the net has to know sizes."""
    records = data.train.records
    told = {
        "n_leads": records.n_leads,
        "n_times": records.n_times,
        "n_classes": data.task.n_outputs,
    }
    module, params = resolve_module(
        plan.module, plan.parts.of("module"), told, PairNet.owner
    )
    if isinstance(module, nn.Module):
        return module
    try:
        made: nn.Module = module(**params)
    except TypeError as error:
        raise ValueError(
            f"The net of {plan.parts.owner} cannot be built: {error}. The module was "
            f"given {sorted(params)!r}; set what is missing with 'module__...'."
        ) from error
    return made


def _decoder_for(network: Network, data: FitData) -> SignalDecoder:
    """Return what guesses signals from the feature maps of a network."""
    if not network.splits:
        raise ValueError(
            "The 'masked_signal' parameter of ECGTextPretrainer must be 0 for a "
            f"network without 'features' and 'head'. {network.name} lacks them."
        )
    batch = data.train.signals(np.arange(min(2, len(data.train))), network.device)
    with untouched(network.module), torch.no_grad():
        z = network.features(batch).x
    n_samples = -(-batch.x.shape[-1] // z.shape[-1])
    return SignalDecoder(z.shape[1], batch.x.shape[1], n_samples)


def _left_out(x: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Draw pieces of time (n, n_times) that all leads lose."""
    n, n_times = len(x), x.shape[-1]
    length = min(n_samples * STEPS_LEFT_OUT, max(1, n_times // 4))
    n_pieces = -(-n_times // length)
    drawn = torch.rand(n, n_pieces, device=x.device) < SHARE_LEFT_OUT
    return drawn.repeat_interleave(length, dim=1)[:, :n_times]
