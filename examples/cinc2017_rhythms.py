"""How do records of 9 to 61 seconds come into one network? CinC 2017, one lead.

The transformers take records of different lengths. In a pipeline they belong to the
estimator: cross-validation treats new records as it treated the old ones.

    SK_ERTS_DATA=<folder above cinc2017> python examples/cinc2017_rhythms.py
"""

import numpy as np
from _stand_in import folder_of
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sk_erts import ERTSClassifier
from sk_erts.datasets import load_cinc2017
from sk_erts.models import ResNet1d
from sk_erts.preprocessing import BandPass, FixLength, Resample, Standardize

rhythms = load_cinc2017(folder_of("cinc2017"))
seconds = rhythms.metadata["duration_s"]
print(f"{len(rhythms.data)} records of {seconds.min():.0f} to {seconds.max():.0f} s")

train, test = train_test_split(
    np.arange(len(rhythms.target)),
    test_size=0.3,
    stratify=rhythms.target,
    random_state=0,
)
model = make_pipeline(
    Resample(fs_in=rhythms.fs, fs_out=100),
    BandPass(fs=100),
    FixLength(fs=100, duration_s=20),  # zeros behind shorter records
    Standardize(),
    ERTSClassifier(
        module=ResNet1d,
        module__width=8,
        max_epochs=20,
        batch_size=16,  # few records: more steps
        lr=1e-3,
        random_state=0,
        verbose=0,
    ),
).fit(rhythms.data[train], rhythms.target[train])

# A atrial fibrillation, N normal, O another rhythm, ~ too noisy to tell.
predicted = model.predict(rhythms.data[test])
print(classification_report(rhythms.target[test], predicted, zero_division=0))
