"""Which network for what: each one of `sk_erts.models` on PTB-XL's superclasses.

``python -m benchmarks.models <folder of PTB-XL>`` trains every registered network on
all records of all folds but the last two, several labels per record, with as many
gradients for each: the table compares networks, not selections. How they are trained
and scored is shared with `benchmarks.score`. A learning rate is chosen for each network
by macro-AUC on the last fold but one, in short trainings from a seed of their own.
Where a network at its default size is too slow for one core, a smaller one stands for
it, and the table says so.

With ``--runs`` each run is added to a file, and those in it are not run again;
with ``--tabulate`` none is run.

s / epoch
    Median over epochs of the time of one core, in the same training.
published
    Macro-AUC of the same kind of network, trained on the whole of PTB-XL: N. Strodthoff
    et al., 10.1109/JBHI.2020.3022989.
macro-F1, exact
    At thresholds that are the best on the last fold but one; *exact* is the share of
    records of which every label is right.
calibration
    Expected calibration error, mean of the labels.
map, chance
    Deletion gain of the network's map, for one label of each record that it has: what
    the probability loses more, over the curve, than in random orders. Grad-CAM, and of
    `ECGIMN` its own map, summed over leads. *chance* is the same of random maps.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # figures go to files: no screen is needed

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from sklearn.metrics import roc_auc_score
from skorch.callbacks import Callback

from benchmarks.schemes import interval
from benchmarks.score import best_thresholds, f1_scores, parts, trained
from sk_erts import ERTSClassifier
from sk_erts.augmentation import RandomCrop
from sk_erts.datasets import load_ptbxl
from sk_erts.metrics import expected_calibration_error, faithfulness, subset_accuracy
from sk_erts.models import get_model
from sk_erts.models._registry import MODELS

REFERENCE = "resnet1d"
# What is not the default: on one core no epoch takes more than half a minute.
SIZES: dict[str, dict] = {
    "attention_regularised": {"backbone_params": {"width": 16}},
    "ecg_imn": {"width": 3},
    "efficientnetv2s_1d": {"width": 8, "blocks": (1, 2, 2, 3, 4, 6)},
    "fcn1d": {"width": 64},
    "inceptiontime1d": {"width": 8, "kernel_size": 19},
    "mobilenetv2_1d": {"width": 16},
    "resnet1d": {"width": 16},
    "resnet1d18": {"width": 24},  # 16 is ResNet1d's
    "resnet1d34": {"width": 16},
    "s4d1d": {"stride": 4},
    "xresnet1d101": {"width": 24},
}
CROPS = {"ecg_imn": 0.25}  # else half of each record
OWN_MAP = {"ecg_imn": "intrinsic"}
METRICS = {
    "auc": "macro-AUC",
    "f1_tuned": "macro-F1",
    "exact": "exact",
    "calibration": "calibration",
    "map": "map",
    "chance": "chance",
}
# Fewer than 100,000 parameters: a greater rate is tried too.
SMALL = ("ecg_imn", "fcn1d", "inceptiontime1d", "lstm1d", "tensor_power_rnn1d")
GREATER = 1e-2
PUBLISHED = {
    "fcn1d": 0.925,
    "inceptiontime1d": 0.921,
    "lstm1d": 0.927,
    "resnet1d": 0.930,
    "xresnet1d101": 0.928,
}
FULL_DATA = {"data_dropout": None, "focus": None}
TRIAL_SEED = 100
WINDOW = 25  # samples that are deleted together, a quarter of a second


class EpochClock(Callback):
    """Note the processor's time of each epoch, which other programs do not lengthen."""

    def on_epoch_begin(self, net, **kwargs) -> None:
        self.begin = time.process_time()

    def on_epoch_end(self, net, **kwargs) -> None:
        net.history.record("core_s", time.process_time() - self.begin)


def size(network: str) -> str:
    """Say in what a network is not at its default."""
    own = SIZES.get(network, {})
    flat = own.get("backbone_params", own)
    told = [f"{key.replace('_', ' ')} {value}" for key, value in flat.items()]
    if network in CROPS:
        told.append(f"crops of {10 * CROPS[network]:g} s")
    return ", ".join(told) or "default"


def fit(X, y, network: str, lr: float, seed: int, args) -> tuple[ERTSClassifier, float]:
    """Return a trained network, and the seconds of an epoch."""
    clf = trained(
        X,
        y,
        seed,
        lr,
        args,
        module=network,
        augment=RandomCrop(CROPS.get(network, 0.5)),
        callbacks=[("clock", EpochClock())],
        **FULL_DATA,
        **{f"module__{key}": value for key, value in SIZES.get(network, {}).items()},
    )
    return clf, float(np.median(clf.net_.history[:, "core_s"]))


def maps_of(clf: ERTSClassifier, method: str, X, labels: np.ndarray) -> np.ndarray:
    """Return maps (n, times) of one label of each record."""
    maps = clf.explain(X, method, target=np.asarray(clf.classes_)[labels], signed=True)
    return maps.sum(axis=1) if maps.ndim == 3 else maps


