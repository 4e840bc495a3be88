"""What the attribution methods are worth: all measures, on real and synthetic ECG.

A ResNet1d is trained on PTB-XL (folds 1-7; one superclass per record) and on make_ecg,
each with a second seed and once with labels by chance. The maps of records that it has
not seen, for their true class, go through `evaluate_explanations`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.data import ptbxl
from benchmarks.schemes import BY_MAP
from sk_erts import ERTSClassifier
from sk_erts.attribution import METHODS
from sk_erts.datasets import make_ecg
from sk_erts.metrics import evaluate_explanations

# A quarter of the default cost: averages over records change little.
CHEAPER = {
    "integrated_gradients": {"n_steps": 32},
    "gradient_shap": {"n_draws": 16},
    "occlusion": {"window": 100},
}
SHOWN = [
    "deletion_gain",
    "insertion_gain",
    "comprehensiveness",
    "sufficiency",
    "pointing_game",
    "evidence_enrichment",
    "max_sensitivity",
    "seed_agreement",
    "weights_agreement",
    "weights_null",
    "labels_agreement",
    "survives_weights",
    "survives_labels",
]


def fit(X: np.ndarray, y: np.ndarray, seed: int, epochs: int) -> ERTSClassifier:
    return ERTSClassifier(
        module__width=16,
        max_epochs=epochs,
        lr=2e-3,
        class_weight="effective",
        random_state=seed,
        verbose=0,
        **BY_MAP,
    ).fit(X, y)


def real(folder: Path, n: int) -> tuple[np.ndarray, ...]:
    """Return records and classes to train on and to explain; no evidence is known."""
    split = ptbxl(folder)
    rows = np.random.default_rng(0).permutation(len(split.X_test))[:n]
    return split.X, split.y, split.X_test[rows], split.y_test[rows], None


def synthetic(n: int) -> tuple[np.ndarray, ...]:
    """Return make_ecg, and where its evidence is; NORM, which has none, left out."""
    X, y = make_ecg(1200, noise=0.1, random_state=0)
    X_new, y_new, evidence = make_ecg(
        4 * n, noise=0.1, random_state=1, return_evidence=True
    )
    rows = np.flatnonzero(evidence.mask.any(axis=1))[:n]
    return X, y, X_new[rows], y_new[rows], evidence.mask[rows]


def table_of(
    X: np.ndarray,
    y: np.ndarray,
    X_new: np.ndarray,
    y_new: np.ndarray,
    evidence: np.ndarray | None,
    *,
    epochs: int,
    window: int,
) -> pd.DataFrame:
    clf, other = (fit(X, y, seed, epochs) for seed in (0, 1))
    shuffled = fit(X, np.random.default_rng(0).permutation(y), 0, epochs)
    print(f"accuracy on the {len(X_new)} records: {clf.score(X_new, y_new):.2f}\n")
    clf.explain(X_new, "saliency")  # what the first pass prepares is in no one's time
    methods = {name: CHEAPER.get(name, {}) for name in METHODS if name != "intrinsic"}
    return evaluate_explanations(
        clf,
        X_new,
        y_new,
        methods,
        evidence=evidence,
        other_seed=other,
        random_labels=shuffled,
        window=window,
        random_state=0,
    )


def tabulate(table: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    shown = table[[name for name in SHOWN if name in table]].copy()
    shown["ms / record"] = (table["seconds_per_record"] * 1e3).map("{:.1f}".format)
    for name in shown:
        if shown[name].map(lambda value: isinstance(value, float)).all():
            shown[name] = shown[name].map("{:.3f}".format)
        elif name.startswith("survives"):
            shown[name] = shown[name].map({True: "yes", False: "no"})
    head = ["method", *(name.replace("_", " ") for name in shown)]
    lines = [head, ["---"] * len(head)]
    lines += [
        [str(name), *map(str, row)]
        for name, row in zip(shown.index, shown.itertuples(index=False), strict=True)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument(
        "--window", type=int, default=10, help="samples removed together"
    )
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    data = {"make_ecg": lambda: synthetic(args.records)}
    if args.folder:
        data = {"PTB-XL": lambda: real(args.folder, args.records), **data}
    for name, load in data.items():
        print(f"\n## {name}")
        table = table_of(*load(), epochs=args.epochs, window=args.window)
        print(tabulate(table), flush=True)


if __name__ == "__main__":
    main()
