"""The same small task done by this package and by others, side by side.

Three tasks on PTB-XL, records of one superclass. *training*: the same network, records,
batches and epochs, by a loop of plain torch, skorch, braindecode, tsai, deepecgkit, the
papers' released scheme, and this package on full data and as it comes. *maps*: Grad-CAM
of the same network by captum, pytorch-grad-cam and `explain`. *labels*: planted wrong
labels, ranked by cleanlab and by `audit`.

Packages that are missing, or do not import, are named and skipped. Times are those of
the processor, of one thread, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from torch import nn
from torch.nn import functional

from benchmarks.loops import Released
from benchmarks.schemes import warm_up
from sk_erts import ERTSClassifier
from sk_erts.datasets import load_ptbxl
from sk_erts.models import ResNet1d

BATCH_SIZE = 32
LR = 2e-3
EXPLAINED = 256
N_FOLDS = 5
RELEASED = "ERTS as released, written anew"
SKIPPED: dict[str, str] = {}


@dataclass(frozen=True)
class Task:
    """Records (n, n_leads, n_times) in mV, class codes, and how they are learned."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    width: int
    epochs: int
    seed: int

    def network(self) -> ResNet1d:
        torch.manual_seed(self.seed)
        n_classes = int(self.y.max()) + 1
        return ResNet1d(self.X.shape[1], n_classes, width=self.width)


def load(folder: Path, args: argparse.Namespace, seed: int) -> Task:
    train, test = (
        load_ptbxl(folder / "ptbxl", folds=folds, single_label=True)
        for folds in (args.folds, [8, 9])
    )
    classes = np.unique(train.target)
    n_times = args.seconds * train.fs
    return Task(
        *(
            array
            for part in (train, test)
            for array in (
                np.ascontiguousarray(part.data[..., :n_times]),
                np.searchsorted(classes, part.target),
            )
        ),
        width=args.width,
        epochs=args.epochs,
        seed=seed,
    )


def cpu(call: Callable[[], object]) -> tuple[object, float]:
    start = time.process_time()
    found = call()
    return found, time.process_time() - start


def probabilities(network: nn.Module, X: np.ndarray) -> np.ndarray:
    network.eval()
    with torch.inference_mode():
        parts = [network(x).softmax(dim=1) for x in torch.from_numpy(X).split(128)]
    return torch.cat(parts).numpy()


# What a user writes to train a network and to ask it; each returns the probabilities of
# the test records. Lines of these functions are counted, those of imports are not.


def plain_torch(task: Task) -> np.ndarray:
    network = task.network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, task.epochs)
    X, y = torch.from_numpy(task.X), torch.from_numpy(task.y)
    for _ in range(task.epochs):
        network.train()
        for index in torch.randperm(len(X)).split(BATCH_SIZE):
            optimizer.zero_grad()
            functional.cross_entropy(network(X[index]), y[index]).backward()
            optimizer.step()
        schedule.step()
    network.eval()
    with torch.inference_mode():
        logits = [network(x) for x in torch.from_numpy(task.X_test).split(128)]
    return torch.cat(logits).softmax(dim=1).numpy()


