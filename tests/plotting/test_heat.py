import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

from sk_erts.plotting._heat import heat_scale, mark_against


def lightness(rgb):
    """Return CIE lightness, 0 to 100, of sRGB colours."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16


def shades(signed, n=21):
    heat = np.array([-1.0, 1.0]) if signed else np.array([0.0, 1.0])
    return heat_scale(heat, None, "x").options["cmap"](np.linspace(0, 1, n))[:, :3]


def as_seen_by(rgb, kind):
    """Return colours as seen without one kind of cones (Machado et al. 2009)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(DEFICIENCIES[kind]).T, 0, 1)
    return np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)


DEFICIENCIES = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def test_more_evidence_is_darker_in_grey():
    assert (np.diff(lightness(shades(signed=False))) < -0.5).all()


def test_both_arms_of_the_signed_scale_darken_from_the_middle():
    grey = lightness(shades(signed=True))
    assert grey[10] == pytest.approx(100, abs=0.5)
    assert (np.diff(grey[10:]) < -0.5).all()
    assert (np.diff(grey[:11]) > 0.5).all()
    assert grey[0] == pytest.approx(grey[-1], abs=6)  # neither sign looks stronger


@pytest.mark.parametrize("signed", [False, True])
def test_black_traces_are_legible_on_the_darkest_shades(signed):
    grey = lightness(shades(signed))
    luminance = ((grey.min() + 16) / 116) ** 3
    assert (luminance + 0.05) / 0.05 > 4.5


@pytest.mark.parametrize("kind", DEFICIENCIES)
def test_signs_are_told_apart_by_all_kinds_of_colour_vision(kind):
    seen = as_seen_by(shades(signed=True), kind)
    assert np.abs(seen[0] - seen[-1]).max() > 0.3
    assert np.abs(seen[5] - seen[15]).max() > 0.15


def test_scale_takes_the_greatest_distance_from_zero_or_vmax():
    assert heat_scale(np.array([-3.0, np.nan, 1]), None, "x").options["vmin"] == -3
    assert heat_scale(np.array([-3.0, 1]), 5, "x").options["vmax"] == 5
    assert heat_scale(np.array([0.0, 2]), None, "x").options["vmin"] == 0
    assert heat_scale(np.zeros(3), None, "x").limit == 1
    assert heat_scale(np.full(3, np.nan), None, "x").limit == 1


@pytest.mark.parametrize(
    ("heat", "vmax", "extend"),
    [([0, 1], None, "neither"), ([0, 1], 1, "max"), ([-1, 1], 1, "both")],
)
def test_ends_of_the_bar_are_open_where_values_may_be_beyond(heat, vmax, extend):
    assert heat_scale(np.array(heat, dtype=float), vmax, "x").extend == extend


def test_bars_are_where_the_evidence_is_against():
    row = np.array([-1, -0.05, 0, 1, -0.5, -0.5], dtype=float)
    scale = heat_scale(row, None, "x")
    bars = mark_against(plt.figure().gca(), np.arange(6.0), row, scale, (2, 3))
    boxes = [path.get_extents().extents for path in bars.get_paths()]
    assert_allclose(boxes, [(-0.5, 2, 0.5, 3), (3.5, 2, 5.5, 3)])
