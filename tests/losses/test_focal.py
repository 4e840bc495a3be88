import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.losses import FocalLoss
from tests.conftest import bumps


def drawn(several, n=6, n_classes=4):
    """Return logits that want a gradient, and labels."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(n, n_classes, generator=generator, dtype=torch.float64)
    if several:
        codes = (torch.rand(n, n_classes, generator=generator) < 0.4).double()
    else:
        codes = torch.randint(n_classes, (n,), generator=generator)
    return logits.requires_grad_(), codes


def by_the_formula(logits, codes, gamma):
    """Return the losses of the paper, in probabilities."""
    if codes.ndim == 1:
        p = logits.softmax(dim=1).gather(1, codes[:, None])[:, 0]
    else:
        p = torch.where(codes > 0, logits.sigmoid(), 1 - logits.sigmoid())
    return -((1 - p) ** gamma) * p.log()


def gradient(losses, logits):
    return torch.autograd.grad(losses.sum(), logits)[0]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("gamma", [0, 0.5, 2, 5])
def test_losses_and_gradients_are_those_of_the_formula(several, gamma):
    logits, codes = drawn(several)
    losses = FocalLoss(gamma, reduction="none")(logits, codes)
    expected = by_the_formula(logits, codes, gamma)
    assert losses.shape == codes.shape
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(gradient(losses, logits), gradient(expected, logits))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_without_gamma_it_is_cross_entropy(several, reduction):
    logits, codes = drawn(several)
    entropy = (nn.BCEWithLogitsLoss if several else nn.CrossEntropyLoss)(
        reduction=reduction
    )
    found = FocalLoss(0, reduction)(logits, codes)
    torch.testing.assert_close(found, entropy(logits, codes))


def test_a_softened_label_has_the_mean_of_both_losses():
    logits, codes = drawn(several=True)
    loss = FocalLoss(reduction="none")
    soft = loss(logits, torch.full_like(codes, 0.3))
    ends = loss(logits, torch.ones_like(codes)), loss(logits, torch.zeros_like(codes))
    torch.testing.assert_close(soft, 0.3 * ends[0] + 0.7 * ends[1])


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("gamma", [0, 0.5, 2])
def test_the_surest_logits_have_finite_gradients(several, gamma):
    logits = torch.tensor([[1e3, -1e3], [-1e3, 1e3]], requires_grad=True)
    codes = torch.tensor([[1.0, 0.0]] * 2) if several else torch.tensor([0, 0])
    losses = FocalLoss(gamma, reduction="none")(logits, codes)
    assert losses.isfinite().all()
    assert losses[0].max() == 0
    assert losses[1].min() >= 1000
    assert gradient(losses, logits).isfinite().all()


@pytest.mark.parametrize("several", [False, True])
def test_a_classifier_trains_with_it(several, small):
    X, codes, _ = bumps(120)
    y = np.eye(3, dtype=int)[codes][:, :2] if several else codes
    clf = ERTSClassifier(**small, criterion=FocalLoss, criterion__gamma=1.0).fit(X, y)
    assert clf.net_.criterion_.gamma == 1
    assert clf.net_.criterion_.reduction == "none"
    assert clf.score(X, y) > 0.6


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"gamma": -1}, "'gamma' parameter of FocalLoss .* at least 0. Got -1"),
        ({"gamma": "a"}, "'gamma' .* Got 'a'"),
        ({"reduction": "average"}, "'reduction' .* 'none', 'mean' or 'sum'"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        FocalLoss(**params)