def with_skorch(task: Task) -> np.ndarray:
    from skorch import NeuralNetClassifier
    from skorch.callbacks import LRScheduler

    net = NeuralNetClassifier(
        task.network(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=LR,
        max_epochs=task.epochs,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[LRScheduler("CosineAnnealingLR", T_max=task.epochs)],
        verbose=0,
    )
    return net.fit(task.X, task.y).predict_proba(task.X_test)


def with_braindecode(task: Task) -> np.ndarray:
    from braindecode import EEGClassifier
    from skorch.callbacks import LRScheduler

    net = EEGClassifier(
        task.network(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=LR,
        max_epochs=task.epochs,
        batch_size=BATCH_SIZE,
        train_split=None,
        callbacks=[LRScheduler("CosineAnnealingLR", T_max=task.epochs)],
        verbose=0,
    )
    return net.fit(task.X, task.y).predict_proba(task.X_test)


def with_tsai(task: Task) -> np.ndarray:
    from tsai.basics import TSClassification, TSClassifier

    learner = TSClassifier(
        task.X,
        task.y,
        tfms=[None, TSClassification()],
        arch=task.network(),
        batch_size=BATCH_SIZE,
        metrics=None,
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit_flat_cos(task.epochs, LR, pct_start=0)
        return learner.get_X_preds(task.X_test)[0].numpy()


def with_torch_ecg(task: Task) -> np.ndarray:
    from torch_ecg.components.trainer import BaseTrainer

    records = torch.utils.data.TensorDataset(
        torch.from_numpy(task.X), torch.from_numpy(task.y)
    )

    class Trainer(BaseTrainer):
        batch_dim = 0
        extra_required_train_config_fields: ClassVar[list[str]] = []

        def run_one_step(self, x, y):
            return self.model(x), y

        def evaluate(self, data_loader):
            return {}

        def _setup_dataloaders(self, train_dataset=None, val_dataset=None):
            self.train_loader = torch.utils.data.DataLoader(
                records, self.batch_size, shuffle=True
            )

    network = task.network()
    with TemporaryDirectory() as folder:
        config = {
            "classes": list(range(task.y.max() + 1)),
            "checkpoints": folder,
            "model_dir": folder,
            "log_dir": folder,
            "txt_logger": False,
            "keep_checkpoint_max": 0,
            "loss": "CrossEntropyLoss",
            "optimizer": "AdamW",
            "learning_rate": LR,
            "max_lr": LR,
            "lr_scheduler": "one_cycle",
            "n_epochs": task.epochs,
            "batch_size": BATCH_SIZE,
        }
        Trainer(network, torch.utils.data.TensorDataset, {}, config).train()
    return probabilities(network, task.X_test)


def with_deepecgkit(task: Task) -> np.ndarray:
    from deepecgkit.training import ECGTrainer

    network = task.network()
    records = torch.utils.data.TensorDataset(
        torch.from_numpy(task.X), torch.from_numpy(task.y)
    )
    loaders = SimpleNamespace(
        train_dataloader=lambda: torch.utils.data.DataLoader(
            records, BATCH_SIZE, shuffle=True
        ),
        val_dataloader=list,
    )
    trainer = ECGTrainer(network, {"learning_rate": LR}, use_plateau_scheduler=False)
    trainer.fit(
        loaders,
        epochs=task.epochs,
        early_stopping_patience=task.epochs + 1,
        progress_bar=False,
    )
    return probabilities(network, task.X_test)


def as_released(task: Task) -> np.ndarray:
    network = task.network()
    Released(
        torch.from_numpy(task.X),
        torch.from_numpy(task.y),
        torch.ones(task.y.max() + 1),
        epochs=task.epochs,
        batch_size=BATCH_SIZE,
        lr=LR,
        seed=task.seed,
    ).fit(network)
    return probabilities(network, task.X_test)


def on_full_data(task: Task) -> np.ndarray:
    clf = ERTSClassifier(
        ResNet1d,
        module__width=task.width,
        data_dropout=None,
        focus=None,
        lr=LR,
        max_epochs=task.epochs,
        batch_size=BATCH_SIZE,
        random_state=task.seed,
        verbose=0,
    )
    return clf.fit(task.X, task.y).predict_proba(task.X_test)


def as_it_comes(task: Task) -> np.ndarray:
    clf = ERTSClassifier(
        ResNet1d,
        module__width=task.width,
        lr=LR,
        max_epochs=task.epochs,
        batch_size=BATCH_SIZE,
        random_state=task.seed,
        verbose=0,
    )
    return clf.fit(task.X, task.y).predict_proba(task.X_test)


TRAININGS = {
    "plain torch": (plain_torch, "torch"),
    "skorch": (with_skorch, "skorch"),
    "braindecode": (with_braindecode, "braindecode"),
    "tsai": (with_tsai, "tsai.basics"),
    "torch_ecg": (with_torch_ecg, "torch_ecg.components.trainer"),
    "deepecgkit": (with_deepecgkit, "deepecgkit.training"),
    RELEASED: (as_released, "torch"),
    "sk_erts, full data": (on_full_data, "sk_erts"),
    "sk_erts, as it comes": (as_it_comes, "sk_erts"),
}


def lines(function: Callable[..., object]) -> int:
    """Count the lines of a body, and of what it shares, without imports and blanks."""
    body = inspect.getsource(function).splitlines()[1:]
    code = [line.strip() for line in body if line.strip()]
    own = sum(not line.startswith(("from ", "import ")) for line in code)
    return own + (lines(probabilities) if "probabilities(" in " ".join(code) else 0)


def train(task: Task, name: str) -> dict:
    """Train once, and score the records of other folds."""
    function = TRAININGS[name][0]
    proba, seconds = cpu(lambda: function(task))
    predicted = proba.argmax(axis=1)
    return {
        "AUC": roc_auc_score(task.y_test, proba, multi_class="ovr"),
        "F1": f1_score(task.y_test, predicted, average="macro"),
        "seconds": seconds,
    }


# Grad-CAM maps of one network, each over its own maximum; (n, times).


def by_explain(clf: ERTSClassifier, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return clf.explain(X, target=y)


def by_captum(clf: ERTSClassifier, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    whole = functional.interpolate(
        captum_steps(clf, X, y), X.shape[-1], mode="linear", align_corners=True
    )
    return whole[:, 0].numpy()


def captum_steps(clf: ERTSClassifier, X: np.ndarray, y: np.ndarray) -> torch.Tensor:
    """Return maps (n, 1, steps), before anything is interpolated."""
    from captum.attr import LayerGradCam

    module = clf.net_.module_.eval()
    cam = LayerGradCam(module, module.features)
    parts = zip(*(torch.from_numpy(a).split(128) for a in (X, y)), strict=True)
    return torch.cat(
        [
            cam.attribute(x, target=target, relu_attributions=True).detach()
            for x, target in parts
        ]
    )


def as_an_image(steps: torch.Tensor, n_times: int) -> np.ndarray:
    """Scale maps to [0, 1], give each step its stretch, and scale once more."""

    def to_unit(maps: torch.Tensor) -> torch.Tensor:
        maps = maps - maps.amin(dim=2, keepdim=True)
        return maps / (1e-7 + maps.amax(dim=2, keepdim=True))

    whole = functional.interpolate(
        to_unit(steps), n_times, mode="linear", align_corners=False
    )
    return to_unit(whole)[:, 0].numpy()


class AsImage(nn.Module):
    """Take records for images of one row, as pytorch-grad-cam knows no others."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x[:, :, 0])


def by_pytorch_grad_cam(
    clf: ERTSClassifier, X: np.ndarray, y: np.ndarray
) -> np.ndarray:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    module = clf.net_.module_
    maps = []
    with GradCAM(
        AsImage(module), [module.features], lambda z: z.unsqueeze(2)
    ) as grad_cam:
        for x, target in zip(
            *(torch.from_numpy(a).split(128) for a in (X, y)), strict=True
        ):
            targets = [ClassifierOutputTarget(int(c)) for c in target]
            maps.append(grad_cam(x.unsqueeze(2), targets)[:, 0])
    return np.concatenate(maps)


def by_tsai(clf: ERTSClassifier, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return tsai_maps(clf, X, y, batch_size=1)


def by_tsai_in_batches(clf: ERTSClassifier, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return tsai_maps(clf, X, y, batch_size=128)


def tsai_maps(
    clf: ERTSClassifier, X: np.ndarray, y: np.ndarray, batch_size: int
) -> np.ndarray:
    from tsai.models.explainability import get_attribution_map

    module = clf.net_.module_
    maps = []
    for x, target in zip(
        *(torch.from_numpy(a).split(batch_size) for a in (X, y)), strict=True
    ):
        own = get_attribution_map(module, module.features, x, target)
        own = own.reshape(len(x), -1, own.shape[-1])[:, :1]  # the same for each lead
        whole = functional.interpolate(
            own, X.shape[-1], mode="linear", align_corners=True
        )
        maps.append(whole[:, 0].numpy())
    return np.concatenate(maps)


MAPS = {
    "sk_erts, explain": (by_explain, "sk_erts"),
    "captum LayerGradCam": (by_captum, "captum"),
    "pytorch-grad-cam GradCAM": (by_pytorch_grad_cam, "pytorch_grad_cam"),
    "tsai get_attribution_map, one by one": (by_tsai, "tsai.basics"),
    "tsai get_attribution_map, in batches": (by_tsai_in_batches, "tsai.basics"),
}


def scaled(maps: np.ndarray) -> np.ndarray:
    """Divide each map by its maximum; maps without evidence stay zero."""
    return maps / np.maximum(maps.max(axis=1, keepdims=True), 1e-12)


def maps_table(task: Task, turns: int) -> str:
    """Compare maps of the test records, and the time they take."""
    clf = ERTSClassifier(
        ResNet1d,
        module__width=task.width,
        data_dropout=None,
        focus=None,
        max_epochs=1,
        random_state=task.seed,
        verbose=0,
    ).fit(task.X, task.y)
    X, y = task.X_test[:EXPLAINED], task.y_test[:EXPLAINED]
    each = {name: way for name, (way, module) in MAPS.items() if there(module)}
    found = {name: scaled(way(clf, X, y)) for name, way in each.items()}
    own = found["sk_erts, explain"]
    seconds = np.array(  # (turns, ways)
        [
            [cpu(lambda w=way: w(clf, X, y))[1] for way in each.values()]
            for _ in range(turns)
        ]
    )
    table = [
        "| Grad-CAM by | ms / record | time / explain | greatest difference to explain "
        "| the same, scaled and interpolated as it does |",
        "|---|---|---|---|---|",
    ]
    for k, name in enumerate(each):
        same = own
        if name.startswith("pytorch") and there("captum"):
            same = scaled(as_an_image(captum_steps(clf, X, y), X.shape[-1]))
        table.append(
            f"| {name} | {np.median(seconds[:, k]) / len(X) * 1e3:.2f} "
            f"| {np.median(seconds[:, k] / seconds[:, 0]):.2f} "
            f"| {np.abs(found[name] - own).max():.1e} "
            f"| {np.abs(found[name] - same).max():.1e} |"
        )
    return "\n".join(table)


def plant(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return labels of which a share is another class, by chance."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(y))[: round(share * len(y))]
    given = y.copy()
    n_classes = y.max() + 1
    given[rows] = (y[rows] + rng.integers(1, n_classes, len(rows))) % n_classes
    return given


def classifier(task: Task, **parameters: object) -> ERTSClassifier:
    return ERTSClassifier(
        ResNet1d,
        module__width=task.width,
        lr=LR,
        max_epochs=task.epochs,
        batch_size=BATCH_SIZE,
        random_state=task.seed,
        verbose=0,
        **parameters,
    )


FULL = {"data_dropout": None, "focus": None}


def find_labels(task: Task, share: float) -> dict[str, dict]:
    """Rank records by how wrong their labels seem, and say which are called wrong."""
    given = plant(task.y, share, task.seed)
    wrong = given != task.y
    rows = {}

    def add(name: str, suspicion: np.ndarray, called: np.ndarray, cost: tuple) -> None:
        rows[name] = {
            "AUROC": roc_auc_score(wrong, suspicion),
            "precision": wrong[called].mean() if called.any() else 0.0,
            "recall": called[wrong].mean(),
            "called": int(called.sum()),
            "trainings": cost[0],
            "seconds": cost[1],
        }

    for name, parameters in {
        "audit, full data": FULL,
        "audit, as it comes": {},
    }.items():
        table, seconds = cpu(
            lambda p=parameters: (
                classifier(task, **p).fit(task.X, given).audit(task.X, given)
            )
        )
        suspicion = table.set_index("record")["suspicion"].sort_index().to_numpy()
        add(f"sk_erts, {name}", suspicion, suspicion > 0.5, (1, seconds))
    if there("cleanlab"):
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=task.seed)
        proba, seconds = cpu(
            lambda: cross_val_predict(
                classifier(task, **FULL),
                task.X,
                given,
                cv=folds,
                method="predict_proba",
            )
        )
        called = find_label_issues(given, proba, n_jobs=1)
        for method in ("self_confidence", "normalized_margin"):
            quality = get_label_quality_scores(given, proba, method=method)
            add(f"cleanlab, {method}", -quality, called, (N_FOLDS, seconds))
    return rows


def there(module: str) -> bool:
    """Whether a package can be imported; if not, the reason is kept."""
    name = module.partition(".")[0]
    if name in ("tsai", "pytorch_grad_cam"):
        declare_operators()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(module)
    except (ImportError, RuntimeError, OSError) as error:
        SKIPPED[name] = f"{type(error).__name__}: {error}"
    return name not in SKIPPED


def declare_operators() -> None:
    """Let torchvision be imported beside a CPU build of torch.

    Its wheel is for CUDA, so that its operators do not load, and its import ends where
    it describes two of them. Neither package calls one here.
    """
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return
    except RuntimeError:
        global _operators
        _operators = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            _operators.define(
                f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )


def across(rows: list[dict], key: str) -> np.ndarray:
    return np.array([row[key] for row in rows])


def median(values: np.ndarray, form: str = ".3f") -> str:
    """Return the median and, of several seeds, the range."""
    if len(values) < 2:
        return f"{values[0]:{form}}"
    return f"{np.median(values):{form}} ({values.min():{form}}-{values.max():{form}})"


def trainings_table(rows: dict[str, list[dict]]) -> str:
    table = [
        "| trained by | macro-AUC | macro-F1 | seconds | time / the first | lines |",
        "|---|---|---|---|---|---|",
    ]
    first = across(next(iter(rows.values())), "seconds")
    for name, own in rows.items():
        seconds = across(own, "seconds")
        table.append(
            f"| {name} | {median(across(own, 'AUC'))} | {median(across(own, 'F1'))} "
            f"| {median(seconds, '.1f')} | {np.median(seconds / first):.2f} "
            f"| {'' if name == RELEASED else lines(TRAININGS[name][0])} |"
        )
    return "\n".join(table)


def labels_table(rows: dict[str, list[dict]]) -> str:
    table = [
        "| wrong labels by | AUROC | called wrong | of these wrong "
        "| of the wrong called | trainings | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, own in rows.items():
        table.append(
            f"| {name} | {median(across(own, 'AUROC'))} "
            f"| {median(across(own, 'called'), '.0f')} "
            f"| {median(across(own, 'precision'), '.2f')} "
            f"| {median(across(own, 'recall'), '.2f')} "
            f"| {own[0]['trainings']} | {median(across(own, 'seconds'), '.1f')} |"
        )
    return "\n".join(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds ptbxl")
    parts = ["training", "maps", "labels"]
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts)
    parser.add_argument(
        "--trainings", nargs="*", choices=TRAININGS, default=list(TRAININGS)
    )
    parser.add_argument("--folds", type=int, nargs="*", default=[1, 2, 3, 4])
    parser.add_argument("--seconds", type=int, default=5, help="of each record")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--turns", type=int, default=9, help="of the maps")
    parser.add_argument("--wrong", type=float, default=0.1, help="share of labels")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warm_up()
    tasks = [load(args.folder, args, seed) for seed in args.seeds]
    print(f"{len(tasks[0].y)} records to train on, {len(tasks[0].y_test)} to score")
    if "training" in args.parts:
        names = [name for name in args.trainings if there(TRAININGS[name][1])]
        rows: dict[str, list[dict]] = {name: [] for name in names}
        for task in tasks:
            for name in names:
                rows[name].append(train(task, name))
                print(task.seed, name, rows[name][-1], file=sys.stderr, flush=True)
        print(f"\n{trainings_table(rows)}", flush=True)
    if "maps" in args.parts:
        print(f"\n{maps_table(tasks[0], args.turns)}", flush=True)
    if "labels" in args.parts:
        found = [find_labels(task, args.wrong) for task in tasks]
        each = {name: [rows[name] for rows in found] for name in found[0]}
        print(f"\n{labels_table(each)}", flush=True)
    for name, reason in SKIPPED.items():
        print(f"\nskipped: {name} ({reason})")
    print("\n" + ", ".join(versions()))


def versions() -> Iterator[str]:
    """Name the packages that are installed, whether they were used or not."""
    for name in (
        *("torch", "skorch", "braindecode", "tsai", "torch-ecg", "deepecgkit"),
        *("captum", "grad-cam", "cleanlab"),
    ):
        with contextlib.suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


if __name__ == "__main__":
    main()
