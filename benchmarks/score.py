"""PTB-XL's superclasses, several labels per record: what ten minutes reach.

``python -m benchmarks.score <folder of PTB-XL>`` trains on all folds but the last two
of the folder (8 and 9 of the sample, 9 and 10 of the whole), with steps on crops of
five seconds and a learning rate that falls to zero as the gradients are spent. The last
fold is scored: macro-AUC, and macro-F1 at 0.5 and at thresholds that are the best on
the last fold but one. All schemes spend the same gradients; differences to full data
are within seeds, with 95 % intervals by Student's t.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score

from benchmarks.schemes import interval
from sk_erts import ERTSClassifier
from sk_erts.augmentation import RandomCrop
from sk_erts.datasets import load_ptbxl
from sk_erts.selection import InfoBatch

FULL = "full data"
SCHEMES = {
    FULL: {"data_dropout": None, "focus": None},
    "InfoBatch": {"selection": InfoBatch()},
    "as it comes": {},
    "put aside": {"doubt": "drop"},
}
SCHEMES |= {
    f"{name}, bfloat16": SCHEMES[name] | {"steps__precision": "bfloat16"}
    for name in (FULL, "as it comes")
}
METRICS = {
    "auc": "macro-AUC",
    "f1": "macro-F1 at 0.5",
    "f1_tuned": "macro-F1 at tuned thresholds",
}


def best_thresholds(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Return the threshold of each label with the highest F1."""
    found = []
    for own, p in zip(y.T, proba.T, strict=True):
        precision, recall, thresholds = precision_recall_curve(own, p)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
        found.append(thresholds[f1[:-1].argmax()])
    return np.array(found)


def parts(folds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which records train, which choose thresholds, and which are scored."""
    *_, tuned, scored = np.unique(folds)
    return folds < tuned, folds == tuned, folds == scored


def trained(
    X: np.ndarray, y: np.ndarray, seed: int, lr: float, args, **parameters
) -> ERTSClassifier:
    """Spend the budget on crops, of five seconds unless told otherwise."""
    given = {"max_epochs": 200, "augment": RandomCrop(0.5)} | parameters
    return ERTSClassifier(
        max_effective_epochs=args.budget,
        lr=lr,
        lr_schedule=args.schedule,
        random_state=seed,
        verbose=0,
        **given,
    ).fit(X, y)


def f1_scores(
    y: np.ndarray, proba: np.ndarray, thresholds: np.ndarray
) -> dict[str, float]:
    """Return macro-F1 at 0.5 and at thresholds that were chosen elsewhere."""
    return {
        "f1": f1_score(y, proba > 0.5, average="macro", zero_division=0),
        "f1_tuned": f1_score(y, proba >= thresholds, average="macro", zero_division=0),
    }


def run(dataset, scheme: str, seed: int, args: argparse.Namespace) -> dict:
    """Train once, and score the last fold."""
    X, y = dataset.data, np.asarray(dataset.target)
    train, validation, test = parts(dataset.folds)
    clf = trained(
        X[train],
        y[train],
        seed,
        args.lr,
        args,
        module__width=args.width,
        **SCHEMES[scheme],
    )
    proba = clf.predict_proba(X[test])
    tuned_at = best_thresholds(y[validation], clf.predict_proba(X[validation]))
    row = {
        "records": int(train.sum()),
        "scheme": scheme,
        "seed": seed,
        "auc": roc_auc_score(y[test], proba, average="macro"),
        **f1_scores(y[test], proba, tuned_at),
        "EE": clf.effective_epochs_,
        "minutes": clf.fit_time_s_ / 60,
    }
    return row | {"width": args.width, "budget": args.budget, "lr": args.lr}


def table(rows: list[dict]) -> str:
    """Return a Markdown table, differences to full data beside the means."""
    heads = " | ".join(f"{name} | to {FULL}" for name in METRICS.values())
    lines = [f"| scheme | {heads} | EE | minutes |", "|---" * 9 + "|"]
    full = {row["seed"]: row for row in rows if row["scheme"] == FULL}
    for scheme in dict.fromkeys(row["scheme"] for row in rows):
        own = {row["seed"]: row for row in rows if row["scheme"] == scheme}
        seeds = sorted(own.keys() & full.keys())
        cells = []
        for key in METRICS:
            mean = np.mean([own[seed][key] for seed in seeds])
            gap = np.array([own[seed][key] - full[seed][key] for seed in seeds])
            beside = "" if scheme == FULL or len(gap) < 2 else interval(gap)
            cells.append(f"{mean:.3f} | {beside}")
        ee = np.mean([row["EE"] for row in own.values()])
        minutes = np.median([row["minutes"] for row in own.values()])
        lines.append(f"| {scheme} | {' | '.join(cells)} | {ee:.1f} | {minutes:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds ptbxl_database.csv")
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--seeds", type=int, nargs="*", default=range(3))
    parser.add_argument("--budget", type=float, default=10, help="effective epochs")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--schedule", default="one-cycle")
    parser.add_argument("--threads", type=int, help="of torch")
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    dataset = load_ptbxl(args.folder, task="superclass")
    rows = []
    for seed in args.seeds:
        for scheme in args.schemes:
            rows.append(run(dataset, scheme, seed, args))
            print(rows[-1], file=sys.stderr, flush=True)
            if args.runs:
                with args.runs.open("a") as file:
                    print(json.dumps(rows[-1]), file=file)
    print(table(rows))


if __name__ == "__main__":
    main()
