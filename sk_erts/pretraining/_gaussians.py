"""Records and reports as distributions, and how near two of them are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

__all__ = ["DISTANCES", "Gaussians", "divergence", "mismatch", "similarity", "spread"]

DISTANCES = ("cosine", "expected_likelihood", "wasserstein")
# Of the logarithm of a variance, around that of a point on the unit sphere.
MOST_OFF = 4.0
# Reports that records are compared with at a time: each pair has n_dims numbers.
N_AT_ONCE = 256


@dataclass(frozen=True)
class Gaussians:
    """Diagonal Gaussians whose means have length 1.

    Attributes
    ----------
    mean : tensor of shape (n, n_dims)
        Rows of length 1.
    log_var : tensor of shape (n, n_dims)
        Logarithms of the variances, within `MOST_OFF` of ``-log(n_dims)``: that is
        what the coordinates of a point on the sphere vary by.
    """

    mean: torch.Tensor
    log_var: torch.Tensor

    @classmethod
    def of(cls, outputs: torch.Tensor) -> Gaussians:
        """Read a network's outputs (n, 2 n_dims) as distributions."""
        mean, free = outputs.float().chunk(2, dim=1)
        off = MOST_OFF * torch.tanh(free / MOST_OFF)
        return cls(functional.normalize(mean, dim=1), off - math.log(mean.shape[1]))

    @property
    def n_dims(self) -> int:
        """Number of dimensions."""
        return self.mean.shape[1]

    @property
    def var(self) -> torch.Tensor:
        """The variances (n, n_dims)."""
        return self.log_var.exp()

    def take(self, index: torch.Tensor | slice) -> Gaussians:
        """Return some of them."""
        return Gaussians(self.mean[index], self.log_var[index])

    def detached(self) -> Gaussians:
        """Return them without a gradient."""
        return Gaussians(self.mean.detach(), self.log_var.detach())


def similarity(
    records: Gaussians, reports: Gaussians, distance: str, *, paired: bool = False
) -> torch.Tensor:
    r"""Return how near distributions are.

    Parameters
    ----------
    records, reports : Gaussians
        n and m of them.
    distance : {"cosine", "expected_likelihood", "wasserstein"}
        By the means alone, minus half of the squared 2-Wasserstein distance
        :math:`|\mu - \mu'|^2 + |\sigma - \sigma'|^2`, or the logarithm of the
        expected likelihood :math:`\int p\,q`, for each dimension and up to a constant.
    paired : bool, default=False
        Whether the first is compared with the first, and so on.

    Returns
    -------
    similarity : tensor of shape (n, m), or (n,) if `paired`
        The greatest is the nearest.

    Examples
    --------
    What is nowhere sure is near to nothing by the expected likelihood, as it is to
    nothing that is sure by the Wasserstein distance:

    >>> import torch
    >>> from sk_erts.pretraining._gaussians import Gaussians, similarity
    >>> mean = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> log_var = torch.tensor([[-4.0, -4.0], [0.0, 0.0]])
    >>> sure = Gaussians(mean[:1], log_var[:1])
    >>> both = Gaussians(mean, log_var)
    >>> for name in ("cosine", "expected_likelihood", "wasserstein"):
    ...     print(name, similarity(sure, both, name).argmax().item())
    cosine 0
    expected_likelihood 0
    wasserstein 0
    """
    if distance == "cosine":
        return _product(records.mean, reports.mean, paired=paired)
    if distance == "wasserstein":
        deviation, other = (0.5 * part.log_var for part in (records, reports))
        deviation, other = deviation.exp(), other.exp()
        squares = deviation.square().sum(1), other.square().sum(1)
        first, second = squares if paired else (squares[0][:, None], squares[1])
        apart = first + second - 2 * _product(deviation, other, paired=paired)
        return _product(records.mean, reports.mean, paired=paired) - 0.5 * apart
    if paired:
        return _log_likelihood(records.mean, records.var, reports)
    mean, var = records.mean[:, None], records.var[:, None]
    n_reports = len(reports.mean)
    pieces = [
        slice(start, start + N_AT_ONCE) for start in range(0, n_reports, N_AT_ONCE)
    ]
    parts = [_log_likelihood(mean, var, reports.take(piece)) for piece in pieces]
    return torch.cat(parts, dim=1)


def mismatch(records: Gaussians, reports: Gaussians) -> torch.Tensor:
    r"""Return how far pairs are apart, measured by their own variances.

    Parameters
    ----------
    records, reports : Gaussians
        n of each.

    Returns
    -------
    mismatch : tensor of shape (n,)
        The mean over the dimensions of :math:`(\mu - \mu')^2 / (\sigma^2 +
        \sigma'^2)`: about 1 where a pair is as far apart as its variances say.
    """
    off = (records.mean - reports.mean).square() / (records.var + reports.var)
    return off.mean(dim=1)


def spread(views: Gaussians, others: Gaussians) -> torch.Tensor:
    r"""Return the loss (n,) of two views of one thing, which variances must explain.

    The negative logarithm of their expected likelihood, for each dimension.
    """
    return -similarity(views, others, "expected_likelihood", paired=True)


def divergence(parts: Gaussians) -> torch.Tensor:
    r"""Return the Kullback-Leibler divergence (n,) from what is spread over the sphere.

    From :math:`N(0, I / d)`, for each dimension; :math:`d` is `n_dims`. The means have
    length 1, so that it is the variances which it keeps from collapsing.
    """
    relative = parts.log_var + math.log(parts.n_dims)
    of_mean = parts.mean.square() * parts.n_dims
    return 0.5 * (relative.exp() + of_mean - 1 - relative).mean(dim=1)


def _log_likelihood(
    mean: torch.Tensor, var: torch.Tensor, others: Gaussians
) -> torch.Tensor:
    joint = var + others.var
    off = (mean - others.mean).square() / joint
    # The logarithm of n_dims makes it a number around 0, whatever n_dims is.
    return -0.5 * (off + joint.log() + math.log(others.n_dims)).mean(dim=-1)


def _product(a: torch.Tensor, b: torch.Tensor, *, paired: bool) -> torch.Tensor:
    return (a * b).sum(dim=1) if paired else a @ b.T
