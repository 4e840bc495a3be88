import warnings

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sk_erts import ERTSClassifier
from sk_erts.datasets import STANDARD_LEADS, make_ecg
from sk_erts.exceptions import DoubtfulInputWarning, ExplanationWarning
from sk_erts.plotting import ECGDisplay
from sk_erts.plotting._explained import explained_by

MM_PER_INCH = 25.4


@pytest.fixture(scope="module")
def twelve():
    """One record of twelve leads and 10 s, and where its evidence is."""
    X, _, evidence = make_ecg(1, classes=["PVC"], random_state=0, return_evidence=True)
    return X[0], evidence.mask[0].astype(float)


def grid(display, name):
    """Return the positions of grid lines, horizontal or vertical, by their label."""
    (lines,) = [c for c in display.ax_.collections if c.get_label() == name]
    column = 0 if name.endswith((" s", " samples")) else 1
    return np.array([segment[0][column] for segment in lines.get_segments()])


def bar_label(display):
    """Return the label of the colour bar as one line."""
    return " ".join(display.colorbar_.ax.get_ylabel().split())


def pulses(display):
    """Return the lines that stand before the record."""
    lines = set(display.ax_.get_lines()) - set(display.lines_)
    return sorted(lines, key=lambda line: -line.get_ydata()[0])


# ------------------------------------------------------------------ paper and traces


@pytest.mark.parametrize(("fs", "duration_s"), [(100, 10), (500, 4), (250, 2.5)])
def test_traces_hold_the_signal_in_s_and_mv(fs, duration_s):
    n_times = int(fs * duration_s)
    signal = np.random.default_rng(0).normal(size=(3, n_times)).astype(np.float32)
    display = ECGDisplay(signal, fs=fs).plot()
    assert len(display.lines_) == 3
    for line, lead, offset in zip(
        display.lines_, signal, display.offsets_, strict=True
    ):
        assert_allclose(line.get_xdata(), np.arange(n_times) / fs)
        assert_allclose(line.get_ydata() - offset, lead, atol=1e-6)


def test_boxes_are_those_of_ecg_paper(twelve):
    display = ECGDisplay(twelve[0], fs=100).plot()
    assert_allclose(np.diff(grid(display, "small boxes, s")), 0.04)
    assert_allclose(np.diff(grid(display, "small boxes, mV")), 0.1)
    assert_allclose(np.diff(grid(display, "large boxes, s")), 0.2)
    assert_allclose(np.diff(grid(display, "large boxes, mV")), 0.5)


@pytest.mark.parametrize("direction", ["s", "mV"])
def test_boxes_cover_the_paper_from_edge_to_edge(twelve, direction):
    display = ECGDisplay(twelve[0], fs=100).plot()
    limits = display.ax_.get_xlim() if direction == "s" else display.ax_.get_ylim()
    for size in ("small", "large"):
        lines = grid(display, f"{size} boxes, {direction}")
        assert_allclose((lines[0], lines[-1]), limits, atol=1e-9)


def test_every_lead_and_the_record_begin_on_a_line_of_large_boxes(twelve):
    display = ECGDisplay(twelve[0], fs=100).plot()
    lines = grid(display, "large boxes, mV")
    for offset in display.offsets_:
        assert np.abs(lines - offset).min() < 1e-9
    assert np.abs(grid(display, "large boxes, s")).min() < 1e-9


@pytest.mark.parametrize(("n_leads", "duration_s"), [(12, 10), (2, 6), (1, 12)])
def test_figure_has_the_size_of_paper(n_leads, duration_s):
    X, _ = make_ecg(1, n_leads=n_leads, duration_s=duration_s, random_state=0)
    display = ECGDisplay(X[0], fs=100).plot()
    display.figure_.draw_without_rendering()  # the aspect is applied here
    box = display.ax_.get_window_extent()
    mm = MM_PER_INCH / display.figure_.dpi
    width_s = np.ptp(display.ax_.get_xlim())
    height_mv = np.ptp(display.ax_.get_ylim())
    assert box.width * mm / width_s == pytest.approx(25, rel=1e-3)
    assert box.height * mm / height_mv == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize("duration_s", [2, 60])
