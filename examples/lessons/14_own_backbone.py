"""
How do I bring a backbone of my own?
====================================

Any ``torch.nn.Module`` that returns logits can be trained. What does it gain if it says
where its feature maps end and its head begins?
"""

# %%
# A network in two halves
# -----------------------
# ``features`` turns records (n, leads, times) into maps (n, channels, steps), ``head``
# turns maps into logits (n, classes), and ``forward`` is one after the other.
# ``PooledLinear`` is an average over time and one linear layer: behind it Grad-CAM
# needs no gradient. What ``__init__`` takes of ``n_leads``, ``n_times`` and
# ``n_classes`` it is given.

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import PooledLinear
from sk_erts.plotting import ECGDisplay


class Separable(nn.Module):
    """Each channel has a filter in time; then the channels are mixed."""

    def __init__(self, n_leads, n_classes, width=16, kernel_size=15):
        super().__init__()
        layers, n_in = [], n_leads
        for _ in range(2):
            layers += [
                nn.Conv1d(n_in, n_in, kernel_size, 2, kernel_size // 2, groups=n_in),
                nn.Conv1d(n_in, width, 1),
                nn.BatchNorm1d(width),
                nn.ReLU(),
            ]
            n_in = width
        self.body = nn.Sequential(*layers)
        self.head = PooledLinear(width, n_classes)

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(self.features(x))


# %%
# Fit
# ---
# It goes where a name would go, and its own parameters are ``module__*``: for
# ``set_params``, and for a search.

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB", "PVC")}
X, y = make_ecg(240, **kind, random_state=0)
X_test, y_test, known = make_ecg(120, **kind, random_state=1, return_evidence=True)
params = {
    "max_epochs": 12,
    "batch_size": 16,
    "lr": 1e-2,
    "verbose": 0,
    "random_state": 0,
}
clf = ERTSClassifier(Separable, module__width=16, **params).fit(X, y)
size = sum(weights.numel() for weights in clf.net_.module_.parameters())
print(f"{size} weights, accuracy on new records: {clf.score(X_test, y_test):.2f}")

# %%
# What the halves bring
# ---------------------
# Maps of all classes come with the forward pass; so the training may read them in every
# look, and judges records by whether they speak for their label (``"support"``).

record = int(np.flatnonzero(y_test == "PVC")[0])
ECGDisplay.from_estimator(
    clf,
    X_test[record],
    fs=100,
    lead_names=known.lead_names,
    target="PVC",
    contrast="rival",
)
plt.show()

# %%
# The same network in one piece
# -----------------------------
# A module without halves is trained and explained too: the last layer with a time axis
# is found, and a gradient gives the weights of its channels. Here the trained weights
# are put behind a door that shows nothing but ``forward``.


class OnePiece(nn.Module):
    """The same layers, of which nobody is told which are the head."""

    def __init__(self, n_leads, n_classes, width=16):
        super().__init__()
        self.inner = Separable(n_leads, n_classes, width)

    def forward(self, x):
        return self.inner(x)


whole = ERTSClassifier(OnePiece, module__width=16, **params).fit(X, y)
whole.net_.module_.inner.load_state_dict(clf.net_.module_.state_dict())
maps = clf.explain(X_test, target="PVC", resample=False)
same = whole.explain(X_test, target="PVC", resample=False)

# %%
# On recordings of patients
# -------------------------
# Nothing changes but the records. Of twelve leads ``n_leads`` is 12.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)

# %%
# Answer
# ------
# Any module that returns logits will do, and nothing has to be registered. With
# ``features`` and ``head`` besides, the same maps come without a gradient, and the
# training judges records by them. A network in one piece is judged by its probabilities
# instead.

print(f"maps differ by at most {np.abs(maps - same).max():.0e}")
print(f"in halves judged by: {clf.selection_.judged_by[-1]}")
print(f"in one piece judged by: {whole.selection_.judged_by[-1]}")

# %%
# Exercise 1
# ----------
# Does ``explain`` really need no gradient for the network in halves? Let a hook on the
# last layer note, in each forward pass, whether torch prepares one.

# Answer
for name, model in {"in halves": clf, "in one piece": whole}.items():
    layers = [part for part in model.net_.module_.modules() if type(part) is nn.ReLU]
    prepared = []
    hook = layers[-1].register_forward_hook(
        lambda *_: prepared.append(torch.is_grad_enabled())  # noqa: B023
    )
    model.explain(X_test, target="PVC")
    hook.remove()
    print(f"{name}, a gradient is prepared: {any(prepared)}")

# %%
# Exercise 2
# ----------
# Write a head of another kind: the maximum over time, and one linear layer. By what are
# records judged now? Is the network still explained?


# Answer
class MaxHead(nn.Module):
    def __init__(self, n_channels, n_classes):
        super().__init__()
        self.linear = nn.Linear(n_channels, n_classes)

    def forward(self, z):
        return self.linear(z.amax(dim=-1))  # (n, channels) -> (n, classes)


class Highest(Separable):
    def __init__(self, n_leads, n_classes, width=16):
        super().__init__(n_leads, n_classes, width)
        self.head = MaxHead(width, n_classes)


highest = ERTSClassifier(Highest, **params).fit(X, y)
print(f"judged by: {highest.selection_.judged_by[-1]}")
print(f"maps of shape {highest.explain(X_test, target='PVC').shape}, by a gradient")
