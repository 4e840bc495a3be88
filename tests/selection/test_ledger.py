import numpy as np
import pytest

from sk_erts.selection import Ledger, SelectionHistory, Status, takes_gradient
from sk_erts.selection._ledger import SCORES

EVERYONE = np.arange(4)


@pytest.fixture
def ledger():
    ledger = Ledger(4)
    ledger.open_epoch(0)
    ledger.record("confidence", np.array([1, 2]), np.array([0.25, 0.5]), until=0)
    ledger.judge(EVERYONE[:3], np.array([Status.TRAINED, Status.EASY, Status.TRAINED]))
    return ledger


def test_probabilities_are_averaged_over_all_looks():
    ledger = Ledger(3, n_classes=2)
    ledger.add_probabilities(np.array([2, 0]), np.array([[0.5, 0.5], [1.0, 0.0]]))
    ledger.add_probabilities(np.array([0]), np.array([[0.5, 0.5]]))
    expected = [[0.75, 0.25], [np.nan, np.nan], [0.5, 0.5]]
    np.testing.assert_array_equal(ledger.mean_proba(np.arange(3)), expected)
    history = ledger.history(rows=np.array([3, 1, 0]), n_samples=4)
    np.testing.assert_array_equal(history.mean_proba[[3, 1, 0]], expected)
    assert np.isnan(history.mean_proba[2]).all()


def test_a_look_before_the_first_epoch_counts_and_stands_on_no_page():
    ledger, both = Ledger(2), np.arange(2)
    ledger.record("confidence", np.array([1]), np.array([0.25]), until=0)
    assert ledger.due("confidence", both, 0).tolist() == [True, False]
    assert ledger.history(both, 2).status.shape == (0, 2)
    ledger.open_epoch(0)
    assert np.isnan(ledger.history(both, 2).confidence).all()
    ledger.judge(both, np.array([Status.TRAINED] * 2), frozenset({"confidence"}))
    np.testing.assert_array_equal(ledger.history(both, 2).confidence, [[np.nan, 0.25]])


def test_scores_run_out(ledger):
    due = ledger.due("confidence", EVERYONE, 0)
    assert due.tolist() == [True, False, False, True]
    assert ledger.due("confidence", EVERYONE, 1).all()
    assert ledger.due("focus", EVERYONE, 0).all()


class TestSpacedRevisits:
    def looks(self, gaps, n_epochs=20, status=Status.EASY, drift=()):
        """Return the epochs in which a record that never changes is looked at."""
        ledger = Ledger(1, gaps)
        record = np.array([0])
        looks = []
        for epoch in range(n_epochs):
            ledger.open_epoch(epoch)
            if ledger.due("confidence", record, epoch)[0]:
                looks.append(epoch)
                ledger.record("confidence", record, np.array([0.9]), until=epoch)
            ledger.judge(record, np.array([status]), frozenset({"confidence"}))
            if epoch in drift:
                ledger.shorten_gaps()
        return looks

    def test_gaps_grow_and_the_last_goes_on(self):
        assert self.looks((2, 4, 8, 16), n_epochs=32) == [0, 2, 6, 14, 30]
        assert self.looks((2, 4)) == [0, 2, 6, 10, 14, 18]

    def test_a_gap_of_one_is_a_look_in_every_epoch(self):
        assert self.looks((1,), n_epochs=4) == [0, 1, 2, 3]

    def test_the_unreliable_are_spaced_too_and_the_trained_are_not(self):
        assert self.looks((2, 4, 8), 8, Status.UNRELIABLE) == [0, 2, 6]
        assert self.looks((2, 4, 8), 4, Status.TRAINED) == [0, 1, 2, 3]

    def test_a_gap_of_a_hundred_epochs_is_one(self):
        assert self.looks((100,), n_epochs=202) == [0, 100, 200]

    @pytest.mark.parametrize("gap", [2**15 - 1, 2**15, 40_000, 2**16, 2**40])
    def test_a_gap_longer_than_any_training_is_no_look_in_every_epoch(self, gap):
        assert self.looks((2, gap), n_epochs=50) == [0, 2]

    def test_drift_shortens_the_gap_that_is_running(self):
        assert self.looks((2, 4, 8), 12, drift=[7]) == [0, 2, 6, 10]

    def test_a_record_that_was_trained_begins_anew(self):
        ledger = Ledger(1, (2, 4, 8))
        record = np.array([0])
        for epoch, status in enumerate([Status.EASY, Status.EASY, Status.TRAINED]):
            ledger.open_epoch(epoch)
            ledger.record("confidence", record, np.array([0.9]), until=epoch)
            ledger.judge(record, np.array([status]), frozenset({"confidence"}))
        ledger.open_epoch(3)
        ledger.record("confidence", record, np.array([0.9]), until=3)
        ledger.judge(record, np.array([Status.EASY]), frozenset({"confidence"}))
        assert not ledger.due("confidence", record, 4)[0]
        assert ledger.due("confidence", record, 5)[0]

    def test_a_rehearsed_record_goes_on_as_an_easy_one(self):
        assert self.looks((2, 4, 8), 16, Status.REHEARSED) == [0, 2, 6, 14]

    def test_scores_that_have_run_out_are_not_prolonged(self):
        """A new confidence says nothing about a focus that was measured long ago."""
        ledger = Ledger(1, (2, 4, 8))
        record = np.array([0])
        ledger.open_epoch(0)
        ledger.record("focus", record, np.array([0.5]), until=0)
        ledger.open_epoch(3)
        ledger.record("confidence", record, np.array([0.9]), until=3)
        ledger.judge(record, np.array([Status.EASY]), frozenset({"confidence"}))
        assert ledger.due("focus", record, 4)[0]
        assert not ledger.due("confidence", record, 4)[0]