def test_short_and_long_records_keep_the_shape_of_boxes(duration_s):
    X, _ = make_ecg(1, n_leads=2, duration_s=duration_s, random_state=0)
    display = ECGDisplay(X[0], fs=100).plot()
    assert 5 < display.figure_.get_figwidth() < 22
    display.figure_.draw_without_rendering()
    box = display.ax_.get_window_extent()
    per_s = box.width / np.ptp(display.ax_.get_xlim())
    per_mv = box.height / np.ptp(display.ax_.get_ylim())
    assert per_s / per_mv == pytest.approx(2.5, rel=1e-3)


def test_pulse_of_one_mv_for_200_ms_stands_before_each_lead(twelve):
    display = ECGDisplay(twelve[0], fs=100).plot()
    assert len(pulses(display)) == 12
    for pulse, offset in zip(pulses(display), display.offsets_, strict=True):
        x, y = pulse.get_xdata(), pulse.get_ydata()
        assert max(x) < 0
        raised = np.asarray(x)[y > y.min()]
        assert y.min() == offset
        assert np.ptp(y) == pytest.approx(1)
        assert np.ptp(raised) == pytest.approx(0.2)


def test_neighbouring_leads_and_pulses_do_not_touch(twelve):
    display = ECGDisplay(twelve[0], fs=100).plot()
    upper, lower = display.lines_[:-1], display.lines_[1:]
    for one, other, pulse in zip(upper, lower, pulses(display)[1:], strict=True):
        assert one.get_ydata().min() > other.get_ydata().max()
        assert one.get_ydata().min() > pulse.get_ydata().max()
    bottom, top = display.ax_.get_ylim()
    assert display.lines_[0].get_ydata().max() < top
    assert display.lines_[-1].get_ydata().min() > bottom


@pytest.mark.parametrize("factor", [-100, 100])
def test_wild_lead_takes_a_bounded_room(twelve, factor):
    signal = twelve[0].copy()
    signal[3] *= factor
    display = ECGDisplay(signal, fs=100).plot()
    gaps_mv = -np.diff(display.offsets_)
    assert gaps_mv.min() > 0
    assert gaps_mv.max() <= 7


def test_names_stand_before_their_leads_from_top_to_bottom(twelve):
    display = ECGDisplay(twelve[0], fs=100).plot()
    texts = display.ax_.texts
    assert tuple(text.get_text() for text in texts) == STANDARD_LEADS
    for text, offset in zip(texts, display.offsets_, strict=True):
        x, y = text.get_position()
        assert offset <= y <= offset + 1
        assert x < 0
    assert (np.diff(display.offsets_) < 0).all()


def test_names_end_before_the_pulse(twelve):
    display = ECGDisplay(twelve[0], lead_names=["aVR"] * 12, fs=100).plot()
    display.figure_.draw_without_rendering()
    to_data = display.ax_.transData.inverted()
    for text in display.ax_.texts:
        right = to_data.transform(text.get_window_extent())[1, 0]
        assert right < min(pulses(display)[0].get_xdata())


def test_names_given_and_by_default():
    assert ECGDisplay(np.zeros((2, 9)), lead_names=("II", "V1")).lead_names == (
        "II",
        "V1",
    )
    assert ECGDisplay(np.zeros((2, 9))).lead_names == ("1", "2")


def test_time_axis_is_in_seconds(twelve):
    ax = ECGDisplay(twelve[0], fs=100).plot().ax_
    assert ax.get_xlabel() == "time (s), at 25 mm/s and 10 mm/mV"
    assert_array_equal(ax.get_xticks(), np.arange(11))


def test_single_lead_as_one_row():
    display = ECGDisplay(np.zeros(300)).plot()
    assert display.signal.shape == (1, 300)
    assert len(display.lines_) == 1


# ------------------------------------------------------------------------- heat layer


def test_heat_layer_holds_the_map_behind_all_leads(twelve):
    signal, heat = twelve
    display = ECGDisplay(signal, heat, fs=100).plot()
    assert_allclose(np.asarray(display.heat_.get_array()), heat[np.newaxis])
    left, right, bottom, top = display.heat_.get_extent()
    assert (left, right) == pytest.approx((-0.005, 9.995))  # samples in mid-column
    assert (bottom, top) == display.ax_.get_ylim()
    lowest = min(line.get_zorder() for line in display.lines_)
    grid_order = min(lines.get_zorder() for lines in display.ax_.collections)
    assert display.heat_.get_zorder() < grid_order < lowest


