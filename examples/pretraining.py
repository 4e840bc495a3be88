"""What can a network learn from reports alone?

Synthetic records, and reports that are written from what was drawn: a rate, and how the
complexes look, never a diagnosis. `ECGTextPretrainer` learns which report belongs to
which record. Then sentences tell the classes, beside three ways to use ten labels; a
record finds its report; and a map shows where a sentence is true. It is saved as
`pretraining.png`, or under the path given. Under a minute.
"""

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.plotting import ECGDisplay
from sk_erts.pretraining import ECGTextPretrainer

path = sys.argv[1] if len(sys.argv) > 1 else "pretraining.png"
kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB", "STE")}
X, y, known = make_ecg(240, random_state=0, return_evidence=True, **kind)
X_new, y_new, known_new = make_ecg(200, random_state=1, return_evidence=True, **kind)

looks = {
    "BBB": ["Wide QRS complexes.", "QRS is broad."],
    "NORM": ["Narrow QRS, ST on the baseline.", "All waves as they should be."],
    "STE": ["ST segments are raised.", "Elevated ST."],
}
rng = np.random.default_rng(0)


def report(label, peaks):
    rate = 60 * 100 / np.diff(peaks).mean()  # at 100 Hz
    slow, fast = rate < 60, rate > 100
    said = "Slow." if slow else "Fast." if fast else "Of usual rate."
    return f"{said} {rng.choice(looks[label])}"


reports = [report(*each) for each in zip(y, known.r_peaks, strict=True)]
new_reports = [report(*each) for each in zip(y_new, known_new.r_peaks, strict=True)]
print(f"{len(X)} synthetic records, {len(set(reports))} different reports")
print(f"the first: {reports[0]}")

network = {"module__width": 8, "module__blocks": (1, 1), "verbose": 0}
pretrainer = ECGTextPretrainer(batch_size=16, random_state=0, **network)
pretrainer.fit(X, reports)
print(pretrainer.selection_)
last = pretrainer.selection_.to_frame().query("epoch == epoch.max()")
print(last["status"].value_counts().to_string(), "\n")

# No label: a sentence, or several, for each class.
classes = np.array(list(looks))
proba = pretrainer.predict_proba_zero_shot(X_new, looks)
table = {"sentences, no label": (classes[proba.argmax(axis=1)] == y_new).mean()}

# Ten labels: from scratch, with the encoder trained further, and behind it as it is.
few = rng.choice(len(X), 10, replace=False)
training = {
    "data_dropout": None,
    "focus": None,
    "max_epochs": 120,
    "lr": 3e-3,
    "random_state": 0,
}
anew = ERTSClassifier(**network, **training).fit(X[few], y[few])
begun = pretrainer.to_classifier(verbose=0, **training).fit(X[few], y[few])
linear = LogisticRegression(C=100, max_iter=1000)
linear.fit(pretrainer.transform(X[few]), y[few])
table["10 labels, from scratch"] = anew.score(X_new, y_new)
table["10 labels, encoder trained further"] = begun.score(X_new, y_new)
table["10 labels, linear on embeddings"] = linear.score(
    pretrainer.transform(X_new), y_new
)
for name, score in table.items():
    print(f"{name:36} accuracy {score:.2f}")

# Which of the different reports is a record nearest to?
different = np.unique(new_reports)
order = (-pretrainer.similarity(X_new, different)).argsort(axis=1)
for k in (1, 5):
    found = (different[order[:, :k]] == np.array(new_reports)[:, None]).any(axis=1)
    print(f"own report among the first {k} of {len(different)}: {found.mean():.0%}")

# Where is a sentence true?
sentence = "ST segments are raised."
record = int(np.flatnonzero(y_new == "STE")[0])
maps = pretrainer.explain(X_new, sentence, contrast=looks["NORM"])
display = ECGDisplay(
    X_new[record], maps[record], fs=100, lead_names=known.lead_names, explained=sentence
).plot()
display.figure_.savefig(path, dpi=150)
truth = known_new.mask
shown = y_new == "STE"
heat = maps.clip(min=0)
share = (heat * truth).sum(axis=1)[shown] / heat.sum(axis=1)[shown]
print(f"map of {sentence!r} inside the ST segments: {share.mean():.0%}")
print(f"the ST segments are {truth[shown].mean():.0%} of the time")
