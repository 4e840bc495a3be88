"""Whether putting records aside helps where the training set is bad: paired runs.

The training part of PTB-XL (one superclass per record) is used as it is, with wrong
labels put in, or with damaged signals; the records to score on stay clean. Every seed
goes through all schemes, with the same damage, network, loss, optimiser and epochs.
Differences are within seeds, with 95 % intervals by Student's t.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score
from skorch.callbacks import LRScheduler

from benchmarks.data import Split, ptbxl
from benchmarks.schemes import GAMMA, LR, interval
from sk_erts import ERTSClassifier
from sk_erts.selection import (
    DBPD,
    HardnessFilter,
    InfoBatch,
    Policy,
    RandomFilter,
    Rehearsal,
    SelectiveBackprop,
)

FULL, DROPOUT = "full data", "DBPD"


def rehearsed(policy: Policy) -> dict:
    """Return parameters that train easy records as the classifier does by default."""
    return {"selection": Rehearsal(policy, 0.05, 5)}


SCHEMES = {
    FULL: lambda: {"data_dropout": None, "focus": None},
    DROPOUT: lambda: {"focus": None},
    "aside: least focused (top_mass)": dict,
    "aside: weakest evidence (strength)": lambda: {"focus": "strength"},
    "aside: most against (positive_share)": lambda: {"focus": "positive_share"},
    "aside: by a gap of top_mass (auto)": lambda: {"focus_threshold": "auto"},
    "aside: at random": lambda: rehearsed(RandomFilter(DBPD(0.3))),
    "aside: the hardest": lambda: rehearsed(HardnessFilter(DBPD(0.3))),
    "InfoBatch": lambda: {"selection": InfoBatch()},
    "selective backprop": lambda: {"selection": SelectiveBackprop()},
}


def wrong_labels(split: Split, rng: np.random.Generator) -> tuple:
    """Return the training part with a tenth of the labels drawn among the others."""
    y = split.y.copy()
    n_classes = y.max() + 1
    rows = rng.permutation(len(y))[: len(y) // 10]
    y[rows] = (y[rows] + rng.integers(1, n_classes, len(rows))) % n_classes
    return split.X, y


def damaged(split: Split, rng: np.random.Generator) -> tuple:
    """Return it with a fifth under noise, with swings, or without half the leads."""
    X = split.X.copy()
    rows = rng.permutation(len(X))[: len(X) // 5]
    noisy, swinging, lost = np.array_split(rows, 3)
    X[noisy] += rng.normal(scale=0.3, size=X[noisy].shape)
    t = np.arange(X.shape[2]) / 100
    begin = rng.uniform(0, 8, (len(swinging), X.shape[1], 1))
    swing = np.where(t > begin, np.exp(begin - t) * np.cos(3 * np.pi * (t - begin)), 0)
    X[swinging] += rng.uniform(1, 3, (len(swinging), X.shape[1], 1)) * swing
    for row in lost:
        X[row, rng.permutation(X.shape[1])[: X.shape[1] // 2]] = 0
    return X, split.y


def clean(split: Split, rng: np.random.Generator) -> tuple:
    """Return the training part as it is."""
    return split.X, split.y


SETS = {"10 % wrong labels": wrong_labels, "20 % damaged": damaged, "clean": clean}


def run(split: Split, damage: str, name: str, args, seed: int) -> dict:
    X, y = SETS[damage](split, np.random.default_rng(seed))
    clf = ERTSClassifier(
        module__width=args.width,
        max_epochs=args.epochs,
        class_weight="effective",
        lr=LR,
        callbacks=[LRScheduler("ExponentialLR", gamma=GAMMA)],
        random_state=seed,
        verbose=0,
        **SCHEMES[name](),
    ).fit(X, y)
    f1 = f1_score(split.y_test, clf.predict(split.X_test), average="macro")
    return {
        "set": damage,
        "scheme": name,
        "seed": seed,
        "f1": float(f1),
        "EE": clf.effective_epochs_,
    }


def table(rows: list[dict], damage: str) -> str:
    """Return a Markdown table of one training set."""
    found = {
        name: {row["seed"]: row for row in rows if row["scheme"] == name}
        for name in dict.fromkeys(row["scheme"] for row in rows)
    }
    lines = [
        f"| {damage} | macro-F1 | against full data | against DBPD | EE |",
        "|---|---|---|---|---|",
    ]
    for name, by_seed in found.items():
        f1 = np.array([row["f1"] for row in by_seed.values()])
        ee = np.mean([row["EE"] for row in by_seed.values()])
        against = []
        for other in (FULL, DROPOUT):
            both = sorted(by_seed.keys() & found.get(other, {}).keys())
            gaps = [by_seed[k]["f1"] - found[other][k]["f1"] for k in both]
            against.append("" if name == other else interval(np.array(gaps)))
        lines.append(
            f"| {name} | {f1.mean():.3f} ± {f1.std(ddof=len(f1) > 1):.3f} | "
            f"{' | '.join(against)} | {ee:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    args = parser.parse_args()
    split = ptbxl(args.folder)
    rows = []
    for seed in range(args.seeds):
        for damage in args.sets:
            for name in args.schemes:
                rows.append(run(split, damage, name, args, seed))
                print(rows[-1], file=sys.stderr, flush=True)
                if args.runs:
                    with args.runs.open("a") as file:
                        print(json.dumps(rows[-1]), file=file)
    for damage in args.sets:
        print(f"\n{table([row for row in rows if row['set'] == damage], damage)}")


if __name__ == "__main__":
    main()
