"""Where does selection pay? By what may be spent, and by how many labels are wrong.

``python -m benchmarks.where_it_pays <folder>`` trains, for each budget in effective
epochs and each share of wrong labels, with every scheme the same network for the same
number of gradients, with a learning rate that falls to zero as they are spent. Records
are divided in three parts; with ``--parts 0 1 2`` each is scored by a network of the
other two, by default the last one alone, with the labels as they were. Every seed goes
through all schemes with the same wrong labels. With ``--records`` so many of the
training records are drawn, in the proportions of the classes.

The control is the best of the schemes that put no label in doubt: full data, data
dropout alone, InfoBatch, selective backpropagation. Tables say what is left of the
difference to it, with the 95 % interval of Student's t over paired seeds; in the
picture, cells whose interval has zero in it are white.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

from benchmarks.corrupted import DATA, Data
from benchmarks.schemes import interval
from sk_erts import ERTSClassifier
from sk_erts.augmentation import RandomCrop
from sk_erts.selection import InfoBatch, SelectiveBackprop

FULL = "full data"
CONTROLS = {
    FULL: {"data_dropout": None, "focus": None},
    "data dropout alone": {"focus": None},
    "InfoBatch": {"selection": InfoBatch()},
    "selective backprop": {"selection": SelectiveBackprop()},
}
JUDGED = {
    "probabilities, put aside": {"focus": "reliability", "doubt": "drop"},
    "probabilities, softened": {"focus": "reliability", "doubt": "soften"},
    "support, put aside": {"focus": "support", "doubt": "drop"},
    "support, softened": {"focus": "support", "doubt": "soften"},
    "the same, a fifth of the easy rehearsed": {
        "focus": "support",
        "doubt": "soften",
        "easy_share": 0.2,
    },
}
SCHEMES = CONTROLS | JUDGED
# So many that the budget, and not the number of passes, ends a training.
MANY_EPOCHS = 200
KEYS = ("records", "share", "budget", "scheme", "seed")
METRICS = {"auc": "macro-AUC", "f1": "macro-F1"}


class Averaged(Callback):
    """End with the exponential mean of the weights, of about the last 100 steps.

    Statistics of normalisation layers are estimated anew afterwards, as at the end of
    every training.
    """

    def on_train_begin(self, net, **kwargs) -> None:
        self.n_steps_ = 0
        self.mean_ = [weight.detach().clone() for weight in net.module_.parameters()]

    def on_batch_end(self, net, training=False, **kwargs) -> None:
        if not training:
            return
        self.n_steps_ += 1
        share = max(0.01, 9 / (10 + self.n_steps_))  # the first steps are forgotten
        with torch.no_grad():
            for mean, weight in zip(self.mean_, net.module_.parameters(), strict=True):
                mean.lerp_(weight, share)

    def on_train_end(self, net, **kwargs) -> None:
        with torch.no_grad():
            for mean, weight in zip(self.mean_, net.module_.parameters(), strict=True):
                weight.copy_(mean)


def mislabelled(data: Data, rows: np.ndarray, share: float, similar: bool, rng):
    """Return labels of which a share is wrong: any other, or the one most alike."""
    y, n_classes = data.y[rows].copy(), data.y.max() + 1
    wrong = rng.permutation(len(y))[: round(share * len(y))]
    if similar:
        y[wrong] = data.similar[y[wrong]]
    else:
        y[wrong] = (y[wrong] + rng.integers(1, n_classes, len(wrong))) % n_classes
    return y


def run(
    data: Data,
    scheme: str,
    budget: float,
    share: float,
    seed: int,
    n_records: int | None,
    args: argparse.Namespace,
) -> dict:
    """Train on each two parts, score on the third."""
    scored = np.isin(data.part, args.parts)
    proba = np.empty((len(data.y), data.y.max() + 1))
    ee, seconds, auc = [], [], []
    for part in args.parts:
        train = np.flatnonzero(data.part != part)
        if n_records and n_records < len(train):
            train, _ = train_test_split(
                train,
                train_size=n_records,
                stratify=data.y[train],
                random_state=seed,
            )
        rng = np.random.default_rng([seed, part])
        y = mislabelled(data, train, share, args.similar, rng)
        clf = ERTSClassifier(
            module__width=args.width,
            max_epochs=MANY_EPOCHS,
            max_effective_epochs=budget,
            batch_size=args.batch_size,
            random_state=seed,
            verbose=0,
            augment=RandomCrop(0.5) if args.with_ == "crops" else None,
            callbacks=[Averaged()] if args.with_ == "averaging" else None,
            **SCHEMES[scheme],
        ).fit(data.X[train], y)
        test = data.part == part
        proba[test] = clf.predict_proba(data.X[test])
        auc.append(roc_auc_score(data.y[test], proba[test], multi_class="ovr"))
        ee.append(clf.effective_epochs_)
        seconds.append(clf.fit_time_s_)
    return {
        "data": args.data,
        "scheme": scheme,
        "budget": budget,
        "share": share,
        "similar": args.similar,
        "with": args.with_,
        "records": n_records,
        "seed": seed,
        "auc": float(np.mean(auc)),
        "f1": float(
            f1_score(data.y[scored], proba[scored].argmax(axis=1), average="macro")
        ),
        "EE": float(np.mean(ee)),
        "seconds": float(np.sum(seconds)),
    }


def values(rows: list[dict], scheme: str, key: str, seeds: list[int]) -> np.ndarray:
    """Return a figure of a scheme, seed by seed."""
    by_seed = {row["seed"]: row[key] for row in rows if row["scheme"] == scheme}
    return np.array([by_seed[seed] for seed in seeds])


def best_control(rows: list[dict], key: str, seeds: list[int]) -> str:
    """Return the control with the highest mean."""
    there = [name for name in CONTROLS if any(r["scheme"] == name for r in rows)]
    return max(there, key=lambda name: values(rows, name, key, seeds).mean())


def told(row: dict) -> str:
    """Say which cell a run belongs to."""
    records = f"{row['records']} records, " if row["records"] else ""
    return f"{records}{row['share']:.0%} wrong, EE {row['budget']:g}"


def table(rows: list[dict]) -> str:
    """Return a Markdown table of one cell: a budget, and a share of wrong labels."""
    names = list(dict.fromkeys(row["scheme"] for row in rows))
    seeds = sorted(
        set.intersection(
            *({row["seed"] for row in rows if row["scheme"] == name} for name in names)
        )
    )
    lines = [
        f"| {told(rows[0])} | macro-AUC "
        "| to the best control | macro-F1 | to the best control | EE | time (s) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names:
        cells = []
        for key in METRICS:
            own = values(rows, name, key, seeds)
            best = best_control(rows, key, seeds)
            gap = interval(own - values(rows, best, key, seeds))
            cells.append(f"{own.mean():.3f} | {'best' if name == best else gap}")
        ee = values(rows, name, "EE", seeds).mean()
        seconds = np.median(values(rows, name, "seconds", seeds))
        lines.append(f"| {name} | {' | '.join(cells)} | {ee:.1f} | {seconds:.0f} |")
    return "\n".join(lines)


def gaps(rows: list[dict], scheme: str, key: str) -> tuple[float, float]:
    """Return the mean difference to the best control, and half its 95 % interval."""
    seeds = sorted({row["seed"] for row in rows if row["scheme"] == scheme})
    best = best_control(rows, key, seeds)
    gap = values(rows, scheme, key, seeds) - values(rows, best, key, seeds)
    return gap.mean(), stats.t.ppf(0.975, len(gap) - 1) * stats.sem(gap)


def draw(rows: list[dict], scheme: str, path: Path) -> None:
    """Draw the difference to the best control, by wrong labels and what was varied.

    That is the number of records, if there are several, or else the budget.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    shares = sorted({row["share"] for row in rows}, reverse=True)
    by, label = "budget", "gradients spent (effective epochs)"
    if len({row["records"] for row in rows}) > 1:
        by, label = "records", "records to train on"
    columns = sorted({row[by] for row in rows})
    shades = LinearSegmentedColormap.from_list("gap", ["#e98b36", "#fff", "#4a9bd9"])
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.6 + 0.7 * len(shares)), sharey=True)
    for ax, (key, name) in zip(axes, METRICS.items(), strict=True):
        shown = np.zeros((len(shares), len(columns)))
        for i, share in enumerate(shares):
            for j, column in enumerate(columns):
                where = {"share": share, by: column}
                cell = [row for row in rows if where.items() <= row.items()]
                gap, half = gaps(cell, scheme, key)
                shown[i, j] = gap if abs(gap) > half else 0
                text = f"{gap:+.3f}\n± {half:.3f}"
                ax.text(j, i, text, ha="center", va="center", fontsize="small")
        limit = 0.05
        image = ax.imshow(shown, cmap=shades, vmin=-limit, vmax=limit, aspect="auto")
        ax.set_xticks(range(len(columns)), [f"{column:g}" for column in columns])
        ax.set_yticks(range(len(shares)), [f"{share:.0%}" for share in shares])
        ax.set(xlabel=label, title=name)
    axes[0].set_ylabel("wrong labels")
    figure.colorbar(image, ax=axes, label="above (+) or below (-)\nthe best control")
    figure.savefig(path, dpi=150, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--data", choices=DATA, default="ptbxl")
    parser.add_argument("--budgets", type=float, nargs="*", default=[3, 5, 7, 10, 20])
    parser.add_argument("--wrong", type=float, nargs="*", default=[0, 0.1, 0.2, 0.4])
    parser.add_argument("--similar", action="store_true", help="as what is most alike")
    parser.add_argument(
        "--records", type=int, nargs="*", default=[None], help="by default all"
    )
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--seeds", type=int, nargs="*", default=range(5))
    parser.add_argument(
        "--with",
        dest="with_",
        choices=["nothing", "crops", "averaging"],
        default="nothing",
        help="for all schemes: steps on halves of records, or averaged weights",
    )
    parser.add_argument("--parts", type=int, nargs="*", default=[2])
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    parser.add_argument("--figure", type=Path, help="draw this, of --of")
    parser.add_argument("--of", choices=JUDGED, default="support, softened")
    args = parser.parse_args()
    data = DATA[args.data](args.folder)
    rows: list[dict] = []
    if args.runs and args.runs.exists():
        rows = [json.loads(line) for line in args.runs.read_text().splitlines()]
    rows = [{"records": None} | row for row in rows]  # of runs before there was one
    same = {"data": args.data, "similar": args.similar, "with": args.with_}
    done = {
        tuple(row[key] for key in KEYS) for row in rows if same.items() <= row.items()
    }
    cells = list(product(args.records, args.wrong, args.budgets))
    for seed in args.seeds:
        for (n, share, budget), name in product(cells, args.schemes):
            if (n, share, budget, name, seed) in done:
                continue
            row = run(data, name, budget, share, seed, n, args)
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
            if args.runs:
                with args.runs.open("a") as file:
                    print(json.dumps(row), file=file)
    rows = [row for row in rows if same.items() <= row.items()]
    for n, share, budget in cells:
        wanted = {"records": n, "share": share, "budget": budget}
        cell = [
            row
            for row in rows
            if wanted.items() <= row.items() and row["scheme"] in args.schemes
        ]
        print(f"\n{table(cell)}")
    if args.figure:
        drawn = [
            row
            for row in rows
            if (row["records"], row["share"], row["budget"]) in cells
            and row["scheme"] in {*CONTROLS, args.of}
        ]
        draw(drawn, args.of, args.figure)


if __name__ == "__main__":
    main()
