"""What the term of xECGNet is worth: scores and maps, with and without it.

``python -m benchmarks.attention_term <folder of PTB-XL>`` trains networks that have
attention on the superclasses of PTB-XL, several labels per record, on all folds but the
last two, and scores the last. Weight 0 is the same network, attention and all, without
the term; differences to it are within seeds, with 95 % intervals by Student's t. The
faithfulness of maps is that on records of the last fold, for each of their labels: what
the label's probability loses more, over the curve, while the map says what is deleted,
than while chance does. Beside Grad-CAM, of one label, stands attention, of all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score
from torch.nn import functional

from benchmarks.schemes import interval
from sk_erts import ERTSClassifier
from sk_erts.datasets import load_ptbxl
from sk_erts.metrics import faithfulness, subset_accuracy

NETWORKS = {
    "XECGNet": lambda width: {"module": "xecgnet", "module__width": width},
    "ResNet1d with attention": lambda width: {
        "module": "attention_regularised",
        "module__backbone_params": {"width": width},
    },
}
METRICS = {
    "auc": "macro-AUC",
    "f1": "macro-F1",
    "subset": "subset accuracy",
    "gradcam": "deletion gain, Grad-CAM",
    "attention": "deletion gain, attention",
}
WINDOW = 25  # samples that are deleted together, a quarter of a second
N_EXPLAINED = 100


def attention_maps(clf: ERTSClassifier, X: np.ndarray) -> np.ndarray:
    """Return attention maps (n, n_times), interpolated as Grad-CAM maps are."""
    with torch.no_grad():
        x = torch.from_numpy(X).to(clf.net_.device)
        maps = clf.net_.module_.eval().attention_map(x)[:, None]
        whole = functional.interpolate(maps, X.shape[-1], mode="linear")
    return whole[:, 0].cpu().numpy()


def gains(clf: ERTSClassifier, X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return how much better than chance maps say what a label rests on."""
    rows, labels = np.nonzero(y[:N_EXPLAINED])
    X = X[rows]  # once for each label of a record
    maps = {
        "gradcam": clf.explain(X, target=np.asarray(clf.classes_)[labels]),
        "attention": attention_maps(clf, X),
    }
    return {
        name: float(
            faithfulness(
                clf.predict_proba,
                X,
                own,
                labels,
                n_steps=10,
                window=WINDOW,
                baseline="mean",
                random_state=0,
            )["deletion_gain"].mean()
        )
        for name, own in maps.items()
    }


def run(dataset, network: str, weight: float, seed: int, args) -> dict:
    """Train once, and score the last fold."""
    X, y, folds = dataset.data, np.asarray(dataset.target), dataset.folds
    *_, aside, scored = np.unique(folds)
    train, test = folds < aside, folds == scored
    clf = ERTSClassifier(
        **NETWORKS[network](args.width),
        module__attention_weight=weight,
        max_epochs=args.epochs,
        data_dropout=None,
        focus=None,
        lr=args.lr,
        lr_schedule="one-cycle",
        random_state=seed,
        verbose=0,
    ).fit(X[train], dataset.target[train])
    proba = clf.predict_proba(X[test])
    return {
        "network": network,
        "weight": weight,
        "seed": seed,
        "auc": roc_auc_score(y[test], proba, average="macro"),
        "f1": f1_score(y[test], proba > 0.5, average="macro", zero_division=0),
        "subset": subset_accuracy(y[test], proba > 0.5),
        **gains(clf, X[test], y[test]),
        "minutes": clf.fit_time_s_ / 60,
    }


def table(rows: list[dict]) -> str:
    """Return a Markdown table, differences to weight 0 beside the means."""
    heads = " | ".join(f"{name} | to 0" for name in METRICS.values())
    lines = [f"| network | weight | {heads} | minutes |", "|---" * 13 + "|"]
    for network, weight in dict.fromkeys((r["network"], r["weight"]) for r in rows):
        runs, without = (
            {
                row["seed"]: row
                for row in rows
                if (row["network"], row["weight"]) == (network, each)
            }
            for each in (weight, 0)
        )
        seeds = sorted(runs.keys() & without.keys()) or sorted(runs)
        cells = []
        for key in METRICS:
            mean = np.mean([runs[seed][key] for seed in seeds])
            beside = ""
            if weight and without:
                gap = [runs[seed][key] - without[seed][key] for seed in seeds]
                beside = interval(np.array(gap))
            cells.append(f"{mean:.3f} | {beside}")
        minutes = np.median([row["minutes"] for row in runs.values()])
        lines.append(
            f"| {network} | {weight:g} | {' | '.join(cells)} | {minutes:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds ptbxl_database.csv")
    parser.add_argument(
        "--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS)
    )
    parser.add_argument("--weights", type=float, nargs="*", default=[0, 0.1, 1])
    parser.add_argument("--seeds", type=int, nargs="*", default=range(3))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    args = parser.parse_args()
    dataset = load_ptbxl(args.folder, task="superclass")
    rows = []
    for seed in args.seeds:
        for network in args.networks:
            for weight in args.weights:
                rows.append(run(dataset, network, weight, seed, args))
                print(rows[-1], file=sys.stderr, flush=True)
                if args.runs:
                    with args.runs.open("a") as file:
                        print(json.dumps(rows[-1]), file=file)
    print(table(rows))


if __name__ == "__main__":
    main()
