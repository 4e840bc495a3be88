"""Records of different lengths: nothing may see the padding behind the short ones."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._network.network import Network
from sk_erts._records import ragged
from sk_erts._records.ragged import by_length, padded_length
from sk_erts._records.signals import Signals
from sk_erts.attribution import GradCAM, entropy
from sk_erts.datasets import make_ecg
from sk_erts.models import PooledLinear, ResNet1d
from sk_erts.preprocessing import RemoveBaseline

LENGTHS = [300, 211, 255, 97, 300, 16]


@pytest.fixture(scope="module")
def records():
    X, y = make_ecg(
        24, n_leads=2, duration_s=3, classes=("NORM", "BBB"), random_state=0
    )
    lengths = np.resize(LENGTHS, len(X))
    return [x[:, :n] for x, n in zip(X, lengths, strict=True)], y


@pytest.fixture(scope="module")
def fitted(records):
    return make_classifier().fit(*records)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = ResNet1d(n_leads=2, n_classes=3, width=4)
    # Statistics unlike those of a new layer: only so does padding turn into numbers.
    network(torch.randn(16, 2, 400) + 3)
    return network.eval()


def make_classifier(**params):
    return ERTSClassifier(
        "resnet1d",
        **{
            "module__width": 4,
            "module__blocks": (1, 1),
            "max_epochs": 5,
            "warmup_epochs": (1, 1),
            "looks__first_step": 0,
            "lr": 0.01,
            "batch_size": 8,
            "random_state": 0,
            "verbose": 0,
            **params,
        },
    )


def batch_of(lengths, n_padded):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(len(lengths), 2, n_padded, generator=generator)
    return Signals(x, torch.tensor(lengths))


def test_a_network_does_not_see_what_stands_behind_a_record(network):
    batch = batch_of(LENGTHS, 330)

    together = Network(network).logits(batch)

    for x, n, logits in zip(batch.x, LENGTHS, together, strict=True):
        torch.testing.assert_close(network(x[None, :, :n])[0], logits)


def test_a_record_that_fills_the_tensor_needs_no_lengths(network):
    batch = batch_of([300, 300], 300)

    torch.testing.assert_close(Network(network).logits(batch), network(batch.x))


def test_feature_maps_are_zero_behind_a_record(network):
    batch = batch_of(LENGTHS, 330)

    z = network.features(batch.x, batch.lengths)

    steps = network.feature_lengths(batch.lengths)
    assert steps.tolist() == [
        len(network.features(torch.zeros(1, 2, n))[0, 0]) for n in LENGTHS
    ]
    for own, end in zip(z, steps, strict=True):
        assert own[:, end:].abs().sum() == 0
        assert own[:, end - 1].abs().sum() > 0


def test_padding_has_no_part_in_a_training_step():
    def step(n_padded, behind):
        torch.manual_seed(0)
        network = ResNet1d(2, 3, width=4).train()
        batch = batch_of(LENGTHS, 330)
        x = torch.full((len(LENGTHS), 2, n_padded), behind)
        x[:, :, :300] = batch.x[:, :, :300]
        logits = Network(network).logits(Signals(x, batch.lengths))
        nn.functional.cross_entropy(logits, torch.arange(6) % 3).backward()
        gradients = [p.grad for p in network.parameters()]
        return [*gradients, *network.buffers()]

    for short, long in zip(step(300, 0.0), step(512, 7.0), strict=True):
        torch.testing.assert_close(short, long)


def test_statistics_of_a_training_step_are_those_of_the_records_alone():
    network = ResNet1d(1, 2, width=4, blocks=(1,)).train()
    network.features[1].momentum = 1.0
    batch = Signals(torch.full((2, 1, 64), 9.0), torch.tensor([64, 10]))

    Network(network).logits(batch)

    alone = [network.features[0](batch.x[:1]), network.features[0](batch.x[1:, :, :10])]
    steps = torch.cat([z[0] for z in alone], dim=1)  # (channels, steps of both)
    torch.testing.assert_close(network.features[1].running_mean, steps.mean(dim=1))


def test_maps_are_those_of_the_record_alone_in_closed_form_and_by_autograd(network):
    batch = batch_of(LENGTHS, 330)
    direction = torch.eye(3)[[0, 1, 2, 0, 1, 2]]
    cam, by_gradient = GradCAM(network), GradCAM(network)
    by_gradient.linear = None

    _, maps = cam(batch.x, lambda _: direction, batch.lengths)
    _, same = by_gradient(batch.x, lambda _: direction, batch.lengths)

    torch.testing.assert_close(maps, same)
    ends = cam.steps(batch.lengths)
    for i, (n, end) in enumerate(zip(LENGTHS, ends, strict=True)):
        _, alone = cam(batch.x[i : i + 1, :, :n], lambda _, i=i: direction[i : i + 1])
        torch.testing.assert_close(maps[i, :end], alone[0])
        assert maps[i, end:].abs().sum() == 0


def test_results_do_not_depend_on_the_other_records(fitted, records):
    X, y = records
    proba, maps, focus = (
        fitted.predict_proba(X),
        fitted.explain(X),
        fitted.focus_score(X, y),
    )

    assert [len(own) for own in maps] == [x.shape[1] for x in X]
    for i, x in enumerate(X):
        alone = [x]
        np.testing.assert_allclose(fitted.predict_proba(alone)[0], proba[i], atol=1e-6)
        np.testing.assert_allclose(fitted.explain(alone)[0], maps[i], atol=1e-5)
        np.testing.assert_allclose(
            fitted.focus_score(alone, y[i : i + 1])[0], focus[i], atol=1e-5
        )


def test_many_records_come_back_in_their_order(fitted, records):
    X, _ = records
    many = [X[i % len(X)] for i in range(300)]  # more than a batch

    proba = fitted.predict_proba(many)

    np.testing.assert_allclose(
        proba, np.resize(fitted.predict_proba(X), proba.shape), atol=1e-6
    )


def test_maps_of_feature_steps_end_where_the_record_does(fitted, records):
    maps = fitted.explain(records[0], resample=False)

    assert [len(own) for own in maps[:6]] == [-(-n // 4) for n in LENGTHS]
    assert all((own >= 0).all() for own in maps)


def test_list_and_object_array_are_the_same(fitted, records):
    X, y = records
    as_object = np.empty(len(X), dtype=object)
    as_object[:] = X

    other = make_classifier().fit(as_object, y)

    np.testing.assert_array_equal(
        other.predict_proba(as_object), fitted.predict_proba(X)
    )
    assert fitted.n_times_in_ is None
    assert not hasattr(fitted, "n_features_in_")


@pytest.mark.parametrize("reuse_scores", [True, False])
def test_how_far_batches_are_padded_does_not_matter(records, monkeypatch, reuse_scores):
    def fit():
        return make_classifier(
            confidence_threshold=0.9,
            looks__reuse_scores=reuse_scores,
            looks__precision="float32",
        ).fit(*records)

    usual = fit()
    monkeypatch.setattr(ragged, "padded_length", lambda n_times: n_times + 64)
    padded = fit()

    np.testing.assert_array_equal(padded.selection_.status, usual.selection_.status)
    for scores in ("confidence", "focus"):
        found = getattr(padded.selection_, scores)
        assert np.isfinite(found).any()
        np.testing.assert_allclose(found, getattr(usual.selection_, scores), atol=1e-3)


def test_a_focus_measure_gets_maps_without_padding(records):
    seen = []

    def measure(maps):
        seen.append(maps.shape[1])
        return entropy(maps)

    make_classifier(focus=measure, confidence_threshold=1.0).fit(*records)

    assert set(seen) == {-(-n // 4) for n in LENGTHS}


def test_cross_validation_grid_search_and_pipelines_take_lists(records):
    X, y = records
    clf = make_classifier(max_epochs=2)

    scores = cross_val_score(make_pipeline(RemoveBaseline(fs=100), clf), X, y, cv=2)
    search = GridSearchCV(clf, {"focus_threshold": [0.1, 0.5]}, cv=2).fit(X, y)

    assert np.isfinite(scores).all()
    assert search.predict(X).shape == y.shape


def test_records_of_one_length_stay_an_array(records):
    X, y = make_ecg(8, n_leads=2, duration_s=1, classes=("NORM", "BBB"), random_state=0)

    from_list = make_classifier(max_epochs=1).fit(list(X), y)

    assert from_list.n_times_in_ == 100
    assert from_list.explain(X).shape == (8, 100)


def test_a_network_that_takes_no_lengths_is_refused(records):
    class NoLengths(nn.Module):
        def __init__(self, n_leads, n_classes):
            super().__init__()
            self.features = nn.Conv1d(n_leads, 4, 5, padding=2)
            self.head = PooledLinear(4, n_classes)

        def forward(self, x):
            return self.head(self.features(x))

    message = "16 to 300 time steps, and the module NoLengths cannot.*FixLength"
    with pytest.raises(ValueError, match=message):
        ERTSClassifier(NoLengths, verbose=0).fit(*records)


def test_a_network_that_sees_the_padding_is_refused(records):
    class Careless(nn.Module):
        def __init__(self, n_leads, n_classes):
            super().__init__()
            self.convolution = nn.Conv1d(n_leads, 4, 5, padding=2)
            self.head = PooledLinear(4, n_classes)

        def features(self, x, lengths=None):
            return self.convolution(x)

        def feature_lengths(self, lengths):
            return lengths

        def forward(self, x, lengths=None):
            return self.head(self.features(x), lengths)

    with pytest.raises(ValueError, match="Careless takes 'lengths', but"):
        ERTSClassifier(Careless, verbose=0).fit(*records)


def test_another_cam_layer_is_refused(records):
    with pytest.raises(ValueError, match="'cam_layer' .* None for records of 16"):
        make_classifier(cam_layer="features.3").fit(*records)


def test_after_records_of_one_length_others_are_refused(records):
    X, _ = records
    clf = make_classifier(max_epochs=1).fit(np.stack([X[0], X[4]] * 4), [0, 1] * 4)

    message = (
        "^ERTSClassifier was fitted on records of one length, 300 time steps, .* "
        "16 to 300.*FixLength"
    )
    with pytest.raises(ValueError, match=message):
        clf.predict(X)


def test_other_leads_are_refused(fitted):
    message = (
        "X of ERTSClassifier must hold records of 2 leads, as in fit. Got {} leads"
    )
    with pytest.raises(ValueError, match=message.format(3) + r" instead\.$"):
        fitted.predict(np.zeros((1, 3, 100), dtype=np.float32))
    with pytest.raises(ValueError, match=message.format(100) + ".* X.transpose"):
        fitted.predict(np.zeros((1, 100, 2), dtype=np.float32))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (np.zeros((3, 50)), "Record 2 of X of ERTSClassifier must .* Got \\(3, 50\\)"),
        (np.zeros((2, 0)), "Record 2 of X .* Got \\(2, 0\\)"),
        (np.full((2, 50), np.nan), "Record 2 of X of ERTSClassifier contains NaN"),
        (np.full((2, 50), "x"), "Record 2 of X of ERTSClassifier must hold real"),
    ],
)
def test_a_bad_record_is_named(records, spoilt, message):
    X, y = records

    with pytest.raises(ValueError, match=message):
        make_classifier().fit([*X[:2], spoilt, *X[3:]], y)


def test_batches_come_in_few_lengths():
    found = {padded_length(n) for n in range(8000, 16001)}

    assert len(found) <= 10
    assert all(0 <= padded_length(n) - n <= n / 8 for n in range(1, 20000, 7))


def test_a_function_of_rows_sees_each_row_to_its_end():
    rows = np.array(
        [[1.0, 2.0, 99.0], [3.0, 4.0, 5.0], [6.0, 98.0, 97.0], [7.0, 1.0, 99.0]]
    )

    sums = by_length(lambda part, _: part.sum(axis=1), rows, np.array([2, 3, 1, 2]))

    assert sums.tolist() == [3.0, 12.0, 6.0, 8.0]


def test_a_validation_part_from_elsewhere(records):
    X, y = records
    pairs = [(np.arange(len(X)), np.arange(len(X), 2 * len(X)))]
    apart = make_classifier(validation_fraction=(X, y)).fit(X, y)
    within = make_classifier(validation_fraction=pairs).fit([*X, *X], [*y, *y])
    assert apart.history_[:, "valid_f1"] == within.history_[:, "valid_f1"]