def gains(clf: ERTSClassifier, method: str, X, y, n_explained: int) -> dict:
    """Return how much better than random orders a map is, and how much chance is."""
    rng = np.random.default_rng(0)
    rows = np.flatnonzero(y.any(axis=1))[:n_explained]
    X = X[rows]
    labels = np.array([rng.choice(np.flatnonzero(own)) for own in y[rows]])
    maps = {
        "map": maps_of(clf, method, X, labels),
        "chance": rng.random((len(X), X.shape[2])),
    }
    return {
        name: float(
            faithfulness(
                clf.predict_proba,
                X,
                each,
                labels,
                n_steps=8,
                window=WINDOW,
                baseline="mean",
                n_draws=2,
                random_state=0,
            )["deletion_gain"].mean()
        )
        for name, each in maps.items()
    }


def trial(dataset, network: str, lr: float, args) -> dict:
    """Train for a short while, and score the last fold but one."""
    X, y = dataset.data, np.asarray(dataset.target)
    train, validation, _ = parts(dataset.folds)
    short = argparse.Namespace(budget=args.trial_budget, schedule=args.schedule)
    clf, seconds = fit(X[train], y[train], network, lr, TRIAL_SEED, short)
    proba = clf.predict_proba(X[validation])
    return {"auc": roc_auc_score(y[validation], proba), "seconds": seconds}


def run(dataset, network: str, lr: float, seed: int, args) -> dict:
    """Train once, and score the last fold."""
    X, y = dataset.data, np.asarray(dataset.target)
    train, validation, test = parts(dataset.folds)
    clf, seconds = fit(X[train], y[train], network, lr, seed, args)
    tuned_at = best_thresholds(y[validation], clf.predict_proba(X[validation]))
    proba = clf.predict_proba(X[test])
    method = args.map or OWN_MAP.get(network, "gradcam")
    ece = expected_calibration_error(y[test], proba, n_resamples=10, random_state=0)
    return {
        "parameters": sum(each.numel() for each in clf.net_.module_.parameters()),
        "seconds": seconds,
        "records": int(train.sum()),
        "auc": roc_auc_score(y[test], proba),
        **f1_scores(y[test], proba, tuned_at),
        "exact": subset_accuracy(y[test], proba >= tuned_at),
        "calibration": ece.error,
        **gains(clf, method, X[test], y[test], args.explained),
    }


