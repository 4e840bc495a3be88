"""A training that is kept survives whatever ends it."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sk_erts import Checkpoint, ERTSClassifier
from sk_erts._training import checkpoint as module
from sk_erts.exceptions import (
    ArchiveError,
    CheckpointWarning,
    FitInterruptedWarning,
    NonFiniteLossError,
)
from sk_erts.selection import Reliability
from tests.conftest import bumps

X, Y, _ = bumps(72)
SMALL = {
    "module__width": 4,
    "module__blocks": (1,),
    "module__kernel_size": 5,
    "max_epochs": 5,
    "lr": 0.01,
    "batch_size": 16,
    "warmup_epochs": 2,
    "looks__first_step": 0,
    "random_state": 0,
    "verbose": 0,
    "device": "cpu",
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def outcome(clf):
    """Return what came of a fit, but for the clock."""
    rows = [{k: v for k, v in row.items() if k != "dur"} for row in clf.history_]
    story = {
        name: value.tobytes() if isinstance(value, np.ndarray) else value
        for name, value in vars(clf.selection_).items()
    }
    weights = clf.net_.module_.state_dict().values()
    return {
        "network": [part.numpy().tobytes() for part in weights],
        "history": repr(rows),
        "selection": repr(story),
        "kept": clf.kept_counts_.tolist(),
        "cost": (clf.effective_epochs_, clf.scoring_passes_),
        "proba": clf.predict_proba(X).tobytes(),
    }


@pytest.fixture(scope="module")
def whole():
    torch.set_num_threads(1)
    return outcome(ERTSClassifier(**SMALL).fit(X, Y))


class Killed(BaseException):
    """What nobody catches."""


class Ends(Callback):
    """End the training in the middle of an epoch."""

    def __init__(self, epoch, error=Killed):
        self.epoch = epoch
        self.error = error

    def on_batch_end(self, net, training, **kwargs):
        if training and len(net.history) == self.epoch:
            raise self.error


def ended(folder, epoch=4, error=Killed, **params):
    """Leave a training that was ended in an epoch."""
    clf = ERTSClassifier(**SMALL | params | {"callbacks": [Ends(epoch, error)]})
    with pytest.raises(error):
        clf.fit(X, Y, checkpoint=folder)
    return folder


def resumed(folder, epoch=4, error=Killed, **params):
    clf = ERTSClassifier(**SMALL | params | {"callbacks": [Ends(epoch, error)]})
    return clf.fit(X, Y, checkpoint=folder, resume=True)


class TestResume:
    @pytest.mark.parametrize("epoch", [1, 2, 4, 5])
    def test_it_ends_as_if_nothing_had_happened(
        self, tmp_path, whole, epoch, monkeypatch
    ):
        ended(tmp_path, epoch)
        seen = []
        monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
        monkeypatch.setattr(
            Ends, "on_epoch_begin", lambda self, net, **k: seen.append(len(net.history))
        )
        clf = resumed(tmp_path, epoch)
        assert outcome(clf) == whole
        assert len(seen) == 6 - epoch  # no epoch that was over is trained again

    def test_a_finished_training_is_read(self, tmp_path, whole, monkeypatch):
        first = ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path)
        monkeypatch.setattr(
            Callback, "on_batch_end", lambda self, net, **kwargs: pytest.fail("trains")
        )
        again = ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path, resume=True)
        assert outcome(first) == outcome(again) == whole
        assert again.fit_time_s_ >= first.fit_time_s_ - 0.5

    def test_without_one_it_begins(self, tmp_path, whole):
        folder = tmp_path / "new" / "folder"
        clf = ERTSClassifier(**SMALL).fit(X, Y, checkpoint=folder, resume=True)
        assert outcome(clf) == whole

    def test_the_best_network_is_found_again(self, tmp_path, monkeypatch):
        params = {"early_stopping": "best", "validation_fraction": 0.25, "lr": 0.03}
        ended(tmp_path, 5, **params)
        monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
        clf = resumed(tmp_path, 5, **params)
        expected = ERTSClassifier(**SMALL | params).fit(X, Y)
        assert outcome(clf) == outcome(expected)

    def test_without_a_seed_it_goes_on_with_that_of_the_first(
        self, tmp_path, monkeypatch
    ):
        params = {"random_state": None, "validation_fraction": 0.25}
        ended(tmp_path, 4, **params)
        monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
        one, other = (
            resumed(copied(tmp_path, tmp_path.with_name(name)), 4, **params)
            for name in ("one", "other")
        )
        assert outcome(one) == outcome(other)

    def test_after_ctrl_c_there_is_more_to_come(self, tmp_path, whole, monkeypatch):
        clf = ERTSClassifier(**SMALL, callbacks=[Ends(3, KeyboardInterrupt)])
        with pytest.warns(FitInterruptedWarning, match="after 2 of 5"):
            clf.fit(X, Y, checkpoint=tmp_path)
        monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
        assert outcome(resumed(tmp_path, 3, KeyboardInterrupt)) == whole

    def test_another_verbose_is_the_same_training(self, tmp_path, whole, monkeypatch):
        ended(tmp_path, 3)
        monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
        assert outcome(resumed(tmp_path, 3, verbose=1)) == whole
        assert outcome(resumed(tmp_path, 3, verbose=2)) == whole


def copied(folder, to):
    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


# Parameters that are compared by what is in them.
OTHERS = {"focus": Reliability(), "class_weight": {0: 1.0, 1: 2.0, 2: 1.0}}


class TestAnotherTraining:
    @pytest.fixture(scope="class")
    @staticmethod
    def folder(tmp_path_factory):
        folder = tmp_path_factory.mktemp("kept")
        ERTSClassifier(**SMALL | OTHERS).fit(X, Y, checkpoint=folder)
        return folder

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"lr": 0.5}, r"'lr' was 0.01 and is 0.5"),
            ({"module__width": 8}, r"'module__width' was 4 and is 8"),
            ({"random_state": 1}, r"'random_state' was 0 and is 1"),
            ({"optimizer": torch.optim.SGD}, r"'optimizer' was .*AdamW and is .*SGD"),
            (
                {"optimizer": partial(torch.optim.SGD, momentum=0.5)},
                r"'optimizer' was .*AdamW and is .*SGD.*momentum': 0.5",
            ),
            ({"focus": "support"}, r"'focus' was .*Reliability.* and is 'support'"),
            (
                {"class_weight": {0: 1.0, 1: 3.0, 2: 1.0}},
                r"other weights; 'class_weight' was \{0: 1.0, 1: 2.0",
            ),
            ({"calibration__temperature": True}, r"'calibration__temperature'"),
            ({"device": torch.device("cpu", 0)}, r"'device' was 'cpu' and is cpu:0"),
        ],
    )
    def test_other_parameters_are_named(self, folder, params, message):
        clf = ERTSClassifier(**SMALL | OTHERS | params)
        with pytest.raises(ValueError, match=message):
            clf.fit(X, Y, checkpoint=folder, resume=True)
        assert not hasattr(clf, "net_")

    def test_other_records_or_labels_are_named(self, folder):
        clf = ERTSClassifier(**SMALL | OTHERS)
        other = X.copy()
        other[0] += 1
        for records, labels in ((other, Y), (X, Y[::-1]), (X[:60], Y[:60])):
            with pytest.raises(ValueError, match="other records or labels"):
                clf.fit(records, labels, checkpoint=folder, resume=True)
        weights = np.arange(1, 73)
        with pytest.raises(ValueError, match="other weights"):
            clf.fit(X, Y, weights, checkpoint=folder, resume=True)

    def test_the_same_in_other_words_is_the_same(self, folder):
        params = {"class_weight": {0: 1.0, 1: 2.0, 2: 1.0}, "focus": Reliability()}
        clf = ERTSClassifier(**SMALL | params)
        assert len(clf.fit(X, Y, checkpoint=str(folder), resume=True).history_) == 5

    def test_nothing_is_overwritten_by_mistake(self, folder):
        before = (folder / module.LAST).read_bytes()
        with pytest.raises(ValueError, match="holds a training already.*resume=True"):
            ERTSClassifier(**SMALL).fit(X, Y, checkpoint=folder)
        assert (folder / module.LAST).read_bytes() == before


class TestArguments:
    def test_resume_needs_a_folder(self):
        with pytest.raises(ValueError, match="resume=True must know .* Got no"):
            ERTSClassifier(**SMALL).fit(X, Y, resume=True)

    def test_what_is_no_folder_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="'checkpoint' of fit .* Got True"):
            ERTSClassifier(**SMALL).fit(X, Y, checkpoint=True)
        (tmp_path / "file").write_text("")
        with pytest.raises(OSError, match="file"):
            ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path / "file")
        with pytest.raises(ValueError, match="'every_min' .* Got -1"):
            Checkpoint(tmp_path, every_min=-1)

    def test_what_cannot_be_written_is_told_before_anything_is_trained(self, tmp_path):
        class Holds(Callback):
            def initialize(self):
                self.file_ = object()
                return self

            def on_train_begin(self, net, **kwargs):
                self.file_ = object()

        clf = ERTSClassifier(**SMALL, callbacks=[Holds()])
        with pytest.raises(ArchiveError, match="file_ must be of numbers"):
            clf.fit(X, Y, checkpoint=tmp_path)

    def test_every_so_many_minutes(self, tmp_path, monkeypatch):
        now, written = [0.0], []
        monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
        real = module.write_archive
        monkeypatch.setattr(
            module,
            "write_archive",
            lambda *args: (written.append(now[0] / 60), real(*args)),
        )

        class Clock(Callback):
            def on_epoch_begin(self, net, **kwargs):
                now[0] += 240

        clf = ERTSClassifier(**SMALL, callbacks=[Clock()])
        clf.fit(X, Y, checkpoint=Checkpoint(tmp_path, every_min=7))
        assert written == [0, 8, 16, 20]  # 4 minutes an epoch, and the end


class Poisons(Callback):
    """Let the weights be no numbers from an epoch on."""

    epoch = 4

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            with torch.no_grad():
                next(net.module_.parameters()).fill_(torch.nan)


class KillsWorkers(Callback):
    """Kill the processes that read batches."""

    epoch = 3

    def on_train_begin(self, net, **kwargs):
        self.others = set(multiprocessing.active_children())

    def on_batch_begin(self, net, training, **kwargs):
        if training and len(net.history) == self.epoch:
            for worker in set(multiprocessing.active_children()) - self.others:
                worker.kill()
                worker.join()


class TestFaultsInTheMiddle:
    def test_after_a_loss_that_is_no_number_the_last_epoch_is_left(
        self, tmp_path, whole, monkeypatch
    ):
        params = SMALL | {"callbacks": [Poisons()]}
        clf = ERTSClassifier(**params)
        with pytest.raises(NonFiniteLossError, match="nan in epoch 4"):
            clf.fit(X, Y, checkpoint=tmp_path)
        assert not hasattr(clf, "net_")
        monkeypatch.setattr(Poisons, "epoch", None)
        clf = ERTSClassifier(**params).fit(X, Y, checkpoint=tmp_path, resume=True)
        assert outcome(clf) == whole

    def test_a_worker_process_that_is_lost(self, tmp_path, monkeypatch):
        params = SMALL | {"iterator_train__num_workers": 1}
        expected = outcome(ERTSClassifier(**params).fit(X, Y))
        params |= {"callbacks": [KillsWorkers()]}
        with pytest.raises(RuntimeError, match="DataLoader worker .* exited"):
            ERTSClassifier(**params).fit(X, Y, checkpoint=tmp_path)
        monkeypatch.setattr(KillsWorkers, "epoch", None)
        clf = ERTSClassifier(**params).fit(X, Y, checkpoint=tmp_path, resume=True)
        assert outcome(clf) == expected


class TestBadDisks:
    def test_a_full_disk_does_not_end_the_training(self, tmp_path, whole, monkeypatch):
        real, calls = module.write_archive, []

        def full(*args):
            calls.append(args)
            if len(calls) > 2:
                raise OSError(28, "No space left on device")
            real(*args)

        monkeypatch.setattr(module, "write_archive", full)
        with pytest.warns(CheckpointWarning, match="No space left.*goes on") as told:
            clf = ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path)
        assert len(told) == 1
        assert outcome(clf) == whole
        monkeypatch.setattr(module, "write_archive", real)
        again = ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path, resume=True)
        assert outcome(again) == whole

    def test_a_damaged_file_is_told_of_and_the_one_before_used(self, tmp_path, whole):
        ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path)
        last = tmp_path / module.LAST
        last.write_bytes(last.read_bytes()[:-100])
        with pytest.warns(CheckpointWarning, match="cut short.*one before is used"):
            clf = ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path, resume=True)
        assert outcome(clf) == whole

    def test_if_both_are_damaged_nothing_is_trained_anew_in_silence(self, tmp_path):
        ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path)
        for path in tmp_path.iterdir():
            path.write_bytes(b"")
        message = "cannot be read"
        with (
            pytest.warns(CheckpointWarning, match=message),
            pytest.raises(ArchiveError, match=message),
        ):
            ERTSClassifier(**SMALL).fit(X, Y, checkpoint=tmp_path, resume=True)

    @pytest.mark.parametrize("nth", range(1, 18))
    def test_killed_at_any_step_of_a_write_no_epoch_is_lost(
        self, tmp_path, whole, monkeypatch, nth
    ):
        """Each renaming in its turn is the last thing that is done, or not done."""
        real, calls, epochs = os.replace, [], []

        def replace(*args):
            calls.append(args)
            if len(calls) == nth:
                raise Killed
            real(*args)

        class Counts(Callback):
            def on_epoch_end(self, net, **kwargs):
                epochs.append(len(net.history))

        params = SMALL | {"callbacks": [Counts()]}
        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(Killed):
            ERTSClassifier(**params).fit(X, Y, checkpoint=tmp_path)
        n_over = len(epochs)
        epochs.clear()
        clf = ERTSClassifier(**params).fit(X, Y, checkpoint=tmp_path, resume=True)
        assert outcome(clf) == whole
        # Of a file that had not got its own name yet the epoch is trained again.
        was_whole = not calls[nth - 1][0].name.startswith(".")
        assert len(epochs) == 5 - n_over + (nth > 1 and not was_whole)
        assert not list(tmp_path.glob(".*"))


SCRIPT = textwrap.dedent(
    """
    import os
    import random
    import signal
    import sys
    import time
    from pathlib import Path

    import numpy as np
    import torch

    from skorch.callbacks import Callback

    from sk_erts import ERTSClassifier
    from sk_erts._lib.whole import unfinished_name
    from tests.training.test_checkpoint import SMALL, X, Y

    TORN = unfinished_name("*") + "*"
    torch.set_num_threads(1)
    fsync = os.fsync


    def slow_disk(handle):
        time.sleep(0.05)
        fsync(handle)


    class Begins(Callback):
        def on_train_begin(self, net, **kwargs):
            os.write(has_begun[1], b".")


    def start(folder, to):
        pid = os.fork()
        if pid:
            return pid
        os.fsync = slow_disk
        clf = ERTSClassifier(**SMALL | {"max_epochs": 30, "callbacks": [Begins()]})
        clf.fit(X, Y, checkpoint=folder, resume=True)
        weights = clf.net_.module_.state_dict().values()
        weights = np.concatenate([part.numpy().ravel() for part in weights])
        np.savez(to, weights, clf.selection_.status)
        os.write(has_begun[1], b".")  # also if there was nothing left to train
        os._exit(0)


    root, has_begun = Path(sys.argv[1]), os.pipe()
    whole = start(root / "whole", root / "expected.npz")
    os.read(has_begun[0], 1)
    begin = time.monotonic()
    os.waitpid(whole, 0)
    os.read(has_begun[0], 1)
    takes = time.monotonic() - begin
    chance, n_kills, n_torn, status = random.Random(0), 0, 0, None
    while status != 0:
        pid = start(root / "killed", root / "found.npz")
        if n_kills < 26:
            os.read(has_begun[0], 1)
            if n_kills % 2:  # as soon as a file is being written
                while not list((root / "killed").glob(TORN)):
                    if (root / "found.npz").exists():
                        break
                    time.sleep(0.001)
            else:
                time.sleep(chance.uniform(0, takes / 15))
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        n_kills += status == signal.SIGKILL
        n_torn += bool(list((root / "killed").glob(TORN)))
        assert status in (0, signal.SIGKILL)
    print(n_kills, n_torn)
    """
)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_killed_again_and_again_ends_with_the_same_network(tmp_path):
    """Real processes and SIGKILL, at random moments and while files are written."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    n_kills, n_torn = map(int, done.stdout.split()[-2:])
    assert n_kills >= 24
    assert n_torn >= 5
    one, other = np.load(tmp_path / "expected.npz"), np.load(tmp_path / "found.npz")
    assert all(np.array_equal(one[name], other[name]) for name in one.files)
