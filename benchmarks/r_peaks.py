"""How well libraries find the annotated beats of MIT-BIH, how fast, at what weight.

One signal per record: its first lead. A detection is true if it lies within 150 ms of
an annotated beat that no other detection has taken (ANSI/AAMI EC57). Ventricular
flutter is left out, as in that standard; the five minutes in which it lets detectors
learn are not. Two tables: whole records as they are, and pieces of ten seconds at
100 Hz, the format of PTB-XL.
"""

from __future__ import annotations

import argparse
import re
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from sk_erts.datasets._mitbih import AAMI, FS
from sk_erts.datasets._records import import_wfdb

TOLERANCE_S = 0.15
# What sk-erts needs by itself.
OWN = ("joblib", "numpy", "scikit-learn", "scipy", "skorch", "torch", "wfdb")
NEUROKIT = (
    *("neurokit", "pantompkins1985", "hamilton2002", "zong2003", "martinez2004"),
    *("christov2004", "elgendi2010", "engzeemod2012", "kalidas2017", "nabian2018"),
    "rodrigues2021",
)
# These have no filter of their own.
UNFILTERED = ("martinez2004", "nabian2018", "rodrigues2021")

Detect = Callable[[np.ndarray, float], np.ndarray]


def detectors() -> dict[str, tuple[str, Detect]]:
    """Return the distribution and the function of each detector."""
    import sleepecg
    from wfdb import processing

    def gqrs(signal: np.ndarray, fs: float) -> np.ndarray:
        return processing.gqrs_detect(sig=signal, fs=fs, adc_gain=200, adc_zero=0)

    return {
        "sleepecg": ("sleepecg", sleepecg.detect_heartbeats),
        "wfdb xqrs": (
            "wfdb",
            lambda signal, fs: processing.xqrs_detect(signal, fs, verbose=False),
        ),
        "wfdb gqrs": ("wfdb", gqrs),
        **{
            f"neurokit2 {method}": ("neurokit2", neurokit(method))
            for method in NEUROKIT
        },
    }


def neurokit(method: str) -> Detect:
    """Return a detector of neurokit2, behind the filter that is made for it."""

    def detect(signal: np.ndarray, fs: float) -> np.ndarray:
        import neurokit2

        filter_ = "neurokit" if method in UNFILTERED else method
        clean = neurokit2.ecg_clean(signal, sampling_rate=int(fs), method=filter_)
        found = neurokit2.ecg_findpeaks(clean, sampling_rate=int(fs), method=method)
        return np.asarray(found["ECG_R_Peaks"])

    return detect


@dataclass(frozen=True)
class Lead:
    """A signal in mV, its beats, and whether a time step is flutter."""

    signal: np.ndarray
    beats: np.ndarray
    flutter: np.ndarray


def records(folder: Path, scale: float) -> Iterator[Lead]:
    """Yield the first lead of each record of a folder."""
    wfdb = import_wfdb()
    for header in sorted(folder.glob("*.hea")):
        record = wfdb.rdrecord(str(header.with_suffix("")), channels=[0])
        notes = wfdb.rdann(str(header.with_suffix("")), "atr")
        signal = scale * record.p_signal[:, 0]
        flutter = np.zeros(len(signal), dtype=bool)
        edges = {"[": True, "]": False}
        for sample, symbol in zip(notes.sample, notes.symbol, strict=True):
            if symbol in edges:
                flutter[sample:] = edges[symbol]
        yield Lead(
            signal, notes.sample[[symbol in AAMI for symbol in notes.symbol]], flutter
        )


def pieces(leads: list[Lead]) -> Iterator[Lead]:
    """Yield ten seconds of every three minutes, at 100 Hz."""
    n_times = 10 * FS
    for lead in leads:
        for start in range(0, len(lead.signal) - n_times, 180 * FS):
            part = slice(start, start + n_times)
            within = (lead.beats >= start) & (lead.beats < start + n_times)
            beats = np.rint((lead.beats[within] - start) * 100 / FS).astype(int)
            yield Lead(
                resample_poly(lead.signal[part], 100, FS),
                np.minimum(beats, 999),
                resample_poly(lead.flutter[part].astype(float), 100, FS) > 0.5,
            )


