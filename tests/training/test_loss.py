"""Losses of one's own, and what callbacks and validations a skorch user brings."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, TensorBoard
from torch import nn
from torch.nn import functional

from sk_erts import ERTSClassifier
from tests.conftest import bumps

X, CODES, _ = bumps(90)
SEVERAL = np.stack([CODES == 0, CODES > 0], axis=1).astype(int)


class Focal(nn.Module):
    """Cross-entropy that counts the well learned less."""

    def __init__(self, gamma=2.0, reduction="mean"):
        super().__init__()
        self.gamma, self.reduction = gamma, reduction

    def forward(self, logits, codes):
        losses = functional.cross_entropy(logits, codes, reduction="none")
        losses = (1 - torch.exp(-losses)) ** self.gamma * losses
        return losses if self.reduction == "none" else losses.mean()


def per_record(logits, codes):
    return functional.cross_entropy(logits, codes, reduction="none")


def losses_of(small, y=CODES, **params):
    clf = ERTSClassifier(**small | {"max_epochs": 2, "data_dropout": None} | params)
    return clf.fit(X, y).history_[:, "train_loss"]


class TestCriterion:
    def test_a_class_is_made_without_reduction_and_with_its_parameters(self, small):
        plain = losses_of(small, criterion=Focal, criterion__gamma=0.0)
        np.testing.assert_allclose(plain, losses_of(small), rtol=1e-5)
        assert losses_of(small, criterion=Focal)[0] < 0.9 * plain[0]

    def test_an_instance_and_a_function_do_the_same(self, small):
        usual = losses_of(small)
        module = nn.CrossEntropyLoss(reduction="none")
        assert losses_of(small, criterion=module) == usual
        assert losses_of(small, criterion=per_record) == usual

    def test_weights_of_records_and_classes_still_count(self, small):
        weighed = losses_of(small, class_weight={0: 5, 1: 1, 2: 1})
        own = losses_of(small, class_weight={0: 5, 1: 1, 2: 1}, criterion=per_record)
        assert own == weighed != losses_of(small)

    def test_several_labels(self, small):
        def of_labels(logits, codes):
            return functional.binary_cross_entropy_with_logits(
                logits, codes, reduction="none"
            )

        own = losses_of(small, y=SEVERAL, criterion=of_labels)
        assert own == losses_of(small, y=SEVERAL)

    @pytest.mark.parametrize(
        "averaging", [Focal(), lambda logits, codes: per_record(logits, codes).mean()]
    )
    def test_one_that_averages_is_refused_with_the_remedy(self, small, averaging):
        message = r"must return one loss for each record.*Got \(\) .*reduction='none'"
        with pytest.raises(ValueError, match=message):
            losses_of(small, criterion=averaging)

    def test_parameters_of_what_is_no_class_are_refused(self, small):
        with pytest.raises(ValueError, match="'criterion__gamma' cannot change it"):
            losses_of(small, criterion=Focal(reduction="none"), criterion__gamma=1.0)


class Writer:
    """Like TensorBoard's: it holds a file, and cannot be copied."""

    def __init__(self):
        self.written = []

    def __deepcopy__(self, memo):
        raise TypeError("cannot pickle '_io.BufferedWriter' object")

    def add_scalar(self, tag, scalar_value, global_step=None):
        self.written.append(tag)

    def close(self):
        pass


class TestCallbacks:
    def test_what_cannot_be_copied_is_used_as_it_is(self, small):
        writer = Writer()
        ERTSClassifier(**small, callbacks=[TensorBoard(writer)]).fit(X, CODES)
        assert "Loss/train_loss" in writer.written

    @pytest.mark.parametrize(
        "callback",
        [
            EarlyStopping(),
            EpochScoring("accuracy", lower_is_better=False),
            Checkpoint(),
        ],
        ids=lambda own: type(own).__name__,
    )
    def test_one_that_watches_the_validation_has_one(
        self, small, callback, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)  # where checkpoints are written
        clf = ERTSClassifier(**small, callbacks=[callback]).fit(X, CODES)
        assert np.isfinite(clf.history_[:, "valid_loss"]).all()
        assert (clf.selection_.status == 0).all(axis=0).sum() == 9  # a tenth


class TestValidation:
    def test_a_share_by_itself_sets_aside(self, small):
        clf = ERTSClassifier(**small, validation_fraction=0.2).fit(X, CODES)
        assert (clf.selection_.status == 0).all(axis=0).sum() == 18
        assert len(clf.history_[:, "valid_f1"]) == 6

    def test_nothing_is_set_aside_unless_it_is_asked_for(self, small):
        clf = ERTSClassifier(**small).fit(X, CODES)
        assert "valid_loss" not in clf.history_[-1]

    def test_records_from_elsewhere(self, small):
        other, codes, _ = bumps(30, seed=1)
        clf = ERTSClassifier(**small, validation_fraction=(other, codes)).fit(X, CODES)
        assert (clf.selection_.status != 0).any(axis=0).all()
        split = np.r_[np.full(90, -1), np.zeros(30, int)]
        pairs = [(np.flatnonzero(split < 0), np.flatnonzero(split == 0))]
        together = ERTSClassifier(**small, validation_fraction=pairs).fit(
            np.concatenate([X, other]), np.concatenate([CODES, codes])
        )
        assert clf.history_[:, "valid_f1"] == together.history_[:, "valid_f1"]

    def test_records_of_another_shape_are_refused(self, small):
        clf = ERTSClassifier(**small, validation_fraction=(X[:, :1], CODES))
        with pytest.raises(ValueError, match=r"of fit, \(2, 64\). Got \(1, 64\)"):
            clf.fit(X, CODES)
