"""How do I judge hard records by a measure of my own?

A judge says what it looks at and returns one number per record. This one asks the
Grad-CAM map of the label against its strongest rival for how much of the record the
label is ahead, on the mean of all looks.
"""

import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.selection import Judge, Status


class Support(Judge):
    """Share of the record in which the evidence is for the label."""

    reads = frozenset({"maps"})
    against_rival = True
    averaged = True
    shown_as = "share of the record that speaks for the label"

    def _score(self, known):
        return (known.maps > 0).mean(axis=1)


classes = ("NORM", "BBB", "PVC")
X, y = make_ecg(300, n_leads=2, duration_s=4, classes=classes, random_state=0)
wrong = np.random.default_rng(0).permutation(len(y))[:30]
given = y.copy()
given[wrong] = np.roll(classes, 1)[np.searchsorted(sorted(classes), y[wrong])]
wrong = wrong[given[wrong] != y[wrong]]

clf = ERTSClassifier(
    focus=Support(), focus_threshold=0.3, module__width=8, batch_size=16, random_state=0
).fit(X, given)
print(f"judged by: {clf.selection_.judged_by[-1]}")

aside = (clf.selection_.status == Status.UNRELIABLE).sum(axis=0)
is_wrong = np.isin(np.arange(len(y)), wrong)
print(f"epochs put aside, wrong labels: {aside[is_wrong].mean():.1f}")
print(f"epochs put aside, right labels: {aside[~is_wrong].mean():.1f}")

# The fitted classifier judges new records by the same measure.
scores = clf.focus_score(X, given)
print(f"score, wrong labels: {scores[is_wrong].mean():.2f}")
print(f"score, right labels: {scores[~is_wrong].mean():.2f}")
