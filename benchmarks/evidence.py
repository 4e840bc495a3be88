"""What of a map tells wrong labels: the table of evidence in docs/reliability.md.

``python -m benchmarks.evidence <folder above ptbxl>`` makes a tenth of the labels of
PTB-XL (folds 1-9, one superclass per record) wrong, by chance or towards the class that
is most like the right one, trains with data dropout as it comes, without a filter, and
looks at every record after each epoch. Cells are AUROC for "the label is right" among
the records that the network finds hard (p < 0.7), after so many epochs: means over the
seeds. All measures are of the same looks; *mean* is over all looks so far.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from sklearn.metrics import roc_auc_score
from skorch.callbacks import Callback

from benchmarks.corrupted import Data, ptbxl
from benchmarks.where_it_pays import mislabelled
from sk_erts import ERTSClassifier
from sk_erts.attribution import positive_share, strength, support, top_mass
from sk_erts.selection import label_suspicion

EPOCHS = 15
TOLD_AFTER = (5, 8, 12, 15)
HARD = 0.7
SECONDS = 10
KINDS = {"by chance": False, "similar classes": True}


def evidence(module: torch.nn.Module, X: np.ndarray, y: np.ndarray) -> dict:
    """Return logits, the map of the label, and that against its strongest rival."""
    was_training = module.training
    module.eval()
    parts = []
    with torch.inference_mode():
        linear = module.head.linear
        for rows in np.array_split(np.arange(len(X)), max(1, len(X) // 128)):
            z = module.features(torch.from_numpy(X[rows]))
            logits = module.head(z).numpy()
            maps = torch.einsum("nkt,ck->nct", z, linear.weight).numpy()
            maps += linear.bias.numpy()[:, np.newaxis]
            own, at = y[rows], np.arange(len(rows))
            others = logits.copy()
            others[at, own] = -np.inf
            rival = others.argmax(axis=1)
            plain = maps[at, own] - linear.bias.numpy()[own][:, np.newaxis]
            parts.append((logits, plain, maps[at, own] - maps[at, rival]))
    module.train(was_training)
    names = ("logits", "map", "against rival")
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def measures(found: dict, y: np.ndarray, quiet: np.ndarray) -> dict[str, np.ndarray]:
    """Return what each measure says of the labels; higher is more reliable."""
    against = found["against rival"]  # (n, steps)
    seconds = np.array_split(against, SECONDS, axis=1)
    by_second = np.stack([part.mean(axis=1) for part in seconds], axis=1)
    proba = softmax(found["logits"].astype(np.float64), axis=1)
    scale = np.abs(against).mean(axis=1, keepdims=True) + 1e-9
    return {
        "paper's top mass": top_mass(found["map"]),
        "strength": strength(found["map"]),
        "margin of the probabilities": 1 - 2 * label_suspicion(y, proba),
        "balance": positive_share(against),
        "support": support(against),
        "support by second": (by_second > 0).mean(axis=1),
        "support of the quieter half of the seconds": (
            (by_second > 0) * quiet / quiet.sum(axis=1, keepdims=True)
        ).sum(axis=1),
        "weakest second": (by_second / scale).min(axis=1),
        "strongest second": (by_second / scale).max(axis=1),
        "agreement of the seconds": by_second.mean(axis=1)
        / (by_second.std(axis=1) + 1e-9),
    }


def quiet_seconds(X: np.ndarray) -> np.ndarray:
    """Return which seconds of a record are less noisy than its median one."""
    parts = np.array_split(X, SECONDS, axis=2)
    noise = np.stack(
        [
            np.median(np.abs(np.diff(part, n=3, axis=2)).mean(axis=2), axis=1)
            for part in parts
        ],
        axis=1,
    )
    return noise <= np.median(noise, axis=1, keepdims=True)


class Watch(Callback):
    """Look at every record after each epoch."""

    def __init__(self, X: np.ndarray, given: np.ndarray, right: np.ndarray) -> None:
        self.X, self.given, self.right = X, given, right
        self.quiet = quiet_seconds(X)
        self.sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(X)))
        self.n_looks = 0
        self.auroc: dict[tuple[str, int], float] = {}

    def __deepcopy__(self, memo: dict) -> Watch:
        return self  # the estimator copies its callbacks, and this one is read later

    def on_epoch_end(self, net, **kwargs) -> None:
        found = evidence(net.module_, self.X, self.given)
        self.n_looks += 1
        now = measures(found, self.given, self.quiet)
        proba = softmax(found["logits"], axis=1)
        hard = proba[np.arange(len(self.given)), self.given] < HARD
        for name, scores in now.items():
            self.sums[name] += scores
            for kind, told in ((", one look", scores), (", mean", self.sums[name])):
                if self.n_looks in TOLD_AFTER:
                    self.auroc[name + kind, self.n_looks] = roc_auc_score(
                        self.right[hard], told[hard]
                    )


def run(data: Data, similar: bool, width: int, seed: int) -> dict:
    """Train once, and return the AUROC of each measure by epoch."""
    rows = np.arange(len(data.y))
    given = mislabelled(data, rows, 0.1, similar, np.random.default_rng(seed))
    watch = Watch(data.X, given, given == data.y)
    ERTSClassifier(
        module__width=width,
        max_epochs=EPOCHS,
        focus=None,
        callbacks=[("watch", watch)],
        random_state=seed,
        verbose=0,
    ).fit(data.X, given)
    return watch.auroc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = ptbxl(arguments.folder)
    found = {
        kind: [
            run(data, similar, arguments.width, seed) for seed in range(arguments.seeds)
        ]
        for kind, similar in KINDS.items()
    }
    print(f"| measure | {' | '.join(KINDS)} |\n|---|---|---|")
    names = dict.fromkeys(name for name, _ in found["by chance"][0])
    for name in sorted(names, key=lambda name: name.endswith("mean")):
        cells = [
            " / ".join(
                f"{np.mean([each[name, epoch] for each in runs]):.3f}"
                for epoch in TOLD_AFTER
            )
            for runs in found.values()
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
