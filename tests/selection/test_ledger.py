import numpy as np
import pytest

from sk_erts.selection import Ledger, Status

EVERYONE = np.arange(4)


@pytest.fixture
def ledger():
    ledger = Ledger(4)
    ledger.open_epoch()
    ledger.record("confidence", np.array([1, 2]), np.array([0.25, 0.5]), until=0)
    ledger.judge(EVERYONE[:3], np.array([Status.TRAINED, Status.EASY, Status.TRAINED]))
    return ledger


def test_scores_run_out(ledger):
    assert ledger.due(EVERYONE, 0, {"confidence"}).tolist() == [
        True,
        False,
        False,
        True,
    ]
    assert ledger.due(EVERYONE, 1, {"confidence"}).all()


def test_a_record_is_due_if_any_score_is_missing(ledger):
    assert ledger.due(EVERYONE, 0, {"confidence", "focus"}).all()
    assert not ledger.due(EVERYONE, 0, set()).any()


def test_counts_every_status(ledger):
    assert ledger.counts() == {
        Status.NOT_LOOKED_AT: 1,
        Status.TRAINED: 2,
        Status.EASY: 1,
        Status.UNRELIABLE: 0,
        Status.DROPPED: 0,
    }


def test_history_stands_in_the_rows_of_the_data(ledger):
    ledger.open_epoch()
    history = ledger.history(rows=np.array([5, 3, 1, 0]), n_samples=6)
    assert history.status.tolist() == [[0, 1, 0, 2, 0, 1], [0] * 6]
    assert history.confidence[0, [3, 1]].tolist() == [0.25, 0.5]
    assert np.isnan(history.confidence[0, [0, 2, 4, 5]]).all()
    assert history.share(Status.TRAINED).tolist() == [2 / 3, 0]


def test_frame_has_a_row_per_record_and_epoch(ledger):
    frame = ledger.history(rows=EVERYONE, n_samples=4).to_frame()
    assert frame["epoch"].tolist() == [1] * 4
    assert frame["record"].tolist() == [0, 1, 2, 3]
    assert frame["status"].tolist() == ["trained", "easy", "trained", "not looked at"]
    assert frame["confidence"].tolist()[1:3] == [0.25, 0.5]


def test_a_record_is_written_down_with_the_scores_it_was_judged_by(ledger):
    index = np.array([2])
    ledger.judge(index, np.array([Status.TRAINED]), frozenset({"confidence"}))
    ledger.record("confidence", index, np.array([0.75]), until=1)  # its training step
    history = ledger.history(EVERYONE, 4)
    assert history.confidence[0, 2] == 0.5
    assert ledger.scores("confidence", index).tolist() == [0.75]


def test_a_page_keeps_what_was_known_then(ledger):
    ledger.open_epoch()
    ledger.record("confidence", np.array([1]), np.array([0.75]), until=1)
    history = ledger.history(EVERYONE, 4)
    assert history.confidence[:, 1].tolist() == [0.25, 0.75]
    assert ledger.scores("confidence", np.array([1, 2])).tolist() == [0.75, 0.5]
