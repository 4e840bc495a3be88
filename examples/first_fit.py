"""How do I train a network on electrocardiograms, and see what it looked at?

Three lines fit a classifier that chooses its own training records; two more show where
in time it found the evidence for a diagnosis.
"""

import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import ResNet1d
from sk_erts.selection import is_doubted

# Twelve leads, five seconds, in millivolt. Some records are noisy, some mislabelled.
classes = ("NORM", "BBB", "PVC")
X, y = make_ecg(
    400, duration_s=5, classes=classes, noise=0.2, label_noise=0.05, random_state=0
)
X_test, y_test = make_ecg(200, duration_s=5, classes=classes, random_state=1)

# Training skips what is learned already, and softens labels that are contradicted.
clf = ERTSClassifier(
    module=ResNet1d,
    module__width=8,
    module__blocks=(1, 1, 1),
    max_epochs=20,
    batch_size=32,  # few records: smaller batches make more steps
    lr=3e-3,
    random_state=0,
).fit(X, y)
print(f"accuracy on new records: {clf.score(X_test, y_test):.2f}")
print(f"effective epochs: {clf.effective_epochs_:.1f} of {clf.max_epochs}")

# Why this diagnosis? The Grad-CAM map of the predicted class, one value per sample.
maps = clf.explain(X_test)
peak_s = maps.argmax(axis=1) / 100
print(f"record 0: {clf.predict(X_test[:1])[0]}, evidence at {peak_s[0]:.2f} s")

# Which labels were doubted? The ledger tells for every record and epoch.
doubted = is_doubted(clf.selection_.status).sum(axis=0)
record = int(np.argmax(doubted))
print(f"the label of record {record} was doubted in {doubted[record]} epochs")
