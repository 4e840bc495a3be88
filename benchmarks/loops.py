"""Training loops written by hand, to hold the package against.

`FullData` is the floor: nothing but batches, steps and a learning rate. The other three
are schemes of the literature, written anew from their descriptions, each in its own
loop as its authors run it. All take the same network, loss, optimiser and order, and
a learning rate that falls to zero along a cosine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

Batch = tuple[
    np.ndarray, np.ndarray
]  # positions, and what each weighs beside its class


class FullData:
    """Train every record in every epoch.

    Parameters
    ----------
    X : float32 tensor of shape (n_records, n_leads, n_times)
    codes : int64 tensor of shape (n_records,)
    class_weights : float32 tensor of shape (n_classes,)
    epochs, batch_size, lr
        Length, records per step, and learning rate of the first epoch.
    """

    def __init__(
        self, X, codes, class_weights, *, epochs, batch_size, lr, seed
    ) -> None:
        self.X = X
        self.codes = codes
        self.class_weights = class_weights / class_weights[codes].mean()
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.rng = np.random.default_rng(seed)
        self.n_trained = 0
        self.n_scored = 0

    def fit(self, network: nn.Module, after_epoch=lambda: None) -> None:
        """Train a network in place."""
        self.network = network
        optimizer = torch.optim.AdamW(network.parameters(), lr=self.lr)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.epochs)
        for epoch in range(self.epochs):
            for index, weight in self.batches(epoch):
                network.train()
                codes = self.codes[index]
                logits = network(self.X[index])
                losses = cross_entropy(logits, codes, reduction="none")
                weight = torch.from_numpy(weight) * self.class_weights[codes]
                optimizer.zero_grad()
                (losses * weight).mean().backward()
                optimizer.step()
                self.n_trained += len(index)
                self.learn(index, losses.detach().numpy())
            schedule.step()
            after_epoch()

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield what is trained."""
        yield from self.shuffled(np.arange(len(self.X)))

    def learn(self, index: np.ndarray, losses: np.ndarray) -> None:
        """Hear the losses of a step."""

    def shuffled(self, index: np.ndarray) -> Iterator[Batch]:
        index = self.rng.permutation(index)
        for start in range(0, len(index), self.batch_size):
            piece = index[start : start + self.batch_size]
            yield piece, np.ones(len(piece), dtype=np.float32)

    def confidence(self, index: np.ndarray) -> np.ndarray:
        """Return the probability of the true class, by a pass of its own."""
        self.n_scored += len(index)
        self.network.eval()
        with torch.no_grad():
            probability = self.network(self.X[index]).softmax(dim=1)
        return probability[np.arange(len(index)), self.codes[index]].numpy()


class Released(FullData):
    """ERTS as its authors released it: choose within each batch, train what is left.

    A pass over the batch finds the candidates, a second pass and a backward pass
    through the whole network their Grad-CAM maps; they are ranked by
    ``(1 - p) * focus`` with the mean of the top tenth of the map, scaled to [0, 1], as
    focus.
    """

    def __init__(
        self, *args, tau=0.3, kept=0.8, warmup=5, cam_start=3, revision=1, **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        self.tau = tau
        self.kept = kept
        self.warmup = warmup
        self.cam_start = warmup + cam_start
        self.revision = revision

    def batches(self, epoch: int) -> Iterator[Batch]:
        on_all = epoch < self.warmup or epoch >= self.epochs - self.revision
        for index, weight in super().batches(epoch):
            chosen = index if on_all else self.choose(index, epoch)
            if len(chosen):
                yield chosen, weight[: len(chosen)]

    def choose(self, index: np.ndarray, epoch: int) -> np.ndarray:
        confidence = self.confidence(index)
        hard = confidence < self.tau
        index, confidence = index[hard], confidence[hard]
        if epoch < self.cam_start or len(index) == 0:
            return index
        rank = (1 - confidence) * self.focus(index)
        order = np.argsort(-rank, kind="stable")
        kept = order[: max(1, round(self.kept * len(index)))]
        rest = order[len(kept) :]
        codes = self.codes[index].numpy()
        lost = np.setdiff1d(codes[rest], codes[kept])
        best_of_lost = [rest[codes[rest] == code][0] for code in lost]
        return index[np.concatenate([kept, best_of_lost]).astype(int)]

    def focus(self, index: np.ndarray) -> np.ndarray:
        self.n_scored += len(index)
        self.network.eval()
        maps = self.network.features(self.X[index])
        maps.retain_grad()
        logits = self.network.head(maps)
        logits[np.arange(len(index)), self.codes[index]].sum().backward()
        weights = maps.grad.mean(dim=-1, keepdim=True)
        self.network.zero_grad()
        cam = (weights * maps.detach()).sum(dim=1).relu()  # (n, times)
        low, high = cam.amin(dim=1, keepdim=True), cam.amax(dim=1, keepdim=True)
        cam = (cam - low) / (high - low + 1e-8)
        n_top = max(1, cam.shape[1] // 10)
        return cam.topk(n_top, dim=1).values.mean(dim=1).numpy()


class InfoBatchLike(FullData):
    """Prune half of the records with a loss below the mean, and weigh the others up.

    After Qin et al., "InfoBatch", ICLR 2024, arXiv:2303.04947: the expectation of the
    gradient stays that of full data, and the last eighth of the epochs sees all data.
    """

    pruned = 0.5
    whole_end = 0.125

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.losses = np.full(len(self.X), np.inf)

    def batches(self, epoch: int) -> Iterator[Batch]:
        weights = np.ones(len(self.X), dtype=np.float32)
        kept = np.ones(len(self.X), dtype=bool)
        if np.isfinite(self.losses).all() and epoch < self.epochs * (
            1 - self.whole_end
        ):
            low = self.losses < self.losses.mean()
            kept[low] = self.rng.random(low.sum()) >= self.pruned
            weights[low] = 1 / (1 - self.pruned)
        for index, _ in self.shuffled(np.flatnonzero(kept)):
            yield index, weights[index]

    def learn(self, index: np.ndarray, losses: np.ndarray) -> None:
        self.losses[index] = losses


class SelectiveBackprop(FullData):
    """Train a record with the probability that its loss ranks at, after a first look.

    After Jiang et al., "Accelerating deep learning by focusing on the biggest losers",
    2019, arXiv:1910.00762: ``P(train) = percentile(loss) ** beta`` among the last 1,024
    losses, here with beta = 2, and batches filled across those looked at.
    """

    beta = 2
    memory = 1024

    def batches(self, epoch: int) -> Iterator[Batch]:
        recent = np.empty(0)
        waiting = np.empty(0, dtype=int)
        for index, _ in super().batches(epoch):
            losses = -np.log(self.confidence(index) + 1e-12)
            recent = np.concatenate([recent, losses])[-self.memory :]
            rank = np.searchsorted(np.sort(recent), losses, side="right") / len(recent)
            taken = self.rng.random(len(index)) < rank**self.beta
            waiting = np.concatenate([waiting, index[taken]])
            while len(waiting) >= self.batch_size:
                batch, waiting = np.split(waiting, [self.batch_size])
                yield batch, np.ones(len(batch), dtype=np.float32)
        if len(waiting):
            yield waiting, np.ones(len(waiting), dtype=np.float32)