class Runs:
    """Rows of a file: what is there is not run again."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        there = path is not None and path.exists()
        lines = path.read_text().splitlines() if there else []
        self.rows = [json.loads(line) for line in lines]

    def get(self, key: dict, make) -> dict:
        """Return the row of these settings, run if it is not there."""
        for row in self.rows:
            if all(row.get(name) == value for name, value in key.items()):
                return row
        row = key | make()
        print(row, file=sys.stderr, flush=True)
        self.rows.append(row)
        if self.path is not None:
            with self.path.open("a") as file:
                print(json.dumps(row), file=file)
        return row


def chosen_rate(runs: Runs, dataset, network: str, args) -> float:
    """Return the rate of the best short training; one alone is not tried."""
    if len(args.lr) == 1:
        return args.lr[0]
    aucs = {}
    for lr in [*args.lr, GREATER] if network in SMALL else args.lr:
        key = {"trial": args.trial_budget, "network": network, "size": size(network)}
        row = runs.get(
            key | {"lr": lr}, lambda lr=lr: trial(dataset, network, lr, args)
        )
        aucs[lr] = row["auc"]
    return max(aucs, key=aucs.__getitem__)


def by_network(rows: list[dict]) -> dict[str, dict[int, dict]]:
    """Return the runs of each network by seed, in the order of the best macro-AUC."""
    found: dict[str, dict[int, dict]] = {}
    for row in rows:
        found.setdefault(row["network"], {})[row["seed"]] = row

    def auc(network: str) -> float:
        return float(np.mean([row["auc"] for row in found[network].values()]))

    return {name: found[name] for name in sorted(found, key=auc, reverse=True)}


def table(rows: list[dict]) -> str:
    """Return a Markdown table: a row for each network, means over seeds."""
    auc, *others = METRICS.values()
    lines = [
        "| network | size | parameters | s / epoch "
        f"| {auc} | published | {' | '.join(others)} |",
        "|---" * (5 + len(METRICS)) + "|",
    ]
    for network, own in by_network(rows).items():
        first = next(iter(own.values()))
        seconds = np.median([row["seconds"] for row in own.values()])
        means = [np.mean([row[key] for row in own.values()]) for key in METRICS]
        cells = [f"{mean:.3f}".replace("-0.000", "0.000") for mean in means]
        published = f"{PUBLISHED[network]:.3f}" if network in PUBLISHED else ""
        lines.append(
            f"| `{get_model(network).__name__}` | {first['size']} "
            f"| {first['parameters']:,} | {seconds:.1f} "
            f"| {' | '.join([cells[0], published, *cells[1:]])} |"
        )
    return "\n".join(lines)


def differences(rows: list[dict]) -> str:
    """Return a Markdown table: differences to `ResNet1d` within seeds."""
    heads = " | ".join(name for key, name in METRICS.items() if key != "chance")
    lines = [
        f"| network | lr | seeds | {heads} | macro-AUC by seed |",
        "|---" * (3 + len(METRICS)) + "|",
    ]
    runs = by_network(rows)
    for network, own in runs.items():
        seeds = sorted(own.keys() & runs.get(REFERENCE, {}).keys())
        cells = []
        for key in METRICS:
            if key == "chance":
                continue
            gap = [own[seed][key] - runs[REFERENCE][seed][key] for seed in seeds]
            same = network == REFERENCE or not gap
            cells.append("" if same else interval(np.array(gap)))
        by_seed = " ".join(f"{own[seed]['auc']:.3f}" for seed in sorted(own))
        lines.append(
            f"| `{get_model(network).__name__}` | {next(iter(own.values()))['lr']:g} "
            f"| {len(own)} | {' | '.join(cells)} | {by_seed} |"
        )
    return "\n".join(lines)


def trials(rows: list[dict]) -> str:
    """Return a Markdown table: macro-AUC of the short trainings by learning rate."""
    rates = sorted({row["lr"] for row in rows})
    lines = [
        f"| network | {' | '.join(f'{lr:g}' for lr in rates)} |",
        "|---" * (1 + len(rates)) + "|",
    ]
    for network in dict.fromkeys(row["network"] for row in rows):
        own = {row["lr"]: row["auc"] for row in rows if row["network"] == network}
        cells = [f"{own[lr]:.3f}" if lr in own else "" for lr in rates]
        lines.append(f"| `{get_model(network).__name__}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: list[dict], path: Path) -> None:
    """Draw macro-AUC over the time of an epoch."""
    figure, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
    points = {}
    for network, own in by_network(rows).items():
        seconds = np.median([row["seconds"] for row in own.values()])
        aucs = [row["auc"] for row in own.values()]
        points[get_model(network).__name__] = seconds, np.mean(aucs)
        ax.plot([seconds] * len(aucs), aucs, color="#a0a0a0", linewidth=1, zorder=1)
    ax.scatter(*zip(*points.values(), strict=True), color="#1f6fb4", zorder=2)
    ax.set_xscale("log")
    ticks = [3, 5, 10, 20, 30]
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.set_xlim(right=45)
    ax.margins(y=0.1)
    ax.set_xlabel("time of an epoch on one core (s)")
    ax.set_ylabel("macro-AUC; lines join the seeds")
    ax.spines[["top", "right"]].set_visible(False)
    figure.canvas.draw()  # which places the axes
    taken = [
        Bbox.from_bounds(x - 4, y - 4, 8, 8)
        for x, y in ax.transData.transform(list(points.values()))
    ]
    for name, point in points.items():
        taken.append(_label(ax, name, point, taken))
    figure.savefig(path, dpi=90)


def _label(ax, name: str, point: tuple, taken: list[Bbox]) -> Bbox:
    """Write a name at the nearest place where nothing stands, and return the place."""
    heights = sorted(range(-75, 76, 6), key=abs)
    for y, x in ((y, x) for y in heights for x in (6, -6)):
        text = ax.annotate(
            name,
            point,
            (x, y - 3),
            textcoords="offset points",
            ha="left" if x > 0 else "right",
            fontsize="small",
            arrowprops={"arrowstyle": "-", "color": "#a0a0a0"} if abs(y) > 9 else None,
        )
        text.update_positions(ax.figure.canvas.get_renderer())
        box = Text.get_window_extent(text)  # without the line to the point
        if not any(box.overlaps(other) for other in taken):
            break
        text.remove()
    else:
        raise ValueError(f"There is no room for {name}: make the figure larger.")
    return box


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds ptbxl_database.csv")
    parser.add_argument("--networks", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, nargs="*", default=range(2))
    parser.add_argument("--budget", type=float, default=4, help="effective epochs")
    parser.add_argument("--lr", type=float, nargs="*", default=[1e-3, 3e-3])
    parser.add_argument("--trial-budget", type=float, default=1.5, help="to choose lr")
    parser.add_argument("--schedule", default="one-cycle")
    parser.add_argument("--explained", type=int, default=48, help="records")
    parser.add_argument("--map", help="method of explanation, else each its own")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    parser.add_argument("--tabulate", action="store_true", help="only show --runs")
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    runs = Runs(args.runs)
    if not args.tabulate:
        dataset = load_ptbxl(args.folder, task="superclass")
        rates = {name: chosen_rate(runs, dataset, name, args) for name in args.networks}
        for seed in args.seeds:
            for network, lr in rates.items():
                key = {"network": network, "size": size(network), "lr": lr}
                runs.get(
                    key | {"seed": seed, "budget": args.budget, "method": args.map},
                    lambda n=network, lr=lr, seed=seed: run(dataset, n, lr, seed, args),
                )
    rows = [
        row
        for row in runs.rows
        if row.get("budget") == args.budget and row.get("method") == args.map
    ]
    short = [row for row in runs.rows if row.get("trial") == args.trial_budget]
    print(table(rows), differences(rows), trials(short), sep="\n\n")
    if args.figure:
        draw(rows, args.figure)


if __name__ == "__main__":
    main()
