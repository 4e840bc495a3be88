"""What methods are put together from: baselines, targets, time axes, points, looks."""

import inspect
import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import attribution
from sk_erts._records.signals import Signals
from sk_erts.attribution import GradCAM, _explain
from sk_erts.attribution._baseline import (
    as_baseline,
    as_baselines,
    check_at_least_one,
)
from sk_erts.attribution._class_activation import GradCAMMaps, HiResCAMMaps
from sk_erts.attribution._gradcam import weighed
from sk_erts.attribution._gradient_shap import GradientShap
from sk_erts.attribution._integrated_gradients import IntegratedGradients, _most_off
from sk_erts.attribution._intrinsic import Intrinsic
from sk_erts.attribution._maps import resample_maps, towards
from sk_erts.attribution._occlusion import Occlusion
from sk_erts.attribution._randomise import randomise_weights
from sk_erts.exceptions import ExplanationWarning, IncompleteAttributionWarning
from sk_erts.models import ResNet1d

N_LEADS, N_TIMES, N_CLASSES = 2, 40, 3


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, N_LEADS, N_TIMES)).astype(np.float32)


class Linear(nn.Module):
    """Every sample has a weight: whatever points are looked at, the map is known."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(N_LEADS * N_TIMES, N_CLASSES)

    def forward(self, x):
        return self.linear(x.flatten(1))


class Squared(Linear):
    """A gradient that is another one at each point."""

    def forward(self, x):
        return super().forward(x) ** 2


class Bends(Linear):
    """A path on which the points do not suffice."""

    def forward(self, x):
        return torch.sigmoid(40 * super().forward(x) - 8)


class Counted:
    """Sizes of the batches that went through a network, apart by what they were for."""

    def __init__(self, network):
        self.differentiated, self.looked_at = [], []
        network.register_forward_pre_hook(self.count)

    def count(self, _, args):
        to = self.differentiated if torch.is_grad_enabled() else self.looked_at
        to.append(len(args[0]))


def resnet():
    torch.manual_seed(0)
    network = ResNet1d(N_LEADS, N_CLASSES, width=4, blocks=(1, 1), kernel_size=5)
    network(torch.randn(16, N_LEADS, N_TIMES))
    nn.init.normal_(network.head.linear.bias)
    return network.eval()


class TestBaseline:
    x = torch.zeros(4, 2, 3, dtype=torch.float64)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (0.5, [[0.5] * 3] * 2),
            ([[1], [2]], [[1, 1, 1], [2, 2, 2]]),
            ([1, 2, 3], [[1, 2, 3]] * 2),
            (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        ],
    )
    def test_one_record_stands_before_each(self, given, expected):
        found = as_baseline(given, self.x, "deeplift")

        assert found.shape == (4, 2, 3)
        assert found.dtype == torch.float64
        assert found.tolist() == [expected] * 4

    @pytest.mark.parametrize(
        ("given", "shape"),
        [
            (np.inf, r"\(2, 3\)"),
            ([0, np.nan, 0], r"\(2, 3\)"),
            ([1, 2], r"\(2,\)"),
            (np.zeros((1, 2, 3)), r"\(1, 2, 3\)"),
        ],
    )
    def test_what_fits_to_no_record(self, given, shape):
        message = rf"'baseline' parameter of deeplift .* = \(2, 3\). Got .* {shape} ins"
        with pytest.raises(ValueError, match=message):
            as_baseline(given, self.x, "deeplift")

    def test_none_to_draw_from_is_the_zero_record(self):
        found = as_baselines(None, self.x + 1, "gradient_shap")
        assert found.dtype == torch.float64
        assert found.tolist() == [[[0] * 3] * 2]

    def test_those_to_draw_from(self):
        given = np.arange(12).reshape(2, 2, 3)
        found = as_baselines(given, self.x, "gradient_shap")
        assert found.dtype == torch.float64
        np.testing.assert_array_equal(found, given)

    @pytest.mark.parametrize(
        ("given", "shape"),
        [
            (np.zeros((0, 2, 3)), r"\(0, 2, 3\)"),
            (np.zeros((2, 3)), r"\(2, 3\)"),
            (np.zeros((4, 3, 2)), r"\(4, 3, 2\)"),
            (np.full((1, 2, 3), np.nan), r"\(1, 2, 3\)"),
        ],
    )
    def test_none_of_them_fits(self, given, shape):
        message = rf"'baselines' parameter of shap .* = \(2, 3\). Got .* {shape} ins"
        with pytest.raises(ValueError, match=message):
            as_baselines(given, self.x, "shap")

    @pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", None, np.float64(2)])
    def test_no_number_of_points(self, value):
        message = rf"'window' parameter of occlusion .* Got {re.escape(repr(value))} i"
        with pytest.raises(ValueError, match=message):
            check_at_least_one("window", value, "occlusion")

    @pytest.mark.parametrize("value", [1, 2, np.int64(1), np.uint8(3)])
    def test_a_number_of_points(self, value):
        assert check_at_least_one("window", value, "occlusion") is None


@pytest.mark.parametrize(
    "look",
    [
        lambda x: resample_maps(x[0], 7, (0.2, 0.6)),
        lambda x: resample_maps(x[0], 7),
        lambda x: towards(x[0], None),
        lambda x: towards(x[0], np.array([0, 2])),
        lambda x: as_baseline(0.5, x, "deeplift"),
        lambda x: as_baselines(None, x, "shap"),
        lambda x: as_baselines(np.zeros((2, 2, 3)), x, "shap"),
        lambda x: weighed(Signals(x), x[:, :, 0]).x,
    ],
)
def test_what_is_made_lies_where_the_records_do(look):
    """Of a device that any machine has, on which nothing is computed."""
    assert look(torch.zeros(2, 2, 3, device="meta")).device.type == "meta"


@pytest.mark.parametrize("heights", [(), (4,), (4, 2), (4, 2, 3)])
def test_maps_are_weighed_over_channels_and_summed_over_whatever_is_no_time(heights):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 3, *heights, 5, generator=generator)
    weights = torch.randn(2, 3, generator=generator)
    lengths = torch.tensor([5, 2])
    found = weighed(Signals(z, lengths), weights)
    each = z.reshape(2, 3, -1, 5).sum(dim=2) * weights[:, :, None]
    torch.testing.assert_close(found.x, each.sum(dim=1))
    assert found.lengths is lengths


class TestTimeAxis:
    def test_steps_that_do_not_reach_the_ends(self):
        maps = torch.tensor([[1.0, 5.0, 2.0], [0.0, -2.0, 4.0]])
        found = resample_maps(maps, 11, (0.2, 0.6))

        expected = [
            [1, 1, 1, 3, 5, 3.5, 2, 2, 2, 2, 2],
            [0, 0, 0, -1, -2, 1, 4, 4, 4, 4, 4],
        ]
        torch.testing.assert_close(found, torch.tensor(expected))

    def test_the_whole_span_is_the_default_and_goes_over_into_it(self):
        maps = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
        near = resample_maps(maps, 17, (0.0, 1.0 - 1e-7))
        torch.testing.assert_close(near, resample_maps(maps, 17), atol=1e-4, rtol=0)

    @pytest.mark.parametrize("span", [(0.0, 1.0), (0.2, 0.6)])
    def test_a_single_step_is_everywhere(self, span):
        found = resample_maps(torch.tensor([[3.0], [4.0]]), 5, span)
        assert found.tolist() == [[3] * 5, [4] * 5]


class TestTarget:
    logits = torch.tensor([[0.0, 2.0, 1.0], [5.0, 1.0, 0.0]], dtype=torch.float64)

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (None, [[0, 1, 0], [1, 0, 0]]),
            ([0, 2], [[1, 0, 0], [0, 0, 1]]),
            ([2.0, 0.0], [[0, 0, 1], [1, 0, 0]]),
        ],
    )
    def test_one_logit_of_each(self, target, expected):
        found = towards(self.logits, None if target is None else np.array(target))
        assert found.dtype == torch.float64
        assert found.tolist() == expected

    @pytest.mark.parametrize("target", [[3, 0], [0, -1], [0.5, 0.0]])
    def test_no_class(self, target):
        message = f"in [0, 3). Got {sorted(target)} instead"
        with pytest.raises(ValueError, match=re.escape(message)):
            towards(self.logits, np.array(target))

    @pytest.mark.parametrize("shape", [(3, 4), (0, 2, 4), (2, 0, 4), (2, 3, 0)])
    def test_no_records(self, shape):
        with pytest.raises(ValueError, match="none of it zero"):
            attribution.saliency(Linear(), np.zeros(shape, dtype=np.float32))

    def test_records_of_any_number_type(self, X):
        given = attribution.input_x_gradient(Linear(), X.astype(np.float64), 1)
        np.testing.assert_array_equal(
            given, attribution.input_x_gradient(Linear(), X, 1)
        )
        assert given.dtype == np.float32


DEFAULTS = {
    "gradcam": {"layer": None, "bias": False},
    "hirescam": {"layer": None},
    "gradcam_plus_plus": {"layer": None},
    "saliency": {},
    "input_x_gradient": {},
    "intrinsic": {},
    "deeplift": {"baseline": 0.0},
    "guided_gradcam": {"layer": None},
    "gradient_shap": {
        "baselines": None,
        "n_draws": 32,
        "noise": 0.0,
        "random_state": 0,
    },
    "occlusion": {"window": None, "stride": None, "by_lead": True, "baseline": 0.0},
    "integrated_gradients": {
        "baseline": 0.0,
        "n_steps": 32,
        "max_steps": 1024,
        "return_convergence_delta": False,
    },
}


@pytest.mark.parametrize("method", attribution.METHODS)
def test_the_signature_is_that_of_all_with_its_own_before_signed(method):
    """These defaults are promised: to change one changes people's maps."""
    function = getattr(attribution, method)
    found = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
    }
    resample = {"resample": True} if attribution.METHODS[method] == "times" else {}
    expected = {
        "module": inspect.Parameter.empty,
        "X": inspect.Parameter.empty,
        "target": None,
        **DEFAULTS[method],
        "signed": False,
        **resample,
        "batch_size": 256,
        "verbose": False,
    }
    assert list(found.items()) == list(expected.items())
    assert function.__qualname__ == method


