"""Does a network learn as well from fewer electrocardiograms? Full data, DBPD, ERTS.

The same network is trained four times on the same records: on all of them in every
epoch; on those it still finds hard (progressive data dropout, DBPD); on the hard ones,
with labels softened where the record contradicts them (ERTS); and, as the control, on
all of them for no more gradients than ERTS took. One table and three figures tell the
rest.

    python examples/demo.py                     # synthetic records, two minutes
    python examples/demo.py --quick             # a few seconds, too few to learn much
    python examples/demo.py --ptbxl FOLDER      # real ones, two minutes per 2,000
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # figures go to files: no screen is needed

import numpy as np
from sklearn.metrics import f1_score
from sklearn.utils import Bunch

from sk_erts import ERTSClassifier
from sk_erts.datasets import STANDARD_LEADS, load_ptbxl, make_ecg
from sk_erts.models import ResNet1d
from sk_erts.plotting import ECGDisplay, SelectionDisplay

# What tells the three apart; all else is the same.
SCHEMES = {
    "full data": {"data_dropout": None, "focus": None},
    "DBPD": {"focus": None, "confidence_threshold": 0.3},
    "ERTS": {},
    "shorter": {"data_dropout": None, "focus": None},
}


def main() -> None:
    options = read_options()
    train, test = load_records(options)
    print(f"Training on {len(train.y)} records, testing on {len(test.y)}.\n")
    print(
        "scheme     macro-F1     EE   scoring passes   time (s)   records kept",
        flush=True,
    )
    fitted: dict[str, ERTSClassifier] = {}
    for scheme, parameters in SCHEMES.items():
        spent = fitted["ERTS"].effective_epochs_ if scheme == "shorter" else None
        clf = fitted[scheme] = ERTSClassifier(
            module=ResNet1d,
            module__width=options.width,
            max_epochs=options.epochs,
            batch_size=options.batch_size,
            lr=options.lr,
            random_state=0,
            verbose=0,
            max_effective_epochs=spent,
            **parameters,
        ).fit(train.X, train.y)
        f1 = f1_score(test.y, clf.predict(test.X), average="macro")
        kept = clf.kept_counts_.sum() / (len(train.y) * options.epochs)
        print(
            f"{scheme:<9}  {f1:>8.3f}  {clf.effective_epochs_:>5.1f}   "
            f"{clf.scoring_passes_:>14.1f}   {clf.fit_time_s_:>8.1f}   {kept:>12.0%}",
            flush=True,
        )
    print("\nEE: effective epochs, how often the training set was learned from.")
    print("Scoring passes: how often it was only looked at, at a fifth of the cost.")
    print("Shorter: full data, for as many gradients as ERTS took; the control.")
    print("One run each: benchmarks/ compares several seeds, on real records.\n")
    draw_figures(fitted["ERTS"], train, test, options.output)


def load_records(options: argparse.Namespace) -> tuple[Bunch, Bunch]:
    """Return records to train on and records to test on, in mV at 100 Hz."""
    if options.ptbxl:
        return load_real(options, range(1, 9)), load_real(options, [9])
    # Real data are not clean: some records are spoilt, some labels are wrong.
    X, y = make_ecg(options.records, noise=0.2, label_noise=0.15, random_state=0)
    train = Bunch(X=X, y=y)
    X, y = make_ecg(options.test_records, random_state=1)
    return train, Bunch(X=X, y=y)


def load_real(options: argparse.Namespace, folds: Sequence[int]) -> Bunch:
    """Return the records of some folds of PTB-XL that have one superclass."""
    if options.quick:
        folds = folds[:1]
    ptbxl = load_ptbxl(options.ptbxl, folds=folds, single_label=True)
    few = slice(options.records if options.quick else None)
    return Bunch(X=ptbxl.data[few], y=ptbxl.target[few])


def draw_figures(clf: ERTSClassifier, train: Bunch, test: Bunch, folder: Path) -> None:
    """Show what ERTS trained and doubted, and what it saw in one test record."""
    folder.mkdir(parents=True, exist_ok=True)
    selection = SelectionDisplay.from_estimator(clf)
    selection.figure_.savefig(folder / "selection.png", dpi=150)

    i = choose_record(clf, test)
    explanation = ECGDisplay.from_estimator(
        clf, test.X[i], fs=100, lead_names=STANDARD_LEADS, true_label=test.y[i]
    )
    explanation.figure_.savefig(folder / "explanation.png", dpi=150)

    # Of the training, the record whose label was doubted most: where it speaks for the
    # label, and where for what the network takes it for.
    k = int(clf.audit(train.X, train.y).loc[0, "record"])
    doubted = ECGDisplay.from_estimator(
        clf,
        train.X[k],
        fs=100,
        lead_names=STANDARD_LEADS,
        target=train.y[k],
        contrast="rival",
        true_label=train.y[k],
    )
    doubted.figure_.savefig(folder / "doubted.png", dpi=150)
    print(f"What was trained, epoch by epoch: {folder / 'selection.png'}")
    print(f"What the network saw in record {i}: {folder / 'explanation.png'}")
    print(f"Why the label of training record {k} was doubted: {folder / 'doubted.png'}")


def choose_record(clf: ERTSClassifier, test: Bunch) -> int:
    """Return the record to look at: a class with a short evidence, well recognised."""
    label = "PVC" if "PVC" in clf.classes_ else clf.classes_[0]
    of_class = np.flatnonzero(test.y == label)
    proba = clf.predict_proba(test.X[of_class])[:, list(clf.classes_).index(label)]
    return int(of_class[np.argmax(proba)])


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ptbxl", metavar="FOLDER", help="folder of PTB-XL")
    parser.add_argument("--quick", action="store_true", help="a few seconds only")
    parser.add_argument("--output", type=Path, default=Path("demo_output"))
    options = parser.parse_args()
    options.lr = 3e-3
    options.records, options.test_records = (60, 60) if options.quick else (1000, 600)
    options.width, options.epochs = (4, 10) if options.quick else (16, 20)
    options.batch_size = 4 if options.quick else 32
    return options


if __name__ == "__main__":
    main()
