"""
Does a network that explains itself tell the whole reason?
==========================================================

Grad-CAM asks a network from outside. ``ECGIMN`` writes a linear model for each record,
so that weight times signal *is* what each sample adds to the decision. Such a map is
exact; is it all?
"""

# %%
# A network that writes linear models
# -----------------------------------
# A convolutional network writes, for each record :math:`x`, a weight for each lead,
# sample and class, and a bias: :math:`y_c = \sum_{l,t} W_{clt}\, x_{lt} + b_c`. Weights
# and bias depend on the record.

import matplotlib.pyplot as plt
import numpy as np
import torch

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.metrics import evidence_mass
from sk_erts.models import ECGIMN
from sk_erts.plotting import ECGDisplay

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB")}
X, y = make_ecg(120, **kind, random_state=0)
X_test, y_test, known = make_ecg(60, **kind, random_state=1, return_evidence=True)
clf = ERTSClassifier(
    ECGIMN,
    module__width=4,
    data_dropout=None,
    focus=None,
    max_epochs=10,
    batch_size=16,
    lr=3e-3,
    verbose=0,
    random_state=0,
).fit(X, y)
print(f"accuracy on new records: {clf.score(X_test, y_test):.2f}")

# %%
# Its own map
# -----------
# ``"intrinsic"`` returns weight times signal, one value per lead and sample. Set
# against NORM it shows what each sample adds to the difference of the two logits.
# Bundle branch block is a wide QRS complex, so that is where the evidence should be.

ill = y_test == "BBB"
record = int(np.flatnonzero(ill)[0])
ECGDisplay.from_estimator(
    clf,
    X_test[record],
    method="intrinsic",
    target="BBB",
    contrast="NORM",
    fs=100,
    lead_names=known.lead_names,
)
plt.show()

# %%
# How much of the map is where the evidence is known to be? Grad-CAM of the same network
# is one value per time step; it contains what each time step adds to the bias.

for method in ("intrinsic", "gradcam"):
    maps = clf.explain(X_test[ill], method, target="BBB", contrast="NORM")
    inside = evidence_mass(maps, known.mask[ill]).mean()
    print(f"{method}: {inside:.0%} inside the QRS complexes")
print(f"by chance: {known.mask[ill].mean():.0%}")

# %%
# Map and bias
# ------------
# The sum of the map, and the bias, which the network tells when it is asked, are the
# logit. Both parts can be looked at by themselves.

network = clf.net_.module_.eval()
with torch.no_grad():
    x = torch.from_numpy(X_test)
    logits, bias = network(x).numpy(), network.bias(x).numpy()  # (n, classes)
from_map = np.stack(
    [
        clf.explain(X_test, "intrinsic", target=name, signed=True).sum(axis=(1, 2))
        for name in clf.classes_
    ],
    axis=1,
)  # (n, classes)

column = list(clf.classes_).index("BBB")
margins = {
    name: part[:, column] - part[:, 1 - column]
    for name, part in {"logit": logits, "map": from_map, "bias": bias}.items()
}
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, marker in {"BBB": "o", "NORM": "x"}.items():
    rows = y_test == name
    ax.scatter(margins["map"][rows], margins["bias"][rows], marker=marker, label=name)
ax.axhline(0, color="grey", linewidth=0.5)
ax.axvline(0, color="grey", linewidth=0.5)
ax.set(xlabel="what the map adds for BBB", ylabel="what the bias adds for BBB")
ax.legend()
plt.show()

# %%
# On recordings of patients
# -------------------------
# There is no mask of the evidence there; map and bias can be looked at all the same.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)

# %%
# Answer
# ------
# No. The map is exact, and most of it is where the evidence is; but most of the
# decision comes with the bias, which depends on the record and stands in no map. Show
# the bias beside a map that is read as the reason of a decision.

off = np.abs(from_map + bias - logits).max()
print(f"map and bias differ from the logit by at most {off:.0e}")
shares = {
    name: np.cov(margins[name], margins["logit"])[0, 1] / margins["logit"].var(ddof=1)
    for name in ("map", "bias")
}
for name, share in shares.items():
    print(f"variance of the decision that comes with the {name}: {share:.0%}")

# %%
# Exercise 1
# ----------
# How often would the map alone be right, and the bias alone, each with zero as the
# threshold?

# Answer
for name in ("map", "bias"):
    right = (margins[name] > 0) == ill
    print(f"{name} alone is right: {right.mean():.2f}")

# %%
# Exercise 2
# ----------
# ``module__smoothness`` is a penalty on weights that change from sample to sample.
# Train with 0.3. Is more of the map inside the QRS complexes then, or less?

# Answer
smooth = clf.set_params(module__smoothness=0.3).fit(X, y)
maps = smooth.explain(X_test[ill], "intrinsic", target="BBB", contrast="NORM")
inside = evidence_mass(maps, known.mask[ill]).mean()
print(f"with the penalty: {inside:.0%} inside the QRS complexes")
