"""Do measures of a record tell whether it can be relied on? Tables of the docs.

Table ``remarks``: measures of the signal, and of Grad-CAM maps, against what PTB-XL's
annotators remarked, over all records and among those that a network finds hard; and
against CinC 2017's class of noisy records. Table ``corruption``: good records with
graded damage; ``synthetic``: that of `make_ecg`. Table ``stability``: whether networks
of other seeds, and other layers, find the same records focused. Table ``cost``: time
per record beside the pass that scores it.

The signal's constants were chosen on folds 1-4 of PTB-XL and on every other record of
CinC 2017; figures are those of folds 5-8 and of the other records. `SignalQuality` is
fitted on the former too. No label of quality is used but to count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from sk_erts import ERTSClassifier
from sk_erts.attribution import gradcam
from sk_erts.datasets import STANDARD_LEADS, load_cinc2017, load_ptbxl, make_ecg
from sk_erts.datasets._leads import lead_matrix
from sk_erts.models import ResNet1d
from sk_erts.quality import SignalQuality
from sk_erts.quality._signal_quality import MEASURES
from sk_erts.selection import Known, Reliability
from sk_erts.selection._focus_measures import FOCUS_MEASURES

REMARKS = ("static_noise", "burst_noise", "baseline_drift", "electrodes_problems")
ANY = "any remark"
COMBINED = "SignalQuality"
# Epochs on full data after which hard records are looked for.
EPOCHS = (4, 12)
# Fewer records than this tell nothing.
LEAST = 8
N_BOOTSTRAPS = 500
# The last block of the stage before the last, with maps of twice as many steps.
EARLIER_LAYER = "features.8"
SPOILT = ("wander", "muscle", "motion", "lost_leads")
Truths = dict[str, np.ndarray]


@dataclass(frozen=True)
class Signals:
    """Records of PTB-XL with remarks (n,), and which of them choices were made on."""

    X: np.ndarray
    remarks: Truths
    chosen_on: np.ndarray
    classes: np.ndarray  # (n,); "" for records with several labels or none


def ptbxl(folder: Path) -> Signals:
    """Read folds 1-8."""
    folds = range(1, 9)
    records = load_ptbxl(folder / "ptbxl", folds=folds)
    single = load_ptbxl(folder / "ptbxl", folds=folds, single_label=True)
    table = records.metadata
    remarks = {
        name: (table[name].fillna("").astype(str).str.strip() != "").to_numpy()
        for name in REMARKS
    }
    remarks[ANY] = np.any(list(remarks.values()), axis=0)
    classes = np.full(len(table), "", dtype=single.target.dtype)
    classes[table.index.get_indexer(single.metadata.index)] = single.target
    return Signals(records.data, remarks, records.folds <= 4, classes)


def signal_badness(signals: Signals) -> Truths:
    """Return each measure, and the combination, of all records; higher is worse."""
    reference = signals.X[signals.chosen_on]
    each = SignalQuality(100, measures=list(MEASURES), lead_names=STANDARD_LEADS)
    z = each.fit(reference).deviations(signals.X)
    joined = SignalQuality(100, lead_names=STANDARD_LEADS).fit(reference)
    return {
        **dict(zip(MEASURES, z.T, strict=True)),
        COMBINED: -joined.score_samples(signals.X),
    }


def hard_records(signals: Signals, seed: int) -> Iterator[tuple[int, np.ndarray, dict]]:
    """Train on all data; yield epochs, confidences (n,) and focus measures.

    Records without one label have the confidence nan.
    """
    rows = np.flatnonzero(signals.classes != "")
    X, y = signals.X[rows], signals.classes[rows]
    clf = ERTSClassifier(
        module__width=16,
        data_dropout=None,
        focus=None,
        class_weight="effective",
        random_state=seed,
        verbose=0,
    )
    for epoch in range(1, max(EPOCHS) + 1):
        clf.partial_fit(X, y, classes=np.unique(y))
        if epoch not in EPOCHS:
            continue
        codes = np.searchsorted(clf.classes_, y)
        maps = gradcam(clf.net_.module_, X, target=codes, signed=True)
        confidence = np.full(len(signals.X), np.nan)
        confidence[rows] = clf.predict_proba(X)[np.arange(len(y)), codes]
        focus = {}
        for name, measure in FOCUS_MEASURES.items():
            focus[name] = np.full(len(signals.X), np.nan)
            focus[name][rows] = -measure(maps)  # unfocused is worse
        yield epoch, confidence, focus


def auroc(truth: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the curve, quicker than scikit-learn's."""
    n_bad = truth.sum()
    ranks = rankdata(score)[truth].sum() - n_bad * (n_bad + 1) / 2
    return float(ranks / (n_bad * (len(truth) - n_bad)))


