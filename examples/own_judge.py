"""How do I judge hard records by a measure of my own?

A judge says what it looks at and returns one number per record. This one asks the
Grad-CAM map of the label against its strongest rival whether each second of the record
is for the label, on the mean of all looks: the evidence of a label that is right comes
back with every beat.
"""

import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.selection import Judge, Status

SECONDS = 4


class EverySecond(Judge):
    """Share of the seconds whose evidence, summed up, is for the label."""

    reads = frozenset({"maps"})
    against_rival = True
    averaged = True
    shown_as = "seconds that speak for the label (share)"

    def _score(self, known):
        seconds = np.array_split(known.maps, SECONDS, axis=1)
        return np.mean([part.sum(axis=1) > 0 for part in seconds], axis=0)


classes = ("NORM", "BBB", "PVC")
X, y = make_ecg(300, n_leads=2, duration_s=SECONDS, classes=classes, random_state=0)
wrong = np.random.default_rng(0).permutation(len(y))[:30]
given = y.copy()
given[wrong] = np.roll(classes, 1)[np.searchsorted(sorted(classes), y[wrong])]
wrong = wrong[given[wrong] != y[wrong]]

clf = ERTSClassifier(
    focus=EverySecond(),
    focus_threshold=0.3,
    module__width=8,
    batch_size=16,
    random_state=0,
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
