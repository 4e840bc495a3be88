"""What pre-training on reports is worth on PTB-XL: the tables of docs/pretraining.md.

``python -m benchmarks.pretraining <folder above ptbxl> --runs runs.jsonl`` trains on
folds 1 to 7 and scores on 8 and 9, with paired seeds: ``--part pairs`` is zero-shot,
retrieval and uncertainty, and what each part of the loss is worth; ``left-out``
statements that no training text held; ``labels`` networks for 1, 10 and 100 % of the
labels, from scratch and pre-trained; ``keywords`` labels that were found by searching
the reports for words, which is the control; ``planted`` reports that were swapped;
``pointing`` maps of a sentence on synthetic records. By default all of them. A run
that stands in the file already is not repeated.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.signal import resample_poly
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.schemes import interval
from sk_erts import ERTSClassifier
from sk_erts.datasets import load_ptbxl, make_ecg
from sk_erts.metrics import pointing_game
from sk_erts.pretraining import (
    ECGTextPretrainer,
    normalise_reports,
    scp_descriptions,
    structured_reports,
)

KEYS = ("part", "scheme", "seed")
ALL_PAIRS = {"data_dropout": None, "focus": None}
DEFAULT, CONTROL = "default", "all pairs, as many gradients"
SECOND = {"views": 0.1, "masked_signal": 0.1, "masked_words": 0.1}
# Texts, and what differs from the defaults.
SCHEMES: dict[str, tuple[str, dict[str, Any]]] = {
    DEFAULT: ("structured", {}),
    "without variances": ("structured", {"distance": "cosine"}),
    "Wasserstein distance": ("structured", {"distance": "wasserstein"}),
    "no divergence": ("structured", {"divergence": 0}),
    "all pairs": ("structured", ALL_PAIRS),
    CONTROL: ("structured", ALL_PAIRS),
    "learned from 0.2 on": ("structured", {"confidence_threshold": 0.2}),
    "reports as they are": ("as they are", {}),
    "reports in one wording": ("normalised", {}),
    "second views": ("structured", {"views": 0.1}),
    "masked signal": ("structured", {"masked_signal": 0.1}),
    "masked words": ("structured", {"masked_words": 0.1}),
    "all three": ("structured", SECOND),
}
OWN = "own reports"  # and not the ones built from the statements
WAYS = ["from scratch", "pre-trained", "linear model"]
WAYS += [f"pre-trained, {OWN}", f"linear model, {OWN}"]
# The strongest simple way: search for words, and train on what is found.
KEYWORDS = {
    "NORM": r"normal ecg|no definite pathology|normal limits",
    "MI": r"infarct",
    "STTC": r"\bst\b|\bst-t\b|t wave|ischemi|ischaemi|t abnorm|digitalis|long qt",
    "CD": r"block|wolff|conduction|fascicular|preexcitation",
    "HYP": r"hypertroph|overload|enlargement",
}
SHARES = {"1 %": 0.01, "10 %": 0.1, "100 %": 1.0}
# Of several regions and kinds, each with twenty records or more to score on.
LEFT_OUT = ("AFIB", "CLBBB", "CRBBB", "1AVB", "LAFB", "IMI", "ASMI", "PVC")
NO_REPORT = "No statement."
REMARKS = ["baseline_drift", "static_noise", "burst_noise", "electrodes_problems"]


@dataclass(frozen=True)
class Part:
    """Records with labels of the five superclasses, and what is written of them."""

    X: np.ndarray
    y: np.ndarray
    about: pd.DataFrame

    def take(self, index: np.ndarray) -> Part:
        return Part(self.X[index], self.y[index], self.about.iloc[index])


def ptbxl(folder: Path) -> tuple[Part, Part, list[str]]:
    """Folds 1-7 and 8-9."""
    found = [load_ptbxl(folder / "ptbxl", folds=f) for f in (range(1, 8), [8, 9])]
    # At 50 Hz, so that all of it can be repeated on two cores.
    parts = [
        Part(resample_poly(o.data, 1, 2, axis=2).astype("f4"), o.target, o.metadata)
        for o in found
    ]
    return parts[0], parts[1], list(found[0].target_names)


def texts_of(kind: str, part: Part, **built: Any) -> list[str]:
    """Return a text for each record."""
    if kind == "as they are":
        return [text if text.strip() else NO_REPORT for text in part.about["report"]]
    if kind == "normalised":
        return _normalised(part)
    frame = structured_reports(part.about, **built)
    rows = ["\n".join(filter(None, row)) for row in frame.to_numpy()]
    rows = [row or NO_REPORT for row in rows]
    if kind == "both":
        pairs = zip(_normalised(part), rows, strict=True)
        return [f"{own}\n{row}" for own, row in pairs]
    return rows


def _normalised(part: Part) -> list[str]:
    given = [own if own.strip() else NO_REPORT for own in part.about["report"]]
    return [own or NO_REPORT for own in normalise_reports(given)]


def prompts_of(codes: list[str]) -> dict[str, list[str]]:
    """Return the sentences of the package's table for statements or superclasses."""
    table = scp_descriptions().loc[codes]
    return {
        code: [f"{row['name'].capitalize()}.", row["definition"], row["appearance"]]
        for code, row in table.iterrows()
    }


