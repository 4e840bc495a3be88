"""Time one training on several processes, on several threads, and alone.

``python -m benchmarks.processes <folder above ptbxl>`` trains the same network on one
thread, on two threads and on two processes, in turns, and prints medians and ranges.
The score stands beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import distributed

from benchmarks.data import ptbxl
from sk_erts import ERTSClassifier

# Processes, and threads of each.
WAYS = {
    "one process, one thread": (1, 1),
    "one process, two threads": (1, 2),
    "two processes, one thread each": (2, 1),
}


def train(args: argparse.Namespace) -> None:
    """Train, alone or as one of several, and tell how it went."""
    torch.set_num_threads(args.n_threads)
    data = ptbxl(args.folder)
    group = None
    if int(os.environ["WORLD_SIZE"]) > 1:
        distributed.init_process_group("gloo")
        group = distributed.group.WORLD
    clf = ERTSClassifier(
        module__width=args.width, max_epochs=args.epochs, random_state=0, verbose=0
    )
    clf.fit(data.X, data.y, process_group=group)
    if group is None or distributed.get_rank() == 0:
        proba = clf.predict_proba(data.X_test)
        told = {
            "s": clf.fit_time_s_ / args.epochs,
            "EE": clf.effective_epochs_,
            "AUC": roc_auc_score(data.y_test, proba, multi_class="ovr"),
        }
        args.told.write_text(json.dumps(told))
    if group is not None:
        distributed.destroy_process_group()


def trained(args: argparse.Namespace, n_processes: int, n_threads: int) -> dict:
    """Return what processes of their own tell of a training."""
    args.told.unlink(missing_ok=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(n_processes), "-m", "benchmarks.processes"),
            *(str(args.folder), "--width", str(args.width)),
            *("--epochs", str(args.epochs), "--told", str(args.told)),
            *("--n-threads", str(n_threads)),
        ],
        env={**os.environ, "OMP_NUM_THREADS": str(n_threads)},
        check=True,
    )
    return json.loads(args.told.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--widths", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--width", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--n-threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--told", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.n_threads is not None:
        train(args)
        return
    folder = tempfile.TemporaryDirectory()
    args.told = Path(folder.name, "told.json")
    print("| width | | time per epoch (s) | EE | macro-AUC |")
    print("|---|---|---|---|---|")
    for width in args.widths:
        args.width = width
        rows = {name: [] for name in WAYS}
        for _ in range(args.turns):
            for name, way in WAYS.items():
                rows[name].append(trained(args, *way))
        for name, own in rows.items():
            seconds = np.array([row["s"] for row in own])
            print(
                f"| {width} | {name} | {np.median(seconds):.2f} "
                f"({seconds.min():.2f}-{seconds.max():.2f}) | {own[0]['EE']:.2f} "
                f"| {own[0]['AUC']:.3f} |",
                flush=True,
            )
    folder.cleanup()


if __name__ == "__main__":
    main()
