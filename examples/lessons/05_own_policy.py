"""
Does a rule of your own choose better than chance?
==================================================

Which records are trained is decided by a policy: a function from what is known of the
records to what becomes of them. Here is a short one, the control that any such rule has
to be held against, and a filter to put around it.
"""

# %%
# The rule
# --------
# Train those records of each class of which the network is least sure. ``reads`` names
# what the rule looks at, so that nothing else is measured; ``_keep`` returns a mask.
# The rule is plain NumPy: it can be tried on six numbers before anything is trained.

import matplotlib.pyplot as plt
import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.selection import (
    FocusFilter,
    KeepAll,
    Policy,
    RandomFilter,
    Scores,
    Status,
    takes_gradient,
)


class LeastSure(Policy):
    """Train a share of each class: those with the lowest confidence."""

    reads = frozenset({"confidence"})
    reason = Status.EASY  # what a record is called that it does not keep

    def __init__(self, share=0.2):
        self.share = share

    def _keep(self, scores, rng):
        kept = np.zeros(len(scores), dtype=bool)
        for code in np.unique(scores.y):
            of_class = np.flatnonzero(scores.y == code)
            n_kept = max(1, round(self.share * len(of_class)))
            kept[of_class[np.argsort(scores.confidence[of_class])[:n_kept]]] = True
        return kept


known = Scores(
    y=np.array([0, 0, 0, 1, 1, 1]),
    epoch=1,
    confidence=np.array([0.9, 0.2, 0.8, 0.7, 0.6, 0.9]),
)
status = LeastSure(0.4).select(known, np.random.default_rng(0))
print([Status(value).label for value in status])

# %%
# Three trainings
# ---------------
# With the rule; with as many records at random, in the same epochs, which is the
# control; and with the rule inside a filter. The rule then proposes twice as many, and
# the half that speaks less for its label is put aside. Fifteen labels in a hundred are
# wrong.

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB", "PVC")}
X, y, truth = make_ecg(
    240, **kind, label_noise=0.15, random_state=0, return_evidence=True
)
X_test, y_test = make_ecg(400, **kind, random_state=100)
params = {
    "module__width": 8,
    "module__blocks": (1, 1),
    "max_epochs": 20,
    "batch_size": 16,
    "lr": 3e-3,
    "verbose": 0,
    "random_state": 0,
}
policies = {
    "least sure": LeastSure(0.2),
    "at random": RandomFilter(KeepAll(), threshold=0.8),
    "filtered": FocusFilter(LeastSure(0.4), "support", threshold=0.5),
}
fitted = {
    name: ERTSClassifier(selection=policy, **params).fit(X, y)
    for name, policy in policies.items()
}

# %%
# Whom did they choose?
# ---------------------
# Each curve counts in how many epochs of selection a record was trained, the most often
# trained first. The rule has favourites; chance has none. Dots are wrong labels.


def times_trained(clf):
    """Return how often each record was trained in the epochs of selection."""
    story = clf.selection_
    selecting = np.array(story.phases) != "warm-up"
    return takes_gradient(story.status[selecting]).sum(axis=0)


fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, clf in fitted.items():
    times = times_trained(clf)
    order = np.argsort(-times, kind="stable")
    (line,) = ax.plot(times[order], label=name)
    wrong = np.flatnonzero(truth.flipped[order])
    ax.plot(wrong, times[order][wrong], ".", color=line.get_color())
ax.set(xlabel="records, most often trained first", ylabel="epochs trained")
ax.legend()
plt.show()

# %%
# On recordings of patients
# -------------------------
# The rule stays as it is; ``y`` may hold any labels.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)

# %%
# Answer
# ------
# Not this one. Where labels are wrong, the records of which a network is least sure are
# those with wrong labels: the rule trains little else, and is worse than chance for the
# same gradients. Inside the filter it trains hard records with right labels, and is at
# least as good.

for name, clf in fitted.items():
    times = times_trained(clf)
    print(
        f"{name}: accuracy {clf.score(X_test, y_test):.2f} "
        f"for {clf.effective_epochs_:.1f} effective epochs, "
        f"wrong labels among the trained {times[truth.flipped].sum() / times.sum():.0%}"
    )

# %%
# Exercise 1
# ----------
# What does a training on everything reach, with ``KeepAll()``, and for how many
# effective epochs?

# Answer
full = ERTSClassifier(selection=KeepAll(), **params).fit(X, y)
print(
    f"everything: accuracy {full.score(X_test, y_test):.2f} "
    f"for {full.effective_epochs_:.1f} effective epochs"
)

# %%
# Exercise 2
# ----------
# Mend the rule without a filter: leave out the fifth of each class of which the network
# is least sure of all, and train the next fifth.


# Answer
class NotTheVeryLeastSure(LeastSure):
    """Train the second share of each class, counted from the lowest confidence."""

    def _keep(self, scores, rng):
        twice = LeastSure(2 * self.share)._keep(scores, rng)
        return twice & ~super()._keep(scores, rng)


mended = ERTSClassifier(selection=NotTheVeryLeastSure(0.2), **params).fit(X, y)
times = times_trained(mended)
print(
    f"mended: accuracy {mended.score(X_test, y_test):.2f}, "
    f"wrong labels among the trained {times[truth.flipped].sum() / times.sum():.0%}"
)