def recalls(similarity: np.ndarray, is_own: np.ndarray) -> dict[str, float]:
    """Return in how many rows one of its own columns is among the first 1, 5, 10."""
    order = np.argsort(-similarity, axis=1)
    found = np.take_along_axis(is_own, order, axis=1)
    return {str(k): float(found[:, :k].any(axis=1).mean()) for k in (1, 5, 10)}


def auc(truth: np.ndarray, scores: np.ndarray) -> float:
    return float(roc_auc_score(truth, scores))


def predicted_as_often(of_training: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the scores above which as many are of a class as in the training."""
    shares = y.mean(axis=0)
    pairs_of = zip(of_training.T, shares, strict=True)
    return np.array([np.quantile(own, 1 - share) for own, share in pairs_of])


def pairs(seed: int, scheme: str, args: Any, data: tuple) -> dict[str, Any]:
    """Train on pairs, and ask all that needs no label."""
    train, test, classes = data
    kind, params = SCHEMES[scheme]
    if scheme == CONTROL:
        budget = args.found("pairs", DEFAULT, seed)["EE"]
        params = params | {"max_effective_epochs": budget}
    if scheme == DEFAULT:
        model = args.pretrained(seed, train)
    else:
        model = ECGTextPretrainer(**args.common, **params, random_state=seed)
        model.fit(train.X, texts_of(kind, train))
    row: dict[str, Any] = {"seconds": model.fit_time_s_}
    row |= {"EE": model.effective_epochs_, "looks": model.scoring_passes_}
    prompts = prompts_of(classes)
    proba = model.predict_proba_zero_shot(test.X, prompts)
    row["zero-shot"] = auc(test.y, proba)
    row["each"] = {c: auc(test.y[:, i], proba[:, i]) for i, c in enumerate(classes)}
    # Thresholds are the only use of labels: how frequent each class is.
    of_training = model.predict_proba_zero_shot(train.X, prompts)
    is_above = proba >= predicted_as_often(of_training, train.y)
    row["zero-shot F1"] = float(f1_score(test.y, is_above, average="macro"))
    written = texts_of(kind, test)
    distinct = list(dict.fromkeys(written))
    is_own = np.array(written)[:, None] == np.array(distinct)
    found = model.similarity(test.X, distinct)
    row["record to report"] = recalls(found, is_own)
    row["report to record"] = recalls(found.T, is_own.T)
    row["n_reports"] = len(distinct)
    if model.distance != "cosine":
        one = test.y.sum(axis=1) == 1
        wrong = proba.argmax(axis=1) != test.y.argmax(axis=1)
        unsure = model.uncertainty(test.X)
        entropy = -(proba * np.log(proba)).sum(axis=1)
        ranks = (found > found[is_own][:, None]).sum(axis=1)
        row["unsure, not found"] = auc(ranks >= 10, unsure)
        row["unsure, wrong"] = auc(wrong[one], unsure[one])
        row["entropy, wrong"] = auc(wrong[one], entropy[one])
        remark = test.about[REMARKS].notna().any(axis=1).to_numpy()
        row["unsure, remark"] = auc(remark, unsure)
    return row


def left_out(seed: int, scheme: str, args: Any, data: tuple) -> dict[str, Any]:
    """Find statements that no training text held."""
    train, test, _ = data
    exclude = LEFT_OUT if scheme == "left out" else ()
    model = ECGTextPretrainer(**args.common, random_state=seed)
    model.fit(train.X, texts_of("structured", train, exclude=exclude))
    codes = [
        own if isinstance(own, dict) else eval(own) for own in test.about.scp_codes
    ]
    prompts = prompts_of(list(scp_descriptions().index))  # of all statements
    proba = model.predict_proba_zero_shot(test.X, prompts)
    scores = proba[:, [list(prompts).index(code) for code in LEFT_OUT]]
    truth = np.array([[code in own for code in LEFT_OUT] for own in codes])
    each = {c: auc(truth[:, i], scores[:, i]) for i, c in enumerate(LEFT_OUT)}
    return {"zero-shot": float(np.mean(list(each.values()))), "each": each} | {
        "n": truth.sum(axis=0).tolist()
    }


class _OnEmbeddings:
    """A linear model on what the pretrainer makes of records."""

    def __init__(self, model: ECGTextPretrainer, linear: OneVsRestClassifier) -> None:
        self.model, self.linear = model, linear

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.linear.fit(self.model.transform(X), y)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.linear.predict_proba(self.model.transform(X))


def labels(seed: int, scheme: str, args: Any, data: tuple) -> dict[str, Any]:
    """Train a classifier on some of the labels."""
    train, test, _ = data
    share_name, way, *own_reports = scheme.split(", ")
    rng = np.random.default_rng(seed)
    n = max(10, round(SHARES[share_name] * len(train.y)))
    some = train.take(rng.permutation(len(train.y))[:n])
    given = {"max_epochs": 30 if n < len(train.y) else args.common["max_epochs"]}
    given |= {"batch_size": 16 if n < 1000 else 64, "verbose": 0, "random_state": seed}
    kind = "as they are" if own_reports else "structured"
    if way == "from scratch":
        module = {k: v for k, v in args.common.items() if k.startswith("module__")}
        clf = ERTSClassifier(**module, **given)
    elif way == "linear model":
        own = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
        model = args.pretrained(seed, train, kind)
        clf = _OnEmbeddings(model, OneVsRestClassifier(own))
    else:
        clf = args.pretrained(seed, train, kind).to_classifier(**given)
    clf.fit(some.X, some.y)
    proba = clf.predict_proba(test.X)
    predicted = proba >= 0.5
    return {
        "n": n,
        "macro-AUC": auc(test.y, proba),
        "macro-F1": float(f1_score(test.y, predicted, average="macro")),
    }


def keywords(seed: int, scheme: str, args: Any, data: tuple) -> dict[str, Any]:
    """Search the reports for words, and train a classifier on what is found."""
    train, test, classes = data
    texts = texts_of(scheme, train)
    found = np.array(
        [[bool(re.search(KEYWORDS[c], t)) for c in classes] for t in texts]
    )
    normal = classes.index("NORM")
    found[:, normal] &= found.sum(axis=1) == 1
    module = {k: v for k, v in args.common.items() if k.startswith("module__")}
    clf = ERTSClassifier(
        **module, max_epochs=args.common["max_epochs"], verbose=0, random_state=seed
    )
    proba = clf.fit(train.X, found.astype(int)).predict_proba(test.X)
    return {
        "macro-AUC": auc(test.y, proba),
        "macro-F1": float(f1_score(test.y, proba >= 0.5, average="macro")),
        "labels right": float((found == train.y).mean()),
    }


def planted(seed: int, scheme: str, args: Any, data: tuple) -> dict[str, Any]:
    """Give a tenth of the records the report of another one, and look for them."""
    train, *_ = data
    texts = np.array(texts_of("structured", train), dtype=object)
    rng = np.random.default_rng(seed)
    swapped = rng.permutation(len(texts))[: len(texts) // 10]
    texts[swapped] = texts[np.roll(swapped, 1)]
    is_wrong = np.zeros(len(texts), dtype=bool)
    is_wrong[swapped] = texts[swapped] != texts[np.roll(swapped, -1)]
    model = ECGTextPretrainer(**args.common, random_state=seed).fit(train.X, texts)
    confidence, fit = model.selection_.mean_proba.T
    doubted = (model.selection_.status == 3).any(axis=0)
    unsure = model.uncertainty(train.X)
    return {
        "fit": auc(is_wrong, -fit),
        "probability": auc(is_wrong, -confidence),
        "variance": auc(is_wrong, unsure),
        "wrong among those put aside": float(is_wrong[doubted].mean()),
        "n put aside": int(doubted.sum()),
    }


WORDS = {
    "NORM": "Narrow QRS complexes, ST segments on the baseline.",
    "BBB": "Wide QRS complexes.",
    "PVC": "A premature wide beat.",
    "AFIB": "No P waves, irregular rhythm.",
    "STE": "ST segments are raised.",
}


def pointing(seed: int, scheme: str, args: Any, data: tuple) -> dict[str, Any]:
    """Ask whether the map of a sentence points at what it is about."""
    del data
    local = ("BBB", "PVC", "STE")
    kinds = {"n_leads": 2, "duration_s": 5, "classes": tuple(WORDS)}
    X, y = make_ecg(600, random_state=seed, **kinds)
    new, truth, evidence = make_ecg(
        300, random_state=1000 + seed, return_evidence=True, **kinds
    )
    common = args.common | {"max_epochs": 20}
    if scheme == "classifier":
        clf = ERTSClassifier(**common, random_state=seed).fit(X, y)
        maps = {c: clf.explain(new[truth == c], target=c) for c in local}
        right = float((clf.predict(new) == truth).mean())
    else:
        rng = np.random.default_rng(seed)
        begins = ["Sinus rhythm.", "Regular voltage.", "Rate 70 per minute."]
        reports = [f"{begins[rng.integers(3)]} {WORDS[label]}" for label in y]
        clf = ECGTextPretrainer(**common, random_state=seed).fit(X, reports)
        others = {c: [w for o, w in WORDS.items() if o != c] for c in local}
        against = scheme == "sentence against the others"
        maps = {
            c: clf.explain(
                new[truth == c], WORDS[c], contrast=others[c] if against else None
            )
            for c in local
        }
        proba = clf.predict_proba_zero_shot(new, WORDS)
        right = float((np.array(list(WORDS))[proba.argmax(1)] == truth).mean())
    seen = {c: evidence.mask[truth == c] for c in local}
    return {
        "accuracy": right,
        "pointing": {
            c: float(np.nanmean(pointing_game(maps[c], seen[c]))) for c in local
        },
        "chance": {c: float(seen[c].mean()) for c in local},
    }


PARTS = {
    "pairs": (pairs, list(SCHEMES)),
    "left-out": (left_out, ["left out", "in the texts"]),
    "labels": (
        labels,
        [f"{share}, {way}" for way in WAYS for share in SHARES],
    ),
    "keywords": (keywords, ["normalised"]),
    "planted": (planted, [DEFAULT]),
    "pointing": (
        pointing,
        ["sentence", "sentence against the others", "classifier"],
    ),
}


class Runs:
    """Runs that are done, and what they have in common."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.path: Path | None = args.runs
        self.rows: list[dict[str, Any]] = []
        if self.path and self.path.exists():
            lines = self.path.read_text().splitlines()
            self.rows = [json.loads(line) for line in lines]
        self.common = {
            "module__width": args.width,
            "module__blocks": (1, 1, 1, 1),
            "max_epochs": args.epochs,
            "verbose": 0,
        }
        self._models: dict[tuple[int, str], ECGTextPretrainer] = {}

    def found(self, *key: Any) -> dict[str, Any]:
        """Return a run that is done."""
        return next(r for r in self.rows if tuple(r[name] for name in KEYS) == key)

    def has(self, *key: Any) -> bool:
        return any(tuple(row[name] for name in KEYS) == key for row in self.rows)

    def pretrained(
        self, seed: int, train: Part, kind: str = "structured"
    ) -> ECGTextPretrainer:
        """Return the model of the defaults, trained once for each seed and texts."""
        if (seed, kind) not in self._models:
            model = ECGTextPretrainer(**self.common, random_state=seed)
            self._models = {(seed, kind): model.fit(train.X, texts_of(kind, train))}
        return self._models[seed, kind]

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        sys.stderr.write(f"{row}\n")
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")


def cells(rows: list[dict], base: list[dict], keys: list[str]) -> Iterator[str]:
    """Yield means over seeds, and differences to a base within seeds."""
    before = {row["seed"]: row for row in base}
    for key in keys:
        values = np.array([_at(row, key) for row in rows], dtype=float)
        gap = [_at(r, key) - _at(before[r["seed"]], key) for r in rows if rows != base]
        beside = f" ({interval(np.array(gap))})" if len(gap) > 1 else ""
        yield "" if np.isnan(values).all() else f"{values.mean():.3f}{beside}"


def _at(row: dict, key: str) -> float:
    name, _, inside = key.partition("/")
    value = row.get(name, np.nan)
    return value[inside] if inside and isinstance(value, dict) else value


SHOWN = {
    "pairs": [
        "zero-shot",
        "zero-shot F1",
        *(f"record to report/{k}" for k in (1, 5, 10)),
        *(f"report to record/{k}" for k in (1, 5, 10)),
        "unsure, wrong",
        "entropy, wrong",
        "unsure, not found",
        "unsure, remark",
        "EE",
        "looks",
        "seconds",
    ],
    "left-out": ["zero-shot", *(f"each/{code}" for code in LEFT_OUT)],
    "labels": ["macro-AUC", "macro-F1", "n"],
    "keywords": ["macro-AUC", "macro-F1", "labels right"],
    "planted": ["fit", "probability", "variance", "wrong among those put aside"],
    "pointing": ["accuracy"]
    + [f"{what}/{c}" for c in ("BBB", "PVC", "STE") for what in ("pointing", "chance")],
}


def table(rows: list[dict], part: str) -> str:
    """Return a Markdown table of one part."""
    own = [row for row in rows if row["part"] == part]
    keys = SHOWN[part]
    lines = [f"| {part} | {' | '.join(keys)} |", "|---" * (1 + len(keys)) + "|"]
    names = [name for name in PARTS[part][1] if any(r["scheme"] == name for r in own)]
    for name in names:
        share = name.partition(",")[0]
        first = f"{share}, from scratch" if part == "labels" else names[0]
        base = [row for row in own if row["scheme"] == first]
        of = [row for row in own if row["scheme"] == name]
        lines.append(f"| {name} | {' | '.join(cells(of, base, keys))} |")
    return "\n".join(lines)


def draw(rows: list[dict], path: Path) -> None:
    """Draw macro-AUC by the share of the labels."""
    import matplotlib.pyplot as plt

    def values(part: str, scheme: str, key: str) -> np.ndarray:
        own = [r for r in rows if r["part"] == part and r["scheme"] == scheme]
        return np.array([row[key] for row in own])

    figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    looks = {"pre-trained": "s:", "linear model": "o-", "from scratch": "o-"}
    for way in WAYS:
        start, *own_reports = way.split(", ")
        color = "0.35" if way == WAYS[0] else "#2d86c4" if own_reports else "#7a9e3f"
        points = [values("labels", f"{share}, {way}", "macro-AUC") for share in SHARES]
        mean = [own.mean() for own in points]
        texts = {0: "built reports", 1: OWN}[len(own_reports)]
        name = way if way == WAYS[0] else f"{start}, {texts}"
        ax.plot(mean, looks[start], color=color, label=name)
    found = values("keywords", "normalised", "macro-AUC").mean()
    orange = {"color": "#c4622d"}
    ax.axhline(found, ls="--", label="no labels, words searched in reports", **orange)
    ax.set_xticks(range(len(SHARES)), SHARES)
    ax.set(xlabel="labels", ylabel="macro-AUC on new records")
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder above ptbxl")
    parser.add_argument("--part", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--scheme", nargs="*", help="only these")
    parser.add_argument("--seeds", type=int, nargs="*", default=range(3))
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--runs", type=Path, help="file to which each run is added")
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    runs, data = Runs(args), ptbxl(args.folder)
    for seed in args.seeds:
        for part in args.part:
            run, schemes = PARTS[part]
            for scheme in schemes:
                wanted = not args.scheme or scheme in args.scheme
                if wanted and not runs.has(part, scheme, seed):
                    key = {"part": part, "scheme": scheme, "seed": seed}
                    runs.add(key | run(seed, scheme, runs, data))
    for part in args.part:
        sys.stdout.write(table(runs.rows, part) + "\n\n")
    if args.figure:
        draw(runs.rows, args.figure)


if __name__ == "__main__":
    main()