class TestPoints:
    """How many points a method looks at, and how many at once."""

    @pytest.mark.parametrize(
        ("n_steps", "n_points"), [(1, 1), (3, 3), (4, 4), (5, 8), (6, 8), (32, 32)]
    )
    def test_of_a_path_that_is_straight(self, X, n_steps, n_points):
        network = Linear()
        seen = Counted(network)
        maps = attribution.integrated_gradients(
            network, X[:1], 1, n_steps=n_steps, signed=True
        )
        assert sum(seen.differentiated) == n_points
        expected = X[:1] * network.linear.weight[1].detach().numpy().reshape(2, 40)
        np.testing.assert_allclose(maps, expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("batch_size", "sizes"), [(1, [4] * 4), (8, [8, 8]), (9, [8, 8]), (16, [16])]
    )
    def test_pieces_of_a_path_come_together(self, X, batch_size, sizes):
        network = Linear()
        seen = Counted(network)
        attribution.integrated_gradients(
            network, X[:1], 1, n_steps=16, batch_size=batch_size
        )
        assert seen.differentiated == sizes

    @pytest.mark.parametrize("method", [IntegratedGradients, Occlusion])
    @pytest.mark.parametrize(
        ("batch_size", "n"), [(1, 1), (7, 1), (8, 1), (16, 2), (100, 12), (256, 32)]
    )
    def test_several_of_each_record_share_a_batch(self, method, batch_size, n):
        found = method(Linear()).n_at_once(batch_size)
        assert found == n
        assert isinstance(found, int)

    @pytest.mark.parametrize("batch_size", [1, 4, 40])
    def test_windows_of_a_record_come_together(self, X, batch_size):
        network = Linear()
        seen = Counted(network)
        attribution.occlusion(network, X[:1], 1, window=10, batch_size=batch_size)
        # The look that says what is explained, the record itself, 4 windows of 2 leads.
        sizes = sorted(seen.differentiated + seen.looked_at)
        assert sum(sizes) == 2 + 8
        assert max(sizes) == min(batch_size, 8)

    def test_the_default_window_is_a_twentieth_of_the_record(self, X):
        default = attribution.occlusion(Linear(), X, 1, signed=True)
        given = attribution.occlusion(
            Linear(), X, 1, signed=True, window=N_TIMES // 20, stride=N_TIMES // 20
        )
        np.testing.assert_array_equal(default, given)
        short = attribution.occlusion(Narrow(19), X[..., :19], 0, signed=True)
        np.testing.assert_allclose(short, X[..., :19], atol=1e-5)

    @pytest.mark.parametrize(
        ("params", "same"),
        [
            ({"window": 99}, {"window": N_TIMES}),
            ({"window": 8, "stride": 30}, {"window": 8, "stride": 8}),
        ],
    )
    def test_no_sample_is_left_uncovered(self, X, params, same):
        found, expected = (
            attribution.occlusion(Linear(), X, 1, signed=True, **own)
            for own in (params, same)
        )
        np.testing.assert_array_equal(found, expected)
        assert found.all()

    @pytest.mark.parametrize(("params", "n"), [({}, 32), ({"n_draws": 3}, 3)])
    def test_draws_between_a_baseline_and_the_record(self, X, params, n):
        network = Linear()
        seen = Counted(network)
        attribution.gradient_shap(network, X[:2], 1, **params)
        assert seen.differentiated == [n, n]

    def test_every_record_has_the_same_draws(self, X):
        twice = np.repeat(X[:1], 2, axis=0)
        params = {"noise": 0.1, "baselines": X[2:], "n_draws": 4}
        maps = attribution.gradient_shap(Squared(), twice, 1, **params)
        np.testing.assert_array_equal(maps[0], maps[1])
        other = attribution.gradient_shap(Squared(), twice[:1], 1, **params)
        np.testing.assert_array_equal(maps[0], other[0])

    def test_parameters_are_numbers(self):
        method = GradientShap(Linear(), n_draws=np.int64(3), noise=1)
        assert (type(method.n_draws), type(method.noise)) == (int, float)


