import copy

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts._network.layers import find_layer
from sk_erts.attribution import GradCAM, gradcam, hirescam
from sk_erts.attribution._maps import resample_maps
from sk_erts.models import PooledLinear, ResNet1d

N_CLASSES = 3
X = np.random.default_rng(0).normal(size=(6, 2, 64)).astype(np.float32)


def resnet():
    torch.manual_seed(0)
    return ResNet1d(2, N_CLASSES, width=4, blocks=(1, 1), kernel_size=5)


class Plain(nn.Module):
    """A network that names no parts; with an in-place layer after its last maps."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 5, 5, padding=2)
        self.norm = nn.BatchNorm1d(5)
        self.relu = nn.ReLU(inplace=True)
        self.out = nn.Linear(5, N_CLASSES)

    def forward(self, x):
        z = self.relu(self.norm(self.conv(x)))
        return self.out(z.mean(dim=-1))


class NonlinearHead(nn.Module):
    """``features`` and a ``head`` without a closed form."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(2, 5, 5, padding=2), nn.ReLU())
        self.head = nn.Sequential(
            nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(10, N_CLASSES), nn.Tanh()
        )

    def forward(self, x):
        return self.head(self.features(x))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 5, stride=2, padding=2)
        self.lstm = nn.LSTM(4, 6, batch_first=True)
        self.out = nn.Linear(6, N_CLASSES)

    def forward(self, x):
        z, _ = self.lstm(self.conv(x).transpose(1, 2))
        return self.out(z[:, -1])


def seeded(make):
    def build():
        torch.manual_seed(0)
        return make()

    return build


NETWORKS = {
    "closed form": resnet,
    "features and head": seeded(NonlinearHead),
    "plain": seeded(Plain),
    "recurrent": seeded(Recurrent),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    module = NETWORKS[request.param]().train()
    for part in module.modules():  # statistics that are not those of a new network
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return module


def by_definition(module, layer, target):
    """Grad-CAM with hooks and a whole backward pass, one record at a time."""
    module = copy.deepcopy(module).eval()
    maps = []
    for x in torch.from_numpy(X):
        kept = []

        def keep(_module, _inputs, output, kept=kept):
            kept.append(output.clone())
            return kept[0].clone()  # the next layer may work in place

        hook = module.get_submodule(layer).register_forward_hook(keep)
        with torch.backends.cudnn.flags(enabled=False):
            logits = module(x[None])
        hook.remove()
        (gradient,) = torch.autograd.grad(logits[0, target], kept[0])
        weights = gradient.mean(dim=-1, keepdim=True)
        maps.append((weights * kept[0]).sum(dim=1)[0].detach().numpy())
    return np.stack(maps)


LAYERS = {
    "ResNet1d": "features",
    "NonlinearHead": "features",
    "Plain": "norm",
    "Recurrent": "conv",
}


@pytest.mark.parametrize("target", range(N_CLASSES))
def test_equals_the_definition(network, target):
    layer = LAYERS[type(network).__name__]
    explicit = None if layer == "features" else layer
    maps = gradcam(network, X, target, layer=explicit, signed=True, resample=False)
    expected = by_definition(network, layer, target)
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-6)


