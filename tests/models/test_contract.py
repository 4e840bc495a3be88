import pytest
import torch
from torch import nn

import sk_erts.models
from sk_erts._network.network import Network
from sk_erts.attribution import GradCAM
from sk_erts.models._registry import MODELS

# Parameters that make a small network.
SMALL = {"lstm1d": {"hidden": 4}, "resnet1d": {"width": 4}}


def test_completeness__every_public_network_is_registered():
    public = {
        value
        for value in vars(sk_erts.models).values()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__name__ != "PooledLinear"
    }
    assert set(MODELS.values()) == public
    assert set(SMALL) == set(MODELS)


@pytest.fixture(params=MODELS)
def make(request):
    """Return a function that makes a small network from its leads and classes."""

    def small(n_leads, n_classes=3):
        return MODELS[request.param](n_leads, n_classes, **SMALL[request.param])

    return small


class TestContract:
    @pytest.mark.parametrize("n_leads", [1, 2, 12, 15])
    @pytest.mark.parametrize("n_times", [1, 2, 17, 250])
    def test_any_number_of_leads_and_times(self, make, n_leads, n_times):
        network = make(n_leads)
        assert network(torch.randn(2, n_leads, n_times)).shape == (2, 3)

    def test_head_of_features_is_forward(self, make):
        network = make(2).eval()
        x = torch.randn(4, 2, 100)
        torch.testing.assert_close(network.head(network.features(x)), network(x))

    def test_no_layer_works_in_place(self, make):
        network = make(2)
        assert not any(getattr(part, "inplace", False) for part in network.modules())
        x = torch.randn(4, 2, 100)
        before = x.clone()
        network(x)
        assert torch.equal(x, before)

    def test_every_parameter_gets_a_gradient(self, make):
        network = make(2)
        network(torch.randn(4, 2, 100)).square().sum().backward()
        assert all(p.grad.abs().sum() > 0 for p in network.parameters())

    def test_grad_cam_has_its_closed_form(self, make):
        network = make(2)
        assert GradCAM(network).linear is network.head.linear

    def test_gradients_in_evaluation_mode_reach_nearly_all_of_a_record(self, make):
        network = make(2)
        network(torch.randn(16, 2, 100))
        x = torch.randn(3, 2, 100, requires_grad=True)
        (gradient,) = torch.autograd.grad(network.eval()(x)[:, 1].sum(), x)
        assert (gradient != 0).float().mean() > 0.9

    def test_integrated_gradients_add_up_to_the_logit(self, make):
        torch.manual_seed(0)
        network = make(2)
        network(torch.randn(16, 2, 100))
        network.eval()
        x = torch.randn(2, 100)
        n_steps = 2000
        path = (torch.arange(n_steps) + 0.5)[:, None, None] / n_steps * x
        path.requires_grad_()
        (gradient,) = torch.autograd.grad(network(path)[:, 1].sum(), path)
        attributions = x * gradient.mean(dim=0)
        with torch.no_grad():
            change = (network(x[None]) - network(torch.zeros(1, 2, 100)))[0, 1]
        torch.testing.assert_close(attributions.sum(), change, rtol=0.01, atol=1e-4)

    def test_zeros_behind_a_record_leave_its_logits_as_they_are(self, make):
        network = make(2)
        assert Network(network).takes_lengths
        network(torch.randn(16, 2, 100) + 3)
        network.eval()
        x = torch.randn(3, 2, 100)
        lengths = torch.tensor([100, 61, 7])
        together = network(x, lengths=lengths)
        for record, n, logits in zip(x, lengths, together, strict=True):
            torch.testing.assert_close(network(record[None, :, :n])[0], logits)
