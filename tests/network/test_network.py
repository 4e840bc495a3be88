"""What a module can do, and what a classifier makes of it."""

import functools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sk_erts import ERTSClassifier
from sk_erts._network.network import Network, logits_of
from sk_erts._records.signals import Signals
from sk_erts.attribution import intrinsic
from sk_erts.attribution._maps import resample_maps
from sk_erts.models import LSTM1d, PooledLinear, ResNet1d
from sk_erts.selection import Status
from tests.conftest import BY_MAP, bumps

X, Y, _ = bumps(60)
SEVERAL = np.stack([Y == 0, Y > 0, Y == 2], axis=1).astype(int)
LENGTHS = [40, 33, 64, 17]
RAGGED = [x[:, : LENGTHS[i % 4]] for i, x in enumerate(X)]
WEIGHTS = np.where(np.arange(60) % 2, 3.0, 0.5)

PARAMS = {
    "max_epochs": 4,
    "warmup_epochs": 1,
    "lr": 0.01,
    "batch_size": 16,
    "confidence_threshold": 0.5,
    "looks__first_step": 0,
    "looks__precision": "float32",
    "random_state": 0,
    "verbose": 0,
    "device": "cpu",
}
STILL = {"lr": 1e-12, "optimizer": torch.optim.SGD, "max_epochs": 1}
PLAIN = {"data_dropout": None, "focus": None}


class Says(nn.Module):
    """A small network, whose logits come as `wrap` gives them."""

    wrap = staticmethod(lambda logits, z: logits)

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(n_leads, 6, 9, padding=4), nn.ReLU())
        self.head = PooledLinear(6, n_classes)

    def forward(self, x):
        z = self.features(x)
        return self.wrap(self.head(z), z)


class SaysTuple(Says):
    wrap = staticmethod(lambda logits, z: (logits, z))


class SaysList(Says):
    wrap = staticmethod(lambda logits, z: [logits, z, None])


class SaysDict(Says):
    wrap = staticmethod(lambda logits, z: {"logits": logits, "maps": z})


class HeadSaysTuple(SaysTuple):
    """Its head returns more than logits too."""

    class Head(nn.Sequential):
        def forward(self, z):
            return super().forward(z), z

    def __init__(self, n_leads, n_classes):
        super().__init__(n_leads, n_classes)
        self.head = self.Head(
            nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(6, n_classes)
        )

    def forward(self, x):
        return self.head(self.features(x))


