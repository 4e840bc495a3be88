import torch

from sk_erts.models import FCN1d


def test_a_step_sees_thirteen_steps_of_the_record():
    torch.manual_seed(0)
    network = FCN1d(1, 2, width=8).eval()
    x = torch.randn(1, 1, 60, requires_grad=True)
    z = network.features(x)
    assert z.shape == (1, 8, 60)
    (gradient,) = torch.autograd.grad(z[..., 30].sum(), x)
    seen = torch.nonzero(gradient[0, 0])[:, 0]
    assert (seen.min(), seen.max()) == (24, 36)


def test_default_size_is_the_one_documented():
    n = sum(p.numel() for p in FCN1d(n_leads=12, n_classes=5).parameters())
    assert 0.27e6 <= n < 0.28e6
