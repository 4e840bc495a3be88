"""Full data, DBPD and ERTS on real PTB-XL: the table of docs/results.md.

Trains on folds 1-8 and scores on fold 9, on the records that have exactly one
superclass, with the same network, loss, optimiser, epochs and seeds for all. Runs are
interleaved, so that a machine that gets slower does so for all of them. The first
scheme is the one that times are compared with.
"""

import argparse
import sys

import numpy as np
from sklearn.metrics import f1_score
from skorch.callbacks import LRScheduler

from sk_erts import ERTSClassifier
from sk_erts.datasets import load_ptbxl
from sk_erts.models import ResNet1d
from sk_erts.selection import DBPD, FocusFilter

# The released code renews the selection for each batch, trains what is left of it by
# itself, and ranks by (1 - p) * focus with the mean of the top tenth as focus.
BATCHWISE = {"renewal_interval": "batch", "reuse_scores": False, "norm_records": 0}
RELEASED = FocusFilter(DBPD(0.3), "top_mean", ranking="hard_focus")
SCHEMES = {
    "full data": {"data_dropout": None, "focus": None},
    "batch-wise DBPD": {"focus": None, "easy_share": 0, **BATCHWISE},
    "batch-wise ERTS": {"selection": RELEASED, **BATCHWISE},
    "DBPD": {"focus": None},
    "ERTS": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="the PTB-XL folder, with ptbxl_database.csv")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--schemes", nargs="*", default=list(SCHEMES))
    arguments = parser.parse_args()
    train, valid = (
        load_ptbxl(arguments.folder, folds=folds, single_label=True)
        for folds in (range(1, 9), [9])
    )
    print(f"{len(train.data)} training records, {len(valid.data)} in validation")
    rows = {name: [] for name in arguments.schemes}
    for seed in range(arguments.seeds):
        for name in arguments.schemes:
            clf = ERTSClassifier(
                module=ResNet1d,
                module__width=arguments.width,
                max_epochs=arguments.epochs,
                class_weight="effective",
                lr=3e-4,
                callbacks=[LRScheduler("ExponentialLR", gamma=0.9)],
                random_state=seed,
                verbose=0,
                **SCHEMES[name],
            ).fit(train.data, train.target)
            f1 = f1_score(valid.target, clf.predict(valid.data), average="macro")
            row = (f1, clf.effective_epochs_, clf.scoring_passes_, clf.fit_time_s_)
            rows[name].append(row)
            figures = " ".join(f"{figure:.3f}" for figure in row)
            print(f"seed {seed}, {name}: {figures}", file=sys.stderr, flush=True)
    print("| scheme | macro-F1 | EE | scoring passes | time (s) | time / full |")
    print("|---|---|---|---|---|---|")
    full_time = np.median([row[3] for row in next(iter(rows.values()))])
    for name, runs in rows.items():
        f1, ee, passes, seconds = np.array(runs).T
        ratio = np.median(seconds) / full_time
        print(
            f"| {name} | {f1.mean():.3f} ± {f1.std(ddof=1):.3f} | {ee.mean():.1f} | "
            f"{passes.mean():.1f} | {np.median(seconds):.0f} | {ratio:.2f} |"
        )


if __name__ == "__main__":
    main()
