"""How sure is a network, and what is it worth to leave unsure records to a reader?

A classifier with dropout and an ensemble of three tell how uncertain they are of each
record. A validation part says up to which uncertainty they may decide alone, if no more
than one decision in twenty is to be wrong; new records tell what that costs, and gains.

    python examples/how_sure.py [figure.png]
"""

import sys

import numpy as np

from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.metrics import risk_coverage

WANTED = 0.05

# Two leads, three seconds, every second record spoilt: not every one can be told.
kind = {"n_leads": 2, "duration_s": 3, "noise": 0.5, "classes": ("NORM", "BBB", "STE")}
X, y = make_ecg(300, **kind, random_state=0)
X_valid, y_valid = make_ecg(400, **kind, random_state=1)
X_test, y_test = make_ecg(400, **kind, random_state=2)

net = {"module__width": 8, "module__blocks": (1, 1, 1)}
params = net | {"max_epochs": 15, "batch_size": 32, "lr": 3e-3, "verbose": 0}
clf = ERTSClassifier(**params, module__dropout=0.3, random_state=0)
ensemble = DeepEnsemble(ERTSClassifier(**params), n_ensemble=3, random_state=0)

for name, model in {"dropout": clf, "ensemble": ensemble}.items():
    model.fit(X, y)

    # 1. Up to which uncertainty are few decisions wrong? As far as that goes.
    sure = model.predict_uncertainty(X_valid)
    curve = risk_coverage(y_valid, sure.proba, sure.total, labels=model.classes_)
    allowed = np.flatnonzero(curve.risk <= WANTED)
    threshold = curve.threshold[allowed[-1]] if len(allowed) else -np.inf

    # 2. Of new records, decide those below it; the others are for a reader.
    sure = model.predict_uncertainty(X_test)
    decided = sure.total <= threshold
    wrong = model.classes_[sure.proba.argmax(axis=1)] != y_test
    print(f"{name}: {sure}")
    print(f"  decides up to {threshold:.2f} nats: {decided.mean():.0%} of records")
    print(f"  wrong: {wrong[decided].mean():.1%} of them, {wrong.mean():.1%} of all")
    print(f"  of {wrong.sum()} errors {wrong[~decided].sum()} come to a reader")

# 3. What other thresholds would cost: a picture, if a file is named.
if len(sys.argv) > 1:
    from sk_erts.plotting import RiskCoverageDisplay

    display = RiskCoverageDisplay(curve, name="ensemble").plot()
    display.ax_.plot(100 * decided.mean(), 100 * wrong[decided].mean(), "o")
    display.figure_.savefig(sys.argv[1])