def test_counts_every_status(ledger):
    assert ledger.counts() == {
        Status.SOFTENED: 0,
        Status.NOT_LOOKED_AT: 1,
        Status.TRAINED: 2,
        Status.EASY: 1,
        Status.UNRELIABLE: 0,
        Status.DROPPED: 0,
        Status.REHEARSED: 0,
    }


def test_history_stands_in_the_rows_of_the_data(ledger):
    ledger.open_epoch(1)
    history = ledger.history(rows=np.array([5, 3, 1, 0]), n_samples=6)
    assert history.status.tolist() == [[0, 1, 0, 2, 0, 1], [0] * 6]
    assert history.confidence[0, [3, 1]].tolist() == [0.25, 0.5]
    assert np.isnan(history.confidence[0, [0, 2, 4, 5]]).all()
    assert history.share(Status.TRAINED).tolist() == [2 / 3, 0]


def test_shares_are_of_the_records_looked_at():
    status = np.array([[1, 2, 2, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=np.int8)
    nothing = np.full(status.shape, np.nan, dtype=np.float32)
    history = SelectionHistory(status, nothing, nothing)
    assert history.share(Status.TRAINED).tolist() == [1 / 3, 1, 0]
    assert history.share(Status.EASY).tolist() == [2 / 3, 0, 0]
    assert history.share(Status.DROPPED).tolist() == [0, 0, 0]


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
    ledger.open_epoch(1)
    ledger.record("confidence", np.array([1]), np.array([0.75]), until=1)
    history = ledger.history(EVERYONE, 4)
    assert history.confidence[:, 1].tolist() == [0.25, 0.75]
    assert ledger.scores("confidence", np.array([1, 2])).tolist() == [0.75, 0.5]


def test_an_old_score_is_told_where_it_was_judged_by(ledger):
    index, reads = np.array([1]), frozenset({"confidence"})
    ledger.open_epoch(1)
    ledger.judge(index, np.array([Status.EASY]), reads)
    ledger.open_epoch(2)
    ledger.judge(index, np.array([Status.EASY]))  # by nothing
    history = ledger.history(EVERYONE, 4)
    assert history.confidence[:2, 1].tolist() == [0.25, 0.25]
    assert np.isnan(history.confidence[2]).all()


def test_a_probe_after_the_judgement_is_not_what_was_judged_by(ledger):
    index, reads = np.array([1]), frozenset({"confidence"})
    ledger.open_epoch(1)
    ledger.judge(index, np.array([Status.EASY]), reads)
    ledger.record("confidence", index, np.array([0.125]), until=2)
    ledger.open_epoch(2)
    ledger.judge(index, np.array([Status.TRAINED]), reads)
    assert ledger.history(EVERYONE, 4).confidence[:, 1].tolist() == [0.25, 0.25, 0.125]


def test_memory_of_a_long_training_is_64_bytes_per_record_and_4_per_class():
    """As ERTS goes: all in the warm-up, then a fifth trained and some looks."""
    n = 20_000
    everyone, rng = np.arange(n), np.random.default_rng(0)
    ledger = Ledger(n, (2, 4, 8), n_classes=5)
    for epoch in range(30):
        ledger.open_epoch(epoch)
        if epoch < 2:
            status, reads = np.full(n, Status.TRAINED), frozenset()
        else:
            shares = [0.15, 0.75, 0.05, 0.05]
            kinds = [Status.TRAINED, Status.EASY, Status.UNRELIABLE, Status.REHEARSED]
            status, reads = rng.choice(kinds, n, p=shares), frozenset(SCORES)
            seen = everyone[rng.random(n) < 0.12]
            for name in SCORES:
                ledger.record(name, seen, rng.random(len(seen)), until=epoch)
        ledger.judge(everyone, status, reads)
        trained = everyone[takes_gradient(status)]
        for name in SCORES if reads else ["confidence"]:
            ledger.record(name, trained, rng.random(len(trained)), until=epoch + 1)
    assert ledger.nbytes / n <= 64 + 4 * (5 + 1)  # of each mean: a sum, and one count


class TestRepr:
    def test_is_a_line_that_says_the_most(self):
        status = np.full((30, 1000), Status.TRAINED, dtype=np.int8)
        status[4:, 250:] = Status.EASY
        status[:, 900:] = Status.NOT_LOOKED_AT  # set aside
        nothing = np.full(status.shape, np.nan, dtype=np.float32)
        phases = ["warm-up"] * 4 + ["reliability filter"] * 25 + ["revision"]
        history = SelectionHistory(status, nothing, nothing, phases=phases)
        assert repr(history) == (  # (4 * 900 + 26 * 250) / (30 * 900)
            "SelectionHistory(30 epochs, 1000 records, 37 % kept, warm-up 1-4, "
            "reliability filter 5-29, revision 30)"
        )

    def test_counts_from_where_the_schedule_is(self):
        ledger = Ledger(4)
        ledger.open_epoch(6, "data dropout")
        ledger.judge(EVERYONE, np.array([Status.EASY] * 3 + [Status.REHEARSED]))
        assert repr(ledger.history(EVERYONE, 4)) == (
            "SelectionHistory(1 epoch, 4 records, 25 % kept, data dropout 7)"
        )

    def test_of_nothing(self):
        nothing = np.zeros((0, 5))
        assert repr(SelectionHistory(nothing, nothing, nothing)) == (
            "SelectionHistory(0 epochs, 5 records, 0 % kept)"
        )
