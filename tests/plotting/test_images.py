"""Figures of fixed inputs look as those that somebody has looked at."""

import pytest

from tests.plotting.figures import (
    BASELINE,
    DRAWN_WITH,
    FIGURES,
    TOLERANCE,
    distance,
    draw,
    installed,
    read,
)

pytestmark = pytest.mark.skipif(
    installed() != DRAWN_WITH,
    reason=f"baselines were drawn with matplotlib and freetype {DRAWN_WITH}",
)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_as_its_baseline(name):
    assert distance(draw(name), read(name)) < TOLERANCE


def test_there_is_no_baseline_without_a_figure():
    assert {path.stem for path in BASELINE.iterdir()} == set(FIGURES)


def move_label(display):
    """Move the label of the time axis by a pixel, which is half a millimetre."""
    ax = display.ax_
    ax.figure.canvas.draw()
    label = ax.xaxis.label
    x, y = label.get_transform().transform(label.get_position())
    ax.xaxis.set_label_coords(*ax.transAxes.inverted().transform((x + 1, y)))


def rename_lead(display):
    display.ax_.texts[1].set_text("aVL")  # it is aVR


def recolour(display):
    display.heat_.set_clim(0, 1.2)  # the darkest shade becomes lighter


@pytest.mark.parametrize("change", [move_label, rename_lead, recolour])
def test_small_changes_are_seen(change):
    assert distance(draw("ecg_3x4", change), read("ecg_3x4")) > TOLERANCE
