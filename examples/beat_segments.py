"""Do a convolutional and a recurrent network look at the same part of the beat?

Both are trained to tell normal from ventricular beats. Integrated gradients say how
much each time step adds to the logit of a class; eleven segments of the beat sum it up.

    SK_ERTS_DATA=<folder above mitbih> python examples/beat_segments.py
"""

import os
from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from sk_erts import ERTSClassifier
from sk_erts.beats import segment_means
from sk_erts.datasets import load_mitbih, make_ecg
from sk_erts.models import LSTM1d, ResNet1d
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
for name, parameters in networks.items():
    clf = ERTSClassifier(
        **parameters,
        data_dropout=None,  # few beats, so that all of them are trained
        focus=None,
        max_epochs=10,
        lr=3e-3,
        random_state=0,
        verbose=0,
    ).fit(X, y)
    score = balanced_accuracy_score(y_test, clf.predict(X_test))

    # How much does each time step add to the logit of the beat's own class, on the way
    # from a flat line to the beat?
    attributions = clf.explain(
        X_test, "integrated_gradients", target=y_test, signed=True
    )

    # From 250 ms before R to 450 ms after it, so that R is in segment 4.
    table = 1000 * segment_means(attributions, y_test, n_segments=11)
    print(f"\n{name}: balanced accuracy {score:.2f}; attribution per step, times 1000")
    print(table.round(1).to_string())
    found = {label: int(row.idxmax()) for label, row in table.iterrows()}
    print(f"{name} finds most evidence in segment: {found}")
