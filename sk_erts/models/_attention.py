"""An attention map over time, and the term that pulls it to a record's evidence."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import nn
from torch.nn import functional

from sk_erts._lib.checks import check_number
from sk_erts._network.heads import linear_after_pooling
from sk_erts._network.logits import logits_of
from sk_erts._records.signals import inside
from sk_erts.models._padding import normalise

__all__ = ["Attended", "AttendingNetwork", "Attention", "attention_distance"]


class Attended(NamedTuple):
    """What a training step needs to know of a forward pass beside its logits.

    Attributes
    ----------
    logits : tensor of shape (n, classes)
        One per class.
    attention : tensor of shape (n, steps)
        Attention maps, zero behind each record.
    responses : tensor of shape (n, classes, steps)
        Class activation maps, zero behind each record.
    steps : tensor of shape (n,)
        Steps of each record.
    """

    logits: torch.Tensor
    attention: torch.Tensor
    responses: torch.Tensor
    steps: torch.Tensor


class Attention(nn.Module):
    """Say of each step of feature maps, between 0 and 1, how much it counts.

    Parameters
    ----------
    n_channels : int
        Number of feature maps.
    n_hidden : int
        Channels between the two convolutions.
    """

    def __init__(self, n_channels: int, n_hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(n_channels, n_hidden, 1, bias=False)
        self.norm1 = nn.BatchNorm1d(n_hidden)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv1d(n_hidden, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, z: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        """Map (n, channels, steps) to (n, steps), zero behind each record."""
        mask = None if lengths is None else inside(lengths, z.shape[-1])
        hidden = self.relu(normalise(self.norm1, self.conv1(z), mask))
        score = normalise(self.norm2, self.conv2(hidden), mask)
        attention: torch.Tensor = self.sigmoid(score)[:, 0]  # (n, steps)
        return attention if mask is None else attention * mask


class AttendingNetwork(nn.Module):
    """Networks with an attention map, which a term of the loss pulls to the evidence.

    A member says in `attend` what it makes of records, and has a `head` whose class
    activation maps have a closed form.

    Parameters
    ----------
    attention_weight : float
        Of the term, at least 0.
    """

    def __init__(self, attention_weight: float) -> None:
        super().__init__()
        self.attention_weight = check_number(
            self, "attention_weight", attention_weight, least=0
        )

    def attend(
        self, x: torch.Tensor, lengths: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map records to feature maps, which attention has weighed, and attention.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records.
        lengths : int tensor of shape (n,) or None
            Where each record ends; None is at the end of the tensor.

        Returns
        -------
        z : tensor of shape (n, channels, steps)
            Feature maps, zero behind each record.
        attention : tensor of shape (n, steps)
            Between 0 and 1, and zero behind each record.
        """
        raise NotImplementedError

    def feature_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return how many steps of the feature maps belong to records.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            Time steps of their feature maps.
        """
        raise NotImplementedError

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor | Attended:
        """Map records to logits; in training, to what `penalty` needs as well.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends; what stands behind is not seen. By default all
            records fill the tensor.

        Returns
        -------
        logits : tensor of shape (n, classes), or tuple
            One per class. In training mode, unless `attention_weight` is 0, a named
            tuple of them, the attention maps (n, steps), the class activation maps
            (n, classes, steps) and the steps of each record (n,).
        """
        z, attention = self.attend(x, lengths)
        steps = None if lengths is None else self.feature_lengths(lengths)
        head = cast(nn.Module, self.head)
        logits: torch.Tensor = head(z) if steps is None else head(z, steps)
        if not self.training or self.attention_weight == 0:
            return logits
        linear = cast(nn.Linear, linear_after_pooling(head))
        responses = torch.einsum("ck,nkt->nct", linear.weight, z)
        if steps is None:
            steps = x.new_full((len(x),), z.shape[-1])
        return Attended(logits, attention, responses, steps)

    def features(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map records to the feature maps that the head averages.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends.

        Returns
        -------
        z : tensor of shape (n, channels, steps)
            Weighed by attention, and zero behind each record.
        """
        return self.attend(x, lengths)[0]

    def attention_map(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map records to their attention maps.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, in the unit of the training data.
        lengths : int tensor of shape (n,), optional
            Where each record ends.

        Returns
        -------
        attention : tensor of shape (n, steps)
            Between 0 and 1, with the steps of the feature maps; zero behind each
            record.
        """
        return self.attend(x, lengths)[1]

    def penalty(
        self, output: torch.Tensor | Attended, codes: torch.Tensor
    ) -> torch.Tensor:
        """Return what each record adds to its loss.

        Parameters
        ----------
        output : tensor or tuple
            What the forward pass returned.
        codes : tensor of shape (n,) or (n, labels)
            Class indices, or zeros and ones.

        Returns
        -------
        penalty : tensor of shape (n,)
            `attention_weight` times the distance of the two maps; zero in evaluation
            mode, so that losses in validation are those of the criterion.
        """
        if not isinstance(output, Attended):
            logits: torch.Tensor = logits_of(output)
            return logits.new_zeros(len(codes))
        return self.attention_weight * attention_distance(output, codes)


def attention_distance(output: Attended, codes: torch.Tensor) -> torch.Tensor:
    """Return how far attention is from the mean response to the true labels.

    Parameters
    ----------
    output : Attended
        Of a forward pass.
    codes : tensor of shape (n,) or (n, labels)
        Class indices, or zeros and ones.

    Returns
    -------
    distance : tensor of shape (n,)
        Root of the mean square over the steps of a record, between 0 and 1; zero
        where no true label has a positive response.
    """
    responses = output.responses.detach().clamp(min=0)
    top = responses.amax(dim=2)  # (n, classes)
    if codes.ndim == 1:
        codes = functional.one_hot(codes, top.shape[1])
    # A label with no evidence anywhere has no place that attention could go to.
    counts = codes.to(responses) * (top > 0)
    # Each response has the maximum 1, lest one label's hide those of the others.
    weights = counts / torch.where(top > 0, top, 1)
    n_counted = counts.sum(dim=1)
    reference = torch.einsum("nc,nct->nt", weights, responses)
    reference = reference / n_counted.clamp(min=1)[:, None]
    # Unlike a square root, its gradient is finite where the maps are equal.
    norm = torch.linalg.vector_norm(output.attention - reference, dim=1)
    distance: torch.Tensor = norm / output.steps.sqrt() * (n_counted > 0)
    return distance
