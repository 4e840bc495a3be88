"""Can the maps of a network that explains itself be read? ECGIMN on real PTB-XL.

``python -m benchmarks.ecg_imn_maps <PTB-XL folder> --figure maps.png`` trains the
network with several weights of its smoothness to tell conduction disturbances from
normal records, on crops of 2.5 s, one minute each on one idle core. Of records of fold
9 it prints

AUC
    of the whole logit; of the bias alone, and of the map alone.
bias
    The share of the variance of the logit, over records, that comes with the bias: what
    the map does not tell.
roughness
    Mean square of the change of the weights from sample to sample, in units of their
    mean square: 2 for noise.
against
    Sum of the sizes of all contributions over the size of their sum: 1 where all point
    one way.

The figure has the record that both of the first and last network are surest of. With
``--weights`` networks are kept in a folder, and not trained anew if they are there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # figures go to files: no screen is needed

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from sk_erts._network.logits import logits_of
from sk_erts.datasets import STANDARD_LEADS, load_ptbxl
from sk_erts.models import ECGIMN
from sk_erts.models._ecg_imn import roughness
from sk_erts.plotting import ECGDisplay

CLASSES = ["CD", "NORM"]
FS, CROP = 100, 250
N_TRAIN, EPOCHS, BATCH_SIZE, WIDTH = 960, 3, 32, 4


def load(folder: Path, folds) -> tuple[torch.Tensor, torch.Tensor]:
    """Return records (n, leads, times) in mV, and 1 for NORM."""
    ptbxl = load_ptbxl(folder, folds=folds, single_label=True)
    rows = np.flatnonzero(np.isin(ptbxl.target, CLASSES))
    X = torch.from_numpy(np.stack([ptbxl.data[row] for row in rows]))
    return X, torch.from_numpy(np.searchsorted(CLASSES, ptbxl.target[rows]))


def centred(X: torch.Tensor) -> torch.Tensor:
    """Take the mean of each lead away, of which weights would make evidence."""
    return X - X.mean(dim=-1, keepdim=True)


def train(X: torch.Tensor, y: torch.Tensor, smoothness: float) -> ECGIMN:
    rows = np.random.default_rng(0).permutation(len(X))[:N_TRAIN]
    X, y = X[rows], y[rows]
    torch.manual_seed(0)
    network = ECGIMN(X.shape[1], len(CLASSES), WIDTH, smoothness=smoothness)
    counts = torch.bincount(y).float()
    weight = len(y) / len(counts) / counts
    n_steps = len(X) // BATCH_SIZE
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.01, total_steps=n_steps * EPOCHS
    )
    generator = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        order = torch.randperm(len(X), generator=generator)
        for step in range(n_steps):
            batch = order[BATCH_SIZE * step :][:BATCH_SIZE]
            start = int(torch.randint(X.shape[2] - CROP, (1,), generator=generator))
            output = network(centred(X[batch][..., start : start + CROP]))
            loss = nn.functional.cross_entropy(
                logits_of(output), y[batch], weight=weight
            )
            loss = loss + network.penalty(output, y[batch]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def kept(folder: Path | None, X, y, smoothness: float) -> ECGIMN:
    """Return a network of a folder, or train it and keep it there."""
    if folder is None:
        return train(X, y, smoothness)
    path = folder / f"ecg_imn_{smoothness:g}.pt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(train(X, y, smoothness).state_dict(), path)
    network = ECGIMN(X.shape[1], len(CLASSES), WIDTH, smoothness=smoothness)
    network.load_state_dict(torch.load(path))
    return network.eval()


def row_of(network: ECGIMN, X: torch.Tensor, y: torch.Tensor) -> str:
    """Return what the margin of the logits, CD against NORM, is made of."""
    with torch.no_grad():
        margin, bias = (
            torch.cat([each[:, 0] - each[:, 1] for each in map(say, X.split(25))])
            for say in (network, network.bias)
        )
        parts = torch.cat([evidence(network, x) for x in X.split(25)])
        rough = torch.cat([roughness(network.weights(x), None) for x in X.split(25)])
    ill = y == 0
    aucs = [roc_auc_score(ill, each) for each in (margin, bias, margin - bias)]
    share = torch.cov(torch.stack([bias, margin]))[0, 1] / margin.var()
    sizes = parts.abs().sum(dim=(1, 2)) / parts.sum(dim=(1, 2)).abs()
    return (
        f"{network.smoothness:g} | {' | '.join(f'{auc:.3f}' for auc in aucs)} | "
        f"{share:.0%} | {rough.mean():.4f} | {sizes.median():.1f}"
    )


def evidence(network: ECGIMN, x: torch.Tensor) -> torch.Tensor:
    """Return what each sample contributes for CD against NORM (n, leads, times)."""
    with torch.no_grad():
        parts = network.contributions(x)
    return parts[:, 0] - parts[:, 1]


def draw(networks: dict[str, ECGIMN], record: torch.Tensor, path: Path) -> None:
    """Draw the map of a record by each network, side by side."""
    figure, axes = plt.subplots(1, len(networks), figsize=(9, 11), layout="constrained")
    for ax, (title, network) in zip(axes, networks.items(), strict=True):
        ECGDisplay.from_arrays(
            record.numpy(),
            evidence(network, record[None])[0].numpy(),
            fs=FS,
            lead_names=STANDARD_LEADS,
            explained="CD",
            heat_unit="logit",
            ax=ax,
        )
        ax.set_title(title)
    figure.savefig(path, dpi=60)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="with ptbxl_database.csv")
    parser.add_argument("--smoothness", nargs="+", type=float, default=[0, 0.3])
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--weights", type=Path, help="folder of trained networks")
    options = parser.parse_args()
    X, y = load(options.folder, range(1, 9))
    X_test, y_test = load(options.folder, [9])
    X_test = centred(X_test[..., :CROP])
    print("| smoothness | AUC | of bias | of map | bias | roughness | against |")
    print("|---|---|---|---|---|---|---|")
    networks = {}
    for smoothness in options.smoothness:
        network = kept(options.weights, X, y, smoothness)
        networks[f"smoothness {smoothness:g}"] = network
        print(f"| {row_of(network, X_test, y_test)} |", flush=True)
    if options.figure is not None:
        names = list(networks)
        ends = {name: networks[name] for name in (names[0], names[-1])}
        ill = X_test[y_test == 0]
        with torch.no_grad():
            sure = [n(ill)[:, 0] - n(ill)[:, 1] for n in ends.values()]
        record = ill[int(torch.stack(sure).amin(dim=0).argmax())]
        draw(ends, record, options.figure)


if __name__ == "__main__":
    main()