def test_heat_layer_leaves_the_limits_of_the_paper(twelve):
    with_heat = ECGDisplay(*twelve, fs=100).plot().ax_
    without = ECGDisplay(twelve[0], fs=100).plot().ax_
    assert with_heat.get_xlim() == without.get_xlim()
    assert with_heat.get_ylim() == without.get_ylim()
    assert with_heat.get_aspect() == without.get_aspect() == 0.4


def test_scale_begins_at_zero_and_ends_at_the_greatest_value_or_vmax(twelve):
    signal, heat = twelve
    assert ECGDisplay(signal, 3 * heat, fs=100).plot().heat_.get_clim() == (0, 3)
    assert ECGDisplay(signal, 3 * heat, fs=100).plot(vmax=5).heat_.get_clim() == (0, 5)
    assert ECGDisplay(signal, 0 * heat, fs=100).plot().heat_.get_clim() == (0, 1)


def test_colour_bar_tells_class_and_unit(twelve):
    display = ECGDisplay(*twelve, explained="PVC", heat_unit="V", fs=100).plot()
    assert display.colorbar_.mappable is display.heat_
    assert bar_label(display) == "evidence for PVC (V)"


def test_without_map_there_is_no_heat_and_no_colour_bar(twelve):
    display = ECGDisplay(twelve[0], fs=100).plot()
    assert display.heat_ is None
    assert display.colorbar_ is None
    assert not display.ax_.images


def test_shades_darken_evenly_and_leave_traces_legible(twelve):
    display = ECGDisplay(*twelve, fs=100).plot()
    rgb = display.heat_.cmap(np.linspace(0, 1, 11))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    assert_allclose(np.diff(lightness), np.diff(lightness).mean(), rtol=0.1)
    assert np.ptp(lightness) > 30
    assert (luminance[-1] + 0.05) / 0.05 > 4.5  # contrast with black


