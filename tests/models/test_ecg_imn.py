import numpy as np
import pytest
import torch

from sk_erts import ERTSClassifier
from sk_erts.attribution import GradCAM
from sk_erts.datasets import make_ecg
from sk_erts.models import ECGIMN
from sk_erts.models._ecg_imn import LOW, roughness


@pytest.fixture
def network():
    """Statistics of normalisation are those of some records, as after a training."""
    torch.manual_seed(0)
    network = ECGIMN(3, 4, width=2, smoothness=0.5)
    network(torch.randn(16, 3, 101))
    return network.eval()


@pytest.mark.parametrize("n_times", [1, 2, 3, 98, 101])
def test_map_and_bias_are_the_logit(network, n_times):
    x = torch.randn(5, 3, n_times)
    parts = network.contributions(x)
    assert parts.shape == (5, 4, 3, n_times)
    torch.testing.assert_close(parts, network.weights(x) * x[:, None])
    total = parts.sum(dim=(2, 3)) + network.bias(x)
    torch.testing.assert_close(total, network(x), rtol=1e-4, atol=1e-6)


def test_intrinsic_map_and_bias_are_what_a_trained_classifier_says():
    X, y = make_ecg(60, 2, duration_s=3, classes=["NORM", "BBB"], random_state=0)
    clf = ERTSClassifier(
        "ecg_imn",
        module__width=2,
        max_epochs=2,
        warmup_epochs=(1, 1),
        batch_size=16,
        random_state=0,
        verbose=0,
    ).fit(X, y)
    network = clf.net_.module_.eval()
    maps = [clf.explain(X, "intrinsic", target=c, signed=True) for c in clf.classes_]
    x = torch.from_numpy(X)
    with torch.no_grad():
        logits, bias = network(x).numpy(), network.bias(x).numpy()
    total = np.stack([own.sum(axis=(1, 2)) for own in maps], axis=1) + bias
    np.testing.assert_allclose(total, logits, rtol=1e-4, atol=1e-5)
    # The map over leads and time is no constant times the record.
    shares = maps[0] / np.where(X == 0, 1, X)
    assert shares.std(axis=(1, 2)).min() > 0


def test_records_of_different_lengths_have_the_maps_that_they_have_alone(network):
    lengths = torch.tensor([101, 50, 47, 1])
    x = torch.randn(4, 3, 101) + 3
    parts, bias = network.contributions(x, lengths), network.bias(x, lengths)
    for record, n, own, own_bias in zip(x, lengths, parts, bias, strict=True):
        alone = record[None, :, :n]
        torch.testing.assert_close(own[..., :n], network.contributions(alone)[0])
        torch.testing.assert_close(own_bias, network.bias(alone)[0])
        assert own[..., n:].abs().sum() == 0


def test_padding_has_no_part_in_a_training_step():
    x = torch.randn(3, 2, 64, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([64, 41, 9])

    def step(n_padded, behind):
        torch.manual_seed(0)
        network = ECGIMN(2, 3, width=2, smoothness=1.0)
        padded = torch.full((3, 2, n_padded), behind)
        padded[:, :, :64] = x
        for record, n in zip(padded, lengths, strict=True):
            record[:, n:] = behind
        output = network(padded, lengths)
        loss = output.logits.square().sum() + network.penalty(output, lengths).sum()
        loss.backward()
        return [*(p.grad for p in network.parameters()), *network.buffers()]

    for short, long in zip(step(64, 0.0), step(101, 7.0), strict=True):
        torch.testing.assert_close(short, long)


def test_grad_cam_is_the_map_over_time_and_what_the_bias_is_made_of(network):
    x = torch.randn(4, 3, 60)
    weight = network.head.linear.weight
    assert GradCAM(network).linear is network.head.linear
    found = torch.einsum("ck,nkt->nct", weight, network.features(x)) / 60
    _, latent = network.features.write(x, None)
    of_bias = torch.einsum("ck,nkt->nct", weight[:, 2:], latent) / 60
    parts = network.contributions(x).sum(dim=2)  # (n, classes, times)
    torch.testing.assert_close(found, parts + of_bias)
    bias = of_bias.sum(dim=2) + network.head.linear.bias
    torch.testing.assert_close(bias, network.bias(x))


def test_latent_maps_have_each_lead_and_a_quarter_of_the_time():
    network = ECGIMN(3, 4, width=2)
    seen = []
    network.features.pool3.register_forward_hook(lambda *args: seen.append(args[2]))
    network(torch.zeros(2, 3, 101))
    assert [z.shape for z in seen] == [(2, 8, 3, 26)]


def test_nothing_that_is_pooled_is_below_what_stands_behind_a_record():
    values = torch.nn.functional.gelu(torch.linspace(-10, 0, 10001))
    assert values.min() > LOW


def test_weights_depend_on_the_record(network):
    x = torch.randn(2, 3, 60)
    first, second = network.weights(x)
    assert not torch.allclose(first, second, rtol=0.1)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (torch.ones(1, 2, 3, 400), 0.0),
        (torch.tensor([1.0, -1.0]).repeat(200).expand(1, 2, 3, 400), 4.0),
        (torch.randn(1, 2, 3, 40000, generator=torch.Generator().manual_seed(0)), 2.0),
        (torch.zeros(1, 2, 3, 400), 0.0),
    ],
)
def test_roughness(weights, expected):
    for scale in (1e-3, 1.0, 1e3):
        found = roughness(weights * scale, None)
        torch.testing.assert_close(found, torch.tensor([expected]), rtol=0.02, atol=0.1)


def test_smoothness_makes_weights_smoother_in_training():
    x = torch.randn(32, 2, 64, generator=torch.Generator().manual_seed(0))
    codes = torch.arange(32) % 2
    found = {}
    for smoothness in (0.0, 3.0):
        torch.manual_seed(0)
        network = ECGIMN(2, 2, width=2, smoothness=smoothness)
        optimizer = torch.optim.Adam(network.parameters(), 0.01)
        for _ in range(20):
            output = network(x)
            logits = output if smoothness == 0 else output.logits
            loss = torch.nn.functional.cross_entropy(logits, codes)
            (loss + network.penalty(output, codes).mean()).backward()
            optimizer.step()
            optimizer.zero_grad()
        found[smoothness] = roughness(network.weights(x), None).mean().item()
    assert found[3.0] < 0.5 * found[0.0]


def test_in_evaluation_mode_there_are_logits_alone(network):
    x = torch.randn(2, 3, 60)
    assert isinstance(network(x), torch.Tensor)
    assert network.penalty(network(x), torch.zeros(2)).tolist() == [0, 0]
    output = network.train()(x)
    expected = network.smoothness * output.roughness
    torch.testing.assert_close(network.penalty(output, torch.zeros(2)), expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"width": 0}, "'width' parameter of ECGIMN must be .* at least 1. Got 0"),
        ({"kernel_size": 4}, "'kernel_size' .* must be odd"),
        ({"smoothness": -1}, "'smoothness' .* at least 0"),
    ],
)
def test_wrong_sizes_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        ECGIMN(n_leads=1, n_classes=2, **params)
