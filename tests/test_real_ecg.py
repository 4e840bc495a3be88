"""Fit, predict and explain on real 12-lead ECG."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score

from sk_erts import ERTSClassifier
from sk_erts.attribution import gradcam
from sk_erts.datasets import load_ptbxl
from sk_erts.models import ResNet1d
from sk_erts.selection import is_doubted

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[1]
PTBXL = Path(os.environ.get("SK_ERTS_DATA", ROOT.parent / "shared" / "data")) / "ptbxl"


@pytest.fixture(scope="module")
def ptbxl():
    if not PTBXL.is_dir():
        pytest.skip(f"no PTB-XL in {PTBXL}; SK_ERTS_DATA names the folder above it")

    def load(folds, **task):
        return load_ptbxl(PTBXL, folds=folds, **task)

    return load


def make(**params):
    defaults = {
        "module__width": 16,
        "max_epochs": 10,
        "warmup_epochs": (3, 1),
        "lr": 1e-3,
        "class_weight": "effective",
        "random_state": 0,
        "verbose": 0,
    }
    return ERTSClassifier(module=ResNet1d, **defaults | params)


@pytest.fixture(scope="module")
def fitted(ptbxl):
    train = ptbxl(range(1, 9), single_label=True)
    return make().fit(train.data, train.target)


def test_one_superclass(fitted, ptbxl):
    new = ptbxl([9], single_label=True)
    f1 = f1_score(new.target, fitted.predict(new.data), average="macro")
    # Guessing in the proportions of the classes gives 0.2, full data about 0.55.
    assert f1 > 0.4
    assert fitted.effective_epochs_ < 8
    assert is_doubted(fitted.selection_.status).any()


def test_signed_maps_add_up_to_the_logit(fitted, ptbxl):
    new = ptbxl([9], single_label=True)
    module = fitted.net_.module_.eval()
    with torch.no_grad():
        logits = module(torch.from_numpy(new.data)).numpy()
    for target, label in enumerate(fitted.classes_):
        signed = gradcam(module, new.data, target, signed=True, resample=False)
        bias = module.head.linear.bias[target].item()
        np.testing.assert_allclose(
            signed.sum(axis=1) + bias, logits[:, target], 1e-3, 1e-3
        )
        shown = fitted.explain(new.data, target=label, resample=False)
        np.testing.assert_allclose(shown, np.maximum(signed, 0), 1e-4, 1e-5)


def test_several_superclasses(ptbxl):
    train, new = ptbxl(range(1, 9)), ptbxl([9])
    clf = make(class_weight=None, max_epochs=8).fit(train.data, train.target)
    auc = roc_auc_score(new.target, clf.predict_proba(new.data), average="macro")
    assert auc > 0.78
    assert clf.effective_epochs_ < 8
