import pytest

from sk_erts.selection import DBPD, FocusFilter, KeepAll, Rehearsal, Schedule

POLICY = Rehearsal(FocusFilter(DBPD()))


def phases(schedule, n_epochs):
    def phase(policy):
        if isinstance(policy, KeepAll):
            return "all"
        return "focus" if "focus" in policy.reads else "dropout"

    return [phase(schedule.policy(epoch, POLICY)) for epoch in range(n_epochs)]


def test_warm_up_then_dropout_then_focus_then_revision():
    schedule = Schedule(10, 2, 3, 1)
    assert phases(schedule, 10) == [
        *["all"] * 2,
        *["dropout"] * 3,
        *["focus"] * 4,
        *["all"],
    ]


@pytest.mark.parametrize("max_epochs", [1, 2, 3])
def test_a_training_shorter_than_its_warm_up_sees_all_data(max_epochs):
    assert set(phases(Schedule(max_epochs, 3, 3, 1), max_epochs)) == {"all"}


def test_no_revision_and_no_warm_up():
    assert phases(Schedule(3, 0, 0, 0), 3) == ["focus"] * 3


def test_without_an_end_there_is_no_revision():
    assert phases(Schedule(None, 1, 1, 1), 5) == ["all", "dropout", *["focus"] * 3]


def test_the_first_epoch_of_selection_is_number_one():
    assert Schedule(10, 4).selection_epoch(4) == 1
