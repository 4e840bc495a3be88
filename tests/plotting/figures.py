"""Figures of fixed inputs, and how to compare pictures of them.

    python -m tests.plotting.figures        # draws all baselines anew

Look at each picture that git says has changed before it is committed.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import ft2font
from matplotlib import pyplot as plt
from PIL import Image

from sk_erts.plotting import (
    BeatAttributionDisplay,
    ClassAverageDisplay,
    ECGDisplay,
    FaithfulnessDisplay,
    ReliabilityDisplay,
    RiskCoverageDisplay,
    SelectionDisplay,
)
from sk_erts.selection import SelectionHistory, Status

BASELINE = Path(__file__).parent / "baseline"
DPI = 50

# With which the baselines were drawn. Other versions of matplotlib lay text out anew,
# other versions of freetype draw other glyphs, a tenth away in places.
DRAWN_WITH = ("3.11", "2.14.3")

# Greatest distance of two tiles, between 0 and 1. What few colours cost stays below
# 0.015; a label moved by one pixel, half a millimetre, exceeds 0.03.
TOLERANCE = 0.03
TILE = 16  # pixels

_SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "text.hinting": "no_hinting",
    "savefig.dpi": DPI,
}


def heartbeat(times, size=1.0):
    """Return a beat of Gaussian waves with its R peak at 0."""
    waves = ((0.12, -0.14, 0.03), (1, 0, 0.02), (-0.3, 0.04, 0.015), (0.3, 0.26, 0.05))
    return size * sum(a * np.exp(-(((times - t) / w) ** 2)) for a, t, w in waves)


def record(duration_s=10):
    """Return twelve leads at 100 Hz: formulas, so that no generator can change them."""
    times = np.arange(100 * duration_s) / 100
    sizes = np.linspace(-0.8, 1.6, 12)
    return np.stack([heartbeat((times + 0.3) % 0.8 - 0.4, size) for size in sizes])


def lead_map(signal):
    """Return a signed map of leads."""
    lead, time = np.indices(signal.shape)
    return np.abs(signal) * np.cos(lead + time / 90)


def ecg_stacked():
    signal = record(5)[:3]
    heat = np.abs(signal).sum(axis=0)
    return ECGDisplay.from_arrays(
        signal,
        heat,
        fs=100,
        lead_names=["I", "II", "V1"],
        explained="PVC",
        true_label="PVC",
    )


def ecg_3x4():
    signal = record()
    heat = np.exp(-(((np.arange(1000) - 400) / 80) ** 2))
    return ECGDisplay.from_arrays(
        signal,
        heat,
        fs=100,
        layout="3x4",
        explained="AFIB",
        true_label="NORM",
        predicted="AFIB",
        probability={"NORM": 0.2, "AFIB": 0.7},
    )


def ecg_6x2():
    signal = record()
    return ECGDisplay.from_arrays(signal, lead_map(signal), fs=100, layout="6x2")


def ecg_one_lead():
    signal = record()
    return ECGDisplay.from_arrays(signal, lead_map(signal), fs=100, lead="V4", vmax=1)


def ecg_standardised():
    signal = record()
    signal = signal / signal.std(axis=1, keepdims=True)
    return ECGDisplay.from_arrays(signal, fs=100, unit="standardised", layout="3x4")


def story():
    """Return a story of 60 records in 8 epochs."""
    epoch, row = np.indices((8, 60))
    confidence = (row * 7 % 60 + epoch) / 70
    focus = row * 13 % 60 / 60
    status = np.full(epoch.shape, Status.TRAINED, dtype=np.int8)
    selects = (epoch > 0) & (epoch < 7)
    status[selects & (confidence > 0.5)] = Status.EASY
    status[selects & (confidence > 0.5) & (row % 5 == 3)] = Status.REHEARSED
    aside = selects & (epoch > 1) & (confidence <= 0.5) & (focus + epoch / 40 < 0.3)
    status[aside] = Status.UNRELIABLE
    judged_by = ["focus (score of the map)"] * len(status)
    return SelectionHistory(status, confidence, focus, judged_by=judged_by)


def selection(kind):
    told = story()
    order = (
        Status.TRAINED,
        Status.REHEARSED,
        Status.SOFTENED,
        Status.UNRELIABLE,
        Status.EASY,
        Status.DROPPED,
    )
    shares = np.stack([told.share(status) for status in order], axis=1)
    phases = ["warm-up", "data dropout", *["focus filter"] * 5, "revision"]
    display = SelectionDisplay(
        shares,
        np.cumsum(shares[:, :2].sum(axis=1)),
        phases=phases,
        story=told,
        y=np.array(["AFIB", "NORM", "PVC", "STE"])[np.arange(60) // 15],
    )
    return display.plot(kind=kind)


def table():
    classes, segments = np.indices((4, 11))
    return 0.04 * np.cos((segments - 2 * classes) / 2.5) + 0.01


def class_average():
    return ClassAverageDisplay.from_arrays(
        table(), class_names=["AFIB", "NORM", "PVC", "STE"]
    )


def class_average_beats():
    times = np.arange(-35, 55) / 100
    beats = np.stack([heartbeat(times, size) for size in (1, 0.8, -1, 0.6)])
    return ClassAverageDisplay.from_arrays(table(), beats=beats, unit="logit")


class FromFormula:
    """Explain beats by a wave that begins at some segment."""

    def __init__(self, size, shift):
        self.size, self.shift = size, shift

    def explain(self, X, method, target, signed):
        segments = 11 * np.arange(X.shape[1]) / X.shape[1]
        turns = np.searchsorted(np.unique(target), target)[:, np.newaxis]
        return self.size * np.cos((segments - self.shift - 2 * turns) / 2)


def class_average_side_by_side():
    times = np.arange(-35, 55) / 100
    beats = np.stack([heartbeat(times, size) for size in (1, -0.8, 0.6)])
    estimators = {"ResNet1d": FromFormula(0.04, 4), "LSTM1d": FromFormula(0.02, 7)}
    displays = ClassAverageDisplay.from_estimators(
        estimators, beats, ["N", "V", "R"], unit="logit per step"
    )
    return displays["ResNet1d"]


def beat():
    times = np.arange(-35, 55) / 100
    beats = np.stack([heartbeat(times, size) for size in np.linspace(-0.5, 1.5, 12)])
    heat = np.exp(-(((times - 0.1) / 0.05) ** 2)) - 0.4 * heartbeat(times)
    return BeatAttributionDisplay.from_arrays(
        beats, heat, before_s=0.35, explained="STE"
    )


def faithfulness():
    fractions = np.linspace(0, 1, 11)
    records = np.linspace(-0.1, 0.1, 9)[:, np.newaxis]
    rates = {"gradcam": 8, "saliency": 5, "random": 3, "inverted": 1}
    falls = {k: 0.9 * np.exp(-r * fractions) + records for k, r in rates.items()}
    rises = {k: 0.9 - values[:, ::-1] / 2 for k, values in falls.items()}
    return FaithfulnessDisplay.from_arrays(fractions, falls, rises)


def predictions():
    """Return labels of 400 records in three classes, and probabilities too sure."""
    row = np.arange(400)
    p = 0.34 + 0.65 * (row * 37 % 400) / 400
    proba = np.stack([p, 0.7 * (1 - p), 0.3 * (1 - p)], axis=1)
    return np.where((row * 61 % 400) / 400 < p**1.3, 0, 1 + row % 2), proba


FIGURES = {
    "ecg_stacked": ecg_stacked,
    "ecg_3x4": ecg_3x4,
    "ecg_6x2": ecg_6x2,
    "ecg_one_lead": ecg_one_lead,
    "ecg_standardised": ecg_standardised,
    "selection_epochs": lambda: selection("epochs"),
    "selection_classes": lambda: selection("classes"),
    "selection_focus": lambda: selection("focus"),
    "selection_put_aside": lambda: selection("put_aside"),
    "class_average": class_average,
    "class_average_beats": class_average_beats,
    "class_average_side_by_side": class_average_side_by_side,
    "beat": beat,
    "faithfulness": faithfulness,
    "reliability": lambda: ReliabilityDisplay.from_predictions(*predictions()),
    "risk_coverage": lambda: RiskCoverageDisplay.from_predictions(*predictions()),
}


def draw(name, change=None, **settings):
    """Return the pixels of a figure, after a change to it if there is one."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_SETTINGS, **settings}):
        display = FIGURES[name]()
        if change is not None:
            change(display)
        figure = display.figure_
        figure.set_dpi(DPI)
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
        plt.close(figure)
    return pixels


