"""A training on pairs that is broken off goes on to the same end."""

from typing import ClassVar

import pytest
from skorch.callbacks import Callback

from sk_erts import Checkpoint
from tests.pretraining.conftest import TINY, make
from tests.pretraining.test_same_pairs import assert_same, left_of, trained


class Killed(BaseException):
    """What nobody catches."""


class Ends(Callback):
    """End the training in the middle of an epoch, if it is to."""

    begun: ClassVar[list[int]] = []

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        self.begun.append(len(net.history))

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise Killed


@pytest.fixture
def broken_off(data, tmp_path):
    """Return a function that leaves a training which has ended in some epoch."""

    def broken_off(epoch, **params):
        with pytest.raises(Killed):
            make(callbacks=[Ends(epoch)], **params).fit(*data, checkpoint=tmp_path)
        return tmp_path

    return broken_off


@pytest.mark.parametrize("epoch", range(1, TINY["max_epochs"] + 1))
def test_it_ends_as_if_nothing_had_happened(data, broken_off, monkeypatch, epoch):
    folder = broken_off(epoch)
    monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
    monkeypatch.setattr(Ends, "begun", [])
    again = make(callbacks=[Ends(epoch)])
    again.fit(*data, checkpoint=Checkpoint(folder, every_min=10), resume=True)
    assert_same(trained(*data), left_of(again))
    # No epoch that was over is trained again.
    assert Ends.begun == list(range(epoch, TINY["max_epochs"] + 1))


def test_without_a_seed_it_goes_on_with_its_own(data, broken_off, monkeypatch):
    folder = broken_off(2, random_state=None)
    monkeypatch.setattr(Ends, "on_batch_end", Callback.on_batch_end)
    again = make(callbacks=[Ends(2)], random_state=None)
    again.fit(*data, checkpoint=folder, resume=True)
    once_more = make(callbacks=[Ends(2)], random_state=None)
    once_more.fit(*data, checkpoint=folder, resume=True)
    assert_same(left_of(again), left_of(once_more))


def test_another_training_is_not_taken_for_the_same(data, broken_off):
    X, reports = data
    folder = broken_off(1)
    again = make(callbacks=[Ends(1)])
    with pytest.raises(ValueError, match="holds a training already"):
        again.fit(X, reports, checkpoint=folder)
    other = [report.replace("bump", "wave") for report in reports]  # in the same order
    with pytest.raises(ValueError, match="it has other reports"):
        again.fit(X, other, checkpoint=folder, resume=True)
    with pytest.raises(ValueError, match="it has other records or labels"):
        again.fit(X + 1, reports, checkpoint=folder, resume=True)
    again.set_params(views=0.2)
    with pytest.raises(ValueError, match="'views' was 0.1 and is 0.2"):
        again.fit(X, reports, checkpoint=folder, resume=True)


def test_no_report_is_in_the_folder(data, broken_off):
    _, reports = data
    folder = broken_off(3)
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not any(report.encode() in written for report in reports)


def test_resume_needs_to_know_where(data):
    with pytest.raises(ValueError, match="Got no 'checkpoint'"):
        make().fit(*data, resume=True)
