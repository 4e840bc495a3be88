import math

import pytest
import torch

from sk_erts.models import S4D1d
from sk_erts.models._s4d1d import _StateSpaces


@pytest.fixture
def spaces():
    torch.manual_seed(0)
    return _StateSpaces(n_channels=3, n_states=4).double()


def stepped(spaces, u, direction):
    """Return what the states give when they are stepped from sample to sample."""
    step = spaces.log_step.exp()
    a = torch.complex(-spaces.log_decay.exp(), spaces.frequency)
    kept = (step * a).exp()
    taken = (kept - 1) / a
    c = torch.complex(*spaces.weight[:, direction])
    state = torch.zeros_like(a)
    said = []
    for t in range(u.shape[-1]):
        state = kept * state + taken * u[:, t, None]
        said.append(2 * (c * state).sum(dim=-1).real)
    return torch.stack(said, dim=-1)


@pytest.mark.parametrize("n_times", [1, 2, 5, 64])
def test_the_convolution_is_the_recurrence_in_both_directions(spaces, n_times):
    u = torch.randn(3, n_times).double()
    ahead = stepped(spaces, u, direction=0)
    # What comes later, without the step itself, which is counted once.
    back = stepped(spaces, u.flip(-1), direction=1).flip(-1)
    back = torch.cat([back[:, 1:], torch.zeros(3, 1).double()], dim=-1)
    expected = ahead + back + spaces.skip * u
    torch.testing.assert_close(spaces(u[None])[0], expected)


def test_states_begin_as_s4d_lin(spaces):
    assert spaces.log_decay.exp().allclose(torch.tensor(0.5).double())
    expected = math.pi * torch.arange(4).double()
    assert all(own.allclose(expected) for own in spaces.frequency)
    torch.manual_seed(0)
    steps = _StateSpaces(1000, 1).log_step.exp()
    assert 0.001 <= steps.min() < 0.0012
    assert 0.08 < steps.max() <= 0.1


def test_memory_fades_whatever_was_learned(spaces):
    with torch.no_grad():
        spaces.log_decay.normal_()
        spaces.frequency.normal_(std=100)
        spaces.log_step.fill_(math.log(0.1))
    kernels = spaces.kernels(2000)
    assert kernels.isfinite().all()
    assert kernels[..., -100:].abs().max() < 1e-3 * kernels.abs().max()


def test_it_looks_both_ways():
    torch.manual_seed(0)
    network = S4D1d(1, 2, width=4).double().eval()
    x = torch.randn(1, 1, 200).double()
    changed = x.clone()
    changed[..., 100] += 1
    moved = (network.features(changed) - network.features(x)).abs().amax(dim=1)[0]
    seen = moved > 1e-9  # what rounding of Fourier transforms moves is less
    assert seen[:100].double().mean() > 0.9
    assert seen[101:].double().mean() > 0.9


@pytest.mark.parametrize(("stride", "n_steps"), [(1, 1000), (2, 500), (7, 143)])
def test_features_have_a_step_in_each_stride(stride, n_steps):
    network = S4D1d(1, 2, width=4, n_layers=1, stride=stride)
    assert network.features(torch.zeros(2, 1, 1000)).shape == (2, 4, n_steps)
    x = torch.randn(2, 1, 70, requires_grad=True)
    network.eval()(x).sum().backward()
    assert (x.grad != 0).all()  # no time step is left out


def test_records_in_half_precision_are_convolved_in_single(spaces):
    spaces = spaces.float()
    x = torch.randn(4, 3, 300)
    rounded = spaces(x.bfloat16())
    torch.testing.assert_close(rounded.float(), spaces(x), atol=0.05, rtol=0.05)


def test_default_size_is_the_one_documented():
    n = sum(p.numel() for p in S4D1d(n_leads=12, n_classes=5).parameters())
    assert round(n / 1e6, 2) == 0.16