class Explains(nn.Module):
    """One weight per class, lead and time; its maps are its logits, spread."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.n_classes = n_classes
        self.conv = nn.Conv1d(n_leads, n_leads * n_classes, 5, padding=2)

    def contributions(self, x):
        weights = self.conv(x).reshape(len(x), self.n_classes, *x.shape[1:])
        return weights * x[:, None]

    def forward(self, x):
        return self.contributions(x).sum(dim=(2, 3))


class ExplainsTime(Explains):
    def contributions(self, x):
        return super().contributions(x).sum(dim=2)

    def forward(self, x):
        return self.contributions(x).sum(dim=2)


class ExplainsSteps(ResNet1d):
    """Contributions over the steps of the features, without lengths."""

    def contributions(self, x):
        z, linear = self.features(x), self.head.linear
        return torch.einsum("nkt,ck->nct", z, linear.weight) / z.shape[-1]


class ExplainsStepsOfLengths(ResNet1d):
    """The same, for records of different lengths."""

    def contributions(self, x, lengths=None):
        z = self.features(x, lengths)
        ends = None if lengths is None else self.feature_lengths(lengths)
        n_steps = z.shape[-1] if ends is None else ends[:, None, None]
        return torch.einsum("nkt,ck->nct", z, self.head.linear.weight) / n_steps


class ExplainsSamplesOfLengths(ResNet1d):
    """Contributions over the samples of records of different lengths."""

    def contributions(self, x, lengths=None):
        behind = torch.full_like(x, 99.0)  # nobody may see it
        if lengths is not None:
            inside = torch.arange(x.shape[-1]) < lengths[:, None, None]
            x = torch.where(inside, x, behind)
        return torch.stack([x[:, 0], x[:, 1], x[:, 0] - x[:, 1]], dim=1)


class Penalised(Says):
    """Adds to the loss of each record what its features and labels say."""

    def forward(self, x):
        z = self.features(x)
        return self.head(z), z

    def penalty(self, output, codes):
        _, z = output
        of_labels = codes.double().reshape(len(codes), -1).sum(dim=1)
        return 0.5 * z.abs().mean(dim=(1, 2)) + of_labels.to(z)


class Unpenalised(Penalised):
    penalty = None


def blocks(cls):
    return (
        {"module__width": 4, "module__blocks": (1,), "module__kernel_size": 5}
        if issubclass(cls, ResNet1d)
        else {}
    )


def fitted(module, X=X, y=Y, sample_weight=None, **others):
    clf = ERTSClassifier(module, **PARAMS | blocks(module) | others)
    return clf.fit(X, y, sample_weight=sample_weight)


def of_class(module, **params):
    torch.manual_seed(0)
    return Network(module(2, 3, **params).eval())


def batch_of(lengths=None, n_padded=72):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(4, 2, n_padded, generator=generator)
    return Signals(x, None if lengths is None else torch.tensor(lengths))


class TestLogits:
    @pytest.mark.parametrize("module", [SaysTuple, SaysList, SaysDict])
    @pytest.mark.parametrize("policy", [{}, BY_MAP])
    def test_what_else_a_network_returns_changes_nothing(self, module, policy):
        plain, other = fitted(Says, **policy), fitted(module, **policy)
        np.testing.assert_array_equal(other.selection_.status, plain.selection_.status)
        np.testing.assert_array_equal(other.predict_proba(X), plain.predict_proba(X))
        np.testing.assert_array_equal(other.explain(X), plain.explain(X))
        np.testing.assert_array_equal(other.focus_score(X, Y), plain.focus_score(X, Y))
        assert other.history_[:, "train_loss"] == plain.history_[:, "train_loss"]

    def test_nor_does_it_in_validation(self):
        stops = {"early_stopping": True, "validation_fraction": 0.3}
        plain, other = fitted(Says, **stops), fitted(SaysDict, **stops)
        for name in ("valid_loss", "valid_f1"):
            assert other.history_[:, name] == plain.history_[:, name]

    def test_nor_what_else_a_head_returns(self):
        clf = fitted(HeadSaysTuple, **BY_MAP)
        assert np.isfinite(clf.explain(X)).all()
        logits, _ = Network(clf.net_.module_).look(batch_of())
        assert logits.shape == (4, 3)

    @pytest.mark.parametrize("method", ["integrated_gradients", "saliency"])
    def test_methods_that_differentiate_read_the_logits_too(self, method):
        plain, other = fitted(Says), fitted(SaysDict)
        np.testing.assert_array_equal(
            other.explain(X[:4], method), plain.explain(X[:4], method)
        )

    def test_the_first_entry(self):
        logits = torch.zeros(2, 3)
        for output in (logits, (logits, 1), [logits], {"b": logits, "a": 1}):
            assert logits_of(output) is logits

    @pytest.mark.parametrize(
        ("wrap", "got"),
        [
            (lambda logits, z: (), "Got tuple instead"),
            (lambda logits, z: {}, "Got NoneType instead"),
            (lambda logits, z: [None, logits], "Got NoneType instead"),
            (lambda logits, z: (z, logits), r"Got shape \(2, 6, 64\) instead"),
        ],
    )
    def test_something_else_in_their_place(self, wrap, got):
        class Wrong(Says):
            pass

        Wrong.wrap = staticmethod(wrap)
        with pytest.raises(ValueError, match=f"Wrong must return logits .*{got}"):
            fitted(Wrong)


class TestAnswers:
    def test_of_a_network_that_can_do_everything(self):
        network = Network(ResNet1d(2, 3, width=4))
        assert network.name == "ResNet1d"
        assert network.has_parts
        assert network.splits
        assert network.takes_lengths
        assert network.linear is network.module.head.linear
        assert not network.contributes_by_length
        assert network.device == torch.device("cpu")

    def test_of_one_that_can_do_nothing_else(self):
        network = Network(Explains(2, 3))
        assert network.name == "Explains"
        assert not network.has_parts
        assert not network.splits
        assert not network.takes_lengths
        assert network.linear is None
        assert network.penalty(None, torch.zeros(2)) is None

    def test_of_one_whose_head_has_no_closed_form(self):
        network = Network(HeadSaysTuple(2, 3))
        assert network.splits
        assert network.linear is None

    def test_another_layer_is_explained_instead_of_the_features(self):
        module = ResNet1d(2, 3, width=4)
        network = Network(module, "features.0")
        assert network.has_parts
        assert not network.splits
        assert network.linear is None
        assert Network(module, "features").splits
        assert Network(module, "features").linear is module.head.linear

    def test_lengths_need_both_a_forward_and_steps(self):
        class NoSteps(Says):
            def forward(self, x, lengths=None):
                return super().forward(x)

        class NoForward(Says):
            def feature_lengths(self, lengths):
                return lengths

        assert not Network(NoSteps(2, 3)).takes_lengths
        assert not Network(NoForward(2, 3)).takes_lengths
        assert Network(LSTM1d(2, 3, hidden=4)).takes_lengths

    def test_contributions_with_and_without_lengths(self):
        assert not of_class(ExplainsSteps, width=4).contributes_by_length
        assert of_class(ExplainsStepsOfLengths, width=4).contributes_by_length

    def test_an_unknown_layer(self):
        message = (
            r"The 'cam_layer' 'conv1' is no submodule of Explains. .* are 'conv'\."
        )
        with pytest.raises(ValueError, match=message):
            Network(Explains(2, 3), "conv1")
        with pytest.raises(ValueError, match="no submodule of Explains"):
            fitted(Explains, cam_layer="conv1")


class TestParts:
    @pytest.mark.parametrize("lengths", [None, LENGTHS])
    @pytest.mark.parametrize(
        ("module", "params"), [(ResNet1d, {"width": 4}), (LSTM1d, {"hidden": 4})]
    )
    def test_they_are_the_forward_pass(self, module, params, lengths):
        network, batch = of_class(module, **params), batch_of(lengths)
        expected = network.module(*batch.arguments)
        logits, z = network.look(batch)
        torch.testing.assert_close(network.logits(batch), expected)
        torch.testing.assert_close(logits, expected)
        assert torch.equal(z.x, network.features(batch).x)
        assert torch.equal(network.head(network.features(batch)), logits)
        steps = None if lengths is None else network.steps(batch.lengths).tolist()
        assert (None if z.lengths is None else z.lengths.tolist()) == steps

    def test_steps_of_another_layer_are_not_known(self):
        network = Network(ResNet1d(2, 3, width=4), "features.0")
        with pytest.raises(ValueError, match="'features.0' of ResNet1d cannot explain"):
            network.steps(torch.tensor([5]))

    def test_features_without_a_time_axis(self):
        class Flat(Says):
            def __init__(self, n_leads, n_classes):
                super().__init__(n_leads, n_classes)
                self.features = nn.Flatten()

        with pytest.raises(ValueError, match="Flat.features must return feature maps"):
            of_class(Flat).features(batch_of())


class TestContributions:
    def test_over_leads_and_time(self):
        clf = fitted(Explains, **PLAIN)
        maps = clf.explain(X, "intrinsic", target=2, signed=True)
        assert maps.shape == X.shape
        x = torch.from_numpy(X)
        with torch.no_grad():
            parts, logits = clf.net_.module_.contributions(x), clf.net_.module_(x)
        np.testing.assert_allclose(maps, parts[:, 2], atol=1e-6)
        np.testing.assert_allclose(
            maps.sum(axis=(1, 2)), logits[:, 2], rtol=1e-4, atol=1e-5
        )

    def test_over_time_alone(self):
        clf = fitted(ExplainsTime, **PLAIN)
        maps = clf.explain(X, "intrinsic", target=1, signed=True)
        with torch.no_grad():
            parts = clf.net_.module_.contributions(torch.from_numpy(X))
        np.testing.assert_allclose(maps, parts[:, 1], atol=1e-6)

    @pytest.mark.parametrize("module", [ExplainsSteps, ExplainsStepsOfLengths])
    def test_steps_of_the_features_are_brought_to_the_samples(self, module):
        clf = fitted(module)
        steps = clf.explain(X, "intrinsic", target=1, signed=True, resample=False)
        assert steps.shape[1] < 64
        with torch.no_grad():
            parts = clf.net_.module_.eval().contributions(torch.from_numpy(X))[:, 1]
        np.testing.assert_allclose(steps, parts, atol=1e-6)
        np.testing.assert_allclose(
            clf.explain(X, "intrinsic", target=1, signed=True),
            resample_maps(parts, 64),
            atol=1e-6,
        )

    @pytest.mark.parametrize("module", [ExplainsSteps, ExplainsStepsOfLengths])
    @pytest.mark.parametrize("resample", [False, True])
    def test_of_records_of_different_lengths(self, module, resample):
        clf = fitted(module, RAGGED)
        params = {"target": 1, "signed": True, "resample": resample}
        maps = clf.explain(RAGGED, "intrinsic", **params)
        for own, record in zip(maps, RAGGED, strict=True):
            alone = clf.explain(record[None], "intrinsic", **params)[0]
            np.testing.assert_allclose(own, alone, atol=1e-6)
            n_steps = int(
                clf.net_.module_.feature_lengths(torch.tensor(record.shape[1]))
            )
            assert len(own) == (record.shape[1] if resample else n_steps)

    def test_maps_over_samples_end_where_the_record_does(self):
        clf = fitted(ExplainsSamplesOfLengths, RAGGED)
        for resample in (False, True):
            maps = clf.explain(
                RAGGED, "intrinsic", target=0, signed=True, resample=resample
            )
            for own, record in zip(maps, RAGGED, strict=True):
                np.testing.assert_array_equal(own, record[0])

    @pytest.mark.parametrize(
        ("module", "n_calls"), [(ExplainsSteps, 8), (ExplainsStepsOfLengths, 1)]
    )
    def test_one_by_one_only_where_they_must_be(self, module, n_calls, monkeypatch):
        clf = fitted(module, RAGGED)
        seen = []
        own = type(clf.net_.module_).contributions

        @functools.wraps(own)
        def contributions(self, x, *lengths):
            seen.append(len(x))
            return own(self, x, *lengths)

        monkeypatch.setattr(module, "contributions", contributions)
        clf.explain(RAGGED[:8], "intrinsic")
        assert len(seen) == n_calls
        assert sum(seen) == 8

    @pytest.mark.parametrize(
        ("shape", "got"),
        [
            ((4, 2, 72), r"\(4, 2, 72\)"),
            ((4, 3), r"\(4, 3\)"),
            ((4, 3, 1, 72), r"\(4, 3, 1, 72\)"),
            ((4, 3, 2, 9), r"\(4, 3, 2, 9\)"),
            ((1, 3, 72), r"\(1, 3, 72\)"),
        ],
    )
    def test_wrong_shapes(self, shape, got):
        class Wrong(Says):
            def contributions(self, x):
                return torch.zeros(shape)

        message = rf"Wrong.contributions must .* = \(4, 3, 2, 72\), or .* Got {got} in"
        with pytest.raises(ValueError, match=message):
            of_class(Wrong).contributions(batch_of(), 3)
        with pytest.raises(ValueError, match=message):
            intrinsic(of_class(Wrong).module, batch_of().x.numpy())

    def test_a_network_without(self):
        with pytest.raises(ValueError, match="'intrinsic' needs .* Says has none"):
            of_class(Says).contributions(batch_of(), 3)


def by_hand(clf, X, y, sample_weight, *, penalised):
    """Return the mean loss of one whole batch, whatever the code does."""
    x, codes = torch.from_numpy(X), torch.as_tensor(y)
    weights = torch.tensor(sample_weight / sample_weight.mean())
    with torch.no_grad():
        logits, z = clf.net_.module_(x)
    if codes.ndim == 1:
        losses = functional.cross_entropy(logits, codes, reduction="none")
        of_labels = codes
    else:
        losses = functional.binary_cross_entropy_with_logits(
            logits, codes.float(), reduction="none"
        ).mean(dim=1)
        of_labels = codes.sum(dim=1)
    extra = 0.5 * z.abs().mean(dim=(1, 2)) + of_labels
    return float(((losses + penalised * extra) * weights).mean())


class TestPenalty:
    @pytest.mark.parametrize("module", [Penalised, Unpenalised])
    @pytest.mark.parametrize("y", [Y, SEVERAL], ids=["one class", "several labels"])
    @pytest.mark.parametrize("weights", [np.ones(60), WEIGHTS], ids=["even", "uneven"])
    def test_it_is_added_to_the_loss_of_each_record(self, module, y, weights):
        clf = fitted(module, y=y, sample_weight=weights, **PLAIN | STILL, batch_size=60)
        expected = by_hand(clf, X, y, weights, penalised=module is Penalised)
        loss = clf.history_[0, "train_loss"]
        assert loss == pytest.approx(expected, rel=1e-6)

    def test_the_weights_of_a_policy_count_for_it_too(self):
        """A rehearsed record stands for several."""
        params = {"data_dropout": "dbpd", "focus": None, "confidence_threshold": 0.0}
        params |= {"easy_share": 0.5, "warmup_epochs": 0}
        params |= {"looks__renewal_interval": "batch"}  # nobody fills it up
        clf = fitted(Penalised, **params | STILL, batch_size=60)
        rehearsed = clf.selection_.status[0] == Status.REHEARSED
        assert 0 < rehearsed.sum() < 60
        weight = 5.0
        expected = weight * by_hand(
            clf, X[rehearsed], Y[rehearsed], np.ones(rehearsed.sum()), penalised=True
        )
        assert clf.history_[0, "train_loss"] == pytest.approx(expected, rel=1e-6)

    def test_label_weights_count_as_their_mean(self):
        weights = {0: 1.0, 1: 2.0, 2: 6.0}
        params = PLAIN | STILL | {"batch_size": 60, "class_weight": weights}
        clf = fitted(Penalised, y=SEVERAL, **params)
        x, codes = torch.from_numpy(X), torch.from_numpy(SEVERAL).float()
        with torch.no_grad():
            logits, z = clf.net_.module_(x)
        losses = functional.binary_cross_entropy_with_logits(
            logits, codes, reduction="none"
        )
        of_label = torch.tensor([1.0, 2.0, 6.0]) / 3
        extra = 0.5 * z.abs().mean(dim=(1, 2)) + codes.sum(dim=1)
        expected = (losses * of_label).mean() + extra.mean()
        assert clf.history_[0, "train_loss"] == pytest.approx(float(expected), rel=1e-6)

    def test_it_is_in_the_validation_loss(self):
        split = {"validation_fraction": [(np.arange(40), np.arange(40, 60))]}
        params = PLAIN | STILL | split | {"early_stopping": True, "batch_size": 60}
        clf = fitted(Penalised, **params)
        expected = by_hand(clf, X[40:], Y[40:], np.ones(20), penalised=True)
        assert clf.history_[0, "valid_loss"] == pytest.approx(expected, rel=1e-6)

    def test_it_reaches_the_gradients(self):
        class Shrinks(Says):
            """Is only told to have small features."""

            def penalty(self, output, codes):
                features = sum(p.square().sum() for p in self.features.parameters())
                return 100 * features.expand(len(codes))

        def size(module):
            clf = fitted(module, **PLAIN)
            return sum(p.square().sum() for p in clf.net_.module_.features.parameters())

        assert size(Shrinks) < 0.5 * size(Says)

    def test_a_network_without_trains_as_one_that_adds_nothing(self):
        class AddsNothing(Says):
            def penalty(self, output, codes):
                return output.new_zeros(len(codes))

        np.testing.assert_array_equal(
            fitted(AddsNothing).predict_proba(X), fitted(Says).predict_proba(X)
        )

    @pytest.mark.parametrize(
        ("make", "got"),
        [
            (lambda logits: logits, r"torch.Size\(\[16, 3\]\)"),
            (lambda logits: logits.mean(), r"torch.Size\(\[\]\)"),
            (lambda logits: logits[:1, 0], r"torch.Size\(\[1\]\)"),
            (lambda logits: 0.0, "float"),
        ],
    )
    def test_wrong_shapes(self, make, got):
        class Wrong(Says):
            def penalty(self, output, codes):
                return make(output)

        message = f"Wrong.penalty must .* each of the 16 records. Got {got} instead"
        with pytest.raises(ValueError, match=message):
            fitted(Wrong)


class TestSkorch:
    """The net is one that users of skorch know, with other networks too."""

    @pytest.mark.parametrize("y", [Y, SEVERAL], ids=["one class", "several labels"])
    @pytest.mark.parametrize("module", [Says, SaysDict, Penalised])
    def test_a_loss_without_the_dictionary_of_a_batch(self, module, y):
        clf = fitted(module, y=y)
        net, x = clf.net_, torch.from_numpy(X)
        codes = torch.from_numpy(y if y.ndim == 1 else y.astype(np.float32))
        with torch.no_grad():
            output = net.module_.eval()(x)
            logits = logits_of(output)
            expected = net.criterion_(logits, codes).mean()
            if module is Penalised:
                expected = expected + net.module_.penalty(output, codes).mean()
            losses = [
                net.get_loss(output, codes),
                net.get_loss(output, codes, X=x),
                net.get_loss(output, codes, X={"X": x}),
                net.get_loss(output, codes.numpy(), X=X, training=False),
            ]
        assert losses[0].ndim == 0
        for loss in losses:
            torch.testing.assert_close(loss, expected)

    @pytest.mark.parametrize("y", [Y, SEVERAL], ids=["one class", "several labels"])
    @pytest.mark.parametrize("module", [Says, SaysTuple, SaysList, SaysDict])
    def test_it_predicts_what_the_classifier_does(self, module, y):
        clf = fitted(module, y=y)
        np.testing.assert_allclose(
            clf.net_.predict_proba(X), clf.predict_proba(X), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_array_equal(clf.net_.predict(X), clf.predict(X))
        with torch.no_grad():
            logits = logits_of(clf.net_.module_.eval()(torch.from_numpy(X)))
        torch.testing.assert_close(clf.net_.forward(X), logits)
        parts = list(clf.net_.forward_iter(X))
        torch.testing.assert_close(torch.cat(parts), logits)
