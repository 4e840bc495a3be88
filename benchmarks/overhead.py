"""What the package costs beside the training itself: ratios measured in one run.

Each pair is timed in turns, and the ratio is the median of the ratios of the turns, so
that a machine that gets slower does so for both. The signals are noise: nothing here
depends on what is in them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import joblib
import numpy as np
import torch
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier

from benchmarks.loops import FullData
from benchmarks.schemes import BY_MAP
from sk_erts import ERTSClassifier
from sk_erts._network.network import Network
from sk_erts._records.records import Records
from sk_erts._records.task import make_task
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.inference import probabilities
from sk_erts._training.judging import Judging
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.scorer import Scorer
from sk_erts.models import ResNet1d
from sk_erts.selection import (
    DBPD,
    FocusFilter,
    Ledger,
    Rehearsal,
    Scores,
    as_judge,
)

N_CLASSES = 5
BATCH_SIZE = 64


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def ratio(first: Callable[[], object], second: Callable[[], object], turns: int) -> str:
    """Return the median of first / second, and the range of the middle half."""
    first(), second()
    ratios = np.array([timed(first) / timed(second) for _ in range(turns)])
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.3f} ({low:.3f}-{high:.3f})"


def records(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 12, 1000)).astype(np.float32)
    return X, np.arange(n) % N_CLASSES


def scoring(width: int, precision: str, turns: int) -> str:
    """Probability, Grad-CAM and focus over a plain pass, both from the same array."""
    X, y = records(512)
    network = ResNet1d(12, N_CLASSES, width=width).eval()
    task = make_task(y)
    training_set = TrainingSet(Records(X), np.arange(len(X)), y, np.ones(len(X)))
    scorer = Scorer(
        Network(network),
        training_set,
        task,
        Judging(as_judge("top_mass"), training_set, task, Ledger(len(X))),
        ScoringPrecision(precision, torch.device("cpu")),
    )
    index = np.random.default_rng(1).permutation(len(X))

    def plain() -> None:
        with torch.inference_mode():
            for piece in np.array_split(index, len(index) // 128):
                network(torch.from_numpy(X[piece])).softmax(dim=1)

    return ratio(
        lambda: scorer.score(index, frozenset({"confidence", "focus"})), plain, turns
    )


def epochs(width: int, turns: int) -> tuple[str, str]:
    """Full-data fit and skorch's own, each over the hand-written loop."""
    X, y = records(640)
    n_epochs = 2
    tensors = torch.from_numpy(X), torch.from_numpy(y)
    weights = torch.ones(N_CLASSES)

    def by_hand() -> None:
        loop = FullData(
            *tensors,
            weights,
            epochs=n_epochs,
            batch_size=BATCH_SIZE,
            lr=1e-3,
            seed=0,
        )
        loop.fit(ResNet1d(12, N_CLASSES, width=width))

    def erts() -> None:
        ERTSClassifier(
            module__width=width,
            data_dropout=None,
            focus=None,
            max_epochs=n_epochs,
            verbose=0,
        ).fit(X, y)

    def skorch() -> None:
        NeuralNetClassifier(
            ResNet1d(12, N_CLASSES, width=width),
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            lr=1e-3,
            max_epochs=n_epochs,
            batch_size=BATCH_SIZE,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        ).fit(X, y)

    return ratio(erts, by_hand, turns), ratio(skorch, by_hand, turns)


def predicting(n: int, width: int, turns: int) -> str:
    """Batches of one constant size over batches of what there is, up to 128."""
    X, _ = records(n)
    network = Network(ResNet1d(12, N_CLASSES, width=width).eval())
    task = make_task(np.arange(N_CLASSES))

    def plain() -> None:
        with torch.inference_mode():
            for start in range(0, n, 128):
                network.module(torch.from_numpy(X[start : start + 128])).softmax(dim=1)

    return ratio(lambda: probabilities(network, Records(X), task), plain, turns)


def import_time(turns: int) -> str:
    """Seconds of ``from sk_erts import ERTSClassifier`` once skorch is there."""
    code = (
        "import time, skorch; start = time.perf_counter(); "
        "from sk_erts import ERTSClassifier; print(time.perf_counter() - start)"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout)
        for _ in range(turns)
    ]
    return f"{np.median(seconds):.3f} s"


def renewal(turns: int) -> str:
    """Microseconds per record of a renewal: what is not the network's."""
    n = 50_000
    rng = np.random.default_rng(0)
    y = rng.integers(N_CLASSES, size=n)
    scores = {name: rng.random(n) for name in ("confidence", "focus")}
    policy = Rehearsal(FocusFilter(DBPD(0.3)))
    ledger = Ledger(n, (2, 4, 8))
    ledger.open_epoch(0)
    for name, values in scores.items():
        ledger.record(name, np.arange(n), values, until=0)

    def renew() -> None:
        for index in np.array_split(rng.permutation(n), n // 512):
            due = ledger.due("confidence", index, 0)
            ledger.record(
                "confidence", index[due], scores["confidence"][index[due]], until=0
            )
            of = Scores(
                y[index],
                1,
                confidence=ledger.scores("confidence", index),
                focus=ledger.scores("focus", index),
            )
            ledger.judge(index, policy.select(of, rng), policy.reads)

    seconds = np.median([timed(renew) for _ in range(turns)])
    return f"{seconds / n * 1e6:.2f} microseconds"


def search(n_threads: int, turns: int) -> str:
    """One job over two, of a grid search on small networks."""
    X, y = records(1000)
    torch.set_num_threads(n_threads)
    grid = {"focus_threshold": [0.1, 0.2, 0.3, 0.4]}
    clf = ERTSClassifier(
        module__width=8, max_epochs=8, random_state=0, verbose=0, **BY_MAP
    )

    def fit(n_jobs: int) -> None:
        GridSearchCV(clf, grid, cv=2, n_jobs=n_jobs, refit=False).fit(X, y)

    return ratio(lambda: fit(1), lambda: fit(2), turns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    turns = parser.parse_args().turns
    n_threads = torch.get_num_threads()
    print("| what | measured |\n|---|---|")
    for width in (16, 32):
        for precision in ("float32", "auto"):
            row = f"scoring ({precision}) / plain float32 pass, width {width}"
            print(f"| {row} | {scoring(width, precision, turns)} |", flush=True)
    for n in (1, 32, 512):
        row = f"predict_proba / plain pass, width 16, records: {n}"
        print(f"| {row} | {predicting(n, 16, turns)} |", flush=True)
    for width in (8, 16):
        own, skorch = epochs(width, turns)
        print(f"| full-data fit / hand-written loop, width {width} | {own} |")
        print(f"| skorch / hand-written loop, width {width} | {skorch} |", flush=True)
    print(f"| import of the classifier beyond skorch | {import_time(turns)} |")
    print(f"| renewal of the selection, per record | {renewal(turns)} |", flush=True)
    for threads in (n_threads, 1):
        row = f"grid search, 1 job with {threads} threads / {joblib.cpu_count()} cores"
        print(f"| {row}, 2 jobs | {search(threads, max(3, turns // 3))} |", flush=True)


if __name__ == "__main__":
    main()
