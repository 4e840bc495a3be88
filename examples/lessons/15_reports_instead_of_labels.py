"""
I have reports and no labels: what can be learned?
==================================================

A report stands under each record, and nobody has given it a class. A network can learn
which report belongs to which record. What does it know then, and when is a label
better?
"""

# %%
# Records and what was written under them
# ---------------------------------------
# The records are synthetic, and so are the reports: a rhythm, a rate that is measured
# from the R peaks, and one of three wordings for what the record shows. One report in
# ten stands under another record. Reports of one class can change places without harm;
# ``wrong`` marks those that now speak of another class.

import re

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.pretraining import ECGTextPretrainer
from sk_erts.selection import Status

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB", "STE")}
X, y, known = make_ecg(240, **kind, random_state=0, return_evidence=True)
X_test, y_test, known_test = make_ecg(200, **kind, random_state=1, return_evidence=True)
wordings = {
    "BBB": ["Bundle branch block.", "Wide QRS complexes.", "Broad QRS, slow to rise."],
    "NORM": ["Normal ECG.", "Within normal limits.", "No abnormality."],
    "STE": ["ST elevation.", "Raised ST segments.", "ST lies above the baseline."],
}
rng = np.random.default_rng(0)


def report(label, peaks):
    per_minute = 60 / (np.diff(peaks).mean() / 100)
    slow, fast = per_minute < 60, per_minute > 100
    rate = "Bradycardia." if slow else "Tachycardia." if fast else "Normal rate."
    rhythm = rng.choice(["Sinus rhythm.", "Regular rhythm."])
    return f"{rhythm} {rate} {rng.choice(wordings[label])}"


right = [report(*each) for each in zip(y, known.r_peaks, strict=True)]
places = np.arange(240)
swapped = rng.choice(240, 24, replace=False)
places[swapped] = np.roll(swapped, 1)
reports = [right[place] for place in places]
wrong = y[places] != y
print(f"{len(set(reports))} different reports, {wrong.sum()} of another class")
print(*reports[:3], sep="\n")

# %%
# Pre-train
# ---------
# ``fit`` takes a text where a classifier takes a label. Among the reports of a batch
# each record has to find its own.

small = {"module__width": 8, "module__blocks": (1, 1), "verbose": 0}
pretrainer = ECGTextPretrainer(**small, batch_size=16, random_state=0)
pretrainer.fit(X, reports)
print(pretrainer.selection_)

# %%
# Which reports does it not believe?
# ----------------------------------
# From the end of the warm-up on, pairs that fit least are put aside. ``selection_``
# remembers them, as it does for labels.

aside = pretrainer.selection_.status == Status.UNRELIABLE  # (n_epochs, n_samples)
judged = np.array(pretrainer.selection_.phases) == "reliability filter"
ever, often = aside.any(axis=0), aside[judged].mean(axis=0) >= 0.5
for name, those in (("wrong", wrong), ("right", ~wrong)):
    print(f"{name} reports: {those.sum()} records, ", end="")
    print(f"ever put aside {ever[those].sum()}, often {often[those].sum()}")

# %%
# Sentences in place of labels
# ----------------------------
# *Zero-shot*: each class is described by sentences, and each new record goes to the
# class whose sentences it is nearest to. No label of a training record was used so far.

names = np.array(list(wordings))
proba = pretrainer.predict_proba_zero_shot(X_test, wordings)
zero_shot = (names[proba.argmax(axis=1)] == y_test).mean()
print(f"no labels, sentences: accuracy {zero_shot:.2f}")

# %%
# Where reports are as simple as these there is another way: to search them for words,
# and to train a classifier on the classes that are found.

patterns = {"BBB": "Bundle|QRS", "NORM": "ECG|normal limits|abnormal", "STE": "ST "}


def class_of(text):
    (found,) = [name for name, words in patterns.items() if re.search(words, text)]
    return found


searched = [class_of(text) for text in reports]
everything = {
    "data_dropout": None,
    "focus": None,
    "batch_size": 10,
    "lr": 3e-3,
    "random_state": 0,
}
clf = ERTSClassifier(**small, **everything, max_epochs=5)
by_words = clf.fit(X, searched).score(X_test, y_test)
print(f"no labels, words searched: accuracy {by_words:.2f}")

# %%
# Labels
# ------
# Somebody gives labels to 10, 50 or all records, all of them right. Three ways to use
# them: a network that begins anew; the encoder, trained further as a classifier
# (``to_classifier``), for as many gradients; and a linear model on the embeddings, for
# which the encoder stays as it is. What ten labels are worth depends on which ten:
# there are three draws.

embedded, embedded_test = pretrainer.transform(X), pretrainer.transform(X_test)


