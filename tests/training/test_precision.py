"""Half the bits where they pay: chosen once, and only if close enough."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts._training import precision as precision_module
from sk_erts._training.precision import (
    ScoringPrecision,
    bfloat16_pays,
    in_float32,
)
from sk_erts.datasets import make_ecg
from sk_erts.models._registry import MODELS
from tests.conftest import bumps
from tests.models.tiny import TINY

CPU = torch.device("cpu")
ASKED = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


def dtype_inside(precision, confidences=lambda: np.zeros(1)):
    with precision(confidences):
        return torch.nn.functional.linear(torch.ones(1, 2), torch.ones(1, 2)).dtype


def never():
    raise AssertionError("looked")


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(precision_module, "bfloat16_pays", lambda name: name == "cpu")


def confidences(error):
    """Return a look whose result is off by `error` under autocast."""
    return lambda: np.array([0.5 + error * torch.is_autocast_enabled("cpu"), 0.2])


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_what_is_wanted_is_taken_without_a_look(name):
    assert dtype_inside(ScoringPrecision(name, CPU), never) == getattr(torch, name)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("error", "expected"),
    [(0.0, torch.bfloat16), (0.04, torch.bfloat16), (0.06, torch.float32)],
)
def test_auto_is_fast_where_it_is_close(error, expected):
    assert dtype_inside(ScoringPrecision("auto", CPU), confidences(error)) == expected


def test_auto_is_exact_where_the_processor_has_no_instructions(monkeypatch):
    monkeypatch.setattr(precision_module, "bfloat16_pays", lambda device: False)
    precision = ScoringPrecision("auto", CPU)
    assert dtype_inside(precision, confidences(0.0)) == torch.float32


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("error", "chosen"), [(0.0, "bfloat16"), (0.06, "float32")])
def test_the_choice_is_made_once_and_can_be_read(error, chosen):
    precision = ScoringPrecision("auto", CPU)
    assert precision.chosen is None
    dtype_inside(precision, confidences(error))
    assert precision.chosen == chosen
    assert dtype_inside(precision, never) == getattr(torch, chosen)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_choice_that_is_set_holds_without_a_look(name):
    precision = ScoringPrecision("auto", CPU)
    precision.chosen = name
    assert dtype_inside(precision, never) == getattr(torch, name)


@pytest.fixture
def torch_reports(monkeypatch):
    """Let torch report the capabilities of another processor, or know none."""

    def fake(capabilities, asked=None, onednn=True):
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: onednn)
        answers = {"get_capabilities": capabilities}
        answers |= dict.fromkeys(ASKED) if asked is None else asked
        for name, answer in answers.items():
            if answer is None:
                monkeypatch.delattr(torch.cpu, name, raising=False)
            else:
                monkeypatch.setattr(torch.cpu, name, lambda a=answer: a, raising=False)

    return fake


X86 = {"architecture": "x86_64", "avx2": True, "avx512_bf16": False, "amx_bf16": False}


@pytest.mark.parametrize(
    ("capabilities", "pays"),
    [
        (X86, False),
        (X86 | {"avx512_f": True, "avx512_bw": True, "amx_tile": False}, False),
        (X86 | {"avx512_bf16": True}, True),
        (X86 | {"amx_bf16": True}, True),
        ({"architecture": "arm64", "neon": True, "bf16": True}, True),
        ({"architecture": "arm64", "neon": True, "bf16": False}, False),
        ({"architecture": "ppc64le"}, False),
    ],
)
def test_bfloat16_pays_with_instructions_for_it(torch_reports, capabilities, pays):
    torch_reports(capabilities)
    assert bfloat16_pays("cpu") is pays


@pytest.mark.parametrize(
    ("avx512", "amx", "pays"),
    [
        (True, False, True),
        (False, True, True),
        (False, False, False),
        (None, None, False),
        (None, True, True),
    ],
)
def test_older_versions_of_torch_are_asked_otherwise(torch_reports, avx512, amx, pays):
    torch_reports(None, dict(zip(ASKED, (avx512, amx), strict=True)))
    assert bfloat16_pays("cpu") is pays


def test_instructions_that_nothing_uses_do_not_pay(torch_reports):
    torch_reports(X86 | {"avx512_bf16": True}, onednn=False)
    assert not bfloat16_pays("cpu")


def test_other_devices_are_exact(torch_reports):
    torch_reports(X86 | {"avx512_bf16": True})
    assert not bfloat16_pays("mps")


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_is_asked_for_what_it_does_not_emulate(monkeypatch, native):
    def supported(including_emulation=True):
        return including_emulation or native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert bfloat16_pays("cuda") is native


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("tolerance", "same", "other"),
    [(0.05, "bfloat16", "float32"), (-1, "float32", "bfloat16")],
)
def test_a_training_chooses_by_its_first_look(
    small, monkeypatch, tolerance, same, other
):
    monkeypatch.setattr(precision_module, "TOLERANCE", tolerance)
    X, y, _ = bumps(48)

    def confidence(precision):
        clf = ERTSClassifier(**small, looks__precision=precision).fit(X, y)
        return clf.selection_.confidence

    found = confidence("auto")
    np.testing.assert_array_equal(found, confidence(same))
    assert not np.array_equal(found, confidence(other), equal_nan=True)


def train(path):
    """Train with the default precision, and write down what came of it."""
    torch.set_num_threads(1)
    X, y, _ = bumps(96)
    clf = ERTSClassifier(
        module__width=8,
        module__blocks=(1, 1),
        module__kernel_size=5,
        max_epochs=5,
        lr=0.01,
        batch_size=16,
        warmup_epochs=1,
        looks__first_step=0,
        device="cpu",
        random_state=0,
        verbose=0,
    )
    clf.fit(X, y)
    np.savez(
        path,
        status=clf.selection_.status,
        confidence=clf.selection_.confidence,
        proba=clf.predict_proba(X),
    )


def test_two_processes_train_the_same(tmp_path):
    paths = [tmp_path / f"{i}.npz" for i in range(2)]
    root = Path(__file__).parents[2]
    both = [
        subprocess.Popen([sys.executable, "-m", __name__, str(path)], cwd=root)
        for path in paths
    ]
    assert [process.wait() for process in both] == [0, 0]
    with np.load(paths[0]) as one, np.load(paths[1]) as two:
        assert len(np.unique(one["status"])) > 1
        for name in ("status", "confidence", "proba"):
            assert one[name].tobytes() == two[name].tobytes(), name


if __name__ == "__main__":
    train(sys.argv[1])


class Told(torch.nn.Module):
    """A network that notes with how many bits it computes, and when."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.conv = torch.nn.Conv1d(n_leads, 4, 5)
        self.out = torch.nn.Linear(4, n_classes)
        self.seen = {True: set(), False: set()}

    def forward(self, x):
        z = self.conv(x)
        self.seen[self.training].add(z.dtype)
        return {"logits": self.out(z.mean(dim=2)), "others": (z, None)}


