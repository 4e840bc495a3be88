"""
How sure is it, and when should it abstain?
===========================================

A classifier always answers. If it says how sure it is, the answers that it is least
sure of can go to a reader instead. What is that worth, and what do three networks know
of their doubts that one does not?
"""

# %%
# Records that cannot all be told
# -------------------------------
# Three records in ten are spoilt. Besides those to train on there are some to choose a
# threshold by, and others to see what it is worth.

import matplotlib.pyplot as plt
import numpy as np

from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.metrics import risk_coverage
from sk_erts.plotting import RiskCoverageDisplay

kind = {"n_leads": 2, "duration_s": 3, "noise": 0.3, "classes": ("NORM", "BBB", "STE")}
X, y = make_ecg(240, **kind, random_state=10)
X_valid, y_valid = make_ecg(300, **kind, random_state=11)
X_test, y_test, known = make_ecg(300, **kind, random_state=12, return_evidence=True)

# %%
# One network, and three
# ----------------------
# A network with dropout can be asked several times, each time with other channels left
# out. A ``DeepEnsemble`` trains clones that differ by their seed alone. Both tell apart
# what the record leaves open (*aleatoric*) and what the answers do not agree on
# (*epistemic*); the sum, *total*, is the entropy of the mean, in nats.

params = {
    "module__width": 8,
    "module__blocks": (1, 1),
    "max_epochs": 12,
    "batch_size": 16,
    "lr": 3e-3,
    "verbose": 0,
}
models = {
    "one": ERTSClassifier(**params, module__dropout=0.3, random_state=10),
    "three": DeepEnsemble(ERTSClassifier(**params), n_ensemble=3, random_state=10),
}
sure = {}
for name, model in models.items():
    model.fit(X, y)
    sure[name] = model.predict_uncertainty(X_test)
    print(f"{name}: {sure[name]}")

# %%
# A threshold
# -----------
# No more than one decision in twenty may be wrong. On the validation part: as far as
# decisions in the order of their total doubt keep to that, the classifier may decide.
# On new records the same threshold holds about the same risk, no more is promised.

wanted = 0.05
decided, wrong = {}, {}
for name, model in models.items():
    valid = model.predict_uncertainty(X_valid)
    curve = risk_coverage(y_valid, valid.proba, valid.total, labels=model.classes_)
    allowed = np.flatnonzero(curve.risk <= wanted)
    threshold = curve.threshold[allowed[-1]] if len(allowed) else -np.inf
    decided[name] = sure[name].total <= threshold
    wrong[name] = model.classes_[sure[name].proba.argmax(axis=1)] != y_test
    print(f"{name}: decides alone up to {threshold:.2f} nats")

# %%
# What other thresholds would cost; the points are those chosen above. At the left end
# few records are decided, so that a single error is a large share of them.

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
curves = {}
for name, model in models.items():
    told = sure[name]
    curves[name] = risk_coverage(y_test, told.proba, told.total, labels=model.classes_)
    display = RiskCoverageDisplay(curves[name], name=name).plot(ax=ax)
    alone = decided[name]
    ax.plot(
        100 * alone.mean(),
        100 * wrong[name][alone].mean(),
        "o",
        color=display.line_.get_color(),
    )
plt.show()

# %%
# On recordings of patients
# -------------------------
# Training, validation and test are folds of PTB-XL, which keep the records of a patient
# together: say 1 to 8, 9 and 10.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)
#     X_valid, y_valid = load_ptbxl(
#         "ptbxl", folds=[9], single_label=True, return_X_y=True
#     )

# %%
# Answer
# ------
# If it leaves the records that it doubts to a reader, most of its errors go with them,
# and what it decides alone is wrong less than half as often. Three networks are wrong
# less often than one, and know better where: the area under their curve is smaller. It
# costs three trainings.

for name, alone in decided.items():
    errors = wrong[name]
    print(f"{name}: decides {alone.mean():.0%} of the records alone")
    print(f"  wrong: {errors[alone].mean():.1%} of them, {errors.mean():.1%} of all")
    print(f"  of {errors.sum()} errors {errors[~alone].sum()} come to the reader")
    print(f"  area under the curve: {curves[name].area:.3f}")

# %%
# Exercise 1
# ----------
# Which records does the ensemble leave to the reader: are they those that are spoilt?

# Answer
left = ~decided["three"]
print(f"spoilt, left to the reader: {known.corrupted[left].mean():.0%}")
print(f"spoilt, decided: {known.corrupted[~left].mean():.0%}")

# %%
# Exercise 2
# ----------
# Which of the three doubts puts the errors of the one network in the best order?
# Compare the areas under the curves. Dropout is in the head alone here: it varies how
# the evidence is weighed, not what is found.

# Answer
told, labels = sure["one"], models["one"].classes_
for doubt in ("total", "aleatoric", "epistemic"):
    area = risk_coverage(y_test, told.proba, getattr(told, doubt), labels=labels).area
    print(f"{doubt}: {area:.3f}")

# %%
# Exercise 3
# ----------
# A heart of a kind that no training record had: premature beats. Is the ensemble less
# sure of these records than of those of the test?

# Answer
strange, _ = make_ecg(100, n_leads=2, duration_s=3, classes=["PVC"], random_state=13)
doubt = models["three"].predict_uncertainty(strange).total.mean()
print(f"total doubt: {doubt:.2f} nats of strange hearts, ", end="")
print(f"{sure['three'].total.mean():.2f} of the test")
