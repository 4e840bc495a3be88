"""Weights of networks, out and in."""

import copy
import json
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from sklearn.base import clone
from torch import nn

from sk_erts import ERTSClassifier, __version__
from sk_erts._network.normalisation import has_statistics, renewed_statistics
from sk_erts.exceptions import WeightsError, WeightsWarning
from sk_erts.models import (
    AttentionRegularised,
    PooledLinear,
    ResNet1d,
    load_weights,
    save_weights,
)
from sk_erts.models._made_with import made_with
from sk_erts.models._registry import MODELS
from tests.conftest import bumps
from tests.models.tiny import TINY, make_tiny


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.safetensors"


def settled(network):
    """Return a network whose statistics are not those of a new one."""
    n_leads = made_with(network)["n_leads"]
    with renewed_statistics(network):
        network(torch.randn(16, n_leads, 100) + 3)
    return network


def small_resnet(n_leads=12, n_classes=5, **params):
    return settled(ResNet1d(n_leads, n_classes, width=4, blocks=(1, 1), **params))


def bits(state):
    return {name: (own.dtype, own.numpy().tobytes()) for name, own in state.items()}


def metadata(path):
    with safe_open(path, framework="pt") as file:
        return file.metadata()


def rewritten(path, **changes):
    """Write the same tensors with other text."""
    told = {**metadata(path), **changes}
    told = {name: value for name, value in told.items() if value is not None}
    save_file(load_file(path), path, metadata=told)


