"""
Can a record have several labels?
=================================

A heart may have two troubles at once. Labels are then an indicator matrix, one column
each; everything else stays as it was, and each label has a map of its own.
"""

# %%
# Records
# -------
# A conduction block that comes and goes, and premature beats: the first two seconds are
# with or without bundle branch block, the last two with or without a premature beat. A
# record may have one of them, both or neither.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.plotting import ECGDisplay


def make_records(n_samples, seed):
    """Return records of four seconds, and a column for each label."""
    kind = {"n_leads": 2, "duration_s": 2}
    first, block = make_ecg(
        n_samples, **kind, classes=("NORM", "BBB"), random_state=seed
    )
    last, beat = make_ecg(
        n_samples, **kind, classes=("NORM", "PVC"), random_state=seed + 100
    )
    labels = pd.DataFrame({"BBB": block == "BBB", "PVC": beat == "PVC"}).astype(int)
    return np.concatenate([first, last], axis=2), labels


X, Y = make_records(240, seed=0)
X_test, Y_test = make_records(200, seed=1)
print(Y.value_counts().sort_index().to_string())

# %%
# Fit
# ---
# The names of the columns become the names of the labels. The loss is one binary
# cross-entropy for each; a record is easy once its least certain label is learned.

clf = ERTSClassifier(
    module__width=8,
    module__blocks=(1, 1),
    max_epochs=16,
    batch_size=16,
    lr=3e-3,
    verbose=0,
    random_state=0,
).fit(X, Y)
print(f"labels: {', '.join(clf.classes_)}")
print(f"effective epochs: {clf.effective_epochs_:.1f} of {clf.max_epochs}")

# %%
# One record, two maps
# --------------------
# ``predict_proba`` has a column for each label, and they need not sum to one.
# ``explain`` is asked for one label at a time.

both = int(np.flatnonzero(Y_test.all(axis=1))[0])
proba = clf.predict_proba(X_test[both : both + 1])[0]
print(", ".join(f"{n}: {p:.2f}" for n, p in zip(clf.classes_, proba, strict=True)))
for label in clf.classes_:
    ECGDisplay.from_estimator(
        clf, X_test[both], fs=100, target=label, lead_names=("II", "V1")
    )
    plt.show()

# %%
# On recordings of patients
# -------------------------
# PTB-XL has several labels per record, and by default ``load_ptbxl`` gives them all.
#
# .. code-block:: python
#
#     import pandas as pd
#
#     from sk_erts.datasets import load_ptbxl
#
#     ptbxl = load_ptbxl("ptbxl", folds=[1, 2])
#     X, y = ptbxl.data, pd.DataFrame(ptbxl.target, columns=ptbxl.target_names)

# %%
# Answer
# ------
# Yes. Both labels are told on records that the network has not seen, and the map of
# each lies in the half of the record where that label was made.

predicted = clf.predict(X_test)
for k, label in enumerate(clf.classes_):
    right = np.mean(predicted[:, k] == Y_test[label])
    has = Y_test[label].to_numpy() == 1
    maps = clf.explain(X_test[has], target=label)
    half = np.s_[:, :200] if label == "BBB" else np.s_[:, 200:]
    share = maps[half].sum() / maps.sum()
    print(f"{label}: right {right:.2f}, share of the map in its half {share:.2f}")
print(f"all labels of a record right: {clf.score(X_test, Y_test):.2f}")

# %%
# Exercise 1
# ----------
# ``score`` counts a record only if all of its labels are right. In how many records is
# one label right and the other one wrong?

# Answer
n_right = (predicted == Y_test.to_numpy()).sum(axis=1)
print(f"records by number of right labels: {np.bincount(n_right, minlength=3)}")

# %%
# Exercise 2
# ----------
# A label is predicted from a probability of one half on. What do sensitivity and
# specificity for PVC become if it is predicted from 0.2 on?

# Answer
has = Y_test["PVC"].to_numpy() == 1
proba = clf.predict_proba(X_test)[:, list(clf.classes_).index("PVC")]
for threshold in (0.5, 0.2):
    found, spared = proba[has] > threshold, proba[~has] <= threshold
    print(
        f"from {threshold} on: sensitivity {found.mean():.2f}, "
        f"specificity {spared.mean():.2f}"
    )
