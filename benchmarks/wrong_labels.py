"""What tells wrong labels: the tables of docs/reliability.md.

Labels of PTB-XL (folds 1-8, one superclass per record) and of make_ecg are made wrong,
by chance or towards the class that the network takes for it most often. A network is
then trained on them, on all records, with the paper's selection and with that by
reliability, and every measure that the training leaves behind ranks the records. The
same networks, cross-validated, give cleanlab its probabilities. A label that was wrong
before counts as right: on PTB-XL the figures are lower bounds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.special import softmax
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from skorch.callbacks import Callback

from benchmarks.schemes import BY_MAP
from sk_erts import ERTSClassifier
from sk_erts.datasets import load_ptbxl, make_ecg
from sk_erts.selection import label_suspicion

EPOCHS = 12
LOOKS = (3, 6, EPOCHS)  # epochs after which all records are looked at
SHARES = (0.05, 0.1, 0.2)
KINDS = ("uniform", "similar")
# Cross-validation and selection are tried at this share alone.
MAIN_SHARE = 0.1
N_FOLDS = 3
TRAININGS = {
    "full data": {"data_dropout": None, "focus": None},
    "selection": BY_MAP,
    "reliability": {"focus": "reliability", "doubt": "drop"},
}

Run = dict[str, np.ndarray]


class Watch(Callback):
    """Keep the logits of all training steps, and look at all records now and then."""

    def __init__(self, X: np.ndarray, y: np.ndarray, n_classes: int) -> None:
        self.X, self.y = X, y
        self.steps = np.full((EPOCHS, len(X), n_classes), np.nan, dtype=np.float32)
        self.looks: list[Run] = []
        self.epoch = 0

    def __deepcopy__(self, memo: dict) -> Watch:
        return self  # the estimator copies its callbacks, and this one is read later

    def on_batch_end(self, net, batch=None, training=False, y_pred=None, **kwargs):
        if training:
            index = batch[0]["index"].numpy()
            self.steps[self.epoch, index] = y_pred.detach().numpy()

    def on_epoch_end(self, net, **kwargs) -> None:
        self.epoch += 1
        if self.epoch in LOOKS:
            self.looks.append(look(net.module_, self.X, self.y))


def look(module: torch.nn.Module, X: np.ndarray, y: np.ndarray) -> Run:
    """Return logits, and what the maps of all classes say, in one forward pass."""
    was_training = module.training
    module.eval()
    found: list[Run] = []
    with torch.inference_mode():
        weight = module.head.linear.weight
        for rows in np.array_split(np.arange(len(X)), max(1, len(X) // 128)):
            z = module.features(torch.from_numpy(X[rows]))  # (n, channels, times)
            maps = torch.einsum("nkt,ck->nct", z, weight).numpy() / z.shape[-1]
            own = maps[np.arange(len(rows)), y[rows]]
            rectified = np.maximum(maps, 0)
            found.append(
                {
                    "logits": module.head(z).numpy(),
                    "strength": rectified.mean(axis=2),
                    "positive": rectified.sum(axis=2) / np.abs(maps).sum(axis=2),
                    "leads": (maps.argmax(axis=1) == y[rows, None]).mean(axis=1),
                    "map": own,
                }
            )
    module.train(was_training)
    return {key: np.concatenate([part[key] for part in found]) for key in found[0]}


def classifier(name: str, width: int, seed: int, callbacks=None) -> ERTSClassifier:
    return ERTSClassifier(
        module__width=width,
        max_epochs=EPOCHS,
        lr=2e-3,
        callbacks=callbacks,
        random_state=seed,
        verbose=0,
        **TRAININGS[name],
    )


def out_of_sample(X: np.ndarray, y: np.ndarray, width: int, seed: int) -> np.ndarray:
    """Return the probabilities of networks that have not seen the record."""
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    clf = classifier("full data", width, seed)
    return cross_val_predict(clf, X, y, cv=folds, method="predict_proba")


def most_confused(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Return for each class the other one that it is most often taken for."""
    confusion = confusion_matrix(y, proba.argmax(axis=1)).astype(float)
    # Where no record is taken for another class, the second choices tell.
    confusion += 1e-3 * np.stack([proba[y == c].mean(axis=0) for c in np.unique(y)])
    np.fill_diagonal(confusion, -1)
    return confusion.argmax(axis=1)