class Narrow(nn.Module):
    """The sum of a record."""

    def __init__(self, n_times):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.n_times = n_times

    def forward(self, x):
        assert x.shape[-1] == self.n_times
        return self.scale * x.sum(dim=(1, 2))[:, None]


class TestMostOff:
    """Which pieces are halved of a path that explains 100 (one may be missing)."""

    @staticmethod
    def halved(deltas, most=9, scale=1.0):
        deltas = torch.tensor(deltas, dtype=torch.float64)
        maps = torch.zeros(len(deltas), 2, 3, dtype=torch.float64)
        maps[0, 0, 0] = scale * 100 + deltas.sum()
        return _most_off(maps, deltas, most).tolist()

    @pytest.mark.parametrize(
        ("deltas", "expected"),
        [
            ([0.4, 0.0, -0.4], [False, False, False]),
            ([0.5, -0.5], [False, False]),  # just what is tolerated of them all
            ([0.6, -0.6], [True, True]),  # errors do not cancel
            ([3.0, 0.1, -5.0], [True, False, True]),
            ([0.5, -1.0, 0.5], [False, True, True]),  # one of the equals is left
            ([0.3, 0.1, 0.1, 9.0], [False, False, False, True]),
        ],
    )
    def test_what_is_left_is_half_of_what_is_tolerated(self, deltas, expected):
        found = self.halved(deltas)
        assert sorted(found) == sorted(expected)
        if len(set(map(abs, deltas))) == len(deltas):
            assert found == expected

    @pytest.mark.parametrize(
        ("most", "expected"),
        [
            (-1, [False] * 4),
            (0, [False] * 4),
            (1, [False, False, True, False]),
            (2, [False, True, True, False]),
            (9, [True, True, True, False]),
        ],
    )
    def test_the_worst_come_first(self, most, expected):
        assert self.halved([2.0, -3.0, 5.0, 0.1], most) == expected

    def test_the_sign_of_what_is_explained_does_not_matter(self):
        assert self.halved([3.0, 0.1], scale=-1) == [True, False]


