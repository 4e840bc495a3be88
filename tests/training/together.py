"""What each of several processes does in `test_processes.py`: python -m ... <folder>.

By itself, or as number RANK of WORLD_SIZE; what it ends with goes to a file of its own.
"""

import os
import pickle
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import distributed as dist
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.training_set import TrainingSet
from sk_erts.selection import Judge

EPOCHS = 12


class Smooth(nn.Module):
    """Without what amplifies the rounding of a sum in another order.

    That is kinks, and a bias before normalisation, whose gradient is rounding alone.
    """

    def __init__(self, n_leads, n_classes, dropout=0.0):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(n_leads, 4, 5, stride=2, bias=False), nn.BatchNorm1d(4), nn.Tanh()
        )
        self.dropout = nn.Dropout(dropout)
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.linear = nn.Linear(4, n_classes)

    def head(self, z):
        return self.linear(self.dropout(self.pool(z).flatten(1)))

    def forward(self, x):
        return self.head(self.features(x))


class BreaksOff(Callback):
    epoch: int | None = (
        None  # of the class: a training that is resumed has the same callbacks
    )

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == BreaksOff.epoch:
            raise OverflowError("in the middle")


class Dies(Callback):
    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            os._exit(0)


class CannotBeSent(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.hook = lambda: None


class FailsInOne(Judge):
    reads = frozenset({"maps"})

    def __init__(self, here=False, kind=OSError):
        self.here, self.kind = here, kind

    def _score(self, known):
        if self.here and len(known.codes) > 2:  # later than the first try
            raise self.kind("record 7 cannot be read")
        return known.maps.max(axis=1)


def records(n=101):
    """Three heights of a wave in noise; every tenth label is wrong."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    wave = np.sin(np.linspace(0, 20, 80)) + 2 * y[:, None]
    X = (wave + rng.normal(0, 0.4, (n, 80)))[:, None].astype(np.float32)
    return X, np.where(rng.random(n) < 0.1, (y + 1) % 3, y)


def classifier(**params):
    given = {"module": Smooth, "max_epochs": EPOCHS, "batch_size": 16, "lr": 0.05}
    given |= {"random_state": 0, "verbose": 0, "looks__first_step": 5}
    return ERTSClassifier(**given | params)


def story(clf):
    states = clf.net_.module_.state_dict()
    return {
        "status": clf.selection_.status,
        "kept": clf.kept_counts_,
        "EE": clf.effective_epochs_,
        "passes": clf.scoring_passes_,
        "loss": [row["train_loss"] for row in clf.history_],
        "weights": np.concatenate([part.numpy().ravel() for part in states.values()]),
    }


def counted(work):
    """Return what some work returns, and how many records it read for its steps."""
    read, fetch = [], TrainingSet.__getitem__
    TrainingSet.__getitem__ = lambda self, index: (
        read.append(len(index)) or fetch(self, index)
    )
    try:
        return work(), sum(read)
    finally:
        TrainingSet.__getitem__ = fetch


def raised(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__, str(error)
    return None


def scenes(folder, rank, group):
    X, y = records()
    fit = {"process_group": group}
    clf, n_read = counted(lambda: classifier().fit(X, y, **fit))
    yield "as it comes", story(clf) | {"read": n_read, "proba": clf.predict_proba(X)}
    full = {"data_dropout": None, "focus": None, "max_epochs": 2}
    yield "full data", story(classifier(**full).fit(X, y, **fit))
    half = classifier(**full, steps__precision="bfloat16")
    yield "half the bits", story(half.fit(X, y, **fit))
    # The last batch of an epoch is smaller: both take the one, or one each.
    yield "a batch of one", story(classifier(**full).fit(X[:33], y[:33], **fit))
    yield "a batch of two", story(classifier(**full).fit(X[:34], y[:34], **fit))
    own = classifier(
        module__dropout=0.3, augment=lambda X, rng: X + rng.normal(0, 0.1, X.shape)
    )
    yield "each its own noise", story(own.fit(X, y, **fit))
    # A seed is drawn in each process, and all take the first one's.
    drawn = classifier(random_state=None, validation_fraction=0.3)
    yield "any seed", story(drawn.fit(X, y, **fit))
    kept = fit | {"checkpoint": folder / "checkpoint"}
    broken = classifier(callbacks=[BreaksOff()])
    BreaksOff.epoch = 5
    yield "broken off", raised(lambda: broken.fit(X, y, **kept))
    BreaksOff.epoch = None
    yield "resumed", story(broken.fit(X, y, **kept, resume=True))
    mine = (X, y) if rank == 0 else (X[::-1], y[::-1])
    yield "other records", raised(lambda: classifier().fit(*mine, **fit))
    judge = classifier(focus=FailsInOne(here=rank == 1))
    yield "an error in one", raised(lambda: judge.fit(X, y, **fit))
    judge = classifier(focus=FailsInOne(rank == 1, CannotBeSent))
    yield "an error that cannot be sent", raised(lambda: judge.fit(X, y, **fit))
    if group is not None:
        lost = classifier(callbacks=[Dies()] if rank == 1 else [])
        yield "one is lost", raised(lambda: lost.fit(X, y, **fit))


def main():
    folder = Path(sys.argv[1])
    rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    torch.set_num_threads(1)
    group = None
    if size > 1:
        store = f"file://{folder}/store"
        wait = timedelta(seconds=60)
        dist.init_process_group("gloo", store, wait, world_size=size, rank=rank)
        group = dist.group.WORLD
    found = {}
    for name, value in scenes(folder, rank, group):
        found[name] = value
        (folder / f"{rank}.pkl").write_bytes(pickle.dumps(found))
    os._exit(0)  # a group that has lost a member cannot be closed


if __name__ == "__main__":
    main()