def test_closed_form_equals_autograd_to_1e_5():
    closed, other = resnet(), resnet()
    engine = GradCAM(other)
    engine.linear = None  # takes the gradient with respect to the features
    one_hot = torch.eye(N_CLASSES)[[0, 1, 2, 0, 1, 2]]
    logits, maps = GradCAM(closed)(torch.from_numpy(X), lambda _: one_hot)
    logits_2, maps_2 = engine(torch.from_numpy(X), lambda _: one_hot)
    torch.testing.assert_close(logits, logits_2, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(maps, maps_2, rtol=1e-5, atol=1e-6)


def test_equals_captum():
    captum = pytest.importorskip("captum.attr")
    network = resnet().eval()
    layer = captum.LayerGradCam(network, network.features)
    expected = layer.attribute(
        torch.from_numpy(X), target=1, relu_attributions=True
    ).detach()
    maps = gradcam(network, X, 1, resample=False)
    np.testing.assert_allclose(maps, expected[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_maps_do_not_depend_on_the_batch(network, batch_size):
    maps = gradcam(network, X, batch_size=batch_size)
    alone = np.concatenate([gradcam(network, X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_allclose(maps, alone, rtol=1e-4, atol=1e-6)


def test_the_predicted_class_is_the_default(network):
    with torch.no_grad():
        predicted = network.eval()(torch.from_numpy(X)).argmax(dim=1).numpy()
    np.testing.assert_array_equal(gradcam(network, X), gradcam(network, X, predicted))


class TestLeavesTheModelAsFound:
    def check(self, module, look):
        module.train()
        next(module.children()).eval()
        for parameter in module.parameters():
            parameter.grad = torch.ones_like(parameter)
        state = {name: t.clone() for name, t in module.state_dict().items()}
        flags = [part.training for part in module.modules()]
        generator = torch.get_rng_state()
        look()
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, state[name]), name
        assert [part.training for part in module.modules()] == flags
        assert all((p.grad == 1).all() for p in module.parameters())
        assert all(p.requires_grad for p in module.parameters())
        assert torch.equal(torch.get_rng_state(), generator)
        assert torch.is_grad_enabled()
        for part in module.modules():
            assert not part._forward_hooks
            assert not part._forward_pre_hooks
            assert not part._backward_hooks

    def test_after_success(self, network):
        self.check(network, lambda: gradcam(network, X))

    def test_after_an_exception_in_the_network(self, network):
        def fail(*_):
            torch.rand(3)
            raise RuntimeError("in the middle")

        last = list(network.modules())[-1]

        def look():
            hook = last.register_forward_hook(fail)
            with pytest.raises(RuntimeError, match="in the middle"):
                gradcam(network, X)
            hook.remove()

        self.check(network, look)

    def test_with_a_network_that_draws_random_numbers(self):
        class Noisy(Plain):
            def forward(self, x):
                return super().forward(x + 0 * torch.rand_like(x))

        self.check(module := Noisy(), lambda: gradcam(module, X))


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 8, 5, padding=2)
        self.relu = nn.ReLU()
        self.attend = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.out = nn.Linear(8, N_CLASSES)

    def forward(self, x):
        z = self.attend(self.relu(self.conv(x)).transpose(1, 2))
        return self.out(z.mean(dim=1))


def test_does_not_take_channels_for_time():
    assert find_layer(Attentive().eval(), torch.zeros(1, 2, 64)).name == "relu"
    assert gradcam(Attentive(), X, resample=False).shape == (6, 64)


def test_a_head_may_begin_in_place():
    module = NonlinearHead()
    module.features = nn.Conv1d(2, 5, 5, padding=2)
    module.head = nn.Sequential(nn.ReLU(inplace=True), *module.head)
    maps = gradcam(module, X, 1, signed=True, resample=False)
    expected = by_definition(module, "features", 1)
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-6)


def test_finds_the_last_layer_with_a_time_axis():
    assert find_layer(Plain().eval(), torch.zeros(1, 2, 64)).name == "relu"


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(5, N_CLASSES)),
        nn.Sequential(
            nn.AdaptiveAvgPool1d((1,)),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(5, N_CLASSES),
        ),
        PooledLinear(5, N_CLASSES),
    ],
    ids=["sequential", "with dropout", "PooledLinear"],
)
def test_a_pooled_linear_head_has_a_closed_form_however_spelt(head):
    module = NonlinearHead()
    module.head = head
    assert GradCAM(module).linear is not None
    maps = gradcam(module, X, 1, signed=True, resample=False)
    expected = by_definition(module, "features", 1)
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(5, N_CLASSES)),
        nn.Sequential(nn.AdaptiveAvgPool1d(2), nn.Flatten(), nn.Linear(10, N_CLASSES)),
    ],
    ids=["maximum", "two bins"],
)
def test_other_heads_are_differentiated(head):
    module = NonlinearHead()
    module.head = head
    assert GradCAM(module).linear is None


def test_a_map_points_where_the_signal_is():
    # One filter that answers to a pulse, with two strides of two.
    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            layers = [nn.Conv1d(1, 1, 5, stride=2, padding=2, bias=False) for _ in "ab"]
            self.features = nn.Sequential(*layers, nn.ReLU())
            self.head = PooledLinear(1, 1)
            for layer in layers:
                nn.init.constant_(layer.weight, 0.2)
            nn.init.ones_(self.head.linear.weight)

        def forward(self, x):
            return self.head(self.features(x))

    for position in range(20, 181):
        pulse = np.zeros((1, 1, 201), dtype=np.float32)
        pulse[0, 0, position] = 1
        centre = np.average(np.arange(201), weights=gradcam(Detector(), pulse)[0])
        assert abs(centre - position) <= 1


def test_resampling_keeps_the_ends_and_is_linear_between():
    maps = resample_maps(torch.tensor([[0.0, 2.0, 4.0]]), 5)
    assert maps.tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda: gradcam(resnet(), X[0]), r"must have the shape \(n_samples, n_leads"),
        (lambda: gradcam(resnet(), X, 3), r"class index in \[0, 3\). Got \[3\]"),
        (lambda: GradCAM(Plain(), "cnov"), "'cnov' is no submodule of Plain"),
        (lambda: gradcam(Plain(), X, layer="out"), r"Plain.out must return feature"),
        (
            lambda: hirescam(nn.Sequential(nn.Flatten(), nn.Linear(128, 3)), X),
            "No submodule of Sequential returns feature maps",
        ),
    ],
    ids=["2-D", "target", "layer", "no maps", "no time axis"],
)
def test_errors_say_what_to_do(look, message):
    with pytest.raises(ValueError, match=message):
        look()
