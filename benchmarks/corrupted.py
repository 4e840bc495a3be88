"""Whether putting records aside helps where the training set is bad: paired runs.

Records are divided in three parts. A network is trained on two of them, with the labels
or signals as they are or made worse, and scored on the third, which stays clean; the
macro-F1 is that of the three times together. Every seed goes through all schemes with
the same damage, network, loss, optimiser and epochs; `benchmarks.where_it_pays` holds
wrong labels against full data for as many gradients. Differences are within seeds, with
95 % intervals by Student's t.

"aside: reliability" and its controls were chosen on seeds 0 and 1 of PTB-XL; the tables
are of seeds from 2 on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.schemes import BY_MAP, LR, NO_FILTER, interval
from sk_erts import ERTSClassifier
from sk_erts.datasets import STANDARD_LEADS, load_cinc2017, load_ptbxl, make_ecg
from sk_erts.quality import SignalQuality
from sk_erts.selection import (
    DBPD,
    HardnessFilter,
    InfoBatch,
    Policy,
    RandomFilter,
    Rehearsal,
    Reliability,
    SelectiveBackprop,
    Status,
)

N_PARTS = 3
FULL, DROPOUT, ORACLE = "full data", "DBPD", "full data without the bad records"
BATCH_SIZE = {"ptbxl": 64, "make_ecg": 64, "cinc2017": 16}
# Of the schemes that have no filter to wait for.
PHASES = {"warmup_epochs": 3, "revision_epochs": 1}
Scheme = Callable[[], dict]


@dataclass(frozen=True)
class Data:
    """Records (n, n_leads, n_times) in mV at 100 Hz, class codes, and their parts."""

    X: np.ndarray
    y: np.ndarray
    part: np.ndarray
    similar: np.ndarray | None = None
    lead_names: tuple[str, ...] | None = None


def ptbxl(folder: Path) -> Data:
    """Return the records with one superclass; parts are folds 1-3, 4-6 and 7-9."""
    dataset = load_ptbxl(folder / "ptbxl", folds=range(1, 10), single_label=True)
    classes, y = np.unique(dataset.target, return_inverse=True)
    # What a cross-validated network takes each for most often (wrong_labels.py).
    rival = {"CD": "STTC", "HYP": "NORM", "MI": "STTC", "NORM": "STTC", "STTC": "MI"}
    similar = np.searchsorted(classes, [rival[name] for name in classes])
    part = (dataset.folds - 1) // 3
    return Data(dataset.data, y, part, similar, STANDARD_LEADS)


def cinc2017(folder: Path) -> Data:
    """Return rhythms of one lead at 100 Hz: 10 s, repeated where shorter."""
    dataset = load_cinc2017(folder / "cinc2017")
    X = np.empty((len(dataset.data), 1, 1000), dtype=np.float32)
    for row, record in zip(X, dataset.data, strict=True):
        row[0] = np.resize(resample_poly(record[0], 100, dataset.fs), 1000)
    return _divided(X, dataset.target)


def synthetic(folder: Path) -> Data:
    """Return make_ecg with noise on the signals; all labels are right."""
    return _divided(*make_ecg(1500, noise=0.2, random_state=0))


def _divided(X: np.ndarray, labels: np.ndarray) -> Data:
    y = np.unique(labels, return_inverse=True)[1]
    part = np.empty(len(y), dtype=int)
    folds = StratifiedKFold(N_PARTS, shuffle=True, random_state=0)
    for k, (_, test) in enumerate(folds.split(X, y)):
        part[test] = k
    return Data(X, y, part)


DATA = {"ptbxl": ptbxl, "cinc2017": cinc2017, "make_ecg": synthetic}


def after_warmup(policy: Policy) -> dict:
    """Return parameters by which a filter sets in at once, and nothing comes back."""
    return {
        "selection": Rehearsal(policy, 0.05, 5),
        "warmup_epochs": 4,
        "revision_epochs": 0,
    }


def by_reliability(focus="reliability", threshold=0.5, tau=0.7) -> dict:
    """Return what was the default when these were chosen, with one thing changed."""
    return {
        "focus": focus,
        "doubt": "drop",
        "focus_threshold": threshold,
        "confidence_threshold": tau,
        "warmup_epochs": 4,
        "revision_epochs": 0,
    }


def schemes(data: Data) -> dict[str, Scheme]:
    """Return the parameters of each way to train."""
    quality = SignalQuality(100, lead_names=data.lead_names)
    return {
        FULL: lambda: {"data_dropout": None, "focus": None},
        DROPOUT: lambda: NO_FILTER,
        "DBPD, threshold 0.7": lambda: after_warmup(DBPD(0.7)),
        "aside: reliability": by_reliability,
        "aside: reliability, tau 0.5": lambda: by_reliability(tau=0.5),
        "aside: reliability, auto": lambda: by_reliability(threshold="auto"),
        "aside: reliability, signal too": lambda: by_reliability(Reliability(quality)),
        "aside: signal quality": lambda: by_reliability(Reliability(quality, False)),
        "aside: the hardest": lambda: after_warmup(HardnessFilter(DBPD(0.7), 0.5)),
        "aside: at random": lambda: after_warmup(RandomFilter(DBPD(0.7), 0.5)),
        "aside: top_mass, as in the paper": lambda: BY_MAP,
        "aside: top_mass, by a gap": lambda: BY_MAP | {"focus_threshold": "auto"},
        "aside: positive_share": lambda: BY_MAP | {"focus": "positive_share"},
        "InfoBatch": lambda: {"selection": InfoBatch(), **PHASES},
        "selective backprop": lambda: {"selection": SelectiveBackprop(), **PHASES},
        ORACLE: lambda: {"data_dropout": None, "focus": None},
    }


def clean(X, y, similar, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return records as they are."""
    return X, y