class TestWhatIsMissing:
    def test_is_returned_only_if_asked_for_and_for_each_record(self, X):
        network = Bends()
        params = {"n_steps": 4, "max_steps": 4, "signed": True, "batch_size": 8}
        with pytest.warns(IncompleteAttributionWarning):
            maps = attribution.integrated_gradients(network, X, 1, **params)
        with pytest.warns(IncompleteAttributionWarning):
            same, delta = attribution.integrated_gradients(
                network, X, 1, **params, return_convergence_delta=True
            )
        with torch.no_grad():
            record, zero = (network(torch.from_numpy(x))[:, 1] for x in (X, 0 * X))
        np.testing.assert_array_equal(maps, same)
        assert delta.dtype == np.float64
        missing = maps.sum(axis=(1, 2)) - (record - zero).numpy()
        np.testing.assert_allclose(delta, missing, atol=1e-5)
        assert abs(delta).max() > 0.05

    @pytest.mark.parametrize(
        ("n_steps", "max_steps", "n"), [(4, 9, 9), (4, 1, 4), (8, 8, 8)]
    )
    def test_it_is_told_after_how_many_points(self, X, n_steps, max_steps, n):
        with pytest.warns(IncompleteAttributionWarning, match=f"after {n} points") as w:
            attribution.integrated_gradients(
                Bends(), X, 1, n_steps=n_steps, max_steps=max_steps
            )
        assert w[0].filename == __file__

    @pytest.mark.parametrize(("max_steps", "n"), [(15, 8), (16, 16), (24, 24)])
    def test_each_piece_that_is_halved_costs_two(self, max_steps, n):
        """The path leaps all along, so that every piece is off."""
        network = Bends()
        network.linear.weight.data[1] *= 20
        seen = Counted(network)
        with pytest.warns(IncompleteAttributionWarning):
            attribution.integrated_gradients(
                network,
                np.ones((1, N_LEADS, N_TIMES), dtype=np.float32),
                1,
                n_steps=8,
                max_steps=max_steps,
            )
        assert sum(seen.differentiated) == n

    def test_deeplift_allows_one_per_cent(self):
        """Of a rule that is missing: the output's own square."""

        class Off(nn.Module):
            def __init__(self, share):
                super().__init__()
                self.share = share
                self.scale = nn.Parameter(torch.ones(1))

            def forward(self, x):
                # At 1 the gradient is 1 + 2 share, and the difference 1 + share.
                first = self.scale * x[:, 0, :1]
                return first + self.share * first**2

        x = np.zeros((3, 1, 4), dtype=np.float32)
        x[:, 0, 0] = 1
        maps = attribution.deeplift(Off(0.009), x, 0)
        np.testing.assert_allclose(maps[:, 0, 0], 1.018, rtol=1e-5)
        x[2] = 0  # explains nothing, of which nothing is missing
        with pytest.warns(IncompleteAttributionWarning, match="of 2 of 3 records: Off"):
            attribution.deeplift(Off(0.011), x, 0)


