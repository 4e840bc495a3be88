"""What trainings gave when it was written down: ``python -m tests.equal_results``.

Each case trains a small network for a few epochs on one thread, looking in single
precision, and tells what came of it. With ``--digests`` it prints a digest of all of
it instead, to the last bit, by which two versions of the code are compared on one
machine.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

from sk_erts import ERTSClassifier
from sk_erts.augmentation import AddNoise, TimeShift
from sk_erts.models import LSTM1d
from sk_erts.quality import SignalQuality
from sk_erts.selection import DBPD, FocusFilter, Rehearsal, Reliability, Status
from tests.conftest import BY_MAP, bumps

WRITTEN = Path(__file__).with_name("equal_results.json")

SMALL = {
    "module__width": 8,
    "module__blocks": (1, 1),
    "module__kernel_size": 5,
    "max_epochs": 6,
    "lr": 0.01,
    "batch_size": 16,
    "warmup_epochs": 2,
    "looks__first_step": 0,
    "lr_schedule": "constant",
    "looks__precision": "float32",
    "looks__renewal_interval": 40,
    "random_state": 0,
    "verbose": 0,
    "device": "cpu",
}
X, CODES, _ = bumps(150)
Y = np.array(["AFIB", "NORM", "PVC"])[CODES]
Y[::10] = "NORM"  # a few labels are wrong
SEVERAL = np.stack([CODES == 0, CODES > 0, CODES == 2], axis=1).astype(int)
LONG, LONG_CODES, _ = bumps(48, n_times=300)
RAGGED = [record[:, : 40 + i % 5] for i, record in enumerate(X)]
CONFIDENT = {"confidence_threshold": 0.5}


class Pooled(torch.nn.Module):
    """A network whose maps have no closed form, and that has dropout."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        conv = [torch.nn.Conv1d(n_leads, 8, 9, padding=4), torch.nn.ReLU()]
        self.features = torch.nn.Sequential(*conv, torch.nn.MaxPool1d(4))
        pool = [torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten()]
        drop = torch.nn.Dropout(0.2)
        self.head = torch.nn.Sequential(*pool, drop, torch.nn.Linear(8, n_classes))

    def forward(self, x):
        return self.head(self.features(x))


def trained(X=X, y=Y, calls=1, **others):
    clf = ERTSClassifier(**SMALL | others)
    for _ in range(calls):
        clf.fit(X, y)
    return clf, X, y


def in_steps(X=X, y=Y, others=None, **parameters):
    clf = ERTSClassifier(**SMALL | parameters)
    for i in range(5):
        clf.partial_fit(*((X, y) if i != 3 or others is None else others))
    return clf, X, y


def another_module():
    others = {key: SMALL[key] for key in SMALL if not key.startswith("module__")}
    clf = ERTSClassifier(Pooled, **others | BY_MAP | {"confidence_threshold": 0.5})
    return clf.fit(X, Y), X, Y


def recurrent():
    others = {key: SMALL[key] for key in SMALL if not key.startswith("module__")}
    clf = ERTSClassifier(LSTM1d, module__hidden=6, **others | BY_MAP | CONFIDENT)
    return clf.fit(X, Y), X, Y


CASES = {
    "full data": lambda: trained(data_dropout=None, focus=None),
    "DBPD": lambda: trained(focus=None, easy_share=0, **CONFIDENT),
    "SMRD": lambda: trained(focus=None, data_dropout="smrd"),
    "SRD": lambda: trained(focus=None, data_dropout="srd"),
    "top mass": lambda: trained(**BY_MAP | CONFIDENT, revision_epochs=1),
    "top mass, looks of its own": lambda: trained(
        **BY_MAP | CONFIDENT,
        looks__reuse_scores=False,
        looks__revisit_gaps=(1,),
        looks__probe_records=0,
    ),
    "defaults": lambda: trained(),
    "threshold by the scores": lambda: trained(focus_threshold="auto"),
    "evidence of all": lambda: trained(data_dropout=None),
    "put aside": lambda: trained(doubt="drop"),
    "reliability": lambda: trained(focus="reliability"),
    "reliability, put aside": lambda: trained(focus="reliability", doubt="drop"),
    "reliability and signal": lambda: trained(
        LONG, LONG_CODES, focus=Reliability(SignalQuality(fs=100)), max_epochs=4
    ),
    "hard focus": lambda: trained(
        selection=Rehearsal(
            FocusFilter(DBPD(0.5), "strength", 0.3, ranking="hard_focus"), 0.2, 2.0
        )
    ),
    "batch by batch": lambda: trained(
        **BY_MAP | CONFIDENT, looks__renewal_interval="batch"
    ),
    "several labels": lambda: trained(y=SEVERAL),
    "several labels by the map": lambda: trained(y=SEVERAL, **BY_MAP | CONFIDENT),
    "different lengths": lambda: trained(RAGGED),
    "different lengths by the map": lambda: trained(RAGGED, **BY_MAP | CONFIDENT),
    "LSTM1d": recurrent,
    "another head": another_module,
    "validation": lambda: trained(early_stopping=2, max_epochs=8),
    "learned": lambda: trained(early_stopping="learned", max_epochs=12),
    "warm start": lambda: trained(warm_start=True, calls=2, max_epochs=3),
    "partial_fit": lambda: in_steps(),
    "partial_fit by the map": lambda: in_steps(**BY_MAP | CONFIDENT),
    "partial_fit on other records": lambda: in_steps(others=(X[:60], Y[:60])),
    "augmentation": lambda: trained(
        augment=[AddNoise(0.02), TimeShift(fs=100, largest_s=0.04)]
    ),
    "class weights": lambda: trained(class_weight="balanced"),
}


def told(clf, X, y):
    """Return what came of a training, in full."""
    story = clf.selection_
    table = clf.audit(X, y)
    return {
        "n_trained": clf.kept_counts_,
        "effective_epochs": np.array(clf.effective_epochs_),
        "scoring_passes": np.array(clf.scoring_passes_),
        "status": story.status,
        "confidence": story.confidence,
        "focus": story.focus,
        "mean_proba": story.mean_proba,
        "train_loss": np.array(clf.history_[:, "train_loss"]),
        "proba": clf.predict_proba(X),
        "focus_score": clf.focus_score(X, y),
        "suspicion": table.sort_values("record")["suspicion"].to_numpy(),
        "maps": np.concatenate([own.ravel() for own in clf.explain(X, signed=True)]),
    }


def digest(found):
    total = hashlib.blake2b(digest_size=8)
    for values in found.values():
        total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


def outline(found):
    """Return what another processor, which rounds otherwise, should find too."""
    counts = [np.bincount(row, minlength=len(Status)) for row in found["status"]]
    return {
        "n_trained": found["n_trained"].tolist(),
        "scoring_passes": float(found["scoring_passes"]),
        "status": np.array(counts).tolist(),
        "proba": found["proba"][:6].round(6).tolist(),
        "focus_score": found["focus_score"][:6].astype(float).round(6).tolist(),
        "maps": found["maps"][:200:20].astype(float).round(6).tolist(),
    }


def run(name):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return told(*CASES[name]())
    finally:
        torch.set_num_threads(before)


if __name__ == "__main__":
    found = {name: run(name) for name in CASES}
    if "--digests" in sys.argv:
        for name, values in found.items():
            sys.stdout.write(f"{digest(values)}  {name}\n")
    else:
        lines = [f"{json.dumps(k)}: {json.dumps(outline(v))}" for k, v in found.items()]
        WRITTEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
