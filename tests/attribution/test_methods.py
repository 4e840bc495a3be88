"""Every attribution method on every backbone: what all of them promise."""

import ast
import contextlib
import doctest
import inspect
import pickle
import re
import sys
import warnings

import numpy as np
import pytest
import torch
from numpydoc.docscrape import FunctionDoc
from torch import nn

from sk_erts import ERTSClassifier, attribution
from sk_erts.attribution import METHODS, _explain
from sk_erts.attribution._function import as_function
from sk_erts.attribution._registry import get_method, make_method
from sk_erts.exceptions import IncompleteAttributionWarning
from sk_erts.models._registry import MODELS
from tests.conftest import bumps, hide

N_LEADS, N_TIMES, N_CLASSES = 3, 80, 4
# Few points: networks by chance would take all that they may, and what they promise of
# their sums is tested by itself, at the defaults.
PARAMS = {
    "integrated_gradients": {"n_steps": 16, "max_steps": 64},
    "gradient_shap": {"n_draws": 4},
    "occlusion": {"window": 20},
}


class Contributing(nn.Module):
    """A network that explains itself, around one that does not."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.weight = nn.Parameter(torch.randn(N_CLASSES, N_LEADS, N_TIMES))

    def contributions(self, x):
        return x[:, None] * self.weight[..., : x.shape[-1]]

    def forward(self, x):
        return self.contributions(x).sum(dim=(2, 3)) + 1


def explain(name, module, X, target=None, **params):
    function = getattr(attribution, name)
    return function(module, X, target, **PARAMS.get(name, {}), **params)


@contextlib.contextmanager
def incomplete_is_said():
    """DeepLIFT has no rule for some layers, few points are not enough: both say so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IncompleteAttributionWarning)
        yield


# One of rectifiers and one of recurrence; the contract of networks asks each of them
# for its Grad-CAM.
SMALL = {"resnet1d": {"width": 8}, "lstm1d": {"hidden": 16}}


def by_chance(name, **params):
    """Return a network with weights by chance, and statistics of one at work."""
    torch.manual_seed(0)
    network = MODELS[name](n_leads=N_LEADS, n_classes=N_CLASSES, **params)
    network(torch.randn(16, N_LEADS, N_TIMES))
    return network


@pytest.fixture(params=SMALL)
def backbone(request):
    return by_chance(request.param, **SMALL[request.param])


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, N_LEADS, N_TIMES)).astype(np.float32)


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture
def network(method, backbone):
    """The backbone, or one around it that has what the method needs."""
    if method == "intrinsic":
        return Contributing(backbone)
    if method == "guided_gradcam" and not any(
        isinstance(part, nn.ReLU) for part in backbone.modules()
    ):
        pytest.skip("refused, as another test shows: it has no rectifier")
    return backbone


