import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.losses import AsymmetricLoss, FocalLoss
from tests.conftest import bumps
from tests.losses.test_focal import drawn, gradient


def by_the_formula(logits, codes, gamma_positive, gamma_negative, margin):
    """Return the losses of the paper, in probabilities."""
    p = logits.sigmoid()
    p_m = (p - margin).clamp(min=0)
    present = -((1 - p) ** gamma_positive) * p.log()
    absent = -(p_m**gamma_negative) * (1 - p_m).log()
    return torch.where(codes > 0, present, absent)


@pytest.mark.parametrize("rates", [(0, 4, 0.05), (1, 4, 0.05), (0, 1, 0), (2, 0, 0.3)])
def test_losses_and_gradients_are_those_of_the_formula(rates):
    logits, codes = drawn(several=True)
    losses = AsymmetricLoss(*rates, reduction="none")(logits, codes)
    expected = by_the_formula(logits, codes, *rates)
    assert losses.shape == codes.shape
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(gradient(losses, logits), gradient(expected, logits))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_without_rates_and_margin_it_is_binary_cross_entropy(reduction):
    logits, codes = drawn(several=True)
    entropy = nn.BCEWithLogitsLoss(reduction=reduction)
    found = AsymmetricLoss(0, 0, 0, reduction)(logits, codes)
    torch.testing.assert_close(found, entropy(logits, codes))


def test_with_equal_rates_and_no_margin_it_is_focal():
    logits, codes = drawn(several=True)
    found = AsymmetricLoss(1.5, 1.5, 0)(logits, codes)
    torch.testing.assert_close(found, FocalLoss(1.5)(logits, codes))


def test_an_absent_label_costs_nothing_up_to_the_margin():
    logits = torch.tensor([[0.19, 0.21]]).logit().requires_grad_()
    losses = AsymmetricLoss(margin=0.2, reduction="none")(logits, torch.zeros(1, 2))
    assert losses[0, 0] == 0 < losses[0, 1]
    assert gradient(losses, logits)[0].gt(0).tolist() == [False, True]


def test_a_softened_label_has_the_mean_of_both_losses():
    logits, codes = drawn(several=True)
    loss = AsymmetricLoss(reduction="none")
    soft = loss(logits, torch.full_like(codes, 0.3))
    ends = loss(logits, torch.ones_like(codes)), loss(logits, torch.zeros_like(codes))
    torch.testing.assert_close(soft, 0.3 * ends[0] + 0.7 * ends[1])


@pytest.mark.parametrize("rates", [(0, 4, 0.05), (0.5, 0.5, 0.05), (0.5, 0.5, 0)])
def test_the_surest_logits_have_finite_gradients(rates):
    logits = torch.tensor([[1e3, -1e3], [-1e3, 1e3]], requires_grad=True)
    codes = torch.tensor([[1.0, 0.0]] * 2)
    losses = AsymmetricLoss(*rates, reduction="none")(logits, codes)
    assert losses.isfinite().all()
    assert losses[0].tolist() == [0, 0]
    assert gradient(losses, logits).isfinite().all()


def test_a_classifier_trains_with_it(small):
    X, codes, _ = bumps(120)
    y = np.eye(3, dtype=int)[codes][:, :2]
    clf = ERTSClassifier(
        **small, criterion=AsymmetricLoss, criterion__gamma_negative=1.0
    ).fit(X, y)
    assert clf.net_.criterion_.gamma_negative == 1
    assert clf.score(X, y) > 0.6


def test_one_class_per_record_is_refused():
    with pytest.raises(ValueError, match="several labels .* FocalLoss"):
        AsymmetricLoss()(torch.zeros(3, 2), torch.tensor([0, 1, 0]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"gamma_positive": -1}, "'gamma_positive' .* at least 0. Got -1"),
        ({"gamma_negative": None}, "'gamma_negative' parameter of AsymmetricLoss"),
        ({"margin": 1}, "'margin' .* below 1"),
        ({"reduction": "mea"}, "Did you mean 'mean'"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        AsymmetricLoss(**params)
