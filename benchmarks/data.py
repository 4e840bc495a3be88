"""Data sets of the benchmarks: a part to train on, and one to score on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly
from sklearn.model_selection import train_test_split

from sk_erts.datasets import load_cinc2017, load_ptbxl, make_ecg

FS = 100
SECONDS = 10


@dataclass(frozen=True)
class Split:
    """Records (n, n_leads, n_times) in mV with class codes, twice."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def ptbxl(folder: Path) -> Split:
    """Folds 1-7 and 8-9 of PTB-XL: records with exactly one superclass."""
    parts = [
        load_ptbxl(folder / "ptbxl", folds=folds, single_label=True)
        for folds in (range(1, 8), [8, 9])
    ]
    classes = np.unique(parts[0].target)
    return Split(
        *(
            array
            for part in parts
            for array in (part.data, np.searchsorted(classes, part.target))
        )
    )


def cinc2017(folder: Path) -> Split:
    """Return rhythms of CinC 2017, one lead at 100 Hz: 10 s, repeated where shorter."""
    dataset = load_cinc2017(folder / "cinc2017")
    X = np.empty((len(dataset.data), 1, SECONDS * FS), dtype=np.float32)
    for row, record in zip(X, dataset.data, strict=True):
        row[0] = np.resize(resample_poly(record[0], FS, dataset.fs), SECONDS * FS)
    y = np.unique(dataset.target, return_inverse=True)[1]
    return _halves(X, y, test_size=0.3)


def synthetic(folder: Path) -> Split:
    """make_ecg with noise on the signals and a tenth of the training labels wrong."""
    X, y = make_ecg(1500, noise=0.2, label_noise=0.1, random_state=0)
    X_test, y_test = make_ecg(500, noise=0.2, random_state=1)
    classes = np.unique(y)
    return Split(
        X, np.searchsorted(classes, y), X_test, np.searchsorted(classes, y_test)
    )


def _halves(X: np.ndarray, y: np.ndarray, test_size: float) -> Split:
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=test_size, stratify=y, random_state=0
    )
    return Split(X, y, X_test, y_test)


DATA = {"ptbxl": ptbxl, "cinc2017": cinc2017, "make_ecg": synthetic}