class TestFunction:
    def test_it_is_public_and_found_where_it_says(self, method):
        function = getattr(attribution, method)

        assert method in attribution.__all__
        assert function.__name__ == method
        assert getattr(sys.modules[function.__module__], method) is function
        assert function.__module__ == get_method(method).__module__
        assert pickle.loads(pickle.dumps(function)) is function

    def test_it_gives_the_maps_of_the_method_of_its_name(self, method, X):
        torch.manual_seed(0)
        network = MODELS["resnet1d"](N_LEADS, N_CLASSES, width=4)
        network(torch.randn(16, N_LEADS, N_TIMES))
        if method == "intrinsic":
            network = Contributing(network)

        with incomplete_is_said():
            given = explain(method, network, X, 1, signed=True)
            made = make_method(method, network, None, PARAMS.get(method, {}))
            expected = _explain.explain_array(
                made, X, 1, signed=True, batch_size=2, verbose=False
            )

        np.testing.assert_allclose(given, expected, atol=1e-6)

    def test_its_parameters_are_those_of_the_method_and_the_shared_ones(self, method):
        taken = inspect.signature(getattr(attribution, method)).parameters

        own = set(inspect.signature(get_method(method)).parameters) - {"module"}
        over_time = {"resample"} if METHODS[method] == "times" else set()
        delta = (
            {"return_convergence_delta"} if method == "integrated_gradients" else set()
        )
        assert list(taken)[:3] == ["module", "X", "target"]
        keywords = {"signed", "batch_size", "verbose"} | over_time | delta | own
        assert set(list(taken)[3:]) == keywords
        kinds = {taken[name].kind for name in keywords}
        assert kinds == {inspect.Parameter.KEYWORD_ONLY}

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"resample": True}, r"deeplift\(\) got an .* argument 'resample'"),
            ({"base": 1}, r"deeplift\(\) got an unexpected keyword argument 'base'"),
        ],
    )
    def test_what_it_does_not_take(self, X, params, message):
        with pytest.raises(TypeError, match=message):
            attribution.deeplift(Linear(), X, **params)

    def test_its_docstring_has_own_words_amid_the_shared_ones(self):
        said = FunctionDoc(attribution.occlusion)
        texts = {each.name: " ".join(each.desc) for each in said["Parameters"]}
        (maps,) = said["Returns"]

        assert texts["baseline"] == "What covers them."
        assert (
            texts["signed"] == "Keep negative values, where covering raises the logit."
        )
        assert texts["verbose"] == "Whether to show a progress bar."
        types = {each.name: each.type for each in said["Parameters"]}
        assert types["signed"] == "bool, default=False"
        assert "(n_samples, n_leads, n_times)" in maps.type
        assert [each.type for each in said["Raises"]] == ["ImportError", "ValueError"]
        cam = FunctionDoc(attribution.gradcam)
        assert "(n_samples, n_times)" in cam["Returns"][0].type
        assert [each.type for each in cam["Raises"]] == ["ValueError"]

    def test_its_docstring_is_of_what_it_takes_and_runs(self, method):
        function = getattr(attribution, method)
        said = FunctionDoc(function)

        taken = inspect.signature(function).parameters
        assert [each.name for each in said["Parameters"]] == list(taken)
        for section in ("Parameters", "Returns"):
            assert all(each.type and any(each.desc) for each in said[section])
        for name, parameter in taken.items():
            (text,) = (each.type for each in said["Parameters"] if each.name == name)
            default = re.search(r"default=(\S+)$", text)
            if default:
                assert ast.literal_eval(default[1]) == parameter.default
        example = doctest.DocTestParser().get_doctest(
            function.__doc__, {}, method, None, None
        )
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert f"{method}(" in example.examples[-1].source
        assert doctest.DocTestRunner(optionflags=flags).run(example).failed == 0

    def test_a_docstring_is_put_together(self):
        """Made anew, and without what is done when all records are explained."""
        function = as_function(get_method("integrated_gradients"))
        text = function.__doc__
        titles = re.findall(r"^(\w[\w ]*)\n-+$", text, flags=re.MULTILINE)
        said = FunctionDoc(function)

        assert titles == [
            *("Parameters", "Returns", "Raises", "Warns"),
            *("Notes", "References", "Examples"),
        ]
        assert text.startswith("Return how the difference to a baseline is shared out")
        types = {each.name: each.type for each in said["Parameters"]}
        texts = {each.name: " ".join(each.desc) for each in said["Parameters"]}
        assert list(types) == list(inspect.signature(function).parameters)
        assert "return_convergence_delta" not in types
        shape = "broadcastable to (n_leads, n_times), default=0"
        assert types["baseline"] == f"float or array-like {shape}"
        assert texts["baseline"].startswith("Record that stands for no evidence; 0 is")
        assert texts["baseline"].endswith("a record without offset.")
        assert texts["batch_size"].endswith("does not change the maps.")
        maps, delta = said["Returns"]
        assert "(n_samples, n_leads, n_times)" in maps.type
        assert "sums to the difference between the logits" in " ".join(maps.desc)
        assert (delta.name, delta.type[:7]) == ("delta", "ndarray")
        assert [each.type for each in said["Raises"]] == ["ImportError", "ValueError"]
        assert [each.type for each in said["Warns"]] == ["IncompleteAttributionWarning"]


