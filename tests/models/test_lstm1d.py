import numpy as np
import pytest
import torch

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import LSTM1d


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


def test_records_of_different_lengths():
    X, y = make_ecg(24, 2, duration_s=3, classes=["NORM", "BBB"], random_state=0)
    lengths = np.resize([300, 211, 97, 16], len(X))
    cut = [x[:, :n] for x, n in zip(X, lengths, strict=True)]
    clf = classifier(module__hidden=4, max_epochs=2, warmup_epochs=(1, 1)).fit(cut, y)
    together = clf.predict_proba(cut)
    for record, proba in zip(cut, together, strict=True):
        np.testing.assert_allclose(clf.predict_proba([record])[0], proba, atol=1e-6)
    assert [len(own) for own in clf.explain(cut)] == lengths.tolist()


def test_padding_has_no_part_in_a_training_step():
    x = torch.randn(3, 2, 64, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([64, 40, 9])

    def step(n_padded, behind):
        torch.manual_seed(0)
        network = LSTM1d(2, 3, hidden=4, n_layers=2)
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