class Own(nn.Module):
    """A network of a user."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Conv1d(n_leads, 4, 3)
        self.head = PooledLinear(4, n_classes)

    def forward(self, x):
        return self.head(self.features(x))


@pytest.mark.parametrize("name", MODELS)
def test_a_network_comes_back_bit_by_bit_with_all_its_parameters(name, path):
    torch.manual_seed(0)
    network = settled(make_tiny(name, 2))
    save_weights(network, path)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    back = load_weights(path)
    assert torch.equal(torch.get_rng_state(), before)
    assert type(back) is type(network)
    assert back.training
    assert made_with(back) == made_with(network)
    assert {k: made_with(back)[k] for k in ("n_leads", "n_classes")} == {
        "n_leads": 2,
        "n_classes": 3,
    }
    assert bits(back.state_dict()) == bits(network.state_dict())
    x = torch.randn(4, 2, 100)
    with torch.no_grad():
        assert torch.equal(back.eval()(x), network.eval()(x))


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_noted_however_they_are_given(name):
    network = MODELS[name](n_classes=3, n_leads=2, **TINY[name])
    noted = made_with(network)
    assert noted == made_with(make_tiny(name, 2))
    assert noted == json.loads(json.dumps(noted))
    assert made_with(copy.deepcopy(network)) == noted
    assert made_with(pickle.loads(pickle.dumps(network))) == noted


def test_a_network_registered_as_a_preset_notes_its_own_parameters():
    assert "blocks" not in made_with(make_tiny("resnet1d18", 2))


def test_the_file_tells_what_the_network_is_made_with(path):
    save_weights(small_resnet(), path, about={"trained on": ["PTB-XL"]})
    told = metadata(path)
    assert told["network"] == '"resnet1d"'
    parameters = json.loads(told["parameters"])
    assert parameters["n_leads"] == 12
    assert parameters["blocks"] == [1, 1]
    assert parameters["kernel_size"] == 7
    assert json.loads(told["about"]) == {"trained on": ["PTB-XL"]}
    assert told["sk_erts"] == __version__
    assert told["format"] == "pt"


def test_a_backbone_that_is_a_registered_class_is_known_by_its_name(path):
    params = {"width": 4, "blocks": (1,)}
    network = AttentionRegularised(2, 3, ResNet1d, params)
    save_weights(network, path)
    assert json.loads(metadata(path)["parameters"])["backbone"] == "resnet1d"
    assert bits(load_weights(path).state_dict()) == bits(network.state_dict())


def test_double_precision_is_kept(path):
    network = small_resnet().double()
    save_weights(network, path)
    assert bits(load_weights(path).state_dict()) == bits(network.state_dict())


def test_weights_that_share_memory_are_written(path):
    network = Own(2, 3)
    network.again = network.head
    save_weights(network, path)
    other = copy.deepcopy(network)
    nn.init.zeros_(other.head.linear.weight)
    filled = load_weights(path, other)
    assert bits(filled.state_dict()) == bits(network.state_dict())


class TestOtherSizes:
    def test_what_fits_is_kept_and_what_does_not_is_told_once(self, path):
        network = small_resnet()
        save_weights(network, path)
        with pytest.warns(WeightsWarning) as told:
            other = load_weights(path, n_leads=1, n_classes=3)
        assert len(told) == 1
        message = str(told[0].message)
        assert "head.linear.weight: (5, 8) in the file, (3, 8) here" in message
        assert "features.0.weight: (4, 12, 7) in the file, (4, 1, 7) here" in message
        assert str(path) in message
        anew = {"features.0.weight", "head.linear.weight", "head.linear.bias"}
        assert f"{len(anew)} of {len(network.state_dict())} tensors" in message
        before, after = network.state_dict(), other.state_dict()
        assert bits({k: v for k, v in after.items() if k not in anew}) == bits(
            {k: v for k, v in before.items() if k not in anew}
        )
        assert other(torch.randn(2, 1, 50)).shape == (2, 3)

    def test_what_begins_anew_is_drawn_from_torch(self, path):
        save_weights(small_resnet(), path)
        heads = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            with pytest.warns(WeightsWarning):
                network = load_weights(path, n_classes=3)
            heads.append(network.head.linear.weight)
        assert torch.equal(heads[0], heads[1])
        assert not torch.equal(heads[0], heads[2])

    def test_the_same_sizes_are_no_change(self, path):
        network = small_resnet()
        save_weights(network, path)
        same = load_weights(path, n_leads=12, n_classes=5)
        assert bits(same.state_dict()) == bits(network.state_dict())

    def test_sizes_that_are_none_are_refused(self, path):
        save_weights(small_resnet(), path)
        with pytest.raises(ValueError, match="'n_leads' .* load_weights .* Got 0"):
            load_weights(path, n_leads=0)

    def test_a_module_has_its_own_sizes(self, path):
        save_weights(Own(2, 3), path)
        with pytest.raises(ValueError, match="'n_classes' .* 'module' is given"):
            load_weights(path, Own(2, 3), n_classes=3)


class TestForeignNetworks:
    def test_a_foreign_network_is_filled_and_not_changed(self, path):
        network, other = Own(2, 3), Own(2, 3)
        before = bits(other.state_dict())
        save_weights(network, path)
        filled = load_weights(path, other)
        assert bits(filled.state_dict()) == bits(network.state_dict())
        assert bits(other.state_dict()) == before

    def test_it_must_be_given(self, path):
        save_weights(Own(2, 3), path)
        message = r"w\.safetensors names no network.*test_weights\.Own\..*'module'"
        with pytest.raises(WeightsError, match=message):
            load_weights(path)

    def test_a_class_is_no_module(self, path):
        save_weights(Own(2, 3), path)
        with pytest.raises(ValueError, match="and no class. Got Own"):
            load_weights(path, Own)

    def test_a_class_that_inherits_from_a_registered_one_is_foreign(self, path):
        class Mine(ResNet1d):
            pass

        save_weights(Mine(2, 3, width=4, blocks=(1,)), path)
        with pytest.raises(WeightsError, match="names no network"):
            load_weights(path)

    def test_a_network_made_of_what_is_no_text_is_foreign(self, path):
        network = AttentionRegularised(2, 3, lambda **kw: Own(**kw))
        save_weights(network, path)
        with pytest.raises(WeightsError, match="of .*AttentionRegularised"):
            load_weights(path)
        assert bits(load_weights(path, network).state_dict()) == bits(
            network.state_dict()
        )

    def test_tensors_without_text_fill_a_network_too(self, path):
        network = Own(2, 3)
        save_file(network.state_dict(), path)
        with pytest.raises(WeightsError, match="another tool"):
            load_weights(path)
        filled = load_weights(path, Own(2, 3))
        assert bits(filled.state_dict()) == bits(network.state_dict())

    def test_what_is_there_on_one_side_only_is_told(self, path):
        network, other = Own(2, 3), Own(2, 3)
        network.a, other.b = nn.Linear(1, 1, bias=False), nn.Linear(1, 2, bias=False)
        save_weights(network, path)
        with pytest.warns(WeightsWarning) as told:
            load_weights(path, other)
        message = str(told[0].message)
        assert "a.weight: (1, 1) in the file, none here" in message
        assert "b.weight: none in the file, (2, 1) here" in message

    def test_nothing_that_fits_is_an_error(self, path):
        save_weights(Own(2, 3), path)
        with pytest.raises(WeightsError, match="nothing that fits Linear"):
            load_weights(path, nn.Linear(3, 2))


class TestDamage:
    @pytest.mark.parametrize("length", [0, 5, 200, -1])
    def test_a_file_cut_short(self, path, length):
        save_weights(small_resnet(), path)
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(WeightsError, match=r"w\.safetensors is no whole file"):
            load_weights(path)

    def test_a_pickle_is_not_read(self, path):
        torch.save(small_resnet().state_dict(), path)
        with pytest.raises(WeightsError, match=r"w\.safetensors .* torch\.save"):
            load_weights(path)

    def test_no_file(self, path):
        with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
            load_weights(path)

    def test_shapes_that_are_not_those_of_the_network(self, path):
        save_weights(small_resnet(), path)
        parameters = json.loads(metadata(path)["parameters"]) | {"width": 8}
        rewritten(path, parameters=json.dumps(parameters))
        message = (
            r"w\.safetensors does not hold .*'resnet1d'.*features\.0\.weight: "
            r"\(4, 12, 7\) in the file, \(8, 12, 7\) here"
        )
        with pytest.raises(WeightsError, match=message):
            load_weights(path, n_classes=3)

    def test_sizes_beyond_all_memory_are_only_compared(self, path):
        save_weights(small_resnet(), path)
        parameters = json.loads(metadata(path)["parameters"]) | {"width": 2**24}
        rewritten(path, parameters=json.dumps(parameters))
        with pytest.raises(WeightsError, match="in the file"):
            load_weights(path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"network": '"resnet"'}, f"'resnet', .* mean 'resnet1d'.* {__version__}"),
            ({"network": '"os.system"'}, "'os.system', which is not registered"),
            ({"network": "3"}, "'network' that must be of type str. Got 3"),
            ({"network": "{"}, "'network' that is no JSON"),
            ({"parameters": "[1]"}, "'parameters' that must be of type dict"),
            ({"parameters": '{"n_leads": 12}'}, "cannot be made: .*n_classes"),
            ({"parameters": '{"n_leads": 12, "n_classes": "a"}'}, "Got 'a'"),
            ({"parameters": '{"n_leads": 1, "n_classes": 1, "x": 1}'}, "'x'"),
        ],
    )
    def test_text_that_is_not_what_it_must_be(self, path, changes, message):
        save_weights(small_resnet(), path)
        rewritten(path, **changes)
        with pytest.raises(WeightsError, match=message) as told:
            load_weights(path)
        assert str(path) in str(told.value)

    def test_about_that_is_no_json(self, path):
        with pytest.raises(ValueError, match="'about' parameter of save_weights"):
            save_weights(small_resnet(), path, about={"a": object()})

    def test_a_state_that_is_no_tensors(self, path):
        class Odd(Own):
            def get_extra_state(self):
                return {"a": 1}

        with pytest.raises(ValueError, match="tensors alone. Got '_extra_state'"):
            save_weights(Odd(2, 3), path)


class TestFreeze:
    @pytest.fixture
    def frozen(self, path):
        save_weights(small_resnet(n_leads=2, n_classes=5), path)
        with pytest.warns(WeightsWarning):
            return load_weights(path, n_classes=3, freeze="features")

    @staticmethod
    def features(network):
        return bits({k: v for k, v in network.state_dict().items() if "features" in k})

    def test_the_head_alone_wants_gradients(self, frozen):
        trained = [k for k, own in frozen.named_parameters() if own.requires_grad]
        assert trained == ["head.linear.weight", "head.linear.bias"]

    def test_statistics_stay_and_are_not_estimated_anew(self, frozen):
        before = self.features(frozen)
        frozen.train()
        assert not has_statistics(frozen)
        frozen(torch.randn(8, 2, 50) + 5)
        with renewed_statistics(frozen) as renews:
            frozen(torch.randn(8, 2, 50) + 5)
        assert not renews
        assert self.features(frozen) == before

    @pytest.mark.parametrize(
        "copied",
        [
            copy.deepcopy,
            lambda network: pickle.loads(pickle.dumps(network)),
            lambda network: clone(ERTSClassifier(network)).module,
        ],
    )
    def test_copies_keep_it(self, frozen, copied):
        other = copied(frozen)
        before = self.features(other)
        other.train()(torch.randn(8, 2, 50) + 5)
        assert self.features(other) == before
        assert other.features[1].running_mean is not frozen.features[1].running_mean
        assert [own.requires_grad for own in other.parameters()] == [
            own.requires_grad for own in frozen.parameters()
        ]

    @pytest.mark.parametrize("lengths", [None, (64, 50)])
    @pytest.mark.parametrize("params", [{}, {"early_stopping": "best"}])
    def test_a_fit_leaves_it_bit_by_bit(self, frozen, lengths, params):
        X, y, _ = bumps(96)
        if lengths is not None:
            X = [x[:, : lengths[k % 2]] for k, x in enumerate(X)]
        before = self.features(frozen)
        head = frozen.head.linear.weight.detach().clone()
        clf = ERTSClassifier(
            frozen, max_epochs=6, batch_size=16, lr=0.01, random_state=0, verbose=0
        ).set_params(data_dropout="srd", warmup_epochs=1, looks__first_step=0, **params)
        clf.fit(X, y)
        assert self.features(clf.net_.module_) == before
        assert self.features(frozen) == before
        assert not torch.equal(clf.net_.module_.head.linear.weight, head)
        assert clf.effective_epochs_ < 6  # there was a probe, which renews statistics

    def test_without_it_all_of_the_network_is_trained(self, path):
        network = small_resnet(n_leads=2, n_classes=3)
        save_weights(network, path)
        X, y, _ = bumps(64)
        clf = ERTSClassifier(load_weights(path), max_epochs=2, random_state=0)
        clf.set_params(verbose=0).fit(X, y)
        before, after = network.state_dict(), clf.net_.module_.state_dict()
        for name in set(after) - {k for k in after if "num_batches" in k}:
            assert not torch.equal(after[name], before[name]), name

    def test_the_network_it_ends_with_is_written_and_read_like_any_other(
        self, frozen, path
    ):
        save_weights(frozen, path)
        back = load_weights(path)
        assert bits(back.state_dict()) == bits(frozen.state_dict())
        assert all(own.requires_grad for own in back.parameters())
        assert has_statistics(back)

    def test_a_part_that_begins_anew_is_trained(self, path):
        save_weights(small_resnet(), path)
        with pytest.warns(WeightsWarning):
            network = load_weights(path, n_leads=1, freeze="features")
        trained = [k for k, own in network.named_parameters() if own.requires_grad]
        assert trained == [
            "features.0.weight",
            "head.linear.weight",
            "head.linear.bias",
        ]

    def test_several_parts(self, path):
        save_weights(small_resnet(), path)
        network = load_weights(path, freeze=["features.0", "features.1", "head"])
        frozen = [k for k, own in network.named_parameters() if not own.requires_grad]
        assert frozen == [
            "features.0.weight",
            "features.1.weight",
            "features.1.bias",
            "head.linear.weight",
            "head.linear.bias",
        ]
        network.train()
        assert [network.features[1].training, network.features[3].training] == [
            False,
            True,
        ]

    @pytest.mark.parametrize(
        ("freeze", "message"),
        [
            ("feature", "'feature' instead. Did you mean 'features'"),
            ([], "list of them. Got \\[\\]"),
            ([3], "list of them. Got \\[3\\]"),
            (["features", "head"], "leave something of ResNet1d to train"),
        ],
    )
    def test_what_cannot_be_frozen_is_refused(self, path, freeze, message):
        save_weights(small_resnet(), path)
        with pytest.raises(ValueError, match=message):
            load_weights(path, freeze=freeze)

    @pytest.mark.parametrize("name", MODELS)
    def test_every_network_can_be_frozen_but_for_its_last_layer(self, name, path):
        network = settled(make_tiny(name, 2))
        save_weights(network, path)
        *others, last = [child for child, _ in network.named_children()]
        frozen = load_weights(path, freeze=others)
        loss = nn.functional.mse_loss
        optimizer = torch.optim.AdamW(frozen.train().parameters(), lr=0.1)
        output = frozen(torch.randn(8, 2, 60))
        logits = output if isinstance(output, torch.Tensor) else output[0]
        loss(logits, torch.ones(8, 3)).backward()
        optimizer.step()
        before, after = bits(network.state_dict()), bits(frozen.state_dict())
        changed = {key for key in after if after[key] != before[key]}
        assert changed
        assert all(key.startswith(f"{last}.") for key in changed)


def test_the_example_of_the_documentation_learns(path):
    """Weights of another task are a beginning for one with fewer leads and classes."""
    X, y, _ = bumps(96, n_leads=3, n_classes=4)
    params = {"max_epochs": 8, "batch_size": 16, "lr": 0.01, "random_state": 0}
    first = ERTSClassifier(
        module__width=8, module__blocks=(1, 1), verbose=0, **params
    ).fit(X, y)
    save_weights(first.net_.module_, path)
    X, y, _ = bumps(96, n_leads=1, n_classes=3, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        torch.manual_seed(0)
        network = load_weights(path, n_leads=1, n_classes=3, freeze="features")
    clf = ERTSClassifier(network, verbose=0, **params).fit(X[:64], y[:64])
    assert np.mean(clf.predict(X[64:]) == y[64:]) > 0.6
