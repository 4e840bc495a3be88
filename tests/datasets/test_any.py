"""One recording, whatever its format."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from scipy.io import savemat

from sk_erts.datasets import read_any
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import (
    aecg_lead,
    aecg_series,
    aecg_times,
    check_damage,
    dicom_channel,
    dicom_group,
    muse,
    muse_lead,
    scp_file,
    scp_leads,
    scp_rhythm,
    steps,
    write_aecg,
    write_dicom,
    write_edf,
    write_muse,
)

X = steps(2)
NAMES = ("II", "V1")
TOLD = {"fs": 500, "unit": "uV", "lead_names": NAMES}


def write_scp(path):
    path.write_bytes(scp_file({3: scp_leads((2, 3), 500), 6: scp_rhythm(X, step=1000)}))


def write_any_muse(path):
    leads = [
        muse_lead(name, x, LeadAmplitudeUnitsPerBit=1)
        for name, x in zip(NAMES, X, strict=True)
    ]
    write_muse(path, muse(leads))


def write_any_aecg(path):
    leads = [aecg_lead(name, x, scale=1) for name, x in zip(NAMES, X, strict=True)]
    write_aecg(path, aecg_series([aecg_times(), *leads]))


def write_any_dicom(path):
    channels = [dicom_channel(number, sensitivity=1) for number in (2, 3)]
    write_dicom(path, [dicom_group(X, channels)])


def write_csv(path):
    np.savetxt(path, X.T, delimiter=",", header=",".join(NAMES), comments="", fmt="%d")


def write_matrix(path):
    savemat(path, {"ecg": X}, appendmat=False)


# How a file is written, its ending, and what has to be told of it.
FORMATS = {
    "edf": (partial(write_edf, samples=X, names=NAMES, fs=500), ".edf", {}),
    "dicom": (write_any_dicom, ".dcm", {}),
    "scp": (write_scp, ".scp", {}),
    "muse": (write_any_muse, ".xml", {}),
    "aecg": (write_any_aecg, ".xml", {}),
    "mat": (write_matrix, ".mat", TOLD),
    "csv": (write_csv, ".csv", {"fs": 500, "unit": "uV"}),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("wrong_ending", [False, True])
def test_tells_formats_by_content_else_by_ending(tmp_path, name, wrong_ending):
    write, ending, told = FORMATS[name]
    if wrong_ending:
        ending = ".txt" if name == "csv" else ".dat"
    path = tmp_path / f"ecg{ending}"
    write(path)
    for given in (path, str(path)):
        record = read_any(given, **told)
        np.testing.assert_allclose(record.signal, X / 1000, rtol=1e-6)
        assert (record.lead_names, record.fs) == (NAMES, 500)
        assert record.name == str(tmp_path / "ecg")
    only = read_any(path, **told, leads=["V1"])
    np.testing.assert_allclose(only.signal, X[1:] / 1000, rtol=1e-6)


def test_upper_case_endings(tmp_path):
    write_csv(tmp_path / "ECG.CSV")
    assert read_any(tmp_path / "ECG.CSV", fs=500, unit="uV").lead_names == NAMES


def test_xml_of_other_encodings(tmp_path):
    path = tmp_path / "ecg.xml"
    write_any_aecg(path)
    text = path.read_text(encoding="utf-8").replace("UTF-8", "UTF-16")
    path.write_text(text, encoding="utf-16")
    np.testing.assert_allclose(read_any(path).signal, X / 1000, rtol=1e-6)


def test_options_are_handed_on(tmp_path):
    path = tmp_path / "ecg.csv"
    path.write_text("II (mV),V1 (mV)\n1,5\n2,5\n,5\n")
    with pytest.raises(RecordError, match="missing"):
        read_any(path, fs=500)
    with pytest.raises(RecordError, match="flat"):
        read_any(path, fs=500, missing="cut")
    record = read_any(path, fs=500, missing="cut", allow_flat=True)
    assert record.signal.tolist() == [[1, 2], [5, 5]]


@pytest.mark.parametrize("given", ["E1", "E1.hea", "E1.mat"])
def test_records_of_wfdb(tmp_path, write_mat_record, given):
    """A matrix with a header beside it is such a record, and needs nothing told."""
    write_mat_record(tmp_path / "E1", X / 1000, NAMES, 500)
    record = read_any(tmp_path / given)
    np.testing.assert_allclose(record.signal, X / 1000, atol=5e-4)
    assert (record.lead_names, record.fs) == (NAMES, 500)
    assert read_any(tmp_path / given, leads=["V1"]).lead_names == ("V1",)
    with pytest.raises(ValueError, match="'fs' parameter of read_any must be None for"):
        read_any(tmp_path / given, fs=500)
    (tmp_path / "E1.mat").unlink()
    with pytest.raises(RecordNotFoundError, match="E1"):
        read_any(tmp_path / given)


@pytest.mark.parametrize("name", ["edf", "dicom", "scp", "muse", "aecg"])
@pytest.mark.parametrize("told", ["fs", "unit", "lead_names"])
def test_what_a_file_says_itself_is_not_told(tmp_path, name, told):
    write, ending, _ = FORMATS[name]
    path = tmp_path / f"ecg{ending}"
    write(path)
    with pytest.raises(
        ValueError, match=f"'{told}' parameter of read_any must be None"
    ):
        read_any(path, **{told: TOLD[told]})


def test_what_a_matrix_needs(tmp_path):
    write_matrix(tmp_path / "ecg.mat")
    with pytest.raises(RecordError, match="no unit and no lead_names; pass them"):
        read_any(tmp_path / "ecg.mat", fs=500)


def test_what_is_none_of_them(tmp_path):
    path = tmp_path / "ecg.xyz"
    path.write_text("something")
    with pytest.raises(
        RecordError, match="ecg.xyz: the format must be WFDB, DICOM, EDF"
    ):
        read_any(path)
    (tmp_path / "other.xml").write_text("<html/>")
    with pytest.raises(RecordError, match="other.xml: the format"):
        read_any(tmp_path / "other.xml")
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_any(tmp_path / "absent.edf")
    with pytest.raises(RecordNotFoundError, match="absent"):
        read_any(tmp_path / "absent.hea")
    with pytest.raises(RecordError, match="cannot be opened"):
        read_any(tmp_path)


def test_no_library_is_imported_before_it_is_needed():
    slow = {"pydicom", "pyedflib", "scipy.io"}
    script = f"import sk_erts.datasets, sys; sys.exit(bool({slow} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("library", ["pydicom", "pyedflib"])
def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch, library):
    name = "dicom" if library == "pydicom" else "edf"
    write, ending, _ = FORMATS[name]
    path = tmp_path / f"ecg{ending}"
    write(path)

    def import_module(wanted):
        raise ModuleNotFoundError(f"No module named {wanted!r}", name=wanted)

    monkeypatch.setattr("importlib.import_module", import_module)
    with pytest.raises(ImportError, match=rf"{library}, .*\n.*sk-erts\[formats\]"):
        read_any(path)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(tmp_path, name):
    write, ending, told = FORMATS[name]
    path = tmp_path / f"ecg{ending}"
    write(path)
    check_damage(path, partial(read_any, **told), n=60, stumps=(0, 1))
