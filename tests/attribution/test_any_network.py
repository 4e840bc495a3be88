"""Explanations by default of networks whose maps are not (n, channels, times)."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._network.layers import find_layer
from sk_erts.attribution import GradCAM, gradcam, gradcam_plus_plus, hirescam
from sk_erts.exceptions import ExplanationWarning

N_LEADS, N_TIMES = 3, 160
PLACES = (40, 77, 120)


def bump(at, n_times=N_TIMES):
    """Return a record whose leads have a bump of 9 samples."""
    x = np.zeros((1, N_LEADS, n_times), dtype=np.float32)
    x[:, :, at - 4 : at + 5] = np.hanning(11)[1:-1]
    return x


def noise(n=4, n_times=N_TIMES):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, N_LEADS, n_times)).astype(np.float32)


def averaging(module):
    """Give all layers weights that average, so that a bump is a bump everywhere."""
    for part in module.modules():
        if hasattr(part, "weight") and part.weight.ndim > 1:
            nn.init.constant_(part.weight, 1 / part.weight[0].numel())
            nn.init.zeros_(part.bias)
    return module


class TimeLast(nn.Module):
    """As EEGNet: over time, over leads, and no padding."""

    def __init__(self, n_times=N_TIMES):
        super().__init__()
        self.over_time = nn.Conv2d(1, 2, (1, 25))
        self.over_leads = nn.Conv2d(2, 4, (N_LEADS, 1))
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ELU()
        self.pool = nn.AvgPool2d((1, 4))
        self.out = nn.Linear(4 * ((n_times - 24) // 4), 2)

    def forward(self, x):
        z = self.norm(self.over_leads(self.over_time(x[:, None])))
        return self.out(self.pool(self.act(z)).flatten(1))


class TimeSecond(nn.Module):
    """As ShallowFBCSPNet: (n, channels, times, leads)."""

    def __init__(self):
        super().__init__()
        self.over_time = nn.Conv2d(1, 2, (25, 1))
        self.over_leads = nn.Conv2d(2, 4, (1, N_LEADS))
        self.pool = nn.AvgPool2d((12, 1), stride=(4, 1))
        self.out = nn.Conv2d(4, 2, (32, 1))

    def forward(self, x):
        z = self.over_leads(self.over_time(x.transpose(1, 2)[:, None]))
        return self.out(self.pool(z.square()))[..., 0, 0]


class LeadsApart(nn.Module):
    """Maps (n, channels, leads, times): the height is not 1."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, (1, 9), padding=(0, 4))
        self.out = nn.Linear(4 * N_LEADS, 2)

    def forward(self, x):
        z = self.conv(x[:, None]).relu()
        return self.out(z.amax(dim=-1).flatten(1)).tanh()


class Windows(nn.Module):
    """As ATCNet: behind 2-D maps each window of them has convolutions of its own."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, (N_LEADS, 9), padding=(0, 4))
        self.windows = nn.ModuleList(nn.Conv1d(4, 4, 3, padding=1) for _ in "abc")
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        z = self.conv(x[:, None])[:, :, 0]
        parts = z.split([40, 40, N_TIMES - 80], dim=-1)
        seen = [own(part).mean(-1) for own, part in zip(self.windows, parts)]  # noqa: B905
        return self.out(sum(seen))


class Attention(nn.Module):
    """As EEGConformer: a transformer behind 2-D convolutions."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, (N_LEADS, 9), stride=(1, 4), padding=(0, 4))
        self.attend = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        z = self.conv(x[:, None])[:, :, 0].transpose(1, 2)
        return self.out(self.attend(z).mean(dim=1))


class Sequence(nn.Module):
    """A recurrent layer alone, whose logits read its sequence or its last states."""

    def __init__(self, make=nn.LSTM, batch_first=True, reads="mean", **params):
        super().__init__()
        self.rnn = make(N_LEADS, 4, batch_first=batch_first, **params)
        self.reads = reads
        n_hidden = 8 if params.get("bidirectional") else 4
        self.out = nn.Linear(n_hidden, 2)

    def forward(self, x):
        axes = (0, 2, 1) if self.rnn.batch_first else (2, 0, 1)
        z, states = self.rnn(x.permute(axes))
        if self.reads == "mean":
            return self.out(z.mean(dim=1 if self.rnn.batch_first else 0))
        hidden = states[0] if isinstance(states, tuple) else states
        last = hidden[-2:] if self.rnn.bidirectional else hidden[-1:]
        return self.out(torch.cat(list(last), dim=1))


