"""The pooled linear head."""

import pytest
import torch
from torch import nn

from sk_erts.models import PooledLinear


@pytest.fixture
def head():
    """A head whose logits are the pooled features."""
    head = PooledLinear(50, 50, dropout=0.2)
    nn.init.eye_(head.linear.weight)
    nn.init.zeros_(head.linear.bias)
    return head


def test_dropout_takes_channels_of_the_average(head):
    torch.manual_seed(0)
    z = torch.rand(200, 50, 7) + 1
    mean = z.mean(dim=-1)
    logits = head.train()(z)
    is_left = logits != 0
    torch.testing.assert_close(logits[is_left], mean[is_left] / 0.8)
    assert abs(is_left.float().mean() - 0.8) < 0.02
    assert (is_left != is_left[0]).any(dim=1)[1:].all()  # others of each record
    torch.testing.assert_close(head.eval()(z), mean)


def test_dropout_of_records_of_different_lengths(head):
    z = torch.rand(200, 50, 7) + 1
    z[:, :, 4:] = 0
    logits = head.train()(z, torch.full((200,), 4))
    expected = z[:, :, :4].mean(dim=-1) / 0.8
    torch.testing.assert_close(logits[logits != 0], expected[logits != 0])
    assert 0.7 < (logits != 0).float().mean() < 0.9


@pytest.mark.parametrize("wrong", [-0.1, 1, True, "0.5", None])
def test_what_is_no_dropout_is_named(wrong):
    with pytest.raises(ValueError, match="'dropout' parameter of PooledLinear must"):
        PooledLinear(8, 3, dropout=wrong)
