import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

from sk_erts.plotting import FaithfulnessDisplay

FRACTIONS = np.array([0, 0.2, 1])
SCORES = {"gradcam": np.array([[0.9, 0.2, 0.1], [0.7, 0.4, 0.1]])}


def test_curves_are_means_over_records_in_per_cent():
    display = FaithfulnessDisplay.from_arrays(FRACTIONS, SCORES)
    line = display.lines_["deletion"]["gradcam"]
    assert_allclose(line.get_xdata(), [0, 20, 100])
    assert_allclose(line.get_ydata(), [0.8, 0.3, 0.1])
    assert list(display.axes_) == ["deletion"]


def test_areas_are_those_of_trapezia_and_stand_in_the_legend():
    display = FaithfulnessDisplay.from_arrays(FRACTIONS, SCORES)
    area = 0.2 * 0.55 + 0.8 * 0.2
    assert display.areas["deletion"]["gradcam"] == pytest.approx(area)
    legend = display.axes_["deletion"].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["gradcam: 0.270"]


def test_standard_error_is_shaded_and_named():
    display = FaithfulnessDisplay.from_arrays(FRACTIONS, SCORES)
    # Two values a and b: the error of their mean is |a - b| / 2.
    low, high = display.bounds["deletion"]["gradcam"]
    assert_allclose(low, [0.7, 0.2, 0.1])
    assert_allclose(high, [0.9, 0.4, 0.1])
    assert "standard error" in display.axes_["deletion"].get_ylabel()
    (shade,) = display.axes_["deletion"].collections
    heights = shade.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.1, 0.9))


def test_bootstrap_is_that_of_the_mean():
    rng = np.random.default_rng(0)
    scores = rng.normal(0.5, 0.1, size=(400, 3))
    display = FaithfulnessDisplay(FRACTIONS, {"a": scores}, interval="bootstrap")
    low, high = display.bounds["deletion"]["a"]
    assert_allclose(high - low, 2 * 1.96 * 0.1 / 20, rtol=0.15)
    again = FaithfulnessDisplay(FRACTIONS, {"a": scores}, interval="bootstrap")
    assert_allclose(again.bounds["deletion"]["a"], [low, high])
    assert "95% bootstrap" in display.plot().axes_["deletion"].get_ylabel()


@pytest.mark.parametrize("interval", ["standard error", "bootstrap"])
def test_single_record_has_no_interval(interval):
    display = FaithfulnessDisplay(FRACTIONS, {"a": [[1, 1, 0]]}, interval=interval)
    assert_allclose(display.bounds["deletion"]["a"], [[1, 1, 0], [1, 1, 0]])


def test_references_are_grey_and_dashed_and_methods_keep_their_look():
    names = ["random", "gradcam", "inverted", "lime"]
    curves = {name: [[1, 0.5, 0]] for name in names}
    display = FaithfulnessDisplay.from_arrays(
        FRACTIONS, curves, {"lime": [[0, 0.5, 1]]}
    )
    lines = display.lines_["deletion"]
    looks = {(line.get_color(), line.get_linestyle()) for line in lines.values()}
    assert len(looks) == 4
    for name, line in lines.items():
        assert (line.get_linestyle() != "-") == (name in {"random", "inverted"})
        assert (line.get_color() == "#6e6e6e") == (name in {"random", "inverted"})
    assert lines["gradcam"].get_marker() != lines["lime"].get_marker()  # in grey
    assert display.lines_["insertion"]["lime"].get_color() == lines["lime"].get_color()


def test_both_panels_have_one_scale():
    display = FaithfulnessDisplay.from_arrays(
        FRACTIONS, SCORES, {"gradcam": [[0.1, 0.5, 3]]}
    )
    deletion, insertion = display.axes_.values()
    assert deletion.get_ylim() == insertion.get_ylim()
    assert deletion.get_ylim()[1] > 3
    assert insertion.get_xlabel() == "samples brought back (%)"
    assert insertion.get_title(loc="left") == "insertion, n = 1"


def test_given_axes_are_used():
    figure, ax = plt.subplots()
    display = FaithfulnessDisplay.from_arrays(FRACTIONS, SCORES, ax=ax)
    assert figure.axes == [ax]
    assert display.figure_ is figure


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0, 1, 0.5], SCORES), {}, "'fractions'.*rising.*Got"),
        (([0, 50, 100], SCORES), {}, "'fractions'.*from 0 to 1"),
        ((FRACTIONS,), {}, "'deletion' or the 'insertion'.*one curve"),
        ((FRACTIONS, {"a": [1, 2, 3]}), {}, r"deletion\['a'\].*\(n_samples, 3\)"),
        ((FRACTIONS, None, {"a": [[1, 2]]}), {}, r"insertion\['a'\].*3 fr.*\(1, 2\)"),
        ((FRACTIONS, {"a": [[1, np.nan, 3]]}), {}, r"deletion\['a'\].*finite.*1 N"),
        ((FRACTIONS, SCORES), {"interval": "sem"}, "'interval'.*'sem'"),
    ],
)
def test_arrays_that_do_not_fit(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        FaithfulnessDisplay(*arguments, **options)
