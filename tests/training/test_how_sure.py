"""How sure a network is, by leaving parts of it out."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._training.how_sure import Uncertainty
from sk_erts.metrics import risk_coverage
from sk_erts.models import LSTM1d, ResNet1d
from tests.conftest import bumps

LN2 = np.log(2)
PARTS = ("proba", "total", "aleatoric", "epistemic")
TINY = {
    "module__width": 8,
    "module__blocks": (1, 1),
    "module__kernel_size": 5,
    "batch_size": 32,
    "lr": 0.01,
    "max_epochs": 20,
    "random_state": 0,
    "verbose": 0,
}


def assert_same(one, other):
    for part in PARTS:
        np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


def assert_parts_add_up(sure):
    np.testing.assert_allclose(sure.aleatoric + sure.epistemic, sure.total, atol=1e-12)
    assert (sure.epistemic >= 0).all()
    assert (sure.aleatoric >= 0).all()


@pytest.fixture(scope="module")
def clf():
    X, y, _ = bumps(180)
    return ERTSClassifier(**TINY, module__dropout=0.3).fit(X, y)


@pytest.fixture(scope="module")
def new_records():
    X, y, _ = bumps(150, seed=1)
    return X, y


class TestParts:
    """The formulas, by hand."""

    def test_two_that_are_sure_of_different_classes(self):
        sure = Uncertainty.of(np.array([[[1.0, 0]], [[0, 1]]]), several_labels=False)
        assert sure.proba.tolist() == [[0.5, 0.5]]
        np.testing.assert_allclose(sure.total, [LN2])
        assert sure.aleatoric.tolist() == [0]
        np.testing.assert_allclose(sure.epistemic, [LN2])

    def test_three_classes(self):
        samples = np.array([[[0.5, 0.5, 0]], [[0.25, 0.25, 0.5]]])
        sure = Uncertainty.of(samples, several_labels=False)
        mean = [0.375, 0.375, 0.25]
        total = -sum(p * np.log(p) for p in mean)
        np.testing.assert_allclose(sure.total, [total])
        np.testing.assert_allclose(sure.aleatoric, [(LN2 + 1.5 * LN2) / 2])
        divergence = sum(
            p * np.log(p / q)
            for sample in samples[:, 0]
            for p, q in zip(sample, mean, strict=True)
            if p
        )
        np.testing.assert_allclose(sure.epistemic, [divergence / 2])

    def test_several_labels_are_judged_each_by_itself(self):
        samples = np.array([[[0.5, 1.0, 0.0]], [[0.5, 0.0, 0.0]]])
        sure = Uncertainty.of(samples, several_labels=True)
        np.testing.assert_allclose(sure.total, [[LN2, LN2, 0]])
        np.testing.assert_allclose(sure.aleatoric, [[LN2, 0, 0]])
        np.testing.assert_allclose(sure.epistemic, [[0, LN2, 0]], atol=1e-12)

    @pytest.mark.parametrize("several_labels", [False, True])
    def test_equal_predictions_leave_no_doubt_of_the_network(self, several_labels):
        proba = np.random.default_rng(0).dirichlet(np.ones(5), size=40)
        samples = np.stack([proba] * 7)
        sure = Uncertainty.of(samples, several_labels=several_labels)
        np.testing.assert_allclose(sure.epistemic, 0, atol=1e-14)
        assert_parts_add_up(sure)
        assert (sure.aleatoric > 0).all()

    @pytest.mark.parametrize("several_labels", [False, True])
    def test_certainty_has_no_entropy(self, several_labels):
        # A third of three thirds may round to more than 1.
        samples = np.nextafter(np.array([[[0.0, 1.0]]] * 3), 2)
        sure = Uncertainty.of(samples, several_labels=several_labels)
        np.testing.assert_allclose(sure.total, 0, atol=1e-12)
        assert_parts_add_up(sure)

    def test_it_says_what_it_is_on_average(self):
        sure = Uncertainty.of(np.array([[[1.0, 0]], [[0, 1]]]), several_labels=False)
        assert repr(sure) == (
            "Uncertainty(1 records; mean in nats: "
            "total 0.693 = aleatoric 0.000 + epistemic 0.693)"
        )


class TestOfAClassifier:
    def test_parts_add_up_and_stay_below_the_logarithm_of_the_classes(
        self, clf, new_records
    ):
        sure = clf.predict_uncertainty(new_records[0])
        assert_parts_add_up(sure)
        assert sure.proba.shape == (150, 3)
        np.testing.assert_allclose(sure.proba.sum(axis=1), 1)
        for part in PARTS[1:]:
            assert getattr(sure, part).shape == (150,)
        assert sure.total.max() <= np.log(3)
        assert (sure.epistemic > 0).all()

    def test_noise_is_what_the_network_does_not_know(self, clf, new_records):
        X, _ = new_records
        noise = np.random.default_rng(0).normal(size=X.shape)
        known, unknown = map(clf.predict_uncertainty, (X, noise))
        assert unknown.total.mean() > 2 * known.total.mean()
        assert unknown.epistemic.mean() > 4 * known.epistemic.mean()
        assert unknown.epistemic.mean() > 2 * unknown.aleatoric.mean()

    def test_between_two_classes_it_is_the_record_that_is_open(self, clf, new_records):
        X, _ = new_records
        between = clf.predict_uncertainty(0.5 * X)
        assert between.total.mean() > 2 * clf.predict_uncertainty(X).total.mean()
        assert between.aleatoric.mean() > 2 * between.epistemic.mean()

    def test_abstaining_from_what_is_unsure_saves_errors(self, clf, new_records):
        X, y = new_records
        X = X + np.random.default_rng(3).normal(scale=0.35, size=X.shape)
        sure = clf.predict_uncertainty(X)
        curve = risk_coverage(y, sure.proba, sure.total)
        assert curve.error > 0.2
        assert curve.area < 0.75 * curve.error
        kept = sure.total <= np.median(sure.total)
        wrong = sure.proba.argmax(axis=1) != y
        assert wrong[kept].mean() < 0.7 * wrong.mean()

    def test_more_samples_come_nearer_to_the_truth(self, clf, new_records):
        X = new_records[0][:20]
        truth, *others = (
            clf.predict_uncertainty(X, n_samples=n, random_state=seed).proba
            for n, seed in ((3200, 0), (10, 1), (1000, 1))
        )
        few, many = (np.abs(other - truth).mean() for other in others)
        assert many < 0.3 * few

    def test_the_seed_decides(self, clf, new_records):
        X, _ = new_records
        sure = clf.predict_uncertainty(X)
        assert_same(clf.predict_uncertainty(X, random_state=0), sure)
        other = clf.predict_uncertainty(X, random_state=1)
        assert (other.proba != sure.proba).any(axis=1).all()

    def test_a_record_is_judged_the_same_in_any_company(self, clf, new_records):
        X, _ = new_records
        sure = clf.predict_uncertainty(X)
        some = np.array([140, 3, 77])
        few = clf.predict_uncertainty(X[some])
        for part in PARTS:
            np.testing.assert_array_equal(getattr(few, part), getattr(sure, part)[some])

    def test_it_leaves_no_trace(self, clf, new_records):
        X, _ = new_records
        module = clf.net_.module_
        module.train()
        next(module.features.children()).eval()  # someone has frozen a layer
        flags = [part.training for part in module.modules()]
        weights = {name: value.clone() for name, value in module.state_dict().items()}
        before = torch.get_rng_state(), np.random.get_state()[1:3]  # noqa: NPY002
        clf.predict_uncertainty(X)
        after = torch.get_rng_state(), np.random.get_state()[1:3]  # noqa: NPY002
        assert [part.training for part in module.modules()] == flags
        for name, value in module.state_dict().items():
            assert torch.equal(value, weights[name]), name
        assert torch.equal(after[0], before[0])
        np.testing.assert_equal(after[1], before[1])

    def test_a_network_is_left_as_found_after_an_error(self, clf, new_records):
        module = clf.net_.module_.eval()

        def fail(*_):
            raise RuntimeError("a head that fails")

        hook = module.head.register_forward_hook(fail)
        try:
            with pytest.raises(RuntimeError, match="a head that fails"):
                clf.predict_uncertainty(new_records[0])
        finally:
            hook.remove()
        assert not any(part.training for part in module.modules())

    def test_temperature_is_that_of_predict_proba(self, new_records):
        X, y, _ = bumps(180)
        params = TINY | {"calibration__temperature": True, "max_epochs": 8}
        clf = ERTSClassifier(**params, module__dropout=1e-9).fit(X, y)
        assert abs(clf.temperature_ - 1) > 0.05
        proba = clf.predict_uncertainty(new_records[0]).proba
        np.testing.assert_allclose(
            proba, clf.predict_proba(new_records[0]), atol=1e-6, rtol=1e-5
        )

    @pytest.mark.parametrize("wrong", [1, 0, 2.5, True, None])
    def test_too_few_samples_are_refused(self, clf, new_records, wrong):
        message = "'n_samples' parameter of predict_uncertainty must .* at least 2"
        with pytest.raises(ValueError, match=message):
            clf.predict_uncertainty(new_records[0], n_samples=wrong)

    def test_without_dropout_it_says_what_to_do(self, new_records, small):
        clf = ERTSClassifier(**small | {"max_epochs": 2}).fit(*new_records)
        message = r"ResNet1d without any.*\(module__dropout=0\.2\).*DeepEnsemble"
        with pytest.raises(ValueError, match=message):
            clf.predict_uncertainty(new_records[0])


@pytest.fixture(scope="module")
def certain(small):
    """A classifier whose network has no layer that drops anything."""
    X, y, _ = bumps(60)
    return ERTSClassifier(**small | {"max_epochs": 2}).fit(X, y)


def of_one_layer():
    layer = nn.LSTM(2, 4)
    layer.dropout = 0.3  # it has no other one to be before
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dropout(0),
        nn.Dropout1d(0),
        nn.LSTM(2, 4, num_layers=2),
        of_one_layer(),
        nn.MultiheadAttention(4, 2),
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0),
    ],
)
def test_a_layer_that_drops_nothing_is_no_dropout(certain, new_records, layer):
    certain.net_.module_.more = layer
    try:
        with pytest.raises(ValueError, match="ResNet1d without any"):
            certain.predict_uncertainty(new_records[0])
    finally:
        del certain.net_.module_.more


def test_several_labels_have_an_uncertainty_each():
    X, codes, _ = bumps(160, n_classes=4, seed=3)
    X = 0.1 * np.random.default_rng(3).normal(size=X.shape)
    Y = np.stack([codes % 2, codes // 2], axis=1)
    for i, lead in np.argwhere(Y):
        X[i, lead, 28:37] += np.hanning(9)
    clf = ERTSClassifier(**TINY, module__dropout=0.3).fit(X, Y)
    sure = clf.predict_uncertainty(X)
    assert sure.total.shape == (160, 2)
    assert_parts_add_up(sure)
    assert sure.total.max() <= LN2
    # Half a bump on the second lead leaves its label open, and no other.
    X[:, 1] = 0.1 * np.random.default_rng(4).normal(size=X[:, 1].shape)
    X[:, 1, 28:37] += 0.5 * np.hanning(9)
    halved = clf.predict_uncertainty(X).total.mean(axis=0)
    assert halved[1] > 3 * sure.total[:, 1].mean()
    assert halved[1] > 3 * halved[0]


def test_records_of_different_lengths():
    X, y, _ = bumps(90)
    records = [own[:, : 64 - 2 * (i % 9)] for i, own in enumerate(X)]
    clf = ERTSClassifier(**TINY | {"max_epochs": 4}, module__dropout=0.3)
    clf.fit(records, y)
    sure = clf.predict_uncertainty(records)
    assert_parts_add_up(sure)
    for i in (0, 8, 50):
        alone = clf.predict_uncertainty([records[i]])
        np.testing.assert_allclose(alone.total, sure.total[i : i + 1], atol=1e-5)


class DropsEarly(ResNet1d):
    """Dropout between layers, and none in the head."""

    def __init__(self, n_leads, n_classes, width=8, blocks=(1, 1), kernel_size=5):
        super().__init__(n_leads, n_classes, width, blocks, kernel_size)
        self.before = nn.Dropout1d(0.3)

    def forward(self, x, lengths=None):
        return self.head(self.features(self.before(x)))


class Recurrent(LSTM1d):
    """Dropout between recurrent layers, which has no module of its own."""

    def __init__(self, n_leads, n_classes):
        super().__init__(n_leads, n_classes, hidden=8, n_layers=2)
        self.features.lstm.dropout = 0.3


class Attentive(nn.Module):
    """An encoder that leaves dropout out by itself in evaluation mode."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.embed = nn.Conv1d(n_leads, 8, 8, stride=8)
        self.encode = nn.TransformerEncoderLayer(8, 2, 16, 0.3, batch_first=True)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, n_classes)

    def forward(self, x):
        z = self.encode(self.embed(x).transpose(1, 2))  # (n, steps, channels)
        return self.head(self.norm(z.mean(dim=1)))


@pytest.mark.parametrize(
    ("module", "cam_layer"),
    [(DropsEarly, None), (Recurrent, None), (Attentive, "embed")],
)
def test_dropout_wherever_it_is(module, cam_layer, small, new_records):
    X, y = (part[:90] for part in new_records)
    others = {k: v for k, v in small.items() if not k.startswith("module__")}
    params = others | {"max_epochs": 2, "cam_layer": cam_layer}
    clf = ERTSClassifier(module, **params).fit(X, y)
    statistics = {
        name: value.clone() for name, value in clf.net_.module_.named_buffers()
    }
    assert statistics
    sure = clf.predict_uncertainty(X)
    assert (sure.epistemic > 0).all()
    assert_same(clf.predict_uncertainty(X), sure)
    few = clf.predict_uncertainty(X[5:8])
    np.testing.assert_array_equal(few.total, sure.total[5:8])
    # The mean of many is near what the whole network says, as dropout is made to be.
    assert np.abs(sure.proba - clf.predict_proba(X)).mean() < 0.1
    for name, value in clf.net_.module_.named_buffers():
        assert torch.equal(value, statistics[name])
