"""Ctrl-C during fit."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts.exceptions import FitInterruptedWarning
from tests.conftest import bumps

X, Y, _ = bumps(96)


class CtrlC(Callback):
    """Raise what Ctrl-C raises in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_begin(self, net, training, **kwargs):
        if training and len(net.history) == self.epoch and net.history[-1, "batches"]:
            net.module_.head.linear.weight.data.zero_()  # the step was a bad one
            raise KeyboardInterrupt


def test_keeps_the_best_network_so_far(small):
    params = small | {"max_epochs": 12, "lr": 0.03, "warmup_epochs": 12}
    split = [(np.arange(64), np.arange(64, 96))]
    clf = ERTSClassifier(**params, validation_fraction=split, callbacks=[CtrlC(5)])
    with pytest.warns(FitInterruptedWarning, match=r"after 4 of 12.*best in valid"):
        clf.fit(X, Y)
    assert len(clf.history_) == 4
    scores = clf.history_[:, "valid_f1"]
    kept = f1_score(Y[64:], clf.predict(X[64:]), average="macro")
    assert kept == pytest.approx(max(scores))


def test_without_validation_the_network_is_kept_as_it_is(small):
    clf = ERTSClassifier(**small, callbacks=[CtrlC(3)])
    with pytest.warns(FitInterruptedWarning, match="after 2 of 6 .* kept as it is"):
        clf.fit(X, Y)
    assert len(clf.history_) == 2
    assert clf.predict(X).shape == (96,)
    norm = clf.net_.module_.features[1]
    assert norm.num_batches_tracked == 3  # renewed from all 96 records
    assert len(clf.kept_counts_) == len(clf.selection_.status) == 3  # one cut short


def test_before_the_first_epoch_there_is_nothing_to_keep(small):
    clf = ERTSClassifier(**small, callbacks=[CtrlC(1)])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert not hasattr(clf, "net_")


def test_leaves_no_hook_behind(small):
    clf = ERTSClassifier(**small, callbacks=[CtrlC(3)])
    with pytest.warns(FitInterruptedWarning):
        clf.fit(X, Y)
    for part in clf.net_.module_.modules():
        assert not part._forward_pre_hooks
        assert not part._forward_hooks