class LeadsAsSteps(Sequence):
    """A recurrence that reads one lead after another: it knows no time."""

    def __init__(self):
        nn.Module.__init__(self)
        self.rnn = nn.LSTM(N_TIMES, 4, batch_first=True)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


def perceptron():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(N_LEADS * N_TIMES, 8), nn.Tanh(), nn.Linear(8, 2)
    )


NETWORKS = {
    "time last": (TimeLast, "layer 'pool'"),
    "time second": (TimeSecond, "layer 'pool'"),
    "leads apart": (LeadsApart, "layer 'conv'"),
    "windows": (Windows, "layer 'conv'"),
    "attention": (Attention, "layer 'conv'"),
    "lstm": (Sequence, "hidden sequence of its layer 'rnn'"),
    "time first": (
        lambda: Sequence(nn.GRU, batch_first=False),
        "hidden sequence of its layer 'rnn'",
    ),
    "last state": (
        lambda: Sequence(nn.LSTM, reads="state", num_layers=2, bidirectional=True),
        "hidden sequence of its layer 'rnn'",
    ),
    "leads as steps": (LeadsAsSteps, "gradient times the record"),
    "perceptron": (perceptron, "gradient times the record"),
}


@pytest.fixture(params=NETWORKS)
def case(request):
    make, told = NETWORKS[request.param]
    torch.manual_seed(0)
    return make().eval(), told


def test_it_is_explained_and_said_once_what(case):
    network, told = case
    X = noise()
    with pytest.warns(ExplanationWarning, match=told) as said:
        maps = gradcam(network, X, batch_size=2, signed=True)
    assert len(said) == 1
    assert "'cam_layer'" in str(said[0].message)
    assert "'method'" in str(said[0].message)
    assert maps.shape == (4, N_TIMES)
    assert np.abs(maps).max() > 0


def test_its_logits_are_those_of_the_forward_pass(case):
    network, told = case
    if "record" in told:
        pytest.skip("no layer is explained")
    x = torch.from_numpy(noise())
    logits, maps = GradCAM(network)(x, torch.ones_like)
    with torch.no_grad():
        torch.testing.assert_close(logits, network(x))
    assert len(maps) == len(x)


def test_a_named_layer_is_no_surprise():
    torch.manual_seed(0)
    for network, layer in ((TimeSecond(), "over_leads"), (Sequence(), "rnn")):
        maps = gradcam(network, noise(), layer=layer)
        assert maps.shape == (4, N_TIMES)


@pytest.mark.filterwarnings("ignore::sk_erts.exceptions.ExplanationWarning")
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("make", [TimeLast, TimeSecond, LeadsApart, Windows, Attention])
def test_maps_of_leads_and_time_point_to_the_evidence(make, at):
    torch.manual_seed(0)
    network = averaging(make()) if make is not Attention else make()
    # Attention does not average: the part of the map that the bump makes.
    maps = gradcam(network, bump(at), 0, signed=True)
    if make is Attention:
        maps = np.abs(maps - np.median(maps))
    # A wide average sees the bump as well from several places.
    highest = np.flatnonzero(maps[0] > 0.999 * maps[0].max())
    assert abs(highest.mean() - at) <= 5
    assert np.ptp(highest) <= 25


@pytest.mark.filterwarnings("ignore::sk_erts.exceptions.ExplanationWarning")
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("reads", ["mean", "state"])
def test_hidden_sequences_point_to_the_evidence(batch_first, reads, at):
    network = averaging(Sequence(nn.RNN, batch_first, reads, nonlinearity="relu"))
    nn.init.constant_(network.rnn.weight_ih_l0, 1.0)
    nn.init.constant_(network.rnn.weight_hh_l0, 0.0)  # no memory
    nn.init.zeros_(network.rnn.bias_ih_l0)
    nn.init.zeros_(network.rnn.bias_hh_l0)
    nn.init.constant_(network.out.weight, 1.0)
    x = bump(at)
    x[:, :, -1] += 0.1  # a last state that is not at rest
    maps = gradcam(network, x, 0)
    assert abs(int(maps[0].argmax()) - at) <= 1


