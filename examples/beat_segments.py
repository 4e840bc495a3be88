"""Do a convolutional and a recurrent network look at the same part of the beat?

Both are trained to tell normal from ventricular beats. Integrated gradients say how
much each time step adds to the logit of a class, from a flat line to the beat; eleven
segments of the beat sum it up. With a path, one figure of both networks goes there.

    SK_ERTS_DATA=<folder above mitbih> python examples/beat_segments.py [figure.png]
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score

from sk_erts import ERTSClassifier
from sk_erts.datasets import load_mitbih, make_ecg
from sk_erts.models import LSTM1d, ResNet1d
from sk_erts.plotting import ClassAverageDisplay
from sk_erts.preprocessing import Standardize

TRAIN = ("106", "116", "119", "201", "203", "208", "215", "223")
TEST = ("114", "124", "205", "207")
BEFORE_S, AFTER_S = 0.25, 0.45


def real_beats(folder: Path, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return beats of whole patients: no patient is in two parts."""
    beats = load_mitbih(folder, records=names, window_s=(BEFORE_S, AFTER_S))
    return beats.data, beats.target


def synthetic_beats(seed: int, fs: int = 360) -> tuple[np.ndarray, np.ndarray]:
    """Return beats of records with premature ventricular contractions."""
    X, _, evidence = make_ecg(
        80, 1, fs, classes=["PVC"], random_state=seed, return_evidence=True
    )
    before, after = round(BEFORE_S * fs), round(AFTER_S * fs)
    beats, labels = [], []
    for signal, seen, peaks in zip(X, evidence.mask, evidence.r_peaks, strict=True):
        for peak in peaks[(peaks >= before) & (peaks + after <= X.shape[2])]:
            beats.append(signal[:, peak - before : peak + after])
            labels.append("V" if seen[peak] else "N")  # the evidence is the beat itself
    return np.stack(beats), np.array(labels)


def choose(X: np.ndarray, y: np.ndarray, n_each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return as many beats of both classes, drawn at random."""
    rng = np.random.default_rng(0)
    of_class = [np.flatnonzero(y == name) for name in ("N", "V")]
    rows = [rng.permutation(own)[:n_each] for own in of_class]
    return X[np.concatenate(rows)], y[np.concatenate(rows)]


folder = Path(os.environ.get("SK_ERTS_DATA", ""), "mitbih")
if "SK_ERTS_DATA" in os.environ and folder.is_dir():
    parts = [real_beats(folder, names) for names in (TRAIN, TEST)]
else:
    print("SK_ERTS_DATA names no folder with mitbih: synthetic beats stand in for it.")
    parts = [synthetic_beats(seed) for seed in (0, 1)]
(X, y), (X_test, y_test) = (
    choose(*part, n_each) for part, n_each in zip(parts, (400, 100), strict=True)
)
# Baselines and amplitudes are the patients', not the classes'.
X, X_test = (Standardize(per="record").fit_transform(beats) for beats in (X, X_test))
print(f"{len(y)} beats to train on, {len(y_test)} of others to look at")

networks = {
    "ResNet1d": {"module": ResNet1d, "module__width": 8, "module__blocks": (1, 1)},
    "LSTM1d": {"module": LSTM1d, "module__hidden": 16},
}
classifiers = {
    name: ERTSClassifier(
        **parameters,
        data_dropout=None,  # few beats, so that all of them are trained
        focus=None,
        max_epochs=10,
        lr=3e-3,
        random_state=0,
        verbose=0,
    ).fit(X, y)
    for name, parameters in networks.items()
}

# Both networks side by side, on one scale: of each class the average beat, and what
# each of its segments adds to the logit of that class. From 250 ms before R to 450 ms
# after it, so that R is in segment 4.
displays = ClassAverageDisplay.from_estimators(
    classifiers, X_test, y_test, n_segments=11, unit="logit per step"
)
for name, display in displays.items():
    score = balanced_accuracy_score(y_test, classifiers[name].predict(X_test))
    table = pd.DataFrame(
        1000 * display.table,
        index=display.class_names,
        columns=pd.Index(display.segment_names, name="segment"),
    )
    print(f"\n{name}: balanced accuracy {score:.2f}; attribution per step, times 1000")
    print(table.round(1).to_string())
    found = table.idxmax(axis=1).to_dict()
    print(f"{name} finds most evidence in segment: {found}")

if len(sys.argv) > 1:
    displays["ResNet1d"].figure_.savefig(sys.argv[1], dpi=100)
