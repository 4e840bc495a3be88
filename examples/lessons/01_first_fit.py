"""
Does a first fit learn from fewer records?
==========================================

A classifier is trained on electrocardiograms in the manner of scikit-learn. It decides
by itself, after every epoch, which records are still worth a training step. What does
that spare, and what does it cost?
"""

# %%
# Records
# -------
# ``X`` has one row per record, lead and time step, in millivolt; ``y`` has one label
# per record. Here both are synthetic: normal beats, bundle branch block, premature
# ventricular beats.

import matplotlib.pyplot as plt

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.plotting import SelectionDisplay

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB", "PVC")}
X, y = make_ecg(240, **kind, random_state=0)
X_test, y_test = make_ecg(200, **kind, random_state=1)
print(f"{len(X)} records of {X.shape[1]} leads and {X.shape[2]} time steps")

# %%
# Fit
# ---
# ``fit``, ``predict``, ``predict_proba`` and ``score`` are those of scikit-learn. With
# few records, small batches make more training steps of them.

params = {
    "module": "resnet1d",
    "module__width": 8,
    "module__blocks": (1, 1),
    "max_epochs": 14,
    "batch_size": 16,
    "lr": 3e-3,
    "verbose": 0,
    "random_state": 0,
}
clf = ERTSClassifier(**params).fit(X, y)

# %%
# What it spared
# --------------
# An *effective epoch* is as many gradients as there are records. A training on
# everything takes as many of them as it has epochs (the dashed line). This one took all
# records until the network had made a hundred steps; then it skipped those that it had
# learned, but for a few that are rehearsed.

SelectionDisplay.from_estimator(clf)
plt.show()

# %%
# Two trainings to compare with
# -----------------------------
# The same network with the selection switched off; and the same once more, stopped
# after as many gradients as the selection took. The second is the fair comparison: it
# costs as much.

everything = {**params, "data_dropout": None, "focus": None}
full = ERTSClassifier(**everything).fit(X, y)
as_much = clf.effective_epochs_
short = ERTSClassifier(**everything, max_effective_epochs=as_much).fit(X, y)

# %%
# On recordings of patients
# -------------------------
# Two lines take the place of ``make_ecg``; the folder is that of PTB-XL, as it comes
# from PhysioNet. Its twelve leads and five classes ask for a larger network: leave out
# ``module__width`` and ``module__blocks``.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)

# %%
# Answer
# ------
# Yes: for about half of the gradients it is as often right on records that it has not
# seen, to within a few records. Nobody had to say beforehand how many gradients are
# enough. A training on everything that is stopped after as many is as good here, where
# all labels are right; where a fifth of them or more are wrong, selection gains more
# (lesson 2 shows how).

for name, model in {"selection": clf, "everything": full, "stopped": short}.items():
    print(
        f"{name}: accuracy {model.score(X_test, y_test):.2f} "
        f"for {model.effective_epochs_:.1f} effective epochs"
    )

# %%
# Exercise 1
# ----------
# Some records are looked at without being trained, which costs a forward pass and no
# gradient. How many such looks were there, in passes over the data? Is the whole still
# cheaper than training on everything, if a look costs a third of a training step?

# Answer
looks = clf.scoring_passes_
whole = clf.effective_epochs_ + looks / 3
print(f"looks: {looks:.1f} passes")
print(f"as much as {whole:.1f} epochs on everything, of {full.effective_epochs_:.1f}")

# %%
# Exercise 2
# ----------
# A record counts as learned from a probability of 0.7 on. Train with
# ``confidence_threshold=0.95``. What happens to the effective epochs, and why?

# Answer
strict = ERTSClassifier(**params, confidence_threshold=0.95).fit(X, y)
print(f"threshold 0.95: {strict.effective_epochs_:.1f} effective epochs")
print("Fewer records are sure enough to be skipped, so that more are trained.")