class TestClassActivation:
    def test_with_biases_the_steps_sum_to_the_logit(self, X):
        network = resnet()
        x = torch.from_numpy(X)
        with torch.no_grad():
            logits = network(x)[:, 1]
        params = {"signed": True, "resample": False}

        whole = attribution.gradcam(network, X, 1, bias=True, **params)
        without = attribution.gradcam(network, X, 1, **params)

        np.testing.assert_allclose(whole.sum(axis=1), logits, atol=1e-5)
        bias = network.head.linear.bias[1].item()
        np.testing.assert_allclose(without.sum(axis=1), logits - bias, atol=1e-5)

    def test_a_head_without_biases_has_none_to_share(self, X):
        network = resnet()
        network.head.linear.bias = None
        params = {"signed": True, "resample": False}
        np.testing.assert_array_equal(
            attribution.gradcam(network, X, 1, bias=True, **params),
            attribution.gradcam(network, X, 1, **params),
        )

    def test_shorter_records_have_nothing_behind_them(self):
        network = resnet()
        x = torch.randn(2, N_LEADS, N_TIMES)
        x[1, :, 20:] = 0
        lengths = torch.tensor([N_TIMES, 20])
        cam = GradCAM(network)
        to = torch.eye(N_CLASSES)[[1, 1]]

        logits, maps = cam.look(Signals(x, lengths), lambda _: to, bias=True)

        assert maps.lengths.tolist() == cam.steps(lengths).tolist()
        end = int(maps.lengths[1])
        assert not maps.x[1, end:].any()
        torch.testing.assert_close(maps.x.sum(dim=1), logits[:, 1])
        same, bare = cam(x, lambda _: to, lengths)
        torch.testing.assert_close(same, logits)
        alone, short = cam(x[1:, :, :20], lambda _: to[1:])
        torch.testing.assert_close(alone, logits[1:])
        torch.testing.assert_close(short, bare[1:, :end])

    @pytest.mark.parametrize("is_closed", [True, False])
    @pytest.mark.parametrize("with_lengths", [True, False])
    def test_maps_are_the_features_times_what_would_change_the_logits(
        self, X, is_closed, with_lengths
    ):
        network = resnet()
        cam = GradCAM(network)
        if not is_closed:
            cam.linear = None
        x = torch.from_numpy(X)
        lengths = torch.tensor([N_TIMES, 30, 20, 30, N_TIMES]) if with_lengths else None
        to = torch.randn(5, N_CLASSES)

        logits, z, gradient = cam.with_gradient(x, lambda _: to, lengths)
        same, maps = cam(x, lambda _: to, lengths)

        torch.testing.assert_close(logits, same)
        assert z.shape == gradient.shape
        assert not any(each.requires_grad for each in (logits, z, gradient))
        torch.testing.assert_close((z * gradient).sum(dim=1), maps, atol=1e-5, rtol=0)
        if with_lengths:
            end = int(cam.steps(lengths)[2])
            assert not gradient[2, :, end:].any()
            assert gradient[2, :, end - 1].any()
        steps = None if lengths is None else cam.steps(lengths)
        if is_closed:
            again = cam.maps_from_features(z, to, steps)
            torch.testing.assert_close(again, maps)
        else:
            with pytest.raises(
                RuntimeError, match="ResNet1d has no pooled linear head"
            ):
                cam.maps_from_features(z, to, steps)

    @pytest.mark.parametrize(("layer", "said"), [(None, 1), ("1", 0)])
    def test_what_is_explained_is_said_once_for_each_network(self, layer, said):
        class Heights(nn.Sequential):
            def forward(self, x):
                return super().forward(x[:, None])

        torch.manual_seed(0)
        network = Heights(
            nn.Conv2d(1, 3, (1, 5)), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 2 * 36, 2)
        )
        x = Signals(torch.randn(3, N_LEADS, N_TIMES))
        for make in (GradCAMMaps, HiResCAMMaps):
            method = make(network, layer)
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                for _ in range(2):
                    method(x, torch.ones_like)
            assert [each.category for each in found] == [ExplanationWarning] * said
            for each in found:
                text = str(each.message)
                assert f"{method.name} explains the 2-D feature maps" in text
                assert each.message.instead is None