class TestContract:
    def test_maps_have_the_axes_that_the_registry_says(self, method, network, X):
        with incomplete_is_said():
            maps = explain(method, network, X)
            signed = explain(method, network, X, signed=True)

        shape = {"times": (5, N_TIMES), "leads, times": X.shape}[METHODS[method]]
        assert maps.shape == signed.shape == shape
        assert maps.dtype == signed.dtype == np.float32
        assert (maps >= 0).all()
        assert maps.any()
        expected = abs(signed) if method == "saliency" else np.maximum(signed, 0)
        if METHODS[method] == "leads, times":
            np.testing.assert_allclose(maps, expected, atol=1e-6)

    def test_a_map_does_not_depend_on_its_batch(self, method, network, X):
        with incomplete_is_said():
            together = explain(method, network, X, target=1)
            alone = [explain(method, network, x[None], target=1)[0] for x in X]
            in_twos = explain(method, network, X, target=1, batch_size=2)

        np.testing.assert_allclose(together, alone, atol=2e-5)
        np.testing.assert_allclose(together, in_twos, atol=2e-5)

    def test_the_most_probable_class_is_explained_by_default(self, method, network, X):
        with torch.no_grad():
            said = network.eval()(torch.from_numpy(X)).argmax(dim=1).numpy()

        with incomplete_is_said():
            default = explain(method, network, X)
            np.testing.assert_allclose(
                default, explain(method, network, X, target=said), atol=1e-6
            )
            other = explain(method, network, X, target=(said + 1) % N_CLASSES)
        assert not np.allclose(default, other, atol=1e-6)

    def test_the_network_is_left_as_found(self, method, network, X):
        network.train()
        frozen = next(iter(network.modules()))
        frozen.training = True
        before = {k: v.clone() for k, v in network.state_dict().items()}
        flags = [part.training for part in network.modules()]
        np.random.seed(7)  # noqa: NPY002 - where no method would leave it
        drawn = torch.get_rng_state(), numpy_state()
        x_before = X.copy()

        with incomplete_is_said():
            explain(method, network, X)

        assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
        assert [part.training for part in network.modules()] == flags
        assert all(p.grad is None for p in network.parameters())
        assert hooks_of(network) == 0
        assert torch.equal(torch.get_rng_state(), drawn[0])
        assert numpy_state() == drawn[1]
        np.testing.assert_array_equal(X, x_before)

    def test_no_hook_survives_a_failure(self, method, network, X):
        if method == "intrinsic":
            pytest.skip("looks at no layer")
        last = [part for part in network.modules() if isinstance(part, nn.Linear)][-1]

        def fail(*_):
            raise RuntimeError("broken")

        handle = last.register_forward_hook(fail)
        # Some methods begin with a plain look: let that one pass.
        with pytest.raises(RuntimeError, match="broken"):
            explain(method, network, X)
        handle.remove()

        assert hooks_of(network) == 0

    def test_the_estimator_gives_the_same_maps(self, method, network, X):
        y = np.arange(20) % N_CLASSES
        records = np.concatenate([X] * 4)
        clf = ERTSClassifier(
            network, focus=None, max_epochs=1, random_state=0, verbose=0
        )
        clf.fit(records, y)
        params = PARAMS.get(method, {})

        with incomplete_is_said():
            maps = clf.explain(X, method, target=2, signed=True, **params)
            expected = explain(method, clf.net_.module_, X, target=2, signed=True)

        np.testing.assert_allclose(maps, expected, atol=1e-5)

    def test_several_labels(self, method, network, X):
        y = (np.arange(80).reshape(20, N_CLASSES) % 3 == 0).astype(int)
        records = np.concatenate([X] * 4)
        clf = ERTSClassifier(
            network, focus=None, max_epochs=1, random_state=0, verbose=0
        )
        clf.fit(records, y)
        params = PARAMS.get(method, {})

        with incomplete_is_said():
            maps = clf.explain(X, method, target=2, signed=True, **params)
            expected = explain(method, clf.net_.module_, X, target=2, signed=True)

        np.testing.assert_allclose(maps, expected, atol=1e-5)


def numpy_state():
    """Where NumPy's global generator is, from which captum draws."""
    _, key, position, *_ = np.random.get_state()  # noqa: NPY002
    return position, key.tolist()


