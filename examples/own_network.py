"""How do I train a network of my own, which explains itself and has a loss of its own?

It writes one weight per lead and sample for each class; weight times signal is what the
sample contributes, exactly. A penalty asks for few contributions.
"""

import numpy as np
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg


class LinearForEachRecord(nn.Module):
    """A network that writes a linear model for each record."""

    def __init__(self, n_leads, n_classes, sparsity=1.0):
        super().__init__()
        self.n_classes, self.sparsity = n_classes, sparsity
        self.writer = nn.Sequential(
            nn.Conv1d(n_leads, 16, 15, padding=7),
            nn.BatchNorm1d(16),
            nn.GELU(),
            nn.Conv1d(16, n_classes * n_leads, 15, padding=7),
        )
        self.bias = nn.Parameter(torch.zeros(n_classes))

    def contributions(self, x):
        weights = self.writer(x)  # (n, classes * leads, times)
        parts = weights.reshape(len(x), self.n_classes, *x.shape[1:]) * x[:, None]
        return parts  # (n, classes, leads, times)

    def forward(self, x):
        parts = self.contributions(x)
        return parts.sum(dim=(2, 3)) + self.bias, parts  # the logits come first

    def penalty(self, output, codes):
        _, parts = output
        return self.sparsity * parts.abs().mean(dim=(1, 2, 3))  # (n,)


classes = ("NORM", "PVC")
X, y = make_ecg(200, n_leads=2, duration_s=4, classes=classes, random_state=0)
X_test, y_test = make_ecg(60, n_leads=2, duration_s=4, classes=classes, random_state=1)
clf = ERTSClassifier(LinearForEachRecord, max_epochs=15, batch_size=16, random_state=0)
clf.fit(X, y)
print(f"accuracy on new records: {clf.score(X_test, y_test):.2f}")

# Its maps are its own: together with the bias they are the logit, to the last digits.
maps = clf.explain(X_test, "intrinsic", target="PVC", signed=True)
logit = maps.sum(axis=(1, 2)) + clf.net_.module_.bias[1].item()
proba = clf.predict_proba(X_test)
other = clf.explain(X_test, "intrinsic", target="NORM", signed=True).sum(axis=(1, 2))
margin = logit - other - clf.net_.module_.bias[0].item()
off = np.abs(1 / (1 + np.exp(-margin)) - proba[:, 1]).max()
print(f"probabilities from the maps are off by at most {off:.0e}")
