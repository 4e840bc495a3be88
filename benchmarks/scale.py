"""What is kept of a record and done for it in an epoch, without a network.

Ledger, sampler and policy work as in a training: a first epoch on all records, then
epochs in which records are looked at when they are due, judged, and some are trained.
Scores are drawn at random. Per number of records one process, and a table of bytes per
record and of seconds per epoch: for shuffling, choosing (what is due, what the policy
says, what is written of it), writing down what looks and steps said, and closing the
page of the epoch.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np

from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.selection import (
    DBPD,
    FocusFilter,
    KeepAll,
    Ledger,
    Rehearsal,
    Scores,
    SelectionSampler,
    takes_gradient,
)

N_CLASSES = 5
BATCH_SIZE = 64
INTERVAL = 512
GAPS = (2, 4, 8)


class Clock:
    """Add up seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[what] += time.perf_counter() - start


class TimedShuffles:
    """A generator whose permutations are timed."""

    def __init__(self, rng: np.random.Generator, clock: Clock) -> None:
        self.rng = rng
        self.clock = clock

    def permutation(self, n: int) -> IntArray:
        with self.clock.on("shuffle"):
            return self.rng.permutation(n)


def simulate(n: int, n_epochs: int) -> dict[str, float]:
    """Return bytes per record, and seconds of the last epoch."""
    rng = np.random.default_rng(0)
    before = peak_bytes()
    strata = rng.integers(N_CLASSES, size=n, dtype=np.int64)
    ledger = Ledger(n, GAPS, N_CLASSES)
    known = ledger.nbytes
    for epoch in range(n_epochs):
        told = an_epoch(epoch, ledger, strata, rng)
    page = (ledger.nbytes - known) / max(1, n_epochs - 1)
    return {
        "bytes": known / n,
        "page": page / n,
        "peak": (peak_bytes() - before) / n,
        **told,
    }


def an_epoch(
    epoch: int, ledger: Ledger, strata: IntArray, rng: np.random.Generator
) -> dict[str, float]:
    """Let an epoch pass; return seconds, and what was trained and looked at."""
    n, clock = len(strata), Clock()
    policy = FocusFilter(Rehearsal(DBPD(0.3)), threshold=0.2) if epoch else KeepAll()
    n_due = n_trained = 0

    def measured(name: str, index: IntArray, which: IntArray) -> FloatArray:
        nonlocal n_due
        records = index[which]
        with clock.on("choose"):
            due = records[ledger.due(name, records, epoch)]
        n_due += len(due)
        if len(due):
            found = drawn(due)
            found["focus"] = found["confidence"]
            with clock.on("write looks"):
                ledger.note(due, found, until=epoch)
        return ledger.scores(name, records)

    def choose(index: IntArray) -> IntArray:
        start, elsewhere = time.perf_counter(), sum(clock.seconds.values())
        asked = {name: partial(measured, name, index) for name in policy.reads}
        status = policy.select(Scores(strata[index], max(epoch, 1), **asked), rng)
        ledger.judge(index, status, policy.reads)
        elsewhere = sum(clock.seconds.values()) - elsewhere
        clock.seconds["choose"] += time.perf_counter() - start - elsewhere
        return index[takes_gradient(status)]

    start = time.perf_counter()
    with clock.on("close page"):
        ledger.open_epoch(epoch)
    shuffles = TimedShuffles(rng, clock)
    for batch in SelectionSampler(n, BATCH_SIZE, INTERVAL, shuffles, choose):
        n_trained += len(batch)
        found = drawn(batch)
        with clock.on("write looks"):
            ledger.note(batch, found, until=epoch + 1)
    seconds = time.perf_counter() - start
    shares = {"trained": n_trained / n, "looked": n_due / n}
    return shares | {"epoch": seconds} | clock.seconds


def drawn(index: IntArray) -> dict[str, FloatArray]:
    """Return scores: those of a record are always the same, and evenly spread."""
    confidence = (index * 0.6180339887 % 1).astype(np.float32)
    proba = np.full((len(index), N_CLASSES), 1 / N_CLASSES, dtype=np.float32)
    return {"proba": proba, "confidence": confidence}


def peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, nargs="+", default=[10**6, 10**7, 10**8])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(simulate(options.records[0], options.epochs)))
        return
    columns = (
        *("bytes", "page", "peak", "trained", "looked"),
        *("epoch", "shuffle", "choose", "write looks", "close page"),
    )
    print(f"| records | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for n in options.records:
        command = [sys.executable, "-m", "benchmarks.scale", "--alone"]
        command += ["--records", str(n), "--epochs", str(options.epochs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        row = [f"{told.get(name, 0.0):.2f}" for name in columns]
        print(f"| {n:,} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