def with_interval(
    figure: Callable[[np.ndarray, np.ndarray], float], truth, score
) -> str:
    """Return a figure, and its 95 % interval over records drawn again."""
    rng = np.random.default_rng(0)
    drawn = []
    while len(drawn) < N_BOOTSTRAPS:
        again = rng.integers(len(truth), size=len(truth))
        if 0 < truth[again].sum() < len(truth):
            drawn.append(figure(truth[again], score[again]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{figure(truth, score):.2f} ({low:.2f}-{high:.2f})"


def show(title: str, scores: Truths, truths: Truths, rows: np.ndarray) -> None:
    """Print a table with a row per measure and two columns per ground truth."""
    truths = {
        name: truth[rows] for name, truth in truths.items() if truth[rows].sum() > LEAST
    }
    print(f"\n{title}: {rows.sum()} records\n")
    heads = [f"{name} ({truth.sum()})" for name, truth in truths.items()]
    print(f"| measure | {' | '.join(heads)} |")
    print("|---|" + "---|" * len(heads))
    for name, score in scores.items():
        cells = [
            f"{with_interval(auroc, truth, score[rows])}; "
            f"{with_interval(average_precision_score, truth, score[rows])}"
            for truth in truths.values()
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def remarks(folder: Path, seed: int) -> None:
    """Print AUROC and average precision for each ground truth."""
    signals = ptbxl(folder)
    bad = signal_badness(signals)
    counted = ~signals.chosen_on
    show("PTB-XL, folds 5-8", bad, signals.remarks, counted)
    for epoch, confidence, focus in hard_records(signals, seed):
        for threshold in (0.5, 0.3):
            hard = counted & (confidence < threshold)
            title = f"After epoch {epoch}, confidence below {threshold}"
            show(title, bad | focus, signals.remarks, hard)
    noisy(folder)


def noisy(folder: Path) -> None:
    """Print the same for CinC 2017."""
    dataset = load_cinc2017(folder / "cinc2017")
    X = [np.asarray(record, dtype=np.float32) for record in dataset.data]
    first = np.arange(len(X)) % 2 == 0
    reference = [x for x, is_first in zip(X, first, strict=True) if is_first]
    names = [name for name in MEASURES if name != "limb_disagreement"]
    each = SignalQuality(dataset.fs, measures=names).fit(reference).deviations(X)
    joined = SignalQuality(dataset.fs).fit(reference).score_samples(X)
    scores = {**dict(zip(names, each.T, strict=True)), COMBINED: -joined}
    truth = {"~": np.asarray(dataset.target) == "~"}
    show("CinC 2017, every other record", scores, truth, ~first)


def muscle(X: np.ndarray, mv: float, rng: np.random.Generator) -> np.ndarray:
    """Add noise of this standard deviation with little power at low frequencies."""
    white = rng.standard_normal((len(X), 8, X.shape[2] + 1), dtype=np.float32)
    return mv * np.diff(white, axis=2) / np.sqrt(2)


def wander(X: np.ndarray, mv: float, rng: np.random.Generator) -> np.ndarray:
    """Add a slow wave of this height to each lead."""
    t = np.arange(X.shape[2]) / 100
    frequency, phase = rng.uniform([[0.05], [0]], [[0.5], [2 * np.pi]], (2, len(X)))
    wave = np.sin(2 * np.pi * frequency[:, None] * t + phase[:, None])
    return mv * rng.uniform(-1, 1, (len(X), 8, 1)) * wave[:, None]


def motion(X: np.ndarray, mv: float, rng: np.random.Generator) -> np.ndarray:
    """Add two dying swings of an electrode of about this height."""
    t = np.arange(X.shape[2]) / 100
    begin, decay, swing = rng.uniform(
        [[[0]], [[0.15]], [[1]]], [[[9]], [[0.8]], [[6]]], (3, len(X), 2)
    )
    since = t - begin[..., None]
    bursts = np.exp(-np.maximum(since, 0) / decay[..., None]) * (since >= 0)
    bursts *= np.cos(2 * np.pi * swing[..., None] * since)
    return mv * rng.uniform(-1, 1, (len(X), 8, 2)) @ bursts


def lost(X: np.ndarray, n_leads: float, rng: np.random.Generator) -> np.ndarray:
    """Set some leads to zero."""
    ranks = np.argsort(rng.random(X.shape[:2]), axis=1)
    return np.where((ranks < n_leads)[..., None], 0, X)


def swapped(X: np.ndarray, n_pairs: float, rng: np.random.Generator) -> np.ndarray:
    """Let pairs of leads change places."""
    X = X.copy()
    for x in X:
        leads = rng.permutation(12)[: 2 * int(n_pairs)]
        x[leads] = x[leads.reshape(-1, 2)[:, ::-1].ravel()]
    return X


# Noise comes in through the eight independent leads; the limb leads agree about it.
ADDED = {
    "muscle (mV)": (muscle, (0.01, 0.02, 0.04, 0.08, 0.16)),
    "wander (mV)": (wander, (0.1, 0.2, 0.4, 0.8, 1.6)),
    "motion (mV)": (motion, (0.2, 0.4, 0.8, 1.6, 3.2)),
}
CHANGED = {
    "lost leads": (lost, (1, 2, 3, 6, 12)),
    "swapped pairs of leads": (swapped, (1, 2, 3, 4, 6)),
}


def corrupted(
    X: np.ndarray, kind: str, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Return records with damage of a kind and strength."""
    if kind in ADDED:
        noise = ADDED[kind][0](X, strength, rng).astype(np.float32)
        return X + lead_matrix(STANDARD_LEADS) @ noise
    return CHANGED[kind][0](X, strength, rng).astype(np.float32)


def corruption(folder: Path, seed: int) -> None:
    """Print score and AUROC at each strength."""
    signals = ptbxl(folder)
    quality = SignalQuality(100, lead_names=STANDARD_LEADS)
    quality.fit(signals.X[signals.chosen_on])
    X = signals.X[~signals.chosen_on & ~signals.remarks[ANY]]
    clean = quality.score_samples(X)
    print(f"\n{len(X)} records without remark, score {clean.mean():.2f} as they are\n")
    print("| damage | strength | score | AUROC | reason named most | share |")
    print("|---|---|---|---|---|---|")
    for kind, (_, strengths) in (ADDED | CHANGED).items():
        for strength in strengths:
            worse = corrupted(X, kind, strength, np.random.default_rng(seed))
            score = quality.score_samples(worse)
            truth = np.repeat([0, 1], len(X))
            area = roc_auc_score(truth, -np.concatenate([clean, score]))
            names, counts = np.unique(quality.reasons(worse), return_counts=True)
            print(
                f"| {kind} | {strength:g} | {score.mean():.2f} | {area:.2f} | "
                f"{names[counts.argmax()]} | {counts.max() / len(X):.2f} |"
            )


def cost(folder: Path, seed: int) -> None:
    """Print microseconds per record: the least of several turns."""
    X = ptbxl(folder).X[:512]
    torch.manual_seed(seed)
    network = ResNet1d(12, 5, width=16).eval()
    tensor = torch.from_numpy(X)
    works: dict[str, Callable[[], object]] = {
        name: SignalQuality(100, measures=[name], lead_names=STANDARD_LEADS)
        .fit(X)
        .score_samples
        for name in MEASURES
    }
    works[f"{COMBINED}, six measures"] = SignalQuality(100).fit(X).score_samples
    works[f"{COMBINED}, with limb leads"] = (
        SignalQuality(100, lead_names=STANDARD_LEADS).fit(X).score_samples
    )

    def look() -> None:
        with torch.inference_mode():
            for k in range(0, len(X), 64):
                network(tensor[k : k + 64])

    best = dict.fromkeys([*works, "scoring pass"], np.inf)
    for _ in range(7):
        for name in best:
            start = time.perf_counter()
            look() if name == "scoring pass" else works[name](X)
            best[name] = min(best[name], time.perf_counter() - start)
    print("\n| what | µs per record | share of the scoring pass |\n|---|---|---|")
    for name, seconds in best.items():
        share = seconds / best["scoring pass"]
        print(f"| {name} | {seconds / len(X) * 1e6:.0f} | {share:.3f} |")


def synthetic(folder: Path, seed: int) -> None:
    """Print what is found of the damage that make_ecg puts in."""
    X, y, truth = make_ecg(1500, noise=0.3, random_state=seed, return_evidence=True)
    kinds = {kind: truth.corruption == kind for kind in SPOILT}
    first = np.arange(len(X)) % 2 == 0
    signals = Signals(X, kinds | {"any": truth.corrupted}, first, y)
    bad = signal_badness(signals)
    show("make_ecg, every other record", bad, signals.remarks, ~first)
    epoch, confidence, focus = next(hard_records(signals, seed))
    hard = ~first & (confidence < 0.5)
    title = f"make_ecg, after epoch {epoch}, confidence below 0.5"
    show(title, bad | focus, signals.remarks, hard)


def stability(folder: Path, seed: int) -> None:
    """Print how measures agree between networks and layers: rank correlations."""
    signals = ptbxl(folder)
    rows = np.flatnonzero(signals.classes != "")
    X, y = signals.X[rows], signals.classes[rows]
    noisy = signals.remarks["static_noise"][rows]
    codes = np.unique(y, return_inverse=True)[1]
    last: dict[str, list[np.ndarray]] = {}
    earlier: dict[str, list[np.ndarray]] = {}
    is_hard = []
    for k in range(3):
        clf = ERTSClassifier(
            module__width=16,
            max_epochs=EPOCHS[0],
            data_dropout=None,
            focus=None,
            class_weight="effective",
            random_state=seed + k,
            verbose=0,
        ).fit(X, y)
        is_hard.append(clf.predict_proba(X)[np.arange(len(y)), codes] < 0.5)
        for layer, scores in ((None, last), (EARLIER_LAYER, earlier)):
            maps = gradcam(clf.net_.module_, X, target=codes, signed=True, layer=layer)
            for name, measure in FOCUS_MEASURES.items():
                scores.setdefault(name, []).append(measure(maps))
        known = Known(codes, clf.selection_.mean_proba)
        reliability = Reliability().score(known)
        last.setdefault("reliability", []).append(reliability)
    print("\n| measure | between seeds | between layers | static noise, by seed |")
    print("|---|---|---|---|")
    for name, scores in last.items():
        seeds = [
            spearmanr(scores[a][both], scores[b][both]).statistic
            for a, b in ((0, 1), (0, 2), (1, 2))
            for both in [is_hard[a] & is_hard[b]]
        ]
        layers = [
            spearmanr(scores[k][is_hard[k]], of_layer[is_hard[k]]).statistic
            for k, of_layer in enumerate(earlier.get(name, []))
        ]
        areas = [auroc(noisy[hard], -scores[k][hard]) for k, hard in enumerate(is_hard)]
        between = f"{np.mean(layers):.2f}" if layers else ""
        print(
            f"| {name} | {np.mean(seeds):.2f} | {between} | "
            f"{', '.join(f'{area:.2f}' for area in areas)} |"
        )


TABLES = {
    "remarks": remarks,
    "corruption": corruption,
    "synthetic": synthetic,
    "stability": stability,
    "cost": cost,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds ptbxl and cinc2017")
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.tables:
        TABLES[name](arguments.folder, arguments.seed)


if __name__ == "__main__":
    main()
