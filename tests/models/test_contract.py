"""Every registered network: what all of them promise."""

import inspect
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

import sk_erts.models
from sk_erts import ERTSClassifier
from sk_erts._network.network import Network, logits_of
from sk_erts._network.normalisation import renewed_statistics
from sk_erts.attribution import GradCAM, gradcam
from sk_erts.models._registry import MODELS
from tests.conftest import bumps
from tests.models.tiny import TINY, make_tiny

NO_SIZES = [0, -1, 1.5, True, "4", None]
NO_BLOCKS = [(), (0,), (1, -1), (1, 1.5), 3]
NO_DROPOUT = [-0.1, 1, 1.0, float("nan"), True, "0.5", None]
LENGTHS = [100, 61, 7, 1]


def test_completeness__every_public_network_is_registered():
    public = {
        value
        for value in vars(sk_erts.models).values()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and "n_leads" in inspect.signature(value).parameters  # no layer or head
    }
    assert set(MODELS.values()) == public
    assert set(TINY) == set(MODELS)


@pytest.fixture(params=MODELS)
def name(request):
    torch.manual_seed(0)
    return request.param


@pytest.fixture
def network(name):
    """Two leads, three classes, and statistics of a network at work."""
    network = make_tiny(name, 2)
    with renewed_statistics(network):
        network(torch.randn(16, 2, 100) + 3)
    return network


@pytest.fixture
def pooled(network):
    """The network, if it has feature maps."""
    if not Network(network).has_parts:
        pytest.skip("explains itself without")
    return network


