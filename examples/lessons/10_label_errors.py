"""
Which labels are wrong?
=======================

In most collections of electrocardiograms some labels are wrong, and nobody can read all
records again. ``audit`` puts the records in an order, the most suspicious first. How
many of the first ones are worth a reader's time?
"""

# %%
# Records with wrong labels
# -------------------------
# One label in ten is exchanged for another, and every fifth record is spoilt, so that
# not every contradiction is an error. ``known`` keeps what a reader would have to find.

import matplotlib.pyplot as plt
import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.plotting import ECGDisplay
from sk_erts.quality import SignalQuality

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB", "STE")}
X, y, known = make_ecg(
    240, **kind, noise=0.2, label_noise=0.1, random_state=0, return_evidence=True
)
print(f"{known.flipped.sum()} of {len(y)} labels are wrong")

# %%
# Train on everything
# -------------------
# A selection would leave out the records that it finds easy, and soften the labels that
# it doubts. To find errors, let the network look at all records in all epochs.

params = {
    "module__width": 8,
    "module__blocks": (1, 1),
    "data_dropout": None,
    "focus": None,
    "max_epochs": 10,
    "batch_size": 16,
    "lr": 3e-3,
    "verbose": 0,
    "random_state": 0,
}
clf = ERTSClassifier(**params).fit(X, y)

# %%
# The table
# ---------
# ``suspicion`` comes from the mean of the probabilities of all looks that the training
# took at a record: a network that learns a wrong label by heart has still contradicted
# it before. ``support`` is the share of the record that speaks for the label, and
# ``contradicted_at`` the time step that speaks against it most.

table = clf.audit(X, y, evidence=True)
columns = ["record", "label", "predicted", "suspicion", "support", "contradicted_at"]
print(table.head(8)[columns].round(2).to_string(index=False))

# %%
# A person works through it
# -------------------------
# The record at the top, with the map of its label against the strongest rival: orange,
# with a grey bar below it, is what speaks against the label.

first = table.iloc[0]
record = int(first["record"])
display = ECGDisplay.from_estimator(
    clf,
    X[record],
    fs=100,
    lead_names=known.lead_names,
    target=first["label"],
    contrast="rival",
)
display.ax_.set_title(
    f"record {record}: label {first['label']}, predicted {first['predicted']}",
    loc="left",
)
plt.show()

# %%
# The reader looks at the first thirty records and writes down what each shows. Here the
# true classes stand in for the reader; on your records this column is work, about a
# minute for each record.

n_read = 30
read = table.head(n_read)["record"].to_numpy()
verdict = known.y_true[read]
found = verdict != y[read]
print(f"{n_read} records read, {found.sum()} labels changed")
corrected = y.copy()
corrected[read] = verdict

# %%
# How good is the order?
# ----------------------
# *Precision of the first k*: the share of wrong labels among the first ``k`` records of
# the list. Beside it the simplest other list, the probability that the trained network
# gives the label, the smallest first; and a list in random order.

own = clf.predict_proba(X)[np.arange(len(y)), np.searchsorted(clf.classes_, y)]
lists = {
    "all looks (audit)": known.flipped[table["record"]],
    "the trained network": known.flipped[np.argsort(own)],
}
k = np.arange(1, 61)
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, wrong in lists.items():
    ax.plot(k, np.cumsum(wrong)[: len(k)] / k, label=name)
ax.axhline(known.flipped.mean(), color="grey", linestyle="--", label="random order")
ax.set(xlabel="records read", ylabel="share with a wrong label", ylim=(0, 1.05))
ax.legend()
plt.show()

# %%
# On recordings of patients
# -------------------------
# PTB-XL has no list of its wrong labels; so one exchanges some oneself, as above, or
# reads what ``audit`` puts first: ``table.to_csv("to_read.csv")`` hands it to a reader.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)

# %%
# Answer
# ------
# Those at the top of the list: nearly all of the first ten are wrong, and most of the
# first twenty. A reader who reads an eighth of the records finds most of the wrong
# labels; in random order they would find an eighth. The further down, the more records
# are there only because they are hard: so it is a list to read, not one of records to
# delete. Here the order of the trained network alone is about as good.

for name, wrong in lists.items():
    shares = ", ".join(f"{wrong[:n].mean():.2f} of {n}" for n in (10, 20, 30))
    print(f"{name}: wrong among the first {shares}")
print(f"random order: {known.flipped.mean():.2f}")
print(f"found: {found.sum()} of {known.flipped.sum()} wrong labels")

# %%
# Exercise 1
# ----------
# Train anew on the corrected labels. How many labels are still wrong, and what is the
# accuracy on new records, before and after?

# Answer
X_test, y_test = make_ecg(200, **kind, random_state=1)
again = ERTSClassifier(**params).fit(X, corrected)
print(f"wrong labels: {(y != known.y_true).sum()} before, ", end="")
print(f"{(corrected != known.y_true).sum()} after")
print(f"accuracy: {clf.score(X_test, y_test):.2f} before, ", end="")
print(f"{again.score(X_test, y_test):.2f} after")

# %%
# Exercise 2
# ----------
# Look at the records among the first thirty whose label is right. Why are they on the
# list: are they spoilt more often than others?

# Answer
innocent = read[~found]
print(f"right labels among the first {n_read}: {len(innocent)}")
print(f"spoilt: {known.corrupted[innocent].mean():.0%} of them, ", end="")
print(f"{known.corrupted.mean():.0%} of all records")

# %%
# Exercise 3
# ----------
# ``audit(..., signal_quality=...)`` ranks bad signals too. Let
# ``sk_erts.quality.SignalQuality`` judge them. How many of the first thirty records are
# there for their signal, and how many of those are spoilt?

# Answer
quality = SignalQuality(fs=100, lead_names=known.lead_names)
both = clf.audit(X, y, signal_quality=quality).head(n_read)
signal = both.loc[both["reason"] == "signal", "record"].to_numpy()
print(f"for their signal: {len(signal)} of {n_read}")
print(f"spoilt: {known.corrupted[signal].sum()} of them")
