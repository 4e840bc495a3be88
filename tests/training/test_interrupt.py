"""Ctrl-C during fit."""

import os
import signal

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts.exceptions import FitInterruptedWarning
from sk_erts.preprocessing import Standardize
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
    with pytest.warns(FitInterruptedWarning, match="after 4 of 12") as told:
        clf.fit(X, Y)
    assert len(clf.history_) == 4
    scores = clf.history_[:, "valid_f1"]
    losses = clf.history_[:, "valid_loss"]
    best = max(range(4), key=lambda i: (scores[i], -losses[i]))
    message = str(told[0].message)
    assert f"network of epoch {best + 1}, the best in validation" in message
    kept = f1_score(Y[64:], clf.predict(X[64:]), average="macro")
    assert kept == pytest.approx(max(scores))


def test_without_validation_the_network_is_kept_as_it_is(small):
    clf = ERTSClassifier(**small, callbacks=[CtrlC(3)])
    with pytest.warns(FitInterruptedWarning, match="after 2 of 6 .* kept as it is"):
        clf.fit(X, Y)
    assert len(clf.history_) == 2
    assert clf.predict(X).shape == (96,)
    norm = clf.net_.module_.features[1]
    assert norm.num_batches_tracked == 1  # renewed from all 96 records at once
    assert len(clf.kept_counts_) == len(clf.selection_.status) == 3  # one cut short


@pytest.mark.usefixtures("key_works")
def test_the_key_itself_between_two_epochs(small):
    class Press(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 3:
                os.kill(os.getpid(), signal.SIGINT)

    clf = ERTSClassifier(**small, callbacks=[Press()])
    with pytest.warns(FitInterruptedWarning, match="after 2 of 6"):
        clf.fit(X, Y)
    assert len(clf.history_) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("key_works")
def test_statistics_cut_short_are_put_back_and_then_renewed(small):
    class Press(Callback):
        """Interrupt in the middle of a probe: only normalisation layers train."""

        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                self.norm = net.module_.features[1]
                net.module_.features[0].register_forward_hook(self.press)

        def press(self, layer, inputs, output):
            if self.norm.training and not layer.training:
                layer._forward_hooks.clear()
                os.kill(os.getpid(), signal.SIGINT)

    params = small | {"looks__renewal_interval": 32, "looks__probe_records": 64}
    clf = ERTSClassifier(**params, callbacks=[Press()])
    with pytest.warns(FitInterruptedWarning):
        clf.fit(X, Y)
    norm = clf.net_.module_.features[1]
    assert norm.num_batches_tracked == 1
    assert norm.momentum == 0.1


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


class Press(Callback):
    """Press the key in the middle of the third epoch of any training."""

    def initialize(self):
        # A process that was started in the background hears no key.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return super().initialize()

    def on_batch_begin(self, net, training, **kwargs):
        if training and len(net.history) == 3 and net.history[-1, "batches"]:
            os.kill(os.getpid(), signal.SIGINT)


def in_a_pipeline(clf):
    return make_pipeline(Standardize(), make_pipeline(Standardize("lead"), clf))


@pytest.mark.usefixtures("key_works")
class TestWhatFitsManyTimesEnds:
    """A broken-off training is no result to compare, and none to join with others."""

    @pytest.mark.parametrize(
        "fit_many",
        [
            lambda clf: cross_val_score(clf, X, Y, cv=3),
            lambda clf: cross_val_score(in_a_pipeline(clf), X, Y, cv=3),
            lambda clf: GridSearchCV(clf, {"lr": [0.01, 0.02]}, cv=2).fit(X, Y),
            lambda clf: CalibratedClassifierCV(clf, cv=2).fit(X, Y),
            lambda clf: Parallel()([delayed(clf.fit)(X, Y)]),
        ],
    )
    def test_the_first_of_them(self, small, fit_many):
        clf = ERTSClassifier(**small, callbacks=[Press()])
        with pytest.raises(KeyboardInterrupt):
            fit_many(clf)
        assert not hasattr(clf, "net_")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_in_another_process(self, small):
        clf = ERTSClassifier(**small, callbacks=[Press()])
        with pytest.raises(KeyboardInterrupt):
            cross_val_score(clf, X, Y, cv=2, n_jobs=2)

    def test_a_pipeline_fits_once(self, small):
        pipe = in_a_pipeline(ERTSClassifier(**small, callbacks=[Press()]))
        with pytest.warns(FitInterruptedWarning, match="after 2 of 6 .*no validation"):
            pipe.fit(X, Y)
        assert len(pipe[-1][-1].history_) == 2
        assert pipe.predict(X).shape == (96,)
