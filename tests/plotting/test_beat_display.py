import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

from sk_erts.datasets import STANDARD_LEADS
from sk_erts.plotting import BeatAttributionDisplay

BEAT = np.random.default_rng(0).normal(size=(12, 90)).astype(np.float32)
HEAT = np.abs(BEAT)


def test_time_counts_from_r_in_s():
    display = BeatAttributionDisplay.from_arrays(BEAT[0], HEAT[0], fs=250, before_s=0.1)
    (line,) = display.lines_
    assert_allclose(line.get_xdata()[[0, 25, -1]], [-0.1, 0, 64 / 250], atol=1e-9)
    assert_allclose(line.get_ydata(), BEAT[0])
    assert display.axes_[0].get_xlabel() == "time from R (s)"
    assert display.axes_[0].get_ylabel() == "mV"
    left, right = display.heat_[0].get_extent()[:2]
    assert (left, right) == pytest.approx((-0.102, 64 / 250 + 0.002))


def test_each_lead_has_its_panel_and_its_map():
    display = BeatAttributionDisplay.from_arrays(BEAT, HEAT, before_s=0.3)
    for k, ax in enumerate(display.axes_):
        assert ax.get_title(loc="left") == STANDARD_LEADS[k]
        assert_allclose(display.lines_[k].get_ydata(), BEAT[k])
        assert_allclose(np.asarray(display.heat_[k].get_array())[0], HEAT[k])
        assert display.heat_[k].get_clim() == pytest.approx((0, HEAT.max()))
        assert ax.get_ylim() == display.axes_[0].get_ylim()
        assert ax.get_ylim()[0] < BEAT.min() < BEAT.max() < ax.get_ylim()[1]


def test_map_in_time_stands_behind_all_leads():
    display = BeatAttributionDisplay.from_arrays(BEAT[:3], -HEAT[0], before_s=0.3)
    for layer in display.heat_:
        assert_allclose(np.asarray(layer.get_array())[0], -HEAT[0])
    assert display.heat_[0].get_clim() == pytest.approx((-HEAT[0].max(), HEAT[0].max()))


@pytest.mark.parametrize(
    ("n_leads", "shape"), [(12, (3, 4)), (8, (2, 4)), (5, (2, 3)), (2, (1, 2))]
)
def test_leads_go_down_the_columns(n_leads, shape):
    names = STANDARD_LEADS[:n_leads]
    display = BeatAttributionDisplay.from_arrays(
        BEAT[:n_leads], HEAT[:n_leads], before_s=0.3, lead_names=names
    )
    assert len(display.figure_.axes) == n_leads + 1  # and the colour bar
    for k, ax in enumerate(display.axes_):
        span = ax.get_subplotspec()
        assert (span.rowspan.start, span.colspan.start) == (k % shape[0], k // shape[0])


def test_windows_of_the_waves_are_marked():
    display = BeatAttributionDisplay.from_arrays(
        BEAT[0], HEAT[0], before_s=0.1, windows={"P": (-0.3, -0.15), "QRS": (-0.2, 0.1)}
    )
    (mark,) = [
        line
        for line in display.axes_[0].get_lines()
        if line.get_label().startswith("window")
    ]  # P lies before the beat
    assert_allclose(mark.get_xdata(), [-0.105, 0.1], atol=0.01)
    assert [text.get_text() for text in display.axes_[0].texts] == ["QRS"]


def test_usual_windows_do_not_overlap():
    display = BeatAttributionDisplay.from_arrays(BEAT[0], HEAT[0], before_s=0.3)
    assert list(display.windows) == ["P", "QRS", "ST", "T"]
    ends = np.array(list(display.windows.values())).ravel()
    assert (np.diff(ends) >= 0).all()
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.axes_[0].texts]
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:k]) == 0


def test_given_axes_are_divided():
    figure, (left, right) = plt.subplots(1, 2)
    before = right.get_position().x0
    display = BeatAttributionDisplay.from_arrays(
        BEAT[:2], HEAT[:2], before_s=0.3, ax=left
    )
    assert display.axes_[0] is left
    assert all(ax.get_position().x1 < before for ax in display.axes_)
    with pytest.raises(ValueError, match="'ax' of BeatAttributionDisplay"):
        display.plot(ax=figure.add_axes((0, 0, 1, 1)))


@pytest.mark.parametrize("n_leads", [1, 3, 12])
def test_label_of_the_colour_bar_stays_on_the_figure(n_leads):
    display = BeatAttributionDisplay.from_arrays(
        BEAT[:n_leads], BEAT[:n_leads], before_s=0.3, explained="NORM"
    )
    display.figure_.draw_without_rendering()
    label = display.colorbar_.ax.yaxis.label.get_window_extent()
    figure = display.figure_.bbox
    assert figure.x0 <= label.x0 < label.x1 <= figure.x1
    assert figure.y0 <= label.y0 < label.y1 <= figure.y1


@pytest.mark.parametrize("before_s", [-0.1, 0.9])
def test_r_peak_must_be_in_the_beat(before_s):
    with pytest.raises(ValueError, match="'before_s'.*below 0.9 s. Got"):
        BeatAttributionDisplay(BEAT, HEAT, before_s=before_s)