def losses_noting(seen):
    def losses(logits, codes):
        seen.add(logits.dtype)
        return torch.nn.functional.cross_entropy(logits, codes, reduction="none")

    return losses


class BreaksOff(Callback):
    epoch = 2

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise OverflowError


class TestSteps:
    def fit(self, **params):
        X, y, _ = bumps(60)
        clf = ERTSClassifier(max_epochs=2, warmup_epochs=1, random_state=0, verbose=0)
        clf.set_params(looks__first_step=0, looks__precision="float32", **params)
        return clf.fit(X, y), X

    @pytest.mark.parametrize("share", [None, 0.3])
    @pytest.mark.parametrize("name", ["float32", "bfloat16"])
    def test_only_the_network_computes_so_and_only_in_steps(self, name, share):
        seen = set()
        told = {"criterion": losses_noting(seen), "validation_fraction": share}
        clf, X = self.fit(module=Told, steps__precision=name, **told)
        clf.predict(X)
        network = clf.net_.module_
        assert network.seen == {True: {getattr(torch, name)}, False: {torch.float32}}
        assert seen == {torch.float32}
        assert {weight.dtype for weight in network.parameters()} == {torch.float32}

    @pytest.mark.parametrize("pays", [True, False])
    def test_auto_asks_the_processor(self, pays, monkeypatch):
        monkeypatch.setattr(precision_module, "bfloat16_pays", lambda device: pays)
        clf, _ = self.fit(module=Told, steps__precision="auto")
        found = torch.bfloat16 if pays else torch.float32
        assert clf.net_.module_.seen[True] == {found}

    def test_what_auto_has_found_holds_on_another_machine(self, tmp_path, monkeypatch):
        X, y, _ = bumps(60)
        clf = ERTSClassifier(Told, steps__precision="auto", random_state=0, verbose=0)
        clf.set_params(max_epochs=3, callbacks=[BreaksOff()])
        monkeypatch.setattr(precision_module, "bfloat16_pays", lambda device: True)
        with pytest.raises(OverflowError):
            clf.fit(X, y, checkpoint=tmp_path)
        monkeypatch.setattr(precision_module, "bfloat16_pays", lambda device: False)
        monkeypatch.setattr(BreaksOff, "epoch", None)
        clf.fit(X, y, checkpoint=tmp_path, resume=True)
        assert clf.net_.module_.seen[True] == {torch.bfloat16}

    def test_what_a_network_returns_keeps_its_type(self):
        class Pair(NamedTuple):
            logits: torch.Tensor
            others: list

        half = torch.ones(2, dtype=torch.bfloat16)
        found = in_float32({"pair": Pair(half, [half, None, 3]), "n": (half.int(),)})
        assert type(found["pair"]) is Pair
        assert type(found["pair"].others) is list
        assert type(found["n"]) is tuple
        assert found["pair"].logits.dtype == torch.float32
        assert found["pair"].others[0].dtype == torch.float32
        assert found["n"][0].dtype == torch.int32

    def test_records_may_differ_in_length(self):
        X, y, _ = bumps(60)
        clf = ERTSClassifier(module__width=4, max_epochs=1, random_state=0, verbose=0)
        clf.set_params(steps__precision="bfloat16")
        proba = clf.fit([x[:, : 40 + i % 20] for i, x in enumerate(X)], y)
        assert np.isfinite(proba.predict_proba(X)).all()

    def test_it_is_a_parameter_of_a_checkpoint(self, tmp_path):
        X, y, _ = bumps(60)
        clf = ERTSClassifier(module=Told, max_epochs=1, verbose=0, random_state=0)
        clf.fit(X, y, checkpoint=tmp_path)
        clf.set_params(steps__precision="bfloat16")
        with pytest.raises(
            ValueError, match="'steps__precision' was 'float32' and is 'bfl"
        ):
            clf.fit(X, y, checkpoint=tmp_path, resume=True)

    def test_another_one_is_refused(self):
        with pytest.raises(
            ValueError, match=r"'steps__precision' .* must be a str among"
        ):
            self.fit(steps__precision="float16")

    @pytest.mark.parametrize("name", MODELS)
    def test_every_network_takes_its_steps_in_about_the_same_direction(self, name):
        """The cosine is 0.96 to 1; 0.82 of the 34 layers without much width."""
        X, y = make_ecg(32, n_leads=2, duration_s=4, random_state=0)
        params = {f"module__{key}": value for key, value in TINY[name].items()}

        def weights(lr, precision):
            clf = ERTSClassifier(
                name,
                max_epochs=1,
                random_state=0,
                verbose=0,
                steps__precision=precision,
            )
            clf.set_params(optimizer=torch.optim.SGD, lr=lr, **params).fit(X, y)
            parts = clf.net_.module_.parameters()
            return torch.cat([part.detach().flatten() for part in parts])

        begin = weights(1e-30, "float32")
        exact, rounded = (weights(0.01, p) - begin for p in ("float32", "bfloat16"))
        assert not torch.equal(exact, rounded)
        assert torch.cosine_similarity(exact, rounded, dim=0) > 0.7