@pytest.mark.filterwarnings("ignore::sk_erts.exceptions.ExplanationWarning")
@pytest.mark.parametrize("method", ["gradcam", "hirescam", "gradcam_plus_plus"])
def test_two_axes_are_summed_and_averaged_over(method):
    torch.manual_seed(0)
    network = LeadsApart().eval()
    x = torch.from_numpy(noise())
    z = network.conv(x[:, None]).detach().requires_grad_()
    logits = network.out(z.relu().amax(dim=-1).flatten(1)).tanh()
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), z)
    if method == "gradcam":
        weights = gradient.mean(dim=(2, 3), keepdim=True)
    elif method == "hirescam":
        weights = gradient
    else:
        over_all = z.sum(dim=(2, 3), keepdim=True)
        below = 2 * gradient**2 + over_all * gradient**3
        alpha = gradient**2 / torch.where(below == 0, 1, below)
        weights = (alpha * gradient.clamp(min=0)).sum(dim=(2, 3), keepdim=True)
    expected = (weights * z).sum(dim=(1, 2)).detach()
    explain = {
        "gradcam": gradcam,
        "hirescam": hirescam,
        "gradcam_plus_plus": gradcam_plus_plus,
    }[method]
    maps = explain(network, noise(), 1, signed=True, resample=False)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore::sk_erts.exceptions.ExplanationWarning")
@pytest.mark.parametrize("make", [perceptron, LeadsAsSteps])
def test_else_it_is_the_gradient_times_the_record(make):
    torch.manual_seed(0)
    network = make().eval()
    x = torch.from_numpy(noise()).requires_grad_()
    (gradient,) = torch.autograd.grad(network(x)[:, 1].sum(), x)
    expected = (gradient * x).sum(dim=1).detach().numpy()
    maps = gradcam(network, noise(), 1, signed=True)
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        gradcam(network, noise(), 1), expected.clip(0), rtol=1e-5, atol=1e-7
    )


def test_a_block_is_taken_and_not_its_last_branch():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(4, 4, 3, padding=1)
            self.norm = nn.BatchNorm1d(4)

        def forward(self, x):
            return (x + self.norm(self.conv(x))).relu()

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv1d(N_LEADS, 4, 3, padding=1)
            self.blocks = nn.Sequential(Block(), Block())
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.blocks(self.stem(x)).mean(dim=-1))

    found = find_layer(Residual().eval(), torch.from_numpy(noise()))
    assert found.name == "blocks.1"


def test_steps_stand_where_they_look():
    # 25 and 4 samples without padding: the first step looks at 13.5, the last at 145.5.
    found = find_layer(TimeLast().eval(), torch.from_numpy(noise()))
    begin, end = np.array(found.span) * (N_TIMES - 1)
    assert abs(begin - 13.5) <= 1
    assert abs(end - 145.5) <= 1


def test_a_layer_that_the_logits_ignore():
    torch.manual_seed(0)

    class Spare(TimeLast):
        def forward(self, x):
            self.spare(x)
            return super().forward(x)

    network = Spare()
    network.spare = nn.Conv1d(N_LEADS, 2, 3)
    with pytest.raises(ValueError, match="do not depend on the 'cam_layer' 'spare'"):
        gradcam(network, noise(), layer="spare")


