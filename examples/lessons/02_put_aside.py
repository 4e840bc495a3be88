"""
What was put aside, and why?
============================

A hard record may be one to learn from, or one whose label is wrong. The classifier asks
the explanation: does the record speak for its label, or for another class? This lesson
looks at what was doubted in a training with wrong labels that we know of.
"""

# %%
# Records with wrong labels
# -------------------------
# Of these records some fifteen in a hundred carry the label of another class.
# ``make_ecg`` tells which ones; the classifier is not told.

import matplotlib.pyplot as plt
import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.plotting import ECGDisplay, SelectionDisplay
from sk_erts.selection import is_doubted

X, y, known = make_ecg(
    240,
    n_leads=2,
    duration_s=3,
    classes=("NORM", "BBB", "PVC"),
    label_noise=0.15,
    random_state=0,
    return_evidence=True,
)
clf = ERTSClassifier(
    module__width=8,
    module__blocks=(1, 1),
    max_epochs=16,
    batch_size=16,
    lr=3e-3,
    verbose=0,
    random_state=0,
).fit(X, y)

# %%
# What became of them
# -------------------
# ``selection_`` keeps the story of every record: a row per epoch, a column per record.
# *Easy* records were skipped. Of the hard ones, those that speak least for their label
# were doubted: trained with a label that is softened towards what the network saw in
# them at all looks.

SelectionDisplay.from_estimator(clf)
plt.show()

story = clf.selection_
print(f"judged by: {story.judged_by[-1]}")
doubted = is_doubted(story.status).sum(axis=0)  # epochs, by record
print(f"records ever doubted: {(doubted > 0).sum()} of {len(X)}")

# %%
# Why this one?
# -------------
# The map of the label against its strongest rival says which parts of the record
# decided. Blue speaks for the label, orange against it. In a record whose label is
# wrong, the waves that matter are orange.

record = int(np.argmax(np.where(known.flipped, doubted, -1)))
print(f"record {record}: labelled {y[record]}, in truth {known.y_true[record]}")
print(f"doubted in {doubted[record]} of {len(story.status)} epochs")
ECGDisplay.from_estimator(
    clf,
    X[record],
    fs=100,
    target=y[record],
    contrast="rival",
    true_label=y[record],
    lead_names=known.lead_names,
)
plt.show()

# %%
# On recordings of patients
# -------------------------
# Nobody knows there which labels are wrong; the story and the maps are the same. Of
# PTB-XL the reports of cardiologists are in the metadata, to read beside the map.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     ptbxl = load_ptbxl("ptbxl", folds=[1, 2], single_label=True)
#     X, y = ptbxl.data, ptbxl.target
#     reports = ptbxl.metadata["report"]

# %%
# Answer
# ------
# Doubted were hard records that spoke for another class than their label; and most of
# the wrong labels were among them, in epoch after epoch. Right labels were doubted too,
# but seldom for long: a doubt is a question, not a verdict.

often = doubted >= 0.5 * doubted.max()
for name, which in {"wrong": known.flipped, "right": ~known.flipped}.items():
    ever = (doubted > 0)[which].sum()
    print(
        f"{name} labels: {which.sum()} records, ever doubted {ever}, often "
        f"{often[which].sum()}, on average in {doubted[which].mean():.1f} epochs"
    )

# %%
# Exercise 1
# ----------
# ``audit`` makes a list to look through, the most suspicious records first. How many of
# the first twenty have a wrong label?

# Answer
table = clf.audit(X, y)
first = table["record"].head(20)
print(table.head(3)[["record", "label", "predicted", "suspicion"]].to_string())
print(f"wrong labels among the first 20: {known.flipped[first].sum()}")

# %%
# Exercise 2
# ----------
# ``to_frame`` gives the story as a pandas table. What happened to the record of the
# figure, epoch by epoch? When was it doubted first, and how sure of its label was the
# network then?

# Answer
frame = story.to_frame()
own = frame[frame["record"] == record]
print(own["status"].value_counts().loc[lambda n: n > 0].to_string())
first = own[own["status"].isin(["softened", "unreliable"])].iloc[0]
print(f"first doubt in epoch {first['epoch']}, confidence {first['confidence']:.2f}")
