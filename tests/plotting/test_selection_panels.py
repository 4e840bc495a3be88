from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sk_erts.plotting import SelectionDisplay
from sk_erts.plotting._selection_panels import LOOK
from sk_erts.plotting._selection_tables import candidates_by, most_put_aside
from sk_erts.selection import SelectionHistory, Status

T, E, U, R, N = (
    Status.TRAINED,
    Status.EASY,
    Status.UNRELIABLE,
    Status.REHEARSED,
    Status.NOT_LOOKED_AT,
)

# Five records in a warm-up, three epochs of selection and a revision.
STATUS = np.array(
    [
        [T, T, T, T, N],
        [T, E, E, R, N],
        [T, U, E, R, N],
        [U, U, E, T, N],
        [T, T, T, T, N],
    ]
)
PHASES = ["warm-up", "data dropout", "focus filter", "focus filter", "revision"]
Y = ["b", "b", "a", "a", "a"]


@pytest.fixture
def display():
    confidence = np.arange(25).reshape(5, 5) / 25
    story = SelectionHistory(STATUS, confidence, 1 - confidence)
    shares = np.stack([story.share(status) for status in LOOK], axis=1)
    return SelectionDisplay(shares, np.arange(1, 6), phases=PHASES, story=story, y=Y)


def test_diamonds_give_the_candidates(display):
    display.plot()
    assert_array_equal(display.candidates_line_.get_ydata(), [100, 25, 50, 75, 100])
    assert_array_equal(display.candidates_line_.get_xdata(), [1, 2, 3, 4, 5])


def test_classes_count_epochs_of_selection_and_records_looked_at(display):
    display.plot(kind="classes")
    # In three epochs: b of records 0 and 1, a of records 2 and 3.
    expected = [[1, 2, 0, 0, 3, 0], [2, 0, 0, 3, 1, 0]]
    assert_allclose(display.class_shares_, np.array(expected) / 6)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["a (2)", "b (2)"]
    bars = display.class_bars_["unreliable"]
    assert [bar.get_width() for bar in bars] == pytest.approx([0, 50])
    assert [bar.get_x() for bar in bars][1] == pytest.approx(100 / 3)


def test_record_of_several_classes_counts_in_each(display):
    display.y = [[1, 1], [1, 0], [0, 1], [0, 1], [1, 1]]
    display.class_names = ["x", "y"]
    display.plot(kind="classes")
    assert_allclose(display.class_shares_[0], np.array([2, 0, 0, 3, 1, 0]) / 6)
    assert_allclose(display.class_shares_[1], np.array([3, 2, 0, 1, 3, 0]) / 9)
    display.plot(kind="put_aside")
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == ["record 1: x", "record 0: x + y"]


def test_points_are_the_candidates_judged_last(display):
    display.plot(kind="focus")
    story = display.story
    for label, rows in (("trained", [3]), ("unreliable", [0, 1])):
        shown = display.points_[label].get_offsets()
        scores = [story.confidence[3, rows], story.focus[3, rows]]
        assert_allclose(shown, np.transpose(scores))
    assert display.ax_.get_title(loc="left") == "candidates of epoch 4"


def test_the_softened_are_doubted_as_the_unreliable_are(display):
    softened = np.where(STATUS == U, Status.SOFTENED, STATUS)
    display.story = replace(display.story, status=softened)
    display.plot(kind="focus")
    assert set(display.points_) == {"trained", "softened"}
    assert len(display.points_["softened"].get_offsets()) == 2
    display.plot(kind="put_aside")
    assert display.put_aside_.tolist() == [1, 0]
    assert "doubted (of 2)" in display.ax_.get_xlabel()


def test_candidates_without_scores_are_left_out():
    focus = np.where(STATUS == U, np.nan, 0.5)
    epoch, rows = candidates_by(STATUS, np.full((5, 5), 0.5), focus)
    assert (epoch, rows.tolist()) == (3, [3])


def test_records_most_often_put_aside_come_first(display):
    display.plot(kind="put_aside")
    assert display.put_aside_.tolist() == [1, 0]
    assert [bar.get_width() for bar in display.put_aside_bars_] == [2, 1]
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == ["record 1: b", "record 0: b"]
    low, high = display.ax_.get_ylim()
    assert low > high  # the first one is on top
    assert "of 2" in display.ax_.get_xlabel()


