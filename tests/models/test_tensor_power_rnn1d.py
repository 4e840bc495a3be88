import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import TensorPowerLayer, TensorPowerRNN1d


def layer_of(degree, n_inputs=2, hidden=5, rank=4, seed=0):
    torch.manual_seed(seed)
    return TensorPowerLayer(n_inputs, hidden, rank, degree)


@pytest.mark.parametrize("degree", [1.5, 2.0, 3.0, 4.2])
def test_states_are_those_of_the_formula(degree):
    layer = layer_of(degree)
    x = torch.randn(3, 20, 2)
    found, last = layer(x)
    keep = layer.keep.detach().sigmoid().numpy()
    state = np.zeros((3, 5))
    a, b = layer.write.weight.detach().numpy(), layer.read_state.weight.detach().numpy()
    inputs = layer.read_input(x).detach().numpy()
    for t in range(20):
        v = np.tanh(inputs[:, t] + state @ b.T)
        q = np.sign(v) * np.abs(v) ** degree
        state = keep * state + np.sqrt(1 - keep**2) * (q @ a.T)
        np.testing.assert_allclose(found[:, t].detach(), state, rtol=1e-3, atol=1e-4)
    assert torch.equal(found[:, -1], last)


def test_of_a_whole_degree_it_is_a_tensor_times_copies_of_input_and_state():
    layer = layer_of(3.0)
    small = 0.1  # where the hyperbolic tangent is a straight line
    x, state = small * torch.randn(3, 1, 2), small * torch.randn(3, 5)
    with torch.no_grad():
        layer.read_input.bias.mul_(small)
        b = torch.cat([layer.read_input.weight, layer.read_state.weight], dim=1)
        b = torch.cat([b, layer.read_input.bias[:, None]], dim=1)  # (rank, seen)
        keep = layer.keep.sigmoid()
        a = layer.write.weight * (1 - keep**2).sqrt()[:, None]  # (hidden, rank)
        tensor = torch.einsum("ir,rj,rk,rl->ijkl", a, b, b, b)
        u = torch.cat([x[:, 0], state, torch.ones(3, 1)], dim=1)
        expected = torch.einsum("ijkl,nj,nk,nl->ni", tensor, u, u, u)
        _, last = layer(x, state)
    largest = expected.abs().max()
    assert (last - keep * state - expected).abs().max() < 0.1 * largest


@pytest.mark.parametrize("degree", [1.01, 2.0, 8.0])
def test_states_stay_within_their_bound(degree):
    layer = layer_of(degree, hidden=8, rank=8)
    with torch.no_grad():
        layer.write.weight.mul_(5)
        layer.read_state.weight.mul_(20)
    keep = layer.keep.sigmoid()
    bound = ((1 + keep) / (1 - keep)).sqrt() * layer.write.weight.abs().sum(dim=1)
    states, _ = layer(100 * torch.randn(2, 3000, 2))
    assert (states.abs() <= bound).all()


def test_gradients_are_finite_at_zero_and_after_a_thousand_steps():
    layer = layer_of(1.5)
    nn.init.zeros_(layer.read_input.bias)
    x = torch.zeros(2, 1000, 2, requires_grad=True)
    states, _ = layer(x)
    states.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in [x, *layer.parameters()])
    x = torch.randn(2, 1000, 2, requires_grad=True)
    _, last = layer(x)
    last.sum().backward()
    assert torch.isfinite(layer.excess.grad)
    assert layer.excess.grad != 0
    assert x.grad[:, 0].abs().max() > 1e-4  # the first step is not forgotten


def test_it_goes_on_from_a_state():
    layer = layer_of(2.0)
    x = torch.randn(3, 30, 2)
    whole, last = layer(x)
    first, state = layer(x[:, :12])
    second, end = layer(x[:, 12:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(end, last)


def recall_after(length, core, hidden, steps=300):
    """Train to tell one of four symbols after a pause; return the share told."""
    out = nn.Linear(hidden, 4)
    parameters = [*core.parameters(), *out.parameters()]
    optimizer = torch.optim.Adam(parameters, 0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(0)

    def draw(n):
        symbols = torch.randint(4, (n,), generator=generator)
        read = torch.full((n, 1 + length), 4)  # the pause
        read[:, 0] = symbols
        return nn.functional.one_hot(read, 5).float(), symbols

    for _ in range(steps):
        x, symbols = draw(32)
        states, _ = core(x)
        loss = nn.functional.cross_entropy(out(states[:, -1]), symbols)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        x, symbols = draw(256)
        states, _ = core(x)
        assert torch.isfinite(states).all()
        told = (out(states[:, -1]).argmax(dim=1) == symbols).float().mean().item()
    return told, sum(parameter.numel() for parameter in parameters)


def test_it_remembers_for_200_steps_what_a_plain_network_of_its_size_forgets():
    torch.manual_seed(0)
    layer = TensorPowerLayer(5, 14, 14)
    told, size = recall_after(200, layer, 14)
    plain, plain_size = recall_after(200, nn.RNN(5, 20, batch_first=True), 20)
    assert size <= plain_size
    assert layer.degree > 1.5
    assert told > 0.9
    assert plain < 0.6  # 0.25 by chance


def test_learns_synthetic_records_in_a_short_training():
    task = {"n_leads": 2, "duration_s": 3, "classes": ["NORM", "BBB", "PVC"]}
    X, y = make_ecg(200, random_state=0, **task)
    X_test, y_test = make_ecg(100, random_state=1, **task)
    clf = ERTSClassifier(
        "tensor_power_rnn1d",
        module__hidden=16,
        module__rank=16,
        max_epochs=8,
        lr=0.01,
        batch_size=32,
        data_dropout=None,
        focus=None,
        random_state=0,
        verbose=0,
    ).fit(X, y)
    assert clf.score(X_test, y_test) > 0.8  # a third by chance
    assert clf.net_.module_.features[1].recurrence.degree != 2  # it was learned


def test_what_comes_later_is_not_known_before():
    network = TensorPowerRNN1d(1, 2, hidden=4, rank=4).eval()
    x = torch.randn(1, 1, 80)
    changed = x.clone()
    changed[:, :, 60:] += 1
    before, after = network.features(x), network.features(changed)
    assert torch.equal(before[:, :, :13], after[:, :, :13])
    assert not torch.equal(before[:, :, 15:], after[:, :, 15:])


def test_feature_maps_are_zero_behind_a_record():
    network = TensorPowerRNN1d(2, 3, hidden=4, rank=4)
    lengths = torch.tensor([60, 41, 3])
    z = network.features(torch.randn(3, 2, 60), lengths)
    steps = network.feature_lengths(lengths)
    assert steps.tolist() == [15, 11, 1]
    for own, end in zip(z, steps, strict=True):
        assert own[:, end:].abs().sum() == 0
        assert own[:, end - 1].abs().sum() > 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rank": 0}, "'rank' parameter of TensorPowerRNN1d must be .* at least 1"),
        ({"kernel_size": 4}, "'kernel_size' .* must be odd"),
        ({"stride": 11}, "'stride' .* at most 'kernel_size', 9. Got 11"),
        ({"degree": 1.0}, "'degree' parameter of TensorPowerRNN1d must .* above 1"),
    ],
)
def test_wrong_sizes_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        TensorPowerRNN1d(n_leads=1, n_classes=2, **params)
