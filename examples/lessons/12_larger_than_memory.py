"""
How do I train on more records than memory holds?
=================================================

Written once to a file, or to a folder of shards, records are read batch by batch while
the network trains. Is the result the same as with all of them in memory?
"""

# %%
# One file, or a folder of shards
# -------------------------------
# ``to_memmap`` writes one file, up to what a disk holds; ``to_shards`` a folder of
# files in the format Zarr 3, which can be copied by the piece. Both take whatever has a
# shape and can be sliced, and read it piece by piece themselves. 16 bits take half the
# space.

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg, open_records, to_memmap, to_shards

X, y = make_ecg(400, duration_s=4, classes=("NORM", "BBB"), random_state=0)
place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
folder = Path(place.name)
to_memmap(X, folder / "float32.npy")
to_shards(X, folder / "float32.zarr", records_per_shard=100)
to_memmap(X, folder / "int16.npy", dtype="int16")


def megabytes(path):
    """Return the size of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


on_disk = {path.name: megabytes(path) for path in sorted(folder.iterdir())}
for name, size in on_disk.items():
    print(f"{name}: {size:.1f} MB")

# %%
# Open and fit
# ------------
# ``open_records`` opens what was written; nothing is read yet. What it returns goes
# where an array goes: to ``fit``, ``predict`` and ``explain``, and it can be divided
# like an array. Here the training in memory comes first.

clf = ERTSClassifier(
    module__width=4,
    module__blocks=(1, 1),
    max_epochs=6,
    batch_size=16,
    lr=3e-3,
    verbose=0,
    random_state=0,
).fit(X, y)
in_memory = clf.predict_proba(X)
selected = clf.selection_.status

# %%
# The same training, on each of the three. ``tracemalloc`` notes how much memory numpy
# and Python took at most, from the opening of the file to the end of ``fit``.


def most_memory(work):
    """Return what a function took at most, in megabytes, and what it returns."""
    tracemalloc.start()
    result = work()
    held = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return held, result


def fitted_on(name, rows=slice(None)):
    """Return the classifier, after a training on records in a file."""
    return clf.fit(open_records(folder / name)[rows], y[rows])


probabilities, held, same_choice = {}, {}, {}
for name in on_disk:
    held[name], _ = most_memory(lambda: fitted_on(name))  # noqa: B023
    probabilities[name] = clf.predict_proba(open_records(folder / name))
    same_choice[name] = np.array_equal(clf.selection_.status, selected)

# %%
# In a picture: what all records would take, and what a training on files takes.

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
rows = np.arange(len(on_disk))
ax.barh(rows + 0.2, list(on_disk.values()), 0.4, label="on disk")
ax.barh(rows - 0.2, list(held.values()), 0.4, label="in memory, at most")
ax.axvline(X.nbytes / 1e6, color="grey", linestyle="--", label="all records in memory")
ax.set_yticks(rows, list(on_disk))
ax.set(xlabel="MB")
ax.legend()
plt.show()

# %%
# On recordings of patients
# -------------------------
# ``RecordArray`` is a list of files that looks like an array; ``to_memmap`` reads them
# one after the other. Next time ``open_records`` is all there is to do.
#
# .. code-block:: python
#
#     import pandas as pd
#
#     from sk_erts.datasets import RecordArray, open_records, to_memmap
#
#     table = pd.read_csv("ptbxl/ptbxl_database.csv")
#     paths = ["ptbxl/" + name for name in table["filename_lr"]]
#     to_memmap(RecordArray(paths), "ptbxl.npy", dtype="int16", overwrite=True)
#     X = open_records("ptbxl.npy")
#     y = table["scp_codes"].str.contains("'NORM'").to_numpy()

# %%
# Answer
# ------
# Write them once, open them, and fit: in 32 bits the result is the same to the last
# bit, from one file or from shards, and so is the choice of records. A training on
# files never has all records in memory. In 16 bits signals are rounded by less than a
# microvolt, and probabilities differ a little.

for name, proba in probabilities.items():
    off = np.abs(proba - in_memory).max()
    print(f"{name}: probabilities differ by {off:.1g}, ", end="")
    print(f"same choice: {same_choice[name]}, ", end="")
    print(f"{held[name]:.1f} of {X.nbytes / 1e6:.1f} MB in memory")
packed = open_records(folder / "int16.npy")
rounded = 1000 * np.abs(packed.load() - X).max()
print(f"in 16 bits signals are off by at most {rounded:.2f} microvolt")

# %%
# Exercise 1
# ----------
# Train on half of the records. Does the training hold half as much in memory?

# Answer
half, _ = most_memory(lambda: fitted_on("float32.npy", slice(len(y) // 2)))
print(f"half of the records: {half:.1f} MB, all of them: ", end="")
print(f"{held['float32.npy']:.1f} MB")
print("What is held depends on the size of a batch more than on the number of records.")

# %%
# Exercise 2
# ----------
# Take a quarter of the records in the shards, at random, to test on. Is anything read
# when they are divided? When is it?

# Answer
order = np.random.default_rng(0).permutation(len(y))
records = open_records(folder / "float32.zarr")
lazy, train = most_memory(lambda: records[order[100:]])
read, _ = most_memory(train.load)
print(f"dividing takes {lazy:.2f} MB, loading the larger part {read:.1f} MB")

# %%
# Exercise 3
# ----------
# More synthetic records than memory holds: ``make_ecg(..., out=path)`` writes them
# piece by piece. What does it return?

# Answer
made, _ = make_ecg(200, random_state=0, out=folder / "made.npy")
print(f"{type(made).__name__} of shape {made.shape}")
place.cleanup()
