"""
What does Grad-CAM compute?
===========================

A map that shows where a network saw its evidence looks like magic until one has made it
by hand. Behind a network that ends in an average over time and one linear layer it
takes a line.
"""

# %%
# A network to ask
# ----------------
# Premature beats stand at one place of a record, so that a map has something to find.

import matplotlib.pyplot as plt
import numpy as np
import torch

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg

kind = {"n_leads": 2, "duration_s": 4, "classes": ("NORM", "PVC")}
X, y = make_ecg(160, **kind, random_state=0)
clf = ERTSClassifier(
    module__width=8,
    module__blocks=(1, 1, 1),
    max_epochs=14,
    batch_size=16,
    lr=3e-3,
    verbose=0,
    random_state=0,
).fit(X, y)
X_new, y_new, known = make_ecg(40, **kind, random_state=1, return_evidence=True)
print(f"accuracy on new records: {clf.score(X_new, y_new):.2f}")

# %%
# Two halves
# ----------
# ``features`` turns a record into feature maps :math:`a_{kt}`: channel :math:`k`, time
# step :math:`t`. ``head`` takes the mean over time, and weighs the channels:
# :math:`y = b + \sum_k w_k \frac1T \sum_t a_{kt}`.

record = int(np.flatnonzero(y_new == "PVC")[0])
network = clf.net_.module_.eval()
x = torch.as_tensor(X_new[record : record + 1])  # (1, leads, times)
z = network.features(x).detach().requires_grad_()  # (1, channels, steps)
logits = network.head(z)  # (1, classes)
print(f"{x.shape[2]} time steps became {z.shape[2]} of {z.shape[1]} channels")

# %%
# The map
# -------
# Grad-CAM asks how much the logit of a class grows with each channel, on average over
# time: :math:`w_k = \frac1T \sum_t \partial y / \partial a_{kt}`. The map is the sum of
# the channels with these weights, :math:`\sum_k w_k a_{kt}`; what is below zero speaks
# against the class, and is cut off in the end.

column = list(clf.classes_).index("PVC")
logits[0, column].backward()
weights = z.grad[0].mean(dim=1)  # (channels,)
signed = (weights @ z[0].detach()).numpy()  # (steps,)
by_hand = np.maximum(signed, 0)

# %%
# In a picture: one lead of the record, what its channels contribute, and their sum.

parts = (weights[:, None] * z[0].detach()).numpy()  # (channels, steps)
seconds = np.arange(x.shape[2]) / 100
steps = (np.arange(len(signed)) + 0.5) * seconds[-1] / len(signed)
fig, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True, layout="constrained")
axes[0].plot(seconds, X_new[record, 0], color="black", linewidth=0.8)
axes[0].set_ylabel("mV")
axes[0].fill_between(
    seconds, -1, 2, where=known.mask[record], color="orange", alpha=0.3, label="PVC"
)
axes[0].legend(loc="upper right")
limit = np.abs(parts).max()
axes[1].pcolormesh(
    steps, np.arange(len(parts)), parts, cmap="PuOr", vmin=-limit, vmax=limit
)
axes[1].set_ylabel("channel")
axes[2].step(steps, signed, where="mid", label="sum of the channels")
axes[2].fill_between(steps, by_hand, step="mid", alpha=0.3, label="Grad-CAM")
axes[2].axhline(0, color="grey", linewidth=0.5)
axes[2].set(xlabel="time (s)", ylabel="for PVC")
axes[2].legend(loc="upper right")
plt.show()

# %%
# On recordings of patients
# -------------------------
# The line is the same for any record. Those of MIT-BIH are single beats, which
# cardiologists have annotated: a map then tells which part of the beat was used.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_mitbih
#
#     X, y = load_mitbih("mitbih", return_X_y=True)

# %%
# Answer
# ------
# A weighted sum of the last feature maps, with weights that say how much the class
# grows with each of them. Behind a mean and a linear layer these weights are those of
# the layer, divided by the number of time steps, and no gradient is needed. ``explain``
# gives the same map.

in_closed_form = network.head.linear.weight[column] / z.shape[2]
off = (in_closed_form - weights).abs().max().item()
print(f"weights of the layer and gradients differ by at most {off:.0e}")
given = clf.explain(X_new[record : record + 1], target="PVC", resample=False)[0]
print(f"explain and the map by hand differ by at most {abs(given - by_hand).max():.0e}")
print(f"highest in the premature beat: {known.mask[record][by_hand.argmax() * 8 + 4]}")

# %%
# Exercise 1
# ----------
# What does the sum of the signed map over time, together with the bias, give?

# Answer
bias = network.head.linear.bias[column].item()
print(f"sum and bias: {signed.sum() + bias:.4f}")
print(f"logit: {logits[0, column].item():.4f}")
print("The logit: the map shares it out over time.")

# %%
# Exercise 2
# ----------
# Make the map that tells PVC from NORM: of the difference of the two logits. Compare it
# with ``explain(..., contrast="NORM")``. Where does the bias go there?

# Answer
layer = network.head.linear
rows, biases = layer.weight.detach(), layer.bias.detach()
difference = (rows[column] - rows[1 - column]) @ z[0].detach()  # (steps,)
shared_out = (difference + biases[column] - biases[1 - column]) / z.shape[2]
given = clf.explain(
    X_new[record : record + 1], target="PVC", contrast="NORM", resample=False
)[0]
off = abs(given - shared_out.numpy()).max()
print(f"the contrasts differ by at most {off:.0e}")
print("Each time step has an equal part of the bias, so that the map sums to the")
print(f"difference of the logits: {given.sum():.3f}")
