"""What comes together when records have several sources? CinC 2020 and 2021.

Every hospital has its own rate, length and habit of labelling, and some records are
bad. Look before you train: what was left out, and why; who labels what.

    SK_ERTS_DATA=<folder above cinc2020> python examples/cinc2020_sources.py
"""

import pandas as pd
from _stand_in import folder_of
from sklearn.pipeline import make_pipeline

from sk_erts import ERTSClassifier
from sk_erts.datasets import load_cinc2020
from sk_erts.models import ResNet1d
from sk_erts.preprocessing import FixLength, Resample

records = load_cinc2020(folder_of("cinc2020"), on_error="skip")
print(f"{len(records.data)} records, and {len(records.skipped)} left out:")
for error in records.skipped["error"]:
    print(f"  {error[error.rfind('/') + 1 :].partition(';')[0]}")

# Sources differ in what they hold: a network could learn the hospital, not the heart.
labels = pd.DataFrame(records.target, columns=records.target_names)
sources = records.metadata["source"].to_numpy()
print(labels.groupby(sources).sum().to_string())
unlabelled = records.target.sum(axis=1) == 0
print(f"without any diagnosis: {unlabelled.sum()} records")

# One rate and one length. These records have 500 Hz; where rates differ, resample those
# of each rate by themselves.
X, y = records.data[~unlabelled], labels["NORM"][~unlabelled]
model = make_pipeline(
    Resample(fs_in=500, fs_out=100),
    FixLength(fs=100, duration_s=10),
    ERTSClassifier(
        module=ResNet1d,
        module__width=4,
        max_epochs=20,
        batch_size=8,
        lr=3e-3,
        random_state=0,
        verbose=0,
    ),
).fit(X, y)

# Two dozen records show that the way from folder to network is open. They cannot show
# whether it has learned anything but these records.
print(f"{len(X)} records at {records.fs} Hz: fitted, not tested")
print(f"right on its own training records: {model.score(X, y):.0%}")
