"""
Do two networks look at the same part of the beat?
==================================================

A convolutional network sees a beat through filters of a fixed length, a recurrent one
reads it from end to end. Both tell ventricular beats from normal ones. Integrated
gradients, averaged over segments of the beat, say what each of them goes by.
"""

# %%
# Beats
# -----
# Windows around the R peaks of records with premature ventricular beats, from 250 ms
# before R to 450 ms after it. Each beat is standardised: baselines and amplitudes are
# those of the patient, not of the class.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score

from sk_erts import ERTSClassifier
from sk_erts.beats import segment_means
from sk_erts.datasets import make_ecg
from sk_erts.exceptions import IncompleteAttributionWarning
from sk_erts.models import LSTM1d, ResNet1d
from sk_erts.plotting import ClassAverageDisplay
from sk_erts.preprocessing import Standardize

fs, before_s, after_s = 100, 0.25, 0.45


def make_beats(n_records, seed):
    """Return beats (n, 1, times) and whether each is normal, N, or ventricular, V."""
    X, _, known = make_ecg(
        n_records, 1, fs, classes=["PVC"], random_state=seed, return_evidence=True
    )
    before, after = round(before_s * fs), round(after_s * fs)
    beats, labels = [], []
    for signal, seen, peaks in zip(X, known.mask, known.r_peaks, strict=True):
        for peak in peaks[(peaks >= before) & (peaks + after <= X.shape[2])]:
            beats.append(signal[:, peak - before : peak + after])
            labels.append("V" if seen[peak] else "N")
    return Standardize(per="record").fit_transform(np.stack(beats)), np.array(labels)


X, y = make_beats(40, seed=0)
X_test, y_test = make_beats(6, seed=1)
print(f"{len(X)} beats to train on, {(y == 'V').sum()} of them ventricular")

# %%
# Two networks
# ------------
# Few beats, so that all of them are trained.

params = {
    "data_dropout": None,
    "focus": None,
    "class_weight": "balanced",
    "max_epochs": 8,
    "batch_size": 32,
    "lr": 3e-3,
    "verbose": 0,
    "random_state": 0,
}
networks = {
    "ResNet1d": ERTSClassifier(
        ResNet1d, module__width=8, module__blocks=(1, 1), **params
    ),
    "LSTM1d": ERTSClassifier(LSTM1d, module__hidden=16, **params),
}
for name, clf in networks.items():
    clf.fit(X, y)
    score = balanced_accuracy_score(y_test, clf.predict(X_test))
    print(f"{name}: balanced accuracy {score:.2f} on {len(y_test)} beats of others")

# %%
# Integrated gradients
# --------------------
# The gradient of a logit is collected on the way from a flat line to the beat; times
# the signal it says what each time step adds to the logit. *Completeness*: the sum over
# the beat is the logit of the beat minus that of the flat line, up to what the steps of
# the way leave out. So nothing is forgotten, and nothing is counted twice. The method
# takes more steps for a beat until less than a hundredth is missing; here it may take
# 64, and what is missing then is measured.


def gains(clf, target):
    """Return by how much each beat's logit is above that of a flat line."""
    network = clf.net_.module_.eval()
    with torch.no_grad():
        logits = network(torch.from_numpy(X_test))
        flat = network(torch.zeros(1, *X_test.shape[1:]))
    columns = np.searchsorted(clf.classes_, target)
    return (logits - flat).numpy()[np.arange(len(X_test)), columns]


def explained(clf, beats, target):
    """Return what each time step adds to the logit of a class, (n, 1, times)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IncompleteAttributionWarning)
        return clf.explain(
            beats,
            "integrated_gradients",
            target=target,
            signed=True,
            n_steps=16,
            max_steps=64,
        )


maps = {}
for name, clf in networks.items():
    maps[name] = explained(clf, X_test, y_test)
    gain = gains(clf, y_test)
    off = np.abs(maps[name].sum(axis=(1, 2)) - gain).mean() / np.abs(gain).mean()
    print(f"{name}: maps miss {off:.1%} of the logits")

# %%
# By segment and class
# --------------------
# Eleven segments of equal length, on one scale of colour; R is at the end of the
# fourth. Over each row stands the mean beat of the class; in a cell with a minus sign
# the evidence is against it.

tables = {name: segment_means(own, y_test, 11) for name, own in maps.items()}
largest = 1.01 * max(table.abs().to_numpy().max() for table in tables.values())
fig, axes = plt.subplots(1, 2, figsize=(11, 3), layout="constrained")
for (name, own), ax in zip(maps.items(), axes, strict=True):
    ClassAverageDisplay.from_attributions(
        own, y_test, beats=X_test, unit="logit per step", ax=ax, vmax=largest
    )
    ax.set_title(name)
plt.show()

# %%
# On recordings of patients
# -------------------------
# MIT-BIH has the beats ready, with the labels of cardiologists. The beats of a patient
# are alike, so whole patients go to the test: ``examples/beat_segments.py`` does all of
# it.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_mitbih
#     from sk_erts.preprocessing import Standardize
#
#     beats = load_mitbih("mitbih", window_s=(0.25, 0.45))
#     X = Standardize(per="record").fit_transform(beats.data)
#     y, patients = beats.target, beats.groups

# %%
# Answer
# ------
# Only in part, though both know nearly every beat. The convolutional network finds most
# of its evidence for a ventricular beat in the QRS complex, the recurrent network finds
# less of it there, and more in the other segments. Being right does not say what a
# network goes by.

qrs = [4, 5]
for name, table in tables.items():
    for_v = table.loc["V"].clip(lower=0)
    shares = for_v / for_v.sum()
    print(
        f"{name}, evidence for V: {shares[qrs].sum():.0%} in the QRS complex, "
        f"most in segment {shares.idxmax()}"
    )

# %%
# Exercise 1
# ----------
# What tells each network that a normal beat is *not* ventricular? Explain the logit of
# V for the normal beats, and look for the segment that is most against it.

# Answer
normal = X_test[y_test == "N"]
for name, clf in networks.items():
    against = explained(clf, normal, "V")
    table = segment_means(against, ["N"] * len(normal), 11).loc["N"]
    print(f"{name}: most against V in segment {table.idxmin()}")

# %%
# Exercise 2
# ----------
# A mean may hide that beats contradict each other. ``segment_means`` gives the standard
# deviation too. In which segment do ventricular beats differ most, for each network?

# Answer
for name, own in maps.items():
    spread = segment_means(own, y_test, 11, statistics=["mean", "std"]).loc["V", "std"]
    print(f"{name}: beats differ most in segment {spread.idxmax()}")