class TestClassifier:
    params = {  # noqa: RUF012
        "max_epochs": 3,
        "warmup_epochs": (1, 1),
        "random_state": 0,
        "verbose": 0,
        "batch_size": 16,
    }

    @pytest.mark.parametrize("make", [TimeLast, TimeSecond, Sequence])
    def test_a_judge_reads_its_maps(self, make):
        torch.manual_seed(0)
        X, y = noise(48), np.arange(48) % 2
        clf = ERTSClassifier(make(), focus="top_mass", **self.params).fit(X, y)
        with pytest.warns(ExplanationWarning, match="along their axis of time"):
            maps = clf.explain(X)
        assert maps.shape == (48, N_TIMES)
        assert np.isfinite(clf.focus_score(X)).all()

    def test_a_named_layer_is_explained_without_a_word(self):
        X, y = noise(48), np.arange(48) % 2
        clf = ERTSClassifier(TimeLast(), cam_layer="act", **self.params).fit(X, y)
        assert clf.explain(X, resample=False).shape == (48, N_TIMES - 24)

    def test_any_other_is_explained_by_its_gradient(self):
        X, y = noise(48), np.arange(48) % 2
        clf = ERTSClassifier(perceptron(), focus=None, **self.params).fit(X, y)
        with pytest.warns(ExplanationWarning, match="record itself") as said:
            maps = clf.explain(X)
        assert maps.shape == (48, N_TIMES)
        assert said[0].message.instead == "input_x_gradient"


# ------------------------------------------------------------------------ braindecode

TAKEN = {
    "EEGNetv4": "2-D feature maps",
    "EEGNet": "2-D feature maps",
    "EEGConformer": "2-D feature maps",
    "ShallowFBCSPNet": "2-D feature maps",
    "Deep4Net": "2-D feature maps",
    "BIOT": "record itself",
    "ATCNet": "2-D feature maps",
    "TIDNet": None,
    "USleep": None,
}


def braindecode_network(name, n_times=500):
    """Return a network of braindecode for two leads, or skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from braindecode import models
        except (ImportError, OSError) as error:  # torchaudio may not load
            pytest.skip(f"braindecode does not load here: {error}")
        if not hasattr(models, name):
            pytest.skip(f"this version of braindecode has no {name}")
        params = {"n_chans": N_LEADS, "n_outputs": 2, "n_times": n_times}
        if name in ("ShallowFBCSPNet", "Deep4Net"):
            params["final_conv_length"] = "auto"
        if name == "EEGConformer":
            params["final_fc_length"] = "auto"
        if name in ("ATCNet", "USleep"):
            params |= {"sfreq": 100, "input_window_seconds": n_times / 100}
        if name == "BIOT":
            params |= {"sfreq": 100, "hop_length": 50}
        torch.manual_seed(0)
        return getattr(models, name)(**params).eval()


@pytest.mark.filterwarnings("ignore:(Using padding='same'|A window was not provided)")
@pytest.mark.parametrize("name", TAKEN)
def test_networks_of_braindecode(name):
    network = braindecode_network(name)
    X = noise(n_times=500)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ExplanationWarning)
        maps = gradcam(network, X, signed=True)
    told = [str(each.message) for each in said if TAKEN[name] is not None]
    assert len(told) == (TAKEN[name] is not None)
    assert all(TAKEN[name] in words for words in told)
    assert maps.shape == (4, 500)
    assert np.abs(maps).max() > 0
    if TAKEN[name] != "record itself":
        x = torch.from_numpy(X)
        logits, _ = GradCAM(network)(x, torch.ones_like)
        with torch.no_grad():
            torch.testing.assert_close(logits, network(x).reshape(4, 2))


@pytest.mark.filterwarnings("ignore::sk_erts.exceptions.ExplanationWarning")
@pytest.mark.parametrize("names", [("EEGNetv4", "EEGNet")])
def test_a_trained_network_of_braindecode_points_to_the_evidence(names):
    from importlib.util import find_spec

    if find_spec("braindecode") is None:
        pytest.skip("braindecode is not installed")
    from braindecode import models

    name = next(each for each in names if hasattr(models, each))
    network = braindecode_network(name, n_times=300).train()
    rng = np.random.default_rng(0)
    X = 0.2 * rng.normal(size=(300, N_LEADS, 300)).astype(np.float32)
    y, centres = rng.integers(0, 2, 300), rng.integers(40, 260, 300)
    for x, own, at in zip(X, y, centres, strict=True):
        x += (2 * own - 1) * 2 * bump(at, 300)[0]
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(4):
        for batch in np.split(np.arange(300), 10):
            logits = network(torch.from_numpy(X[batch]))
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(y[batch]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    peaks = gradcam(network, X, y).argmax(axis=1)
    assert (np.abs(peaks - centres) <= 20).mean() > 0.8
