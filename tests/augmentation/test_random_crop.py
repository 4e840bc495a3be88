"""Stretches of records, in a batch and inside fit."""

import numpy as np
import pytest
import torch

from sk_erts import ERTSClassifier
from sk_erts._training.augmenter import Augmenter
from sk_erts.augmentation import RandomCrop, TimeShift
from tests.conftest import bumps

X, Y, _ = bumps(64)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_each_record_keeps_a_stretch_of_its_own():
    ramps = np.tile(np.arange(100, dtype=np.float32), (200, 2, 1))
    cropped = RandomCrop(0.3)(ramps, rng())
    assert cropped.shape == (200, 2, 30)
    begin = cropped[:, 0, 0]
    np.testing.assert_array_equal(cropped - begin[:, None, None], ramps[:, :, :30])
    assert begin.min() < 5  # from the first to the last
    assert begin.max() > 65


@pytest.mark.parametrize("share", [0, 1.5, "half"])
def test_other_shares_are_refused(share):
    with pytest.raises(ValueError, match="'share'.* of RandomCrop must"):
        RandomCrop(share)(X, rng())


def test_steps_see_stretches_and_looks_whole_records(small):
    lengths = []

    class Listening(torch.nn.Module):
        def __init__(self, n_leads, n_classes):
            super().__init__()
            self.conv = torch.nn.Conv1d(n_leads, n_classes, 5)

        def forward(self, x):
            lengths.append((self.training, x.shape[-1]))
            return self.conv(x).mean(dim=-1)

    params = {k: v for k, v in small.items() if not k.startswith("module__")}
    clf = ERTSClassifier(Listening, **params, augment=RandomCrop(0.5)).fit(X, Y)
    clf.predict(X)
    assert {n for training, n in lengths if training} == {32}
    assert {n for training, n in lengths if not training} == {64}


def test_it_learns_from_them(small):
    crop = RandomCrop(0.75)
    clf = ERTSClassifier(**small | {"max_epochs": 25}, augment=crop).fit(X, Y)
    assert clf.score(*bumps(200, seed=1)[:2]) > 0.9


def test_records_of_different_lengths_keep_a_share_each():
    x = torch.ones(2, 1, 10)
    x[1, :, 6:] = 0
    batch = {"X": x, "lengths": torch.tensor([10, 6])}
    Augmenter([RandomCrop(0.5)], rng())(batch)
    assert batch["lengths"].tolist() == [5, 3]
    assert batch["X"].tolist() == [[[1, 1, 1, 1, 1]], [[1, 1, 1, 0, 0]]]


def test_goes_with_other_augmentations():
    batch = {"X": torch.from_numpy(X.copy())}
    Augmenter([RandomCrop(0.5), TimeShift(fs=100)], rng())(batch)
    assert batch["X"].shape == (64, 2, 32)


def test_longer_records_are_refused():
    with pytest.raises(ValueError, match="or shorter ones"):
        Augmenter([lambda X, rng: np.repeat(X, 2, axis=2)], rng())(
            {"X": torch.from_numpy(X.copy())}
        )