def test_random_weights_are_new_in_every_part_and_the_same_for_a_seed():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(2, 3, 5)
            self.norm = nn.BatchNorm1d(3)
            self.scale = nn.Parameter(torch.arange(12.0).reshape(3, 4))

    torch.manual_seed(5)
    network = Own()
    nn.init.constant_(network.norm.weight, 7.0)
    nn.init.constant_(network.norm.bias, 7.0)
    before = {name: own.clone() for name, own in network.state_dict().items()}
    drawn = torch.get_rng_state()

    default, same, other = (randomise_weights(network, *s) for s in ((), (0,), (1,)))

    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(own, before[n]) for n, own in network.state_dict().items())
    for name, own in default.named_parameters():
        assert torch.equal(own, same.get_parameter(name)), name
        assert not torch.equal(own, before[name]), name
    # What has a way to begin anew does; it is not shuffled after that.
    assert (default.norm.weight == 1).all()
    torch.manual_seed(0)
    fresh = nn.Conv1d(2, 3, 5)
    assert torch.equal(default.conv.weight, fresh.weight)
    assert default.scale.shape == (3, 4)
    assert sorted(default.scale.flatten().tolist()) == list(range(12))
    assert not torch.equal(default.conv.weight, other.conv.weight)
    assert not torch.equal(default.scale, other.scale)


@pytest.mark.parametrize("verbose", [True, False])
def test_a_bar_goes_when_all_is_explained(X, monkeypatch, verbose):
    shown = []

    class Bar(_explain.tqdm):
        def __init__(self, **params):
            shown.append(params)
            super().__init__(**params)

    monkeypatch.setattr(_explain, "tqdm", Bar)
    attribution.saliency(Linear(), X, 1, verbose=verbose)
    (params,) = shown
    assert params == {
        "total": 5,
        "unit": "record",
        "disable": not verbose,
        "delay": 1,
        "leave": False,
    }


@pytest.mark.parametrize("by_length", [True, False])
def test_contributions_of_several_lengths_come_together_where_they_can(by_length):
    class Tells(nn.Module):
        def contributions(self, x):
            return x[:, None].expand(-1, N_CLASSES, -1, -1)

        def forward(self, x):
            return self.contributions(x).sum(dim=(2, 3))

    class TellsByLength(Tells):
        def contributions(self, x, lengths=None):
            return super().contributions(x)

        def forward(self, x, lengths=None):
            return super().forward(x)

    network = TellsByLength() if by_length else Tells()
    assert Intrinsic(network).takes_lengths is by_length
