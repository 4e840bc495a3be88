import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal

from sk_erts.exceptions import DoubtfulInputWarning
from sk_erts.plotting import ClassAverageDisplay

MINUS = "\N{MINUS SIGN}"
TABLE = np.array([[0.1, 0.92, np.nan], [-0.3, -0.01, 0.7]])


def test_colours_and_numbers_hold_the_table():
    display = ClassAverageDisplay.from_arrays(TABLE, unit="logit")
    assert_array_equal(np.ma.filled(display.heat_.get_array(), np.nan), TABLE)
    assert display.heat_.get_clim() == (-0.92, 0.92)
    found = {text.get_position(): text.get_text() for text in display.texts_}
    assert found == {
        (0, 0): "0.10",
        (1, 0): "0.92",
        (0, 1): f"{MINUS}0.30",
        (1, 1): f"{MINUS}0.01",
        (2, 1): "0.70",
    }
    assert display.colorbar_.ax.get_ylabel() == "mean attribution\n(logit)"
    assert not display.lines_


def test_data_frame_names_classes_and_segments():
    frame = pd.DataFrame(TABLE, index=["PVC", "STE"], columns=["P", "QRS", "T"])
    display = ClassAverageDisplay.from_arrays(frame)
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["PVC", "STE"]
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["P", "QRS", "T"]
    renamed = ClassAverageDisplay(frame, class_names=["a", "b"])
    assert renamed.class_names == ["a", "b"]
    assert renamed.segment_names == ["P", "QRS", "T"]


def test_beats_span_the_segments_on_one_scale():
    beats = np.array([[0.0, 1, 0, 0, 0, 0], [0, 2, 0, 0, 0, -2]])
    display = ClassAverageDisplay.from_arrays(TABLE, beats=beats)
    for row, (line, beat) in enumerate(zip(display.lines_, beats, strict=True)):
        # Six samples over three segments: two each, beside the middle.
        assert_allclose(line.get_xdata(), [-0.25, 0.25, 0.75, 1.25, 1.75, 2.25])
        assert_allclose(line.get_ydata(), row - 0.2 * beat)
        assert (np.abs(line.get_ydata() - row) < 0.5).all()


def test_minus_signs_stand_where_beats_leave_no_room_for_numbers():
    display = ClassAverageDisplay.from_arrays(TABLE, beats=np.zeros((2, 9)))
    (text,) = display.texts_  # -0.01 is too weak
    assert text.get_text() == MINUS
    x, y = text.get_position()
    assert (round(x), round(y)) == (0, 1)
    assert f"{MINUS} below 0" in display.colorbar_.ax.get_ylabel()


def test_given_axes_and_limit_are_used():
    figure, ax = plt.subplots()
    display = ClassAverageDisplay.from_arrays(np.abs(TABLE), ax=ax, vmax=2)
    assert display.figure_ is figure
    assert display.heat_.get_clim() == (0, 2)
    assert display.plot() is display
    assert display.figure_ is not figure


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ([1, 2], {}, r"'table'.*n_segments\). Got the shape \(2,\)"),
        (TABLE, {"class_names": ["a"]}, "'class_names'.*2 names.*'a'"),
        (TABLE, {"segment_names": "PQT"}, "'segment_names'.*3 names.*'PQT'"),
        (TABLE, {"beats": np.zeros((3, 9))}, r"'beats'.*2 classes.*\(3, 9\)"),
        (TABLE, {"beats": np.full((2, 9), np.nan)}, "'beats'.*finite numbers. Got 18"),
    ],
)
def test_arrays_that_do_not_fit(table, options, message):
    with pytest.raises(ValueError, match=message):
        ClassAverageDisplay(table, **options)


class Explainer:
    def explain(self, X, method, target, signed):
        return X


def test_whole_records_are_no_beats():
    y = np.array(["NORM", "PVC"])
    for shape in ((2, 1000), (2, 3, 1000)):
        with pytest.raises(ValueError, match=r"10 s instead.*sk_erts.beats.r_peaks"):
            ClassAverageDisplay.from_attributions(np.ones(shape), y, fs=100)
        with pytest.warns(DoubtfulInputWarning, match="1000 samples.*beats.r_peaks"):
            ClassAverageDisplay.from_attributions(np.ones(shape), y)
    X = np.ones((2, 3, 1000))
    with pytest.raises(ValueError, match="10 s instead"):
        ClassAverageDisplay.from_estimator(Explainer(), X, y, fs=100)
    with pytest.warns(DoubtfulInputWarning, match="1000 samples") as said:
        ClassAverageDisplay.from_estimator(Explainer(), X, y)
    assert len(said) == 1


def test_beats_are_shown_without_a_word():
    y = np.array(["NORM", "PVC"])
    ClassAverageDisplay.from_attributions(np.ones((2, 90)), y)
    ClassAverageDisplay.from_attributions(np.ones((2, 900)), y, fs=1000)
    ClassAverageDisplay.from_estimator(Explainer(), np.ones((2, 3, 900)), y, fs=1000)
