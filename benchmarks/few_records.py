"""Few records, or a rare class: does the default hurt there.

``python -m benchmarks.few_records [--data ptbxl --folder <data>]`` trains on parts
of a training set, with ``--rare`` on one with classes of 85, 6, 6 and 3 %, with paired
seeds, and prints a table: full data and the default, at a constant rate and at one that
falls along a cosine, and the default without its guard. Scores are of records that
nobody trained on; differences are within seeds, with their 95 % interval.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import train_test_split

from benchmarks.data import DATA, Split
from benchmarks.schemes import interval
from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import ResNet1d

FULL = {"data_dropout": None, "focus": None}
CONSTANT = {"lr_schedule": "constant"}
SCHEMES = {
    "full data": FULL,
    "full data, constant rate": FULL | CONSTANT,
    "default": {},
    "default, constant rate": CONSTANT,
    "default, constant rate, judged from the fifth epoch on": CONSTANT
    | {"looks__first_step": 0},
}
CLASSES = ("NORM", "BBB", "PVC", "AFIB", "STE")
RARE = {"NORM": 425, "BBB": 30, "PVC": 30, "STE": 15}


def rare(seed: int) -> Split:
    """500 records of which the rarest class has 15, and as many of each to score on."""

    def of(counts: dict[str, int], state: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = {"n_leads": 2, "duration_s": 5, "noise": 0.3, "random_state": state}
        X, y = make_ecg(5 * max(counts.values()), classes=tuple(counts), **drawn)
        rows = [np.flatnonzero(y == name)[:n] for name, n in counts.items()]
        kept = np.random.default_rng(state).permutation(np.concatenate(rows))
        return X[kept], np.searchsorted(sorted(counts), y[kept])

    return Split(*of(RARE, seed), *of(dict.fromkeys(RARE, 100), 500 + seed))


def small(n: int, seed: int) -> Split:
    """Five classes of noisy records, two leads of five seconds."""
    kinds = {"n_leads": 2, "duration_s": 5, "classes": CLASSES, "noise": 0.3}
    X, y = make_ecg(n, random_state=seed, **kinds)
    X_test, y_test = make_ecg(400, random_state=1000 + seed, **kinds)
    names = sorted(CLASSES)
    return Split(X, np.searchsorted(names, y), X_test, np.searchsorted(names, y_test))


def part(split: Split, n: int, seed: int) -> Split:
    """Draw some of the training records, in the proportions of the classes."""
    if n >= len(split.y):
        return split
    X, _, y, _ = train_test_split(
        split.X, split.y, train_size=n, stratify=split.y, random_state=seed
    )
    return Split(X, y, split.X_test, split.y_test)


def run(split: Split, scheme: str, epochs: int, seed: int) -> dict[str, float]:
    """Train once, and score."""
    clf = ERTSClassifier(
        ResNet1d,
        module__width=8,
        max_epochs=epochs,
        random_state=seed,
        verbose=0,
        **SCHEMES[scheme],
    ).fit(split.X, split.y)
    proba = clf.predict_proba(split.X_test)
    recalls = clf.predict(split.X_test) == split.y_test
    rarest = np.bincount(split.y).argmin()
    binary = proba[:, 1] if proba.shape[1] == 2 else proba
    return {
        "macro-F1": f1_score(split.y_test, clf.predict(split.X_test), average="macro"),
        "macro-AUC": roc_auc_score(split.y_test, binary, multi_class="ovr"),
        "recall of the rarest": float(recalls[split.y_test == rarest].mean()),
        "EE": clf.effective_epochs_,
    }


def report(name: str, found: dict[str, list[dict[str, float]]]) -> None:
    """Print a row for each scheme."""
    base = np.array([row["macro-F1"] for row in found["full data"]])
    for scheme, rows in found.items():
        means = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
        difference = np.array([row["macro-F1"] for row in rows]) - base
        cells = [f"{means[key]:.3f}" for key in list(means)[:3]]
        told = "" if scheme == "full data" else interval(difference)
        print(
            f"| {name} | {scheme} | {' | '.join(cells)} | {told} | {means['EE']:.1f} |"
        )
    print(end="", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("../shared/data"))
    parser.add_argument("--data", choices=["small", *DATA], default="small")
    parser.add_argument("--records", type=int, nargs="*", default=[60, 100, 240, 500])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rare", action="store_true", help="the rare class instead")
    options = parser.parse_args()
    print(
        "| records | scheme | macro-F1 | macro-AUC | recall of the rarest | "
        "difference in macro-F1 to full data | EE |"
    )
    print("|---|---|---|---|---|---|---|")
    drawn = options.rare or options.data == "small"
    whole = None if drawn else DATA[options.data](options.folder)
    for n in [500] if options.rare else options.records:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in SCHEMES}
        for seed in range(options.seeds):
            if whole is not None:
                split = part(whole, n, seed)
            else:
                split = rare(seed) if options.rare else small(n, seed)
            for scheme in SCHEMES:
                found[scheme].append(run(split, scheme, options.epochs, seed))
        report(f"{n}{', one class rare' if options.rare else ''}", found)


if __name__ == "__main__":
    main()