def test_list_is_cut_and_equals_keep_their_order():
    status = np.full((2, 90), U)
    status[1, ::2] = T
    rows, counts, n_tied = most_put_aside(status, 90)
    assert rows.tolist() == [*range(1, 90, 2), *range(0, 90, 2)]
    assert counts.tolist() == [2] * 45 + [1] * 45
    assert n_tied == 0
    rows, _, n_tied = most_put_aside(status, 3)
    assert (len(rows), n_tied) == (3, 42)
    assert most_put_aside(np.full((2, 3), T), 3)[2] == 0


def test_ties_at_the_cut_are_told(display):
    display.plot(kind="put_aside", n_records=1)
    assert display.ax_.get_title(loc="left") == ""  # record 1 alone has two epochs
    story = SelectionHistory(np.full((2, 9), U), np.ones((2, 9)), np.ones((2, 9)))
    tied = SelectionDisplay([[0, 0, 0, 1, 0, 0]] * 2, [1, 2], story=story)
    tied.plot(kind="put_aside", n_records=4)
    assert tied.ax_.get_title(loc="left") == (
        "9 records share 2 of 2 epochs: the first 4 of them are shown"
    )


def test_story_in_which_nobody_was_put_aside():
    story = SelectionHistory(np.full((2, 3), T), np.ones((2, 3)), np.ones((2, 3)))
    display = SelectionDisplay([[1, 0, 0, 0, 0, 0]] * 2, [1, 2], story=story)
    display.plot(kind="put_aside")
    assert display.ax_.get_title() == "no record was doubted"
    display.plot(kind="focus")
    assert display.ax_.get_title() == "no candidate was judged by its focus"


def test_all_panels_in_one_figure(display):
    display.plot(kind="all")
    assert list(display.axes_) == ["epochs", "classes", "focus", "put_aside"]
    assert len(display.figure_.axes) == 5
    assert display.ax_ is display.axes_["epochs"]
    left = display.axes_["epochs"].get_position()
    assert left.x1 < display.axes_["classes"].get_position().x0
    assert left.y0 > display.axes_["focus"].get_position().y1


@pytest.mark.parametrize("kind", ["classes", "focus", "put_aside"])
def test_single_panel_leaves_given_axes_whole(display, kind):
    figure, axes = plt.subplots(1, 2)
    display.plot(ax=axes[0], kind=kind)
    assert figure.axes == list(axes)


def test_estimator_gives_story_and_names(clf, ecg):
    display = SelectionDisplay.from_estimator(clf, ecg[1], kind="classes")
    names = [t.get_text().split()[0] for t in display.ax_.get_yticklabels()]
    assert names == list(clf.classes_)
    ruled = clf.selection_.status[1:5]
    of_pvc = ecg[1] == "PVC"
    easy = (ruled[:, of_pvc] == E).mean()
    pvc = list(clf.classes_).index("PVC")
    assert display.class_shares_[pvc, 4] == pytest.approx(easy)


def test_estimator_of_several_labels_names_them(clf, ecg):
    Y = np.stack([ecg[1] == "PVC", ecg[1] != "NORM"], axis=1).astype(int)
    several = clone(clf).set_params(max_epochs=2).fit(ecg[0], Y)
    display = SelectionDisplay.from_estimator(several, Y, kind="classes")
    names = [t.get_text().split()[0] for t in display.ax_.get_yticklabels()]
    assert names == [str(name) for name in several.classes_]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"story": None}, "focus", "'story'.*panel 'focus'.*selection_"),
        ({"y": None}, "classes", "'y'.*panel of classes.*Got None"),
        ({"y": ["a"]}, "classes", r"'y'.*5 records.*shape \(1,\)"),
        ({"y": np.eye(5), "class_names": ["a"]}, "classes", "'class_names'.*5 col.*1"),
        ({}, "class", "'kind'.*'class'.*Did you mean 'classes'"),
    ],
)
def test_panels_that_cannot_be(display, change, kind, message):
    vars(display).update(change)
    with pytest.raises(ValueError, match=message):
        display.plot(kind=kind)


def test_story_of_other_epochs(display):
    with pytest.raises(ValueError, match="'story'.*2 epochs.*Got 5 epochs"):
        SelectionDisplay([[1, 0, 0, 0, 0, 0]] * 2, [1, 2], story=display.story)
