"""Networks as ONNX models."""

import copy
import json

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._training.short_transforms import without_transforms
from sk_erts.models import ResNet1d, S4D1d
from sk_erts.models._registry import MODELS
from tests.conftest import bumps, hide
from tests.models.tiny import TINY

# Of each kind one; the others take a while.
ALWAYS = ("ecg_imn", "lstm1d", "resnet1d", "s4d1d")
EVERY = [
    name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow)
    for name in MODELS
]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "network.onnx")


class Told:
    """A collection that tells frequency and leads."""

    def __init__(self, X, fs, lead_names):
        self.X, self.fs, self.lead_names = X, fs, lead_names

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i]


def fitted(name="fcn1d", X=None, y=None, **params):
    records, codes, _ = bumps(36)
    return ERTSClassifier(
        name,
        **{f"module__{key}": value for key, value in TINY[name].items()},
        **{"max_epochs": 1, "lr": 0.01, "random_state": 0, "verbose": 0, **params},
    ).fit(records if X is None else X, codes if y is None else y)


def run(path, X):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (proba,) = session.run(["proba"], {"X": np.asarray(X, dtype=np.float32)})
    return proba


def told(path):
    model = onnx.load(path)
    return {entry.key: entry.value for entry in model.metadata_props}


@pytest.mark.parametrize("name", EVERY)
def test_a_batch_of_any_size_gives_the_probabilities_of_the_classifier(name, path):
    clf = fitted(name)
    clf.export_onnx(path)
    X, _, _ = bumps(70, seed=1)
    X = 3 * X
    expected = clf.predict_proba(X)
    assert np.ptp(expected, axis=0).min() > 1e-3
    for n in (1, 2, 33, 70):
        np.testing.assert_allclose(run(path, X[:n]), expected[:n], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("n_times", "stride"), [(1, 1), (2, 1), (41, 1), (100, 3)])
def test_state_spaces_do_without_a_transform(n_times, stride):
    torch.manual_seed(0)
    network = S4D1d(2, 3, width=8, n_states=4, stride=stride).eval()
    other, x = copy.deepcopy(network), torch.randn(5, 2, n_times)
    without_transforms(other, x)
    with torch.no_grad():
        torch.testing.assert_close(other.features(x), network.features(x))
        exported = torch.export.export(other, (x,))
    assert "fft" in str(torch.export.export(network, (x,)))
    assert "fft" not in str(exported)


def test_names_shapes_and_what_it_was_trained_on(path):
    X, codes, _ = bumps(36)
    X = Told(X, lead_names=("V1", "ii"), fs=250)
    clf = fitted(X=X, y=np.array(["AFIB", "NORM", "PVC"])[codes])
    clf.export_onnx(path)
    session = onnxruntime.InferenceSession(path)
    (x,), (proba,) = session.get_inputs(), session.get_outputs()
    assert (x.name, x.shape[1:], x.type) == ("X", [2, 64], "tensor(float)")
    assert (proba.name, proba.shape[1:]) == ("proba", [3])
    assert isinstance(x.shape[0], str)
    text = told(path)
    assert json.loads(text["classes"]) == ["AFIB", "NORM", "PVC"]
    assert json.loads(text["leads"]) == ["V1", "II"]
    assert json.loads(text["fs"]) == 250
    assert json.loads(text["n_times"]) == 64
    assert text["unit"] == "mV"
    assert text["task"] == "one class"


def test_several_labels_a_temperature_and_thresholds(path):
    X, codes, _ = bumps(60)
    y = pd.DataFrame({"MI": codes > 0, "AFIB": codes == 2}).astype(int)
    clf = fitted(
        X=X,
        y=y,
        max_epochs=4,
        calibration__temperature=True,
        calibration__sensitivity={"MI": 0.8},
    )
    assert abs(clf.temperature_ - 1) > 0.05
    clf.export_onnx(path)
    expected = clf.predict_proba(X)
    np.testing.assert_allclose(run(path, X), expected, atol=1e-4, rtol=0)
    assert np.ptp(expected.sum(axis=1)) > 0.01
    text = told(path)
    assert json.loads(text["temperature"]) == clf.temperature_
    assert json.loads(text["thresholds"]) == [clf.thresholds_[0], None]
    assert json.loads(text["classes"]) == ["MI", "AFIB"]


def test_records_of_different_lengths_come_one_length_at_a_time(path):
    X, codes, _ = bumps(36)
    clf = fitted(X=[x[:, : 64 - k % 3] for k, x in enumerate(X)], y=codes)
    clf.export_onnx(path)
    for n_times in (64, 41):
        some = X[:5, :, :n_times]
        np.testing.assert_allclose(
            run(path, some), clf.predict_proba(some), atol=1e-4, rtol=0
        )


def test_the_classifier_stays_as_it_is(path):
    clf = fitted()
    clf.net_.module_.train()
    before = {k: v.clone() for k, v in clf.net_.module_.state_dict().items()}
    clf.export_onnx(path)
    assert clf.net_.module_.training
    for name, value in clf.net_.module_.state_dict().items():
        assert torch.equal(value, before[name])


class Unfollowed(nn.Module):
    """A network that asks for a number in its forward pass."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.linear = nn.Linear(n_leads, n_classes)

    def forward(self, x):
        z = x.mean(dim=-1)
        return self.linear(z if z.sum().item() > 0 else 2 * z)


def test_a_network_that_cannot_be_written_is_named(path):
    X, y, _ = bumps(36)
    clf = ERTSClassifier(Unfollowed, focus=None, max_epochs=1, verbose=0).fit(X, y)
    with pytest.raises(ValueError, match="Unfollowed of ERTSClassifier cannot be writ"):
        clf.export_onnx(path)


class Asking(ResNet1d):
    """The same, and records of different lengths."""

    def forward(self, x, lengths=None):
        logits = super().forward(x, lengths)
        return logits if logits.sum().item() > 0 else 1 * logits


@pytest.mark.parametrize("n_lengths", [1, 3])
def test_one_length_is_advised_where_there_were_several(path, n_lengths):
    X, y, _ = bumps(36)
    records = [x[:, : 64 - k % n_lengths] for k, x in enumerate(X)]
    params = {"module__width": 4, "module__blocks": (1,), "max_epochs": 1}
    clf = ERTSClassifier(Asking, **params, focus=None, verbose=0).fit(records, y)
    with pytest.raises(ValueError, match="Asking of ERTSClassifier cannot") as error:
        clf.export_onnx(path)
    advised = str(error.value).endswith(", by sk_erts.preprocessing.FixLength.")
    assert advised == (n_lengths > 1)


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_extra_is_named(path, package, monkeypatch):
    clf = fitted()
    hide(monkeypatch, package)
    with pytest.raises(ImportError, match=rf"export_onnx .*{package}.*\n.*sk-erts\[on"):
        clf.export_onnx(path)
