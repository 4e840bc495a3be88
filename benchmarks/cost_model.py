"""Predict the time of runs from what a record costs that is trained, or looked at.

    time = n_records * (EE * trained + scoring_passes * looked_at)

Both costs are measured here, in turns, on the records and the network of the runs that
``benchmarks.schemes --runs FILE`` wrote down; a record that is skipped costs nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.data import DATA, Split
from benchmarks.loops import FullData
from benchmarks.schemes import BATCH_SIZE, ERTS, FEWER, FULL, LEAN, MAP, warm_up
from sk_erts._network.network import Network
from sk_erts._records.records import Records
from sk_erts._records.task import make_task
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.judging import Judging
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.scorer import Scorer
from sk_erts.models import ResNet1d
from sk_erts.selection import Ledger, as_judge

PREDICTED = (FULL, FEWER, "DBPD", ERTS, MAP, LEAN)


def costs(split: Split, batch_size: int, width: int, turns: int) -> tuple[float, float]:
    """Return the median seconds of a record trained, and of one looked at."""
    n = len(split.y) // batch_size * batch_size
    X, y = split.X[:n], split.y[:n]
    network = ResNet1d(X.shape[1], split.y.max() + 1, width=width)
    loop = FullData(
        torch.from_numpy(X),
        torch.from_numpy(y),
        torch.ones(split.y.max() + 1),
        epochs=1,
        batch_size=batch_size,
        lr=1e-4,
        seed=0,
    )
    training_set = TrainingSet(Records(X), np.arange(n), y, np.ones(n))
    task = make_task(split.y)
    scorer = Scorer(
        Network(network),
        training_set,
        task,
        Judging(as_judge("top_mass"), training_set, task, Ledger(n)),
        ScoringPrecision("auto", torch.device("cpu")),
    )
    # What is due of an interval.
    pieces = np.array_split(np.random.default_rng(0).permutation(n), max(1, n // 96))

    def train() -> None:
        loop.fit(network)

    def look() -> None:
        for index in pieces:
            scorer.score(index, frozenset({"confidence", "focus"}))

    seconds = np.empty((turns, 2))
    train(), look()
    for turn in range(turns):
        for k, call in enumerate((train, look)):
            start = time.perf_counter()
            call()
            seconds[turn, k] = time.perf_counter() - start
    trained, looked_at = np.median(seconds, axis=0) / n
    return trained, looked_at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", choices=DATA, default="ptbxl")
    parser.add_argument("--folder", type=Path, default=Path("."), help="of all data")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warm_up()
    split = DATA[arguments.data](arguments.folder)
    trained, looked_at = costs(
        split, BATCH_SIZE[arguments.data], arguments.width, arguments.turns
    )
    print(
        f"{arguments.data}, width {arguments.width}, {arguments.threads} threads: a "
        f"record trained costs {trained * 1e3:.2f} ms, one looked at "
        f"{looked_at * 1e3:.2f} ms ({looked_at / trained:.2f} of it)\n"
    )
    rows = [json.loads(line) for line in arguments.runs.read_text().splitlines()]
    print("| scheme | predicted (s) | measured (s) | predicted / measured |")
    print("|---|---|---|---|")
    for name in PREDICTED:
        own = [row for row in rows if row["scheme"] == name]
        if not own:
            continue
        predicted = np.median(
            [
                len(split.y) * (row["EE"] * trained + row["passes"] * looked_at)
                for row in own
            ]
        )
        measured = np.median([row["seconds"] for row in own])
        ratio = predicted / measured
        print(f"| {name} | {predicted:.1f} | {measured:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
