import numpy as np
import pytest
import torch

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import LSTM1d
from sk_erts.models._lstm1d import POOLINGS


def classifier(**params):
    return ERTSClassifier(
        "lstm1d",
        **{
            "module__hidden": 16,
            "max_epochs": 8,
            "lr": 0.01,
            "batch_size": 32,
            "warmup_epochs": (4, 1),
            "random_state": 0,
            "verbose": 0,
            **params,
        },
    )


def test_learns_synthetic_records_in_a_short_training():
    task = {"n_leads": 2, "duration_s": 3, "classes": ["NORM", "BBB", "PVC"]}
    X, y = make_ecg(300, random_state=0, **task)
    X_test, y_test = make_ecg(150, random_state=1, **task)
    clf = classifier(data_dropout=None, focus=None).fit(X, y)
    assert clf.score(X_test, y_test) > 0.9  # a third by chance


class TestPooling:
    X = torch.randn(3, 2, 64, generator=torch.Generator().manual_seed(0))

    def network(self, pooling, **params):
        torch.manual_seed(0)
        return LSTM1d(2, 3, hidden=4, pooling=pooling, **params).eval()

    @pytest.mark.parametrize("bidirectional", [True, False])
    def test_the_last_state_is_what_the_recurrence_returns_as_such(self, bidirectional):
        network = self.network("last", bidirectional=bidirectional)
        recurrence = network.features
        z = torch.relu(recurrence.norm(recurrence.convolution(self.X)))
        _, (last, _) = recurrence.lstm(z.transpose(1, 2))  # (directions, n, hidden)
        expected = network.head.linear(last.transpose(0, 1).flatten(1))
        torch.testing.assert_close(network(self.X), expected)

    def test_attention_weighs_the_steps_of_each_record(self):
        network = self.network("attention")
        lengths = torch.tensor([64, 40, 9])
        steps = network.feature_lengths(lengths)
        z = network.features(self.X, lengths)
        weights = network.head.weights(z, steps)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
        assert all((own[n:] == 0).all() for own, n in zip(weights, steps, strict=True))
        assert (weights[0].max() - weights[0].min()) > 0
        mean = torch.einsum("nct,nt->nc", z, weights)
        expected = network.head.linear(mean)
        torch.testing.assert_close(network(self.X, lengths), expected)

    def test_with_equal_scores_attention_is_the_mean(self):
        mean, attention = self.network("mean"), self.network("attention")
        attention.features.load_state_dict(mean.features.state_dict())
        attention.head.linear.load_state_dict(mean.head.linear.state_dict())
        torch.nn.init.zeros_(attention.head.score.weight)
        torch.testing.assert_close(attention(self.X), mean(self.X))

    def test_without_the_mean_candidates_are_judged_by_probabilities(self):
        X, y = make_ecg(24, 2, duration_s=2, classes=["NORM", "BBB"], random_state=0)
        params = {"module__hidden": 4, "max_epochs": 3, "warmup_epochs": 1}
        for pooling, judged in (("mean", "evidence"), ("last", "reliability")):
            params["looks__first_step"] = 0
            clf = classifier(module__pooling=pooling, **params).fit(X, y)
            assert judged in clf.selection_.judged_by[-1]
            assert clf.explain(X).shape == (24, 200)

    def test_dropout_goes_before_the_last_layer(self):
        for pooling in POOLINGS:
            network = self.network(pooling, dropout=0.5)
            assert torch.equal(network(self.X), network(self.X))
            assert not torch.equal(network.train()(self.X), network(self.X))

    @pytest.mark.parametrize("pooling", ["max", None, 3, ["mean"]])
    def test_no_other_is_known(self, pooling):
        with pytest.raises(ValueError, match=r"'pooling' parameter of LSTM1d .*'last'"):
            LSTM1d(2, 3, pooling=pooling)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_records_of_different_lengths(pooling):
    X, y = make_ecg(24, 2, duration_s=3, classes=["NORM", "BBB"], random_state=0)
    lengths = np.resize([300, 211, 97, 16], len(X))
    cut = [x[:, :n] for x, n in zip(X, lengths, strict=True)]
    clf = classifier(module__hidden=4, max_epochs=2, module__pooling=pooling)
    clf.fit(cut, y)
    together = clf.predict_proba(cut)
    for record, proba in zip(cut, together, strict=True):
        np.testing.assert_allclose(clf.predict_proba([record])[0], proba, atol=1e-6)
    assert [len(own) for own in clf.explain(cut)] == lengths.tolist()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_has_no_part_in_a_training_step(pooling):
    x = torch.randn(3, 2, 64, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([64, 40, 9])

    def step(n_padded, behind):
        torch.manual_seed(0)
        network = LSTM1d(2, 3, hidden=4, n_layers=2, pooling=pooling)
        padded = torch.full((3, 2, n_padded), behind)
        padded[:, :, :64] = x
        for record, n in zip(padded, lengths, strict=True):
            record[:, n:] = behind
        network(padded, lengths).square().sum().backward()
        return [*(p.grad for p in network.parameters()), *network.buffers()]

    for short, long in zip(step(64, 0.0), step(100, 7.0), strict=True):
        torch.testing.assert_close(short, long)


def test_feature_maps_are_zero_behind_a_record():
    network = LSTM1d(2, 3, hidden=4)
    lengths = torch.tensor([60, 41, 3])
    z = network.features(torch.randn(3, 2, 60), lengths)
    steps = network.feature_lengths(lengths)
    assert steps.tolist() == [15, 11, 1]
    for own, end in zip(z, steps, strict=True):
        assert own[:, end:].abs().sum() == 0
        assert own[:, end - 1].abs().sum() > 0


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        ({}, (2, 128, 250)),
        ({"hidden": 8, "stride": 8}, (2, 16, 125)),
        ({"hidden": 8, "bidirectional": False, "stride": 1}, (2, 8, 1000)),
        ({"hidden": 8, "n_layers": 2, "stride": 9}, (2, 16, 112)),
    ],
)
def test_features_have_a_step_in_each_stride(params, shape):
    network = LSTM1d(1, 2, **params)
    assert network.features(torch.zeros(2, 1, 1000)).shape == shape
    assert network.features.lstm.num_layers == params.get("n_layers", 1)


def test_one_direction_does_not_know_what_comes():
    x = torch.randn(1, 1, 80)
    changed = x.clone()
    changed[:, :, 60:] += 1
    for bidirectional in (False, True):
        network = LSTM1d(1, 2, hidden=4, bidirectional=bidirectional).eval()
        before, after = network.features(x), network.features(changed)
        same = torch.equal(before[:, :, :10], after[:, :, :10])
        assert same is not bidirectional


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden": 0}, "'hidden' .* of LSTM1d must be an int of at least 1. Got 0"),
        ({"n_layers": 0}, "'n_layers' .* at least 1"),
        ({"stride": 0}, "'stride' .* at least 1"),
        ({"kernel_size": 4}, "'kernel_size' .* must be odd"),
        ({"stride": 11}, "'stride' .* at most 'kernel_size', 9. Got 11"),
    ],
)
def test_wrong_sizes_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        LSTM1d(n_leads=1, n_classes=2, **params)