def wrong_labels(X, y, similar, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return a tenth of the labels drawn among the others."""
    y, n_classes = y.copy(), y.max() + 1
    rows = rng.permutation(len(y))[: len(y) // 10]
    y[rows] = (y[rows] + rng.integers(1, n_classes, len(rows))) % n_classes
    return X, y


def similar_labels(X, y, similar, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return a tenth of the labels as the class that looks most like the right one."""
    y = y.copy()
    rows = rng.permutation(len(y))[: len(y) // 10]
    y[rows] = similar[y[rows]]
    return X, y


def damaged(X, y, similar, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return a fifth under noise, with swings, or without half the leads."""
    X = X.copy()
    rows = rng.permutation(len(X))[: len(X) // 5]
    noisy, swinging, lost = np.array_split(rows, 3)
    X[noisy] += rng.normal(scale=0.3, size=X[noisy].shape)
    t = np.arange(X.shape[2]) / 100
    begin = rng.uniform(0, 8, (len(swinging), X.shape[1], 1))
    swing = np.where(t > begin, np.exp(begin - t) * np.cos(3 * np.pi * (t - begin)), 0)
    X[swinging] += rng.uniform(1, 3, (len(swinging), X.shape[1], 1)) * swing
    for row in lost:
        X[row, rng.permutation(X.shape[1])[: -(-X.shape[1] // 2)]] = 0
    return X, y


def ruined(X, y, similar, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return a fifth in which nothing is left of the heart: noise alone."""
    X = X.copy()
    rows = rng.permutation(len(X))[: len(X) // 5]
    X[rows] = rng.normal(scale=0.3, size=X[rows].shape)
    return X, y


SETS = {
    "clean": clean,
    "10 % wrong labels": wrong_labels,
    "10 % wrong labels, similar": similar_labels,
    "20 % damaged": damaged,
    "20 % replaced by noise": ruined,
}


def run(data: Data, damage: str, name: str, args, seed: int) -> dict:
    """Train on each two parts, score on the third."""
    predicted = np.empty_like(data.y)
    ee, passes = 0.0, 0.0
    n_looks, n_aside, n_bad_aside, n_bad_found, n_bad = 0, 0, 0, 0, 0
    for part in range(N_PARTS):
        train = np.flatnonzero(data.part != part)
        rng = np.random.default_rng([seed, part])
        X, y = SETS[damage](data.X[train], data.y[train], data.similar, rng)
        bad = (y != data.y[train]) | (data.X[train] != X).any(axis=(1, 2))
        rows = np.flatnonzero(~bad) if name == ORACLE else np.arange(len(y))
        clf = ERTSClassifier(
            module__width=args.width,
            max_epochs=args.epochs,
            batch_size=BATCH_SIZE[args.data],
            class_weight="effective",
            lr=LR,
            random_state=seed,
            verbose=0,
            **schemes(data)[name](),
        ).fit(X[rows], y[rows])
        test = data.part == part
        predicted[test] = clf.predict(data.X[test])
        ee += clf.effective_epochs_ * len(rows) / len(y) / N_PARTS
        passes += clf.scoring_passes_ * len(rows) / len(y) / N_PARTS
        aside = clf.selection_.status == Status.UNRELIABLE
        n_aside += aside.sum()
        n_looks += aside.size
        n_bad_aside += aside[:, bad[rows]].sum()
        n_bad_found += aside.any(axis=0)[bad[rows]].sum()
        n_bad += bad.sum()
    return {
        "data": args.data,
        "set": damage,
        "scheme": name,
        "seed": seed,
        "width": args.width,
        "epochs": args.epochs,
        "f1": float(f1_score(data.y, predicted, average="macro")),
        "accuracy": float((data.y == predicted).mean()),
        "EE": ee,
        "passes": passes,
        "aside": float(n_aside / max(n_looks, 1)),
        "bad_of_aside": float(n_bad_aside / max(n_aside, 1)),
        "aside_of_bad": float(n_bad_found / max(n_bad, 1)),
    }


def table(rows: list[dict], damage: str) -> str:
    """Return a Markdown table of one training set."""
    found = {
        name: {row["seed"]: row for row in rows if row["scheme"] == name}
        for name in dict.fromkeys(row["scheme"] for row in rows)
    }
    lines = [
        f"| {damage} | macro-F1 | against full data | against DBPD | accuracy | EE "
        "| bad ones aside |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, by_seed in found.items():
        runs = list(by_seed.values())
        f1 = np.array([run["f1"] for run in runs])
        mean = {
            key: np.mean([run[key] for run in runs])
            for key in ("accuracy", "EE", "aside", "aside_of_bad")
        }
        against = []
        for other in (FULL, DROPOUT):
            both = sorted(by_seed.keys() & found.get(other, {}).keys())
            gaps = [by_seed[k]["f1"] - found[other][k]["f1"] for k in both]
            against.append("" if name == other else interval(np.array(gaps)))
        aside = f"{mean['aside_of_bad']:.0%}" if mean["aside"] else ""
        lines.append(
            f"| {name} | {f1.mean():.3f} ± {f1.std(ddof=len(f1) > 1):.3f} | "
            f"{' | '.join(against)} | {mean['accuracy']:.3f} | {mean['EE']:.1f} | "
            f"{aside} |"
        )
    return "\n".join(lines)


def read(path: Path | None, args) -> list[dict]:
    """Return the runs of a file that were made with these settings."""
    if path is None or not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    keys = ("data", "width", "epochs")
    wanted = {key: getattr(args, key) for key in keys}
    return [row for row in rows if wanted.items() <= row.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--data", choices=DATA, default="ptbxl")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, nargs="*", default=range(2, 7))
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--schemes", nargs="*", help="by default all")
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    args = parser.parse_args()
    data = DATA[args.data](args.folder)
    names = args.schemes or list(schemes(data))
    if unknown := set(names) - set(schemes(data)):
        parser.error(f"--schemes: there is no {sorted(unknown)[0]!r}")
    if data.similar is None and "10 % wrong labels, similar" in args.sets:
        args.sets.remove("10 % wrong labels, similar")
    rows = read(args.runs, args)
    done = {(row["set"], row["scheme"], row["seed"]) for row in rows}
    for seed in args.seeds:
        for damage in args.sets:
            for name in names:
                useless = name == ORACLE and damage == "clean"
                if useless or (damage, name, seed) in done:
                    continue
                rows.append(run(data, damage, name, args, seed))
                print(rows[-1], file=sys.stderr, flush=True)
                if args.runs:
                    with args.runs.open("a") as file:
                        print(json.dumps(rows[-1]), file=file)
    for damage in args.sets:
        of_set = [row for row in rows if row["set"] == damage]
        order = {name: k for k, name in enumerate(names)}
        of_set = [row for row in of_set if row["scheme"] in order]
        print(f"\n{table(sorted(of_set, key=lambda r: order[r['scheme']]), damage)}")


if __name__ == "__main__":
    main()