def hooks_of(network):
    kinds = (
        "_forward_hooks",
        "_forward_pre_hooks",
        "_backward_hooks",
        "_backward_pre_hooks",
    )
    return sum(len(getattr(part, kind)) for part in network.modules() for kind in kinds)


def test_records_of_different_lengths_are_explained_as_if_alone(method):
    if method == "intrinsic":
        pytest.skip("its weights belong to one length")
    rng = np.random.default_rng(0)
    lengths = [80, 50, 33] * 4
    records = [rng.normal(size=(2, n)).astype(np.float32) for n in lengths]
    clf = ERTSClassifier(
        "resnet1d",
        module__width=4,
        module__blocks=(1, 1),
        max_epochs=1,
        random_state=0,
        verbose=0,
    ).fit(records, np.arange(12) % 2)
    params = PARAMS.get(method, {})

    with incomplete_is_said():
        maps = clf.explain(records, method, target=1, **params)
        alones = [clf.explain([x], method, target=1, **params)[0] for x in records]

    for own, alone, record in zip(maps, alones, records, strict=True):
        assert own.shape[-1] == record.shape[1]
        np.testing.assert_allclose(own, alone, atol=2e-5)


class Linear(nn.Module):
    """Logits are weighted sums of samples: every map is known."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.linear = nn.Linear(N_LEADS * N_TIMES, N_CLASSES)

    def forward(self, x):
        return self.linear(x.flatten(1))

    def weight_of(self, target):
        return self.linear.weight[target].detach().numpy().reshape(N_LEADS, N_TIMES)


class TestLinear:
    @pytest.fixture
    def linear(self):
        return Linear()

    @pytest.mark.parametrize("name", ["integrated_gradients", "deeplift"])
    @pytest.mark.parametrize("baseline", [0.0, 0.5, "array"])
    def test_the_difference_to_the_baseline_is_shared_out(
        self, linear, X, name, baseline
    ):
        baseline = X[4] if baseline == "array" else baseline

        maps = explain(name, linear, X, 1, signed=True, baseline=baseline)

        expected = (X - baseline) * linear.weight_of(1)
        np.testing.assert_allclose(maps, expected, atol=1e-5)

    def test_saliency_is_the_weight(self, linear, X):
        signed = explain("saliency", linear, X, 1, signed=True)

        np.testing.assert_allclose(signed[0], linear.weight_of(1), atol=1e-6)
        np.testing.assert_allclose(explain("saliency", linear, X, 1), abs(signed))

    def test_input_x_gradient_is_exact(self, linear, X):
        maps = explain("input_x_gradient", linear, X, 1, signed=True)

        np.testing.assert_allclose(maps, X * linear.weight_of(1), atol=1e-6)

    def test_gradient_shap_is_the_mean_over_baselines(self, linear, X):
        one = explain("gradient_shap", linear, X, 1, signed=True, baselines=X[4:])
        np.testing.assert_allclose(one, (X - X[4]) * linear.weight_of(1), atol=1e-5)

        many = attribution.gradient_shap(
            linear, X[:1], 1, signed=True, baselines=X[3:], n_draws=4000
        )
        expected = (X[:1] - X[3:].mean(axis=0)) * linear.weight_of(1)
        np.testing.assert_allclose(many, expected, atol=0.02)

    @pytest.mark.parametrize("by_lead", [True, False])
    def test_occlusion_is_what_the_window_contributes(self, linear, X, by_lead):
        maps = attribution.occlusion(
            linear, X, 1, signed=True, window=10, by_lead=by_lead
        )

        parts = (X * linear.weight_of(1)).reshape(5, N_LEADS, 8, 10).sum(axis=3)
        if not by_lead:
            parts = parts.sum(axis=1, keepdims=True)
        expected = np.broadcast_to(parts[..., None], (5, parts.shape[1], 8, 10))
        expected = np.broadcast_to(expected.reshape(5, -1, N_TIMES), X.shape)
        np.testing.assert_allclose(maps, expected, atol=1e-4)

    def test_windows_that_overlap_are_averaged(self, linear, X):
        maps = attribution.occlusion(linear, X, 1, signed=True, window=20, stride=10)

        parts = (X * linear.weight_of(1)).reshape(5, N_LEADS, 8, 10).sum(axis=3)
        windows = parts[..., :-1] + parts[..., 1:]  # of 20 steps, every 10
        first, second = windows[..., :1], windows[..., 1:2]
        np.testing.assert_allclose(maps[..., 0], first[..., 0], atol=1e-4)
        mean = (first + second)[..., 0] / 2
        np.testing.assert_allclose(maps[..., 10], mean, atol=1e-4)

    def test_a_record_that_is_the_baseline_has_no_evidence(self, linear):
        zero = np.zeros((1, N_LEADS, N_TIMES), dtype=np.float32)

        assert not explain("integrated_gradients", linear, zero, 1).any()


class Bends(nn.Module):
    """Logits that rise by leaps along the path from nothing to a record."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.linear = nn.Linear(N_LEADS * N_TIMES, 64)
        self.head = nn.Linear(64, N_CLASSES)

    def forward(self, x):
        return self.head(torch.sigmoid(40 * self.linear(x.flatten(1)) - 8))