def distance(one, other):
    """Return the distance of two pictures, where they differ most.

    Tiles are compared one by one, since a label is a small part of a figure. Pictures
    are blurred, so that a grey beside a glyph weighs less than a glyph elsewhere.
    """
    if one.shape != other.shape:
        return np.inf
    squares = ((_blurred(one) - _blurred(other)) ** 2).mean(axis=2)
    rows, columns = (n // TILE for n in squares.shape)
    cut = squares[: rows * TILE, : columns * TILE]
    tiles = cut.reshape(rows, TILE, columns, TILE).mean(axis=(1, 3))
    return float(np.sqrt(tiles.max()))


def _blurred(pixels):
    """Average each pixel with its eight neighbours, within a white rim."""
    pixels = np.pad(pixels, ((1, TILE), (1, TILE), (0, 0)), constant_values=1)
    height, width = (n - 2 for n in pixels.shape[:2])
    return sum(pixels[i : i + height, j : j + width] / 9 for i, j in np.ndindex(3, 3))


def installed():
    """Return the versions that `DRAWN_WITH` names, of what is installed."""
    minor = ".".join(matplotlib.__version__.split(".")[:2])
    return minor, ft2font.__freetype_version__


def read(name):
    """Return the baseline of a figure."""
    with Image.open(BASELINE / f"{name}.png") as baseline:
        return np.asarray(baseline.convert("RGB")) / 255


def main():
    BASELINE.mkdir(exist_ok=True)
    for name in FIGURES:
        pixels = Image.fromarray(np.uint8(255 * draw(name)))
        # 256 colours make small files, at a distance of up to 0.014.
        method = Image.Quantize.MAXCOVERAGE
        few = pixels.quantize(256, method=method, dither=Image.Dither.NONE)
        few.save(BASELINE / f"{name}.png", optimize=True)
        sys.stdout.write(f"{BASELINE / name}.png\n")


if __name__ == "__main__":
    main()
