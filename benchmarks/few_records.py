"""Few records, or a rare class: does the default hurt there.

``python -m benchmarks.few_records [--data ptbxl --folder <data>]`` trains on parts
of a training set, with ``--rare`` on one with classes of 85, 6, 6 and 3 %, with paired
seeds, and prints a table: the default, full data for as many epochs, and full data for
as many gradients as the default took with this seed, which is the control. By
``--schemes`` also each at a constant rate, the default without its guard, and parts of
it; with ``--budget 10`` all spend as many effective epochs, and the control is full
data. Scores
are of records that nobody trained on; differences are within seeds, with their 95 %
interval.
"""

from __future__ import annotations

import argparse
import json
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
from sk_erts.selection import InfoBatch

FULL = {"data_dropout": None, "focus": None}
CONSTANT = {"lr_schedule": "constant"}
DEFAULT, LONG, CONTROL = "default", "full data", "full data, as many gradients"
SCHEMES = {
    DEFAULT: {},
    CONTROL: FULL,
    LONG: FULL,
    "default, the last epochs on all data": {"revision_epochs": 3},
    "default, constant rate": CONSTANT,
    "default, constant rate, judged from the fifth epoch on": CONSTANT
    | {"looks__first_step": 0},
    "full data, constant rate": FULL | CONSTANT,
    "data dropout alone": {"focus": None},
    "a fifth of the easy rehearsed": {"easy_share": 0.2},
    "InfoBatch": {"selection": InfoBatch()},
}
# So many that the budget, and not the number of passes, ends a training.
MANY_EPOCHS = 200
KEYS = ("records", "scheme", "seed")
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


def run(
    split: Split, scheme: str, epochs: int, seed: int, budget: float | None = None
) -> dict[str, float]:
    """Train once, and score."""
    clf = ERTSClassifier(
        ResNet1d,
        module__width=8,
        max_epochs=epochs,
        max_effective_epochs=budget,
        random_state=seed,
        verbose=0,
        **SCHEMES[scheme],
    ).fit(split.X, split.y)
    proba = clf.predict_proba(split.X_test)
    predicted = clf.classes_[proba.argmax(axis=1)]
    hits = predicted == split.y_test
    binary = proba[:, 1] if proba.shape[1] == 2 else proba
    return {
        "macro-F1": f1_score(split.y_test, predicted, average="macro"),
        "macro-AUC": roc_auc_score(split.y_test, binary, multi_class="ovr"),
        "rarest": float(hits[split.y_test == np.bincount(split.y).argmin()].mean()),
        "EE": clf.effective_epochs_,
    }


def read(path: Path | None, data: str, epochs: int) -> dict[tuple, dict[str, float]]:
    """Return the runs of a file that were made with these settings."""
    if path is None or not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    wanted = {"data": data, "epochs": epochs}
    return {
        tuple(row[key] for key in KEYS): row
        for row in rows
        if wanted.items() <= row.items()
    }


def rows_of(name: str, found: dict[str, list[dict[str, float]]]) -> str:
    """Return a row for each scheme."""
    lines = []
    control = next(each for each in (CONTROL, LONG, *found) if each in found)
    for scheme, runs in found.items():
        cells = []
        for key in ("macro-F1", "macro-AUC", "rarest"):
            values, base = (
                np.array([run[key] for run in found[which]])
                for which in (scheme, control)
            )
            told = "" if scheme == control else f" ({interval(values - base)})"
            cells.append(f"{values.mean():.3f}{told}")
        ee = np.mean([run["EE"] for run in runs])
        lines.append(f"| {name} | {scheme} | {' | '.join(cells)} | {ee:.1f} |")
    return "\n".join(lines)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("../shared/data"))
    parser.add_argument("--data", choices=["small", *DATA], default="small")
    parser.add_argument("--records", type=int, nargs="*", default=[60, 100, 240, 500])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rare", action="store_true", help="the rare class instead")
    parser.add_argument(
        "--schemes", nargs="*", choices=SCHEMES, default=[DEFAULT, CONTROL, LONG]
    )
    parser.add_argument("--budget", type=float, help="effective epochs of each scheme")
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| records | scheme | macro-F1 (to the control) | macro-AUC (to the control) "
        "| recall of the rarest (to the control) | EE |"
    )
    print("|---|---|---|---|---|---|")
    drawn = options.rare or options.data == "small"
    whole = None if drawn else DATA[options.data](options.folder)
    data = "rare" if options.rare else options.data
    if options.budget:
        options.epochs, data = MANY_EPOCHS, f"{data}, EE {options.budget:g}"
    known = read(options.runs, data, options.epochs)
    first = options.first_seed
    for n in [500] if options.rare else options.records:
        found: dict[str, list[dict[str, float]]] = {}
        for seed in range(first, first + options.seeds):
            if whole is not None:
                split = part(whole, n, seed)
            else:
                split = rare(seed) if options.rare else small(n, seed)
            as_many = options.epochs
            for scheme in options.schemes:
                epochs = as_many if scheme == CONTROL else options.epochs
                key = (len(split.y), scheme, seed)
                row = known.get(key)
                if row is None or (scheme == CONTROL and row["EE"] != as_many):
                    row = run(split, scheme, epochs, seed, options.budget)
                    known.pop(key, None)
                found.setdefault(scheme, []).append(row)
                if scheme == DEFAULT:
                    as_many = round(row["EE"])
                if options.runs and key not in known:
                    told = dict(zip(KEYS, key, strict=True))
                    told |= {"data": data, "epochs": options.epochs}
                    with options.runs.open("a") as file:
                        print(json.dumps(told | row), file=file)
        name = f"{len(split.y)}{', one class rare' if options.rare else ''}"
        print(rows_of(name, found), flush=True)


if __name__ == "__main__":
    main()
