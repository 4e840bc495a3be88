import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.attribution import GradCAM
from sk_erts.models import AttentionRegularised, LSTM1d, PooledLinear, ResNet1d
from sk_erts.models._attention import Attended
from tests.conftest import bumps

SMALL = {"resnet1d": {"width": 4}, "lstm1d": {"hidden": 4}}


@pytest.mark.parametrize("name", SMALL)
def test_the_head_reads_feature_maps_weighed_by_attention(name):
    network = AttentionRegularised(2, 3, name, SMALL[name]).eval()
    x = torch.randn(4, 2, 100)
    plain = network.backbone.features(x)
    attention = network.attention_map(x)
    weighed = plain * (1 + attention[:, None])
    torch.testing.assert_close(network.features(x), weighed)
    torch.testing.assert_close(network(x), network.backbone.head(weighed))


@pytest.mark.parametrize("name", SMALL)
def test_grad_cam_in_closed_form_is_that_of_autograd(name):
    network = AttentionRegularised(2, 3, name, SMALL[name]).eval()
    cam = GradCAM(network)
    assert cam.linear is network.backbone.head.linear
    x = torch.randn(4, 2, 100)
    z = network.features(x).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network.head(z)[:, 1].sum(), z)
    expected = (z * gradient.mean(dim=2, keepdim=True)).sum(dim=1)
    _, maps = cam(x, lambda logits: torch.eye(3)[1].expand_as(logits))
    torch.testing.assert_close(maps, expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_the_term_of_training_reaches_attention_alone_of_what_is_new(name):
    network = AttentionRegularised(2, 3, name, SMALL[name], attention_weight=2.0)
    output = network(torch.randn(6, 2, 200))
    assert isinstance(output, Attended)
    network.penalty(output, torch.arange(6) % 3).sum().backward()
    assert network.attention.conv1.weight.grad.abs().sum() > 0
    assert network.head.linear.weight.grad is None


def test_padding_is_not_seen():
    network = AttentionRegularised(2, 3, backbone_params={"width": 4})
    network(torch.randn(16, 2, 100) + 3)
    network.eval()
    x = torch.randn(3, 2, 100)
    lengths = torch.tensor([100, 61, 7])
    for record, n, logits in zip(x, lengths, network(x, lengths), strict=True):
        torch.testing.assert_close(network(record[None, :, :n])[0], logits)


def test_saved_weights_hold_no_tensor_twice():
    network = AttentionRegularised(1, 2, backbone_params={"width": 4})
    tensors = network.state_dict().values()
    pointers = [each.data_ptr() for each in tensors if each.numel()]
    assert len(set(pointers)) == len(pointers)


def test_a_class_or_a_function_makes_the_backbone():
    for backbone in (LSTM1d, lambda n_leads, n_classes: LSTM1d(n_leads, n_classes, 4)):
        network = AttentionRegularised(2, 3, backbone)
        assert isinstance(network.backbone, LSTM1d)


def test_a_classifier_trains_it_and_steps_tell_of_its_maps(small):
    X, codes, _ = bumps(120)
    params = {k: v for k, v in small.items() if not k.startswith("module__")}
    clf = ERTSClassifier(
        AttentionRegularised,
        **params,
        module__backbone_params={"width": 8, "blocks": (1, 1)},
        module__attention_weight=0.3,
        focus="top_mass",
        focus_threshold=0.2,
    ).fit(X, codes)
    assert clf.score(X, codes) > 0.6
    assert clf.explain(X[:5]).shape == (5, X.shape[-1])


class NoLengths(nn.Module):
    """A network as others write it."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Conv1d(n_leads, 4, 3, padding=1)
        self.head = PooledLinear(4, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


def test_a_backbone_without_lengths_reads_records_of_one_length():
    network = AttentionRegularised(2, 3, NoLengths).eval()
    x = torch.randn(4, 2, 50)
    assert network(x).shape == (4, 3)
    with pytest.raises(ValueError, match="'backbone' .* 'lengths' .* NoLengths"):
        network(x, torch.tensor([50, 20, 10, 5]))


def test_dropout_is_that_of_the_backbone():
    network = AttentionRegularised(2, 3, LSTM1d, {"hidden": 4}, dropout=0.25)
    assert network.backbone.head.dropout.p == 0.25
    dropping = [p for p in network.modules() if isinstance(p, nn.Dropout)]
    assert dropping == [network.backbone.head.dropout]
    own = AttentionRegularised(2, 3, LSTM1d, {"hidden": 4, "dropout": 0.5})
    assert own.head.dropout.p == 0.5


def test_dropout_that_a_backbone_cannot_have_is_refused():
    with pytest.raises(ValueError, match="'backbone' .* take 'dropout' .* NoLengths"):
        AttentionRegularised(2, 3, NoLengths, dropout=0.1)
    with pytest.raises(ValueError, match=r"'dropout' .* once.* 'backbone_params'"):
        AttentionRegularised(2, 3, backbone_params={"dropout": 0.5}, dropout=0.1)


class OtherHead(ResNet1d):
    """A network whose maps have no closed form."""

    def __init__(self, n_leads, n_classes):
        super().__init__(n_leads, n_classes, width=4)
        self.head = nn.Flatten()


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("resnet2d", "Did you mean 'resnet1d'"),
        (OtherHead, "'backbone' .* averages over time .* Got OtherHead"),
        (lambda n_leads, n_classes: nn.Identity(), "'backbone' .* Got Identity"),
        ("xecgnet", "'backbone' .* without a penalty. Got XECGNet"),
    ],
)
def test_what_has_no_pooled_linear_head_is_refused(backbone, message):
    with pytest.raises(ValueError, match=message):
        AttentionRegularised(1, 2, backbone)