def logit(network, X, target):
    with torch.no_grad():
        return network.eval()(torch.from_numpy(X))[:, target].numpy()


class TestCompleteness:
    @pytest.fixture(params=SMALL)
    def backbone(self, request):
        return by_chance(request.param)

    def test_integrated_gradients_to_one_per_cent(self, backbone, X):
        maps, delta = attribution.integrated_gradients(
            backbone, X, 2, signed=True, return_convergence_delta=True
        )

        explained = logit(backbone, X, 2) - logit(backbone, 0 * X, 2)
        np.testing.assert_allclose(delta, maps.sum(axis=(1, 2)) - explained, atol=1e-4)
        # Of a network by chance the difference itself is next to nothing.
        assert (abs(delta) < 0.01 * abs(maps).sum(axis=(1, 2))).all()

    def test_of_a_trained_network_to_one_per_cent_of_the_difference(self, small):
        X, y, _ = bumps(120)
        clf = ERTSClassifier(**small).fit(X, y)
        network, X, y = clf.net_.module_, X[:20], y[:20]

        maps = clf.explain(X, "integrated_gradients", target=y, signed=True)

        rows = np.arange(20)
        explained = (logit(network, X, y) - logit(network, 0 * X, y))[rows, rows]
        large = abs(explained) > 1  # a difference of nothing has no per cent
        assert large.sum() > 10
        np.testing.assert_allclose(
            maps.sum(axis=(1, 2))[large], explained[large], rtol=0.01
        )

    def test_more_steps_come_closer(self, backbone, X):
        def error(n_steps):
            with incomplete_is_said():
                _, delta = attribution.integrated_gradients(
                    backbone,
                    X,
                    2,
                    n_steps=n_steps,
                    max_steps=1,
                    return_convergence_delta=True,
                )
            return abs(delta).max()

        assert error(128) < error(2)

    @pytest.mark.parametrize(("n_steps", "batch_size"), [(6, 3), (32, 256)])
    def test_integrated_gradients_of_a_bent_path_to_one_per_cent(
        self, n_steps, batch_size
    ):
        """As steep and as bent as no network is: steps are added where they count."""
        network = Bends()
        X = np.random.default_rng(0).normal(size=(4, N_LEADS, N_TIMES)).astype("f")
        maps, delta = attribution.integrated_gradients(
            network,
            X,
            2,
            signed=True,
            n_steps=n_steps,
            return_convergence_delta=True,
            batch_size=batch_size,
        )
        explained = logit(network, X, 2) - logit(network, 0 * X, 2)
        np.testing.assert_allclose(maps.sum(axis=(1, 2)), explained, rtol=0.01)
        np.testing.assert_allclose(delta, maps.sum(axis=(1, 2)) - explained, atol=1e-4)
        rough, fine = (
            attribution.integrated_gradients(
                network, X, 2, signed=True, n_steps=n, max_steps=1024
            )
            for n in (n_steps, 512)
        )
        mass = abs(fine).sum(axis=(1, 2))
        assert (abs(rough - fine).sum(axis=(1, 2)) < 0.02 * mass).all()

    def test_integrated_gradients_tell_by_how_much_they_are_off(self, X):
        with pytest.warns(IncompleteAttributionWarning) as found:
            _, delta = attribution.integrated_gradients(
                Bends(), X, 2, n_steps=8, max_steps=8, return_convergence_delta=True
            )
        explained = logit(Bends(), X, 2) - logit(Bends(), 0 * X, 2)
        share = abs(delta / explained)
        message = str(found[0].message)
        assert f"{(share > 0.01).sum()} of 5 records do not sum" in message
        assert f"off by up to {share.max():.2g} times" in message
        assert "after 8 points on the path" in message

    def test_integrated_gradients_add_steps_for_those_that_need_them(self, X):
        network, n_points = Bends(), []

        def count(_, args):
            n_points.append(len(args[0]))

        def cost(X):
            n_points.clear()
            with network.register_forward_pre_hook(count):
                attribution.integrated_gradients(network, X, 2, n_steps=8)
            return sum(n_points)

        level = np.zeros_like(X[:1])  # the baseline itself
        costs = [cost(x[np.newaxis]) for x in X]
        assert cost(level) < min(costs) < max(costs)
        assert cost(X) == sum(costs)  # however many come together

    def test_integrated_gradients_take_no_more_points_than_they_may(self, X):
        network, n_points = Bends(), []

        def cost(max_steps):
            n_points.clear()
            count = network.register_forward_pre_hook(
                lambda _, args: n_points.append(len(args[0]))
            )
            with count, incomplete_is_said():
                attribution.integrated_gradients(
                    network, X[:1], 2, n_steps=8, max_steps=max_steps
                )
            return sum(n_points)

        # Of the 8 points at first, a part of the path that is off gets 4 more a half.
        assert cost(15) == cost(8) < cost(16)

    def test_deeplift_on_rectifiers(self, X):
        network = MODELS["resnet1d"](N_LEADS, N_CLASSES, width=4)
        network(torch.randn(16, N_LEADS, N_TIMES))

        maps = attribution.deeplift(network, X, 2, signed=True)

        explained = logit(network, X, 2) - logit(network, 0 * X, 2)
        np.testing.assert_allclose(maps.sum(axis=(1, 2)), explained, rtol=1e-3)

    @pytest.mark.parametrize("names", [["relu"], ["pool"], ["relu", "pool"]])
    def test_deeplift_names_what_is_called_twice(self, X, names):
        class Twice(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.ModuleDict({"relu": nn.ReLU()})
                self.features["pool"] = nn.MaxPool1d(2)
                self.one, self.two = nn.Conv1d(N_LEADS, 8, 5), nn.Conv1d(8, 8, 5)
                self.rest, self.linear = nn.Dropout(), nn.Linear(8, N_CLASSES)

            def forward(self, x):
                for convolution in (self.one, self.two):
                    x = self.rest(convolution(x))
                    for name in names:
                        x = self.features[name](x)
                return self.linear(x.mean(dim=-1))

        network = Twice()
        named = ", ".join(f"'features.{name}'" for name in names)
        message = f"deeplift needs .* Got {named} of Twice, .* use integrated_gradients"
        with pytest.raises(ValueError, match=message):
            attribution.deeplift(network, X, 2)
        assert not any(part._forward_hooks for part in network.modules())
        attribution.integrated_gradients(network, X, 2)

    def test_deeplift_promises_a_hundredth_of_the_difference(self, X):
        """Not of all evidence, for and against: that may be many times as much."""

        class Opposed(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(N_TIMES, N_CLASSES)

            def forward(self, x):
                bent = x[:, 0] + 0.3 * torch.sin(3 * x[:, 0])  # no module, no rule
                return self.linear(bent + 50 * x[:, 1] - 50 * x[:, 2])

        balanced = X.copy()
        balanced[:, 2] = balanced[:, 1]
        with pytest.warns(IncompleteAttributionWarning, match="5 of 5 records: Opp"):
            attribution.deeplift(Opposed(), balanced, 2)

    def test_deeplift_tells_where_it_has_no_rule(self, X):
        class Functional(nn.Module):
            def __init__(self):
                super().__init__()
                self.convolution = nn.Conv1d(N_LEADS, 8, 5)
                self.linear = nn.Linear(8, N_CLASSES)

            def forward(self, x):
                z = nn.functional.relu(self.convolution(x) - 0.3)
                return self.linear(z.mean(dim=-1))

        with pytest.warns(IncompleteAttributionWarning, match="5 of 5 records: Func"):
            attribution.deeplift(Functional(), X, 2)

    def test_hirescam_adds_up_where_the_head_has_no_pooling(self, X):
        class Flat(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.Conv1d(N_LEADS, 6, 5, padding=2)
                self.head = nn.Sequential(
                    nn.Flatten(), nn.Linear(6 * N_TIMES, N_CLASSES, bias=False)
                )

            def forward(self, x):
                return self.head(self.features(x))

        network = Flat()

        maps = attribution.hirescam(network, X, 2, signed=True)
        averaged = attribution.gradcam(network, X, 2, signed=True)

        np.testing.assert_allclose(maps.sum(axis=1), logit(network, X, 2), rtol=1e-4)
        assert not np.allclose(maps, averaged, atol=1e-3)


def test_gradient_shap_draws_by_its_seed(X):
    network = MODELS["resnet1d"](N_LEADS, N_CLASSES, width=4)
    network(torch.randn(16, N_LEADS, N_TIMES))

    def draw(**params):
        return explain("gradient_shap", network, X, 1, **params)

    first = draw()
    np.random.seed(7)  # noqa: NPY002 - captum draws from NumPy's global generator
    np.testing.assert_array_equal(first, draw(random_state=0))
    assert not np.allclose(first, draw(random_state=1))
    assert not np.allclose(first, draw(noise=1.0))


def test_gradcam_plus_plus_by_hand():
    class Two(nn.Module):
        """One channel for the class, one against it, two steps each."""

        def __init__(self):
            super().__init__()
            self.features = nn.Identity()
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False))
            self.head[1].weight.data = torch.tensor([[2.0, 1.0, -1.0, -3.0]])

        def forward(self, x):
            return self.head(self.features(x))

    x = np.array([[[3.0, 1.0], [5.0, 1.0]]], dtype=np.float32)

    maps = attribution.gradcam_plus_plus(Two(), x, 0, resample=False)

    # alpha = g^2 / (2 g^2 + 4 g^3) = 1 / (2 + 4 g) for the first channel, whose sum
    # over time is 4; the second has no positive gradient.
    weight = 2 / (2 + 4 * 2) + 1 / (2 + 4 * 1)
    np.testing.assert_allclose(maps, [[3 * weight, weight]], rtol=1e-6)


def test_guided_gradcam_is_the_product_of_its_parts(X):
    torch.manual_seed(0)
    network = MODELS["resnet1d"](N_LEADS, N_CLASSES, width=4)
    network(torch.randn(16, N_LEADS, N_TIMES))

    target = 1
    network.head.linear.weight.data[target, ::2] = 1.0
    network.head.linear.weight.data[target, 1::2] = -1.0
    maps = attribution.guided_gradcam(network, X, target, signed=True)

    attention = attribution.gradcam(network, X, target)
    assert (attention > 0).any()
    assert (attention == 0).any()
    is_zero = np.broadcast_to((attention == 0)[:, None], maps.shape)
    assert not maps[is_zero].any()
    # Guided backpropagation itself: what is left when attention is divided out.
    guided = maps / np.where(attention == 0, 1, attention)[:, None]
    plain = attribution.saliency(network, X, target, signed=True)
    assert not np.allclose(guided[~is_zero], plain[~is_zero], atol=1e-4)


def test_guided_gradcam_refuses_a_network_without_rectifiers(X):
    with pytest.raises(ValueError, match="Linear holds no torch.nn.ReLU"):
        attribution.guided_gradcam(Linear(), X)


def test_intrinsic_maps_are_the_contributions(X):
    network = Contributing(nn.Identity())

    maps = attribution.intrinsic(network, X, 2, signed=True)

    expected = X * network.weight[2].detach().numpy()
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    np.testing.assert_allclose(
        maps.sum(axis=(1, 2)) + 1, logit(network, X, 2), rtol=1e-4
    )


def test_intrinsic_refuses_what_does_not_explain_itself(X):
    with pytest.raises(ValueError, match="contributions.*Linear has none"):
        attribution.intrinsic(Linear(), X)

    class Wrong(Contributing):
        def contributions(self, x):
            return x[:, :1]

        def forward(self, x):
            return x.sum(dim=2)

    message = r"Wrong.contributions must .* \(5, 3, 3, 80\), or .* Got \(5, 1, 80\)"
    with pytest.raises(ValueError, match=message):
        attribution.intrinsic(Wrong(nn.Identity()), X)


class TestBadInput:
    @pytest.fixture
    def fitted(self, X):
        clf = ERTSClassifier(
            "resnet1d", module__width=4, max_epochs=1, random_state=0, verbose=0
        )
        return clf.fit(np.concatenate([X] * 2), np.arange(10) % 2)

    @pytest.mark.parametrize(
        ("method", "params", "message"),
        [
            ("grad_cam", {}, "named 'grad_cam'. Did you mean 'gradcam'"),
            ("gradcam++", {}, r"named 'gradcam\+\+'. Did you mean 'gradcam_plus_plus'"),
            (3, {}, "given by its name. Got an object of type int"),
            ("gradcam", {"steps": 3}, "'gradcam' has no parameter 'steps'"),
            ("saliency", {"steps": 3}, "no parameter 'steps'. It has none"),
            ("integrated_gradients", {"step": 3}, "Did you mean 'n_steps'"),
            ("integrated_gradients", {"n_steps": 0}, "'n_steps' .* of integrated_gr"),
            ("integrated_gradients", {"n_steps": 2.5}, "whole number.*Got 2.5"),
            ("gradient_shap", {"n_draws": True}, "'n_draws' .* Got True"),
            ("occlusion", {"window": -1}, "'window' parameter of occlusion"),
            ("integrated_gradients", {"baseline": np.ones(7)}, r"\(3, 80\). Got .*7"),
            ("deeplift", {"baseline": np.nan}, "'baseline' parameter of deeplift"),
            (
                "gradient_shap",
                {"baselines": np.zeros((2, 80))},
                "baselines.*gradient_s",
            ),
            ("intrinsic", {}, "ResNet1d has none; use another method"),
        ],
    )
    def test_the_message_says_what_to_do(self, fitted, X, method, params, message):
        with pytest.raises(ValueError, match=message):
            fitted.explain(X, method, **params)

    def test_the_missing_extra_is_named(self, fitted, X, monkeypatch):
        hide(monkeypatch, "captum")

        assert fitted.explain(X).shape == (5, N_TIMES)
        with pytest.raises(ImportError, match=r'pip install "sk-erts\[attribution\]"'):
            fitted.explain(X, "saliency")

    def test_the_cam_layer_is_that_of_the_estimator(self, X):
        network = MODELS["resnet1d"](N_LEADS, N_CLASSES, width=4)

        own = make_method("gradcam", network, "features.3", {})
        given = make_method("gradcam", network, "features.3", {"layer": "features.4"})

        assert own.cam.layer == "features.3"
        assert given.cam.layer == "features.4"


def test_a_bar_counts_the_records_of_a_long_explanation(X, monkeypatch):
    bars = []

    class Bar(_explain.tqdm):
        def __init__(self, **params):
            super().__init__(**params)
            bars.append((self, params))

    monkeypatch.setattr(_explain, "tqdm", Bar)
    network = MODELS["resnet1d"](N_LEADS, N_CLASSES, width=4)

    attribution.gradcam(network, X, verbose=True, batch_size=2)
    attribution.gradcam(network, X, batch_size=2)

    (shown, params), (_, silent) = bars
    assert (shown.total, params["delay"]) == (5, 1)
    assert silent["disable"]
