"""Whether a Grad-CAM map costs less here than elsewhere.

`explain` against captum's ``LayerGradCam`` and against the Grad-CAM of the textbook,
which keeps activations and gradients by hooks and goes backward through the whole
network. All explain the same class of the same records with the same network, batch by
batch, rectify the maps and interpolate them to the samples. Time is the median of the
ratios of turns, in each of which all three run; memory is what the peak of a process
grows by. The signals are noise: nothing here depends on what is in them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from captum.attr import LayerGradCam
from torch import nn
from torch.nn import functional

from benchmarks.overhead import timed
from sk_erts import ERTSClassifier

N_CLASSES = 5
BATCH_SIZE = 128

Explain = Callable[[], np.ndarray]


def fitted(width: int, n: int) -> tuple[ERTSClassifier, np.ndarray, np.ndarray]:
    """Return a classifier that has seen a few records, records and their classes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 12, 1000)).astype(np.float32)
    y = np.arange(n) % N_CLASSES
    clf = ERTSClassifier(
        module__width=width, max_epochs=1, focus=None, random_state=0, verbose=0
    )
    return clf.fit(X[:N_CLASSES], y[:N_CLASSES]), X, y


def in_batches(
    explain: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    X: np.ndarray,
    y: np.ndarray,
) -> np.ndarray:
    """Explain batches by a function of tensors, as a careful user would."""
    maps = []
    for start in range(0, len(X), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        own = explain(torch.from_numpy(X[part]), torch.from_numpy(y[part]))
        whole = functional.interpolate(
            own.clamp(min=0), X.shape[-1], mode="linear", align_corners=True
        )
        maps.append(whole[:, 0].detach().numpy())
    return np.concatenate(maps)


def by_captum(module: nn.Module, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    cam = LayerGradCam(module.eval(), module.features)
    return in_batches(lambda x, target: cam.attribute(x, target=target), X, y)


def by_hooks(module: nn.Module, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    kept: dict[str, torch.Tensor] = {}

    def keep(_: nn.Module, __: object, z: torch.Tensor) -> None:
        kept["z"] = z
        z.register_hook(lambda gradient: kept.update(gradient=gradient))

    def explain(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        module.zero_grad()
        module(x).gather(1, target[:, None]).sum().backward()
        weights = kept["gradient"].mean(dim=2, keepdim=True)
        return (kept["z"] * weights).sum(dim=1, keepdim=True)  # (n, 1, steps)

    module.eval()
    handle = module.features.register_forward_hook(keep)
    try:
        return in_batches(explain, X, y)
    finally:
        handle.remove()


def ways(width: int, n: int) -> dict[str, Explain]:
    clf, X, y = fitted(width, n)
    module = clf.net_.module_
    return {
        "explain": lambda: clf.explain(X, target=y),
        "captum LayerGradCam": lambda: by_captum(module, X, y),
        "hooks and backward": lambda: by_hooks(module, X, y),
    }


def memory(way: str, width: int, n: int) -> float:
    """Megabytes by which the peak of a process of its own grows."""
    code = (
        f"from benchmarks.explaining import grown; print(grown({way!r}, {width}, {n}))"
    )
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def grown(way: str, width: int, n: int) -> float:
    explain = ways(width, n)[way]
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak_mb()
    explain()
    return peak_mb() - before


def peak_mb() -> float:
    """Peak of the resident memory of this process, as Linux tells it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--records", type=int, default=512)
    args = parser.parse_args()
    print("| width | Grad-CAM by | ms / record | time / explain | peak grows by |")
    print("|---|---|---|---|---|")
    for width in (16, 32):
        each = ways(width, args.records)
        maps = {name: explain() for name, explain in each.items()}
        for name, found in maps.items():
            np.testing.assert_allclose(
                found, maps["explain"], atol=1e-5 * maps["explain"].max(), err_msg=name
            )
        seconds = np.array(  # (turns, ways)
            [[timed(explain) for explain in each.values()] for _ in range(args.turns)]
        )
        ratios = seconds / seconds[:, :1]
        for k, name in enumerate(each):
            low, middle, high = np.percentile(ratios[:, k], [25, 50, 75])
            each_ms = np.median(seconds[:, k]) / args.records * 1e3
            peak = memory(name, width, args.records)
            print(
                f"| {width} | {name} | {each_ms:.2f} | {middle:.2f} ({low:.2f}-"
                f"{high:.2f}) | {peak:.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