def make_wrong(
    y: np.ndarray, share: float, kind: str, similar: np.ndarray, seed: int
) -> np.ndarray:
    """Return labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    given = y.copy()
    rows = rng.permutation(len(y))[: round(share * len(y))]
    if kind == "similar":
        given[rows] = similar[y[rows]]
    else:
        n_classes = len(similar)
        given[rows] = (y[rows] + rng.integers(1, n_classes, len(rows))) % n_classes
    return given


def train(X: np.ndarray, given: np.ndarray, name: str, width: int, seed: int) -> Run:
    """Train once and return what it leaves behind."""
    watch = Watch(X, given, given.max() + 1)
    clf = classifier(name, width, seed, [("watch", watch)]).fit(X, given)
    run = {f"{key}{e}": v for e, p in zip(LOOKS, watch.looks, strict=True)
           for key, v in p.items()}  # fmt: skip
    story = clf.selection_
    return run | {
        "steps": watch.steps,
        "confidence": story.confidence,
        "mean_proba": story.mean_proba,
    }


def measures(run: Run, given: np.ndarray, epoch: int) -> dict[str, np.ndarray]:
    """Return what each measure thinks of the records; higher is more suspicious.

    Only what is known after so many epochs is used.
    """
    rows = np.arange(len(given))
    now = run[f"logits{epoch}"].astype(float)
    proba = softmax(now, axis=1)
    story = run["confidence"][:epoch].astype(float)
    steps = run["steps"][:epoch].astype(float)
    class_mean = np.array(
        [np.nanmean(story[:, given == c]) for c in range(proba.shape[1])]
    )
    mean = np.nanmean(story, axis=0)
    mean_proba = np.nanmean(softmax(steps, axis=2), axis=0)
    strength = run[f"strength{epoch}"]
    found = {
        "confidence now (1 pass)": -proba[rows, given],
        "margin of logits now (1 pass)": -margin(now, given),
        "last confidence in the ledger": -last(story),
        "mean confidence": -mean,
        "mean log confidence": -np.nanmean(np.log(story.clip(1e-4)), axis=0),
        "mean confidence / that of the class": -mean / class_mean[given],
        "lowest confidence": -np.nanmin(story, axis=0),
        "highest confidence": -np.nanmax(story, axis=0),
        "variability": np.nanstd(story, axis=0),
        "forgetting events": forgetting(steps.argmax(axis=2) == given, steps),
        "AUM": -np.nanmean(margin(steps, given), axis=0),
        "margin of mean probabilities": -margin(mean_proba, given),
        "map: strength": -strength[rows, given],
        "map: positive share": -run[f"positive{epoch}"][rows, given],
        "map: strength against the rival's": -margin(strength, given),
        "map: share of strengths": -strength[rows, given] / strength.sum(axis=1),
        "map: time on which the label leads": -run[f"leads{epoch}"],
    }
    if epoch == EPOCHS:  # the sums of the ledger are those of the whole training
        found["audit"] = label_suspicion(given, run["mean_proba"])
    earlier = [e for e in LOOKS if e < epoch]
    if earlier:
        a, b = run[f"map{earlier[-1]}"], run[f"map{epoch}"]
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        found["map: agreement with an earlier one"] = -(a * b).sum(axis=1) / norms
    return found


def margin(scores: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return the score of the label less the highest other one."""
    own = np.take_along_axis(
        scores, np.broadcast_to(given[:, None], (*scores.shape[:-1], 1)), axis=-1
    )
    others = np.where(np.arange(scores.shape[-1]) == given[:, None], -np.inf, scores)
    return own[..., 0] - others.max(axis=-1)


def last(story: np.ndarray) -> np.ndarray:
    """Return the latest entries that are known."""
    epoch = np.where(np.isnan(story), -1, np.arange(len(story))[:, None]).max(axis=0)
    return story[epoch, np.arange(story.shape[1])]