@pytest.mark.parametrize("layout", ["12x1", "3x4", "6x2"])
def test_map_of_leads_stands_behind_each_lead(twelve, layout):
    signal, _ = twelve
    lead, time = np.mgrid[0:12, 0:1000]
    display = ECGDisplay.from_arrays(signal, 1000 * lead + time, layout=layout, fs=100)
    picture = np.asarray(display.heat_.get_array())
    *_, bottom, top = display.heat_.get_extent()
    for line in display.lines_:
        x, y = line.get_xdata(), line.get_ydata()
        first = round(x[0] * 100)
        assert_allclose(x, np.arange(first, first + len(x)) / 100)
        (offset,) = {o for o in display.offsets_ if _is_raised(y, signal, first, o)}
        row = int((top - offset) / (top - bottom) * len(picture))
        (shown,) = np.unique(picture[row, first : first + len(x)] // 1000)
        assert_allclose(
            y - offset, signal[int(shown), first : first + len(x)], atol=1e-5
        )
        assert_allclose(picture[row, first : first + len(x)] % 1000, 100 * x)


def _is_raised(y, signal, first, offset):
    """Return whether a trace is one of the leads, raised by an offset."""
    parts = signal[:, first : first + len(y)]
    return any(np.allclose(y - offset, part, atol=1e-5) for part in parts)


def test_map_with_negative_values_is_centred_on_zero_and_barred(twelve):
    signal, heat = twelve
    signed = np.where(heat > 0, 2.0, -0.1)
    signed[700:710] = -1
    display = ECGDisplay.from_arrays(signal, signed, explained="PVC", fs=100)
    assert display.heat_.get_clim() == (-2, 2)
    assert bar_label(display) == (
        "evidence for (+) or against (-, barred) PVC (arbitrary unit)"
    )
    (bars,) = [c for c in display.ax_.collections if c.get_label() == "against"]
    (path,) = bars.get_paths()  # weak evidence against is not barred
    assert path.vertices[:, 0].min() == pytest.approx(6.995)
    assert path.vertices[:, 0].max() == pytest.approx(7.095)
    assert path.vertices[:, 1].min() == pytest.approx(display.ax_.get_ylim()[0])


def test_leads_share_one_scale(twelve):
    heat = np.zeros((12, 1000))
    heat[3, 5], heat[4, 5] = 7, -2
    display = ECGDisplay.from_arrays(twelve[0], heat, layout="6x2", fs=100)
    assert display.heat_.get_clim() == (-7, 7)
    alone = ECGDisplay.from_arrays(twelve[0], heat, lead="V6", fs=100)
    assert alone.heat_.get_clim() == (-7, 7)
    assert not np.asarray(alone.heat_.get_array()).any()


@pytest.mark.parametrize("vmax", [0, -1, np.nan])
def test_scale_must_end_above_zero(twelve, vmax):
    with pytest.raises(ValueError, match="'vmax' parameter of ECGDisplay.*above 0"):
        ECGDisplay(*twelve, fs=100).plot(vmax=vmax)


# ---------------------------------------------------------------------------- layouts

COLUMNS = {
    "3x4": ["I aVR V1 V4", "II aVL V2 V5", "III aVF V3 V6", "II"],
    "6x2": ["I V1", "II V2", "III V3", "aVR V4", "aVL V5", "aVF V6"],
}


@pytest.mark.parametrize("layout", COLUMNS)
def test_leads_stand_in_clinical_order_at_their_times(twelve, layout):
    signal = twelve[0]
    display = ECGDisplay.from_arrays(signal, layout=layout, fs=100)
    lines = iter(display.lines_)
    for row, offset in zip(COLUMNS[layout], display.offsets_, strict=True):
        names = row.split()
        for k, name in enumerate(names):
            line = next(lines)
            length = 1000 // len(names)
            times = np.arange(k * length, (k + 1) * length)
            assert_allclose(line.get_xdata(), times / 100)
            assert_allclose(
                line.get_ydata() - offset,
                signal[STANDARD_LEADS.index(name), times],
                atol=1e-5,
            )
    assert next(lines, None) is None
    texts = [text.get_text() for text in display.ax_.texts]
    assert texts == " ".join(COLUMNS[layout]).split()


@pytest.mark.parametrize("layout", COLUMNS)
def test_columns_are_true_to_scale_too(twelve, layout):
    display = ECGDisplay.from_arrays(twelve[0], layout=layout, fs=100)
    display.figure_.draw_without_rendering()
    box = display.ax_.get_window_extent()
    mm = MM_PER_INCH / display.figure_.dpi
    assert box.width * mm / np.ptp(display.ax_.get_xlim()) == pytest.approx(25)
    assert box.height * mm / np.ptp(display.ax_.get_ylim()) == pytest.approx(10)
    assert len(pulses(display)) == len(display.offsets_)


@pytest.mark.parametrize("layout", COLUMNS)
def test_names_stand_above_their_trace_and_touch_nothing(twelve, layout):
    display = ECGDisplay.from_arrays(twelve[0], layout=layout, fs=100)
    display.figure_.draw_without_rendering()
    to_data = display.ax_.transData.inverted()
    for text in display.ax_.texts:
        (left, bottom), (right, top) = to_data.transform(text.get_window_extent())
        for line in display.lines_:
            x, y = line.get_xdata(), line.get_ydata()
            under = y[(x >= left) & (x <= right)]
            assert not ((under > bottom) & (under < top)).any()
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:k]) == 0


def test_changes_of_lead_are_marked_between_two_samples(twelve):
    display = ECGDisplay.from_arrays(twelve[0], layout="3x4", fs=100)
    marks = [c for c in display.ax_.collections if c.get_label() == "next lead"]
    assert len(marks) == 9  # three in each row, none in the rhythm strip
    times = {round(mark.get_segments()[0][0][0], 6) for mark in marks}
    assert times == {2.495, 4.995, 7.495}


def test_one_lead_alone(twelve):
    display = ECGDisplay.from_arrays(twelve[0], lead="avl", true_label="PVC", fs=100)
    (line,) = display.lines_
    assert_allclose(line.get_ydata(), twelve[0][4], atol=1e-6)
    assert [text.get_text() for text in display.ax_.texts] == ["aVL"]


