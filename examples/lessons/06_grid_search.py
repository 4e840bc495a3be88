"""
Which thresholds suit a data set?
=================================

From which probability on is a record learned, and how many of the hard ones are
doubted? Both are parameters like any other, so that a grid search may try several. What
it finds must be held against the spread between folds, and against what it costs.
"""

# %%
# What is tried
# -------------
# ``confidence_threshold`` says from which probability on a record is skipped,
# ``focus_threshold`` which share of the hard ones is doubted. The score is the
# macro-F1; a second one tells what each training cost.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg

X, y, truth = make_ecg(
    200,
    n_leads=2,
    duration_s=3,
    classes=("NORM", "BBB", "PVC"),
    noise=0.2,
    label_noise=0.1,
    random_state=0,
    return_evidence=True,
)
clf = ERTSClassifier(
    module__width=8,
    module__blocks=(1, 1),
    max_epochs=15,
    batch_size=8,  # few records: more steps, before anything is doubted
    lr=3e-3,
    verbose=0,
    random_state=0,
)


def effective_epochs(estimator, X, y):
    """Return what the training cost; a scorer like any other."""
    return estimator.effective_epochs_


# %%
# The search
# ----------
# ``n_jobs=2`` would try two at a time. ``refit=False``, as the choice is made below.

grid = {"confidence_threshold": [0.5, 0.9], "focus_threshold": [0.2, 0.5]}
search = GridSearchCV(
    clf,
    grid,
    scoring={"f1": "f1_macro", "cost": effective_epochs},
    cv=2,
    refit=False,
).fit(X, y)

results = search.cv_results_
score, spread = results["mean_test_f1"], results["std_test_f1"]
cost = results["mean_test_cost"]
names = [
    f"{params['confidence_threshold']} / {params['focus_threshold']}"
    for params in results["params"]
]

# %%
# In a picture: the score of each pair of thresholds over its cost, with the spread
# between folds.

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for k, name in enumerate(names):
    ax.errorbar(cost[k], score[k], spread[k], fmt="o", capsize=4, label=name)
ax.set(xlabel="effective epochs", ylabel="macro-F1 of the held-out fold")
ax.legend(title="confidence / focus threshold")
plt.show()

# %%
# On recordings of patients
# -------------------------
# Records of one patient must not stand on both sides: ``groups`` and a splitter that
# knows them take the place of ``cv=2``.
#
# .. code-block:: python
#
#     from sklearn.model_selection import GroupKFold
#
#     from sk_erts.datasets import load_ptbxl
#
#     ptbxl = load_ptbxl("ptbxl", folds=[1, 2], single_label=True)
#     X, y = ptbxl.data, ptbxl.target
#     folds = list(GroupKFold(2).split(X, y, groups=ptbxl.groups))  # cv=folds

# %%
# Answer
# ------
# The search names a best pair, but pairs whose scores differ by less than the spread
# between folds are not told apart by it. Among those take the cheapest: records that
# count as learned from 0.5 on are skipped sooner than from 0.9 on.

best = int(np.argmax(score))
alike = score >= score[best] - spread.max()
cheapest = int(np.flatnonzero(alike)[np.argmin(cost[alike])])
for k, name in enumerate(names):
    print(f"{name}: macro-F1 {score[k]:.2f}, effective epochs {cost[k]:.1f}")
print(f"spread between folds: {spread.max():.2f}")
print(f"best: {names[best]}; as good, and cheapest: {names[cheapest]}")

# %%
# Exercise 1
# ----------
# The labels of the held-out folds are wrong as often as those of the training. Which
# macro-F1 would a classifier reach in this search that is never wrong?

# Answer
print(f"never wrong: macro-F1 {f1_score(y, truth.y_true, average='macro'):.2f}")

# %%
# Exercise 2
# ----------
# ``refit`` may be a function of ``cv_results_`` that returns the number of the chosen
# row. Write one that takes the cheapest of those as good as the best.


# Answer
def cheapest_of_the_best(results):
    """Return the row of the cheapest pair that is as good as the best."""
    score, spread = results["mean_test_f1"], results["std_test_f1"].max()
    cost = np.where(score >= score.max() - spread, results["mean_test_cost"], np.inf)
    return int(cost.argmin())


chosen = cheapest_of_the_best(results)
print(f"chosen: {names[chosen]}")
print("GridSearchCV(..., refit=cheapest_of_the_best) then fits it on all records.")
