"""What selected steps do to batch normalisation, on real PTB-XL.

Trains ERTS on folds 1-8 without renewing the statistics of normalisation layers and
without a revision epoch, and scores on fold 9 twice: with the network as it is, and
with the same weights after the statistics were estimated anew from 256 records drawn
at random.
"""

import argparse

import numpy as np
import torch
from sklearn.metrics import f1_score

from sk_erts import ERTSClassifier
from sk_erts._network.normalisation import renewed_statistics
from sk_erts.datasets import load_ptbxl
from sk_erts.models import ResNet1d
from sk_erts.selection import DBPD, FocusFilter, Rehearsal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="the PTB-XL folder, with ptbxl_database.csv")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=11)
    arguments = parser.parse_args()
    train, valid = (
        load_ptbxl(arguments.folder, folds=folds, single_label=True)
        for folds in (range(1, 9), [9])
    )
    print("| easy records trained | seed | macro-F1 as it is | statistics renewed |")
    print("|---|---|---|---|")
    for easy_share in (0.1, 0.0):
        for seed in range(arguments.seeds):
            clf = ERTSClassifier(
                module=ResNet1d,
                module__width=16,
                max_epochs=arguments.epochs,
                class_weight="effective",
                lr=3e-4,
                selection=Rehearsal(
                    FocusFilter(DBPD(0.3), "top_mass", 0.2), easy_share, weight=1
                ),
                looks__probe_records=0,
                warmup_epochs=(5, 3),
                random_state=seed,
                verbose=0,
            ).fit(train.data, train.target)
            before = score(clf, valid)
            renew(clf, train, np.random.default_rng(seed))
            after = score(clf, valid)
            row = f"| {easy_share:.0%} | {seed} | {before:.3f} | {after:.3f} |"
            print(row, flush=True)


def score(clf: ERTSClassifier, valid) -> float:
    return f1_score(valid.target, clf.predict(valid.data), average="macro")


def renew(clf: ERTSClassifier, train, rng: np.random.Generator) -> None:
    module = clf.net_.module_.train()
    with renewed_statistics(module), torch.no_grad():
        for index in np.array_split(rng.permutation(len(train.data))[:256], 4):
            module(torch.from_numpy(train.data[index]))


if __name__ == "__main__":
    main()
