"""What a checkpoint after each epoch costs: time, bytes, and nothing of the result.

``python -m benchmarks.checkpoint <folder above ptbxl>`` trains the same network with
and without, in turn, and prints medians. The score stands beside them, and is the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from benchmarks.corrupted import ptbxl
from sk_erts import ERTSClassifier


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--widths", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    data = ptbxl(args.folder)
    train, test = data.part != 2, data.part == 2
    print("| width | | time per epoch (s) | checkpoint (MB) | macro-AUC |")
    print("|---|---|---|---|---|")
    for width in args.widths:
        times: dict[str, list[float]] = {"without": [], "with": []}
        scores, size = {}, 0.0
        for _ in range(args.repeats):
            for name, own in times.items():
                clf = ERTSClassifier(
                    module__width=width,
                    max_epochs=args.epochs,
                    random_state=0,
                    verbose=0,
                )
                with tempfile.TemporaryDirectory() as folder:
                    kept = {"checkpoint": folder} if name == "with" else {}
                    begin = time.perf_counter()
                    clf.fit(data.X[train], data.y[train], **kept)
                    own.append((time.perf_counter() - begin) / args.epochs)
                    for path in Path(folder).glob("last*"):
                        size = path.stat().st_size / 1e6
                proba = clf.predict_proba(data.X[test])
                scores[name] = roc_auc_score(data.y[test], proba, multi_class="ovr")
        for name, own in times.items():
            told = f"{size:.1f}" if name == "with" else ""
            print(
                f"| {width} | {name} | {np.median(own):.2f} | {told} "
                f"| {scores[name]:.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
