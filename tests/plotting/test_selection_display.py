from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sk_erts.plotting import SelectionDisplay
from sk_erts.plotting._selection_panels import LOOK
from sk_erts.selection import DBPD, SMRD, FocusFilter, InfoBatch, Status

PHASES = ["warm-up", "data dropout", *["reliability filter"] * 3, "revision"]


def heights(display, label):
    """Return what the bars of a status show, in per cent."""
    bars = display.bars_.get(label, [])
    return np.array([bar.get_height() for bar in bars] or [0.0])


def phase_texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_bars_hold_the_shares_of_the_story(clf):
    display = SelectionDisplay.from_estimator(clf)
    assert display.bars_
    for status in Status:
        if status.label in display.bars_:
            counted = (clf.selection_.status == status).mean(axis=1)
            assert_allclose(heights(display, status.label), 100 * counted)
    kept = {"trained", "rehearsed", "softened"} & set(display.bars_)
    trained = sum(heights(display, label) for label in kept)
    assert_allclose(trained / 100 * clf.selection_.status.shape[1], clf.kept_counts_)


def test_shares_sum_to_one_and_bars_fill_the_panel(clf):
    display = SelectionDisplay.from_estimator(clf)
    assert_allclose(display.shares.sum(axis=1), 1)
    tops = np.zeros(6)
    for bars in display.bars_.values():
        for k, bar in enumerate(bars):
            assert bar.get_y() == pytest.approx(tops[k])  # one stands on the other
            tops[k] += bar.get_height()
    assert_allclose(tops, 100)
    assert display.ax_.get_ylim() == (0, 100)


def test_validation_records_do_not_count(clf, ecg):
    watched = clone(clf).set_params(early_stopping="best", validation_fraction=0.3)
    display = SelectionDisplay.from_estimator(watched.fit(*ecg))
    assert_allclose(display.shares.sum(axis=1), 1)
    assert_allclose(display.effective_epochs, watched.history_[:, "EE"])


def test_effective_epochs_are_those_of_the_history(clf):
    display = SelectionDisplay.from_estimator(clf)
    assert_allclose(display.line_.get_ydata(), clf.history_[:, "EE"])
    full, line = display.ax_effective_epochs_.get_lines()[:2]
    assert_array_equal(full.get_ydata(), [1, 2, 3, 4, 5, 6])
    assert (full.get_label(), line) == ("full data", display.line_)
    assert line.get_label().endswith(f"{clf.effective_epochs_:.1f}")


def test_epochs_count_from_one(clf):
    display = SelectionDisplay.from_estimator(clf)
    centres = [bar.get_x() + bar.get_width() / 2 for bar in display.bars_["trained"]]
    assert_allclose(centres, [1, 2, 3, 4, 5, 6])
    assert_array_equal(display.line_.get_xdata(), [1, 2, 3, 4, 5, 6])
    assert display.ax_.get_xlim() == (0.5, 6.5)
    assert display.ax_effective_epochs_.get_xlim() == (0.5, 6.5)


def test_axes_are_labelled(clf):
    display = SelectionDisplay.from_estimator(clf)
    assert display.ax_.get_ylabel() == "training records (%)"
    assert display.ax_effective_epochs_.get_ylabel() == "effective epochs"
    assert display.ax_effective_epochs_.get_xlabel() == "epoch"
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == [*display.bars_, "candidates"]


def test_phases_are_named_and_parted(clf):
    display = SelectionDisplay.from_estimator(clf)
    assert display.phases == PHASES
    assert phase_texts(display) == [
        "warm-up",
        "data dropout",
        "reliability filter",
        "revision",
    ]
    for ax in (display.ax_, display.ax_effective_epochs_):
        upright = [line.get_xdata() for line in ax.get_lines()]
        edges = sorted({x[0] for x in upright if len(x) == 2 and x[0] == x[1]})
        assert edges == [1.5, 2.5, 5.5]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"focus": None}, ["warm-up", *["data dropout"] * 4, "revision"]),
        ({"data_dropout": None, "focus": None}, ["full data"] * 6),
        (
            {"data_dropout": None},
            ["warm-up", "full data", *["reliability filter"] * 3, "revision"],
        ),
        ({"revision_epochs": 0}, [*PHASES[:5], "reliability filter"]),
        ({"selection": SMRD(0.3)}, ["warm-up", *["data dropout"] * 4, "revision"]),
        ({"selection": InfoBatch()}, ["warm-up", *["selection"] * 4, "revision"]),
        ({"selection": FocusFilter(DBPD(0.3))}, PHASES),
    ],
)
def test_phases_follow_the_parameters(clf, ecg, parameters, expected):
    other = clone(clf).set_params(**parameters).fit(*ecg)
    assert SelectionDisplay.from_estimator(other).phases == expected


def test_phases_agree_with_the_policy_that_ruled(clf):
    focused = np.isfinite(clf.selection_.focus).any(axis=1)
    display = SelectionDisplay.from_estimator(clf)
    for phase, share in zip(display.phases, display.shares, strict=True):
        if phase in {"warm-up", "revision"}:
            assert share[0] == 1
        if phase == "data dropout":
            assert share[1] == 0
    assert focused[np.array(display.phases) == "reliability filter"].all()