def row(name: str, detect: Detect, leads: list[Lead], fs: float) -> str:
    """Return a row of the table: all beats of all records together."""
    n_true = n_found = n_beats = n_failed = 0
    offsets, seconds = [], []
    for lead in leads:
        start = time.perf_counter()
        try:
            found = np.unique(np.asarray(detect(lead.signal, fs)).astype(int))
        except Exception:  # whatever it is: no beat was found
            found = np.zeros(0, dtype=int)
            n_failed += 1
        seconds.append(time.perf_counter() - start)
        found, beats = (
            found[~lead.flutter[found]],
            lead.beats[~lead.flutter[lead.beats]],
        )
        pairs = matched(beats, found, round(TOLERANCE_S * fs))
        offsets.extend(abs(beat - hit) for beat, hit in pairs)
        n_true, n_found = n_true + len(pairs), n_found + len(found)
        n_beats += len(beats)
    return (
        f"| {name} | {n_true / n_beats:.2%} | {n_true / max(n_found, 1):.2%} | "
        f"{1000 * np.mean(offsets) / fs:.1f} | {np.median(seconds):.4f} | {n_failed} |"
    )


def matched(
    beats: np.ndarray, found: np.ndarray, tolerance: int
) -> list[tuple[int, int]]:
    """Pair beats and detections in order of time, each with the nearest one left."""
    pairs: list[tuple[int, int]] = []
    free = 0
    for k, beat in enumerate(beats):
        later = np.searchsorted(found[free:], beat + tolerance, side="right") + free
        earlier = np.searchsorted(found[free:], beat - tolerance) + free
        near = found[earlier:later]
        if k + 1 < len(beats):  # leave to the next beat what is nearer to it
            near = near[abs(near - beat) <= abs(near - beats[k + 1])]
        if len(near):
            best = int(np.argmin(abs(near - beat)))
            pairs.append((int(beat), int(near[best])))
            free = earlier + best + 1
    return pairs


def needs(name: str) -> set[str]:
    """Return a distribution and all that it requires, without extras."""
    found, open_ = set(), [name]
    while open_:
        package = re.sub(r"[-_.]+", "-", open_.pop()).lower()
        if package in found:
            continue
        try:
            wants = metadata.requires(package) or []
        except metadata.PackageNotFoundError:  # for another platform or version
            continue
        found.add(package)
        open_ += [re.split(r"[^\w.-]", w, maxsplit=1)[0] for w in wants if ";" not in w]
    return found


def weight(distribution: str) -> str:
    """Return what an installation adds to that of sk-erts."""
    more = sorted(needs(distribution) - set().union(*map(needs, OWN)))
    n_bytes = sum(
        file.size or 0 for name in more for file in metadata.files(name) or []
    )
    return f"| {distribution} | {', '.join(more) or 'none'} | {n_bytes / 1e6:.0f} |"


def table(leads: list[Lead], fs: float) -> None:
    """Print a row for each detector."""
    print(f"\n{len(leads)} signals, {sum(len(lead.beats) for lead in leads)} beats\n")
    print(
        "| detector | sensitivity | positive predictive value | mean absolute", end=" "
    )
    print("offset (ms) | s per signal | failed |\n|---|---|---|---|---|---|")
    for name, (_, detect) in detectors().items():
        print(row(name, detect, leads, fs), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the MIT-BIH folder")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="factor on the signals"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # neurokit2 and wfdb call what others deprecate
    print("| library | packages beyond those of sk-erts | MB |\n|---|---|---|")
    for distribution in sorted({name for name, _ in detectors().values()}):
        print(weight(distribution))
    leads = list(records(options.folder, options.scale))
    table(list(pieces(leads)), 100)
    table(leads, FS)


if __name__ == "__main__":
    main()
