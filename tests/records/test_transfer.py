"""What goes to a GPU goes from pinned memory, and is not waited for."""

import pytest
import torch

from sk_erts._records.transfer import sent_to


@pytest.fixture
def done(monkeypatch):
    """Note what is asked of tensors: no machine of the tests has a GPU."""
    done = []

    def pin_memory(self):
        done.append("pinned")
        return self

    def to(self, device, **how):
        done.append((str(device), how))
        return self

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin_memory)
    monkeypatch.setattr(torch.Tensor, "to", to)
    return done


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_to_a_gpu(done, device):
    sent_to(torch.ones(2), device)
    assert done == ["pinned", (device, {"non_blocking": True})]


@pytest.mark.parametrize("device", ["cpu", torch.device("meta")])
def test_elsewhere(done, device):
    sent_to(torch.ones(2), device)
    assert done == [(str(device), {})]


def test_what_is_there_stays():
    x = torch.ones(2)
    assert sent_to(x, "cpu") is x
