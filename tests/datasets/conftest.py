"""Folders of records: a tiny one made here, and the real one where it is at hand."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from sk_erts.datasets import STANDARD_LEADS, make_ecg

with warnings.catch_warnings():
    # wfdb calls pandas in a way that recent versions deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb

# ecg_id, patient, fold, statements
ROWS = [
    (1, 11.0, 1, {"NORM": 100.0, "SR": 0.0}),
    (2, 12.0, 1, {"IMI": 80.0, "LVH": 35.0, "SR": 0.0}),
    (3, 12.0, 2, {"IMI": 50.0, "ASMI": 15.0, "CRBBB": 50.0}),
    (5, 13.0, 2, {"SR": 0.0}),
    (8, 14.0, 9, {"NDT": 0.0, "LVH": 15.0}),
    (9, 15.0, 9, {"CRBBB": 0.0}),
]

STATEMENTS = pd.DataFrame(
    {
        "description": "words",
        "diagnostic": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, np.nan],
        "form": [np.nan, np.nan, np.nan, np.nan, np.nan, 1.0, np.nan],
        "rhythm": [np.nan] * 6 + [1.0],
        "diagnostic_class": ["NORM", "MI", "MI", "HYP", "CD", "STTC", None],
        "diagnostic_subclass": ["NORM", "IMI", "AMI", "LVH", "CRBBB", "STTC", None],
    },
    index=["NORM", "IMI", "ASMI", "LVH", "CRBBB", "NDT", "SR"],
)


def _write_record(path, signal, leads=STANDARD_LEADS, fs=100, unit="mV"):
    n = len(leads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as on import
        wfdb.wrsamp(
            path.name,
            fs,
            [unit] * n,
            list(leads),
            p_signal=np.asarray(signal, dtype=float).T,
            fmt=["16"] * n,
            adc_gain=[1000.0] * n,
            baseline=[0] * n,
            write_dir=str(path.parent),
        )


@pytest.fixture
def write_record():
    """Return a function that writes (n_leads, n_times) as one WFDB record."""
    return _write_record


@pytest.fixture
def tiny_table():
    """Return the records' table of the tiny layout."""
    ids = [row[0] for row in ROWS]
    return pd.DataFrame(
        {
            "ecg_id": ids,
            "patient_id": [row[1] for row in ROWS],
            "age": [56.0, 19.0, 37.0, np.nan, 89.0, 60.0],
            "sex": [1, 0, 1, 0, 1, 0],
            "report": "sinusrhythmus",
            "scp_codes": [str(row[3]) for row in ROWS],
            "baseline_drift": [None, ", V6", None, None, None, None],
            "static_noise": None,
            "burst_noise": None,
            "electrodes_problems": None,
            "strat_fold": [row[2] for row in ROWS],
            "filename_lr": [f"records100/00000/{k:05d}_lr" for k in ids],
            "filename_hr": [f"records500/00000/{k:05d}_hr" for k in ids],
        }
    )


@pytest.fixture
def tiny(tmp_path, tiny_table):
    """Return a folder in the layout of PTB-XL with six synthetic records at 100 Hz."""
    tiny_table.to_csv(tmp_path / "ptbxl_database.csv", index=False)
    STATEMENTS.to_csv(tmp_path / "scp_statements.csv")
    (tmp_path / "records100" / "00000").mkdir(parents=True)
    X, _ = make_ecg(n_samples=len(ROWS), random_state=0)
    for name, signal in zip(tiny_table["filename_lr"], X, strict=True):
        _write_record(tmp_path / name, signal, [k.upper() for k in STANDARD_LEADS])
    return tmp_path


def _real_folder(name, file):
    """Return a folder of real recordings that holds a file, or skip."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SK_ERTS_DATA", default)) / name
    if not (folder / file).is_file():
        pytest.skip(f"no recordings in {folder}; set SK_ERTS_DATA to its parent folder")
    return folder


@pytest.fixture(scope="session")
def ptbxl_folder():
    """Return the folder of the real PTB-XL, or skip."""
    return _real_folder("ptbxl", "ptbxl_database.csv")


@pytest.fixture(scope="session")
def cinc2017_folder():
    """Return the folder of the real CinC 2017, or skip."""
    return _real_folder("cinc2017", "REFERENCE-v3.csv")


@pytest.fixture(scope="session")
def cinc2020_folder():
    """Return the folder of real records of CinC 2020, or skip."""
    return _real_folder("cinc2020", "E07500.hea")


def _write_mat_record(path, signal, leads, fs, comments=(), gain="1000.0(0)/mV"):
    """Write a record as the challenges do: MATLAB level 4, after 24 bytes of head."""
    samples = np.round(np.asarray(signal) * 1000).astype(np.int16)
    savemat(f"{path}.mat", {"val": samples}, format="4")
    lines = [f"{path.name} {len(leads)} {fs} {samples.shape[1]}"]
    for lead, row in zip(leads, samples, strict=True):
        total = int(row.astype(np.int64).sum()) % 65536
        file = f"{path.name}.mat 16x1+24 {gain} 16 0 {row[0]} {total} 0 {lead}"
        lines.append(file)
    Path(f"{path}.hea").write_text("\n".join([*lines, *comments]) + "\n")


@pytest.fixture
def write_mat_record():
    """Return a function that writes (n_leads, n_times) as .hea with .mat."""
    return _write_mat_record


@pytest.fixture(scope="session")
def mitbih_folder():
    """Return the folder of the real MIT-BIH, or skip."""
    return _real_folder("mitbih", "101.atr")
