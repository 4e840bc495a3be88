"""Displays made from a classifier show what its parts give by themselves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sk_erts import ERTSClassifier
from sk_erts.beats import beat_average, r_peaks, segment_means
from sk_erts.datasets import make_ecg
from sk_erts.metrics import deletion_curve, insertion_curve
from sk_erts.plotting import (
    BeatAttributionDisplay,
    ClassAverageDisplay,
    FaithfulnessDisplay,
)


@pytest.fixture(scope="module")
def ecg():
    return make_ecg(
        60, n_leads=2, duration_s=4, classes=("NORM", "PVC"), random_state=0
    )


@pytest.fixture(scope="module")
def clf(ecg):
    return ERTSClassifier(
        module__width=4,
        module__blocks=(1, 1),
        max_epochs=6,
        lr=0.01,
        random_state=0,
        verbose=0,
    ).fit(*ecg)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_faithfulness_of_two_methods(clf, ecg):
    X, y = ecg[0][:12], ecg[1][:12]

    display = FaithfulnessDisplay.from_estimator(
        clf, X, y, ["gradcam", "saliency"], n_steps=5, window=10
    )

    assert list(display.means["deletion"]) == [
        "gradcam",
        "saliency",
        "random",
        "inverted",
    ]
    target = np.searchsorted(clf.classes_, y)
    for method in ("gradcam", "saliency"):
        maps = clf.explain(X, method, target=y)
        for panel, curve in (
            ("deletion", deletion_curve),
            ("insertion", insertion_curve),
        ):
            fractions, scores = curve(
                clf.predict_proba, X, maps, target, n_steps=5, window=10, random_state=0
            )
            assert_allclose(display.fractions, fractions)
            found = display.scores[panel][method]
            # Ties alone are broken at random: a step of the curve may hang on them.
            assert_allclose(found, scores, atol=0.05)
    areas = display.areas["deletion"]
    assert areas["gradcam"] < areas["random"] < areas["inverted"]


def test_the_likeliest_class_is_explained_by_default(clf, ecg):
    X = ecg[0][:6]

    display = FaithfulnessDisplay.from_estimator(clf, X, n_steps=2)

    first = display.scores["deletion"]["gradcam"][:, 0]
    assert_allclose(first, clf.predict_proba(X).max(axis=1), atol=1e-6)


def test_class_averages_of_beats(clf, ecg):
    X, y = ecg[0][:20], ecg[1][:20]

    display = ClassAverageDisplay.from_estimator(clf, X, y, method="input_x_gradient")

    maps = clf.explain(X, "input_x_gradient", target=y, signed=True)
    assert_allclose(display.table, segment_means(maps, y, 11), rtol=1e-5)
    assert display.class_names == ["NORM", "PVC"]
    expected = [X[y == label][:, 0].mean(axis=0) for label in ("NORM", "PVC")]
    assert_allclose(display.beats, expected, rtol=1e-5)


def test_segments_can_be_averaged_without_a_classifier():
    maps = np.arange(24.0).reshape(4, 6)

    display = ClassAverageDisplay.from_attributions(maps, list("abab"), n_segments=3)

    assert display.beats is None
    assert_allclose(display.table, [[6.5, 8.5, 10.5], [12.5, 14.5, 16.5]])


def test_the_average_beat_of_a_record(clf, ecg):
    record = ecg[0][0]

    display = BeatAttributionDisplay.from_estimator(clf, record, target="PVC")

    peaks = r_peaks(record, 100)
    heat = clf.explain(record[None], target="PVC")[0]
    assert_allclose(display.beat, beat_average(record, peaks, 100).mean, rtol=1e-6)
    assert_allclose(display.heat, beat_average(heat, peaks, 100).mean, rtol=1e-4)
    assert display.explained == "PVC"
    assert display.before_s == 0.3
    assert display.heat_unit == "Grad-CAM, logit per step"


def test_peaks_may_be_given(clf, ecg):
    record = ecg[0][0]

    display = BeatAttributionDisplay.from_estimator(
        clf, record, peaks=[100], before_s=0.2, after_s=0.3
    )

    assert_allclose(display.beat, record[:, 80:131], rtol=1e-6)


def test_a_record_without_a_whole_beat_is_refused(clf, ecg):
    with pytest.raises(ValueError, match="Got 1 peaks and no such beat"):
        BeatAttributionDisplay.from_estimator(clf, ecg[0][0], peaks=[5])


@pytest.fixture(scope="module")
def recurrent(ecg):
    return ERTSClassifier(
        "lstm1d", module__hidden=4, max_epochs=2, random_state=0, verbose=0
    ).fit(*ecg)


def test_two_networks_side_by_side_on_one_scale(clf, recurrent, ecg):
    X, y = ecg[0][:8], ecg[1][:8]

    displays = ClassAverageDisplay.from_estimators(
        {"CNN": clf, "LSTM": recurrent}, X, y
    )

    assert list(displays) == ["CNN", "LSTM"]
    greatest = 0.0
    for estimator, display in zip((clf, recurrent), displays.values(), strict=True):
        maps = estimator.explain(X, "integrated_gradients", target=y, signed=True)
        table = segment_means(maps, y, 11).to_numpy()
        assert_allclose(display.table, table, rtol=1e-5)
        assert_allclose(display.heat_.get_array(), table, rtol=1e-5)
        assert display.class_names == ["NORM", "PVC"]
        expected = [X[y == label][:, 0].mean(axis=0) for label in ("NORM", "PVC")]
        assert_allclose(display.beats, expected, rtol=1e-5)
        greatest = max(greatest, np.abs(table).max())
    cnn, lstm = displays.values()
    for display in (cnn, lstm):
        assert_allclose(display.heat_.get_clim(), (-greatest, greatest), rtol=1e-5)
        assert display.figure_ is cnn.figure_
        assert display.colorbar_ is cnn.colorbar_
    assert [display.ax_.get_title() for display in (cnn, lstm)] == ["CNN", "LSTM"]
    cnn.figure_.canvas.draw()
    left, right = (display.ax_.get_window_extent() for display in (cnn, lstm))
    assert left.x1 < right.x0
    assert (left.y0, left.y1) == (right.y0, right.y1)
    assert_allclose(left.width, right.width)


def test_one_class_side_by_side_explains_its_beats_alone(clf, recurrent, ecg):
    X, y = ecg[0][:20], ecg[1][:20]
    asked = []

    class Asked:
        def explain(self, X, method, **options):
            asked.append((len(X), set(options["target"])))
            return clf.explain(X, method, **options)

    displays = ClassAverageDisplay.from_estimators(
        {"a": clf, "b": Asked()},
        X,
        y,
        classes="PVC",
        method="input_x_gradient",
        n_segments=5,
        vmax=2,
    )

    own = y == "PVC"
    maps = clf.explain(X[own], "input_x_gradient", target="PVC", signed=True)
    assert asked == [(own.sum(), {"PVC"})]
    for display in displays.values():
        assert display.class_names == ["PVC"]
        expected = segment_means(maps, y[own], 5)
        assert_allclose(display.table, expected, rtol=1e-4, atol=1e-7)
        assert display.heat_.get_clim()[1] == 2


def test_axes_are_divided_among_networks(clf, ecg):
    figure, (one, other) = plt.subplots(2)

    displays = ClassAverageDisplay.from_estimators(
        {"a": clf, "b": clf}, ecg[0][:8], ecg[1][:8], method="saliency", ax=other
    )

    assert [display.figure_ for display in displays.values()] == [figure, figure]
    assert displays["a"].ax_ is other
    assert one.get_title() == ""


@pytest.mark.parametrize(
    ("estimators", "options", "message"),
    [
        ({}, {}, r"'estimators'.*map names to one or more.*Got \{\}"),
        ("clf", {}, "'estimators'.*map names.*Got 'clf'"),
        ({"a": None}, {"classes": "AFIB"}, "'classes'.*'NORM', 'PVC'. Got 'AFIB'"),
        ({"a": None}, {"classes": []}, "'classes'.*'NORM', 'PVC'. Got none"),
        ({"a": None}, {"fs": 100}, "whole records of 4 s instead"),
    ],
)
def test_what_cannot_be_compared_is_refused(ecg, estimators, options, message):
    with pytest.raises(ValueError, match=message):
        ClassAverageDisplay.from_estimators(estimators, *ecg, **options)