# ----------------------------------------------------------------------- honest labels


def test_standardised_signals_are_not_called_millivolt(twelve):
    signal = twelve[0] / twelve[0].std(axis=1, keepdims=True)
    display = ECGDisplay.from_arrays(signal, unit="standardised", layout="3x4", fs=100)
    label = display.ax_.get_xlabel()
    assert label == "time (s), at 25 mm/s; a large box is 0.2 s by 2.5 (standardised)"
    assert_allclose(np.diff(grid(display, "large boxes, standardised")), 2.5)
    assert_allclose(np.diff(grid(display, "small boxes, standardised")), 0.5)
    for pulse in pulses(display):
        assert np.ptp(pulse.get_ydata()) == pytest.approx(5)
    words = [text.get_text() for text in display.ax_.texts]
    assert words.count("5") == 4  # the height stands in each pulse
    display.figure_.draw_without_rendering()
    box = display.ax_.get_window_extent()
    mm = MM_PER_INCH / display.figure_.dpi
    assert box.height * mm / np.ptp(display.ax_.get_ylim()) == pytest.approx(1 / 0.5)


@pytest.mark.parametrize("duration_s", [2, 60])
def test_enlarged_or_shrunk_paper_makes_no_claim_in_mm(duration_s):
    signal = np.zeros((1, 100 * duration_s))
    assert "mm" not in ECGDisplay(signal, fs=100).plot().ax_.get_xlabel()


def test_given_axes_make_no_claim_in_mm(twelve):
    _, ax = plt.subplots()
    label = ECGDisplay(twelve[0], fs=100).plot(ax=ax).ax_.get_xlabel()
    assert label == "time (s); a large box is 0.2 s by 0.5 mV"


@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_label_of_the_colour_bar_stays_on_the_figure(n_leads):
    signal = np.zeros((n_leads, 1000))
    heat = np.linspace(-1, 1, 1000)
    display = ECGDisplay.from_arrays(signal, heat, explained="NORM", fs=100)
    display.figure_.draw_without_rendering()
    label = display.colorbar_.ax.yaxis.label.get_window_extent()
    figure = display.figure_.bbox
    assert figure.x0 <= label.x0 < label.x1 <= figure.x1
    assert figure.y0 <= label.y0 < label.y1 <= figure.y1


def test_without_frequency_the_axis_counts_samples(twelve):
    signal = np.repeat(twelve[0], 5, axis=1)  # 10 s at 500 Hz
    heat = np.repeat(twelve[1], 5)
    for layout in ("12x1", "3x4"):
        display = ECGDisplay.from_arrays(signal, heat, layout=layout)
        assert display.ax_.get_xlabel() == (
            "time (samples, as 'fs' is not given); a large box is 100 samples by 0.5 mV"
        )
        lines = grid(display, "large boxes, samples")
        assert_allclose(np.diff(lines), 100)
        assert lines[-1] == 5000
        assert_array_equal(display.ax_.get_xticks(), np.arange(11) * 500)
        last = max(line.get_xdata()[-1] for line in display.lines_)
        assert last == 4999
        assert tuple(display.heat_.get_extent()[:2]) == (-0.5, 4999.5)
        known = ECGDisplay.from_arrays(signal, heat, layout=layout, fs=500)
        for one, other in zip(display.ax_.texts, known.ax_.texts, strict=True):
            assert one.get_position()[0] == pytest.approx(500 * other.get_position()[0])
        # On paper it looks as if 500 Hz were known.
        size = known.figure_.get_size_inches()
        assert_allclose(display.figure_.get_size_inches(), size)


def test_microvolts_give_no_black_sheet(twelve):
    signal = 1000 * twelve[0]
    with pytest.warns(DoubtfulInputWarning, match=r"microvolt: pass X / 1000"):
        display = ECGDisplay.from_arrays(signal, fs=100)
    label = display.ax_.get_xlabel()
    assert label == "time (s), at 25 mm/s; a large box is 0.2 s by 1000 mV"
    known = ECGDisplay.from_arrays(twelve[0], fs=100)
    assert display.figure_.get_figheight() < 1.5 * known.figure_.get_figheight()
    upper, lower = display.lines_[:-1], display.lines_[1:]
    for one, other in zip(upper, lower, strict=True):
        assert one.get_ydata().min() > other.get_ydata().max()
    ECGDisplay.from_arrays(signal, fs=100, unit="uV")  # without a word


