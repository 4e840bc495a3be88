"""What pairs cost: records and reports that should find each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sk_erts._lib.typing import IntArray
from sk_erts.pretraining._gaussians import (
    Gaussians,
    divergence,
    mismatch,
    similarity,
    spread,
)
from sk_erts.pretraining._text_encoders import TextEncoder

__all__ = ["Bank", "PairLoss", "SignalDecoder", "Weights"]

FIRST_SCALE, LARGEST_SCALE = 10.0, 100.0


@dataclass(frozen=True)
class Weights:
    """What the parts of the loss weigh beside finding each other.

    Attributes
    ----------
    views : float
        Two views of one record, or report, and what their variances say of them.
    masked_signal, masked_words : float
        Guessing what was left out.
    divergence : float
        Keeping variances from collapsing.
    """

    views: float
    masked_signal: float
    masked_words: float
    divergence: float

    @property
    def ask_second_view(self) -> bool:
        """Whether a record, or a report, has to be seen twice."""
        return max(self.views, self.masked_signal, self.masked_words) > 0


@dataclass(frozen=True)
class Bank:
    """All reports of a training, as they are encoded now.

    Attributes
    ----------
    reports : Gaussians
        The different ones.
    counts : tensor of shape (n_texts,)
        Pairs that have each of them.
    batch_size : int
        Pairs of a training step, among which a record has to find its report.
    """

    reports: Gaussians
    counts: torch.Tensor
    batch_size: int


class SignalDecoder(nn.Module):
    """Guess the signal around each step of feature maps.

    Parameters
    ----------
    n_channels, n_leads : int
        Of feature maps, and of records.
    n_samples : int
        Time steps of a record for one of its feature maps.
    """

    def __init__(self, n_channels: int, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.n_leads, self.n_samples = n_leads, n_samples
        self.guess = nn.Conv1d(n_channels, n_leads * n_samples, 1)

    def forward(self, z: torch.Tensor, n_times: int) -> torch.Tensor:
        """Return signals (n, n_leads, up to n_times) for maps (n, channels, steps)."""
        guessed = self.guess(z).unflatten(1, (self.n_leads, self.n_samples))
        signals: torch.Tensor = guessed.transpose(2, 3).flatten(2)[..., :n_times]
        return signals


class PairLoss(nn.Module):
    r"""The loss of each pair in a batch, in which records and reports find each other.

    Half of it is the negative logarithm of the probability that the record finds its
    report among those of the batch, half that the report finds its record: softmax of
    the similarity times a scale that is learned. Reports of the same words are one.

    Parameters
    ----------
    text : TextEncoder
        Encodes the reports.
    distance : str
        See `similarity`.
    weights : Weights
        Of the other parts.
    decoder : SignalDecoder, optional
        Guesses signals that were left out.

    Attributes
    ----------
    prepared : object
        The reports of the training while it goes on, else None: what is trained holds
        none.
    told : tensor of shape (n, 2)
        Of the last batch: with which probability records find their reports, and how
        far the pairs fit.
    """

    told: torch.Tensor

    def __init__(
        self,
        text: TextEncoder,
        distance: str,
        weights: Weights,
        decoder: SignalDecoder | None = None,
    ) -> None:
        super().__init__()
        self.text = text
        self.distance = distance
        self.weights = weights
        self.decoder = decoder
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))
        self.prepared: Any = None

    @property
    def scale(self) -> torch.Tensor:
        """By which similarities are multiplied."""
        return self.log_scale.exp().clamp(max=LARGEST_SCALE)

    def forward(self, outputs: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the loss of each pair.

        Parameters
        ----------
        outputs : tensor of shape (n, 2 n_dims)
            Of the network, for the records.
        codes : int tensor of shape (n,)
            Which report each has.

        Returns
        -------
        losses : tensor of shape (n,)
            In nats.
        """
        records = Gaussians.of(outputs)
        distinct, own, counts = torch.unique(
            codes, return_inverse=True, return_counts=True
        )
        reports = Gaussians.of(self.text.encode(self.prepared, _rows(distinct)))
        near = self.scale * similarity(records, reports, self.distance)
        pairs = torch.arange(len(own), device=own.device)
        finds_report = (near + counts.log()).log_softmax(dim=1)[pairs, own]
        finds_record = near.log_softmax(dim=0)[pairs, own] + counts[own].log()
        losses: torch.Tensor = -0.5 * (finds_report + finds_record)
        if self.weights.divergence:
            of_reports = divergence(reports)[own]
            losses = losses + self.weights.divergence * 0.5 * (
                divergence(records) + of_reports
            )
        self._seen = records, reports, own, distinct
        self.told = _told(finds_report, records, reports.take(own))
        return losses

    def second_views(
        self,
        outputs: torch.Tensor,
        z: torch.Tensor,
        x: torch.Tensor,
        left: torch.Tensor,
    ) -> torch.Tensor:
        """Return what another look at the batch of the last `forward` costs.

        Parameters
        ----------
        outputs : tensor of shape (n, 2 n_dims)
            Of the network, for the records without what was left out of them.
        z : tensor of shape (n, n_channels, n_steps)
            Its feature maps.
        x : tensor of shape (n, n_leads, n_times)
            The records.
        left : bool tensor of shape (n, n_times)
            What was left out.

        Returns
        -------
        loss : tensor of shape ()
            Of the whole batch.
        """
        weights = self.weights
        records, reports, own, distinct = self._seen
        said, words = self.text.second_view(self.prepared, _rows(distinct))
        views = spread(records, Gaussians.of(outputs)).mean()
        views = views + spread(reports, Gaussians.of(said))[own].mean()
        loss = weights.views * 0.5 * views + weights.masked_words * words
        if self.decoder is not None and weights.masked_signal:
            guessed = self.decoder(z, x.shape[-1])
            there = left[:, None, : guessed.shape[-1]].to(x)
            x = x[..., : guessed.shape[-1]]
            off = ((guessed - x).square() * there).sum(dim=(1, 2))
            all_of_it = (x.square() * there).sum(dim=(1, 2))
            # A lead that is nearly flat must not outweigh all others.
            loss = loss + weights.masked_signal * (off / (all_of_it + 1e-3)).mean()
        return loss

    def told_of(
        self, outputs: torch.Tensor, codes: torch.Tensor, bank: Bank
    ) -> torch.Tensor:
        """Return what a look at records tells, over all batches that they could be in.

        Parameters
        ----------
        outputs : tensor of shape (n, 2 n_dims)
            Of the network.
        codes : int tensor of shape (n,)
            Which report each has.
        bank : Bank
            All reports.

        Returns
        -------
        told : tensor of shape (n, 2)
            As that of a batch; the other reports of a batch count by how often they
            are in one.
        """
        records = Gaussians.of(outputs)
        near = self.scale * similarity(records, bank.reports, self.distance)
        n_pairs = int(bank.counts.sum())
        share = (min(bank.batch_size, n_pairs) - 1) / max(n_pairs - 1, 1)
        expected = (share * bank.counts).expand(len(codes), -1).clone()
        pairs = torch.arange(len(codes), device=codes.device)
        expected[pairs, codes] += 1 - share
        finds = (near + expected.log()).log_softmax(dim=1)[pairs, codes]
        return _told(finds, records, bank.reports.take(codes))


def _told(finds: torch.Tensor, records: Gaussians, reports: Gaussians) -> torch.Tensor:
    fit = torch.exp(-0.5 * mismatch(records, reports))
    return torch.stack([finds.exp(), fit], dim=1).detach()


def _rows(codes: torch.Tensor) -> IntArray:
    rows: IntArray = codes.cpu().numpy()
    return rows