def scores_of(chosen, n_gradients=1200):
    """Return the accuracy of the three, trained on the labels of these records."""
    X_few, y_few = X[chosen], y[chosen]
    budget = {**everything, "max_epochs": n_gradients // len(chosen)}
    anew = ERTSClassifier(**small, **budget)
    begun = pretrainer.to_classifier(verbose=0, **budget)
    linear = LogisticRegression(C=100, max_iter=1000)
    return {
        "from scratch": anew.fit(X_few, y_few).score(X_test, y_test),
        "pre-trained": begun.fit(X_few, y_few).score(X_test, y_test),
        "linear on embeddings": linear.fit(embedded[chosen], y_few).score(
            embedded_test, y_test
        ),
    }


def draw(n, seed):
    """Return which records get a label."""
    return np.random.default_rng(seed).choice(240, n, replace=False)


reached = {
    10: [scores_of(draw(10, seed)) for seed in range(3)],
    50: [scores_of(draw(50, seed)) for seed in range(3)],
    240: [scores_of(np.arange(240))],
}

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ways = list(reached[10][0])
for k, way in enumerate(ways):
    at = np.arange(3) + 0.1 * (k - 1)
    draws = [[scores[way] for scores in own] for own in reached.values()]
    (line,) = ax.plot(at, [np.mean(own) for own in draws], label=way)
    for place, own in zip(at, draws, strict=True):
        ax.plot([place] * len(own), own, "o", color=line.get_color())
ax.axhline(zero_shot, color="black", linestyle="--", label="sentences, no label")
ax.axhline(by_words, color="grey", linestyle=":", label="words searched, no label")
ax.set_xticks(range(3), list(map(str, reached)))
ax.set(xlabel="records with a label", ylabel="accuracy on new records")
ax.legend(loc="lower right")
plt.show()

# %%
# On recordings of patients
# -------------------------
# PTB-XL comes with reports. ``normalise_reports`` writes them in one wording;
# ``structured_reports`` builds others from its statements, here without any that names
# a myocardial infarction: do sentences find what no training text has told of?
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#     from sk_erts.pretraining import structured_reports
#
#     data = load_ptbxl("ptbxl", folds=[1, 2], single_label=True)
#     X, y = data.data, data.target
#     reports = structured_reports(data.metadata, exclude="MI")

# %%
# Answer
# ------
# Which report belongs to which record. Where reports say what one wants to know, that
# is enough: sentences tell the classes nearly as well as all labels do. But so does a
# search for words, which is simpler; the pre-training spares one to read the reports
# and write the patterns. It also puts aside nearly all reports of another class, and a
# much smaller share of the right ones.
#
# With ten labels a linear model on the embeddings is better than a network that begins
# anew, and no better than sentences; to train the encoder further, behind a new
# last layer, gains little. With fifty labels all are about level. With all of
# them the plain classifier needs no report. A label is better where there are hundreds,
# and for what reports leave out. These hearts are simple, and so are their reports: on
# patients sentences are worth less, and nothing here tells how much.

print(f"no label: sentences {zero_shot:.2f}, words searched {by_words:.2f}")
for n, own in reached.items():
    for way in ways:
        each = [scores[way] for scores in own]
        spread = f" ({min(each):.2f} to {max(each):.2f})" if len(own) > 1 else ""
        print(f"{n} labels, {way}: {np.mean(each):.2f}{spread}")

# %%
# Exercise 1
# ----------
# The sentences above are those of the reports. Describe the classes in words that no
# report used, by one sentence of those above, and by the names of the classes alone.
# What is left of the accuracy?

# Answer
others = {
    "one sentence": {label: own[0] for label, own in wordings.items()},
    "other words": {
        "BBB": "The QRS complex is wide.",
        "NORM": "There is nothing abnormal.",
        "STE": "The ST segment is elevated.",
    },
    "names": {"BBB": "BBB", "NORM": "NORM", "STE": "STE"},
}
for name, prompts in others.items():
    proba = pretrainer.predict_proba_zero_shot(X_test, prompts)
    print(f"{name}: {(names[proba.argmax(axis=1)] == y_test).mean():.2f}")

# %%
# Exercise 2
# ----------
# The pre-training took some 6,700 gradients before a label was seen. Give as many to
# the network that begins anew on the first ten labels. Does it catch up?

# Answer
chosen = draw(10, 0)
longer = ERTSClassifier(**small, **everything, max_epochs=670)
caught_up = longer.fit(X[chosen], y[chosen]).score(X_test, y_test)
print(f"from scratch, longer: {caught_up:.2f}, ", end="")
print(f"before {reached[10][0]['from scratch']:.2f}, ", end="")
print(f"linear on embeddings {reached[10][0]['linear on embeddings']:.2f}")

# %%
# Exercise 3
# ----------
# ``similarity`` compares records with texts. Write the reports of the new records, and
# let each record look for its own among those that differ. How often is it the first,
# or among the first five?

# Answer
own = np.array([report(*each) for each in zip(y_test, known_test.r_peaks, strict=True)])
different = np.unique(own)
order = (-pretrainer.similarity(X_test, different)).argsort(axis=1)
for k in (1, 5):
    found = (different[order[:, :k]] == own[:, None]).any(axis=1).mean()
    by_chance = k / len(different)
    print(f"among the first {k}: {found:.0%}, by chance {by_chance:.0%}")