class TestContract:
    @pytest.mark.parametrize(
        ("n_leads", "n_times"), [(1, 1), (2, 250), (12, 2), (15, 17)]
    )
    def test_any_number_of_leads_and_times(self, name, n_leads, n_times):
        network = make_tiny(name, n_leads)
        x = torch.randn(2, n_leads, n_times)
        assert logits_of(network(x)).shape == (2, 3)
        assert network.eval()(x[:1]).shape == (1, 3)

    def test_any_number_of_classes(self, name):
        for n_classes in (1, 2, 7):
            network = make_tiny(name, 2, n_classes)
            assert logits_of(network(torch.randn(4, 2, 50))).shape == (4, n_classes)

    def test_a_class_is_told_by_name_what_every_network_takes(self, name):
        first, second, *_ = inspect.signature(MODELS[name]).parameters
        assert (first, second) == ("n_leads", "n_classes")

    def test_sizes_that_are_none_are_named(self, name):
        own = [each for each, value in TINY[name].items() if isinstance(value, int)]
        for parameter in ("n_leads", "n_classes", *own):
            for wrong in NO_SIZES:
                params = {"n_leads": 2, "n_classes": 3, **TINY[name], parameter: wrong}
                message = f"'{parameter}' parameter of .* Got {wrong!r}"
                with pytest.raises(ValueError, match=message):
                    MODELS[name](**params)

    def test_an_even_kernel_is_refused(self, name):
        if "kernel_size" in inspect.signature(MODELS[name]).parameters:
            params = {**TINY[name], "kernel_size": 4}
            with pytest.raises(ValueError, match="'kernel_size' .* be odd, .* Got 4"):
                MODELS[name](2, 3, **params)

    def test_blocks_that_make_no_network_are_refused(self, name):
        if "blocks" in inspect.signature(MODELS[name]).parameters:
            for wrong in NO_BLOCKS:
                message = (
                    f"'blocks' .* at least one stage.* Got {re.escape(repr(wrong))}"
                )
                with pytest.raises(ValueError, match=message):
                    MODELS[name](2, 3, **{**TINY[name], "blocks": wrong})

    def test_there_is_no_dropout_unless_it_is_asked_for(self, name, network):
        def drops(network):
            return any(isinstance(part, _DropoutNd) for part in network.modules())

        last = list(inspect.signature(MODELS[name]).parameters.values())[-1]
        assert (last.name, last.default) == ("dropout", 0.0)
        assert not drops(network)
        asked = make_tiny(name, 2, dropout=0.5)
        assert drops(asked)
        assert asked.state_dict().keys() == network.state_dict().keys()

    def test_dropout_is_known_in_training_alone(self, name, network):
        asked = make_tiny(name, 2, dropout=0.5)
        asked.load_state_dict(network.state_dict())
        x = torch.randn(4, 2, 100)
        assert torch.equal(asked.eval()(x), network.eval()(x))
        first, second = (logits_of(asked.train()(x)) for _ in range(2))
        assert (first != second).any(dim=1).all()  # of each record

    def test_dropout_leaves_grad_cam_its_closed_form(self, name, network):
        asked = make_tiny(name, 2, dropout=0.5)
        asked.load_state_dict(network.state_dict())
        assert isinstance(GradCAM(asked).linear, nn.Linear)
        x = np.random.default_rng(0).normal(size=(4, 2, 100)).astype(np.float32)
        with_dropout = gradcam(asked.train(), x)
        np.testing.assert_array_equal(with_dropout, gradcam(network, x))
        assert with_dropout.any()

    def test_what_is_no_dropout_is_named(self, name):
        for wrong in NO_DROPOUT:
            message = f"'dropout' parameter of {MODELS[name].__name__} .* Got {wrong!r}"
            with pytest.raises(ValueError, match=message):
                make_tiny(name, 2, dropout=wrong)

    def test_head_of_features_is_forward(self, pooled):
        pooled.eval()
        x = torch.randn(4, 2, 100)
        torch.testing.assert_close(pooled.head(pooled.features(x)), pooled(x))

    def test_grad_cam_has_its_closed_form(self, pooled):
        assert isinstance(GradCAM(pooled).linear, nn.Linear)

    def test_no_layer_works_in_place(self, network):
        assert not any(getattr(part, "inplace", False) for part in network.modules())
        x = torch.randn(4, 2, 100)
        before = x.clone()
        network(x)
        assert torch.equal(x, before)

    def test_activations_are_modules_that_are_called_once(self, network):
        """DeepLift and guided backpropagation have rules for no others."""
        calls = []
        for part in network.modules():
            has_no_parameters = next(part.parameters(), None) is None
            if has_no_parameters and not isinstance(part, nn.Identity | nn.Flatten):
                part.register_forward_hook(lambda part, *_: calls.append(part))
        network(torch.randn(4, 2, 100))
        assert len(calls) == len(set(calls))

    def test_every_parameter_gets_a_gradient(self, network):
        x, y = torch.randn(16, 2, 100), torch.arange(16) % 3
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        # Some layers begin with zeros, and let gradients through after a step.
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits_of(network(x)), y).backward()
            optimizer.step()
        without = [
            name
            for name, parameter in network.named_parameters()
            if parameter.grad is None or not parameter.grad.any()
        ]
        assert not without

    def test_gradients_in_evaluation_mode_reach_nearly_all_of_a_record(self, network):
        x = torch.randn(3, 2, 100, requires_grad=True)
        (gradient,) = torch.autograd.grad(network.eval()(x)[:, 1].sum(), x)
        assert (gradient != 0).float().mean() > 0.9

    def test_integrated_gradients_add_up_to_the_logit(self, network):
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

    def test_a_record_gives_the_same_whatever_its_batch(self, network):
        network.eval()
        x = torch.randn(8, 2, 100)
        together = network(x)
        alone = torch.cat([network(record[None]) for record in x])
        torch.testing.assert_close(together, alone)
        torch.testing.assert_close(network(x.flip(0)).flip(0), together)

    def test_what_stands_behind_a_record_leaves_its_logits_as_they_are(self, network):
        assert Network(network).takes_lengths
        network.double().eval()
        x = torch.randn(4, 2, 100).double()
        lengths = torch.tensor(LENGTHS)
        together = network(x, lengths=lengths)
        for record, n, logits in zip(x, lengths, together, strict=True):
            torch.testing.assert_close(network(record[None, :, :n])[0], logits)
        assert together.std(dim=0).min() > 1e-3

    def test_feature_maps_are_zero_behind_a_record(self, pooled):
        pooled.eval()
        x, lengths = torch.randn(4, 2, 100), torch.tensor(LENGTHS)
        z = pooled.features(x, lengths)
        steps = pooled.feature_lengths(lengths)
        for record, n, own, end in zip(x, lengths, z, steps, strict=True):
            assert end == pooled.features(record[None, :, :n]).shape[-1]
            assert not own[:, end:].any()
            assert own[:, end - 1].any()

    def test_padding_has_no_part_in_a_training_step(self, name):
        x = torch.randn(4, 2, 100, generator=torch.Generator().manual_seed(0))
        lengths = torch.tensor(LENGTHS)

        def step(n_padded, behind):
            torch.manual_seed(0)
            network = make_tiny(name, 2)
            padded = torch.full((4, 2, n_padded), behind)
            for record, own, n in zip(padded, x, lengths, strict=True):
                record[:, :n] = own[:, :n]
            logits = logits_of(network(padded, lengths))
            nn.functional.cross_entropy(logits, torch.arange(4) % 3).backward()
            named = network.named_parameters()
            gradients = {each: parameter.grad for each, parameter in named}
            return gradients | dict(network.named_buffers())

        torch.testing.assert_close(step(100, 0.0), step(150, 7.0), atol=1e-4, rtol=1e-4)

    # Of recurrent layers, which hold their weights in a list too.
    @pytest.mark.filterwarnings("ignore:The tensor attributes .*_flat_weights")
    def test_it_can_be_exported_for_batches_of_any_size(self, network):
        network.eval()
        n = torch.export.Dim("n", min=1, max=64)
        with torch.no_grad():
            exported = torch.export.export(
                network, (torch.randn(4, 2, 100),), dynamic_shapes=[{0: n}]
            )
            x = torch.randn(7, 2, 100)
            torch.testing.assert_close(exported.module()(x), network(x))

    def test_the_classifier_trains_it_and_asks_why(self, name):
        X, y, _ = bumps(64)
        clf = ERTSClassifier(
            name,
            **{f"module__{key}": value for key, value in TINY[name].items()},
            max_epochs=2,
            warmup_epochs=(1, 1),
            looks__first_step=0,
            batch_size=32,
            random_state=0,
            verbose=0,
        ).fit(X, y)
        assert np.isfinite(clf.predict_proba(X)).all()
        maps = clf.explain(X[:4], signed=True)
        assert maps.shape == (4, 64)
        assert np.isfinite(maps).all()
        assert maps.any()
        score = clf.focus_score(X, y)
        assert score.shape == (64,)
        assert np.isfinite(score).all()
        assert np.ptp(score) > 0