def test_training_stopped_by_hand_shows_its_last_epoch_if_it_was_seen(clf):
    stopped = clone(clf)
    vars(stopped).update(vars(clf))
    story = clf.selection_
    longer = {
        name: np.append(getattr(story, name), getattr(story, name)[-1:], axis=0)
        for name in ("status", "confidence", "focus", "phases", "judged_by")
    }
    longer["status"][-1] = Status.NOT_LOOKED_AT
    stopped.selection_ = replace(story, **longer)
    stopped.kept_counts_ = np.append(clf.kept_counts_, 0)
    display = SelectionDisplay.from_estimator(stopped)
    assert len(display.epochs) == 6
    assert_allclose(display.effective_epochs, clf.history_[:, "EE"])


def test_partial_fit_shows_its_epoch_of_the_schedule(clf, ecg):
    learner = clone(clf)
    for phase in ("warm-up", "data dropout", "reliability filter"):
        learner.partial_fit(*ecg)
        assert SelectionDisplay.from_estimator(learner).phases == [phase]
    for _ in range(4):
        learner.partial_fit(*ecg)
    display = SelectionDisplay.from_estimator(learner)
    assert display.epochs.tolist() == [7]
    assert display.phases == ["reliability filter"]  # there is no revision


def test_warm_start_counts_anew(clf, ecg):
    learner = clone(clf).set_params(warm_start=True).fit(*ecg).fit(*ecg)
    display = SelectionDisplay.from_estimator(learner)
    assert display.phases == PHASES
    assert display.epochs.tolist() == [1, 2, 3, 4, 5, 6]
    assert display.effective_epochs[-1] == pytest.approx(learner.effective_epochs_)


def test_given_axes_are_used_and_divided(clf):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
    before = left.get_position()
    display = SelectionDisplay.from_estimator(clf, ax=left)
    assert display.ax_ is left
    assert display.figure_ is figure
    assert set(figure.axes) == {left, right, display.ax_effective_epochs_}
    upper = left.get_position()
    lower = display.ax_effective_epochs_.get_position()
    assert lower.y0 == pytest.approx(before.y0)
    assert upper.y1 == pytest.approx(before.y1)
    assert lower.y1 < upper.y0
    assert (lower.x0, lower.x1) == pytest.approx((before.x0, before.x1))


def test_plot_returns_itself_and_makes_a_figure_of_two_panels():
    display = SelectionDisplay([[1, 0, 0, 0, 0, 0], [1 / 6] * 6], [1, 1.25])
    assert display.plot() is display
    assert list(display.bars_) == [status.label for status in LOOK]
    assert len(display.figure_.axes) == 2


@pytest.mark.parametrize("n_epochs", [6, 20, 30, 100])
def test_texts_do_not_overlap(n_epochs):
    phases = (
        ["warm-up"] * 2 + ["data dropout"] + ["reliability filter"] * (n_epochs - 4)
    )
    phases.append("revision")
    shares = np.full((n_epochs, 6), 1 / 6)
    display = SelectionDisplay(shares, np.arange(n_epochs), phases=phases).plot()
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    boxes.append(display.ax_.get_legend().get_window_extent())
    assert len(boxes) == 5
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:k]) == 0


def test_lightness_tells_statuses_apart_in_grey():
    display = SelectionDisplay([[1 / 6] * 6], [1]).plot()
    weights = np.array([0.2126, 0.7152, 0.0722])
    grey = [
        weights @ np.array(bars[0].get_facecolor()[:3])
        for bars in display.bars_.values()
    ]
    assert min(np.diff(sorted(grey))) > 0.1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, 0], [1]), {}, r"'shares'.*\(n_epochs, 6\).*Got the shape \(2,\)"),
        (([[1, 0, 0]], [1]), {}, r"Got the shape \(1, 3\)"),
        (
            ([[1, 0, 0, 0, 0, 0]], [1, 2]),
            {},
            r"'effective_epochs'.*1 epochs.*shape \(2,\)",
        ),
        (
            ([[1, 0, 0, 0, 0, 0]], [1]),
            {"phases": []},
            "'phases'.*1 epochs.*Got 0 names",
        ),
    ],
)
def test_arrays_that_do_not_fit(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        SelectionDisplay(*arguments, **options)


def test_not_fitted(clf):
    with pytest.raises(NotFittedError):
        SelectionDisplay.from_estimator(clone(clf))


def test_estimator_without_a_story(ecg):
    other = LogisticRegression().fit(ecg[0][:, 0], ecg[1])
    with pytest.raises(ValueError, match=r"'selection_'.*LogisticRegression"):
        SelectionDisplay.from_estimator(other)


def test_axes_placed_by_hand_cannot_be_divided(clf):
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match=r"'ax'.*plt\.subplots"):
        SelectionDisplay.from_estimator(clf, ax=ax)
