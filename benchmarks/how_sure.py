"""How sure is it: temperature, Monte-Carlo dropout and ensembles on PTB-XL.

``python -m benchmarks.how_sure <folder above ptbxl>`` trains on folds 1 to 6 (one
superclass each) as it comes, for as many gradients by each network, with a seventh of
the records set aside for the temperature, and scores folds 7 to 9. The control of all
is one network and its greatest probability. Differences to it are within seeds, with
95 % intervals by Student's t.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import log_loss, roc_auc_score

from benchmarks.corrupted import Data, ptbxl
from benchmarks.schemes import interval
from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts.metrics import expected_calibration_error, risk_coverage

ONE = "one network"
# Of the picture: the surest tenth first.
COVERAGES = np.linspace(0.1, 1, 46)
DRAWN = {
    ONE: "#808080",
    "30 looks, by total": "#e98b36",
    "five networks, by total": "#1f6fb4",
    "five networks, by epistemic": "#93c4e8",
}
METRICS = {
    "auc": "macro-AUC",
    "loss": "log loss",
    "ece": "calibration error",
    "error": "error, all decided",
    "kept": "error, the surest 80 %",
    "area": "area of risk",
}


def told(y: np.ndarray, proba: np.ndarray, doubt: np.ndarray | None = None) -> dict:
    """Return what probabilities, and an uncertainty, are worth."""
    curve = risk_coverage(y, proba, doubt)
    return {
        "auc": roc_auc_score(y, proba, multi_class="ovr"),
        "loss": log_loss(y, proba),
        "ece": expected_calibration_error(y, proba, random_state=0).error,
        "error": curve.error,
        "kept": float(np.interp(0.8, curve.coverage, curve.risk)),
        "area": curve.area,
        "risks": np.interp(COVERAGES, curve.coverage, curve.risk).tolist(),
    }


def run(data: Data, seed: int, args: argparse.Namespace) -> list[dict]:
    """Train all that is compared with one seed."""
    train, test = data.part != 2, data.part == 2
    X, y = data.X[train], data.y[train]
    given = {
        "module__width": args.width,
        "max_epochs": 200,
        "max_effective_epochs": args.budget,
        "batch_size": 32,
        "validation_fraction": 1 / 7,
        "verbose": 0,
    }
    truth, found = data.y[test], {}
    one = ERTSClassifier(**given, calibration__temperature=True, random_state=seed)
    one.fit(X, y)
    warm = one.predict_log_proba(data.X[test]) * one.temperature_
    plain = np.exp(warm) / np.exp(warm).sum(axis=1, keepdims=True)
    found[ONE] = told(truth, plain)
    found["its temperature"] = told(truth, one.predict_proba(data.X[test]))
    dropped = ERTSClassifier(**given, module__dropout=0.2, random_state=seed).fit(X, y)
    found["dropout of 0.2, one look"] = told(truth, dropped.predict_proba(data.X[test]))
    sure = dropped.predict_uncertainty(data.X[test])
    found["30 looks with dropout"] = told(truth, sure.proba)
    found["30 looks, by total"] = told(truth, sure.proba, sure.total)
    found["30 looks, by epistemic"] = told(truth, sure.proba, sure.epistemic)
    members = DeepEnsemble(ERTSClassifier(**given), 5, random_state=seed).fit(X, y)
    sure = members.predict_uncertainty(data.X[test])
    found["five networks"] = told(truth, sure.proba)
    found["five networks, by total"] = told(truth, sure.proba, sure.total)
    found["five networks, by epistemic"] = told(truth, sure.proba, sure.epistemic)
    return [{"scheme": name, "seed": seed} | row for name, row in found.items()]


def table(rows: list[dict]) -> str:
    """Return a Markdown table, differences to one network beside the means."""
    heads = " | ".join(METRICS.values())
    lines = [f"| | {heads} |", "|---" * (1 + len(METRICS)) + "|"]
    one = {row["seed"]: row for row in rows if row["scheme"] == ONE}
    for name in dict.fromkeys(row["scheme"] for row in rows):
        own = [row for row in rows if row["scheme"] == name]
        cells = []
        for key in METRICS:
            mean = np.mean([row[key] for row in own])
            gap = np.array([row[key] - one[row["seed"]][key] for row in own])
            beside = "" if name == ONE or len(gap) < 2 else f" ({interval(gap)})"
            cells.append(f"{mean:.3f}{beside}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: list[dict], path: Path) -> None:
    """Draw errors by coverage, means over seeds."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for name, color in DRAWN.items():
        risks = [row["risks"] for row in rows if row["scheme"] == name]
        ax.plot(100 * COVERAGES, 100 * np.mean(risks, axis=0), color=color, label=name)
    ax.set(xlabel="decided (% of the records)", ylabel="wrong (% of the decisions)")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--seeds", type=int, nargs="*", default=range(5))
    parser.add_argument("--budget", type=float, default=7, help="effective epochs")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    data, rows = ptbxl(args.folder), []
    if args.runs and args.runs.exists():
        rows = [json.loads(line) for line in args.runs.read_text().splitlines()]
    done = {row["seed"] for row in rows}
    for seed in args.seeds:
        if seed in done:
            continue
        for row in run(data, seed, args):
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
            if args.runs:
                with args.runs.open("a") as file:
                    print(json.dumps(row), file=file)
    print(table(rows))
    if args.figure:
        draw(rows, args.figure)


if __name__ == "__main__":
    main()
