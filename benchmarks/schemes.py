"""Time, memory and score of the ways to train: the tables of docs/performance.md.

Every run is a process of its own, and runs are interleaved: each seed goes through all
schemes before the next one begins, so that a machine that gets slower does so for all.
All schemes have the same network, loss, optimiser, number of epochs and learning rate,
which falls to zero along a cosine; "full data, as many gradients" is the control that
takes as many as ERTS did with this seed. Scores are macro-F1 on records that no scheme
has seen, with the network as it is at the end.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from sklearn.metrics import f1_score
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, LRScheduler

from benchmarks.data import DATA, Split
from benchmarks.loops import FullData, InfoBatchLike, Released, SelectiveBackprop
from sk_erts import ERTSClassifier
from sk_erts.models import ResNet1d
from sk_erts.selection import DBPD, SRD, FocusFilter, Rehearsal

FULL, RELEASED, ERTS = "full data", "batch-wise, as released", "ERTS"
MAP, LEAN = "ERTS by the map", "ERTS by the map, lean"
# Chosen for full data: a few hundred records want more steps.
BATCH_SIZE = {"ptbxl": 64, "make_ecg": 64, "cinc2017": 16}
LR = 1e-3
# The papers' filter, and phases near to theirs.
BY_MAP = {
    "confidence_threshold": 0.3,
    "focus": "top_mass",
    "focus_threshold": 0.2,
    "warmup_epochs": (3, 3),
    "revision_epochs": 1,
}
NO_FILTER = BY_MAP | {"focus": None}
CLASSIFIER = {
    FULL: {"data_dropout": None, "focus": None},
    "DBPD": NO_FILTER,
    "SMRD": NO_FILTER | {"data_dropout": "smrd"},
    "SRD (decay 0.9)": NO_FILTER | {"data_dropout": SRD(decay=0.9)},
    ERTS: {},
    MAP: BY_MAP,
    LEAN: BY_MAP
    | {
        "confidence_threshold": 0.25,
        "easy_share": 0.03,
        "warmup_epochs": (1, 2),
        "revision_epochs": 0,
        "looks__revisit_gaps": (4, 8),
        "looks__probe_records": 64,
    },
}
# What the parts are worth: ERTS by the map with one of them changed.
PARTS = {
    f"{MAP}, {what}": BY_MAP | change
    for what, change in {
        "renewed every 128 records": {"looks__renewal_interval": 128},
        "renewed once per epoch": {"looks__renewal_interval": "epoch"},
        "a look in every epoch": {"looks__revisit_gaps": (1,)},
        "looks in float32": {"looks__precision": "float32"},
        "no probes": {"looks__probe_records": 0},
    }.items()
} | {
    f"{MAP}, easy records weigh 1": {
        "selection": Rehearsal(FocusFilter(DBPD(0.3), "top_mass", 0.2), weight=1),
        "warmup_epochs": (3, 3),
        "revision_epochs": 1,
    }
}
LOOPS = {
    "hand-written loop": FullData,
    RELEASED: Released,
    "InfoBatch-like": InfoBatchLike,
    "selective backprop": SelectiveBackprop,
}
SKORCH = "skorch"
FEWER = "full data, as many gradients"
SCHEMES = [
    FULL,
    "hand-written loop",
    SKORCH,
    ERTS,
    FEWER,
    "DBPD",
    "SMRD",
    "SRD (decay 0.9)",
    RELEASED,
    "InfoBatch-like",
    "selective backprop",
    MAP,
    LEAN,
]


class Clock:
    """Tell the time spent in training, scores left out.

    By the clock on the wall or, where other work shares the machine and one thread
    trains, by the processor's, which counts this process alone.
    """

    def __init__(self, split: Split, now: Callable[[], float]) -> None:
        self.split = split
        self.now = now
        self.start = now()
        self.paused = 0.0
        self.curve: list[tuple[float, float]] = []

    def score(self, network: torch.nn.Module) -> None:
        """Note the time, and the macro-F1 on the records set aside."""
        begin = self.now()
        flags = [(part, part.training) for part in network.modules()]
        network.eval()
        with torch.inference_mode():
            predicted = np.concatenate(
                [
                    network(torch.from_numpy(X)).argmax(dim=1).numpy()
                    for X in np.array_split(self.split.X_test, 8)
                ]
            )
        for part, training in flags:
            part.training = training
        f1 = f1_score(self.split.y_test, predicted, average="macro")
        self.curve.append((begin - self.start - self.paused, float(f1)))
        self.paused += self.now() - begin


class AfterEpoch(Callback):
    """Call a function of the network after each epoch."""

    def __init__(self, call) -> None:
        self.call = call

    def on_epoch_end(self, net, **kwargs) -> None:
        self.call(net.module_)


def run(
    name: str,
    split: Split,
    batch_size: int,
    width: int,
    epochs: int,
    seed: int,
    budget: float | None,
    now: Callable[[], float] = time.perf_counter,
) -> dict:
    """Train once, and tell time, cost, memory and score."""
    torch.manual_seed(seed)
    counts = np.bincount(split.y)
    class_weights = (1 - 0.9999) / (1 - 0.9999**counts)
    class_weights = torch.from_numpy(class_weights / class_weights.mean()).float()
    callbacks: list = []
    shape = {"n_leads": split.X.shape[1], "n_classes": len(counts), "width": width}
    n = len(split.y)
    clock = Clock(split, now)
    callbacks.append(("after_epoch", AfterEpoch(lambda module: clock.score(module))))
    if name in LOOPS:
        loop = LOOPS[name](
            torch.from_numpy(split.X),
            torch.from_numpy(split.y),
            class_weights,
            epochs=epochs,
            batch_size=batch_size,
            lr=LR,
            seed=seed,
        )
        network = ResNet1d(**shape)
        loop.fit(network, lambda: clock.score(network))
        ee, passes = loop.n_trained / n, loop.n_scored / n
    elif name == SKORCH:
        NeuralNetClassifier(
            ResNet1d(**shape),
            criterion=torch.nn.CrossEntropyLoss(weight=class_weights),
            optimizer=torch.optim.AdamW,
            lr=LR,
            max_epochs=epochs,
            batch_size=batch_size,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[
                LRScheduler("CosineAnnealingLR", T_max=epochs),
                *callbacks,
            ],
            verbose=0,
        ).fit(split.X, split.y)
        ee, passes = epochs, 0
    else:
        clf = ERTSClassifier(
            module=ResNet1d,
            module__width=width,
            max_epochs=epochs,
            batch_size=batch_size,
            class_weight="effective",
            lr=LR,
            callbacks=callbacks,
            max_effective_epochs=budget if name == FEWER else None,
            random_state=seed,
            verbose=0,
            **(CLASSIFIER | PARTS)[FULL if name == FEWER else name],
        ).fit(split.X, split.y)
        ee, passes = clf.effective_epochs_, clf.scoring_passes_
    seconds = now() - clock.start - clock.paused
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {
        "scheme": name,
        "seed": seed,
        "f1": clock.curve[-1][1],
        "EE": ee,
        "passes": passes,
        "seconds": seconds,
        "MB": peak,
        "curve": clock.curve,
    }


def in_child(n_threads: int, *arguments) -> dict:
    """Run in a new process, so that memory is this run's own."""
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)

    def work() -> None:
        torch.set_num_threads(n_threads)
        warm_up()
        send.send(run(*arguments))

    child = fork.Process(target=work)
    child.start()
    result = receive.recv()
    child.join()
    return result