# --------------------------------------------------------------------- from_estimator


class Otherwise:
    """Says that it explains by another method."""

    def __init__(self, instead):
        self.instead = instead

    def explain(self, X, method, target):
        warnings.warn(ExplanationWarning("other", instead=self.instead), stacklevel=2)
        return np.ones(X.shape[::2])


@pytest.mark.parametrize(
    ("instead", "unit"),
    [("input_x_gradient", "input_x_gradient"), (None, "Grad-CAM, logit per step")],
)
def test_map_is_called_what_it_is(instead, unit):
    with pytest.warns(ExplanationWarning, match="other"):
        heat, said = explained_by(
            Otherwise(instead), np.zeros((1, 2, 9)), "gradcam", "PVC"
        )
    assert said == unit
    assert heat.shape == (9,)


class Explainer(BaseEstimator):
    """A classifier that gives maps of leads and notes what it was asked for."""

    classes_ = np.array(["NORM", "PVC"])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        return np.array([[0.2, 0.8]])

    def predict(self, X):
        return np.array(["PVC"])

    def explain(self, X, target=None, **options):
        self.asked = {"target": target, **options}
        return np.ones_like(X)


def test_method_is_passed_on_and_named():
    asked = Explainer()
    display = ECGDisplay.from_estimator(
        asked, np.zeros((2, 600)), method="saliency", true_label="NORM"
    )
    assert asked.asked == {"target": "PVC", "method": "saliency"}
    assert bar_label(display) == "evidence for PVC (saliency)"
    assert display.heat.shape == (2, 600)
    title = display.ax_.get_title(loc="left")
    assert title == "true: NORM (20%), predicted: PVC (80%)"
    ECGDisplay.from_estimator(asked, np.zeros((2, 600)))
    assert asked.asked == {"target": "PVC", "method": "gradcam"}


def test_estimator_gives_map_class_and_probability(clf, ecg):
    X, y = ecg
    display = ECGDisplay.from_estimator(clf, X[0], true_label=y[0])
    proba = clf.predict_proba(X[:1])[0]
    predicted = clf.predict(X[:1])[0]
    assert_allclose(display.heat, clf.explain(X[:1])[0], rtol=1e-5, atol=1e-9)
    assert_allclose(display.heat_.get_array()[0], display.heat)
    assert_array_equal(display.signal, X[0])
    share = {k: f"{p:.0%}" for k, p in zip(clf.classes_, proba, strict=True)}
    true = y[0] if y[0] == predicted else f"{y[0]} ({share[y[0]]})"
    assert display.ax_.get_title(loc="left") == (
        f"true: {true}, predicted: {predicted} ({share[predicted]})"
    )
    assert bar_label(display) == f"evidence for {predicted} (Grad-CAM, logit per step)"


def test_target_changes_the_map_and_not_the_prediction(clf, ecg):
    X, _ = ecg
    predicted = clf.predict(X[:1])[0]
    target = next(name for name in clf.classes_ if name != predicted)
    display = ECGDisplay.from_estimator(clf, X[0], target=target)
    assert_allclose(display.heat, clf.explain(X[:1], target=target)[0], rtol=1e-5)
    assert not np.allclose(display.heat, clf.explain(X[:1])[0])
    assert display.predicted == predicted
    assert f"evidence for {target}" in bar_label(display)


def test_options_reach_the_figure(clf, ecg):
    figure, ax = plt.subplots()
    display = ECGDisplay.from_estimator(
        clf, ecg[0][0], fs=200, lead_names=("II", "V1"), ax=ax, vmax=9
    )
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.lines_[0].get_xdata()[-1] == pytest.approx(399 / 200)
    assert display.lead_names == ("II", "V1")
    assert display.heat_.get_clim() == (0, 9)
    assert plt.get_fignums() == [figure.number]


