"""Which diagnoses does an ECG of twelve leads show? Several labels per record, PTB-XL.

A record may have none, one or several of the five diagnostic superclasses. The loader
gives them as an indicator matrix, and the estimator gives a probability for each.

    SK_ERTS_DATA=<folder above ptbxl> python examples/ptbxl_diagnoses.py
"""

from _stand_in import folder_of
from sklearn.metrics import roc_auc_score

from sk_erts import ERTSClassifier
from sk_erts.datasets import load_ptbxl
from sk_erts.models import ResNet1d

# The official folds keep the records of a patient together. Three of them are enough
# for an example; 1 to 8 are for training.
folder = folder_of("ptbxl")
train = load_ptbxl(folder, folds=[1, 2], on_error="skip")
test = load_ptbxl(folder, folds=[9], on_error="skip")
print(f"{len(train.data)} records to train on, {len(test.data)} to test on")
print(f"labels per record: {train.target.sum(axis=1).mean():.2f}")

clf = ERTSClassifier(
    module=ResNet1d,
    module__width=8,
    max_epochs=12,
    lr=3e-3,
    random_state=0,
    verbose=0,
).fit(train.data, train.target)
print(f"effective epochs: {clf.effective_epochs_:.1f} of {clf.max_epochs}")

# How well is each diagnosis told from its absence? 0.5 is guessing, 1 is never wrong.
proba = clf.predict_proba(test.data)
for k, label in enumerate(test.target_names):
    positive = test.target[:, k]
    auc = roc_auc_score(positive, proba[:, k])
    print(f"{label:<5} {positive.sum():>4} records   AUC {auc:.2f}")