def warm_up() -> None:
    """Take a step, so that what torch imports at the first one is in no run's time."""
    layer = torch.nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 1)).sum().backward()
    optimizer.step()


def interval(values: np.ndarray) -> str:
    """Return the mean and its 95 % interval."""
    if len(values) < 2 or not np.ptp(values):
        return f"{values.mean():+.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{values.mean():+.3f} ± {half:.3f}"


def table(rows: list[dict]) -> str:
    """Return a Markdown table with a row per scheme; differences are within seeds."""
    runs: dict[str, dict[int, dict]] = {}
    for row in rows:
        runs.setdefault(row["scheme"], {})[row["seed"]] = row

    def values(name: str, key: str, seeds) -> np.ndarray:
        return np.array([runs[name][seed][key] for seed in seeds])

    def against(name: str, other: str) -> str:
        if other not in runs or name == other:
            return ""
        both = sorted(runs[name].keys() & runs[other].keys())
        return interval(values(name, "f1", both) - values(other, "f1", both))

    goal = values(FULL, "f1", runs[FULL]).mean()
    lines = [
        "| scheme | seeds | macro-F1 | against full data | against released | EE "
        "| passes | time (s) | time / full | share of the limit | s to full's F1 "
        "| peak (MB) |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, by_seed in runs.items():
        seeds = sorted(by_seed.keys() & runs[FULL].keys())
        f1, ee, passes, seconds, memory = (
            values(name, key, seeds) for key in ("f1", "EE", "passes", "seconds", "MB")
        )
        ratio = np.median(seconds / values(FULL, "seconds", seeds))
        limit = np.median(ee / values(FULL, "EE", seeds)) / ratio
        reached = [
            next((t for t, value in by_seed[seed]["curve"] if value >= goal), np.inf)
            for seed in seeds
        ]
        first = np.median(reached)
        lines.append(
            f"| {name} | {len(seeds)} "
            f"| {f1.mean():.3f} ± {f1.std(ddof=len(f1) > 1):.3f} "
            f"| {against(name, FULL)} | {against(name, RELEASED)} "
            f"| {ee.mean():.1f} | {passes.mean():.1f} "
            f"| {np.median(seconds):.1f} ({seconds.min():.1f}-{seconds.max():.1f}) "
            f"| {ratio:.2f} | {limit:.2f} "
            f"| {f'{first:.0f}' if np.isfinite(first) else 'not'} "
            f"| {np.median(memory):.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=DATA, default="ptbxl")
    parser.add_argument("--folder", type=Path, default=Path("."), help="of all data")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="with --threads 1 on a busy machine",
    )
    parser.add_argument(
        "--schemes", nargs="*", choices=[*SCHEMES, *PARTS], default=SCHEMES
    )
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    parser.add_argument("--tabulate", type=Path, help="only show runs written there")
    arguments = parser.parse_args()
    if arguments.tabulate:
        lines = arguments.tabulate.read_text().splitlines()
        print(table([json.loads(line) for line in lines]))
        return
    split = DATA[arguments.data](arguments.folder)
    rows = []
    now = time.process_time if arguments.processor_time else time.perf_counter
    first = arguments.first_seed
    for seed in range(first, first + arguments.seeds):
        spent = arguments.epochs / 4  # of ERTS, if it is not among the schemes
        for name in arguments.schemes:
            row = in_child(
                arguments.threads,
                name,
                split,
                BATCH_SIZE[arguments.data],
                arguments.width,
                arguments.epochs,
                seed,
                spent,
                now,
            )
            rows.append(row)
            if name == ERTS:
                spent = row["EE"]
            figures = {key: row[key] for key in ("f1", "EE", "passes", "seconds")}
            print(f"seed {seed}, {name}: {figures}", file=sys.stderr, flush=True)
            if arguments.runs:
                with arguments.runs.open("a") as file:
                    print(json.dumps(row), file=file)
    print(
        f"\n{arguments.data}: {len(split.y)} records to train on, {len(split.y_test)} "
        f"to score on; width {arguments.width}, {arguments.epochs} epochs, batches of "
        f"{BATCH_SIZE[arguments.data]}, {arguments.seeds} seeds, "
        f"{arguments.threads} threads\n"
    )
    print(table(rows))


if __name__ == "__main__":
    main()