def test_record_of_one_lead_without_axis_of_leads(clf, ecg):
    X, y = ecg[0][:, 0], ecg[1]  # (n, times)
    single = clone(clf).set_params(max_epochs=1).fit(X, y)
    display = ECGDisplay.from_estimator(single, X[0])
    assert_allclose(display.heat, single.explain(X[:1])[0], rtol=1e-5, atol=1e-9)


def test_several_labels_per_record(clf, ecg):
    X, y = ecg
    Y = np.stack([y == "PVC", y == "AFIB", y != "NORM"], axis=1).astype(int)
    several = clone(clf).set_params(max_epochs=2).fit(X, Y)
    display = ECGDisplay.from_estimator(several, X[0], true_label=["a", "b"])
    row = several.predict(X[:1])[0]
    proba = several.predict_proba(X[:1])[0]
    found = [f"{k} ({proba[k]:.0%})" for k in np.flatnonzero(row)]
    words = " + ".join(found) or "nothing"
    assert display.ax_.get_title(loc="left") == f"true: a + b, predicted: {words}"
    assert display.explained == np.argmax(several.predict_proba(X[:1])[0])
    assert_allclose(display.heat, several.explain(X[:1])[0], rtol=1e-5)


def test_plot_returns_itself_and_draws_anew(twelve):
    display = ECGDisplay(*twelve, true_label="PVC", probability=0.5, fs=100)
    first = display.plot().figure_
    assert display.plot() is display
    assert display.figure_ is not first
    assert display.ax_.get_title(loc="left") == "true: PVC"


# ----------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "4x3"}, "'layout'.*'3x4' or '6x2'. Got '4x3'"),
        ({"layout": "3x4", "lead": "II"}, "'lead'.*'II' and the layout '3x4'"),
        ({"lead": "V9"}, "'lead'.*'V9' instead.*'aVR'"),
    ],
)
def test_layouts_that_cannot_be(twelve, options, message):
    with pytest.raises(ValueError, match=message):
        ECGDisplay(twelve[0], fs=100).plot(**options)


def test_layout_of_twelve_leads_needs_them_by_name():
    with pytest.raises(ValueError, match="'3x4'.*aVF, V1.*missing.*'12x1'"):
        ECGDisplay(np.zeros((5, 99)), lead_names=STANDARD_LEADS[:5]).plot(layout="3x4")


@pytest.mark.parametrize(
    ("signal", "options", "message"),
    [
        (np.zeros((1, 2, 9)), {}, r"\(n_leads, n_times\).*shape \(1, 2, 9\).*X\[0\]"),
        (np.zeros((2, 0)), {}, r"'signal'.*Got shape \(2, 0\)"),
        ([0.0, np.nan], {}, "'signal' .* finite numbers. Got 1 NaN"),
        (np.zeros(9), {"fs": 0}, "'fs'.*Hz, .* above 0. Got 0"),
        (np.zeros(9), {"heat": np.zeros(5)}, r"'heat'.*9 time steps.*shape \(5,\)"),
        (
            np.zeros((2, 9)),
            {"heat": np.zeros((3, 9))},
            r"each lead.*\(2, 9\).*\(3, 9\)",
        ),
        (np.zeros(2), {"heat": [np.inf, 1]}, "'heat'.*finite"),
        (np.zeros((2, 9)), {"lead_names": ["II"]}, r"'lead_names'.*2 leads.*\['II'\]"),
        (np.zeros((2, 9)), {"lead_names": "II"}, "'lead_names'.*sequence.*'II'"),
    ],
)
def test_arrays_that_do_not_fit(signal, options, message):
    with pytest.raises(ValueError, match=message):
        ECGDisplay(signal, **options)


def test_not_fitted(ecg):
    with pytest.raises(NotFittedError):
        ECGDisplay.from_estimator(ERTSClassifier(), ecg[0][0])


def test_estimator_without_maps(ecg):
    other = LogisticRegression().fit(ecg[0][:, 0], ecg[1])
    with pytest.raises(ValueError, match=r"'explain'.*LogisticRegression"):
        ECGDisplay.from_estimator(other, ecg[0][0, 0])


def test_unknown_target_names_the_classes(clf, ecg):
    with pytest.raises(ValueError, match="PVC"):
        ECGDisplay.from_estimator(clf, ecg[0][0], target="PVD")
