"""Folders laid out like those of PhysioNet, where the real ones are absent.

`folder_of` gives the real folder if the variable SK_ERTS_DATA names the folder above
it, and a temporary one with synthetic records if not: the same loader reads both.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sk_erts.datasets import STANDARD_LEADS, make_ecg

with warnings.catch_warnings():
    # wfdb calls pandas in a way that recent versions deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb


def folder_of(name: str) -> Path:
    """Return the folder of a data set, or one with synthetic records in its layout."""
    real = Path(os.environ.get("SK_ERTS_DATA", ""), name)
    if "SK_ERTS_DATA" in os.environ and real.is_dir():
        return real
    print(
        f"SK_ERTS_DATA names no folder with {name}: synthetic records stand in for it."
    )
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    WRITERS[name](folder)
    return folder


def write_record(path: Path, signal, leads, fs: int, comments=()) -> None:
    """Write (n_leads, n_times) in mV as one WFDB record of 16 bits."""
    n_leads = len(leads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        wfdb.wrsamp(
            path.name,
            fs,
            ["mV"] * n_leads,
            list(leads),
            p_signal=signal.T.astype(float),
            fmt=["16"] * n_leads,
            adc_gain=[1000.0] * n_leads,
            baseline=[0] * n_leads,
            comments=list(comments),
            write_dir=str(path.parent),
        )


def write_ptbxl(folder: Path) -> None:
    """Write 240 records of four superclasses, in the folds 1, 2 and 9."""
    statement = {"NORM": "NORM", "BBB": "CLBBB", "STE": "IMI", "HYP": "LVH"}
    X, y = make_ecg(240, classes=list(statement), random_state=0)
    names = [f"records100/00000/{k:05d}_lr" for k in range(1, len(X) + 1)]
    (folder / "records100/00000").mkdir(parents=True)
    for name, signal in zip(names, X, strict=True):
        write_record(folder / name, signal, STANDARD_LEADS, 100)
    remarks = ["baseline_drift", "static_noise", "burst_noise", "electrodes_problems"]
    pd.DataFrame(
        {
            "ecg_id": np.arange(1, len(X) + 1),
            "patient_id": np.arange(1, len(X) + 1),
            "age": 60,
            "sex": 0,
            "report": "",
            # Two of some: an infarction comes with what it did to the conduction.
            "scp_codes": [
                str(
                    {statement[label]: 100.0}
                    | ({"CLBBB": 100.0} if k % 9 == 0 and label == "STE" else {})
                )
                for k, label in enumerate(y)
            ],
            "strat_fold": np.resize([1, 2, 9], len(X)),
            "filename_lr": names,
            **dict.fromkeys(remarks, ""),
        }
    ).to_csv(folder / "ptbxl_database.csv", index=False)
    pd.DataFrame(
        {
            "diagnostic": 1,
            "diagnostic_class": ["NORM", "CD", "MI", "HYP"],
            "diagnostic_subclass": ["NORM", "CLBBB", "IMI", "LVH"],
        },
        index=list(statement.values()),
    ).to_csv(folder / "scp_statements.csv")


def write_mitbih(folder: Path) -> None:
    """Write four records of two minutes, with normal and premature beats."""
    fs, n_pieces = 360, 12
    for seed, name in enumerate(["101", "106", "203", "215"]):
        X, _, evidence = make_ecg(
            n_pieces, 2, fs, classes=["PVC"], random_state=seed, return_evidence=True
        )
        peaks, symbols = [], []
        for k in range(n_pieces):
            found = evidence.r_peaks[k]
            peaks.extend(found + k * X.shape[2])
            # The evidence of a PVC is the premature beat itself.
            symbols.extend(np.where(evidence.mask[k, found], "V", "N"))
        signal = np.concatenate(list(X), axis=1)  # (2, times)
        write_record(folder / name, signal, ("MLII", "V1"), fs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            wfdb.wrann(name, "atr", np.array(peaks), symbols, write_dir=str(folder))


def write_cinc2017(folder: Path) -> None:
    """Write 240 single leads of 9 to 30 s: normal, fibrillating, other, noise."""
    rhythms = {"NORM": "N", "AFIB": "A", "PVC": "O"}
    X, y = make_ecg(240, 1, 300, 30, classes=list(rhythms), random_state=0)
    rng = np.random.default_rng(0)
    lines = []
    for k, (signal, rhythm) in enumerate(zip(X, y, strict=True), start=1):
        name, label = f"A{k:05d}", rhythms[rhythm]
        if k % 8 == 0:
            signal, label = rng.normal(0, 0.5, signal.shape), "~"
        n_times = rng.integers(9 * 300, 30 * 300)
        write_record(folder / name, signal[:, :n_times], ["ECG"], 300)
        lines.append(f"{name},{label}\n")
    (folder / "REFERENCE-v3.csv").write_text("".join(lines))


def write_cinc2020(folder: Path) -> None:
    """Write 28 records of four sources at 500 Hz, one of them with flat leads."""
    codes = {"NORM": "426783006", "AFIB": "164889003", "PVC": "427172004"}
    sources = ["E", "HR", "JS", "A"]
    X, y = make_ecg(28, fs=500, classes=list(codes), random_state=0)
    X[2, 7] = X[2, 9] = 0
    for k, (signal, rhythm) in enumerate(zip(X, y, strict=True)):
        source = sources[k % 4]
        code = "" if source == "A" else codes[rhythm]
        comments = ["Age: 61", "Sex: Female", f"Dx: {code}"]
        write_record(folder / f"{source}{k:05d}", signal, STANDARD_LEADS, 500, comments)


WRITERS = {
    "ptbxl": write_ptbxl,
    "mitbih": write_mitbih,
    "cinc2017": write_cinc2017,
    "cinc2020": write_cinc2020,
}