def forgetting(right: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Count steps that lost what the one before had; never right counts most."""
    known = ~np.isnan(steps[..., 0])
    counts = np.zeros(right.shape[1])
    before = np.zeros(right.shape[1], dtype=bool)
    for now, seen in zip(right, known, strict=True):
        counts += seen & before & ~now
        before = np.where(seen, now, before)
    never = ~(right & known).any(axis=0)
    return np.where(never, len(right) + 1, counts)


def of_cleanlab(given: np.ndarray, proba: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rankings of cleanlab."""
    found = {}
    for method in ("self_confidence", "normalized_margin"):
        for adjusts in (False, True):
            name = f"cleanlab: {method}{', adjusted' * adjusts}"
            found[name] = -get_label_quality_scores(
                given, proba, method=method, adjust_pred_probs=adjusts
            )
    entropy = "confidence_weighted_entropy"
    found[f"cleanlab: {entropy}"] = -get_label_quality_scores(
        given, proba, method=entropy
    )
    issues = find_label_issues(given, proba, n_jobs=1)
    found["cleanlab: find_label_issues (yes or no)"] = issues.astype(float)
    return found


def scores(
    found: dict[str, np.ndarray], wrong: np.ndarray, among: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Return AUROC and average precision for wrong labels among some records."""
    truth = wrong[among]
    if truth.all() or not truth.any():
        return dict.fromkeys(found, (np.nan, np.nan))
    return {
        name: (
            roc_auc_score(truth, values[among]),
            average_precision_score(truth, values[among]),
        )
        for name, values in found.items()
    }


def load(name: str, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return records, class codes and class names."""
    if name == "ptbxl":
        part = load_ptbxl(folder / "ptbxl", folds=range(1, 9), single_label=True)
        X, labels = part.data, part.target
    else:
        X, labels = make_ecg(600, noise=0.2, random_state=0)
    classes, y = np.unique(labels, return_inverse=True)
    return np.asarray(X, dtype=np.float32), y, classes


class Store:
    """Do what has not been done yet, and keep it in a folder."""

    def __init__(self, folder: Path, trains: bool) -> None:
        self.folder, self.trains = folder, trains

    def __call__(self, name: str, make) -> Run | None:
        path = self.folder / f"{name}.npz"
        if not path.exists():
            if not self.trains:
                return None
            begin = time.perf_counter()
            run = make()
            seconds = time.perf_counter() - begin
            print(f"{name}: {seconds:.0f} s", file=sys.stderr, flush=True)
            np.savez_compressed(path, seconds=seconds, **run)
        with np.load(path) as file:
            return dict(file)


def ranked(given: np.ndarray, run: Run, proba: np.ndarray | None, epoch: int) -> dict:
    """Return all rankings after so many epochs."""
    found = measures(run, given, epoch)
    return found if proba is None else found | of_cleanlab(given, proba)


def hard(given: np.ndarray, run: Run, epoch: int) -> np.ndarray:
    """Return which records the network finds hard after so many epochs."""
    proba = softmax(run[f"logits{epoch}"].astype(float), axis=1)
    return proba[np.arange(len(given)), given] < 0.5


def cell(pairs: list[tuple[float, float]]) -> str:
    """Return mean and spread of AUROC, and mean average precision; or two counts."""
    if not pairs:
        return ""
    auroc, precision = np.transpose(pairs)
    if auroc[0] > 1:  # counts of records
        return f"{auroc.mean():.0f}, {precision.mean():.0f}"
    spread = f" ± {np.nanstd(auroc):.2f}" if len(pairs) > 1 else ""
    return f"{np.nanmean(auroc):.2f}{spread} / {np.nanmean(precision):.2f}"


def table(columns: dict[str, list[dict]]) -> str:
    """Return Markdown with a row per measure, from the seeds of each column."""
    names = dict.fromkeys(
        name for seeds in columns.values() for found in seeds for name in found
    )
    head = ["measure", *columns]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines.append(f"| seeds | {' | '.join(str(len(s)) for s in columns.values())} |")
    for name in names:
        cells = [
            cell([found[name] for found in seeds if name in found])
            for seeds in columns.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


class Bench:
    """All trainings on one data set, and the tables of what they tell."""

    def __init__(
        self,
        data: str,
        folder: Path,
        width: int,
        n_seeds: int,
        store: Store,
    ) -> None:
        self.data, self.width, self.store = data, width, store
        self.n_seeds = n_seeds
        self.X, self.y, self.classes = load(data, folder)
        clean = store(
            f"{data}-clean", lambda: {"proba": out_of_sample(self.X, self.y, width, 0)}
        )
        self.similar = most_confused(self.y, clean["proba"])
        self.accuracy = (clean["proba"].argmax(axis=1) == self.y).mean()

    def given(self, kind: str, share: float, seed: int) -> np.ndarray:
        return make_wrong(self.y, share, kind, self.similar, seed)

    def run(self, name: str, kind: str, share: float, seed: int) -> Run | None:
        given = self.given(kind, share, seed)
        return self.store(
            f"{self.data}-{kind}-{share}-{seed}-{name}",
            lambda: train(self.X, given, name, self.width, seed),
        )

    def proba(self, kind: str, share: float, seed: int) -> np.ndarray | None:
        if share != MAIN_SHARE:
            return None
        given = self.given(kind, share, seed)
        found = self.store(
            f"{self.data}-{kind}-{share}-{seed}-cv",
            lambda: {"proba": out_of_sample(self.X, given, self.width, seed)},
        )
        return found and found["proba"]

    def column(
        self, name: str, kind: str, share: float, epoch: int, among_hard: bool
    ) -> list[dict]:
        """Return the scores of all measures, one dictionary per seed."""
        found = []
        for seed in range(self.n_seeds):
            given = self.given(kind, share, seed)
            run = self.run(name, kind, share, seed)
            if run is None:
                continue
            rankings = ranked(given, run, self.proba(kind, share, seed), epoch)
            everyone = np.ones(len(given), dtype=bool)
            among = hard(given, run, epoch) if among_hard else everyone
            wrong = given != self.y
            found.append(scores(rankings, wrong, among))
            counts = (among.sum(), wrong[among].sum())
            found[-1] = {"records, wrong ones among them": counts} | found[-1]
        return found

    def report(self) -> None:
        names = zip(self.classes, self.classes[self.similar], strict=True)
        print(
            f"\n## {self.data}\n\n{len(self.y)} records, cross-validated accuracy with "
            f"the labels as they are {self.accuracy:.2f}. Taken for each other most "
            f"often: {', '.join(f'{a} -> {b}' for a, b in names)}."
        )
        for name in TRAININGS:
            for kind in KINDS:
                print(f"\n### {name}, {MAIN_SHARE:.0%} wrong, {kind}\n")
                every = {"all": self.column(name, kind, MAIN_SHARE, EPOCHS, False)}
                among = {
                    f"hard after epoch {epoch}": self.column(
                        name, kind, MAIN_SHARE, epoch, True
                    )
                    for epoch in LOOKS
                }
                print(table(every | among))
        print("\n### full data, by the share of wrong labels\n")
        among = {"all": False, "hard": True}
        print(
            table(
                {
                    f"{kind} {share:.0%}, {which}": self.column(
                        "full data", kind, share, EPOCHS, among_hard
                    )
                    for kind in KINDS
                    for share in SHARES
                    for which, among_hard in among.items()
                }
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        nargs="*",
        choices=["ptbxl", "make_ecg"],
        default=["make_ecg", "ptbxl"],
    )
    parser.add_argument("--folder", type=Path, default=Path("."), help="of all data")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tabulate", action="store_true", help="train nothing new")
    parser.add_argument(
        "--runs", type=Path, default=Path("wrong_labels_runs"), help="keeps trainings"
    )
    arguments = parser.parse_args()
    arguments.runs.mkdir(exist_ok=True)
    store = Store(arguments.runs, trains=not arguments.tabulate)
    for data in arguments.data:
        Bench(
            data,
            arguments.folder,
            arguments.width,
            arguments.seeds,
            store,
        ).report()


if __name__ == "__main__":
    main()
