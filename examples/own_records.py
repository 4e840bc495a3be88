"""How do I train on records of my own, more than fit in memory?

Any WFDB records and a table of labels will do. A look at a few of them tells whether
they are read as they should be; then all go to one file, and the network trains on the
file. Here the records are those of PTB-XL, and the question is whether one is normal.

    SK_ERTS_DATA=<folder above ptbxl> python examples/own_records.py
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from _stand_in import folder_of
from sklearn.model_selection import train_test_split

from sk_erts import ERTSClassifier
from sk_erts.datasets import RecordArray, open_records, read_records, to_memmap
from sk_erts.models import ResNet1d

# A table of names and labels. It may as well be a CSV file of two columns.
folder = folder_of("ptbxl")
table = pd.read_csv(folder / "ptbxl_database.csv").head(1000)
paths = [folder / name for name in table["filename_lr"]]
normal = table["scp_codes"].str.contains("'NORM'").to_numpy()
labels = pd.Series(np.where(normal, "normal", "other"), index=[p.name for p in paths])

# 1. A look at some records, in memory.
look = read_records(paths[:50], labels=labels[:50], on_error="skip")
print(f"{look.data.shape} at {look.fs} Hz, leads {', '.join(look.lead_names)}")
print(f"left out: {len(look.skipped)}")

# 2. All of them, one after the other, to one file: half the size with 16 bits. What is
# read once from a thousand files is now read fast, as often as training wants it.
with tempfile.TemporaryDirectory() as place:
    file = Path(place, "records.npy")
    to_memmap(RecordArray(paths), file, dtype="int16")
    print(f"{file.stat().st_size / 1e6:.0f} MB on disk")

    # 3. Open it (next time this is all there is to do), divide it, fit. Only batches
    # are in memory.
    X = open_records(file)
    train, test = train_test_split(
        np.arange(len(X)), test_size=0.3, stratify=labels, random_state=0
    )
    clf = ERTSClassifier(
        module=ResNet1d,
        module__width=8,
        max_epochs=10,
        batch_size=16,  # few records: more steps
        lr=1e-3,
        random_state=0,
        verbose=0,
    ).fit(X[train], labels.iloc[train])
    print(f"effective epochs: {clf.effective_epochs_:.1f} of {clf.max_epochs}")
    accuracy = clf.score(X[test], labels.iloc[test])

common = labels.iloc[test].value_counts(normalize=True).max()
print(f"accuracy on {len(test)} other records: {accuracy:.2f} (guessing: {common:.2f})")
