"""
Is the map true?
================

Every method draws a map, also where it knows nothing. Three questions tell maps that
say something of the network from those that only look as if they did.
"""

# %%
# A network and two methods
# -------------------------
# Grad-CAM tells *when* the network saw evidence; integrated gradients tell in which
# lead too. The records are ones that the network has not seen, and we know where the
# evidence in them is.

import matplotlib.pyplot as plt
import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.attribution import gradcam, randomise_weights
from sk_erts.datasets import make_ecg
from sk_erts.metrics import evaluate_explanations, evidence_enrichment
from sk_erts.plotting import FaithfulnessDisplay

kind = {"n_leads": 2, "duration_s": 4, "classes": ("NORM", "PVC")}
X, y = make_ecg(160, **kind, random_state=0)
clf = ERTSClassifier(
    module__width=8,
    module__blocks=(1, 1, 1),
    max_epochs=14,
    batch_size=16,
    lr=3e-3,
    verbose=0,
    random_state=0,
).fit(X, y)
X_new, y_new, known = make_ecg(60, **kind, random_state=1, return_evidence=True)
shown = np.flatnonzero(y_new == "PVC")[:24]
X_new, y_new, mask = X_new[shown], y_new[shown], known.mask[shown]

# %%
# Is what it marks needed?
# ------------------------
# Take away first what the map marks most: the probability of the class should fall
# sooner than when samples go in a random order. Begin with an empty record, and bring
# what is marked first: it should rise sooner.

methods = ["gradcam", "integrated_gradients"]
FaithfulnessDisplay.from_estimator(clf, X_new, y_new, methods, n_steps=10, window=10)
plt.show()

# %%
# Does it depend on the network?
# ------------------------------
# Give the network random weights. A map that stays the same has drawn the record, not
# what the network learned. ``evaluate_explanations`` asks this and more, and adds a
# random map, which is what chance gets.

table = evaluate_explanations(
    clf, X_new, y_new, methods, evidence=mask, window=10, random_state=0
)
shown_columns = {
    "deletion_gain": "needed",
    "evidence_enrichment": "enriched",
    "weights_agreement": "random weights",
    "survives_weights": "survives",
}
print(table[list(shown_columns)].rename(columns=shown_columns).round(2).to_string())

# %%
# Does it point at what is known?
# -------------------------------
# Only synthetic records, or annotated ones, can answer that. *Enriched* says how much
# denser the map is within the premature beat than over all; 1 is chance.

print(f"premature beats cover {mask.mean():.0%} of the records")

# %%
# On recordings of patients
# -------------------------
# The first two questions need no known evidence, and can be asked of any data.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)
#     X_new, y_new = load_ptbxl(
#         "ptbxl", folds=[9], single_label=True, return_X_y=True
#     )

# %%
# Answer
# ------
# These maps say something of the network: what they mark is needed, they change with
# its weights, and they are densest where the evidence is. No question is enough alone:
# a map that never asks the network can pass the last one (exercise 1). Whether the
# network is right is another matter, and what a cardiologist would mark is a third.

for method in methods:
    row = table.loc[method]
    print(
        f"{method}: gain {row['deletion_gain']:.2f}, "
        f"enrichment {row['evidence_enrichment']:.1f}, "
        f"survives random weights: {row['survives_weights']}"
    )
chance = table.loc["random map"]
print(
    f"chance: gain {chance['deletion_gain']:.2f}, "
    f"enrichment {chance['evidence_enrichment']:.1f}"
)

# %%
# Exercise 1
# ----------
# Invent a bad explanation: a map that is high wherever the signal is. Does it point
# into the premature beats? Which of the three questions finds it out?

# Answer
loud = np.abs(X_new).sum(axis=1)  # (n, times)
print(f"the loudest samples: enrichment {evidence_enrichment(loud, mask).mean():.1f}")
print("It points well. But with random weights it stays exactly the same.")

# %%
# Exercise 2
# ----------
# ``randomise_weights`` gives a copy of a network with random weights, and
# ``attribution.gradcam`` explains any network. Draw the maps of one record by the
# trained network and by the copy, one above the other.

# Answer
trained = clf.net_.module_
networks = {"trained": trained, "random": randomise_weights(trained, random_state=0)}
column = list(clf.classes_).index("PVC")
seconds = np.arange(X_new.shape[2]) / 100
fig, axes = plt.subplots(2, 1, figsize=(8, 4), sharex=True, layout="constrained")
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    heat = gradcam(network, X_new[:1], target=column)[0]
    ax.plot(seconds, X_new[0, 0], color="black", linewidth=0.8)
    ax.fill_between(seconds, heat / max(heat.max(), 1e-12), alpha=0.4)
    ax.set_ylabel(f"{name} weights")
axes[1].set_xlabel("time (s)")
plt.show()
